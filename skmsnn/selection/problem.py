"""The problem of one stage: the normalised residual, and how candidates for it are scored."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from functools import cached_property
from typing import NamedTuple
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH
from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import EPS
from skmsnn.linalg.nearest import Nearest
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.options import StageOptions
from skmsnn.selection.scheme import FoldScheme, HoldoutScheme, folds_of
from skmsnn.selection.trace import Trace
from skmsnn.stage import epsilon
from skmsnn.validation.leave_out import N_FOLDS, Folds, folds_of_lines, weighted_rms
from skmsnn.validation.levels import inner_levels
from skmsnn.validation.split import DataSplit, Residuals

# Rows up to which trained functions are trained again in every fold; of more, one fold is enough.
MOST_REFITTED = 400

# Operations of a stage at most, some 16 seconds; after a network, whose residual larger candidates
# never reduced, one.
BUDGET, BUDGET_AFTER_NETWORK = 16 * FLOPS_PER_SECOND, FLOPS_PER_SECOND
# What all digits of a fit are worth: 1.4 seconds, and 4 milliseconds for each row, up to the budget
# of a stage. Longer fits gained digits where one family was in the lead.
WORTH_OF_A_TABLE, WORTH_OF_A_ROW = 1.4 * FLOPS_PER_SECOND, 0.004 * FLOPS_PER_SECOND
# So many times what the data are worth a family in the lead may spend: forms of covariances of 100
# points took up to nine seconds.
LEADING = 3


def worth_of(n_rows: int) -> float:
    """Operations that a fit to so many rows is worth."""
    return min(BUDGET, WORTH_OF_A_TABLE + WORTH_OF_A_ROW * n_rows)


Watch = Callable[[int, float, float], None]


class HeldOut(NamedTuple):
    """Points kept from the fit: (n, d) scaled, their targets (n, n_outputs), weights (n,)."""

    x: NDArray[np.float64]
    target: NDArray[np.float64]
    weight: NDArray[np.float64]

    def rmse(self, values: NDArray[np.float64]) -> float:
        """Root mean square error of values (n, n_outputs) there; infinite if one is."""
        error = weighted_rms(self.target - values, self.weight)
        return error if np.isfinite(error) else np.inf


def unwatched(iteration: int, train: float, held_out: float) -> None:
    """Show no progress, as of a look at a part of the data."""


class StageProblem:
    """The residual of the stages so far, in units of its root mean square.

    Parameters
    ----------
    options : StageOptions
        The user's choices.
    points : DataSplit
        The points.
    residuals : Residuals
        Residuals of the stages so far, in units of the RMS of y.
    seed : int
        Source of all random numbers.
    watch : callable
        Called after every iteration of training: number, training loss, validation error.
    trace : Trace
        Record of what is tried.
    is_short : bool
        Whether only cheap candidates are tried, as after a network.

    Attributes
    ----------
    target, weight : ndarray of shape (n, n_outputs), (n,)
        Normalised residual and weights, 0 for points that are held out from every fit.
    scale : ndarray of shape (n_outputs,)
        Its unit, epsilon in section 3 of Ng, Wang & Lai (2024).
    scheme : FoldScheme or HoldoutScheme
        What scores candidates.
    """

    def __init__(
        self,
        options: StageOptions,
        points: DataSplit,
        residuals: Residuals,
        seed: int,
        watch: Watch,
        trace: Trace,
        is_short: bool = False,
    ) -> None:
        self.options, self.points, self.watch, self.trace = options, points, watch, trace
        self.residuals, self.is_short, self._seed = residuals, is_short, seed
        has_two_tracks = residuals.train is not residuals.full
        self.x = points.x
        self.full_scale = epsilon(np.average(residuals.full**2, axis=0, weights=points.full))
        self.full = residuals.full / self.full_scale
        # stages of a given number of modes fit residuals of stages that have seen all folds
        has_given_modes = options.is_adaptive and not options.is_all_adaptive
        self.in_folds = points.leaves_out and not has_two_tracks and not has_given_modes
        self.scheme: FoldScheme | HoldoutScheme
        if self.in_folds:
            self.target, self.weight, self.scale = self.full, points.full, self.full_scale
            self.scheme = self._folds()
        else:
            average = np.average(residuals.train**2, axis=0, weights=points.train)
            self.scale = epsilon(average)
            self.target, self.weight = residuals.train / self.scale, points.train
            self.scheme = self._holdout()
        self.size = float(np.sqrt(np.mean(self.scale**2)))

    def random_state(self, name: str) -> np.random.RandomState:
        """A generator of random numbers that no other family draws from."""
        sequence = np.random.SeedSequence([self._seed, crc32(name.encode())])
        return np.random.RandomState(sequence.generate_state(1)[0])

    def of_outputs(self, outputs: slice) -> StageProblem:
        """The problem of some outputs alone."""
        residuals = self.residuals.of_outputs(outputs)
        more = (self._seed, self.watch, self.trace, self.is_short)
        return StageProblem(self.options, self.points, residuals, *more)

    def of_features(self, features: tuple[int, ...]) -> StageProblem:
        """The problem of functions of some features alone, at points that lie on no grid."""
        own = copy(self)
        own.points, own.scheme = (
            self.points.of_features(features),
            self.scheme.of_features(features),
        )
        own.x = own.points.x
        for name in ("lines", "between"):
            own.__dict__.pop(name, None)
        return own

    @property
    def is_low_dimensional(self) -> bool:
        """Whether neighbouring points are close enough to show waves and noise."""
        return self.x.shape[1] <= MOST_DIMENSIONS

    @property
    def most_degrees(self) -> NDArray[np.float64]:
        """Degrees (d,) that the levels of each feature tell apart; infinite along most."""
        return np.array([self.points.levels.get(j, np.inf) - 1 for j in range(self.x.shape[1])])

    @property
    def n_rows(self) -> int:
        """Points of a fit."""
        return int(np.count_nonzero(self.weight))

    @property
    def most_terms(self) -> int:
        """Unknowns that the points determine; half as many if nothing validates them."""
        return self.n_rows if self.is_validated else max(2, self.n_rows // 2)

    @property
    def most(self) -> float:
        """Operations of the stage at most."""
        most = min(BUDGET, self.options.budget)
        if self.options.is_auto:
            most = min(most, LEADING * worth_of(self.n_rows))
        return min(most, BUDGET_AFTER_NETWORK) if self.is_short else most

    @property
    def budget(self) -> float:
        """Operations that the data are worth. Families that are named have those of a stage."""
        return min(self.most, worth_of(self.n_rows)) if self.options.is_auto else self.most

    @property
    def n_outputs(self) -> int:
        """Number of outputs."""
        return self.target.shape[1]

    @property
    def rounding(self) -> float:
        """Precision of the target."""
        return EPS / self.size

    @property
    def is_validated(self) -> bool:
        """Whether candidates are scored on points that their fits have not seen."""
        return self.in_folds or self.points.held_out is not None

    @property
    def n_refits(self) -> int:
        """Folds in which a candidate that is not linear is fitted again."""
        return min(N_FOLDS, len(getattr(self.scheme, "folds", [])))

    @property
    def refits_in_folds(self) -> bool:
        """Whether functions whose parameters are trained are trained again in every fold."""
        return self.in_folds and self.n_refits > 0 and self.n_rows <= MOST_REFITTED

    def rows_of_training(self) -> NDArray[np.float64]:
        """Weights of the rows to which parameters are trained: all, or those not held out."""
        return self.weight if self.refits_in_folds else self.without_holdout()[0]

    def without_holdout(self) -> tuple[NDArray[np.float64], HeldOut | None]:
        """Weights of the rows that are not held out, and those that are; None if there are none."""
        scheme = self.scheme
        if isinstance(scheme, HoldoutScheme):
            own = scheme.x_val, scheme.target_val, scheme.weight_val
            return self.weight, HeldOut(*own) if self.is_validated else None
        if scheme.held is None:
            return self.weight, None
        held, weight = scheme.held, self.weight.copy()
        weight[held] = 0.0
        return weight, HeldOut(self.x[held], self.target[held], self.weight[held])

    @property
    def has_grid_lines(self) -> bool:
        """Whether whole lines of a complete grid are left out."""
        return self.in_folds and self.points.grid is not None

    @cached_property
    def lines(self) -> Folds | None:
        """Nodes of a line that are left out together; None of points in several dimensions."""
        grid = self.points.grid
        if not self.in_folds or grid is None or len(grid.nodes) > 1:
            return None
        periodic = bool(self.points.domain.periodic[0])
        return folds_of_lines(len(grid.nodes[0]), periodic, self.random_state("lines"))

    @cached_property
    def between(self) -> NDArray[np.float64]:
        """Points between those of the data: half way to any point of the box from the nearest."""
        anywhere = self.random_state("between").uniform(-1, 1, (ENOUGH, self.x.shape[1]))
        nearest = self.x[Nearest(self.x).query(anywhere)[1][:, 0]]
        return nearest + 0.5 * (anywhere - nearest)

    def _folds(self) -> FoldScheme:
        points = self.points
        rounding = EPS / float(np.sqrt(np.mean(self.full_scale**2)))
        data = (points.x, self.full, points.full)
        lines, held = self.lines, points.held_rows
        if lines is not None:
            return FoldScheme(*data, lines.folds, held, None, rounding, proxy=lines.proxy_line)
        if points.grid is not None:
            return FoldScheme(*data, [], held, None, rounding)
        folds = folds_of(points.full, held, self._seed)
        levels = inner_levels(points.x, points.domain.periodic)
        return FoldScheme(*data, folds, held, points.edges, rounding, levels)

    def _holdout(self) -> HoldoutScheme:
        points = self.points
        asked = points.validation_points
        values = self.residuals.validation / self.scale
        rows = points.held_rows
        if rows is None:  # points of the user's own, or none at all
            rows = np.arange(len(asked.x))
        is_partial = bool(np.any(points.train != points.full))
        data = (points.x, self.target, points.train)
        held = (asked.x, values, asked.weight)
        return HoldoutScheme(*data, *held, rows, is_partial, points.edges)
