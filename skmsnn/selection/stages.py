"""Stages made of the candidates that won, and the refinement of a stage by the next one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import HALF_DIGITS, ROUND_OFF
from skmsnn.functions import Function
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.functions.stack import MultiOutput
from skmsnn.selection.candidate import Fit, Scored
from skmsnn.selection.entrant import Tried
from skmsnn.selection.noise import is_noise
from skmsnn.selection.problem import StageProblem
from skmsnn.selection.race import Outcome
from skmsnn.spaces.base import LinearFit
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.p_norm import correction
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.stage import Stage
from skmsnn.validation.diagnosis import can_tell_noise
from skmsnn.validation.leave_out import EdgePoints, weighted_rms
from skmsnn.validation.local import Unseen
from skmsnn.validation.split import Residuals

# Factor by which a stage has to reduce the error of an output.
_GAIN = 1.15


@dataclass(frozen=True)
class Part:
    """Outputs of a stage that one candidate serves.

    Attributes
    ----------
    outputs : slice
        Which.
    scored : Scored
        The candidate with its fit.
    full : LinearFit or None
        Its least squares problem with all points; None without one.
    is_noise : bool
        Whether the residual is white.
    error : float
        Validation error, in units of the RMS of y.
    unseen : Unseen or None
        Residuals at points that the fit has not seen.
    """

    outputs: slice
    scored: Scored
    full: LinearFit | None
    is_noise: bool
    error: float
    unseen: Unseen | None

    @property
    def is_refinable(self) -> bool:
        """Whether a second stage of the same functions reduces the error.

        Above half of the digits it recovers only what damping holds back.
        """
        candidate, fit = self.scored.candidate, self.scored.fit
        if fit is None or fit.linear is None or not candidate.refines:
            return False
        if isinstance(fit.linear, PolynomialFit) and fit.linear.damping > 0:
            return False
        return self.scored.is_partial or self.scored.score.error <= HALF_DIGITS

    @property
    def is_trained(self) -> bool:
        """Whether an optimiser found its parameters, so that other functions may take the rest."""
        return self.scored.is_partial and not self.scored.candidate.refines


@dataclass(frozen=True)
class StageFit:
    """A fitted stage.

    Attributes
    ----------
    stage, train_stage : Stage
        Fitted to all points, and without those that are held out.
    error : float
        Validation error, in units of the RMS of y.
    loss_curve : list of float
        Loss of the normalised residual at each iteration.
    message : str
        How it ended.
    parts : tuple of Part
        Candidates that won, from which a next stage goes on.
    unseen : Unseen or None
        Residuals at points that no fit has seen.
    in_gaps : float
        Uncertainty in wide gaps between the points.
    accepted : bool or None
        Whether to keep it, where that was decided for each output.
    is_final : bool
        Whether no further stage can help.
    """

    stage: Stage
    train_stage: Stage
    error: float
    loss_curve: list[float]
    message: str
    parts: tuple[Part, ...] = ()
    is_noise: bool = False
    n_iter: int = 1
    unseen: Unseen | None = None
    in_gaps: float = 0.0
    accepted: bool | None = None
    is_final: bool = False

    @property
    def is_trained(self) -> bool:
        """Whether an optimiser found its parameters."""
        return any(part.is_trained for part in self.parts)

    @property
    def is_refinable(self) -> bool:
        """Whether a second stage of the same functions reduces the error of an output."""
        return any(part.is_refinable for part in self.parts)

    def in_units_of(self, size: float) -> StageFit:
        """The same, ``error`` and ``in_gaps`` relative to a size."""
        return replace(self, error=self.error / size, in_gaps=self.in_gaps / size)


Again = Callable[[slice, float], tuple[StageProblem, Outcome] | None]


def stage_of(problem: StageProblem, outcome: Outcome, again: Again | None = None) -> StageFit:
    """The stage of the candidates that won, each for its outputs.

    Where outputs have different ones, each run of the same has a race ``again``, alone, for its
    share of the budget: sets of terms that serve all outputs together may serve none of them well.
    """
    finished = {id(s): problem.scheme.finish(s) for s in outcome.best}
    fits = []
    runs = [list(run) for _, run in groupby(enumerate(outcome.best), lambda pair: id(pair[1]))]
    for run in runs:
        outputs, candidates = zip(*run, strict=True)
        own = slice(outputs[0], outputs[-1] + 1)
        fit = _of_part(problem, own, finished[id(candidates[0])], outcome.tried)
        if again is not None and len(finished) > 1:
            alone = again(own, 1 / len(runs))
            if alone is not None and alone[1].error * alone[0].size < fit.error:
                fit = _shifted(stage_of(*alone), own.start)
        fits.append(fit)
    return side_by_side(fits)


def _shifted(fit: StageFit, start: int) -> StageFit:
    """The same for outputs from a number on."""
    parts = [
        replace(part, outputs=slice(part.outputs.start + start, part.outputs.stop + start))
        for part in fit.parts
    ]
    return replace(fit, parts=tuple(parts))


def _of_part(
    problem: StageProblem,
    outputs: slice,
    scored: Scored,
    tried: Mapping[str, Sequence[Tried]],
    full: LinearFit | None = None,
) -> StageFit:
    """The stage of a candidate; ``full`` is its problem with all points, if that is at hand."""
    candidate, fit, score = scored.candidate, scored.fit, scored.score
    assert fit is not None
    function = _in_p_norm(problem, fit, problem.target, problem.weight, problem.size)
    train_stage = stage = _stage(problem.scale, function, outputs, candidate.family)
    if scored.is_partial:
        full, stage = _with_all_points(problem, scored, train_stage, outputs, full)
    else:
        full = fit.linear
    errors = score.errors[outputs]
    if function is not fit.function:
        moved = function.evaluate(problem.x) - fit.function.evaluate(problem.x)
        moved = np.sqrt(np.average(moved**2, axis=0, weights=problem.weight))[outputs]
        errors = np.hypot(errors, moved)
    has_noise = is_noise(problem, scored, outputs, tried)
    unseen = _unseen(problem, scored, outputs)
    label = candidate.label
    error = float(np.sqrt(np.mean((errors * problem.scale[outputs]) ** 2)))
    return StageFit(
        stage,
        train_stage,
        error,
        list(fit.loss_curve) or [1.0, float(np.sqrt(np.mean(score.train[outputs] ** 2)))],
        fit.message or (f"least squares over {label}" if candidate.refit is None else label),
        (Part(outputs, scored, full, has_noise, error, unseen),),
        has_noise,
        fit.n_iter,
        unseen,
        _in_gaps(problem, fit, outputs),
        is_final=candidate.family == "interpolant" and not can_tell_noise(problem.n_rows),
    )


def _stage(scale: NDArray[np.float64], function: Function, outputs: slice, family: str) -> Stage:
    own = scale[outputs]
    if len(own) < len(scale):
        function = function.of_outputs(outputs)
    return Stage(own, function, family)


def _with_all_points(
    problem: StageProblem,
    scored: Scored,
    train_stage: Stage,
    outputs: slice,
    full: LinearFit | None,
) -> tuple[LinearFit | None, Stage]:
    """The candidate fitted to all points, unless parameters that are trained move away by that.

    Held-out points have validated the function before, and nothing has validated the new one.
    """
    candidate, fit = scored.candidate, scored.fit
    full_weight = problem.points.full
    assert fit is not None
    if candidate.refit is None and fit.linear is not None:
        full = full or fit.linear.extended(full_weight)
        function = _in_p_norm(
            problem, Fit(full.solve(problem.full), full), problem.full, full_weight, problem.size
        )
        return full, _stage(problem.full_scale, function, outputs, candidate.family)
    assert candidate.refit is not None
    target = problem.full * (problem.full_scale / problem.scale)
    again = candidate.refit(fit, target, full_weight)
    function = _in_p_norm(problem, again, target, full_weight, problem.size)
    stage = _stage(problem.scale, function, outputs, candidate.family)
    moved = stage.predict(problem.between) - train_stage.predict(problem.between)
    size = float(np.sqrt(np.mean(problem.scale[outputs] ** 2)))
    if np.sqrt(np.mean(moved**2)) <= 10 * scored.score.error * size:
        return again.linear, stage
    return fit.linear, train_stage


def _in_p_norm(
    problem: StageProblem,
    fit: Fit,
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    size: float,
) -> Function:
    """The fit of least p-norm, from that of least squares, unless its residual is rounding."""
    p = problem.options.options.p
    if p == 2 or fit.linear is None:
        return fit.function
    rest = target - fit.function.evaluate(problem.x)
    if weighted_rms(rest, weight) * size <= ROUND_OFF:
        return fit.function
    basis = fit.linear.basis()
    more: Any = basis.modes(correction(basis, rest, weight, p))
    return fit.function.plus(more)


def _unseen(problem: StageProblem, scored: Scored, outputs: slice) -> Unseen | None:
    """Residuals at points that the fit has not seen."""
    if not problem.is_validated:
        return None
    score, scheme = scored.score, problem.scheme
    x = problem.x[score.rows] if problem.in_folds else getattr(scheme, "x_val", problem.x)
    residual = score.residual[:, outputs] * problem.scale[outputs]
    fit = scored.fit
    # a fit to some rows knows how exposed these are, and not the held-out ones
    is_whole = problem.in_folds and not scored.is_partial
    if not is_whole or fit is None or fit.exposure is None:
        return Unseen(x, residual)
    own, exposure = fit.exposure()
    return Unseen(x, residual, own[score.rows], exposure)


def _in_gaps(problem: StageProblem, fit: Fit, outputs: slice) -> float:
    """Uncertainty of a fit where points leave wide gaps: the jackknife."""
    gaps, linear = problem.points.gaps, fit.linear
    folds = getattr(problem.scheme, "folds", [])
    if gaps is None or not isinstance(linear, DenseFit | PolynomialFit) or not folds:
        return 0.0
    rest = problem.target - fit.function.evaluate(problem.x)
    edges = EdgePoints(gaps, np.full(len(gaps), 1 / len(gaps)))
    exposed = linear.left_out(rest, folds, problem.rounding, edges).exposed[outputs]
    return float(np.sqrt(np.mean((exposed * problem.scale[outputs]) ** 2)))


def side_by_side(fits: Sequence[StageFit]) -> StageFit:
    """One stage of stages for runs of outputs."""
    if len(fits) == 1:
        return fits[0]
    worst = max(fits, key=lambda fit: fit.error)
    widths = np.array([len(fit.stage.scale) for fit in fits])
    return StageFit(
        _stacked([fit.stage for fit in fits]),
        _stacked([fit.train_stage for fit in fits]),
        _joint([fit.error for fit in fits], widths),
        worst.loss_curve,
        "; ".join(dict.fromkeys(fit.message for fit in fits)),
        tuple(part for fit in fits for part in fit.parts),
        worst.is_noise,
        max(fit.n_iter for fit in fits),
        _common([fit.unseen for fit in fits]),
        _joint([fit.in_gaps for fit in fits], widths),
        is_final=all(fit.is_final for fit in fits),
    )


def _joint(errors: Sequence[float], widths: NDArray[np.intp]) -> float:
    return float(np.sqrt(np.average(np.square(errors), weights=widths)))


def _stacked(stages: Sequence[Stage]) -> Stage:
    widths = tuple(len(stage.scale) for stage in stages)
    functions = MultiOutput(tuple(stage.function for stage in stages), widths)
    names = " | ".join(dict.fromkeys(stage.family for stage in stages))
    return Stage(np.concatenate([stage.scale for stage in stages]), functions, names)


def _common(all_unseen: Sequence[Unseen | None]) -> Unseen | None:
    """Residuals at the points that all of them have."""
    found = [one for one in all_unseen if one is not None]
    if len(found) < len(all_unseen):
        return None
    shortest = min(found, key=lambda one: len(one.x))
    place = {point.tobytes(): at for at, point in enumerate(shortest.x)}
    columns = []
    for one in found:
        at = np.array([place.get(point.tobytes(), -1) for point in one.x])
        residual = np.full((len(shortest.x), one.residual.shape[1]), np.nan)
        residual[at[at >= 0]] = one.residual[at >= 0]
        columns.append(residual)
    residual = np.concatenate(columns, axis=1)
    whole = ~np.isnan(residual).any(axis=1)
    return Unseen(shortest.x[whole], residual[whole]) if whole.any() else None


def refined(problem_of: Any, previous: StageFit, residuals: Residuals) -> StageFit:
    """The next stage of the same functions, for each part that it helps."""
    fits, accepted = [], []
    for part in previous.parts:
        problem = problem_of(residuals.of_outputs(part.outputs))
        fit = _refined(problem, part) if part.is_refinable else None
        helps = fit is not None and fit.error * _GAIN < part.error
        accepted.append(helps)
        if fit is None or (not helps and len(previous.parts) > 1):
            fit = _nothing(problem, part)
        fits.append(fit)
    stage = side_by_side(fits)
    if len(fits) == 1:
        return stage
    return replace(stage, accepted=any(accepted))


def _refined(problem: StageProblem, part: Part) -> StageFit:
    linear = part.scored.fit.linear if part.scored.fit is not None else None
    assert linear is not None

    def fit(target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        return Fit(linear.solve(target), linear)

    candidate = replace(part.scored.candidate, fit=fit, preview=None, trial_rows=None, n_folds=None)
    scored = problem.scheme.score(candidate)
    numbers = (candidate.n_terms, scored.score.error, scored.score.train_error)
    own = Tried(*numbers, 1, "", candidate.n_terms)
    tried = {candidate.family: [own]}
    stage = _of_part(problem, slice(0, problem.n_outputs), scored, tried, part.full)
    refined_part = replace(stage.parts[0], outputs=part.outputs, full=part.full)
    return replace(stage, parts=(refined_part,), is_noise=part.is_noise)


def _nothing(problem: StageProblem, part: Part) -> StageFit:
    """A stage that adds nothing to some outputs."""
    constant = np.zeros((1, problem.x.shape[1]), dtype=np.int64)
    zero = LegendreSeries(constant, np.zeros((1, problem.n_outputs)))
    stage = Stage(np.ones(problem.n_outputs), zero, "polynomial")
    return StageFit(
        stage, stage, part.error, [1.0], "nothing more", (part,), part.is_noise, unseen=part.unseen
    )
