"""Rational functions: of several features quotients, of one fractions, with poles by AAA.

Nakatsukasa, Sete & Trefethen 2018, The AAA algorithm for rational approximation; Costa & Trefethen
2023, AAA-least squares rational approximation and solution of Laplace problems. Resonances, fronts
and functions of clustered points have poles beside the data, which neither waves nor polynomials
get near.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import scipy.interpolate
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, FAR, FEW
from skmsnn._precision import CUTOFFS, NEAR_ROUND_OFF
from skmsnn.families.aaa import SupportPoints, poles_of
from skmsnn.families.base import MOST_OUTPUTS, Trial, validated_on_held_out
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFit, StageFitter
from skmsnn.families.quotients import select_quotient
from skmsnn.functions.rational import PartialFractions
from skmsnn.spaces.base import LinearFit
from skmsnn.spaces.dense import candidate_of
from skmsnn.spaces.frames import RationalFrame
from skmsnn.validation.leave_out import N_FOLDS, weighted_rms


class Rational(Family):
    """Poles anywhere but on the data; needs SciPy 1.15."""

    name = "rational"
    is_cheap = True

    def quick_space(self, fitter: StageFitter) -> Trial | None:
        points = fitter.points
        has_several = points.x.shape[1] > 1 and not points.domain.periodic.any()
        n_held = 0 if points.held_out is None else len(points.held_out.x)
        if fitter.follows_network or not has_several or n_held < FEW:
            return None
        return select_quotient(fitter.split, fitter.rng)

    def trained(self, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
        held_out = fitter.points.held_out
        is_line = fitter.points.x.shape[1] == 1 and not fitter.points.domain.periodic.any()
        n_own = np.count_nonzero(fitter.points.train)
        if not is_line or held_out is None or len(held_out.x) < 2 or n_own < 4:
            return
        if not hasattr(scipy.interpolate, "AAA"):
            return
        supports = _supports(fitter, fitter.points.train)
        trials = {}
        # at tighter tolerances poles follow the rounding
        for tolerance in _tolerances(supports):
            trial = _tried(fitter, fitter.points.train, supports, tolerance)
            if trial is not None:
                trials[tolerance] = trial
        if trials:
            tolerance, best = min(trials.items(), key=lambda pair: pair[1].error)
            if best.error * fitter.size >= enough:
                return
            error = max(best.error, _unseen(fitter, best, supports, tolerance))
            # what a second stage of the same poles leaves at held-out points says nothing of what
            # others would leave, nor of what is between points farther apart than a pole is away
            is_final = error > max(CLEARLY * best.error, NEAR_ROUND_OFF)
            is_final = is_final or _are_nearer_than_points(fitter, best)
            trial = replace(
                best, error=error, holdout_rmse=error, unamplified_error=error, is_final=is_final
            )
            yield fitter.stage_of(trial, anew=_of_all_points(fitter, trial, supports, tolerance))


def _supports(fitter: StageFitter, weight: NDArray[np.float64]) -> list[SupportPoints]:
    """Of each output, at the points of positive weight."""
    used = weight > 0
    x, target = fitter.split.x[used, 0], fitter.split.target[used, :MOST_OUTPUTS]
    return [SupportPoints(x, values) for values in target.T]


def _tolerances(supports: list[SupportPoints]) -> list[float]:
    """Those that are of different support points, from tight to loose."""
    by_support = {
        tuple(support.n_within(tolerance) for support in supports): tolerance
        for tolerance in CUTOFFS[::-1]
    }
    return sorted(by_support.values())


def _tried(
    fitter: StageFitter,
    weight: NDArray[np.float64],
    supports: list[SupportPoints],
    tolerance: float,
) -> Trial | None:
    """What has the poles of the points of positive weight, and is fitted to them; None if none."""
    data = fitter.split
    used = weight > 0
    poles = poles_of(supports, tolerance, data.x[used, 0], data.target[used])
    if not len(poles):
        return None
    candidate = candidate_of(data.x, RationalFrame(poles), f"{len(poles)} poles", "rational")
    trial = validated_on_held_out(candidate, candidate.fit(weight), data, weight)
    error = max(trial.error, trial.train_error)
    return replace(trial, error=error, holdout_rmse=error, unamplified_error=error)


def _of_all_points(
    fitter: StageFitter, trial: Trial, supports: list[SupportPoints], tolerance: float
) -> LinearFit | None:
    """With poles sought anew, where they and the gaps are as the fit on trial foresees.

    Of few points those that are held out are missed: with all, fits of 62 points of a fast decay
    left a tenth, and of 200 steps of a solver a fourteenth.
    """
    data, full = fitter.split, fitter.points.full
    if fitter.has_no_holdout:
        return None
    assert trial.fit is not None
    same = trial.fit.extended(full).solve(data.target)
    least, best = weighted_rms(data.target - same.evaluate(data.x), full), None
    x = np.unique(fitter.points.x)
    middles = (x[1:] + x[:-1]) / 2
    # with more points tighter tolerances may do better
    for tighter in [t for t in _tolerances(supports) if t <= tolerance]:
        anew = _tried(fitter, full, supports, tighter)
        if anew is None or anew.train_error >= least:
            continue
        assert isinstance(anew.modes, PartialFractions)
        asked = np.concatenate([middles, np.clip(anew.modes.poles.real, -1, 1)])[:, None]
        apart = anew.modes.evaluate(asked) - trial.modes.evaluate(asked)
        if np.abs(apart).max() <= FAR * trial.error:
            least, best = anew.train_error, anew.fit
    return best


def _are_nearer_than_points(fitter: StageFitter, trial: Trial) -> bool:
    """Whether a pole is nearer to the line than the points about it are to each other."""
    assert isinstance(trial.modes, PartialFractions)
    poles = trial.modes.poles
    poles = poles[np.abs(poles.real) < 1]
    x = np.unique(fitter.points.x)
    right = np.clip(np.searchsorted(x, poles.real), 1, len(x) - 1)
    return bool(np.any(np.abs(poles.imag) < x[right] - x[right - 1]))


def _may_be_singular_at_ends(trial: Trial, x: NDArray[np.float64]) -> bool:
    """Whether a pole beyond an end is nearer to it than the next of ascending points (n,)."""
    assert isinstance(trial.modes, PartialFractions)
    poles = trial.modes.poles
    return bool(
        np.any(np.abs(poles - x[0])[poles.real < x[0]] < x[1] - x[0])
        or np.any(np.abs(poles - x[-1])[poles.real > x[-1]] < x[-1] - x[-2])
    )


def _unseen(
    fitter: StageFitter, trial: Trial, supports: list[SupportPoints], tolerance: float
) -> float:
    """What fits without one in ten points leave there, and how far they differ in all gaps.

    Poles are sought anew each time, from the support points that are left. About a jump, or at a
    singular end, they are where the points next to it want them, and only there are fits to other
    points of another opinion: the jackknife (Efron & Stein 1981). Where an end may be singular, as
    of a square root, it is left out in its turn: what is left there is what fits err in the cell
    beside, and nothing else shows that.
    """
    data = fitter.split
    used = np.flatnonzero(data.train)
    x = data.x[used]
    middles = (x[1:] + x[:-1]) / 2
    asked = used if _may_be_singular_at_ends(trial, x[:, 0]) else used[1:-1]
    in_gaps = trial.modes.evaluate(middles)
    changes = np.zeros_like(in_gaps)
    left = []
    for fold in range(N_FOLDS):
        out = asked[fold::N_FOLDS]
        weight = data.train.copy()
        weight[out] = 0.0
        other = _tried(fitter, weight, supports, tolerance)
        if other is None:
            return np.inf
        left.append(data.target[out] - other.modes.evaluate(data.x[out]))
        changes += (other.modes.evaluate(middles) - in_gaps) ** 2
    unseen = np.sqrt(np.mean(np.concatenate(left) ** 2))
    return float(max(unseen, np.sqrt(np.mean(changes))))
