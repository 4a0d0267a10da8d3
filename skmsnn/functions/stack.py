"""Functions of several outputs that are of different kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StackedModes:
    """Functions of the same features, one for each output.

    Attributes
    ----------
    parts : tuple of objects of ``skmsnn.functions``
        Each of one output.
    """

    parts: tuple[Any, ...]

    @property
    def n_terms(self) -> int:
        """Real unknowns."""
        return sum(part.n_terms for part in self.parts)

    @property
    def n_modes(self) -> int:
        """Of all parts together."""
        return sum(part.n_modes for part in self.parts)

    def derivative(self, nu: Sequence[int]) -> StackedModes:
        """The derivative of order nu_j along each axis j."""
        return StackedModes(tuple(part.derivative(nu) for part in self.parts))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        return np.concatenate([part.evaluate(x) for part in self.parts], axis=1)
