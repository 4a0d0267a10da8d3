"""Points and values in memory: their domain, how they are shared out, and what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from skmsnn._comparison import ENOUGH, FEW, LEAST_NODES
from skmsnn.domain import (
    Domain,
    Grid,
    Points,
    check_periods,
    detect_periods,
    find_grid,
    fold_end_points,
    with_logarithms,
)
from skmsnn.families import FAMILIES
from skmsnn.families.best import best_stage
from skmsnn.families.ladders import is_one_long_axis
from skmsnn.families.tensor import confirmed_periods
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import Watch
from skmsnn.selection.stages import StageFit
from skmsnn.selection.trace import Trace
from skmsnn.sources.base import ValuesAlone
from skmsnn.sources.rows import Rows, merge_duplicates
from skmsnn.stage import Stage
from skmsnn.validation.diagnosis import is_aliased, reason_of_limit
from skmsnn.validation.held_out import held_out_rows, points_in_gaps, sample_edges
from skmsnn.validation.leave_out import weighted_rms
from skmsnn.validation.levels import features_of_few_levels
from skmsnn.validation.local import Unseen
from skmsnn.validation.reasons import StopReason
from skmsnn.validation.rounding import relative_rounding
from skmsnn.validation.scaling import Scaling
from skmsnn.validation.split import DataSplit, Residuals


class Choices(NamedTuple):
    """What the user chose of how points are taken.

    Attributes
    ----------
    period : "auto", None, float or sequence
        As the estimator's parameter.
    early_stopping : bool
        Whether unseen points are asked.
    fraction : float
        Share of the points that is held out.
    is_adaptive : bool
        Whether unseen points decide what stages are.
    """

    period: str | float | Sequence[float | None] | None
    early_stopping: bool
    fraction: float
    is_adaptive: bool


class Fitted(NamedTuple):
    """What an earlier fit has found that the next stages keep."""

    domain: Domain
    scaling: Scaling
    stages: list[Stage]
    error: float


class ArraySource(ValuesAlone):
    """Data in memory.

    Parameters
    ----------
    X, y, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Points, values and weights.
    validation : Rows or None
        Points to hold out in place of a share.
    choices : Choices
        How points are taken.
    fitted : Fitted or None
        What to go on from.
    families : tuple of str
        Names of those that tell whether periods are confirmed.
    rng : RandomState
        Source of all random numbers.
    logarithmic : ndarray of shape (d,), bool
        Features, all positive, of which the logarithm is taken.
    """

    def __init__(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        validation: Rows | None,
        choices: Choices,
        fitted: Fitted | None,
        families: tuple[str, ...],
        rng: np.random.RandomState,
        logarithmic: NDArray[np.bool_],
    ) -> None:
        X = with_logarithms(X, logarithmic)
        if validation is not None:
            validation = validation._replace(X=with_logarithms(validation.X, logarithmic))
        given = fitted.domain if fitted else None
        periods = given.periods if given else _periods(X, y, weight, choices, families, logarithmic)
        self.rows = rows = merge_duplicates(fold_end_points(X, periods), y, weight)
        self._domain = given.of_mapped if given else Domain.of(rows.X, periods)
        self.domain = self._domain.of_logarithms(logarithmic)
        self.scaling = fitted.scaling if fitted else Scaling.of(rows.y, rows.weight, rows.scatter)
        self.n_points = len(rows.X)
        levels = features_of_few_levels(rows.X, self.domain.periodic)
        self.levels = {j: np.exp(v) if logarithmic[j] else v for j, v in levels.items()}
        self.rng, self._seed = rng, int(rng.randint(2**31 - 1))
        self.points, self._residuals = self._shared_out(validation, choices)
        self.x = self.points.x
        self._values, self._asked = self._residuals.full, self._residuals.validation
        self._families = families
        self._size = weighted_rms(self._values, rows.weight) or 1.0
        self.round_off, self.near_round_off = self.scaling.round_off
        self.previous: StageFit | None = None
        stages = fitted.stages if fitted else []
        for stage in stages:
            self._residuals = self._residuals.after(stage, stage, self.points)
        self.error = self._rms_of_unseen()
        if fitted and stages:
            self.error = max(self.error, fitted.error)
        self.norm = self._rms(self._residuals)
        self.asks_unseen = self.points.held_out is not None
        self._remaining: tuple[StageFit, Residuals] | None = None
        self.scatter = rows.scatter
        # along axes of whole grids functions are chosen by what they do between the levels
        asks = choices.early_stopping and validation is None
        asks &= not (self.is_whole_grid and choices.is_adaptive)
        self.points_between_levels = self.points.x if asks else None

    def resume(self, before: Any) -> None:
        """Go on with the factorisations of the last stage, if that was of the same data."""
        if isinstance(before, ArraySource) and before._is_of_the_data_of(self):
            self.previous = before.previous

    def _is_of_the_data_of(self, other: ArraySource) -> bool:
        pairs = [(self._values, other._values), (self._asked, other._asked)]
        are_same = all(np.array_equal(one, another) for one, another in pairs)
        are_same &= self.points.is_same_as(other.points)
        return are_same and self._families == other._families

    @property
    def is_whole_grid(self) -> bool:
        """Whether the points are all those of a grid, of equal weight."""
        return self.points.grid is not None and _is_whole(self.points.grid, self.rows.weight)

    def best_stage(self, options: StageOptions, watch: Watch, trace: Trace) -> StageFit:
        """The best stage for the residual."""
        data = (self.points, self._residuals, self.previous)
        fit = best_stage(options, *data, self._seed, watch, trace)
        return fit.in_units_of(self._size)

    def norm_after(self, fit: StageFit) -> float:
        """RMS of the residual at all points if that stage were subtracted."""
        return self._rms(self._after(fit))

    def subtract(self, fit: StageFit) -> None:
        """Go on with what a stage leaves."""
        self._residuals = self._after(fit)
        self.norm, self.error, self.previous = self._rms(self._residuals), fit.error, fit
        leaves_out = fit.unseen is not None and self._has_points_to_leave_out
        self.asks_unseen = self.points.held_out is not None or leaves_out

    @property
    def _has_points_to_leave_out(self) -> bool:
        """Whether a fit without some points is one: of grids the ends of axes are always needed."""
        grid = self.points.grid
        if grid is None:
            return len(self.points.x) > 1
        axes = zip(grid.shape, self.points.domain.periodic, strict=True)
        return any(n > 1 if periodic else n > 2 for n, periodic in axes)

    def unseen(self, fit: StageFit) -> Unseen | None:
        """What the model leaves at points that its last stage's fit has not seen."""
        if fit.unseen is not None:
            return fit.unseen
        if self.points.held_out is None:
            return None
        return Unseen(self.points.held_out.x, self._residuals.validation)

    def is_deceptive(self, fit: StageFit) -> bool:
        """Whether values change from node to node as fast as they can."""
        return not fit.is_noise and is_aliased(self.points.grid, self._values)

    def reason_of_limit(self, fit: StageFit) -> StopReason:
        """What the data lack."""
        points = self.points
        if fit.is_final and self.n_points >= LEAST_NODES:
            return StopReason.INTERPOLATED
        problem = (points.domain, points.grid, points.x, self._values)
        return reason_of_limit(*problem, self.error, fit.is_noise, points.levels, points.rounding)

    def _after(self, fit: StageFit) -> Residuals:
        if self._remaining is None or self._remaining[0] is not fit:
            remaining = self._residuals.after(fit.train_stage, fit.stage, self.points)
            self._remaining = fit, remaining
        return self._remaining[1]

    def _rms(self, residuals: Residuals) -> float:
        return weighted_rms(residuals.full, self.points.full) / self._size

    def _rms_of_unseen(self) -> float:
        weight = self.points.validation_points.weight
        return weighted_rms(self._residuals.validation, weight) / self._size

    def _shared_out(self, validation: Rows | None, choices: Choices) -> tuple[DataSplit, Residuals]:
        """Hold out a share of the points; the deviations of y are the first residual."""
        rows, domain, rng = self.rows, self._domain, self.rng
        grid = find_grid(rows.X)
        if grid is not None and len(rows.X) < FEW:
            # too few to hold some out: unless all lines are whole, they are as good as scattered
            grid = grid if _is_whole(grid, rows.weight) else None
        x, full = domain.scale(rows.X), rows.weight
        target = self.scaling.target(rows.y)
        train, held, asked, chosen = full, None, target, None
        if validation is not None:
            held = Points(domain.scale(validation.X), validation.weight)
            asked = self.scaling.target(validation.y)
        elif choices.early_stopping and len(x) >= FEW:
            chosen = held_out_rows(x, domain.periodic, grid, choices.fraction, rng)
            train = full.copy()
            train[chosen] = 0
            held, asked = Points(x[chosen], full[chosen]), target[chosen]
        levels = {j: len(values) for j, values in self.levels.items()}
        levels |= dict.fromkeys(np.flatnonzero(np.ptp(x, axis=0) == 0), 1)
        judges_itself = choices.early_stopping and validation is None
        leaves_out = judges_itself
        if grid is not None:
            leaves_out &= _is_whole(grid, full) and not is_one_long_axis(domain, grid)
        elif domain.periodic.all() and x.shape[1] <= MOST_DIMENSIONS:
            leaves_out &= held is None
        else:
            # a share of more, held out at random, meets corners and edges, too, and fits that leave
            # points out one by one reach less there: they need more damping to be judged
            leaves_out &= len(x) < ENOUGH
        edges, gaps = None, None
        is_whole = grid is not None and _is_whole(grid, full)
        if judges_itself and not is_whole and len(x) >= LEAST_NODES:
            edges = sample_edges(x, domain.periodic, rng)
        if grid is None and leaves_out and len(x) >= LEAST_NODES:
            gaps = points_in_gaps(x)
        line = None
        # of unequal weights, as of repeated values
        is_line = x.shape[1] == 1 and LEAST_NODES <= len(x) <= ENOUGH
        if is_line and judges_itself and not rows.scatter.any():
            line = find_grid(rows.X) if np.any(full != full[0]) else None
        rounding = relative_rounding(rows.y, self.scaling.scale)
        points = (domain, grid, x, train, full, held)
        split = DataSplit(
            *points,
            levels,
            leaves_out,
            rounding=rounding,
            edges=edges,
            held_rows=chosen,
            gaps=gaps,
            line=line,
            has_scatter=bool(rows.scatter.any()),
        )
        return split, Residuals(target, target, asked)


def _periods(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    choices: Choices,
    names: tuple[str, ...],
    logarithmic: NDArray[np.bool_],
) -> Sequence[float | None]:
    """Period of each feature, found on grids where none is given."""
    if choices.period != "auto":
        given = check_periods(choices.period, X)  # type: ignore[arg-type]
        if any(np.array(given, dtype=object)[logarithmic] != None):  # noqa: E711
            raise ValueError(
                "A feature that has a period cannot be on a logarithmic scale; take it out of "
                "period or of feature_transforms."
            )
        return given
    rows = merge_duplicates(X, y, weight)
    grid = find_grid(rows.X)
    if grid is None:
        return [None] * X.shape[1]
    found = detect_periods(grid, rows.y)
    periods = [None if log else p for p, log in zip(found, logarithmic, strict=True)]
    if _is_whole(grid, rows.weight):
        families = [FAMILIES[name] for name in FAMILIES if name in names]
        periods = confirmed_periods(grid, rows.y, periods, check_random_state(0), families)
    return periods


def _is_whole(grid: Grid, weight: NDArray[np.float64]) -> bool:
    """Whether all cells of a grid have a point, and all points the same weight."""
    return grid.is_complete and bool(np.all(weight == weight[0]))
