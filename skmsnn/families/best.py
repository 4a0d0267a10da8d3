"""The best stage for a residual: families race, and points that no fit has seen decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import NEAR_ROUND_OFF
from skmsnn._shape import of_features
from skmsnn._time_limit import time_is_up
from skmsnn.families import FAMILIES
from skmsnn.families.family import Family
from skmsnn.families.hidden_layers import candidate_of_options
from skmsnn.families.interpolant import Interpolant, needs_interpolant
from skmsnn.families.relevance import relevant_features, without_others
from skmsnn.families.sinusoids import sinusoids
from skmsnn.families.spectrum import fastest_wave
from skmsnn.families.tensor import tensor_products
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.candidate import Ladder, Scored
from skmsnn.selection.entrant import LEAST_OPERATIONS, Tried
from skmsnn.selection.noise import is_noise
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import StageProblem, Watch
from skmsnn.selection.race import Outcome, Race, improve
from skmsnn.selection.stages import StageFit, refined, stage_of
from skmsnn.selection.trace import Status, Trace
from skmsnn.validation.score import UNRESOLVED
from skmsnn.validation.split import DataSplit, Residuals

# Why nothing but products competes on a grid with a feature of few values.
FEW_LEVELS = "nothing but products along axes is validated between few values of a feature"
# Share of the budget of a race without features of no influence, and its operations at most: of
# 5000 points and 8 features eight seconds gained nothing.
SHARE_OF_RELEVANT, MOST_OF_RELEVANT = 0.5, 4 * FLOPS_PER_SECOND
# Candidates, at least, that a race of a few outputs alone must be able to afford.
FEWEST_STEPS = 100


def best_stage(
    options: StageOptions,
    points: DataSplit,
    residuals: Residuals,
    previous: StageFit | None,
    seed: int,
    watch: Watch,
    trace: Trace,
) -> StageFit:
    """Fit one stage to the residuals.

    Parameters
    ----------
    options : StageOptions
        The user's choices.
    points : DataSplit
        The points.
    residuals : Residuals
        Residuals of the stages so far, in units of the RMS of y.
    previous : StageFit or None
        The stage before, whose functions are used again if these are linear.
    seed : int
        Source of all random numbers.
    watch : callable
        Called after every iteration: number, training loss, validation error.
    trace : Trace
        Record of what is tried.

    Raises
    ------
    ValueError
        If none of the families can be fitted to such data.
    """

    def problem_of(residuals: Residuals, is_short: bool = False) -> StageProblem:
        return StageProblem(options, points, residuals, seed, watch, trace, is_short)

    if not options.is_adaptive:
        return _of_options(problem_of(residuals))
    if isinstance(options.n_modes, int):
        problem = problem_of(residuals)
        return _won(problem, [("sinusoids", sinusoids(problem, options.n_modes))])
    if previous is not None and not previous.is_trained:
        if not previous.is_refinable:
            return replace(previous, error=np.inf)
        return refined(problem_of, previous, residuals)
    problem = problem_of(residuals, previous is not None)
    stage = _won(problem, ladders_of(problem))
    # what an optimiser did not fit is white to waves, too: whether it is noise, only y shows
    return replace(stage, is_noise=False) if previous is not None else stage


def _of_options(problem: StageProblem) -> StageFit:
    """The network that the parameters set."""

    def ladder() -> Ladder:
        yield candidate_of_options(problem)

    return _won(problem, [("network", ladder())])


def _won(problem: StageProblem, ladders: Iterable[tuple[str, Ladder]]) -> StageFit:
    outcome = run_race(problem, ladders)
    if outcome is None:
        raise ValueError(
            f"families={problem.options.families!r} have no functions that so few points "
            "determine. Name other families, or leave families at 'auto'."
        )

    is_open = problem.options.is_all_adaptive and not problem.is_short
    if is_open:
        outcome = _of_relevant_features(problem, outcome)

    def again(outputs: slice, share: float) -> tuple[StageProblem, Outcome] | None:
        if share * problem.budget < FEWEST_STEPS * LEAST_OPERATIONS or time_is_up():
            return None
        own = problem.of_outputs(outputs)
        found = run_race(own, ladders_of(own), share)
        if found is None:
            return None
        return own, _interpolated(own, _of_relevant_features(own, found))

    return stage_of(problem, _interpolated(problem, outcome), again if is_open else None)


def _of_relevant_features(problem: StageProblem, outcome: Outcome) -> Outcome:
    """The same, or better candidates that do without features of no influence."""
    d = problem.x.shape[1]
    is_possible = d > 1 and not problem.has_grid_lines and problem.is_validated
    # of a function that is not resolved nobody knows what a feature does
    is_resolved = NEAR_ROUND_OFF < outcome.error * problem.size < UNRESOLVED
    if not is_possible or not is_resolved or time_is_up():
        return outcome
    finished = [problem.scheme.finish(scored) for scored in outcome.best]
    outcome = outcome._replace(best=finished)
    features = relevant_features(problem, outcome)
    if not 0 < len(features) < d:
        return outcome
    own = problem.of_features(features)
    ladders = ((name, without_others(ladder, features, d)) for name, ladder in ladders_of(own))
    share = min(SHARE_OF_RELEVANT, MOST_OF_RELEVANT / problem.budget)
    other = run_race(problem, ladders, share, features)
    if other is None:
        return outcome
    best = list(outcome.best)
    for scored in other.best:
        improve(best, problem.scheme.finish(scored))
    return Outcome(best, {**outcome.tried, **other.tried})


def _interpolated(problem: StageProblem, outcome: Outcome) -> Outcome:
    """The same with an interpolant of the rows for outputs that it describes better."""
    family = Interpolant()
    is_needed = [needs_interpolant(problem, scored, j) for j, scored in enumerate(outcome.best)]
    is_open = family.name in problem.options.families and problem.options.is_all_adaptive
    is_open &= not problem.is_short
    if not is_open or not any(is_needed) or time_is_up() or family.supports(problem) is not None:
        return outcome
    last = run_race(problem, [(family.name, ladder) for ladder in family.ladders(problem)])
    if last is None:
        return outcome
    pairs = zip(outcome.best, last.best, is_needed, strict=True)
    return Outcome(
        [other if needed else one for one, other, needed in pairs], {**outcome.tried, **last.tried}
    )


def run_race(
    problem: StageProblem,
    ladders: Iterable[tuple[str, Ladder]],
    share: float = 1.0,
    features: tuple[int, ...] | None = None,
) -> Outcome | None:
    """Race ladders for the residual of a stage, for a share of what the data are worth.

    With ``features`` candidates are functions of these alone.
    """
    of_waves = problem.x if features is None else of_features(problem.x, features)

    def shows_more(scored: Scored) -> bool:
        """Whether the residual shows a wave that larger candidates of the ladder reach."""
        has_limit = 0 < scored.candidate.bandlimit < np.inf
        if not has_limit or scored.fit is None or of_waves.shape[1] > MOST_DIMENSIONS:
            return False
        used = problem.weight > 0
        rest = problem.target[used] - scored.fit.function.evaluate(problem.x[used])
        fastest = fastest_wave(of_waves[used], rest, problem.weight[used])
        return fastest > scored.candidate.bandlimit

    def ends_in_noise(scored: Scored, tried: dict[str, list[Tried]]) -> bool:
        everything = slice(0, problem.n_outputs)
        return scored.fit is not None and is_noise(problem, scored, everything, tried)

    race = Race(
        problem.scheme,
        problem.trace,
        size=problem.size,
        budget=share * problem.budget,
        most=share * problem.most,
        shows_more=shows_more,
        is_noise=ends_in_noise,
    )
    return race.run(ladders)


def ladders_of(problem: StageProblem) -> Iterator[tuple[str, Ladder]]:
    """Ladders of all families that can be fitted to the data; the others are recorded.

    Raises
    ------
    ValueError
        If none of those that were named can be.
    """
    families = families_of(problem.options)
    reasons = {family.name: family.supports(problem) for family in families}
    if problem.lines is not None and {"fourier", "sinusoids"} <= set(reasons):
        reasons["sinusoids"] = "on a line fourier has waves of fitted wave numbers"
    for name, reason in reasons.items():
        if reason is not None:
            problem.trace.add(family=name, label="", status=Status.UNSUPPORTED, reason=reason)
    able = [family for family in families if reasons[family.name] is None]
    if not able:
        told = "; ".join(dict.fromkeys(f"{reason}" for reason in reasons.values()))
        raise ValueError(
            f"families={tuple(reasons)!r} cannot be fitted to these data: {told}. Name other "
            "families, or leave families at 'auto'."
        )
    if problem.has_grid_lines or problem.points.line is not None:
        linear = [family for family in able if family.is_linear]
        if linear:
            yield "tensor", tensor_products(problem, linear)
        able = [family for family in able if not family.is_linear or not problem.has_grid_lines]
        if linear and problem.has_grid_lines and any(n > 1 for n in problem.points.levels.values()):
            for family in able:
                problem.trace.add(
                    family=family.name, label="", status=Status.UNSUPPORTED, reason=FEW_LEVELS
                )
            able = []
    if problem.is_short:
        quick = [family for family in able if family.is_linear and family.name != "spline"]
        able = quick or able
    for family in able:
        for ladder in family.ladders(problem):
            yield family.name, ladder


def families_of(options: StageOptions) -> list[Family]:
    """Those that compete, in order."""
    return [family for name, family in FAMILIES.items() if name in options.families]


def best_space(problem: StageProblem) -> Scored | None:
    """The best candidate that is linear in its coefficients, as for a sample of the points."""
    ladders = [
        (family.name, ladder)
        for family in families_of(problem.options)
        if family.is_linear and family.name != "spline" and family.supports(problem) is None
        for ladder in family.ladders(problem)
    ]
    outcome = run_race(problem, ladders)
    if outcome is None:
        return None
    return problem.scheme.finish(min(outcome.best, key=lambda scored: scored.score.error))
