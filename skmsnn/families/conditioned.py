"""The space that serves conditions best, and Newton's iteration in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._time_limit import time_is_up
from skmsnn.families.fitting import Watch
from skmsnn.families.nested import (
    NestedSet,
    aspect_of,
    polynomials,
    shapes_of_polynomials,
    waves,
)
from skmsnn.spaces.operators import OperatorFit, Rows, State

# Terms of the smallest set, and how many more the next has.
_FEWEST, _GROWTH = 12, 1.7
# Unknowns a row at most, of operations of a factorisation the most.
_MOST_TERMS_A_ROW, _OPERATIONS = 0.75, 1.5e12
# From so many operations on only kinds of functions are tried that left at most so many times what
# the best leaves, and from so many on the best alone.
_COSTLY, _ALIKE, _COSTLIEST = 2e9, 10.0, 2e10
# No larger set is tried after two in turn that do so much worse than the best, and than on their
# own rows; as in the selection of sets for values alone.
_WORSE, _OVERFITTED, _PATIENCE = 3.0, 10.0, 2
# Left of rows that no fit has seen, below which nothing more is sought, and below which a larger
# set has to leave less than this share.
_GOOD_ENOUGH, _NEXT_TO_ROUND_OFF, _GAIN = 1e-14, 1e-11, 0.5
# The same of costly sets, of which refinement takes what is left to round-off.
_GOOD_ENOUGH_IF_COSTLY = 2e-12
# Left of them below which coefficients tell how far sets should reach along each axis.
_TELLS_ASPECT = 0.3
# Newton's steps: most of them; halvings of one; relative size of the last; and of one that leaves
# the linearisation as good as it is.
_MOST_STEPS, _HALVINGS, _LAST_STEP, _CHORD = 30, 12, 1e-9, 1e-4
# On the way, steps that are small beside what a set cannot resolve are not repeated.
_STEPS_ON_THE_WAY, _STALLED = 8, 0.7
# Left by a smaller set, of its own rows, below which it is a better start than nothing is.
_USEFUL_START = 0.1
# Steps with all rows, from a solution of most of them.
_CHORDS = 5


@dataclass(frozen=True)
class Problem:
    """Conditions, which of their rows are for fitting, and the blocks of unknowns.

    Attributes
    ----------
    rows : sequence of Rows
        The conditions.
    train : sequence of ndarray of shape (n,), bool
        Rows for fitting; the others are for judging. Conditions without others judge themselves.
    n_outputs, n_blocks : int
        Of the function; 1, or as many where conditions couple them.
    periodic : ndarray of shape (d,), bool
        Which axes are periodic.
    folds : sequence of sequence of ndarray of shape (n,), bool
        Where rows are few, none are held out, but left out in turn: the rows for fitting of each
        fold.
    """

    rows: Sequence[Rows]
    train: Sequence[NDArray[np.bool_]]
    n_outputs: int
    n_blocks: int
    periodic: NDArray[np.bool_]
    folds: Sequence[Sequence[NDArray[np.bool_]]] = ()

    @property
    def is_linear(self) -> bool:
        return all(kind.is_linear for kind in self.rows)

    @property
    def all_rows(self) -> list[NDArray[np.bool_]]:
        return [np.ones(len(kind.root), dtype=bool) for kind in self.rows]

    def start(self) -> State:
        """The function that is zero."""
        return State(self.rows, self.n_outputs)

    def without(self, group: str) -> Problem:
        """The same without a group of conditions."""
        kept = [k for k, kind in enumerate(self.rows) if kind.group != group]
        rows, train = [self.rows[k] for k in kept], [self.train[k] for k in kept]
        folds = [[fold[k] for k in kept] for fold in self.folds]
        return replace(self, rows=rows, train=train, folds=folds)

    def fold(self, train: Sequence[NDArray[np.bool_]]) -> Problem:
        """The same with rows of a fold left out."""
        return replace(self, train=train, folds=())

    def left(self, state: State, unseen: bool = True) -> NDArray[np.float64]:
        """What a function leaves of each condition, over the size of its terms."""
        left = []
        triples = zip(self.rows, self.train, state.rest(), state.sizes(), strict=True)
        for kind, train, rest, size in triples:
            asked = ~train if unseen and not train.all() else train
            weight = kind.root[asked] ** 2
            square = np.mean(rest[asked] ** 2, axis=1)
            total = max(float(weight.sum()), np.finfo(float).tiny)
            left.append(float(np.sqrt(weight @ square / total)) / size)
        return np.nan_to_num(np.array(left), nan=np.inf)


@dataclass(frozen=True)
class Solution:
    """A fit of conditions in a space.

    Attributes
    ----------
    chosen : NestedSet
        The space.
    fit : OperatorFit
        The last least squares problem.
    c : ndarray of shape (n_columns, n_outputs)
        Coefficients.
    state : State
        The function.
    left_of_each : ndarray of shape (n_conditions,)
        What it leaves of unseen rows of each condition.
    left_seen : float
        The most that it leaves of a condition's own rows.
    n_steps : int
        Of Newton's iteration.
    has_converged : bool
        Whether that came to an end.
    """

    chosen: NestedSet
    fit: OperatorFit
    c: NDArray[np.float64]
    state: State
    left_of_each: NDArray[np.float64]
    left_seen: float
    n_steps: int
    has_converged: bool

    @property
    def left(self) -> float:
        """The most that it leaves of unseen rows of a condition."""
        return float(self.left_of_each.max())


def best_solution(
    problem: Problem,
    families: Sequence[str],
    watch: Watch,
    most_operations: float = _OPERATIONS,
) -> Solution:
    """The space, of growing ones, that leaves least of unseen rows."""
    ladders = [
        _Ladder(problem, family, shape) for family, shape in _kinds(families, len(problem.periodic))
    ]
    every_ladder, best = ladders, None
    for n_terms in _sizes(problem, most_operations):
        n_rows = _n_rows(problem)
        operations = 2.0 * n_rows * (n_terms * problem.n_blocks) ** 2
        racing = [ladder for ladder in ladders if not ladder.is_done]
        if operations > _COSTLY and len(racing) > 1:
            least = min(ladder.least for ladder in racing)
            allowed = least if operations > _COSTLIEST else _ALIKE * least
            ladders = racing = [ladder for ladder in racing if ladder.least <= allowed]
        for ladder in racing:
            solution = ladder.climb(n_terms)
            if solution is None:
                continue
            watch(len(ladder.tried), solution.left_seen, solution.left)
            if best is None or solution.left < best.left:
                best = solution
        enough = _GOOD_ENOUGH_IF_COSTLY if operations > _COSTLY else _GOOD_ENOUGH
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


def with_chords(fit: OperatorFit, start: Solution) -> tuple[NDArray[np.float64], State]:
    """Coefficients and function of a fit of more rows, from a solution of some, by chords."""
    c, state = start.c, start.state
    size = np.inf
    for _ in range(_CHORDS):
        step = fit.solve(state.rest())
        change = state.of(fit.frame.modes(step))
        before, size = size, _size(change, state)
        if not size < before:
            break
        c, state = c + step, state.plus(change)
        if size <= _LAST_STEP:
            break
    return c, state


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
    most = min(_MOST_TERMS_A_ROW * n_rows, np.sqrt(most_operations / (2 * n_rows)))
    most = max(1.0, most / problem.n_blocks)
    size = min(float(_FEWEST), most)
    while size < most:
        yield int(size)
        size *= _GROWTH
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
            is_useful = last.left_seen < _USEFUL_START
            starts = [*([] if is_useful else starts), chosen.embedded(last.chosen, last.c)]
        solutions = [newton(self._problem, chosen, c, on_the_way=True) for c in starts]
        solution = min(solutions, key=lambda s: s.left_seen)
        if self._problem.folds:
            solution = replace(solution, left_of_each=self._left_in_folds(chosen, solution))
        before, self._last = self.least, solution
        self.tried.append(solution.left)
        self.n_steps += solution.n_steps
        self.least = min(self.least, solution.left)
        if solution.left < _TELLS_ASPECT and len(self._aspect) > 1:
            self._aspect = aspect_of(chosen, solution.c, solution.left)
        is_worse = solution.left > _WORSE * self.least
        is_worse &= solution.left > _OVERFITTED * solution.left_seen
        is_next_to_round_off = before < _NEXT_TO_ROUND_OFF and solution.left > _GAIN * before
        self._n_worse = self._n_worse + 1 if is_worse else 0
        self.is_done = self._n_worse >= _PATIENCE or is_next_to_round_off
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


def newton(
    problem: Problem,
    chosen: NestedSet,
    c: NDArray[np.float64],
    on_the_way: bool = False,
) -> Solution:
    """Least squares of conditions in a space; of equations by damped Gauss-Newton steps.

    A step is halved until it leaves less (Nocedal & Wright 2006, Numerical Optimization,
    section 10.3). Once steps are small the linearisation is kept (the chord method).

    Parameters
    ----------
    problem : Problem
        The conditions.
    chosen : NestedSet
        The space.
    c : ndarray of shape (n_columns, n_outputs)
        Where to start.
    on_the_way : bool, default=False
        Whether the steps may end before they are small, where the space leaves more than they
        change.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # steps that are too long are halved
        return _newton(problem, chosen, c, on_the_way)


def _newton(
    problem: Problem, chosen: NestedSet, c: NDArray[np.float64], on_the_way: bool
) -> Solution:
    state = problem.start()
    if c.any():
        state = state.plus(state.of(chosen.frame.modes(c)))
    fit: OperatorFit | None = None
    n_steps, has_converged, size, norm = 0, False, np.inf, np.inf
    most = _STEPS_ON_THE_WAY if on_the_way else _MOST_STEPS
    while n_steps < (1 if problem.is_linear else most):
        is_new = fit is None or size > _CHORD
        if is_new:
            fit = OperatorFit(chosen.frame, problem.rows, state, problem.train, problem.n_blocks)
        assert fit is not None
        rest = state.rest()
        before = fit.norm(rest)
        step = fit.solve(rest)
        change = state.of(chosen.frame.modes(step))
        n_steps += 1
        if problem.is_linear:
            c, state, has_converged = c + step, state.plus(change), True
            break
        share, norm, stepped = _damped(fit, state, change, before)
        if share == 0:
            if is_new:
                # not even the shortest step down the slope leaves less: what is left is rounding,
                # or the least that there is
                has_converged = _size(change, state) < np.sqrt(_LAST_STEP)
                break
            size = np.inf
            continue
        size = _size(change, stepped)
        c, state = c + share * step, stepped
        if share == 1 and size <= _LAST_STEP:
            has_converged = True
            break
        if share == 1 and on_the_way and size < 0.1 and norm > _STALLED * before:
            has_converged = True
            break
        if time_is_up():
            break
    assert fit is not None
    left, seen = problem.left(state), float(problem.left(state, unseen=False).max())
    return Solution(chosen, fit, c, state, left, seen, n_steps, has_converged)


def _damped(
    fit: OperatorFit, state: State, change: State, before: float
) -> tuple[float, float, State]:
    """The largest share of a step, of 1, 1/2, 1/4 and so on, that leaves less; 0 if none does."""
    share = 1.0
    for _ in range(_HALVINGS):
        stepped = state.plus(change, share)
        norm = fit.norm(stepped.rest())
        if norm < before:
            return share, norm, stepped
        share /= 2
    return 0.0, before, state


def _size(change: State, state: State) -> float:
    """Root mean square of a change of the function over that of the function."""
    zero = next(iter(sorted(state.sample, key=sum)))
    of_state = float(np.sqrt(np.mean(state.sample[zero] ** 2)))
    return float(np.sqrt(np.mean(change.sample[zero] ** 2))) / max(of_state, np.finfo(float).tiny)
