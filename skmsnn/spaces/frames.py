"""Columns of least squares at scattered points: waves, polynomials, and products of these."""

from __future__ import annotations

from math import prod
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.functions import LinearExpansion
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.lattice import FourierSum, TensorFourierSeries, lattice_angles
from skmsnn.functions.polynomial import LegendreSeries, columns_of
from skmsnn.functions.products import TensorProductSeries
from skmsnn.functions.quotient import RationalFunction
from skmsnn.functions.rational import PartialFractions, rational_columns
from skmsnn.functions.sum import FunctionSum
from skmsnn.linalg.nufft import nufft_type1


class AnyFrame(Protocol):
    """Functions whose values are the columns of a least squares problem."""

    n_columns: int

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""

    def modes(self, c: NDArray[np.float64]) -> LinearExpansion:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""


class Frame:
    """Cosines and sines of a list of wave vectors, the columns of a least squares problem.

    Parameters
    ----------
    wave_vectors : ndarray of shape (n_modes, d)
        In radians per unit; one of each pair, the zero vector allowed.
    """

    def __init__(self, wave_vectors: NDArray[np.float64]) -> None:
        self.wave_vectors = wave_vectors
        self._waving = wave_vectors.any(axis=1)
        self.n_columns = len(wave_vectors) + int(self._waving.sum())

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""
        k, n_outputs = len(self.wave_vectors), 0 if target is None else target.shape[1]
        system = np.empty((len(x), self.n_columns + n_outputs), order="F")
        if target is not None:
            system[:, self.n_columns :] = target * root[:, None]
        for block in blocks_of(len(x), 16 * k):
            waves = self._waves(x[block]) * root[block, None]
            system[block, :k] = waves.real
            system[block, k : self.n_columns] = waves.imag[:, self._waving]
        return system

    def derivative_columns(
        self, x: NDArray[np.float64], nu: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """Derivatives of the columns, of order nu_j along each axis j, at points (n, d)."""
        waves = self._waves(x) * np.prod((1j * self.wave_vectors) ** np.asarray(nu), axis=1)
        return np.concatenate([waves.real, waves.imag[:, self._waving]], axis=1)

    def modes(self, c: NDArray[np.float64]) -> LinearExpansion:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        return FourierSum(self.wave_vectors, self.amplitudes(c))

    def amplitudes(self, c: NDArray[np.float64]) -> NDArray[np.complex128]:
        """Complex amplitudes of the waves, from coefficients (n_columns, n_outputs)."""
        k = len(self.wave_vectors)
        amplitudes = c[:k].astype(complex)
        amplitudes[self._waving] -= 1j * c[k:]
        return amplitudes

    def _waves(self, x: NDArray[np.float64]) -> NDArray[np.complex128]:
        """``exp(i w . x)`` of every point and wave vector."""
        return np.exp(1j * (x @ self.wave_vectors.T))


class LatticeFrame(Frame):
    """The same for integer wave numbers of a box; the function is returned as a lattice.

    Parameters
    ----------
    numbers : ndarray of shape (n_modes, d), int
        One of each pair of wave numbers.
    lengths : ndarray of shape (d,)
        Sides of the box in scaled coordinates.
    """

    def __init__(self, numbers: NDArray[np.int64], lengths: NDArray[np.float64]) -> None:
        self._numbers, self._lengths = numbers, lengths
        super().__init__(2 * np.pi * numbers / lengths)

    def modes(self, c: NDArray[np.float64]) -> TensorFourierSeries:
        orders = np.abs(self._numbers).max(axis=0)
        amplitudes = self.amplitudes(c)
        coefficients = np.zeros((*(2 * orders + 1), c.shape[1]), dtype=complex)
        coefficients[tuple((orders + self._numbers).T)] = amplitudes / 2
        coefficients[tuple((orders - self._numbers).T)] += np.conj(amplitudes) / 2
        return TensorFourierSeries(coefficients, self._lengths)

    def sums(self, x: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of columns times values (n, n_outputs), over points (n, d), by a non-uniform FFT."""
        orders = np.abs(self._numbers).max(axis=0)
        angles, place = lattice_angles(x, self._lengths), tuple((orders + self._numbers).T)
        of_outputs = [nufft_type1(angles, v, tuple(orders))[place] for v in values.T]
        sums = np.stack(of_outputs, axis=1)
        return np.concatenate([sums.real, -sums.imag[self._waving]])

    def _waves(self, x: NDArray[np.float64]) -> NDArray[np.complex128]:
        # products of few exponentials an axis
        waves = np.ones((len(x), len(self._numbers)), dtype=complex)
        for column, k, length in zip(x.T, self._numbers.T, self._lengths, strict=True):
            distinct, position = np.unique(k, return_inverse=True)
            axis = np.exp(2j * np.pi / length * np.outer(column, distinct))
            waves *= axis[:, position]
        return waves


class LatticeWavesFrame:
    """Waves of a lattice, and few waves of any wave vectors beside them.

    Parameters
    ----------
    lattice : LatticeFrame
        Waves of a box.
    waves : ndarray of shape (n_waves, d)
        Wave vectors, in radians per unit, not 0.
    """

    def __init__(self, lattice: LatticeFrame, waves: NDArray[np.float64]) -> None:
        self.lattice, self.waves = lattice, waves
        self._parts = (lattice, Frame(waves))
        self.n_columns = sum(part.n_columns for part in self._parts)

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""
        lattice, waves = self._parts
        columns = [lattice.system(x, root), waves.system(x, root, target)]
        return np.asfortranarray(np.concatenate(columns, axis=1))

    def modes(self, c: NDArray[np.float64]) -> FunctionSum:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        lattice, waves = self._parts
        n = lattice.n_columns
        of_waves = FourierSum(waves.wave_vectors, waves.amplitudes(c[n:]))
        return FunctionSum((lattice.modes(c[:n]), of_waves))

    def sums(self, x: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of columns times values (n, n_outputs), over points (n, d)."""
        lattice, waves = self._parts
        of_waves = waves.system(x, np.ones(len(x))).T @ values
        return np.concatenate([lattice.sums(x, values), of_waves])


class ProductFrame:
    """Products of lattice waves of some features and Legendre polynomials of the others.

    For features of few levels: all polynomials that the levels tell apart, and no waves.

    Parameters
    ----------
    waves : LatticeFrame
        Of the features in ``wave_axes``.
    wave_axes, level_axes : tuple of int
        Which features have waves, and which have levels.
    degrees : tuple of int
        Highest degree along each of ``level_axes``.
    """

    def __init__(
        self,
        waves: LatticeFrame,
        wave_axes: tuple[int, ...],
        level_axes: tuple[int, ...],
        degrees: tuple[int, ...],
    ) -> None:
        self._waves, self._wave_axes, self._level_axes = waves, wave_axes, level_axes
        self._bases = tuple(LegendreBasis(degree) for degree in degrees)
        self._n_products = prod(basis.size for basis in self._bases)
        self.n_columns = waves.n_columns * self._n_products

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""
        columns = self._waves.system(x[:, list(self._wave_axes)], root)
        for basis, axis in zip(self._bases, self._level_axes, strict=True):
            values = basis.values(x[:, axis])
            columns = (columns[:, :, None] * values[:, None, :]).reshape(len(x), -1)
        if target is not None:
            columns = np.column_stack([columns, target * root[:, None]])
        return np.asfortranarray(columns)

    def modes(self, c: NDArray[np.float64]) -> TensorProductSeries:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        n_outputs = c.shape[1]
        waves = self._waves.modes(c.reshape(self._waves.n_columns, -1))
        sizes = [basis.size for basis in self._bases]
        box = waves.coefficients.shape[:-1]
        coefficients = waves.coefficients.reshape(*box, *sizes, n_outputs)
        lengths = waves.lengths
        return TensorProductSeries(
            coefficients, lengths, self._wave_axes, self._bases, self._level_axes
        )


class PolynomialFrame:
    """Products of Legendre polynomials.

    Parameters
    ----------
    degrees : ndarray of shape (n_terms, d), int
        Of each term along each feature.
    """

    def __init__(self, degrees: NDArray[np.int64]) -> None:
        self._degrees = degrees
        self.n_columns = len(degrees)

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""
        return _weighted(columns_of(x, self._degrees), root, target)

    def derivative_columns(
        self, x: NDArray[np.float64], nu: tuple[int, ...]
    ) -> NDArray[np.float64]:
        """Derivatives of the columns, of order nu_j along each axis j, at points (n, d)."""
        return columns_of(x, self._degrees, nu)

    def modes(self, c: NDArray[np.float64]) -> LegendreSeries:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        return LegendreSeries(self._degrees, c)


class RationalFrame:
    """A straight line and fractions of one feature.

    Parameters
    ----------
    poles : ndarray of shape (n_poles,), complex
        One of each conjugate pair, with a positive imaginary part, and real ones.
    """

    def __init__(self, poles: NDArray[np.complex128]) -> None:
        self._poles = poles
        self.n_columns = rational_columns(np.zeros(1), poles).shape[1]

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, 1), and a target beside them, times ``root`` of shape (n,)."""
        return _weighted(rational_columns(x[:, 0], self._poles), root, target)

    def modes(self, c: NDArray[np.float64]) -> PartialFractions:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        return PartialFractions(self._poles, c)


class QuotientFrame:
    """Products of Legendre polynomials over a given denominator.

    Parameters
    ----------
    degrees : ndarray of shape (n_terms, d), int
        Of each term of the numerator along each feature.
    denominator : LegendreSeries
        With one output.
    """

    def __init__(self, degrees: NDArray[np.int64], denominator: LegendreSeries) -> None:
        self._degrees, self._denominator = degrees, denominator
        self.n_columns = len(degrees)

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""
        columns = columns_of(x, self._degrees) / self._denominator.evaluate(x)
        return _weighted(columns, root, target)

    def modes(self, c: NDArray[np.float64]) -> RationalFunction:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        return RationalFunction(self._degrees, c, self._denominator)


def _weighted(
    columns: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None
) -> NDArray[np.float64]:
    """Columns, and a target beside them, times ``root`` of shape (n,)."""
    if target is not None:
        columns = np.column_stack([columns, target])
    return np.asfortranarray(columns * root[:, None])
