"""Spectral least squares at scattered periodic points, by Toeplitz normal equations.

The normal matrix of complex exponentials has the entries
``T[k - l] = sum_i w_i exp(-i (k - l) . x_i)``:
so one non-uniform FFT builds it and two FFTs apply it (Feichtinger, Groechenig & Strohmer
1995, Efficient numerical methods in non-uniform sampling theory).
"""

from __future__ import annotations

import numpy as np
import scipy.fft as sfft
from numpy.typing import NDArray

from skmsnn._spectrum.lattice import LatticeModes, lattice_angles
from skmsnn._spectrum.linear import conjugate_gradients
from skmsnn._spectrum.nufft import points_from_waves, waves_from_points
from skmsnn._spectrum.p_norm import PointBasis

_CG_TOLERANCE, _CG_ITERATIONS = 1e-15, 500


class ToeplitzFit:
    """Weighted least squares on a box of lattice modes, prepared for many targets.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Points in scaled coordinates, d at most 3.
    weight : ndarray of shape (n,)
        Weights of the points.
    orders : tuple of int
        Largest wave number along each axis.
    lengths : ndarray of shape (d,)
        Periods in scaled coordinates.
    """

    # scattered points have others between them, and held-out ones show what happens there
    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        orders: tuple[int, ...],
        lengths: NDArray[np.float64],
    ) -> None:
        self._x = x
        used = weight > 0
        self._used, self._weight = used, weight[used] / weight.sum()
        self._angles = lattice_angles(x[used], lengths)
        self._orders, self._lengths = orders, lengths
        doubled = tuple(2 * m for m in orders)
        self._system = ToeplitzSystem(
            waves_from_points(self._angles, self._weight, doubled), orders
        )

    def extended(self, weight: NDArray[np.float64]) -> ToeplitzFit:
        """The same modes fitted to the points under other weights."""
        return ToeplitzFit(self._x, weight, self._orders, self._lengths)

    def solve(self, target: NDArray[np.float64]) -> LatticeModes:
        """Modes closest to a target of shape (n, n_outputs)."""
        columns = [
            self._system.solve(waves_from_points(self._angles, self._weight * column, self._orders))
            for column in target[self._used].T
        ]
        return LatticeModes(np.stack(columns, axis=-1), self._lengths)

    def basis(self) -> PointBasis:
        """The waves, whose coefficients are those of a real function."""
        n_points = len(self._angles[0])

        def synthesise(c: NDArray) -> NDArray:
            return points_from_waves(self._angles, c[None])[0].real / np.sqrt(n_points)

        def analyse(values: NDArray) -> NDArray:
            return waves_from_points(self._angles, values, self._orders) / np.sqrt(n_points)

        def modes(c: NDArray) -> LatticeModes:
            return LatticeModes(c / np.sqrt(n_points), self._lengths)

        return PointBasis(np.flatnonzero(self._used), synthesise, analyse, modes)


class ToeplitzSystem:
    """The normal equations of a box of modes, from sums over the points alone.

    Parameters
    ----------
    kernel : ndarray of shape (4 M_1 + 1, ...), complex
        Sum over points of ``weight exp(-i k . x)``, k_j = -2 M_j..2 M_j; larger boxes are cut.
    orders : tuple of int
        Largest wave numbers M_j.
    """

    def __init__(self, kernel: NDArray[np.complex128], orders: tuple[int, ...]) -> None:
        self._orders = orders
        self._padded = tuple(sfft.next_fast_len(4 * m + 1, real=True) for m in orders)
        wrapped = np.zeros(self._padded, dtype=complex)
        place = np.ix_(*[np.arange(-2 * m, 2 * m + 1) for m in orders])
        wrapped[place] = central_box(kernel, tuple(2 * m for m in orders))
        # real, since the kernel is Hermitian
        self._symbol = sfft.ifftn(wrapped, norm="forward").real
        half = [*(np.arange(-m, m + 1) for m in orders[:-1]), np.arange(orders[-1] + 1)]
        self._half = np.ix_(*half)

    def solve(self, rhs: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Coefficients of ``exp(i k . x)`` for ``rhs``, the sum of ``weight y exp(-i k . x)``."""
        c = conjugate_gradients(self._apply, rhs, tolerance=_CG_TOLERANCE, max_iter=_CG_ITERATIONS)
        return (c + np.conj(np.flip(c))) / 2

    def _apply(self, c: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """The convolution with the kernel, of coefficients of a real function."""
        padded = (*self._padded[:-1], self._padded[-1] // 2 + 1)
        spectrum = np.zeros(padded, dtype=complex)
        spectrum[self._half] = c[..., self._orders[-1] :]
        values = sfft.irfftn(spectrum, self._padded)
        half = sfft.rfftn(self._symbol * values)[self._half]
        return np.concatenate([np.conj(np.flip(half[..., 1:])), half], axis=-1)


def central_box(a: NDArray[np.complex128], orders: tuple[int, ...]) -> NDArray[np.complex128]:
    """Of an array over wave numbers, those of at most ``orders``."""
    pairs = zip(a.shape, orders, strict=True)
    return a[tuple(slice(n // 2 - m, n // 2 + m + 1) for n, m in pairs)]
