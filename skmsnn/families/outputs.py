"""Outputs that need different families get them: stages of each by itself, side by side.

What serves a kink in one output costs a smooth one its digits. Where outputs end at very different
errors together, each is fitted alone, too, and what is better for them is taken.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, EQUAL, FAR
from skmsnn._time_limit import time_is_up
from skmsnn.families.base import MOST_OUTPUTS
from skmsnn.families.best import best_stage
from skmsnn.families.fitting import StageFit, Watch
from skmsnn.families.recipe import StageOptions
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.functions.stack import MultiOutput
from skmsnn.stage import Stage
from skmsnn.validation.leave_out import LeftOut, weighted_rms
from skmsnn.validation.split import DataSplit, Residuals

# Families whose training takes long; outputs together have been offered them.
_SLOW = ("sinusoids", "network")


def best_stage_of_outputs(
    recipe: StageOptions,
    points: DataSplit,
    residuals: Residuals,
    previous: StageFit | None,
    rng: np.random.RandomState,
    watch: Watch,
) -> StageFit:
    """The best stage, of all outputs together or of each; as ``best_stage``."""
    if previous is not None and previous.apart:
        return _apart(recipe, points, residuals, previous.apart, rng, watch)
    together = best_stage(recipe, points, residuals, previous, rng, watch)
    n_outputs = residuals.train.shape[1]
    is_open = previous is None and recipe.is_all_adaptive and not time_is_up()
    if not is_open or not 1 < n_outputs <= MOST_OUTPUTS or together.points is not None:
        return together
    left = _left_of_each(together, points, residuals)
    # however little is left, of very different outputs families may differ
    is_well = together.error <= recipe.tol and left.max() <= FAR**2 * left.min()
    if is_well or together.is_noise:
        return together
    apart = _apart(recipe, points, residuals, (None,) * n_outputs, rng, watch)
    pairs = list(zip(apart.apart, left, strict=True))
    # an interpolant is taken for its own rows, whatever its error between them
    gains = [one.is_final or one.error * CLEARLY < e for one, e in pairs]
    is_taken = np.array([one.is_final for one in apart.apart])
    own = sum(one.error**2 for one in apart.apart if not one.is_final)
    joint = max(n_outputs * together.error**2 - np.sum(left[is_taken] ** 2), 0.0)
    return apart if any(gains) and own <= EQUAL**2 * joint else together


def _left_of_each(fit: StageFit, points: DataSplit, residuals: Residuals) -> NDArray[np.float64]:
    """Root mean square of what is left of each output at unseen points."""
    if fit.unseen is not None:
        return np.sqrt(np.mean(fit.unseen.residual**2, axis=0))
    asked = points.validation_points
    rest = fit.train_stage.residual(residuals.validation, asked.x)
    return np.sqrt(np.average(rest**2, axis=0, weights=asked.weight))


def _apart(
    recipe: StageOptions,
    points: DataSplit,
    residuals: Residuals,
    previous: tuple[StageFit | None, ...],
    rng: np.random.RandomState,
    watch: Watch,
) -> StageFit:
    names = tuple(name for name in recipe.families if name not in _SLOW)
    quick = replace(recipe, families=names or recipe.families)
    fits, accepted = [], False
    for j, before in enumerate(previous):
        own = residuals.of_output(j)
        if not own.full.any() and not own.train.any():
            left = weighted_rms(own.validation, points.validation_points.weight)
            fits.append(StageFit(_zero(points), _zero(points), left, [1.0], "nothing"))
            continue
        fit = best_stage(quick, points, own, before, rng, watch)
        if before is not None and not fit.error * EQUAL < before.error:
            # the error and residuals of before stay, and so does what a next stage may refine
            nothing = _zero(points)
            fit = replace(before, stage=nothing, train_stage=nothing, message="nothing more")
        else:
            accepted = True
        fits.append(fit)
    return replace(_side_by_side(fits), accepted=accepted)


def _zero(points: DataSplit) -> Stage:
    """A stage that adds nothing."""
    constant = np.zeros((1, points.x.shape[1]), dtype=np.int64)
    return Stage(np.ones(1), LegendreSeries(constant, np.zeros((1, 1))), "polynomial")


def _side_by_side(fits: list[StageFit]) -> StageFit:
    worst = max(fits, key=lambda fit: fit.error)
    return StageFit(
        _stacked([fit.stage for fit in fits]),
        _stacked([fit.train_stage for fit in fits]),
        float(np.sqrt(np.mean([fit.error**2 for fit in fits]))),
        worst.loss_curve,
        "; ".join(dict.fromkeys(fit.message for fit in fits)),
        is_noise=worst.is_noise,
        n_iter=max(fit.n_iter for fit in fits),
        unseen=_common(fits),
        in_gaps=float(np.sqrt(np.mean([fit.in_gaps**2 for fit in fits]))),
        apart=tuple(fits),
        is_final=all(fit.is_final for fit in fits),
    )


def _stacked(stages: list[Stage]) -> Stage:
    functions = MultiOutput(tuple(stage.function for stage in stages))
    names = " | ".join(dict.fromkeys(stage.family for stage in stages))
    return Stage(np.concatenate([stage.scale for stage in stages]), functions, names)


def _common(fits: list[StageFit]) -> LeftOut | None:
    """What is left at the points that all of them have been asked at."""
    asked = [fit.unseen for fit in fits if fit.unseen is not None]
    if len(asked) < len(fits):
        return None
    rows = asked[0].rows
    for one in asked[1:]:
        rows = np.intersect1d(rows, one.rows)
    if len(rows) == 0:
        return None
    columns = [one.residual[np.searchsorted(one.rows, rows)] for one in asked]
    return LeftOut(rows, np.concatenate(columns, axis=1), max(one.beside for one in asked))
