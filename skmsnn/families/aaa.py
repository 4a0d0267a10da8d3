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

from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn._precision import EPS, HALF_DIGITS, NEAR_ROUND_OFF, ROUND_OFF
from skmsnn.functions.rational import distance_from_box
from skmsnn.linalg.threads import one_blas_thread

# Operations of a look, 0.3 seconds: a step takes a singular value decomposition.
LOOK = 0.3 * FLOPS_PER_SECOND


def operations_of_look(n: int) -> float:
    """Operations of the first support points of n values."""
    return svd_operations(n, 1) * _affordable(n, LOOK) ** 3 / 3


class SupportPoints:
    """Where AAA has a quotient in barycentric form go through values at points (n,), in order.

    Attributes
    ----------
    errors : ndarray of shape (n_support,)
        Largest error at the points, relative to the largest value, after each support point.
    """

    @one_blas_thread
    def __init__(self, x: NDArray[np.float64], values: NDArray[np.float64]) -> None:
        x, values = _distinct(x, values)
        self._n, self._largest = len(x), np.abs(values).max() or 1.0
        first_look, most = (_affordable(len(x), operations) for operations in (LOOK, 10 * LOOK))
        self._points, self._cleaned, errors = _by_scipy(x, values, first_look)
        if _comes_to_an_end(errors, most):
            quotient = _Quotient(x, values, self._points)
            quotient.complete(ROUND_OFF * self._largest, most)
            self._points = self._cleaned = quotient.support
            errors = np.concatenate([errors, quotient.errors])
        self.errors = errors / self._largest

    def n_within(self, tolerance: float) -> int:
        """Support points of the first quotient within a tolerance; all, where none is."""
        within = self.errors <= tolerance
        return int(np.argmax(within)) + 1 if within.any() else len(self.errors)

    @one_blas_thread
    def poles(
        self, n_support: int, x: NDArray[np.float64], values: NDArray[np.float64]
    ) -> NDArray[np.complex128]:
        """Poles of a quotient of so many support points at other points, which may repeat."""
        tolerance = float(self.errors[n_support - 1])
        support = self._points[:n_support]
        if n_support == len(self._points):
            support = self._cleaned
        quotient = _Quotient(*_distinct(x, values), support)
        # as many for each point as there were
        most = round(len(support) * max(1.0, len(x) / self._n))
        quotient.complete(tolerance * self._largest, most)
        return quotient.poles()


def poles_of(
    supports: Sequence[SupportPoints],
    sizes: Sequence[int],
    x: NDArray[np.float64],
    values: NDArray[np.float64],
) -> NDArray[np.complex128]:
    """Of the first columns of values (n, n_outputs), one support each, without those on the data.

    One of each conjugate pair.
    """
    pairs = zip(supports, sizes, strict=True)
    found = [support.poles(n, x, values[:, j]) for j, (support, n) in enumerate(pairs)]
    poles = np.concatenate(found)
    is_real = np.abs(poles.imag) < NEAR_ROUND_OFF
    poles = np.where(is_real, poles.real, poles)
    return poles[(poles.imag >= 0) & (distance_from_box(poles) > NEAR_ROUND_OFF)]


def _distinct(
    x: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ascending points, each once, and a value of each: scaled, close ones may be equal."""
    x, first = np.unique(x, return_index=True)
    return x, values[first]


def _by_scipy(
    x: NDArray[np.float64], values: NDArray[np.float64], most: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Support points, those of them without spurious poles, and the largest errors."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # that there are no more points to take
        try:
            fraction: Any = scipy.interpolate.AAA(
                x, values, rtol=ROUND_OFF, max_terms=most, clean_up=False
            )
            support = np.asarray(fraction.support_points)
            errors = np.asarray(fraction.errors)[-len(support) :]
            fraction.clean_up()
            return support, np.asarray(fraction.support_points), errors
        except ValueError:  # of a function with a flat part, of which SciPy makes 0 / 0
            quotient = _Quotient(x, values, x[[np.argmin(values), np.argmax(values)]])
            quotient.complete(ROUND_OFF * np.abs(values).max(), most)
            errors = np.concatenate([[np.inf, np.inf], quotient.errors])
            return quotient.support, quotient.support, errors


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


class _Quotient:
    """That of given support points; those that are not among the points are left out."""

    def __init__(
        self, x: NDArray[np.float64], values: NDArray[np.float64], support: NDArray[np.float64]
    ) -> None:
        self._x, self._values = x, values
        self.support = support[np.isin(support, x)][: len(x) // 2]
        self.errors = np.empty(0)
        self._weights = self._solved()

    @property
    def _is_support(self) -> NDArray[np.bool_]:
        return np.isin(self._x, self.support)

    def complete(self, enough: float, most: int) -> None:
        """Take points in where errors are largest, until none is more than enough: AAA."""
        most = min(most, len(self._x) // 2)
        left = self._left()
        while 0 < len(self.support) < most and np.max(left, initial=0.0) > enough:
            x = self._x[~self._is_support]
            between = np.searchsorted(self._x[self._is_support], x)
            worst = np.array([rows[np.argmax(left[rows])] for rows in _runs(between)])
            # of 270 points that solutions of Lorenz' equations need, one in fifty at once led to
            # as good ones as one by one, in two thirds of the time, and one in twenty did not
            n_more = min(most - len(self.support), 1 + len(self.support) // 50)
            worst = worst[np.argsort(-left[worst])][:n_more]
            self.support = np.concatenate([self.support, x[worst]])
            self._weights = self._solved()
            left = self._left()
            self.errors = np.concatenate([self.errors, np.full(len(worst), np.max(left))])

    def _left(self) -> NDArray[np.float64]:
        """Errors at the other points (equation 2.1)."""
        is_support = self._is_support
        at, known = self._x[is_support], self._values[is_support]
        shares = self._weights / (self._x[~is_support, None] - at)
        with np.errstate(divide="ignore", invalid="ignore"):  # at a pole
            left = np.abs(self._values[~is_support] - shares @ known / shares.sum(axis=1))
        return np.where(np.isfinite(left), left, np.inf)

    def _solved(self) -> NDArray[np.float64]:
        """Weights of the denominator, that leave least at the other points (equation 3.9)."""
        if len(self.support) < 2:
            return np.ones(len(self.support))
        x, values, is_support = self._x, self._values, self._is_support
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
