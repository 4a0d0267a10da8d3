"""The space that serves conditions best, of growing sets of waves and of polynomials."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, CLEARLY, FAR, FEW, PATIENCE
from skmsnn._effort import FLOPS_PER_SECOND, MOST_OPERATIONS, qr_operations
from skmsnn._precision import NEAR_ROUND_OFF, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.nested import (
    NestedSet,
    aspect_of,
    polynomials,
    shapes_of_polynomials,
    waves,
)
from skmsnn.families.newton import Problem, Solution, newton
from skmsnn.selection.problem import Watch

# Unknowns a row at most. With two thirds fits left four times as much, and with seven eighths
# damping alone held some functions back.
_MOST_TERMS_A_ROW = 0.75


def best_solution(
    problem: Problem,
    families: Sequence[str],
    watch: Watch,
    most_operations: float = MOST_OPERATIONS,
) -> Solution:
    """The space, of growing ones, that leaves least of unseen rows.

    Where sets take a tenth of a second only kinds of functions are tried that leave no more than
    far more than the best, and where they take a second the best alone.
    """
    ladders = [
        _Ladder(problem, family, shape) for family, shape in _kinds(families, len(problem.periodic))
    ]
    every_ladder, best = ladders, None
    for n_terms in _sizes(problem, most_operations):
        n_rows = _n_rows(problem)
        operations = qr_operations(n_rows, n_terms * problem.n_blocks)
        racing = [ladder for ladder in ladders if not ladder.is_done]
        is_costly = FAR * operations > FLOPS_PER_SECOND
        if is_costly and len(racing) > 1:
            least = min(ladder.least for ladder in racing)
            allowed = least if operations > FLOPS_PER_SECOND else FAR * least
            ladders = racing = [ladder for ladder in racing if ladder.least <= allowed]
        for ladder in racing:
            solution = ladder.climb(n_terms)
            if solution is None:
                continue
            watch(len(ladder.tried), solution.left_seen, solution.left)
            if best is None or solution.leaves_less_than(best):
                best = solution
        # of costly sets refinement takes what is left to round-off
        enough = NEAR_ROUND_OFF if is_costly else ROUND_OFF
        if best is not None and (best.left <= enough or time_is_up()):
            break
        if all(ladder.is_done for ladder in ladders):
            break
    assert best is not None
    if problem.is_linear:
        return best
    last = newton(problem, best.chosen, best.c)
    n_steps = sum(ladder.n_steps for ladder in every_ladder) + last.n_steps
    left = best.left_of_each if problem.folds else last.left_of_each
    return replace(last, n_steps=n_steps, left_of_each=left)


def _kinds(families: Sequence[str], d: int) -> Iterator[tuple[str, int]]:
    for family in families:
        shapes = shapes_of_polynomials(d) if family == "polynomial" else [d]
        yield from ((family, shape) for shape in shapes)


def _n_rows(problem: Problem) -> int:
    state = problem.start()
    n_equations = [
        len(kind.terms(values)) if problem.n_blocks > 1 or not kind.is_linear else 1
        for kind, values in zip(problem.rows, state.values, strict=True)
    ]
    pairs = zip(problem.train, n_equations, strict=True)
    return sum(int(train.sum()) * n for train, n in pairs)


def _sizes(problem: Problem, most_operations: float) -> Iterator[int]:
    """Numbers of terms, a factor apart, up to what rows and time allow."""
    n_rows = _n_rows(problem)
    most = min(_MOST_TERMS_A_ROW * n_rows, np.sqrt(most_operations / qr_operations(n_rows, 1)))
    most = max(1.0, most / problem.n_blocks)
    size = min(float(FEW), most)
    while size < most:
        yield int(size)
        size *= AS_GOOD
    yield int(most)


class _Ladder:
    """Sets of one kind of functions, each fitted from where the one before ended."""

    def __init__(self, problem: Problem, family: str, shape: int) -> None:
        self._problem, self._family, self._shape = problem, family, shape
        self._aspect = np.ones(len(problem.periodic))
        self._last: Solution | None = None
        self.tried: list[float] = []
        self.least, self.n_steps = np.inf, 0
        self._n_worse = 0
        self.is_done = family == "polynomial" and bool(problem.periodic.any())

    def climb(self, n_terms: int) -> Solution | None:
        """Fit the set of so many terms."""
        chosen = self._set(n_terms)
        last = self._last
        if chosen is None or (last and len(chosen.indices) <= len(last.chosen.indices)):
            return None
        starts = [np.zeros((chosen.frame.n_columns, self._problem.n_outputs))]
        if last is not None and not self._problem.is_linear:
            is_useful = last.left_seen * FAR < 1
            starts = [*([] if is_useful else starts), chosen.embedded(last.chosen, last.c)]
        solutions = [newton(self._problem, chosen, c, on_the_way=True) for c in starts]
        solution = min(solutions, key=lambda s: s.left_seen)
        if self._problem.folds:
            solution = replace(solution, left_of_each=self._left_in_folds(chosen, solution))
        before, self._last = self.least, solution
        self.tried.append(solution.left)
        self.n_steps += solution.n_steps
        self.least = min(self.least, solution.left)
        # what was found tells how far sets should reach along each axis
        if solution.left * CLEARLY < 1 and len(self._aspect) > 1:
            self._aspect = aspect_of(chosen, solution.c, solution.left)
        is_worse = solution.left > CLEARLY * AS_GOOD * self.least
        is_worse &= solution.left > FAR * solution.left_seen
        is_next_to_round_off = before < FAR * NEAR_ROUND_OFF and solution.left * CLEARLY > before
        self._n_worse = self._n_worse + 1 if is_worse else 0
        self.is_done = self._n_worse >= PATIENCE or is_next_to_round_off
        return solution

    def _left_in_folds(self, chosen: NestedSet, whole: Solution) -> NDArray[np.float64]:
        """What is left of each condition where its rows were left out in turn."""
        start = 0 * whole.c if self._problem.is_linear else whole.c
        squares = []
        for train in self._problem.folds:
            problem = self._problem.fold(train)
            left = problem.left(newton(problem, chosen, start, on_the_way=True).state)
            squares.append(left**2)
        return np.sqrt(np.mean(squares, axis=0))

    def _set(self, n_terms: int) -> NestedSet | None:
        if self._family == "polynomial":
            return polynomials(n_terms, self._aspect, self._shape)
        return waves(n_terms, self._aspect, self._problem.periodic)
