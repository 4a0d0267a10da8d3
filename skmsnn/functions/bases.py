"""Bases of functions of one scaled coordinate: polynomials, alone or with waves, and splines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import partial
from math import factorial
from typing import Self

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from scipy.special import eval_legendre

from skmsnn.functions.along_axis import Ends, polynomials, waves

#: Values at points of shape (n,).
Values = Callable[[NDArray[np.float64]], NDArray]


class Basis(ABC):
    """Functions of one scaled coordinate."""

    @property
    @abstractmethod
    def size(self) -> int:
        """How many they are."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What they are, for messages."""

    @property
    @abstractmethod
    def key(self) -> Hashable:
        """Equal for the same functions of the same type."""

    @abstractmethod
    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """At points of shape (n,); shape (n, size)."""

    @abstractmethod
    def derivative(self, order: int) -> Self:
        """Their derivatives of that order with respect to the scaled coordinate."""

    @abstractmethod
    def between(self, ends: Ends, integrated: bool) -> NDArray[np.float64]:
        """At the upper ends, or the integrals of what is not differentiated; shape (n, size)."""

    def combine(self, x: NDArray[np.float64], c: NDArray) -> NDArray:
        """Their sums with coefficients c of shape (size, ...); shape (n, ...)."""
        return np.tensordot(self.values(x), c, axes=1)

    def prepared(self, c: NDArray, axis: int) -> tuple[Values, NDArray]:
        """Functions that are fast at few points, and coefficients that make of them the same sums.

        The coefficients ``c`` are those of this basis along the given axis of their array.
        """
        return self.values, c

    def prepared_sum(self, c: NDArray) -> Values | None:
        """What ``combine`` gives, fast at few points; None where ``prepared`` serves."""
        return None


@dataclass(frozen=True)
class LegendreBasis(Basis):
    """Legendre polynomials P_0 ... P_degree on [-1, 1], or their derivatives of order ``nu``."""

    degree: int
    nu: int = 0

    @property
    def size(self) -> int:
        return self.degree + 1

    @property
    def label(self) -> str:
        return f"degree {self.degree}"

    @property
    def key(self) -> Hashable:
        return self.degree, self.nu

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.nu == 0:
            return np.asarray(legendre.legvander(x, self.degree), dtype=np.float64)
        # the derivative of P_k is a sum of P_j, j < k: one column a function
        slopes = legendre.legder(np.eye(self.size), self.nu)
        values = legendre.legvander(x, len(slopes) - 1) @ slopes
        return np.asarray(values, dtype=np.float64)

    def derivative(self, order: int) -> Self:
        return replace(self, nu=self.nu + order)

    def between(self, ends: Ends, integrated: bool) -> NDArray[np.float64]:
        return polynomials(self.size, ends, True) if integrated else self.values(ends[1])

    def prepared(self, c: NDArray, axis: int) -> tuple[Values, NDArray]:
        slopes = np.moveaxis(c, axis, 0)
        slopes = np.asarray(legendre.legder(slopes, self.nu)) if self.nu else slopes
        return partial(_legendre, np.arange(len(slopes))), np.moveaxis(slopes, 0, axis)


@dataclass(frozen=True)
class LegendreWavesBasis(Basis):
    """Legendre polynomials P_0 ... P_degree, and cosines and sines of any wave numbers beside them.

    Attributes
    ----------
    degree : int
        Of the polynomials.
    wave_numbers : ndarray of shape (n_waves,)
        In radians per unit of the scaled coordinate, not 0.
    nu : int
        Order of the derivative that this is.
    """

    degree: int
    wave_numbers: NDArray[np.float64]
    nu: int = 0

    @property
    def size(self) -> int:
        return self.degree + 1 + 2 * len(self.wave_numbers)

    @property
    def label(self) -> str:
        return f"degree {self.degree} and {len(self.wave_numbers)} waves"

    @property
    def key(self) -> Hashable:
        return self.degree, self.wave_numbers.tobytes(), self.nu

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        smooth = LegendreBasis(self.degree, self.nu).values(x)
        phase = x[:, None] * self.wave_numbers
        quarters = [np.cos(phase), -np.sin(phase), -np.cos(phase), np.sin(phase)]
        beside = [quarters[self.nu % 4], quarters[(self.nu - 1) % 4]]
        factor = self.wave_numbers**self.nu
        return np.concatenate([smooth, *(wave * factor for wave in beside)], axis=1)

    def derivative(self, order: int) -> Self:
        return replace(self, nu=self.nu + order)

    def between(self, ends: Ends, integrated: bool) -> NDArray[np.float64]:
        if not integrated:
            return self.values(ends[1])
        beside = waves(self.wave_numbers, ends, integrated)
        smooth = polynomials(self.degree + 1, ends, integrated)
        return np.concatenate([smooth, beside.real, beside.imag], axis=1)


@dataclass(frozen=True)
class SplineBasis(Basis):
    """B-splines on given knots, or their derivatives of order ``nu``.

    Attributes
    ----------
    knots : ndarray of shape (size + degree + 1,)
        In scaled coordinates.
    degree : int
        1 for straight lines from knot to knot; degree k has k - 1 continuous derivatives.
    """

    knots: NDArray[np.float64]
    degree: int
    nu: int = 0

    @property
    def size(self) -> int:
        return len(self.knots) - self.degree - 1

    @property
    def label(self) -> str:
        return f"splines of degree {self.degree}"

    @property
    def key(self) -> Hashable:
        return self.degree, self.knots.tobytes(), self.nu

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.combine(x, np.eye(self.size))

    def combine(self, x: NDArray[np.float64], c: NDArray) -> NDArray:
        if self.nu > self.degree:
            return np.zeros((len(x), *c.shape[1:]), dtype=c.dtype)
        if np.iscomplexobj(c):
            return self.combine(x, c.real) + 1j * self.combine(x, c.imag)
        # beyond the ends the last piece goes on
        return np.asarray(BSpline(self.knots, c, self.degree, extrapolate=True)(x, nu=self.nu))

    def derivative(self, order: int) -> Self:
        return replace(self, nu=self.nu + order)

    def between(self, ends: Ends, integrated: bool) -> NDArray[np.float64]:
        """The same; beyond the knots the last piece goes on."""
        if not integrated:
            return self.values(ends[1])
        whole = BSpline(self.knots, np.eye(self.size), self.degree, extrapolate=True)
        primitive = whole.antiderivative()
        return np.asarray(primitive(ends[1]) - primitive(ends[0]))

    def prepared_sum(self, c: NDArray) -> Values:
        if self.nu > self.degree:
            return lambda x: self.combine(x, c)
        spline = BSpline(self.knots, c, self.degree, extrapolate=True)
        return lambda x: np.asarray(spline(x, nu=self.nu))

    def pieces(self) -> tuple[NDArray[np.float64], NDArray[np.intp], NDArray[np.float64]]:
        """The polynomials that the splines are between knots, of which few are not 0 on a piece.

        Returns
        -------
        starts : ndarray of shape (m,)
            Left end of each piece.
        which : ndarray of shape (m, degree + 1)
            Numbers of the splines that are not 0 on each piece.
        powers : ndarray of shape (degree + 1, m, degree + 1)
            Their coefficients of powers of ``x - starts``, of the highest first.
        """
        k = self.degree + 1
        starts = np.unique(self.knots[self.degree : len(self.knots) - self.degree])[:-1]
        first = np.searchsorted(self.knots, starts, side="right") - k
        # on a piece numbers differ by less than k: sums of every kth spline are these themselves
        residues = np.arange(k)
        which = first[:, None] + (residues - first[:, None]) % k
        sums = (np.arange(self.size)[:, None] % k == residues).astype(np.float64)
        # SciPy's PPoly.from_spline goes through FITPACK, which is for degrees up to five alone
        spline = BSpline(self.knots, sums, self.degree)
        orders = range(self.degree, -1, -1)
        taylor = [spline(starts, nu=order) / factorial(order) for order in orders]
        return starts, which, np.stack(taylor)


def _legendre(degrees: NDArray[np.intp], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(eval_legendre(degrees, x[:, None]))
