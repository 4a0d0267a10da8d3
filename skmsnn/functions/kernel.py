"""Expansions in the correlations of a Gaussian process between a point and given centres.

Correlations are products, or sums, of one function of each feature (Rasmussen & Williams 2006,
Gaussian Processes for Machine Learning, section 4.2), so that derivatives and integrals along each
feature are those of functions of one variable.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import pairwise
from math import comb, factorial
from typing import Self

import numpy as np
import scipy.linalg as sla
from numpy.polynomial import polynomial
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.functions.base import Function
from skmsnn.functions.orders import sum_of_orders
from skmsnn.functions.polynomial import LegendreSeries, columns_of

# Nodes of a Gauss-Legendre rule on a piece no longer than half a length scale.
NODES = 16


class Correlation(ABC):
    """A correlation as a function of the distance in units of its length scale."""

    @abstractmethod
    def with_fall(
        self, distance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values k at distances s >= 0, and -s k'(s) / k(s), which neither over- nor underflows."""

    @abstractmethod
    def derivative(self, difference: NDArray[np.float64], order: int) -> NDArray[np.float64]:
        """The derivative of some order by a signed difference."""


class RationalQuadratic(Correlation):
    """``(1 + s^2 / (2 a))^-a``, or of infinite ``a`` the squared exponential ``exp(-s^2 / 2)``.

    Equations 4.9 and 4.19 of Rasmussen & Williams (2006).
    """

    def __init__(self, exponent: float = np.inf) -> None:
        self.exponent = exponent

    def with_fall(
        self, distance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        square = distance**2
        if np.isinf(self.exponent):
            return np.exp(-0.5 * square), square
        base = 1 + square / (2 * self.exponent)
        return base**-self.exponent, square / base

    def derivative(self, difference: NDArray[np.float64], order: int) -> NDArray[np.float64]:
        """By the recurrence that m derivatives of ``(1 + s^2 / (2 a)) k' = -s k`` give."""
        base = 1 + difference**2 / (2 * self.exponent)
        before, value = np.zeros_like(base), self.with_fall(np.abs(difference))[0]
        for m in range(order):
            own = (1 + m / self.exponent) * difference * value
            more = (m + m * (m - 1) / (2 * self.exponent)) * before
            before, value = value, -(own + more) / base
        return value


class Matern(Correlation):
    """A Matern correlation of half-integer smoothness p + 1/2: a polynomial times an exponential.

    Equation 4.16 of Rasmussen & Williams (2006). It has 2 p derivatives at its centre.
    """

    def __init__(self, p: int) -> None:
        self.rate = float(np.sqrt(2 * p + 1))
        self.coefficients = np.array(
            [
                factorial(p) / factorial(2 * p) * factorial(2 * p - i) * 2**i
                / (factorial(i) * factorial(p - i))
                for i in range(p + 1)
            ]
        )  # fmt: skip

    def with_fall(
        self, distance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        t = self.rate * distance
        own = polynomial.polyval(t, self.coefficients)
        slope = polynomial.polyval(t, self._differentiated(1))
        return own * np.exp(-t), -t * slope / own

    def derivative(self, difference: NDArray[np.float64], order: int) -> NDArray[np.float64]:
        t = self.rate * np.abs(difference)
        sign = np.sign(difference) if order % 2 else 1.0
        value = polynomial.polyval(t, self._differentiated(order)) * np.exp(-t)
        return np.asarray(self.rate**order * sign * value)

    def _differentiated(self, order: int) -> NDArray[np.float64]:
        """The polynomial factor of a derivative by t: ``(q exp(-t))' = (q' - q) exp(-t)``."""
        factor = self.coefficients
        for _ in range(order):
            factor = polynomial.polysub(polynomial.polyder(factor), factor)
        return factor


CORRELATIONS: dict[str, Correlation] = {
    "squared exponential": RationalQuadratic(),
    "rational quadratic": RationalQuadratic(1.0),
    "Matern 5/2": Matern(2),
    "Matern 7/2": Matern(3),
}


def warped(x: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """``(exp(c x) - 1) / c`` of a rate c, or x itself of none: smooth, monotone, of slope 1 at 0.

    Differences change along the feature as if length scales were proportional to exp(-c x).
    """
    return np.expm1(rate * x) / rate if rate else x


@dataclass(frozen=True)
class KernelExpansion(Function):
    """A polynomial, and correlations with centres times their coefficients.

    The covariance of two points is ``prod_j k(r_j / scales_j)``, plus the sum over features
    of ``own_weights_j k(r_j / own_scales_j)``, where r_j is the difference of their features, each
    warped by ``(exp(c x) - 1) / c``.

    Attributes
    ----------
    correlation : str
        The function k, a key of ``CORRELATIONS``.
    centres : ndarray of shape (n_centres, n_features)
        Scaled coordinates.
    coefficients : ndarray of shape (n_centres, n_outputs)
        Factors of the covariances with the centres.
    trend : LegendreSeries
        The polynomial.
    rates, scales, own_scales, own_weights : ndarray of shape (n_features,)
        Rates c, length scales of the product and of the sum, in warped coordinates, and variances.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    correlation: str
    centres: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    trend: LegendreSeries
    rates: NDArray[np.float64]
    scales: NDArray[np.float64]
    own_scales: NDArray[np.float64]
    own_weights: NDArray[np.float64]
    nu: tuple[int, ...] = ()

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return self.centres.shape[1]

    @property
    def n_terms(self) -> int:
        """Centres, and terms of the polynomial."""
        return len(self.centres) + self.trend.n_terms

    def of_outputs(self, outputs: slice) -> Self:
        """The same function with some of its outputs alone."""
        own = self.coefficients[:, outputs]
        return replace(self, coefficients=own, trend=self.trend.of_outputs(outputs))

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        """The same function times a factor for each output."""
        return replace(
            self, coefficients=self.coefficients * factor, trend=self.trend.scaled(factor)
        )

    def derivative(self, nu: Sequence[int]) -> Self:
        """The derivative of order nu_j along each axis j.

        Raises
        ------
        ValueError
            If the order along a feature is higher than the correlation has derivatives.
        """
        orders = sum_of_orders(self.nu, nu)
        own = CORRELATIONS[self.correlation]
        if isinstance(own, Matern) and max(orders, default=0) > 2 * (len(own.coefficients) - 1):
            raise ValueError(
                f"A {self.correlation} kernel has {2 * (len(own.coefficients) - 1)} derivatives "
                f"along a feature; nu asks for {max(orders)}."
            )
        return replace(self, nu=orders, trend=self.trend.derivative(nu))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        nu = self.nu or (0,) * self.n_features
        values = self.trend.evaluate(x)
        differentiated = {j for j, order in enumerate(nu) if order}
        for block in blocks_of(len(x), 32 * len(self.centres)):
            terms = self._terms(partial(self._along, x[block], nu), differentiated, {})
            values[block] += self._sum(terms)
        return values

    def covariance(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariances of points (n, n_features) with the centres; shape (n, n_centres)."""
        nu = (0,) * self.n_features
        return reduce(np.add, self._terms(partial(self._along, x, nu), set(), {}))

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        nu = self.nu or (0,) * self.n_features

        def along(j: int, scale: float) -> NDArray[np.float64]:
            if j in axes:
                return self._integrated(j, scale, lower[:, j], upper[:, j])
            return self._along(upper, nu, j, scale)

        differentiated = {j for j, order in enumerate(nu) if order}
        widths = {j: upper[:, j] - lower[:, j] for j in axes}
        values = self._sum(self._terms(along, differentiated, widths))
        return values + self.trend.closed_integral(lower, upper, axes)

    def _sum(self, terms: Sequence[NDArray[np.float64]]) -> NDArray[np.float64] | float:
        return reduce(np.add, terms) @ self.coefficients if terms else 0.0

    def _terms(
        self,
        along: Callable[[int, float], NDArray[np.float64]],
        differentiated: set[int],
        widths: dict[int, NDArray[np.float64]],
    ) -> list[NDArray[np.float64]]:
        """The product of factors ``along`` each feature, and the terms of their sum.

        These have the factor 1 along other features: 0 where it is differentiated, and the
        ``widths`` (n,) of integrals where it is integrated.
        """
        factors = (along(j, scale) for j, scale in enumerate(self.scales))
        terms = [reduce(np.multiply, factors)]
        for j in map(int, np.flatnonzero(self.own_weights)):
            if differentiated <= {j}:
                others = [width for i, width in widths.items() if i != j]
                factor = np.reshape(self.own_weights[j] * np.prod(others, axis=0), (-1, 1))
                terms.append(factor * along(j, self.own_scales[j]))
        return terms

    def _along(
        self, points: NDArray[np.float64], nu: Sequence[int], j: int, scale: float
    ) -> NDArray[np.float64]:
        """Correlations of points along feature j (n, n_centres), or a derivative by the feature.

        The derivatives of a function of ``(exp(c x) - 1) / c`` are sums of its own times Stirling
        numbers of the second kind, powers of c and exp(k c x) (Faa di Bruno's formula).
        """
        x, order, rate = points[:, j], nu[j], float(self.rates[j])
        own = CORRELATIONS[self.correlation]
        difference = np.subtract.outer(warped(x, rate), warped(self.centres[:, j], rate)) / scale
        if order == 0:
            return own.with_fall(np.abs(difference))[0]
        total = np.zeros_like(difference)
        for k in range(1, order + 1):
            factor = _stirling(order, k) * rate ** (order - k) / scale**k
            if factor:
                slope = factor * np.exp(k * rate * x)
                total += slope[:, None] * own.derivative(difference, k)
        return total

    def _integrated(
        self, j: int, scale: float, lower: NDArray[np.float64], upper: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Integrals of the correlations along a feature, by quadrature on each side of a centre."""
        centres, rate = self.centres[:, j], float(self.rates[j])
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        ends = [lower[:, None], np.clip(centres, lower[:, None], upper[:, None]), upper[:, None]]
        steepest = np.exp(np.abs(rate))
        width = float(np.max(upper - lower, initial=0.0))
        n_pieces = max(1, int(np.ceil(2 * width * steepest / scale)))
        own = CORRELATIONS[self.correlation]
        total = np.zeros((len(upper), len(centres)))
        for start, end in pairwise(ends):
            step = (end - start) / n_pieces
            for piece in range(n_pieces):
                for node, weight in zip(nodes, weights, strict=True):
                    x = start + (piece + (node + 1) / 2) * step
                    distance = np.abs(warped(x, rate) - warped(centres, rate)) / scale
                    total += weight / 2 * step * own.with_fall(distance)[0]
        return total


@dataclass(frozen=True)
class PosteriorVariance:
    """The variance of a process given values with noise, over that of the process.

    Rasmussen & Williams 2006, equations 2.26 and 2.42: with a polynomial mean it grows by the
    uncertainty of its coefficients.

    Attributes
    ----------
    process : KernelExpansion
        The process; its coefficients are not used.
    factor : ndarray of shape (n_centres, n_centres)
        Lower Cholesky factor of the covariances of the values.
    half_terms : ndarray of shape (n_centres, n_terms)
        ``factor^-1 H`` for the terms H of the mean at the centres.
    root : ndarray of shape (n_terms, n_terms)
        Upper triangle of a QR factorisation of ``half_terms``.
    noise : float
        Variance of the noise of values.
    """

    process: KernelExpansion
    factor: NDArray[np.float64]
    half_terms: NDArray[np.float64]
    root: NDArray[np.float64]
    noise: float

    def __call__(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Evaluate it at scaled points (m, n_features), for a value with noise; shape (m,)."""
        blocks = blocks_of(len(x), 24 * len(self.factor))
        found = [self._at(x[block]) for block in blocks]
        return np.concatenate(found) if found else np.empty(0)

    def _at(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        process = self.process
        total = 1 + float(process.own_weights.sum())
        half = sla.solve_triangular(
            self.factor, process.covariance(x).T, lower=True, check_finite=False
        )
        known = np.sum(half**2, axis=0)
        terms = columns_of(x, process.trend.degrees) - half.T @ self.half_terms
        of_mean = sla.solve_triangular(self.root, terms.T, trans="T", check_finite=False)
        return np.asarray(
            np.maximum(1 - known / total, 0) + np.sum(of_mean**2, axis=0) / total + self.noise
        )


def _stirling(n: int, k: int) -> int:
    """Stirling numbers of the second kind (DLMF, equation 26.8.6)."""
    signs = ((-1) ** (k - i) * comb(k, i) * i**n for i in range(k + 1))
    return sum(signs) // factorial(k)
