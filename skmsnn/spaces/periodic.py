"""Spectral least squares at scattered periodic points, by Toeplitz normal equations.

The normal matrix of complex exponentials has the entries
``T[k - l] = sum_i w_i exp(-i (k - l) . x_i)``:
so one non-uniform FFT builds it and two FFTs apply it (Feichtinger, Groechenig & Strohmer
1995, Efficient numerical methods in non-uniform sampling theory).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions.lattice import TensorFourierSeries, lattice_angles
from skmsnn.linalg.nufft import nufft_type1, nufft_type2
from skmsnn.linalg.toeplitz import ToeplitzSystem
from skmsnn.spaces.p_norm import PointBasis


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
        self._system = ToeplitzSystem(nufft_type1(self._angles, self._weight, doubled), orders)

    def extended(self, weight: NDArray[np.float64]) -> ToeplitzFit:
        """The same modes fitted to the points under other weights."""
        return ToeplitzFit(self._x, weight, self._orders, self._lengths)

    def solve(self, target: NDArray[np.float64]) -> TensorFourierSeries:
        """Modes closest to a target of shape (n, n_outputs)."""
        columns = [
            self._system.solve(nufft_type1(self._angles, self._weight * column, self._orders))
            for column in target[self._used].T
        ]
        return TensorFourierSeries(np.stack(columns, axis=-1), self._lengths)

    def basis(self) -> PointBasis:
        """The waves, whose coefficients are those of a real function."""
        n_points = len(self._angles[0])

        def synthesise(c: NDArray) -> NDArray:
            return nufft_type2(self._angles, c[None])[0].real / np.sqrt(n_points)

        def analyse(values: NDArray) -> NDArray:
            return nufft_type1(self._angles, values, self._orders) / np.sqrt(n_points)

        def modes(c: NDArray) -> TensorFourierSeries:
            return TensorFourierSeries(c / np.sqrt(n_points), self._lengths)

        return PointBasis(np.flatnonzero(self._used), synthesise, analyse, modes)
