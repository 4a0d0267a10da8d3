"""Poles of a function of one feature: SciPy's AAA, and what makes less work of the next fit.

Nakatsukasa, Sete & Trefethen 2018, The AAA algorithm for rational approximation, section 3.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.interpolate
import scipy.linalg
from numpy.typing import NDArray

from skmsnn._effort import SECOND, svd_operations
from skmsnn._precision import EPS, HALF_DIGITS, NEAR_ROUND_OFF, ROUND_OFF
from skmsnn.functions.rational import distance_from_box
from skmsnn.linalg.threads import one_blas_thread


class Fraction:
    """A quotient in barycentric form that AAA makes of values at ascending points (n,).

    Attributes
    ----------
    errors : ndarray of shape (n_support,)
        Largest error at the points, relative to the largest value, after each support point.
    """

    @one_blas_thread
    def __init__(self, x: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        self._n, self._largest = len(x), np.abs(values).max() or 1.0
        n = len(x)
        # a step takes a singular value decomposition
        fraction = _by_scipy(x, values, _affordable(n, 0.3 * SECOND))
        support, errors = np.asarray(fraction.support_points), np.asarray(fraction.errors)
        most = _affordable(n, 3 * SECOND)
        if _comes_to_an_end(errors, most):
            more = _Barycentric(x, values, support)
            more.complete(ROUND_OFF * self._largest, most)
            support, errors = more.support, np.concatenate([errors, more.errors])
            self._cleaned = support
        else:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # that there are spurious poles
                fraction.clean_up()
            self._cleaned = np.asarray(fraction.support_points)
        self._support = support
        self.errors = errors[: len(support)] / self._largest

    def n_support(self, tolerance: float) -> int:
        """Support points of the first fraction within a tolerance; all, where none is."""
        within = self.errors <= tolerance
        return int(np.argmax(within)) + 1 if within.any() else len(self.errors)

    @one_blas_thread
    def poles(
        self, tolerance: float, x: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Of the quotient within a tolerance at other points, some of which may be the same."""
        n_support = self.n_support(tolerance)
        is_all = n_support == len(self._support)
        support = self._cleaned if is_all else self._support[:n_support]
        fraction = _Barycentric(x, values, support)
        fraction.complete(tolerance * self._largest, round(n_support * max(1.0, len(x) / self._n)))
        return fraction.poles()


def poles_of(
    fractions: Sequence[Fraction],
    tolerance: float,
    x: NDArray[np.float64],
    values: NDArray[np.float64],
) -> NDArray[np.complex128]:
    """Of all columns, one of each conjugate pair, without those on the data."""
    columns = zip(fractions, values.T, strict=False)
    poles = np.concatenate([fraction.poles(tolerance, x, column) for fraction, column in columns])
    is_real = np.abs(poles.imag) < NEAR_ROUND_OFF
    poles = np.where(is_real, poles.real, poles)
    return poles[(poles.imag >= 0) & (distance_from_box(poles) > NEAR_ROUND_OFF)]


def _by_scipy(x: NDArray[np.float64], values: NDArray[np.float64], most: int) -> Any:
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that there are no more points to take
        return scipy.interpolate.AAA(x, values, rtol=ROUND_OFF, max_terms=most, clean_up=False)


def _affordable(n: int, operations: float) -> int:
    """Steps that take no more operations, and leave as many equations as there are weights."""
    return int(min(n // 2, (3 * operations / svd_operations(n, 1)) ** (1 / 3)))


def _comes_to_an_end(errors: NDArray[np.float64], most: int) -> bool:
    """Whether errors fall fast enough to leave half of the digits when no more may be taken.

    Solutions of Lorenz' equations at 593 steps of a solver need 270 support points.
    """
    taken = len(errors)
    half, least = np.min(errors[: -(-taken // 2)]), np.min(errors)
    if taken >= most or not 0 < least < half:
        return False
    fall = np.log(half / least) / (taken - taken // 2)
    return bool(np.log(least / errors[0]) - fall * (most - taken) <= np.log(HALF_DIGITS))


class _Barycentric:
    """The quotient of given support points; those that are not among the points are left out."""

    def __init__(
        self, x: NDArray[np.float64], values: NDArray[np.float64], support: NDArray[np.float64]
    ) -> None:
        self._x, self._values = x, values
        self.support = support[np.isin(support, x)]
        self.errors = np.empty(0)
        self._weights = self._solved()

    def complete(self, enough: float, most: int) -> None:
        """Take points in where errors are largest, until none is more than enough: AAA."""
        most = min(most, len(self._x) // 2)
        while 0 < len(self.support) < most:
            is_support = np.isin(self._x, self.support)
            x, left = self._x[~is_support], self._left(is_support)
            if not np.max(left) > enough:
                return
            between = np.searchsorted(self._x[is_support], x)
            worst = np.array([rows[np.argmax(left[rows])] for rows in _runs(between)])
            # of 270 points that solutions of Lorenz' equations need, one in fifty at once led to
            # as good ones as one by one, in two thirds of the time, and one in twenty did not
            n_more = min(most - len(self.support), 1 + len(self.support) // 50)
            worst = worst[np.argsort(-left[worst])][:n_more]
            self.support = np.concatenate([self.support, x[worst]])
            self.errors = np.concatenate([self.errors, np.full(len(worst), np.max(left))])
            self._weights = self._solved()

    def _left(self, is_support: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Errors at the other points (equation 2.1)."""
        at, known = self._x[is_support], self._values[is_support]
        shares = self._weights / (self._x[~is_support, None] - at)
        return np.abs(self._values[~is_support] - shares @ known / shares.sum(axis=1))

    def _solved(self) -> NDArray[np.float64]:
        """Weights of the denominator, that leave least at the other points (equation 3.9)."""
        is_support = np.isin(self._x, self.support)
        if len(self.support) < 2:
            return np.ones(len(self.support))
        x, values = self._x, self._values
        step = x[~is_support, None] - x[is_support]
        loewner = (values[~is_support, None] - values[is_support]) / step
        _, size, weights = scipy.linalg.svd(loewner, full_matrices=False)
        if size[-1] > EPS * size[0]:
            return weights[-1]
        # columns of very different sizes
        size = np.linalg.norm(loewner, axis=0)
        size[size == 0] = 1.0
        return scipy.linalg.svd(loewner / size, full_matrices=False)[2][-1] / size

    def poles(self) -> NDArray[np.complex128]:
        """Zeros of the denominator, by the pencil of equation 3.11."""
        arrow = np.diag(np.concatenate([[0.0], np.sort(self.support)]))
        arrow[0, 1:], arrow[1:, 0] = self._weights, 1.0
        poles = scipy.linalg.eigvals(arrow, np.diag(np.r_[0.0, np.ones(len(self.support))]))
        return np.asarray(poles[np.isfinite(poles)], dtype=np.complex128)


def _runs(labels: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Places of equal ones in an ascending array."""
    return np.split(np.arange(len(labels)), np.flatnonzero(np.diff(labels)) + 1)
