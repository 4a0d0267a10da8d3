"""What is asked of a space of functions, and of a least squares fit in it."""

from __future__ import annotations

from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions import LinearExpansion
from skmsnn.spaces.p_norm import PointBasis


class LinearFit(Protocol):
    """A least squares problem prepared for many targets."""

    @property
    def amplification(self) -> float:
        """Size of an error between the points of the fit over its size on them, at least 1."""

    def solve(self, target: NDArray[np.float64]) -> LinearExpansion:
        """Modes closest to a target of shape (n, n_outputs)."""

    def extended(self, weight: NDArray[np.float64]) -> Self:
        """The same with all points of positive weight."""

    def basis(self) -> PointBasis:
        """What may be added to its solutions."""
