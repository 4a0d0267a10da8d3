"""Polynomials in any number of features: sums of products of Legendre polynomials."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import comb

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.special import eval_legendre

from skmsnn._memory import blocks_of
from skmsnn.functions.along_axis import ends_of, polynomials
from skmsnn.functions.base import LinearExpansion, Term
from skmsnn.functions.few_points import few_or_many
from skmsnn.functions.orders import sum_of_orders

# Of degrees of total degree, and of those about single points: beyond, terms of few points follow
# their rounding. With 4 tables of few levels were fitted 25 and 250 times worse, with 16 the same.
MOST_DEGREE = 8


@dataclass(frozen=True)
class LegendreSeries(LinearExpansion):
    """A sum of products of Legendre polynomials of the scaled coordinates.

    Attributes
    ----------
    degrees : ndarray of shape (n_terms, n_features), int
        Degree of each term along each feature.
    coefficients : ndarray of shape (n_terms, n_outputs)
        Of the terms.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    degrees: NDArray[np.int64]
    coefficients: NDArray[np.float64]
    nu: tuple[int, ...] = ()

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return self.degrees.shape[1]

    @property
    def n_terms(self) -> int:
        return len(self.degrees)

    def derivative(self, nu: Sequence[int]) -> LegendreSeries:
        """The derivative of order nu_j along each axis j."""
        return replace(self, nu=sum_of_orders(self.nu, nu))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        out = np.empty((len(x), self.coefficients.shape[1]))
        for block in blocks_of(len(x), 8 * len(self.degrees)):
            out[block] = columns_of(x[block], self.degrees, self.nu) @ self.coefficients
        return out

    @property
    def kind(self) -> Hashable:
        """The terms."""
        return self.degrees.tobytes(), self.nu

    def prepared(self) -> Term:
        return few_or_many(self.at_few_points(), self.evaluate, self.degrees.size)

    def at_few_points(self) -> Term:
        """Each term as a product of no more factors than differ from 1."""
        coefficients = self.coefficients
        n_values = int(self.degrees.max(initial=0)) + 1
        nu = self.nu or (0,) * self.degrees.shape[1]
        slopes = {j: _slopes(n_values, order) for j, order in enumerate(nu) if order}
        at = _factors_of_terms(self.degrees, (self.degrees > 0) | (np.array(nu) > 0))

        def few(x: NDArray[np.float64]) -> NDArray[np.float64]:
            values = np.ones((len(x), x.shape[1] * n_values + 1))
            of_features = np.asarray(eval_legendre(np.arange(n_values), x[:, :, None]))
            for j, matrix in slopes.items():
                of_features[:, j] = of_features[:, j] @ matrix
            values[:, :-1] = of_features.reshape(len(x), -1)
            return values[:, at].prod(axis=2) @ coefficients

        return few

    def with_gradient(self) -> Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64]]]:
        """Value and gradient of the first output at one point (d,), in one pass over the terms."""
        n_values = int(self.degrees.max(initial=0)) + 1
        n, d = self.degrees.shape
        at = _factors_of_terms(self.degrees, self.degrees > 0)
        matrix = _slopes(n_values, 1)
        c = self.coefficients[:, 0]

        def evaluate(x: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            of_features = np.asarray(eval_legendre(np.arange(n_values), x[:, None]))
            values = np.append(of_features, 1.0)[at]
            slopes = np.append(of_features @ matrix, 0.0)[at]
            # of each factor the others: what stands before it, and what stands after it
            ones = np.ones((n, 1))
            before = np.cumprod(np.concatenate([ones, values], axis=1), axis=1)
            after = np.cumprod(np.concatenate([ones, values[:, ::-1]], axis=1), axis=1)[:, ::-1]
            changes = c[:, None] * before[:, :-1] * slopes * after[:, 1:]
            gradient = np.bincount(at.ravel() // n_values, changes.ravel(), minlength=d + 1)
            return float(before[:, -1] @ c), gradient[:d].astype(float)

        return evaluate

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        columns = np.ones((len(upper), len(self.degrees)))
        for j, degrees in enumerate(self.degrees.T):
            size = int(degrees.max(initial=0)) + 1
            if j in axes:
                columns *= polynomials(size, ends_of(lower, upper, j), True)[:, degrees]
            else:
                order = self.nu[j] if self.nu else 0
                values = legendre.legvander(upper[:, j], size - 1) @ _slopes(size, order)
                columns *= values[:, degrees]
        return columns @ self.coefficients


def columns_of(
    x: NDArray[np.float64], degrees: NDArray[np.int64], nu: Sequence[int] = ()
) -> NDArray[np.float64]:
    """Each term at points (n, d), or its derivative of orders ``nu``; shape (n, n_terms)."""
    # terms first, so that those of a degree are copied as whole rows
    columns = np.ones((len(degrees), len(x)))
    for j, of_terms in enumerate(degrees.T):
        order = nu[j] if len(nu) else 0
        if order == 0 and not of_terms.any():
            continue
        slopes = legendre.legder(np.eye(of_terms.max() + 1), order)
        values = (legendre.legvander(x[:, j], len(slopes) - 1) @ slopes).T
        if order or of_terms.all():
            columns *= values[of_terms]
        else:
            used = np.flatnonzero(of_terms)
            columns[used] *= values[of_terms[used]]
    return columns.T


def _factors_of_terms(degrees: NDArray[np.int64], matters: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Where each factor that matters stands among all values, feature by feature.

    The rest of a row points to one more value behind all, which is to be 1.
    """
    d, n_values = degrees.shape[1], int(degrees.max(initial=0)) + 1
    n_factors = matters.sum(axis=1)
    at = np.full((len(degrees), int(n_factors.max(initial=0))), d * n_values, dtype=np.intp)
    terms, features = np.nonzero(matters)
    place = np.arange(len(terms)) - np.repeat(np.cumsum(n_factors) - n_factors, n_factors)
    at[terms, place] = features * n_values + degrees[terms, features]
    return at


def _slopes(n: int, order: int) -> NDArray[np.float64]:
    """What takes values of n Legendre polynomials into those of their derivatives."""
    matrix = np.zeros((n, n))
    derived = legendre.legder(np.eye(n), order)
    matrix[: len(derived)] = derived
    return matrix


def total_degree_terms(most: NDArray[np.int64], degree: int) -> NDArray[np.int64]:
    """Degrees (n_terms, d) of sum at most ``degree``, along feature j at most ``most[j]``."""
    d = len(most)
    terms = []
    for total in range(degree + 1):
        for features in combinations_with_replacement(range(d), total):
            degrees = np.bincount(features, minlength=d)
            if np.all(degrees <= most):
                terms.append(degrees)
    return np.array(terms, dtype=np.int64).reshape(-1, d)


def n_total_degree_terms(d: int, degree: int) -> int:
    """How many terms there are at most."""
    return comb(d + degree, degree)
