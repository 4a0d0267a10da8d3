"""How points are shared out between fitting and judging, and what is left of their values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmsnn.domain import Domain, Grid, Points
from skmsnn.stage import Stage
from skmsnn.validation.leave_out import EdgePoints, LeftOut


@dataclass(frozen=True)
class DataSplit:
    """The points and how they are shared out.

    ``train`` and ``full`` are weights of the points ``x``: without and with the held-out ones.
    ``held_out`` is None where all points are for training; they are then judged by themselves.
    ``levels`` are the features of few levels, and how many. With ``leaves_out`` spectral stages are
    fitted to all points, and judged by what fits that have not seen a point leave there.
    ``rounding`` is that of single precision or few decimals, where y shows such, over its spread.
    ``beside`` are points where fresh ones may fall, of which nothing is known, and ``gaps`` are
    where none are for long. ``line`` are the nodes of points in one dimension of unequal weights,
    which do not matter to a function that goes through all of them. With ``has_scatter`` some
    points were given several times with different values.
    """

    domain: Domain
    grid: Grid | None
    x: NDArray[np.float64]
    train: NDArray[np.float64]
    full: NDArray[np.float64]
    held_out: Points | None
    levels: dict[int, int]
    leaves_out: bool
    held_rows: NDArray[np.intp] | None = None
    rounding: float = 0.0
    beside: EdgePoints | None = None
    gaps: NDArray[np.float64] | None = None
    line: Grid | None = None
    has_scatter: bool = False

    def importance_holdout(self, unseen: LeftOut | None, rng: np.random.RandomState) -> DataSplit:
        """Hold out more of the scattered points where a fit leaves most of what it has not seen.

        A point where a function is singular has few others about it, and a tenth of all points
        may have none of these. The weights of those held out make up for how likely they were.
        """
        if (
            self.held_out is None
            or self.has_own_validation
            or self.grid is not None
            or unseen is None
        ):
            return self
        square = np.mean(unseen.residual**2, axis=1)
        chance = np.zeros(len(self.x))
        chance[unseen.rows] = square / max(float(square.sum()), np.finfo(float).tiny)
        n_held = len(self.held_out.x)
        # where a fit finds it hard half of the points stay in
        chance = np.minimum(n_held * (chance + 1 / len(chance)), 1) / 2
        rows = np.flatnonzero((rng.uniform(size=len(chance)) < chance) & (self.full > 0))
        if not 0 < len(rows) < np.count_nonzero(self.full):
            return self
        train = self.full.copy()
        train[rows] = 0
        held_out = Points(self.x[rows], self.full[rows] / chance[rows])
        return replace(self, train=train, held_out=held_out, held_rows=rows)

    @property
    def has_own_validation(self) -> bool:
        """Whether the held-out points are not among those to be fitted."""
        return self.held_out is not None and not np.any(self.train != self.full)

    def is_same_as(self, other: DataSplit) -> bool:
        """Whether points, weights and what is held out are the same."""
        if (self.held_out is None) != (other.held_out is None):
            return False
        asked, others = self.validation_points, other.validation_points
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("x", "full", "train")]
        pairs += [(asked.x, others.x), (asked.weight, others.weight)]
        return all(np.array_equal(one, another) for one, another in pairs)

    @property
    def validation_points(self) -> Points:
        return self.held_out or Points(self.x, self.train)


@dataclass(frozen=True)
class Residuals:
    """What is left of y, in units of its RMS; each of shape (number of points, n_outputs).

    ``train`` and ``full`` are at all points, under the model of the training share and under that
    of all points; ``validation`` is at those held out, under the model of the training share.
    """

    train: NDArray[np.float64]
    full: NDArray[np.float64]
    validation: NDArray[np.float64]

    def with_holdout(self, split: DataSplit) -> Residuals:
        """The same, judged at other points, which no stage so far has been fitted without."""
        assert split.held_rows is not None
        return replace(self, validation=self.full[split.held_rows])

    def of_output(self, j: int) -> Residuals:
        """Of one output alone."""
        columns = slice(j, j + 1)
        train, full = self.train[:, columns], self.full[:, columns]
        # the same array where both are
        full = train if self.full is self.train else full
        return Residuals(train, full, self.validation[:, columns])

    def after(self, train_stage: Stage, stage: Stage, split: DataSplit) -> Residuals:
        """Subtract a stage, in its version for each model."""
        train = train_stage.residual(self.train, split.x)
        full = train
        if stage is not train_stage or self.full is not self.train:
            full = stage.residual(self.full, split.x)
        if split.held_out is None:
            return Residuals(train, full, train)
        validation = train_stage.residual(self.validation, split.held_out.x)
        return Residuals(train, full, validation)
