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

Modes = FourierModes | LatticeModes

# bytes of one block of rows while a system is built
_BLOCK_BYTES = 2**22


class Frame:
    """Cosines and sines of a list of wave vectors, the columns of a least squares problem.

    Parameters
    ----------
    wave_vectors : ndarray of shape (n_modes, d)
        In radians per unit; one of each pair, the zero vector allowed.
    """

    def __init__(self, wave_vectors: NDArray[np.float64]) -> None:
        self._wave_vectors = wave_vectors
        self._waving = wave_vectors.any(axis=1)
        self.n_columns = len(wave_vectors) + int(self._waving.sum())

    def fill(self, system: NDArray[np.float64], x: NDArray[np.float64], root: NDArray) -> None:
        """Write the columns at points (n, d), times ``root`` of shape (n,), into ``system``."""
        k = len(self._wave_vectors)
        block_rows = max(1, _BLOCK_BYTES // (16 * k))
        for start in range(0, len(x), block_rows):
            block = slice(start, start + block_rows)
            waves = self._waves(x[block]) * root[block, None]
            system[block, :k] = waves.real
            system[block, k:] = waves.imag[:, self._waving]

    def modes(self, c: NDArray[np.float64]) -> Modes:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        return FourierModes(self._wave_vectors, self._amplitudes(c))

    def _amplitudes(self, c: NDArray[np.float64]) -> NDArray[np.complex128]:
        k = len(self._wave_vectors)
        amplitudes = c[:k].astype(complex)
        amplitudes[self._waving] -= 1j * c[k:]
        return amplitudes

    def _waves(self, x: NDArray[np.float64]) -> NDArray[np.complex128]:
        """``exp(i w . x)`` of every point and wave vector."""
        return np.exp(1j * (x @ self._wave_vectors.T))


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

    def modes(self, c: NDArray[np.float64]) -> LatticeModes:
        orders = np.abs(self._numbers).max(axis=0)
        amplitudes = self._amplitudes(c)
        coefficients = np.zeros((*(2 * orders + 1), c.shape[1]), dtype=complex)
        coefficients[tuple((orders + self._numbers).T)] = amplitudes / 2
        coefficients[tuple((orders - self._numbers).T)] += np.conj(amplitudes) / 2
        return LatticeModes(coefficients, self._lengths)

    def _waves(self, x: NDArray[np.float64]) -> NDArray[np.complex128]:
        # products of few exponentials an axis
        waves = np.ones((len(x), len(self._numbers)), dtype=complex)
        for column, k, length in zip(x.T, self._numbers.T, self._lengths, strict=True):
            distinct, position = np.unique(k, return_inverse=True)
            axis = np.exp(2j * np.pi / length * np.outer(column, distinct))
            waves *= axis[:, position]
        return waves


class DenseFit:
    """Weighted least squares on a frame, prepared for many targets.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Points in scaled coordinates.
    weight : ndarray of shape (n,)
        Weights of the points, at most 1; points of weight 0 are left out.
    frame : Frame
        The modes.
    damping : float, default=1e-14
        Relative to the root mean square of a column.
    """

    # scattered points have others between them, and held-out ones show what happens there
    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        frame: Frame,
        damping: float = ROUND_OFF,
    ) -> None:
        self._x, self.frame, self.damping = x, frame, damping
        rows = np.flatnonzero(weight)
        triangle = damping_triangle(frame.n_columns, len(rows), damping)
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

    def solve(self, target: NDArray[np.float64]) -> Modes:
        """Modes closest to a target of shape (n, n_outputs)."""
        rotated = np.zeros((self.frame.n_columns, target.shape[1]))
        for fold in self._folds:
            rotated = fold.rotate(target, rotated)
        triangle = self._folds[-1].triangle
        return self.frame.modes(sla.solve_triangular(triangle, rotated, check_finite=False))

    def _fold(
        self, rows: NDArray[np.intp], weight: NDArray[np.float64], triangle: NDArray[np.float64]
    ) -> _Fold:
        root = np.sqrt(weight[rows])
        system = np.empty((len(rows) + len(triangle), len(triangle)), order="F")
        self.frame.fill(system[: len(rows)], self._x[rows], root)
        system[len(rows) :] = triangle
        return _Fold(rows, root, system)


def damping_triangle(n_columns: int, n_rows: int, damping: float) -> NDArray[np.float64]:
    """The rows of the system that hold the coefficients down."""
    return np.eye(n_columns) * (damping * np.sqrt(n_rows))


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
