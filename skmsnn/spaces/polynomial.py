"""Polynomials of low total degree in any number of features, by regularised least squares.

Few points, tables of many columns, and functions that are polynomials need no more. Every fit
comes with its leave-one-out residuals, by which degree and damping are chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
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
    farther,
    left_out_together,
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
        folds: Sequence[NDArray[np.intp]],
        rounding: float,
        edges: EdgePoints | None = None,
    ) -> LeftOut:
        """Residuals of fits without each fold, from those of the fit to all rows; as ``DenseFit``.

        For ridge regression see Golub, Heath & Wahba 1979, equation 1.3.
        """
        place = np.full(len(self._x), -1)
        place[self.rows] = np.arange(len(self.rows))
        follows = np.empty((0, len(self.rows)))
        if edges is not None and len(edges.points):
            columns = columns_of(edges.points, self.degrees[1:]) - self._mean
            shrunk = self._s / (self._s**2 + self.damping**2)
            follows = (columns / self._size) @ (self._vt.T * shrunk) @ self._u.T
            follows = follows * self._root + self._root**2
        square = np.zeros((len(follows), residual.shape[1]))
        unseen = np.zeros_like(residual)
        for fold in folds:
            at = place[fold]
            block = (self._u[at] * self._kept) @ self._u[at].T
            block += self._root[at, None] * self._root[at]
            own_root = self._root[at, None] * np.sqrt(len(self.rows))
            unseen[fold] = left_out_together(residual[fold] * own_root, block, rounding) / own_root
            square += (follows[:, at] @ unseen[fold]) ** 2
        exposed = np.zeros(residual.shape[1])
        if edges is not None and len(square):
            exposed = np.sqrt(edges.share * square.mean(axis=0))
        rows = np.sort(np.concatenate(folds))
        return LeftOut(rows, unseen[rows], exposed)

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
            rest = (centred - self._u @ (fit._kept[:, None] * rotated)) / self._root[:, None]
            leverage = np.sum(self._u**2 * fit._kept, axis=1) + self._root**2
            share = np.maximum(1 - leverage, EPS)[:, None]
            errors.append(weighted_rms(farther(rest, np.asarray(EPS)) / share, self._root**2))
        return np.array(errors)

    @property
    def _kept(self) -> NDArray[np.float64]:
        return self._s**2 / (self._s**2 + self.damping**2)
