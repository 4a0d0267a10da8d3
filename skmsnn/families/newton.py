"""Conditions in a space: least squares, and Newton's iteration where equations are not linear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, EQUAL, FAR, LEAST_NODES
from skmsnn._effort import ITERATIONS
from skmsnn._precision import HALF_DIGITS, NEAR_ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.nested import NestedSet
from skmsnn.spaces.operators import OperatorFit, Rows, State


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
    left_of_each, sizes : ndarray of shape (n_conditions,)
        What it leaves of unseen rows of each condition, over the size of its terms, and that size.
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
    sizes: NDArray[np.float64]
    left_seen: float
    n_steps: int
    has_converged: bool

    @property
    def left(self) -> float:
        """The most that it leaves of unseen rows of a condition."""
        return float(self.left_of_each.max())

    def leaves_less_than(self, other: Solution) -> bool:
        """Whether it leaves clearly less of unseen rows, or as much and less of its own.

        Terms count as of the same size: huge ones that cancel each other would hide what is left.
        """
        sizes = np.minimum(self.sizes, other.sizes)
        own, others = (float(np.max(s.left_of_each * s.sizes / sizes)) for s in (self, other))
        if others < NEAR_ROUND_OFF * FAR and own < others * EQUAL:
            # unseen rows are amplified rounding by then
            return self.left_seen * FAR < other.left_seen
        return own * EQUAL < others


def chord_newton(fit: OperatorFit, start: Solution) -> tuple[NDArray[np.float64], State]:
    """Coefficients and function of a fit of more rows, from a solution of some, by chords."""
    c, state = start.c, start.state
    size = np.inf
    for _ in range(ITERATIONS):
        step = fit.solve(state.rest())
        change = state.of(fit.frame.modes(step))
        before, size = size, _size(change, state)
        if not size < before:
            break
        c, state = c + step, state.plus(change)
        if size <= HALF_DIGITS:
            break
    return c, state


def newton(
    problem: Problem,
    chosen: NestedSet,
    c: NDArray[np.float64],
    on_the_way: bool = False,
) -> Solution:
    """Least squares of conditions in a space; of equations by damped Gauss-Newton steps.

    A step that increases the residual is halved until it reduces it (Nocedal & Wright 2006,
    Numerical Optimization, section 10.3). Once steps are small the linearisation is kept.

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
    state = problem.start()
    if c.any():
        state = state.plus(state.of(chosen.frame.modes(c)))
    if problem.is_linear:
        fit = OperatorFit(chosen.frame, problem.rows, state, problem.train, problem.n_blocks)
        step = fit.solve(state.rest())
        state = state.plus(state.of(chosen.frame.modes(step)))
        return _solution(problem, chosen, fit, c + step, state, 1, True)
    with np.errstate(over="ignore", invalid="ignore"):  # steps that are too long are halved
        return _newton(problem, chosen, c, state, on_the_way)


def _newton(
    problem: Problem, chosen: NestedSet, c: NDArray[np.float64], state: State, on_the_way: bool
) -> Solution:
    fit = OperatorFit(chosen.frame, problem.rows, state, problem.train, problem.n_blocks)
    is_new, n_steps, has_converged = True, 0, False
    most = LEAST_NODES if on_the_way else ITERATIONS
    while n_steps < most and not time_is_up():
        before = fit.norm(state.rest())
        step = _halved_step(fit, state, before)
        n_steps += 1
        if step is None and is_new:
            break
        if step is not None:
            c, state = c + step.c, step.state
            # small beside what a set cannot resolve
            has_stalled = on_the_way and step.size * FAR < 1 and step.norm * AS_GOOD > before
            if step.share == 1 and (step.size <= HALF_DIGITS or has_stalled):
                has_converged = True
                break
            if step.share == 1 and step.size**2 < HALF_DIGITS:
                is_new = False
                continue
        fit = OperatorFit(chosen.frame, problem.rows, state, problem.train, problem.n_blocks)
        is_new = True
    if not has_converged and is_new:
        # no step reduces the residual: it is the least there is if the whole step is rounding
        change = state.of(chosen.frame.modes(fit.solve(state.rest())))
        has_converged = _size(change, state) < HALF_DIGITS
    return _solution(problem, chosen, fit, c, state, n_steps, has_converged)


def _solution(
    problem: Problem,
    chosen: NestedSet,
    fit: OperatorFit,
    c: NDArray[np.float64],
    state: State,
    n_steps: int,
    has_converged: bool,
) -> Solution:
    left, seen = problem.left(state), float(problem.left(state, unseen=False).max())
    sizes = np.array(state.sizes())
    return Solution(chosen, fit, c, state, left, sizes, seen, n_steps, has_converged)


class _Step(NamedTuple):
    """A share of a step, where it leads, what that leaves, and how the function changes."""

    c: NDArray[np.float64]
    state: State
    norm: float
    size: float
    share: float


def _halved_step(fit: OperatorFit, state: State, before: float) -> _Step | None:
    """The largest of a step, its half, its quarter and so on that reduces the residual."""
    c = fit.solve(state.rest())
    change = state.of(fit.frame.modes(c))
    size, share = _size(change, state), 1.0
    while share**2 > HALF_DIGITS:
        stepped = state.plus(change, share)
        norm = fit.norm(stepped.rest())
        if norm < before:
            return _Step(share * c, stepped, norm, share * _size(change, stepped), share)
        if share * size < HALF_DIGITS:
            break
        share /= 2
    return None


def _size(change: State, state: State) -> float:
    """Root mean square of a change of the function over that of the function."""
    zero = min(state.sample, key=sum)
    of_state = float(np.sqrt(np.mean(state.sample[zero] ** 2)))
    return float(np.sqrt(np.mean(change.sample[zero] ** 2))) / max(of_state, np.finfo(float).tiny)
