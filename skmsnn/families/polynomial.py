"""Polynomials: of low total degree, damped or not, sparse, and of any degree along one axis.

Constants and straight lines are among them, so that no fit is worse than these.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn._precision import HALF_DIGITS, ROUND_OFF
from skmsnn.families.axis_problem import AxisProblem, ladder_of
from skmsnn.families.family import Family
from skmsnn.families.ladders import growing
from skmsnn.families.least_angles import least_angles
from skmsnn.families.sparse import sparse_polynomials
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.polynomial import MOST_DEGREE, n_total_degree_terms, total_degree_terms
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.axes import BasisAxis
from skmsnn.spaces.polynomial import PolynomialFit

# Rows a term from which on damping cannot help much: K terms follow K / n of the noise on n
# points, and damping could take half of that, in error, away.
_ROWS_UNDAMPED = 20


class Polynomial(Family):
    """Products of Legendre polynomials."""

    name = "polynomial"
    is_linear = True

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """By total degree, and sparse sets of terms in several features."""
        yield _by_total_degree(problem)
        if problem.x.shape[1] > 1 and problem.is_validated and not problem.is_short:
            yield sparse_polynomials(problem)
            if problem.refits_in_folds:
                yield from least_angles(problem)

    def along_axis(self, problem: AxisProblem) -> Iterable[Ladder]:
        """By degree."""
        # least squares on even nodes becomes unstable beyond twice the root of their number, which
        # lines left out show
        yield ladder_of(
            problem.candidate(
                "polynomial",
                f"polynomials of degree {degree}",
                degree + 1,
                partial(BasisAxis, problem.nodes, LegendreBasis(degree)),
                bandlimit=degree / 2,
            )
            for degree in growing(len(problem.nodes) - 2)
        )


def _by_total_degree(problem: StageProblem) -> Ladder:
    n, d = problem.n_rows, problem.x.shape[1]
    for degree, degrees in _sets(n, d, problem.points.levels):
        yield Candidate(
            "polynomial",
            f"polynomials of degree {degree}" if degree else "a constant",
            len(degrees),
            4 * svd_operations(n, len(degrees)),
            partial(_fitted, problem.x, degrees, problem.points.domain.half_width),
        )


def _sets(n_points: int, d: int, levels: dict[int, int]) -> Iterator[tuple[int, NDArray[np.int64]]]:
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


def _fitted(
    x: NDArray[np.float64],
    degrees: NDArray[np.int64],
    half_width: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """A fit with the units of terms, and the damping, of the smallest leave-one-out error."""
    best, least = PolynomialFit(x, weight, degrees), np.inf
    if _ROWS_UNDAMPED * len(degrees) > len(best.rows):
        for units in _units_of_terms(degrees, half_width):
            fit = PolynomialFit(x, weight, degrees, units)
            errors = fit.left_out_under(target, fit.dampings)
            # below half of the digits this is not noise
            at = 0 if errors[0] <= HALF_DIGITS else int(np.argmin(errors))
            if errors[at] < least:
                best, least = fit.damped(float(fit.dampings[at])), float(errors[at])
            if least <= ROUND_OFF:
                break
    return Fit(best.solve(target), best)


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
