"""How points are shared out between fitting and judging, and what is left of their values."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._shape import of_features
from skmsnn.domain import Domain, Grid, Points
from skmsnn.stage import Stage
from skmsnn.validation.leave_out import EdgePoints


@dataclass(frozen=True)
class DataSplit:
    """The points and how they are shared out.

    ``train`` and ``full`` are weights of the points ``x``: without and with the held-out ones.
    ``held_out`` is None where all points are for training; they are then judged by themselves.
    ``levels`` are the features of few levels, and how many. With ``leaves_out`` spectral stages are
    fitted to all points, and judged by what fits that have not seen a point leave there.
    ``rounding`` is that of single precision or few decimals, where y shows such, over its spread.
    ``edges`` are exposed points where fresh ones may fall, and ``gaps`` are
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
    edges: EdgePoints | None = None
    gaps: NDArray[np.float64] | None = None
    line: Grid | None = None
    has_scatter: bool = False

    def is_same_as(self, other: DataSplit) -> bool:
        """Whether points, weights and what is held out are the same."""
        if (self.held_out is None) != (other.held_out is None):
            return False
        asked, others = self.validation_points, other.validation_points
        pairs = [(getattr(self, name), getattr(other, name)) for name in ("x", "full", "train")]
        pairs += [(asked.x, others.x), (asked.weight, others.weight)]
        return all(np.array_equal(one, another) for one, another in pairs)

    def of_features(self, features: tuple[int, ...]) -> DataSplit:
        """The same for functions of some features, at points that lie on no grid."""
        held, edges, gaps = self.held_out, self.edges, self.gaps
        return replace(
            self,
            domain=self.domain.of_features(features),
            grid=None,
            line=None,
            x=of_features(self.x, features),
            held_out=None if held is None else replace(held, x=of_features(held.x, features)),
            levels={k: self.levels[j] for k, j in enumerate(features) if j in self.levels},
            edges=None if edges is None else edges.of_features(features),
            gaps=None if gaps is None else of_features(gaps, features),
        )

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

    def of_outputs(self, outputs: slice) -> Residuals:
        """Of some outputs alone."""
        train, full = self.train[:, outputs], self.full[:, outputs]
        # the same array where both are
        full = train if self.full is self.train else full
        return Residuals(train, full, self.validation[:, outputs])

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
