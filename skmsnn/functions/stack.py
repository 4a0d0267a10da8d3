"""Functions of several outputs that are of different kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions.base import Function, Term
from skmsnn.functions.integrals import integrate


@dataclass(frozen=True)
class MultiOutput(Function):
    """Functions of the same features, one for each run of outputs.

    Attributes
    ----------
    parts : tuple of Function
        The functions.
    widths : tuple of int
        Numbers of their outputs.
    """

    parts: tuple[Function, ...]
    widths: tuple[int, ...]

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

    def derivative(self, nu: Sequence[int]) -> MultiOutput:
        """The derivative of order nu_j along each axis j."""
        return replace(self, parts=tuple(part.derivative(nu) for part in self.parts))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        return np.concatenate([part.evaluate(x) for part in self.parts], axis=1)

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        """The same functions, each times the factor of its output."""
        pairs = zip(self.parts, np.split(factor, np.cumsum(self.widths)[:-1]), strict=True)
        return replace(self, parts=tuple(part.scaled(own) for part, own in pairs))

    def prepared(self) -> Term:
        terms = [part.prepared() for part in self.parts]
        return lambda x: np.concatenate([term(x) for term in terms], axis=1)

    def has_integral(self, n_axes: int) -> bool:
        """Whether that of every part can be had."""
        return all(part.has_integral(n_axes) for part in self.parts)

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        """Those of the parts, by quadrature where a part has none in closed form."""
        parts = [integrate(part, lower, upper, sorted(axes)) for part in self.parts]
        return np.concatenate(parts, axis=1)
