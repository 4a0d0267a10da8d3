"""Polynomials: of low total degree, damped or not, and of any degree along one axis.

Constants and straight lines among them, so that no fit is worse than these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, FEW, LEAST_NODES
from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn._precision import HALF_DIGITS, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.axis_trials import AxisProblem, AxisTrial, ascended
from skmsnn.families.base import (
    Split,
    Trial,
    is_significantly_better,
    leave_one_out,
    validated_on_unseen,
)
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFitter
from skmsnn.families.ladders import growing
from skmsnn.families.sparse import select_sparse
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.polynomial import MOST_DEGREE, n_total_degree_terms, total_degree_terms
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.axes import BasisAxis
from skmsnn.spaces.base import Candidate
from skmsnn.spaces.polynomial import PolynomialFit


class Polynomial(Family):
    """Products of Legendre polynomials."""

    name = "polynomial"

    def quick_space(self, fitter: StageFitter) -> Trial | None:
        points = fitter.points
        if fitter.follows_network:
            return None
        if points.leaves_out:
            return select_polynomial(fitter.whole, points.levels, points.domain.half_width)
        if points.held_out is None:
            return None  # nothing tells degrees apart
        data = fitter.split._replace(held_out=None, rounding=fitter.whole.rounding)
        trial = select_polynomial(data, points.levels, points.domain.half_width)
        error = fitter.validation_error(trial.modes.evaluate(fitter.held_out.x))
        return replace(trial, error=error, holdout_rmse=error, unamplified_error=error, unseen=None)

    def space(self, fitter: StageFitter, enough: float) -> Trial | None:
        if fitter.follows_network or not _may_be_sparse(fitter):
            return None
        levels = fitter.points.levels
        most = np.array([levels.get(j, np.inf) - 1 for j in range(fitter.points.x.shape[1])])
        sparse = select_sparse(fitter.split, most, fitter.rng)
        return sparse if sparse is not None and sparse.error * CLEARLY < enough else None

    def along_axis(self, problem: AxisProblem) -> list[AxisTrial]:
        most = len(problem.nodes) - 2
        # least squares on even nodes becomes unstable beyond twice the root of their number, which
        # unseen lines show
        bases = (LegendreBasis(degree) for degree in growing(most))
        return ascended((problem.tried(BasisAxis(problem.nodes, b)) for b in bases), problem)


def _may_be_sparse(fitter: StageFitter) -> bool:
    """Whether held-out points tell which terms there should be.

    In three dimensions lattices left a hundredth of it, 5e-11 against 2e-8; of many features each
    term brings two new ones, and seconds go by for a few terms.
    """
    points = fitter.points
    n_held = 0 if points.held_out is None else len(points.held_out.x)
    is_suited = MOST_DIMENSIONS < points.x.shape[1] <= FEW
    return is_suited and n_held >= FEW


def select_polynomial(
    data: Split, levels: dict[int, int], half_width: NDArray[np.float64]
) -> Trial:
    """The polynomial that foresees points left out best, one at a time.

    Parameters
    ----------
    data : Split
        All points.
    levels : dict from int to int
        Features of few levels, and how many: as many tell degrees below that number apart.
    half_width : ndarray of shape (d,)
        Unit of the scaled coordinates in that of the features.
    """
    best: Trial | None = None
    worse = 0
    n_points = int(np.count_nonzero(data.train))
    for degree, degrees in _ladder(n_points, data.x.shape[1], levels):
        trial = _best_units(data, degree, degrees, half_width)
        if n_points < LEAST_NODES and trial.train_error <= ROUND_OFF:
            # through symmetric points the values on one side tell those on the other
            if best is None or 2 * len(degrees) <= n_points:
                return trial
            return replace(trial, error=max(trial.error, best.error))
        is_line = degree == 1 and best is not None and trial.error < best.error
        if best is None or is_line or is_significantly_better(trial, best):
            best, worse = trial, 0
        worse += 1
        if time_is_up():
            break
        is_costly = 100 * svd_operations(n_points, len(degrees)) > FLOPS_PER_SECOND
        if best is not None and (best.error <= ROUND_OFF or (is_costly and worse > 2)):
            break
    assert best is not None
    return best


def _best_units(
    data: Split, degree: int, degrees: NDArray[np.int64], half_width: NDArray[np.float64]
) -> Trial:
    """The fit of a degree with the units of its terms that foresee points left out best."""
    # K terms follow K / n of the noise on n points: damping could take half of that, in error, away
    if FEW * len(degrees) <= np.count_nonzero(data.train):
        return _judged(PolynomialFit(data.x, data.train, degrees), data, degree, len(degrees))
    best: Trial | None = None
    for units in _units_of_terms(degrees, half_width):
        fit = PolynomialFit(data.x, data.train, degrees, units)
        trial = _best_damping(fit, data, degree, len(degrees))
        if best is None or trial.error < best.error:
            best = trial
        if trial.train_error <= ROUND_OFF:
            break  # nothing is left for other units
    assert best is not None
    return best


def _units_of_terms(
    degrees: NDArray[np.int64], half_width: NDArray[np.float64]
) -> Iterator[NDArray[np.float64] | None]:
    """What a damped fit may take as the unit of each term.

    Their standard deviations, that of the box, and for straight lines that of the features, as
    ridge regression does: someone who chose the units may have meant them.
    """
    yield None
    if len(degrees) > 1:
        yield np.ones(len(degrees))
    if degrees.sum(axis=1).max() == 1:
        with np.errstate(over="ignore"):
            yield np.prod((half_width.max() / half_width) ** degrees, axis=1)


def _ladder(
    n_points: int, d: int, levels: dict[int, int]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Degrees 0, 1, 2, ... and their terms, as long as points can tell them apart."""
    most = np.array([levels.get(j, MOST_DEGREE + 1) - 1 for j in range(d)])
    last = 0
    for degree in range(MOST_DEGREE + 1):
        n_terms = n_total_degree_terms(d, degree)
        # capped degrees only make fewer terms
        if degree > 1 and svd_operations(n_points, n_terms) > FLOPS_PER_SECOND:
            return
        degrees = total_degree_terms(most, degree)
        if len(degrees) == last or (degree > 1 and len(degrees) > n_points - 2):
            return
        last = len(degrees)
        yield degree, degrees


def _best_damping(fit: PolynomialFit, data: Split, degree: int, n_terms: int) -> Trial:
    """Without damping, unless unseen points are foreseen better with it."""
    chosen = fit
    if fit.left_out_under(data.target, np.zeros(1))[0] > HALF_DIGITS:  # below, this is not noise
        chosen = fit.damped(fit.likeliest_damping(data.target))
    return _judged(chosen, data, degree, n_terms)


def _judged(chosen: PolynomialFit, data: Split, degree: int, n_terms: int) -> Trial:
    label = f"polynomials of degree {degree}" if degree else "a constant"
    prepare = partial(_prepare, chosen)
    candidate = Candidate(n_terms, prepare, label, cutoff=None, family="polynomial")
    trial = validated_on_unseen(
        candidate, chosen, data, leave_one_out(chosen, data.train, data.beside)
    )
    return replace(trial, is_final=chosen.damping > 0)


def _prepare(fit: PolynomialFit, weight: NDArray[np.float64], cutoff: float) -> PolynomialFit:
    return fit.extended(weight)
