"""Growing sets of waves and of polynomials, which race for the space that conditions need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, FAR, FEW, LEAST_NODES
from skmsnn._effort import MOST_OPERATIONS, qr_operations
from skmsnn._precision import ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.equations.newton import Problem, Solution, newton
from skmsnn.equations.sets import (
    NestedSet,
    aspect_of,
    polynomials,
    shapes_of_polynomials,
    waves,
)
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Scored
from skmsnn.selection.problem import Watch
from skmsnn.selection.race import Race
from skmsnn.selection.trace import Status, Trace
from skmsnn.validation.score import Score

# Relative residual at which digits are used up: derivatives have one less than values.
FLOOR = 10 * ROUND_OFF
# Unknowns a row at most. With two thirds residuals were four times as large, and with seven
# eighths damping alone held some functions back.
_MOST_TERMS_A_ROW = 0.75


def best_solution(
    problem: Problem,
    families: Sequence[str],
    watch: Watch,
    trace: Trace,
    budget: float = MOST_OPERATIONS,
) -> Solution:
    """The space, of growing ones, with the smallest residuals on held-out rows.

    Parameters
    ----------
    problem : Problem
        The conditions.
    families : sequence of str
        Functions that compete.
    watch : callable
        Called after every candidate: number, training error, validation error.
    trace : Trace
        Record of what is tried.
    budget : float
        Operations of a race, for each step that the iteration takes.
    """
    budget *= 1 if problem.is_linear else LEAST_NODES
    scheme = ConditionScheme(problem, watch)
    race = Race(scheme, trace, budget=budget, floor=FLOOR)
    outcome = race.run(_ladders(problem, families, budget, trace))
    assert outcome is not None
    score = outcome.best[0].score
    assert isinstance(score, ConditionScore)
    best = score.solution
    if problem.is_linear:
        return best
    last = newton(problem, best.chosen, best.c)
    errors = best.errors if problem.folds else last.errors
    return replace(last, n_steps=scheme.n_steps + last.n_steps, errors=errors)


@dataclass(frozen=True)
class ConditionScore(Score):
    """The score of a solution: its relative residuals on held-out rows.

    Attributes
    ----------
    solution : Solution
        The solution.
    """

    solution: Solution

    def is_better_than(self, other: Score) -> NDArray[np.bool_]:
        """Whether the residuals are smaller, each over the same size."""
        assert isinstance(other, ConditionScore)
        return np.array([self.solution.is_better_than(other.solution)])


class ConditionScheme:
    """Held-out rows of each condition, or folds of few rows.

    Parameters
    ----------
    problem : Problem
        The conditions, and which of their rows are fitted.
    watch : callable
        Called after every candidate: number, training error, validation error.

    Attributes
    ----------
    n_steps : int
        Steps of the iteration, of all candidates so far.
    """

    def __init__(self, problem: Problem, watch: Watch) -> None:
        self._problem, self._watch = problem, watch
        self._n_candidates = self.n_steps = 0

    def score(self, candidate: Candidate, best: Sequence[Scored] = ()) -> Scored:
        """Fit a candidate to the rows for fitting, and score it on the others."""
        fit = candidate.fit(np.zeros((0, 1)), _weight(self._problem.train))
        solution: Solution = fit.state
        if self._problem.folds and not time_is_up():
            solution = replace(solution, errors=self._errors_in_folds(candidate, fit))
        self._n_candidates += 1
        self.n_steps += solution.n_steps
        self._watch(self._n_candidates, solution.train_error, solution.error)
        rows, one = np.arange(1), np.ones(1)
        errors = np.full((1, 1), solution.error), one, one * solution.train_error, 0 * one
        score = ConditionScore(rows, *errors, solution)
        return Scored(candidate, fit, score, self._problem.n_rows)

    def finish(self, scored: Scored) -> Scored:
        """The same: all rows for fitting are fitted."""
        return scored

    def _errors_in_folds(self, candidate: Candidate, fit: Fit) -> NDArray[np.float64]:
        assert candidate.refit is not None
        squares = []
        for train in self._problem.folds:
            other = candidate.refit(fit, np.zeros((0, 1)), _weight(train))
            squares.append(other.state.errors**2)
        return np.asarray(np.sqrt(np.mean(squares, axis=0)))


def _weight(train: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Masks of all conditions as weights of their rows, one condition after the other."""
    return np.concatenate(train).astype(np.float64)


def _ladders(
    problem: Problem, families: Sequence[str], budget: float, trace: Trace
) -> Iterator[tuple[str, Ladder]]:
    d = len(problem.periodic)
    for family in families:
        if family == "polynomial" and problem.periodic.any():
            reason = "polynomials are not periodic"
            trace.add(family=family, label="", status=Status.UNSUPPORTED, reason=reason)
            continue
        for shape in shapes_of_polynomials(d) if family == "polynomial" else [d]:
            yield family, _sets(problem, family, shape, budget)


def _sets(problem: Problem, family: str, most_features: int, budget: float) -> Ladder:
    """Sets of one kind of functions, each fitted from where the previous one ended."""
    aspect = np.ones(len(problem.periodic))
    last: Solution | None = None
    for n_terms in _sizes(problem, budget):
        chosen = (
            polynomials(n_terms, aspect, most_features)
            if family == "polynomial"
            else waves(n_terms, aspect, problem.periodic)
        )
        if chosen is None or (last and len(chosen.indices) <= len(last.chosen.indices)):
            continue
        score = yield _candidate(problem, chosen, last)
        assert isinstance(score, ConditionScore)
        last = score.solution
        # what was found shows how far sets should reach along each axis
        aspect = aspect_of(chosen, last.c, last.error)


def _sizes(problem: Problem, budget: float) -> Iterator[int]:
    """Numbers of terms, a factor apart, as many as rows and operations allow."""
    n_rows = problem.n_rows
    most = min(_MOST_TERMS_A_ROW * n_rows, np.sqrt(budget / qr_operations(n_rows, 1)))
    most = max(1.0, most / problem.n_blocks)
    size = min(float(FEW), most)
    while size < most:
        yield int(size)
        size *= AS_GOOD
    yield int(most)


def _candidate(problem: Problem, chosen: NestedSet, last: Solution | None) -> Candidate:
    zero = np.zeros((chosen.frame.n_columns, problem.n_outputs))
    starts = [zero]
    if last is not None and not problem.is_linear:
        is_useful = last.train_error * FAR < 1
        starts = [*([] if is_useful else starts), chosen.embedded(last.chosen, last.c)]

    def fit_from(starts: Sequence[NDArray[np.float64]], weight: NDArray[np.float64]) -> Fit:
        ends = np.cumsum([len(train) for train in problem.train])[:-1]
        own = problem.fold(np.split(weight > 0, ends))
        solutions = [newton(own, chosen, c, may_stall=True) for c in starts]
        solution = min(solutions, key=lambda s: s.train_error)
        return Fit(chosen.frame.modes(solution.c), state=solution, n_iter=solution.n_steps)

    def fit(target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        return fit_from(starts, weight)

    def refit(fit: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        return fit_from([zero if problem.is_linear else fit.state.c], weight)

    n_steps = 1 if problem.is_linear else LEAST_NODES if last is None else last.n_steps
    n_fits = len(starts) + len(problem.folds)
    operations = qr_operations(problem.n_rows, chosen.frame.n_columns * problem.n_blocks)
    return Candidate(
        chosen.family,
        chosen.label,
        chosen.frame.n_columns,
        n_steps * n_fits * operations,
        fit,
        refit,
    )
