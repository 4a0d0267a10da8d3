"""The best stage for what is left: families compete, and unseen points judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import chain, islice

import numpy as np

from skmsnn._comparison import CLEARLY, FEW, LEAST_NODES, PATIENCE
from skmsnn._precision import NEAR_ROUND_OFF, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families import FAMILIES
from skmsnn.families.base import Trial, is_significantly_better
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFit, StageFitter, Watch
from skmsnn.families.grid import select_on_grid
from skmsnn.families.hidden_layers import of_options
from skmsnn.families.polynomial import Polynomial, select_polynomial
from skmsnn.families.recipe import StageOptions
from skmsnn.families.selection import ROUGH, refine
from skmsnn.families.sinusoids import of_dominant_modes
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.validation.split import DataSplit, Residuals

# What a network of the default size reaches in the default iterations, 1e-6 of fronts and 7e-6 of
# the borehole function; a stage of least squares that is as good is not worth that time.
_NETWORK_REACH = 3e-6


def best_stage(
    recipe: StageOptions,
    points: DataSplit,
    residuals: Residuals,
    previous: StageFit | None,
    rng: np.random.RandomState,
    watch: Watch,
) -> StageFit:
    """Fit one stage to the residuals.

    Parameters
    ----------
    recipe : StageOptions
        The user's choices.
    points : DataSplit
        The points.
    residuals : Residuals
        What the stages before leave, in units of the RMS of y.
    previous : StageFit or None
        Of the stage before, whose space is used again if its functions were linear.
    rng : RandomState
        Source of all random numbers.
    watch : callable
        Told of every iteration: number, training loss, held-out error.
    """
    follows_network = previous is not None and previous.spectral is None
    fitter = StageFitter(recipe, points, residuals, rng, watch, follows_network)
    if not recipe.is_adaptive:
        return of_options(fitter)
    before = previous.spectral if previous else None
    if previous and (previous.is_final or (before and before.trial.is_final)):
        return replace(previous, error=np.inf)
    if isinstance(recipe.n_modes, int):
        return of_dominant_modes(fitter, recipe.n_modes)
    if before is not None:
        data = fitter.split if before.trial.unseen is None else fitter.whole
        return fitter.stage_of(refine(before.trial, data), before)
    quick = None if follows_network else _quick(fitter)
    trained = _trained_early(fitter, quick)
    for stage in chain.from_iterable(trained.values()):
        if stage.error <= NEAR_ROUND_OFF:
            return stage
    linear = fitter.stage_of(best_space(fitter, quick=quick))
    if follows_network:
        # what an optimiser leaves is white to waves, too: whether it is noise, only y can tell
        return replace(linear, is_noise=False)
    return _last_resort(fitter, _best_trained(fitter, residuals, linear, trained))


def _last_resort(fitter: StageFitter, stage: StageFit) -> StageFit:
    found = (family.last_resort(fitter, stage) for family in families_of(fitter.recipe))
    return next((resort for resort in found if resort is not None), stage)


def best_space(fitter: StageFitter, is_whole: bool = True, quick: Trial | None = None) -> Trial:
    """The space of functions, linear in their coefficients, that foresees unseen points best.

    Of a sample of the points, which are not ``is_whole``, no functions are taken that follow each
    point. ``quick`` is the best of those that are found at once, if these were tried.
    """
    points, families = fitter.points, families_of(fitter.recipe)
    through = None
    if points.line is not None and not fitter.follows_network:
        # through all points of a line, as if their weights were equal
        data = fitter.whole._replace(train=np.ones(len(points.x)))
        through = select_on_grid(points.domain, points.line, data, fitter.rng, families)
        if through.train_error <= ROUND_OFF:
            return through
    if fitter.asks_unseen and points.grid is not None:
        best = select_on_grid(points.domain, points.grid, fitter.whole, fitter.rng, families)
    else:
        found = _best_of(_spaces(fitter, families, is_whole, quick))
        best = found or _with_all_points(fitter)
    return through if through is not None and through.error < best.error else best


def _with_all_points(fitter: StageFitter) -> Trial:
    """A constant goes with all points, and polynomials of not much more if they are named."""
    points = fitter.points
    levels = points.levels
    if Polynomial.name not in fitter.recipe.families:
        levels = dict.fromkeys(range(points.x.shape[1]), 1)
    return select_polynomial(fitter.whole, levels, points.domain.half_width)


def families_of(recipe: StageOptions) -> list[Family]:
    """Those that compete, in order."""
    return [family for name, family in FAMILIES.items() if name in recipe.families]


def _quick(fitter: StageFitter) -> Trial | None:
    """The best space that is found at once, where points have no order that searches begin with."""
    points = fitter.points
    if points.line is not None or points.grid is not None:
        return None
    return _best_of(_until_exact(fitter, _quick_spaces(fitter)))


def _quick_spaces(fitter: StageFitter) -> Iterator[Trial | None]:
    return (family.quick_space(fitter) for family in families_of(fitter.recipe))


def _spaces(
    fitter: StageFitter, families: list[Family], is_whole: bool, quick: Trial | None
) -> Iterator[Trial]:
    enough = np.inf
    rough = _RoughSpaces(fitter, families if is_whole else [])
    fitter.left_by_rough = rough.least_left

    def all_spaces() -> Iterator[Trial | None]:
        yield from (quick,) if quick is not None else _quick_spaces(fitter)
        yield from (family.space(fitter, enough) for family in families)
        yield from rough.found(enough)

    for trial in _until_exact(fitter, all_spaces()):
        enough = min(enough, trial.error)
        yield trial


class _RoughSpaces:
    """Those of rough data, sought once: before a long search of others, or after it."""

    def __init__(self, fitter: StageFitter, families: list[Family]) -> None:
        self._fitter, self._families = fitter, families
        self._trials: list[Trial] | None = None

    def found(self, enough: float) -> list[Trial]:
        """``enough`` counts where they are sought: what others leave by then."""
        if self._trials is None:
            found = [family.rough_space(self._fitter, enough) for family in self._families]
            self._trials = [trial for trial in found if trial is not None]
        return self._trials

    def least_left(self) -> float:
        return min((trial.error for trial in self.found(np.inf)), default=np.inf)


def _until_exact(fitter: StageFitter, trials: Iterator[Trial | None]) -> Iterator[Trial]:
    """What there is, up to a space that leaves rounding, or as far as time and points allow."""
    is_few = np.count_nonzero(fitter.points.full) < LEAST_NODES
    for trial in trials:
        if trial is not None:
            yield trial
            if trial.error <= ROUND_OFF or (fitter.asks_unseen and is_few) or time_is_up():
                return


def _best_of(spaces: Iterator[Trial]) -> Trial | None:
    best = None
    for trial in spaces:
        if best is None or is_significantly_better(trial, best):
            best = trial
    return best


def _trained_early(fitter: StageFitter, trial: Trial | None) -> dict[str, list[StageFit]]:
    """By family, trained functions of few parameters, where a search for spaces takes longer.

    Products and one or two waves: where these leave rounding no search finds better.
    """
    if trial is None or fitter.points.x.shape[1] <= MOST_DIMENSIONS:
        return {}
    quick = fitter.stage_of(trial)
    if quick.error <= NEAR_ROUND_OFF or quick.is_noise:
        return {}
    return {
        family.name: [s for s in _few(family, fitter, quick.error) if fitter.agrees(s, quick)]
        for family in families_of(fitter.recipe)
        if family.is_quick_to_end
    }


def _best_trained(
    fitter: StageFitter,
    residuals: Residuals,
    linear: StageFit,
    early: dict[str, list[StageFit]],
) -> StageFit:
    """A stage of trained functions where these are worth their time; else the linear one."""
    recipe, points = fitter.recipe, fitter.points
    # next to round-off a second stage of the same functions leaves nothing to be trained for
    if linear.error <= NEAR_ROUND_OFF or linear.is_noise:
        return linear
    best = linear
    for family in families_of(recipe):
        if family.is_cheap:
            stages = early.get(family.name) or _trained(family, fitter, best.error)
            best = _replaced(best, stages, fitter, linear)
    enough = max(recipe.tol, _NETWORK_REACH)
    if _is_blind(points) and any(family.has_spaces for family in families_of(recipe)):
        return best
    if best.error <= enough:
        # what is of one wave or two is exact; more are not worth their time
        for family in families_of(recipe):
            if family.is_quick_to_end and not family.is_cheap:
                stages = early.get(family.name) or _few(family, fitter, best.error)
                best = _replaced(best, stages, fitter, linear)
        return best
    asked = points.importance_holdout(linear.unseen, fitter.rng)
    if asked is not points:
        residuals = residuals.with_holdout(asked)
        fitter = StageFitter(recipe, asked, residuals, fitter.rng, fitter.watch)
    for family in families_of(recipe):
        # of what local splines describe best, and badly, a network of few weights describes less
        is_rough = best.stage.family == "spline" and best.error > ROUGH
        is_tried = not family.is_cheap and (family.is_quick_to_end or not is_rough)
        # elsewhere other errors count
        enough_there = best.error if asked is points else np.inf
        for trained in _trained(family, fitter, enough_there) if is_tried else ():
            if _replaces(trained, best, fitter, linear):
                best = trained if asked is points else replace(trained, points=asked)
            if best.error <= enough or time_is_up():
                return best
    return best


def _few(family: Family, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
    """The first of a family's trained stages, which have the fewest parameters."""
    return islice(_trained(family, fitter, enough), PATIENCE)


def _replaced(
    best: StageFit, stages: Iterable[StageFit], fitter: StageFitter, linear: StageFit
) -> StageFit:
    """The best, or one of these trained stages."""
    for trained in stages:
        if _replaces(trained, best, fitter, linear):
            best = trained
    return best


def _replaces(trained: StageFit, best: StageFit, fitter: StageFitter, linear: StageFit) -> bool:
    """Whether a trained stage is much better, and nowhere far from that of least squares.

    Unlike splines through all points fractions have all slopes, and are taken if they are not much
    worse: what others leave where they have not seen them is more than either errs.
    """
    has_more_slopes = (best.stage.family, trained.stage.family) == ("spline", "rational")
    gain = 1 / CLEARLY if has_more_slopes else CLEARLY
    return trained.error * gain < best.error and fitter.agrees(trained, linear)


def _trained(family: Family, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
    return iter(()) if time_is_up() else family.trained(fitter, enough)


def _is_blind(points: DataSplit) -> bool:
    """Whether held-out points tell nothing of trained wave vectors: they are few, or on few lines.

    On a line a spline is as local as those.
    """
    if points.leaves_out and (points.held_out is None or points.x.shape[1] == 1):
        return True
    if points.held_out is not None and len(points.held_out.x) < FEW:
        return True
    return points.grid is not None and any(1 < n < LEAST_NODES for n in points.grid.shape)
