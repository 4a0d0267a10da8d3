"""Spectral least squares for any points and any set of modes, by a dense factorisation.

Modes of a box wider than the data are nearly dependent, so the fit is regularised where the
data say nothing: ``min |A c - y|^2 + (n damping^2) |c|^2``, solved by QR, never by
normal equations. Each further stage solves for the residual and wins back what damping left.
"""

from __future__ import annotations

from copy import copy

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.linalg import lapack

from skmsnn._spectrum.lattice import ROUND_OFF, FourierModes, LatticeModes

# bytes of one block of rows while a system is built
_BLOCK_BYTES = 2**22


class DenseFit:
    """Weighted least squares on a list of modes, prepared for many targets.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Points in scaled coordinates.
    weight : ndarray of shape (n,)
        Weights of the points, at most 1; points of weight 0 are left out.
    wave_vectors : ndarray of shape (n_modes, d)
        In radians per unit; one of each pair, the zero vector allowed.
    damping : float, default=1e-14
        Relative to the root mean square of a column.
    """

    # scattered points have others between them, and held-out ones show what happens there
    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        wave_vectors: NDArray[np.float64],
        damping: float = ROUND_OFF,
    ) -> None:
        self._x, self._wave_vectors = x, wave_vectors
        self._waving = wave_vectors.any(axis=1)
        rows = np.flatnonzero(weight)
        n_columns = len(wave_vectors) + int(self._waving.sum())
        triangle = np.eye(n_columns, dtype=np.float64)
        triangle *= damping * np.sqrt(len(rows))
        self._folds = [self._fold(rows, weight, triangle)]
        self._weight = weight

    def extended(self, weight: NDArray[np.float64]) -> DenseFit:
        """The fit with more points: those whose weight was 0 and is not in ``weight``."""
        rows = np.flatnonzero((weight > 0) & (self._weight == 0))
        if len(rows) == 0:
            return self
        larger = copy(self)
        larger._folds = [*self._folds, self._fold(rows, weight, self._folds[-1].triangle)]
        larger._weight = weight
        return larger

    def solve(self, target: NDArray[np.float64]) -> FourierModes:
        """Modes closest to a target of shape (n, n_outputs)."""
        n_columns = len(self._folds[0].triangle)
        rotated = np.zeros((n_columns, target.shape[1]))
        for fold in self._folds:
            rotated = fold.rotate(target, rotated)
        c = sla.solve_triangular(self._folds[-1].triangle, rotated, check_finite=False)
        k = len(self._wave_vectors)
        coefficients = c[:k].astype(complex)
        coefficients[self._waving] -= 1j * c[k:]
        return FourierModes(self._wave_vectors, coefficients)

    def _fold(
        self, rows: NDArray[np.intp], weight: NDArray[np.float64], triangle: NDArray[np.float64]
    ) -> _Fold:
        n, k = len(rows), len(self._wave_vectors)
        root = np.sqrt(weight[rows])
        system = np.empty((n + len(triangle), len(triangle)), order="F")
        block_rows = max(1, _BLOCK_BYTES // (16 * k))
        for start in range(0, n, block_rows):
            block = slice(start, min(start + block_rows, n))
            waves = self._waves(self._x[rows[block]]) * root[block, None]
            system[block, :k] = waves.real
            system[block, k:] = waves.imag[:, self._waving]
        system[n:] = triangle
        return _Fold(rows, root, system)

    def _waves(self, x: NDArray[np.float64]) -> NDArray[np.complex128]:
        """``exp(i w . x)`` of every point and wave vector."""
        return np.exp(1j * (x @ self._wave_vectors.T))


class _Fold:
    """QR of some weighted rows stacked on the triangle of those before."""

    def __init__(
        self, rows: NDArray[np.intp], root: NDArray[np.float64], system: NDArray[np.float64]
    ) -> None:
        self._rows, self._root = rows, root
        (self._reflectors, self._tau), r = sla.qr(
            system, mode="raw", overwrite_a=True, check_finite=False
        )
        self.triangle: NDArray[np.float64] = np.array(r[: system.shape[1]], dtype=np.float64)

    def rotate(self, target: NDArray, before: NDArray) -> NDArray:
        """Q' applied to these rows of a target, stacked on what came of those before."""
        rhs = np.concatenate([target[self._rows] * self._root[:, None], before])
        rotated, _, info = lapack.dormqr(
            "L", "T", self._reflectors, self._tau, rhs, lwork=64 * max(rhs.shape)
        )
        if info != 0:
            raise np.linalg.LinAlgError(f"dormqr failed with info={info}.")
        return rotated[: len(self.triangle)]


class LatticeDenseFit:
    """``DenseFit`` on integer wave numbers of a box, whose modes are returned as a lattice."""

    # scattered points have others between them, and held-out ones show what happens there
    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        numbers: NDArray[np.int64],
        lengths: NDArray[np.float64],
        damping: float = ROUND_OFF,
    ) -> None:
        self._numbers, self._lengths = numbers, lengths
        self._fit: DenseFit = _LatticeSystem(x, weight, numbers, lengths, damping)

    def extended(self, weight: NDArray[np.float64]) -> LatticeDenseFit:
        larger = copy(self)
        larger._fit = self._fit.extended(weight)
        return larger

    def solve(self, target: NDArray[np.float64]) -> LatticeModes:
        modes = self._fit.solve(target)
        orders = np.abs(self._numbers).max(axis=0)
        shape = (*(2 * orders + 1), target.shape[1])
        coefficients = np.zeros(shape, dtype=complex)
        coefficients[tuple((orders + self._numbers).T)] = modes.coefficients / 2
        coefficients[tuple((orders - self._numbers).T)] += np.conj(modes.coefficients) / 2
        return LatticeModes(coefficients, self._lengths)


class _LatticeSystem(DenseFit):
    """The same system, its waves the products of few exponentials an axis."""

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        numbers: NDArray[np.int64],
        lengths: NDArray[np.float64],
        damping: float,
    ) -> None:
        self._numbers, self._lengths = numbers, lengths
        super().__init__(x, weight, 2 * np.pi * numbers / lengths, damping)

    def _waves(self, x: NDArray[np.float64]) -> NDArray[np.complex128]:
        waves = np.ones((len(x), len(self._numbers)), dtype=complex)
        for column, k, length in zip(x.T, self._numbers.T, self._lengths, strict=True):
            distinct, position = np.unique(k, return_inverse=True)
            axis = np.exp(2j * np.pi / length * np.outer(column, distinct))
            waves *= axis[:, position]
        return waves
