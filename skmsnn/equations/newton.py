"""Least squares of conditions in a space, and Gauss-Newton where equations are not linear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, EQUAL, FAR, LEAST_NODES
from skmsnn._effort import ITERATIONS
from skmsnn._precision import HALF_DIGITS, NEAR_ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.equations.operators import ConditionRows, OperatorFit, State
from skmsnn.equations.sets import NestedSet

# One mask (n,) for each condition: its rows that are used.
Masks = Sequence[NDArray[np.bool_]]


@dataclass(frozen=True)
class Problem:
    """Conditions, the rows that are fitted, and the blocks of unknowns.

    Attributes
    ----------
    rows : sequence of ConditionRows
        The conditions.
    train : sequence of ndarray of shape (n,), bool
        Rows that are fitted; the others are held out. Conditions without held-out rows are
        evaluated on their own.
    n_outputs, n_blocks : int
        Outputs of the function; blocks are 1, or as many where conditions couple the outputs.
    periodic : ndarray of shape (d,), bool
        Which axes are periodic.
    folds : sequence of sequence of ndarray of shape (n,), bool
        With few rows, the rows that are fitted in each fold of a cross-validation.
    """

    rows: Sequence[ConditionRows]
    train: Masks
    n_outputs: int
    n_blocks: int
    periodic: NDArray[np.bool_]
    folds: Sequence[Masks] = ()

    @property
    def is_linear(self) -> bool:
        """Whether no condition is a nonlinear equation."""
        return all(kind.is_linear for kind in self.rows)

    @property
    def all_rows(self) -> list[NDArray[np.bool_]]:
        """Masks of all rows."""
        return [np.ones(len(kind.root), dtype=bool) for kind in self.rows]

    @cached_property
    def n_rows(self) -> int:
        """Rows of the least squares problem."""
        n_equations = [
            len(kind.terms(values)) if self.n_blocks > 1 or not kind.is_linear else 1
            for kind, values in zip(self.rows, self.start().values, strict=True)
        ]
        pairs = zip(self.train, n_equations, strict=True)
        return sum(int(train.sum()) * n for train, n in pairs)

    def start(self) -> State:
        """The function that is zero."""
        return State(self.rows, self.n_outputs)

    def without(self, group: str) -> Problem:
        """The same without a group of conditions."""
        kept = [k for k, kind in enumerate(self.rows) if kind.group != group]
        rows, train = [self.rows[k] for k in kept], [self.train[k] for k in kept]
        folds = [[fold[k] for k in kept] for fold in self.folds]
        return replace(self, rows=rows, train=train, folds=folds)

    def fold(self, train: Masks) -> Problem:
        """The same with other rows fitted."""
        return replace(self, train=train, folds=())

    def relative_residuals(self, state: State, unseen: bool = True) -> NDArray[np.float64]:
        """RMS residual of each condition on held-out or fitted rows, over the size of its terms."""
        found = []
        triples = zip(self.rows, self.train, state.residuals(), state.sizes(), strict=True)
        for kind, train, residual, size in triples:
            used = ~train if unseen and not train.all() else train
            weight = kind.root[used] ** 2
            square = np.mean(residual[used] ** 2, axis=1)
            total = max(float(weight.sum()), np.finfo(float).tiny)
            found.append(float(np.sqrt(weight @ square / total)) / size)
        return np.nan_to_num(np.array(found), nan=np.inf)


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
    errors, sizes : ndarray of shape (n_conditions,)
        RMS residual of each condition on held-out rows over the size of its terms, and that size.
    train_error : float
        The largest such residual on fitted rows.
    n_steps : int
        Steps of the iteration.
    has_converged : bool
        Whether the iteration converged.
    """

    chosen: NestedSet
    fit: OperatorFit
    c: NDArray[np.float64]
    state: State
    errors: NDArray[np.float64]
    sizes: NDArray[np.float64]
    train_error: float
    n_steps: int
    has_converged: bool

    @property
    def error(self) -> float:
        """The largest relative residual of a condition on held-out rows."""
        return float(self.errors.max())

    def error_over(self, sizes: NDArray[np.float64]) -> float:
        """The error over these sizes of the terms of each condition, where they are smaller.

        Huge terms that cancel each other would hide residuals.
        """
        return float(np.max(self.errors * self.sizes / np.minimum(self.sizes, sizes)))

    def is_better_than(self, other: Solution) -> bool:
        """Whether it has clearly smaller held-out residuals, or equal and smaller others."""
        own, others = self.error_over(other.sizes), other.error_over(self.sizes)
        if others < NEAR_ROUND_OFF * FAR and own < others * EQUAL:
            # on held-out rows both are amplified rounding
            return self.train_error * FAR < other.train_error
        return own * EQUAL < others


def chord_newton(fit: OperatorFit, start: Solution) -> tuple[NDArray[np.float64], State]:
    """Coefficients and function of a fit of more rows, from a solution of some, by chords."""
    c, state = start.c, start.state
    size = np.inf
    for _ in range(ITERATIONS):
        step = fit.solve(state.residuals())
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
    may_stall: bool = False,
) -> Solution:
    """Least squares of conditions in a space; of nonlinear equations by damped Gauss-Newton steps.

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
    may_stall : bool, default=False
        Whether the iteration may end where steps no longer reduce a residual that the space cannot
        resolve.
    """
    state = problem.start()
    if c.any():
        state = state.plus(state.of(chosen.frame.modes(c)))
    if problem.is_linear:
        fit = OperatorFit(chosen.frame, problem.rows, state, problem.train, problem.n_blocks)
        step = fit.solve(state.residuals())
        state = state.plus(state.of(chosen.frame.modes(step)))
        return _solution(problem, chosen, fit, c + step, state, 1, True)
    with np.errstate(over="ignore", invalid="ignore"):  # steps that are too long are halved
        return _newton(problem, chosen, c, state, may_stall)


def _newton(
    problem: Problem, chosen: NestedSet, c: NDArray[np.float64], state: State, may_stall: bool
) -> Solution:
    fit = OperatorFit(chosen.frame, problem.rows, state, problem.train, problem.n_blocks)
    is_new, n_steps, has_converged = True, 0, False
    most = LEAST_NODES if may_stall else ITERATIONS
    while n_steps < most and not time_is_up():
        before = fit.norm(state.residuals())
        step = _halved_step(fit, state, before)
        n_steps += 1
        if step is None and is_new:
            break
        if step is not None:
            c, state = c + step.c, step.state
            # small compared with what the set cannot resolve
            has_stalled = may_stall and step.size * FAR < 1 and step.norm * AS_GOOD > before
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
        change = state.of(chosen.frame.modes(fit.solve(state.residuals())))
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
    errors = problem.relative_residuals(state)
    train = float(problem.relative_residuals(state, unseen=False).max())
    sizes = np.array(state.sizes())
    return Solution(chosen, fit, c, state, errors, sizes, train, n_steps, has_converged)


class _Step(NamedTuple):
    """A share of a step, where it leads, the norm there, and how much the function changes."""

    c: NDArray[np.float64]
    state: State
    norm: float
    size: float
    share: float


def _halved_step(fit: OperatorFit, state: State, before: float) -> _Step | None:
    """The largest of a step, its half, its quarter and so on that reduces the residual."""
    c = fit.solve(state.residuals())
    change = state.of(fit.frame.modes(c))
    size, share = _size(change, state), 1.0
    while share**2 > HALF_DIGITS:
        stepped = state.plus(change, share)
        norm = fit.norm(stepped.residuals())
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
