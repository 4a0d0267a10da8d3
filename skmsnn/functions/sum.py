"""Sums of functions of different kinds, as waves of a lattice and few others beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions.base import Function, LinearExpansion
from skmsnn.functions.lattice import FourierSum, TensorFourierSeries


@dataclass(frozen=True)
class FunctionSum(LinearExpansion):
    """A sum of functions: waves of a lattice, and waves between those of the lattice.

    Attributes
    ----------
    parts : tuple of TensorFourierSeries or FourierSum
        Functions of the same features, with as many outputs.
    """

    parts: tuple[TensorFourierSeries | FourierSum, ...]

    has_closed_integral = True

    @property
    def n_features(self) -> int | None:
        """Number of scaled coordinates."""
        return self.parts[0].n_features

    @property
    def n_terms(self) -> int:
        """Real unknowns."""
        return sum(part.n_terms for part in self.parts)

    @property
    def n_modes(self) -> int:
        """Of all parts together."""
        return sum(part.n_modes for part in self.parts)

    def derivative(self, nu: Sequence[int]) -> FunctionSum:
        """The derivative of order nu_j along each axis j, again a sum."""
        return FunctionSum(tuple(part.derivative(nu) for part in self.parts))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        values = self.parts[0].evaluate(x)
        for part in self.parts[1:]:
            values += part.evaluate(x)
        return values

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        return replace(self, parts=tuple(part.scaled(factor) for part in self.parts))

    def of_outputs(self, outputs: slice) -> Self:
        return replace(self, parts=tuple(part.of_outputs(outputs) for part in self.parts))

    def plus(self, other: Self) -> Self:
        """The sum of two with the same kinds of parts, part by part."""
        pairs: Any = zip(self.parts, other.parts, strict=True)
        return replace(self, parts=tuple(one.plus(another) for one, another in pairs))

    def summands(self) -> tuple[Function, ...]:
        return self.parts

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        parts = [part.closed_integral(lower, upper, axes) for part in self.parts]
        return np.asarray(np.sum(parts, axis=0))
