"""Polynomials of low total degree in any number of features, by regularised least squares.

Few points, tables of many columns, and functions that are polynomials need no more. Every fit
comes with its leave-one-out residuals, by which degree and damping are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from math import comb

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skmsnn._spectrum.leave_out import (
    NOTHING_BESIDE,
    Beside,
    LeftOut,
    left_out_one_by_one,
    weighted_rms,
)
from skmsnn._spectrum.p_norm import PointBasis
from skmsnn._spectrum.svd import svd

# bytes of products of Legendre polynomials at a time
_BLOCK_BYTES = 2**26
# Standard deviation of a column, relative to its mean, that is rounding.
_FLAT = 1e-12
# Damping leaves a direction to a fit that keeps at least half of it.
_HALF = 0.5


@dataclass(frozen=True)
class PolynomialModes:
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

    @property
    def n_terms(self) -> int:
        return len(self.degrees)

    def derivative(self, nu: Sequence[int]) -> PolynomialModes:
        """The derivative of order nu_j along each axis j."""
        before = self.nu or (0,) * len(nu)
        return replace(self, nu=tuple(a + b for a, b in zip(before, nu, strict=True)))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        out = np.empty((len(x), self.coefficients.shape[1]))
        rows = max(1, _BLOCK_BYTES // (8 * max(1, len(self.degrees))))
        for block in gen_batches(max(1, len(x)), rows):
            out[block] = columns_of(x[block], self.degrees, self.nu) @ self.coefficients
        return out


def columns_of(
    x: NDArray[np.float64], degrees: NDArray[np.int64], nu: Sequence[int] = ()
) -> NDArray[np.float64]:
    """Each term at points (n, d), or its derivative of orders ``nu``; shape (n, n_terms)."""
    columns = np.ones((len(x), len(degrees)))
    for j, of_terms in enumerate(degrees.T):
        order = nu[j] if len(nu) else 0
        if order == 0 and not of_terms.any():
            continue
        slopes = legendre.legder(np.eye(of_terms.max() + 1), order)
        values = legendre.legvander(x[:, j], len(slopes) - 1) @ slopes
        used = np.flatnonzero(of_terms) if order == 0 else np.arange(len(of_terms))
        columns[:, used] *= values[:, of_terms[used]]
    return columns


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


class PolynomialFit:
    """Weighted least squares over some terms, damped, prepared for many targets.

    Columns but the constant are centred, so that damping shrinks a fit to the mean (Hoerl & Kennard
    1970), and divided by what damping takes as their unit.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Points in scaled coordinates.
    weight : ndarray of shape (n,)
        Weights of the points; those of weight 0 are left out.
    degrees : ndarray of shape (n_terms, d)
        The terms, the constant first.
    units : ndarray of shape (n_terms,), default=None
        Of the terms. None are their standard deviations: then damping takes every term as equally
        likely, and otherwise those that vary most in their unit as likelier.
    """

    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        degrees: NDArray[np.int64],
        units: NDArray[np.float64] | None = None,
    ) -> None:
        self._x, self._degrees, self._units = x, degrees, units
        self.damping = 0.0
        self.rows = np.flatnonzero(weight)
        self._root = np.sqrt(weight[self.rows] / weight[self.rows].sum())
        columns = columns_of(x[self.rows], degrees[1:])
        self._mean = self._root**2 @ columns
        columns -= self._mean
        size = np.sqrt(self._root**2 @ columns**2)
        flat = size <= _FLAT * np.maximum(np.abs(self._mean), size.max(initial=0))
        columns[:, flat] = 0.0
        self._size = np.where(flat, 1.0, size) if units is None else units[1:]
        u, s, vt = svd(columns / self._size * self._root[:, None])
        rank = int(np.sum(s > s.max(initial=0) * max(columns.shape) * np.finfo(float).eps))
        self._u, self._s, self._vt = u[:, :rank], s[:rank], vt[:rank]

    @property
    def dampings(self) -> NDArray[np.float64]:
        """None, and four a decade from little to where all but the mean is damped away."""
        if len(self._s) == 0:
            return np.zeros(1)
        return np.concatenate([[0.0], self._s[0] * 10.0 ** np.arange(-4, 1.6, 0.25)])

    @property
    def followed(self) -> float:
        """Mean leverage: the share of noise that the fit follows."""
        return float((self._kept.sum() + 1) / len(self.rows))

    def damped(self, damping: float) -> PolynomialFit:
        """The same under another damping."""
        other = copy(self)
        other.damping = damping
        return other

    def extended(self, weight: NDArray[np.float64]) -> PolynomialFit:
        """The same terms fitted to the points under other weights."""
        other = PolynomialFit(self._x, weight, self._degrees, self._units)
        return other.damped(self.damping)

    def solve(self, target: NDArray[np.float64]) -> PolynomialModes:
        """The polynomial closest to a target of shape (n, n_outputs)."""
        values = target[self.rows]
        mean = self._root**2 @ values
        rhs = self._u.T @ ((values - mean) * self._root[:, None])
        shrunk = self._s / (self._s**2 + self.damping**2)
        slopes = (self._vt.T @ (shrunk[:, None] * rhs)) / self._size[:, None]
        constant = mean - self._mean @ slopes
        return PolynomialModes(self._degrees, np.vstack([constant, slopes]))

    def basis(self) -> PointBasis:
        """The terms together, without what damping holds back."""
        kept = self._kept > _HALF
        matrix = np.column_stack([np.ones(len(self.rows)), self._u[:, kept] / self._root[:, None]])

        def modes(c: NDArray[np.float64]) -> PolynomialModes:
            slopes = (self._vt[kept].T @ (c[1:] / self._s[kept, None])) / self._size[:, None]
            return PolynomialModes(self._degrees, np.vstack([c[0] - self._mean @ slopes, slopes]))

        return PointBasis.of_matrix(self.rows, matrix, modes)

    def left_out(
        self,
        residual: NDArray[np.float64],
        rounding: float,
        beside: Beside = NOTHING_BESIDE,
    ) -> LeftOut:
        """What fits without one of ``rows`` leave there, from what the fit to all leaves.

        ``r_i / (1 - h_i)`` with the leverage h_i (Allen 1974; for ridge regression Golub, Heath &
        Wahba 1979, equation 1.3). At points ``beside`` the jackknife tells how unsure the fit is.

        Parameters
        ----------
        residual : ndarray of shape (n_rows, n_outputs)
            What the fit to all leaves at ``rows``.
        rounding : float
            To which the values are known.
        beside : Beside, default=NOTHING_BESIDE
            Where else fresh points fall.
        """
        leverage = np.sum(self._u**2 * self._kept, axis=1) + self._root**2
        unseen = left_out_one_by_one(residual, leverage, rounding)
        if not len(beside.points):
            return LeftOut(self.rows, unseen)
        columns = columns_of(beside.points, self._degrees[1:]) - self._mean
        shrunk = self._s / (self._s**2 + self.damping**2)
        follows = (columns / self._size) @ (self._vt.T * shrunk) @ self._u.T
        follows = follows * self._root + self._root**2
        square = follows**2 @ unseen**2
        return LeftOut(self.rows, unseen, float(np.sqrt(beside.share * np.mean(square))))

    def left_out_under(
        self, target: NDArray[np.float64], dampings: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Root mean square of the leave-one-out residuals of a target under each damping."""
        values = target[self.rows]
        centred = (values - self._root**2 @ values) * self._root[:, None]
        rotated = self._u.T @ centred
        errors = []
        for damping in dampings:
            fit = self.damped(damping)
            rest = centred - self._u @ (fit._kept[:, None] * rotated)
            left = fit.left_out(rest / self._root[:, None], np.finfo(float).eps)
            errors.append(weighted_rms(left.residual, self._root**2))
        return np.array(errors)

    @property
    def _kept(self) -> NDArray[np.float64]:
        return self._s**2 / (self._s**2 + self.damping**2)
