"""Polynomials of low total degree in any number of features, by regularised least squares.

Few points, tables of many columns, and functions that are polynomials need no more. Every fit
comes with its leave-one-out residuals, by which degree and damping are chosen.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import EPS, NEAR_ROUND_OFF
from skmsnn.functions.polynomial import LegendreSeries, columns_of
from skmsnn.linalg.svd import svd
from skmsnn.spaces.p_norm import PointBasis
from skmsnn.validation.leave_out import (
    EdgePoints,
    LeftOut,
    left_out_one_by_one,
    weighted_rms,
)


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
        self._x, self.degrees, self._units = x, degrees, units
        self.damping = 0.0
        self.rows = np.flatnonzero(weight)
        self._root = np.sqrt(weight[self.rows] / weight[self.rows].sum())
        columns = columns_of(x[self.rows], degrees[1:])
        self._mean = self._root**2 @ columns
        columns -= self._mean
        size = np.sqrt(self._root**2 @ columns**2)
        flat = size <= NEAR_ROUND_OFF * np.maximum(np.abs(self._mean), size.max(initial=0))
        columns[:, flat] = 0.0
        self._size = np.where(flat, 1.0, size) if units is None else units[1:]
        u, s, vt = svd(columns / self._size * self._root[:, None])
        rank = int(np.sum(s > s.max(initial=0) * max(columns.shape) * EPS))
        self._u, self._s, self._vt = u[:, :rank], s[:rank], vt[:rank]

    @property
    def dampings(self) -> NDArray[np.float64]:
        """None, and four a decade from little to where all but the mean is damped away."""
        if len(self._s) == 0:
            return np.zeros(1)
        return np.concatenate([[0.0], self._s[0] * 10.0 ** np.arange(-4, 1.6, 0.25)])

    @property
    def leverage(self) -> float:
        """Mean leverage: the share of noise that the fit follows."""
        return float((self._kept.sum() + 1) / len(self.rows))

    def damped(self, damping: float) -> PolynomialFit:
        """The same under another damping."""
        other = copy(self)
        other.damping = damping
        return other

    def likeliest_damping(self, target: NDArray[np.float64]) -> float:
        """That of the smallest leave-one-out error."""
        dampings = self.dampings
        return float(dampings[np.argmin(self.left_out_under(target, dampings))])

    def extended(self, weight: NDArray[np.float64]) -> PolynomialFit:
        """The same terms fitted to the points under other weights."""
        other = PolynomialFit(self._x, weight, self.degrees, self._units)
        return other.damped(self.damping)

    def solve(self, target: NDArray[np.float64]) -> LegendreSeries:
        """The polynomial closest to a target of shape (n, n_outputs)."""
        values = target[self.rows]
        mean = self._root**2 @ values
        rhs = self._u.T @ ((values - mean) * self._root[:, None])
        shrunk = self._s / (self._s**2 + self.damping**2)
        slopes = (self._vt.T @ (shrunk[:, None] * rhs)) / self._size[:, None]
        constant = mean - self._mean @ slopes
        return LegendreSeries(self.degrees, np.vstack([constant, slopes]))

    def basis(self) -> PointBasis:
        """The terms together, without what damping holds back."""
        kept = self._kept > 0.5  # of these damping leaves the larger part
        matrix = np.column_stack([np.ones(len(self.rows)), self._u[:, kept] / self._root[:, None]])

        def modes(c: NDArray[np.float64]) -> LegendreSeries:
            slopes = (self._vt[kept].T @ (c[1:] / self._s[kept, None])) / self._size[:, None]
            return LegendreSeries(self.degrees, np.vstack([c[0] - self._mean @ slopes, slopes]))

        return PointBasis.of_matrix(self.rows, matrix, modes)

    def left_out(
        self,
        residual: NDArray[np.float64],
        rounding: float,
        beside: EdgePoints | None = None,
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
        beside : EdgePoints, default=None
            Where else fresh points fall.
        """
        leverage = np.sum(self._u**2 * self._kept, axis=1) + self._root**2
        unseen = left_out_one_by_one(residual, leverage, rounding)
        if beside is None or len(beside.points) == 0:
            return LeftOut(self.rows, unseen)
        columns = columns_of(beside.points, self.degrees[1:]) - self._mean
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
            left = fit.left_out(rest / self._root[:, None], EPS)
            errors.append(weighted_rms(left.residual, self._root**2))
        return np.array(errors)

    @property
    def _kept(self) -> NDArray[np.float64]:
        return self._s**2 / (self._s**2 + self.damping**2)
