"""Values together with conditions, such as differential equations and gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR, FEW
from skmsnn.conditions import Equation
from skmsnn.domain import Domain, check_periods, find_grid, fold_end_points
from skmsnn.equations.contradictions import contradiction_in
from skmsnn.equations.ladders import best_solution
from skmsnn.equations.newton import Problem, Solution, chord_newton
from skmsnn.equations.operators import ConditionRows, OperatorFit, State, Term
from skmsnn.equations.rows import (
    AnyCondition,
    LinearRows,
    check_units,
    couples_outputs,
    equation_rows,
    linear_rows,
    names_of,
    points_of,
)
from skmsnn.families.ladders import MIN_OVERSAMPLING
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import Watch
from skmsnn.selection.stages import StageFit
from skmsnn.selection.trace import Trace
from skmsnn.sources.arrays import Choices
from skmsnn.sources.rows import merge_duplicates
from skmsnn.stage import Stage
from skmsnn.validation.diagnosis import looks_like_noise
from skmsnn.validation.held_out import held_out_rows
from skmsnn.validation.leave_out import N_FOLDS
from skmsnn.validation.local import Unseen
from skmsnn.validation.reasons import StopReason
from skmsnn.validation.scaling import Scaling

#: Families whose derivatives take part in conditions.
FAMILIES_OF_CONDITIONS = ("polynomial", "fourier")
VALUES = "values"


class ConditionedSource:
    """Values in memory, together with conditions.

    Parameters
    ----------
    X, y, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Points, values and weights.
    conditions : sequence of Condition and Equation
        What else the function satisfies.
    choices : Choices
        How points are taken.
    flat : bool
        Whether y has one output and no axis for it.
    is_complex : bool
        Whether outputs are real and imaginary parts.
    rng : RandomState
        Source of all random numbers.
    """

    def __init__(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        conditions: Sequence[AnyCondition],
        choices: Choices,
        flat: bool,
        is_complex: bool,
        rng: np.random.RandomState,
    ) -> None:
        names = names_of(conditions, VALUES)
        points = [points_of(c, name, X.shape[1]) for c, name in zip(conditions, names, strict=True)]
        check_units(X, points, names)
        period = None if isinstance(choices.period, str) else choices.period
        periods = check_periods(period, np.concatenate([X, *(p for ps in points for p in ps)]))
        rows = merge_duplicates(fold_end_points(X, periods), y, weight)
        every = np.concatenate([rows.X, *(place for places in points for place in places)])
        self.domain = Domain.of(every, periods)
        self.x = self.domain.scale(every)
        self.scaling = Scaling.of(rows.y, rows.weight, rows.scatter)
        self.scatter, self.rng = rows.scatter, rng
        n_outputs = y.shape[1]
        is_coupled = any(couples_outputs(c, n_outputs) for c in conditions)
        values = Term(0, (0,) * X.shape[1], -1, np.ones(len(rows.X)))
        target = self.scaling.target(rows.y)
        split = n_outputs if is_coupled else 0
        x = (self.domain.scale(rows.X),)
        kinds: list[ConditionRows] = [
            LinearRows(VALUES, VALUES, x, [values], target, rows.weight, split)
        ]
        for condition, name, places in zip(conditions, names, points, strict=True):
            units = (self.domain, self.scaling)
            if isinstance(condition, Equation):
                kinds.append(equation_rows(condition, name, places[0], *units, flat, is_complex))
            else:
                kinds.append(linear_rows(condition, name, places, *units, is_coupled, is_complex))
        n_blocks = n_outputs if is_coupled else 1
        folds = _folds(kinds, rng)
        if folds:
            train = [np.ones(len(kind.root), dtype=bool) for kind in kinds]
        else:
            train = _shared_out(kinds, self.domain.periodic, choices.fraction, rng)
        self.problem = Problem(kinds, train, n_outputs, n_blocks, self.domain.periodic, folds)
        self.n_points = sum(len(kind.root) for kind in kinds)
        self.levels: dict[int, NDArray[np.float64]] = {}
        self.points_between_levels: NDArray[np.float64] | None = None
        self.asks_unseen = bool(folds) or any(not used.all() for used in train)
        self.round_off, self.near_round_off = self.scaling.round_off
        self._states = (self.problem.start(),) * 2
        self._solution: Solution | None = None
        self._fits: tuple[OperatorFit, OperatorFit] | None = None
        self._after: tuple[Stage, tuple[State, State]] | None = None
        self._families: list[str] = []
        self.contradictions = ""
        self.error = self.norm = np.inf

    @property
    def residuals_of_conditions(self) -> dict[str, float]:
        """RMS residual of each condition so far, on held-out rows where it has some."""
        names = [kind.name for kind in self.problem.rows]
        return dict(zip(names, self._errors_of(self._states[0]).tolist(), strict=True))

    def _errors_of(self, state: State) -> NDArray[np.float64]:
        errors = self.problem.relative_residuals(state)
        if self.problem.folds and self._solution is not None:
            errors = np.maximum(errors, self._solution.errors)
        return errors

    @property
    def is_open(self) -> bool:
        """Whether values and conditions do not determine the function."""
        assert self._fits is not None
        # of undetermined problems it was 0.2 and more, of others 1e-7 and less
        return self._fits[1].nullspace_ratio(self._states[1]) * FAR**3 > 1

    @property
    def _is_noise(self) -> bool:
        """Whether the residual of the condition that is met least is white."""
        assert self._solution is not None
        state = self._states[1]
        worst = int(np.argmax(self.problem.relative_residuals(state, unseen=False)))
        n_rows = sum(len(kind.root) for kind in self.problem.rows)
        leverage = self._solution.fit.n_columns / n_rows
        x, residual = self.problem.rows[worst].places[0], state.residuals()[worst]
        return leverage * MIN_OVERSAMPLING < 1 and looks_like_noise(x, residual, leverage)

    def unseen(self, fit: StageFit) -> Unseen | None:
        """Nothing: residuals of equations are not errors of values."""
        return None

    def resume(self, before: Any) -> None:
        """Nothing is kept of another fit."""

    def best_stage(self, options: StageOptions, watch: Watch, trace: Trace) -> StageFit:
        """The best stage for the residuals of values and conditions."""
        is_first = self._solution is None
        if is_first:
            self._families = [name for name in FAMILIES_OF_CONDITIONS if name in options.families]
            self._solution = solution = best_solution(self.problem, self._families, watch, trace)
            self._fits = solution.fit, solution.fit.extended(self.problem.all_rows)
        assert self._solution is not None
        assert self._fits is not None
        stages, states = [], []
        for state, fit in zip(self._states, self._fits, strict=True):
            scale = fit.norm(state.residuals()) or 1.0
            if is_first and not self.problem.is_linear:
                c, after = chord_newton(fit, self._solution)
                c = c / scale
            else:
                c = fit.solve([residual / scale for residual in state.residuals()])
                after = state.plus(state.of(fit.frame.modes(c)), scale)
            function = fit.frame.modes(c)
            stages.append(Stage(np.full(c.shape[1], scale), function, self._solution.chosen.family))
            states.append(after)
        train_stage, stage = stages
        self._after = stage, (states[0], states[1])
        return StageFit(
            stage,
            train_stage,
            float(self._errors_of(states[0]).max()),
            [1.0, self._fits[1].norm(states[1].residuals()) / float(stage.scale[0])],
            f"least squares over {self._solution.chosen.label}",
            n_iter=self._solution.n_steps if is_first else 1,
        )

    def norm_after(self, fit: StageFit) -> float:
        """``norm`` if that stage were subtracted."""
        assert self._after is not None
        return float(self.problem.relative_residuals(self._after[1][1], unseen=False).max())

    def subtract(self, fit: StageFit) -> None:
        """Subtract a stage from the residuals."""
        assert self._after is not None
        self.norm, self.error = self.norm_after(fit), fit.error
        self._states = self._after[1]

    def is_deceptive(self, fit: StageFit) -> bool:
        """Never: held-out rows of conditions lie between the others."""
        return False

    def reason_of_limit(self, fit: StageFit) -> StopReason:
        """What the data and conditions lack."""
        assert self._solution is not None
        if not self._solution.has_converged:
            return StopReason.NEWTON_NOT_CONVERGED
        if self._is_noise:
            return StopReason.NOISE
        self.contradictions = contradiction_in(self.problem, self._families, self.error)
        return (
            StopReason.INCONSISTENT_CONDITIONS if self.contradictions else StopReason.UNDERSAMPLED
        )


def _shared_out(
    kinds: Sequence[ConditionRows],
    periodic: NDArray[np.bool_],
    fraction: float,
    rng: np.random.RandomState,
) -> list[NDArray[np.bool_]]:
    """Fitted rows of each condition: at a held-out point all conditions are held out."""
    places = np.concatenate([kind.places[0] for kind in kinds])
    point = np.unique(places, axis=0, return_inverse=True)[1].ravel()
    decided = np.zeros(point.max() + 1, dtype=int)  # 1 fitted, -1 held out
    train, start = [], 0
    for kind in kinds:
        x = kind.places[0]
        n = len(x)
        own = point[start : start + n]
        start += n
        if n < FEW:
            decided[own] = 1
        elif not decided[own].any():
            order = np.lexsort(x.T[::-1])
            chosen = held_out_rows(x[order], periodic, find_grid(x[order]), fraction, rng)
            decided[own] = 1
            decided[own[order[chosen]]] = -1
        else:
            is_open = decided[own] == 0
            drawn = np.where(rng.uniform(size=n) < fraction, -1, 1)
            decided[own[is_open]] = drawn[is_open]
        train.append(decided[own] > 0)
    return train


def _folds(
    kinds: Sequence[ConditionRows], rng: np.random.RandomState
) -> list[list[NDArray[np.bool_]]]:
    """Fitted rows of each fold, where points are few; at a point all conditions are left out.

    Conditions with fewer points than folds stay in, and so do the ends of a line.
    """
    places = [kind.places[0] for kind in kinds]
    distinct, point = np.unique(np.concatenate(places), axis=0, return_inverse=True)
    if len(distinct) > N_FOLDS**2:
        return []
    fold = rng.permutation(np.arange(len(distinct)) % N_FOLDS)
    if distinct.shape[1] == 1:  # ascending: neighbours are in other folds
        fold = np.arange(len(distinct)) % N_FOLDS
        fold[[0, -1]] = -1
    of_rows = np.split(fold[point.ravel()], np.cumsum([len(x) for x in places])[:-1])
    of_rows = [np.full(len(f), -1) if len(f) < N_FOLDS else f for f in of_rows]
    used = [k for k in range(N_FOLDS) if any(np.any(f == k) for f in of_rows)]
    return [[f != k for f in of_rows] for k in used]
