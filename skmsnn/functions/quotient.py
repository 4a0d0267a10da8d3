"""Quotients of polynomials in any number of features."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import comb, prod

import numpy as np
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.functions.base import LinearExpansion, Term
from skmsnn.functions.few_points import few_or_many
from skmsnn.functions.orders import sum_of_orders
from skmsnn.functions.polynomial import LegendreSeries


@dataclass(frozen=True)
class RationalFunction(LinearExpansion):
    """Polynomials, one an output, over a denominator that they have in common.

    Attributes
    ----------
    degrees : ndarray of shape (n_terms, n_features), int
        Degree of each term of the numerators along each feature.
    coefficients : ndarray of shape (n_terms, n_outputs)
        Of these terms.
    denominator : LegendreSeries
        With one output, and without zeros on the box.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    degrees: NDArray[np.int64]
    coefficients: NDArray[np.float64]
    denominator: LegendreSeries
    nu: tuple[int, ...] = ()

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return self.degrees.shape[1]

    @property
    def n_terms(self) -> int:
        """Of numerator and denominator; a common factor is no unknown."""
        return len(self.degrees) + self.denominator.n_terms - 1

    def derivative(self, nu: Sequence[int]) -> RationalFunction:
        """The derivative of order nu_j along each axis j."""
        return replace(self, nu=sum_of_orders(self.nu, nu))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        out = np.empty((len(x), self.coefficients.shape[1]))
        for block in blocks_of(len(x), 8 * self.n_terms):
            out[block] = self._values(x[block])
        return out

    @property
    def kind(self) -> Hashable:
        """The denominator, and the terms of the numerators."""
        below = self.denominator
        parts = (self.degrees, below.degrees, below.coefficients)
        return *(part.tobytes() for part in parts), self.nu

    def prepared(self) -> Term:
        orders = orders_up_to(self.nu or (0,) * self.degrees.shape[1])
        parts = [
            {order: part.derivative(order).at_few_points() for order in orders}
            for part in (self.numerator, self.denominator)
        ]

        def few(x: NDArray[np.float64]) -> NDArray[np.float64]:
            numerator, denominator = ({o: term(x) for o, term in part.items()} for part in parts)
            return derivative_of_quotient(numerator, denominator)

        return few_or_many(few, self.evaluate, 2 * self.degrees.size)

    @property
    def numerator(self) -> LegendreSeries:
        """The polynomials above, themselves."""
        return LegendreSeries(self.degrees, self.coefficients)

    def _values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        numerator, nu = self.numerator, self.nu or (0,) * x.shape[1]
        return derivative_of_quotient(
            {order: numerator.derivative(order).evaluate(x) for order in orders_up_to(nu)},
            {order: self.denominator.derivative(order).evaluate(x) for order in orders_up_to(nu)},
        )


Order = tuple[int, ...]


def orders_up_to(nu: Sequence[int]) -> list[Order]:
    """All orders of derivatives that are along no axis higher, the lower ones first."""
    return list(product(*(range(order + 1) for order in nu)))


def derivative_of_quotient(
    numerator: Mapping[Order, NDArray[np.float64]], denominator: Mapping[Order, NDArray[np.float64]]
) -> NDArray[np.float64]:
    """The highest derivative of ``u = p / q`` from those of p and q of all orders up to it.

    By Leibniz' rule for ``q u = p``, from lower orders to higher ones.
    """
    found: dict[Order, NDArray[np.float64]] = {}
    for order, values in numerator.items():
        rest = values
        for other in orders_up_to(order):
            if any(other):
                lower = tuple(k - m for k, m in zip(order, other, strict=True))
                ways = prod(comb(k, m) for k, m in zip(order, other, strict=True))
                rest = rest - ways * denominator[other] * found[lower]
        found[order] = rest / denominator[(0,) * len(order)]
    return found[order]
