"""Bases of functions of one scaled coordinate: polynomials, alone or with waves, and splines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.interpolate import BSpline, PPoly


class Basis(Protocol):
    """Functions of one scaled coordinate."""

    @property
    def size(self) -> int:
        """How many they are."""

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """At points of shape (n,); shape (n, size)."""

    def combine(self, x: NDArray[np.float64], c: NDArray) -> NDArray:
        """Their sums with coefficients c of shape (size, ...); shape (n, ...)."""

    def derivative(self, order: int) -> Self:
        """Their derivatives of that order with respect to the scaled coordinate."""


@dataclass(frozen=True)
class LegendreBasis:
    """Legendre polynomials P_0 ... P_degree on [-1, 1], or their derivatives of order ``nu``."""

    degree: int
    nu: int = 0

    @property
    def size(self) -> int:
        return self.degree + 1

    @property
    def label(self) -> str:
        return f"degree {self.degree}"

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.nu == 0:
            return np.asarray(legendre.legvander(x, self.degree), dtype=np.float64)
        # the derivative of P_k is a sum of P_j, j < k: one column a function
        slopes = legendre.legder(np.eye(self.size), self.nu)
        values = legendre.legvander(x, len(slopes) - 1) @ slopes
        return np.asarray(values, dtype=np.float64)

    def combine(self, x: NDArray[np.float64], c: NDArray) -> NDArray:
        return np.tensordot(self.values(x), c, axes=1)

    def derivative(self, order: int) -> LegendreBasis:
        return replace(self, nu=self.nu + order)


@dataclass(frozen=True)
class LegendreWavesBasis:
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

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        polynomials = LegendreBasis(self.degree, self.nu).values(x)
        phase = x[:, None] * self.wave_numbers
        quarters = [np.cos(phase), -np.sin(phase), -np.cos(phase), np.sin(phase)]
        waves = [quarters[self.nu % 4], quarters[(self.nu - 1) % 4]]
        factor = self.wave_numbers**self.nu
        return np.concatenate([polynomials, *(wave * factor for wave in waves)], axis=1)

    def combine(self, x: NDArray[np.float64], c: NDArray) -> NDArray:
        return np.tensordot(self.values(x), c, axes=1)

    def derivative(self, order: int) -> LegendreWavesBasis:
        return replace(self, nu=self.nu + order)


@dataclass(frozen=True)
class SplineBasis:
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

    def values(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.combine(x, np.eye(self.size))

    def combine(self, x: NDArray[np.float64], c: NDArray) -> NDArray:
        if self.nu > self.degree:
            return np.zeros((len(x), *c.shape[1:]), dtype=c.dtype)
        if np.iscomplexobj(c):
            return self.combine(x, c.real) + 1j * self.combine(x, c.imag)
        # beyond the ends the last piece goes on
        return np.asarray(BSpline(self.knots, c, self.degree, extrapolate=True)(x, nu=self.nu))

    def derivative(self, order: int) -> SplineBasis:
        return replace(self, nu=self.nu + order)

    def pieces(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Breaks (m + 1,) and power coefficients (degree + 1, m, size), highest power first.

        Those of piece i are of powers of ``x - breaks[i]``.
        """
        breaks = np.unique(self.knots[self.degree : len(self.knots) - self.degree])
        spline = BSpline(self.knots, np.eye(self.size), self.degree)
        columns = [PPoly.from_spline((spline.t, c, spline.k)) for c in np.eye(self.size)]
        kept = slice(self.degree, len(self.knots) - self.degree - 1)
        coefficients = np.stack([np.asarray(p.c)[:, kept] for p in columns], axis=-1)
        return breaks, coefficients
