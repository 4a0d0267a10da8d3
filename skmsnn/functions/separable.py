"""Sums of products of functions of one feature each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.functions.along_axis import ends_of, polynomials
from skmsnn.functions.base import Function
from skmsnn.functions.orders import sum_of_orders


@dataclass(frozen=True)
class CanonicalDecomposition(Function):
    """A constant and few products of polynomials, one of each scaled coordinate.

    Attributes
    ----------
    factors : ndarray of shape (n_outputs, rank, n_features, size)
        Coefficients of Legendre polynomials of degree 0 ... size - 1.
    constants : ndarray of shape (n_outputs,)
        What is added to the products.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    factors: NDArray[np.float64]
    constants: NDArray[np.float64]
    nu: tuple[int, ...] = ()

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return self.factors.shape[2]

    @property
    def n_terms(self) -> int:
        """Unknowns for one output."""
        return int(self.factors[0].size) + 1

    def of_outputs(self, outputs: slice) -> Self:
        """The same function with some of its outputs alone."""
        return replace(self, factors=self.factors[outputs], constants=self.constants[outputs])

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        """The same function times a factor for each output."""
        factors = self.factors.copy()
        factors[:, :, 0] *= factor[:, None, None]
        return replace(self, factors=factors, constants=self.constants * factor)

    def derivative(self, nu: Sequence[int]) -> Self:
        """The derivative of order nu_j along each axis j."""
        return replace(self, nu=sum_of_orders(self.nu, nu))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        n_outputs, rank, d, size = self.factors.shape
        out = np.empty((len(x), n_outputs))
        for block in blocks_of(len(x), 8 * (n_outputs * rank + size)):
            products = np.ones((len(x[block]), n_outputs, rank))
            for j in range(d):
                slopes = legendre.legder(
                    self.factors[:, :, j], self.nu[j] if self.nu else 0, axis=2
                )
                values = legendre.legvander(x[block, j], slopes.shape[2] - 1)
                products *= np.einsum("nk,ork->nor", values, slopes)
            out[block] = products.sum(axis=2)
        return out if any(self.nu) else out + self.constants

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        n_outputs, rank, d, size = self.factors.shape
        products = np.ones((len(upper), n_outputs, rank))
        volume = np.ones((len(upper), 1))
        for j in range(d):
            values = polynomials(size, ends_of(lower, upper, j), j in axes)
            factors = self.factors[:, :, j]
            if self.nu and self.nu[j]:  # along an axis that is not integrated
                factors = np.asarray(legendre.legder(factors, self.nu[j], axis=2), np.float64)
                values = values[:, : factors.shape[2]]
            products *= np.einsum("nk,ork->nor", values, factors)
            if j in axes:
                volume *= (upper - lower)[:, [j]]
        total = products.sum(axis=2)
        return total if any(self.nu) else total + volume * self.constants
