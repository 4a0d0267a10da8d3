"""Functions of some of the features, constant along the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._shape import of_features
from skmsnn.functions.base import Function, Term
from skmsnn.functions.integrals import integrate
from skmsnn.functions.orders import sum_of_orders


@dataclass(frozen=True)
class OfFeatures(Function):
    """A function of some features as one of all.

    Attributes
    ----------
    function : Function
        The function.
    features : tuple of int
        The features that it depends on, in order.
    n_all : int
        Number of all features.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    function: Function
    features: tuple[int, ...]
    n_all: int
    nu: tuple[int, ...] = ()

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of all features."""
        return self.n_all

    @property
    def n_terms(self) -> int:
        """Real unknowns for one output."""
        return self.function.n_terms

    @property
    def n_modes(self) -> int:
        """What a stage says of its size."""
        return self.function.n_modes

    @property
    def is_zero(self) -> bool:
        """Whether this is a derivative along a feature that the function does not depend on."""
        return any(order for j, order in enumerate(self.nu) if j not in self.features)

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        values = self.function.evaluate(of_features(x, self.features))
        return np.zeros_like(values) if self.is_zero else values

    def prepared(self) -> Term:
        if self.is_zero:
            return self.evaluate
        own = self.function.prepared()
        return lambda x: own(of_features(x, self.features))

    def derivative(self, nu: Sequence[int]) -> Self:
        """The derivative of order nu_j along each axis j."""
        own = self.function.derivative(tuple(nu[j] for j in self.features))
        return replace(self, function=own, nu=sum_of_orders(self.nu, nu))

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        return replace(self, function=self.function.scaled(factor))

    def of_outputs(self, outputs: slice) -> Self:
        return replace(self, function=self.function.of_outputs(outputs))

    @property
    def kind(self) -> tuple[object, ...] | None:
        """The features, and the kind of the function of these."""
        own = self.function.kind
        return None if own is None else (self.features, self.nu, type(self.function), own)

    def plus(self, other: Self) -> Self:
        return replace(self, function=self.function.plus(other.function))

    def has_integral(self, n_axes: int) -> bool:
        return self.function.has_integral(min(n_axes, len(self.features)))

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        """That along its own features, by quadrature if need be, times the lengths of others."""
        own = [k for k, j in enumerate(self.features) if j in axes]
        others = [j for j in axes if j not in self.features]
        total = integrate(self.function, lower[:, self.features], upper[:, self.features], own)
        if self.is_zero:
            return np.zeros_like(total)
        return total * np.prod((upper - lower)[:, others], axis=1)[:, None]
