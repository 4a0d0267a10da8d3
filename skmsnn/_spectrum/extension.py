"""Spectral least squares for any points and any set of modes, by a dense factorisation.

Modes of a box wider than the data are nearly dependent, so the fit is regularised where the
data say nothing: ``min |A c - y|^2 + (n damping^2) |c|^2``, solved by QR, never by
normal equations. Each further stage solves for the residual and wins back what damping left.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from math import ceil, prod
from typing import NamedTuple

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._spectrum.bases import LegendreBasis
from skmsnn._spectrum.lattice import ROUND_OFF, FourierModes, LatticeModes, lattice_angles
from skmsnn._spectrum.leave_out import NOTHING_BESIDE, Beside, LeftOut, left_out_one_by_one
from skmsnn._spectrum.linear import least_squares_conjugate_gradients
from skmsnn._spectrum.nufft import waves_from_points
from skmsnn._spectrum.p_norm import PointBasis
from skmsnn._spectrum.polynomial import PolynomialModes
from skmsnn._spectrum.products import ProductModes
from skmsnn._spectrum.tsqr import Reflections, take_in

Modes = FourierModes | LatticeModes | ProductModes | PolynomialModes

# bytes of complex exponentials at a time, and of rows that a triangle takes in at a time
_BLOCK_BYTES, _ROWS_BYTES = 2**22, 2**25
# and of all modes at points at most
_BASIS_BYTES = 2**28
# Conjugate gradients on all points. Each stage takes as many digits, and what is rounding does not
# fall.
_CG_TOLERANCE, _CG_ITERATIONS, _CG_PATIENCE = 1e-3, 50, 5


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

    def system(
        self, x: NDArray[np.float64], root: NDArray[np.float64], target: NDArray | None = None
    ) -> NDArray[np.float64]:
        """The columns at points (n, d), and a target beside them, times ``root`` of shape (n,)."""
        k, n_outputs = len(self._wave_vectors), 0 if target is None else target.shape[1]
        system = np.empty((len(x), self.n_columns + n_outputs), order="F")
        if target is not None:
            system[:, self.n_columns :] = target * root[:, None]
        block_rows = max(1, _BLOCK_BYTES // (16 * k))
        for start in range(0, len(x), block_rows):
            block = slice(start, start + block_rows)
            waves = self._waves(x[block]) * root[block, None]
            system[block, :k] = waves.real
            system[block, k : self.n_columns] = waves.imag[:, self._waving]
        return system

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

    def sums(self, x: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of columns times values (n, n_outputs), over points (n, d), by a non-uniform FFT."""
        orders = np.abs(self._numbers).max(axis=0)
        angles, place = lattice_angles(x, self._lengths), tuple((orders + self._numbers).T)
        of_outputs = [waves_from_points(angles, v, tuple(orders))[place] for v in values.T]
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

    def modes(self, c: NDArray[np.float64]) -> ProductModes:
        """The function whose coefficients (n_columns, n_outputs) solve the problem."""
        n_outputs = c.shape[1]
        waves = self._waves.modes(c.reshape(self._waves.n_columns, -1))
        sizes = [basis.size for basis in self._bases]
        box = waves.coefficients.shape[:-1]
        coefficients = waves.coefficients.reshape(*box, *sizes, n_outputs)
        lengths = waves.lengths
        return ProductModes(coefficients, lengths, self._wave_axes, self._bases, self._level_axes)


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
    most_rows : int, default=None
        Of more points than those, every second, third, or so is used.
    """

    # scattered points have others between them, and held-out ones show what happens there
    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        frame: Frame | ProductFrame,
        damping: float = ROUND_OFF,
        most_rows: int | None = None,
    ) -> None:
        self._x, self._weight, self.frame, self.damping = x, weight, frame, damping
        self._most_rows = len(x) if most_rows is None else most_rows
        n_rows = min(int(np.count_nonzero(weight)), self._most_rows)
        self._triangle = damping_triangle(frame.n_columns, n_rows, damping)
        self._blocks: list[_Block] = []
        self._n_rows = 0
        self._take_in(np.flatnonzero(weight))

    def extended(self, weight: NDArray[np.float64]) -> DenseFit:
        """The fit with more points: those whose weight was 0 and is not in ``weight``."""
        more = np.flatnonzero((weight > 0) & (self._weight == 0))
        if len(more) == 0:
            return self
        larger = copy(self)
        larger._blocks, larger._weight = list(self._blocks), weight
        larger._take_in(more)
        return larger

    def solve(self, target: NDArray[np.float64]) -> Modes:
        """Modes closest to a target of shape (n, n_outputs).

        What damping left is fitted once more with the same triangle where that can be seen: the
        damping then holds back the directions below it and no others.
        """
        c = self._solution(target)
        if self.damping > ROUND_OFF:
            c += self._solution(target - self.frame.modes(c).evaluate(self._x))
        if isinstance(self.frame, LatticeFrame) and self._is_thinned:
            rest = target - self.frame.modes(c).evaluate(self._x)
            c += self._correction(self.frame, rest)
        return self.frame.modes(c)

    @property
    def _is_thinned(self) -> bool:
        """Whether there are many more points than those that the triangle is of."""
        return bool(np.count_nonzero(self._weight) >= 2 * self._most_rows)

    def _correction(self, frame: LatticeFrame, rest: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the points that were not used add to the solution.

        By conjugate gradients on all points; the triangle of some makes the problem well
        conditioned (Avron, Maymounkov & Toledo 2010, Blendenpik, section 3).
        """
        used = np.flatnonzero(self._weight)
        x, root = self._x[used], np.sqrt(self._weight[used])[:, None]

        def operator(z: NDArray) -> NDArray:
            c = sla.solve_triangular(self._triangle, z, check_finite=False)
            return root * frame.modes(c).evaluate(x)

        def adjoint(values: NDArray) -> NDArray:
            sums = frame.sums(x, root * values)
            return sla.solve_triangular(self._triangle, sums, trans="T", check_finite=False)

        z = least_squares_conjugate_gradients(
            operator,
            adjoint,
            root * rest[used],
            tolerance=_CG_TOLERANCE,
            max_iter=_CG_ITERATIONS,
            patience=_CG_PATIENCE,
        )
        return sla.solve_triangular(self._triangle, z, check_finite=False)

    def basis(self) -> PointBasis:
        """The modes, made nearly orthonormal by the triangle, at as many points as memory has."""
        used = np.flatnonzero(self._weight)
        most = max(self.frame.n_columns, _BASIS_BYTES // (8 * self.frame.n_columns))
        rows = used[:: -(-len(used) // most)]
        matrix = self._half_solved(self._x[rows], np.ones(len(rows))).T

        def modes(c: NDArray[np.float64]) -> Modes:
            return self.frame.modes(sla.solve_triangular(self._triangle, c, check_finite=False))

        return PointBasis.of_matrix(rows, matrix, modes)

    def left_out(
        self,
        residual: NDArray[np.float64],
        rows: NDArray[np.intp],
        rounding: float,
        beside: Beside = NOTHING_BESIDE,
    ) -> LeftOut:
        """What fits without one of these rows leave there, from what the fit to all leaves there.

        ``e_i = r_i / (1 - h_i)`` with the leverage ``h_i = |g_i|^2``, ``g_i = R^-T a_i`` (Allen
        1974). Where damping is at round-off that was up to a thousand times too much; from 1e-11 on
        it was within ten times of the error at fresh points. Leaving out row i changes the fit by
        ``g(x) . g_i e_i`` elsewhere, and the jackknife tells from these changes how unsure it is at
        points ``beside``, as in corners, beyond which no point is.
        """
        root = np.sqrt(self._weight[rows])
        leverage = np.empty(len(rows))
        n_beside = len(beside.points)
        square = np.zeros((n_beside, residual.shape[1]))
        at_points = np.empty((self.frame.n_columns, 0))
        if n_beside:
            at_points = self._half_solved(beside.points, np.ones(n_beside))
        unseen = np.empty((len(rows), residual.shape[1]))
        for block in blocks_of_rows(np.arange(len(rows)), self.frame.n_columns):
            half = self._half_solved(self._x[rows[block]], root[block])
            leverage[block] = np.sum(half**2, axis=0)
            rest = residual[rows[block]]
            unseen[block] = left_out_one_by_one(rest, leverage[block], rounding)
            square += (at_points.T @ half) ** 2 @ (root[block, None] * unseen[block]) ** 2
        n_used = min(int(np.count_nonzero(self._weight)), self._most_rows)
        unsure = beside.share * np.mean(square) * n_used / len(rows) if n_beside else 0.0
        return LeftOut(rows, unseen, float(np.sqrt(unsure)))

    def _half_solved(
        self, x: NDArray[np.float64], root: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """``R^-T a`` for the rows a of points, shape (n_columns, n)."""
        system = self.frame.system(x, root)
        return sla.solve_triangular(self._triangle, system.T, trans="T", check_finite=False)

    def _solution(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        rotated = np.zeros((self.frame.n_columns, target.shape[1]), order="F")
        for block in self._blocks:
            rhs = np.asfortranarray(target[block.rows] * block.root[:, None])
            rotated = block.reflections.rotate(rotated, rhs)
        return sla.solve_triangular(self._triangle, rotated, check_finite=False)

    def _take_in(self, points: NDArray[np.intp]) -> None:
        # up to the most rows, or else their share of these points
        share = self._most_rows / np.count_nonzero(self._weight)
        n_rows = max(self._most_rows - self._n_rows, share * len(points), 1)
        points = points[:: ceil(len(points) / n_rows)]
        self._n_rows += len(points)
        for rows in blocks_of_rows(points, self.frame.n_columns):
            root = np.sqrt(self._weight[rows])
            system = self.frame.system(self._x[rows], root)
            self._triangle, reflections = take_in(self._triangle, system)
            self._blocks.append(_Block(rows, root, reflections))


class _Block(NamedTuple):
    """Rows that a triangle has taken in, the roots of their weights, and how."""

    rows: NDArray[np.intp]
    root: NDArray[np.float64]
    reflections: Reflections


def damping_triangle(n_columns: int, n_rows: int, damping: float) -> NDArray[np.float64]:
    """The rows of the system that hold the coefficients down."""
    return np.eye(n_columns) * (damping * np.sqrt(n_rows))


def blocks_of_rows(rows: NDArray[np.intp], n_columns: int) -> Iterator[NDArray[np.intp]]:
    """As many rows at a time as a triangle best takes in."""
    step = max(n_columns, _ROWS_BYTES // (8 * n_columns))
    for start in range(0, len(rows), step):
        yield rows[start : start + step]
