"""Rational functions of one feature, as partial fractions."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import factorial

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from skmsnn.functions.along_axis import ends_of, polynomials
from skmsnn.functions.base import LinearExpansion


@dataclass(frozen=True)
class PartialFractions(LinearExpansion):
    """A straight line and fractions ``s / (x - p)`` of the scaled coordinate x.

    Attributes
    ----------
    poles : ndarray of shape (n_poles,), complex
        One of each conjugate pair, with a positive imaginary part, and real ones.
    coefficients : ndarray of shape (n_terms, n_outputs)
        Of the terms: Legendre polynomials up to degree 1, the real parts of the fractions, and the
        imaginary parts of those of pairs. The size s is the distance of a pole from [-1, 1].
    nu : int
        Order of the derivative that this is.
    """

    poles: NDArray[np.complex128]
    coefficients: NDArray[np.float64]
    nu: int = 0

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return 1

    @property
    def n_terms(self) -> int:
        """Real unknowns."""
        return len(self.coefficients)

    def derivative(self, nu: Sequence[int]) -> PartialFractions:
        """The derivative of order nu_1 along the feature."""
        (order,) = nu
        return replace(self, nu=self.nu + int(order))

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, 1); shape (n, n_outputs)."""
        return rational_columns(x[:, 0], self.poles, self.nu) @ self.coefficients

    @property
    def kind(self) -> Hashable:
        """The poles."""
        return self.poles.tobytes(), self.nu

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        if not axes:
            return self.evaluate(upper)
        line = polynomials(2, ends_of(lower, upper, 0), True)
        poles, size = self.poles, distance_from_box(self.poles)
        # of the ratio, as it does not cross the cut: both ends are on one side of a pole
        ratio = (upper - poles) / (lower - poles)
        logarithms = size * np.log(ratio)
        columns = [line, logarithms.real, logarithms.imag[:, poles.imag > 0]]
        return np.concatenate(columns, axis=1) @ self.coefficients


def rational_columns(
    x: NDArray[np.float64], poles: NDArray[np.complex128], nu: int = 0
) -> NDArray[np.float64]:
    """Each term at points (n,), or its derivative of order ``nu``; shape (n, n_terms)."""
    slopes = legendre.legder(np.eye(2), nu)
    line = legendre.legvander(x, len(slopes) - 1) @ slopes
    size = (-1) ** nu * factorial(nu) * distance_from_box(poles)
    fractions = size / (x[:, None] - poles) ** (nu + 1)
    return np.concatenate([line, fractions.real, fractions.imag[:, poles.imag > 0]], axis=1)


def distance_from_box(poles: NDArray[np.complex128]) -> NDArray[np.float64]:
    """Distance of each pole from [-1, 1]."""
    return np.abs(poles - np.clip(poles.real, -1, 1))
