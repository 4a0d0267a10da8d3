"""Spectral least squares on a tensor grid, complete or with holes, axis by axis.

Along each axis the modes span a space with an orthonormal basis U_j on the nodes: cosines and sines
themselves on a uniform periodic axis, the left singular vectors of a Fourier extension elsewhere.
The space on the grid is the tensor product of those, and on a complete grid the least squares
fit is a product of the U_j alone; of their products those are left out whose product of singular
values is at round-off, as a decomposition of the whole frame would. Holes and weights leave
``min |W^(1/2) (U c - y)|`` for conjugate gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import scipy.fft as sfft
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from skmsnn._spectrum.bases import LegendreBasis, SplineBasis
from skmsnn._spectrum.lattice import ROUND_OFF, LatticeModes
from skmsnn._spectrum.leave_out import Folds, Projection, with_gaps
from skmsnn._spectrum.linear import least_squares_conjugate_gradients
from skmsnn._spectrum.p_norm import PointBasis
from skmsnn._spectrum.products import ProductModes
from skmsnn._spectrum.svd import svd
from skmsnn._spectrum.threads import one_blas_thread

# With hardly more points than modes the condition number is near 1e3 and iterations are many.
_CG_TOLERANCE, _CG_ITERATIONS = 1e-16, 15_000
# Operations of a QR factorisation of all products at the points, for each output, up to which it is
# cheaper: with 240 points and 100 products it takes 2 ms, and conjugate gradients took 75 ms.
_DENSE_OPERATIONS = 2e8
# Asymmetry of nodes in [-1, 1] that is rounding.
_SYMMETRY = 8 * np.finfo(float).eps


class AxisBasis(Projection, Protocol):
    """An orthonormal basis of functions on the nodes of one axis."""

    @property
    def label(self) -> str:
        """What the functions are, for messages."""

    @property
    def strengths(self) -> NDArray[np.float64]:
        """Singular value of each basis function in the frame of modes, the largest 1."""

    @property
    def amplification(self) -> float:
        """Size between the nodes of what has size 1 on them, root mean square."""

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        """Apply U' along an axis."""

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        """Apply U along an axis."""

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        """Coefficients of the functions themselves along an axis.

        Of ``exp(2 pi i k x / length)``, k = -order..order, or of those of the axis' ``basis``.
        """


@dataclass(frozen=True)
class PeriodicAxis:
    """Cosines and sines up to ``order`` on a uniform periodic axis, by FFT."""

    n_nodes: int
    order: int
    length: float
    origin: float

    @property
    def label(self) -> str:
        return f"wave numbers up to {self.order}"

    @property
    def strengths(self) -> NDArray[np.float64]:
        return np.ones(2 * self.order + 1)

    @property
    def amplification(self) -> float:
        return 1.0

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        spectrum = np.moveaxis(sfft.rfft(a, axis=axis, norm="ortho"), axis, 0)
        kept = spectrum[1 : self.order + 1] * np.sqrt(2)
        real = np.concatenate([spectrum[:1].real, kept.real, -kept.imag])
        return np.moveaxis(real, 0, axis)

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        half = self._half_spectrum(np.moveaxis(c, axis, 0))
        return sfft.irfft(np.moveaxis(half, 0, axis), n=self.n_nodes, axis=axis, norm="ortho")

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        real = np.moveaxis(c, axis, 0) / np.sqrt(self.n_nodes)
        m = self.order
        cosine, sine = real[1 : m + 1] / np.sqrt(2), real[m + 1 :] / np.sqrt(2)
        shift = np.exp(-2j * np.pi * np.arange(-m, m + 1) * self.origin / self.length)
        return _join_exponentials(real[:1], cosine, sine, axis, shift)

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        # the Dirichlet kernel, by the rest of the division, so that it is exactly periodic
        distance = np.subtract.outer(rows, rows) % self.n_nodes
        half = np.pi / self.n_nodes * np.arange(self.n_nodes)
        n_waves = 2 * self.order + 1
        kernel = np.full(self.n_nodes, n_waves / self.n_nodes)
        kernel[1:] = np.sin(n_waves * half[1:]) / (self.n_nodes * np.sin(half[1:]))
        return kernel[distance]

    def influence(self, points: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        nodes = self.origin + self.length / self.n_nodes * rows
        half = np.pi / self.length * np.subtract.outer(points, nodes)
        n_waves = 2 * self.order + 1
        with np.errstate(invalid="ignore"):
            kernel = np.sin(n_waves * half) / (self.n_nodes * np.sin(half))
        return np.where(np.sin(half) == 0, n_waves / self.n_nodes, kernel)

    def _half_spectrum(self, real: NDArray) -> NDArray:
        m = self.order
        half = (real[1 : m + 1] - 1j * real[m + 1 :]) / np.sqrt(2)
        return np.concatenate([real[:1], half])


class ExtensionAxis:
    """Fourier extension on one axis: modes of a longer box, truncated where they are dependent.

    The cosines and sines of a box longer than the data form a frame; the singular value
    decomposition turns it into an orthonormal basis of what it can express on the nodes (Adcock,
    Huybrechs & Martin-Vaquero 2014, On the numerical stability of Fourier extensions).
    """

    def __init__(
        self,
        nodes: NDArray[np.float64],
        order: int,
        length: float,
        cutoff: float = ROUND_OFF,
    ) -> None:
        self.order, self.length, self.cutoff = order, length, cutoff
        self._nodes = nodes
        frame = self._frame(nodes)
        if np.allclose(nodes, -nodes[::-1], rtol=0, atol=_SYMMETRY):
            self._svd = _svd_by_parity(frame[:, : order + 1], frame[:, order + 1 :])
        else:
            self._svd = svd(frame)
        self._truncate()

    @property
    def label(self) -> str:
        return f"wave numbers up to {self.order} of a box {self.length / 2:g} times the data's"

    def with_cutoff(self, cutoff: float) -> ExtensionAxis:
        """The same, with fewer of the combinations that are small on the nodes."""
        other = copy(self)
        other.cutoff = cutoff
        other._truncate()
        return other

    def _truncate(self) -> None:
        u, s, vt = self._svd
        rank = int(np.sum(s > self.cutoff * s[0]))
        self.strengths = s[:rank] / s[0]
        self._u = np.ascontiguousarray(u[:, :rank])
        self._to_frame = vt[:rank].T / s[:rank]

    @cached_property
    def amplification(self) -> float:
        # over the interval, so that a wide gap counts for its width
        nodes = self._nodes
        gaps = np.diff(nodes)
        between = self._frame((nodes[1:] + nodes[:-1]) / 2) @ self._to_frame
        share = gaps / max(gaps.sum(), np.finfo(float).tiny)
        return max(1.0, float(np.sqrt(share @ np.sum(between**2, axis=1))))

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return self._u[rows] @ self._u[rows].T

    def influence(self, points: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return self._frame(points) @ self._to_frame @ self._u[rows].T

    def _frame(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = 2 * np.pi / self.length * x[:, None] * np.arange(1, self.order + 1)
        return np.concatenate([np.ones((len(x), 1)), np.cos(phase), np.sin(phase)], axis=1)

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        return _apply(self._u.T, a, axis)

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        return _apply(self._u, c, axis)

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        m = self.order
        frame = np.moveaxis(_apply(self._to_frame, c, axis), axis, 0)
        return _join_exponentials(frame[:1], frame[1 : m + 1] / 2, frame[m + 1 :] / 2, axis)


class BasisAxis:
    """Polynomials or splines along one axis, orthonormal on the nodes by a QR factorisation."""

    amplification = 1.0

    def __init__(self, nodes: NDArray[np.float64], basis: LegendreBasis | SplineBasis) -> None:
        self.basis = basis
        with one_blas_thread:
            u, r = sla.qr(basis.values(nodes), mode="economic", check_finite=False)
        self._u, self._triangle = u, r
        self.strengths = np.ones(basis.size)

    @property
    def label(self) -> str:
        return self.basis.label

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        return _apply(self._u.T, a, axis)

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        return _apply(self._u, c, axis)

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return self._u[rows] @ self._u[rows].T

    def influence(self, points: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        values = self.basis.values(points).T
        between = sla.solve_triangular(self._triangle, values, trans="T", check_finite=False)
        return between.T @ self._u[rows].T

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        first = np.moveaxis(c, axis, 0)
        shape = first.shape
        solved = sla.solve_triangular(
            self._triangle, first.reshape(len(first), -1), check_finite=False
        )
        return np.moveaxis(solved.reshape(shape), 0, axis)


class SplineAxis:
    """The spline of a degree through the values on all nodes of an axis (not-a-knot).

    Every function on the nodes is one, so that nothing is left there, and what a spline does at a
    node without its value has to be asked of the spline through the others.
    """

    amplification = 1.0

    def __init__(self, nodes: NDArray[np.float64], degree: int) -> None:
        self._nodes, self._degree = nodes, degree
        knots = make_interp_spline(nodes, np.zeros(len(nodes)), degree).t
        self.basis = SplineBasis(np.asarray(knots), degree)
        self.strengths = np.ones(len(nodes))

    @property
    def label(self) -> str:
        return self.basis.label

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        return a

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        return c

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.eye(len(rows))

    def influence(self, points: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        values = np.eye(len(self._nodes))[:, rows]
        return np.asarray(make_interp_spline(self._nodes, values, self._degree)(points))

    def left_out(self, columns: NDArray[np.float64], folds: Folds) -> NDArray[np.float64]:
        """What splines through the other rows of (n_nodes, n_columns) leave at those left out."""
        unseen = np.zeros_like(columns)
        middles = folds.gaps.middles
        through_all = make_interp_spline(self._nodes, columns, self._degree)(middles)
        changes = np.zeros((len(middles), columns.shape[1]))
        for rows in folds.folds:
            others = np.setdiff1d(np.arange(len(self._nodes)), rows)
            degree = min(self._degree, len(others) - 1)
            degree += degree % 2 - 1
            spline = make_interp_spline(self._nodes[others], columns[others], degree)
            unseen[rows] = columns[rows] - spline(self._nodes[rows])
            changes += (through_all - spline(middles)) ** 2
        return with_gaps(unseen[folds.stand_in], changes, folds.gaps)

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        values = np.moveaxis(c, axis, 0)
        spline = make_interp_spline(self._nodes, values, self._degree, check_finite=False)
        return np.moveaxis(np.asarray(spline.c), 0, axis)


class TensorFit:
    """Weighted least squares on the points of a grid, prepared for many targets.

    Parameters
    ----------
    axes : sequence of AxisBasis
        One basis an axis.
    shape : tuple of int
        Nodes along each axis.
    index : ndarray of shape (n,)
        Flat index of every point's cell in the grid.
    weight : ndarray of shape (n,)
        Weights of the points, at most 1; cells without a point have weight 0.
    cutoff : float, default=1e-14
        Products of singular values at or below it are left out.
    """

    def __init__(
        self,
        axes: Sequence[AxisBasis],
        shape: tuple[int, ...],
        index: NDArray[np.intp],
        weight: NDArray[np.float64],
        cutoff: float = ROUND_OFF,
    ) -> None:
        self.axes, self._shape, self._index, self._cutoff = axes, shape, index, cutoff
        cells = np.zeros(int(np.prod(shape)))
        cells[index] = weight
        self._root = np.sqrt(cells).reshape(shape)
        self._is_plain = bool(np.all(cells == 1))
        strength = np.ones(())
        for axis in axes:
            strength = strength[..., None] * axis.strengths
        self._kept = strength > cutoff
        self._damping = np.where(self._kept, cutoff / np.maximum(strength, cutoff), 0.0)

    @property
    def amplification(self) -> float:
        """Size between the nodes of what has size 1 on them, root mean square."""
        return float(np.prod([axis.amplification for axis in self.axes]))

    def extended(self, weight: NDArray[np.float64]) -> TensorFit:
        """The same modes fitted to the points under other weights."""
        return TensorFit(self.axes, self._shape, self._index, weight, self._cutoff)

    def solve(self, target: NDArray[np.float64]) -> LatticeModes | ProductModes:
        """Modes closest to a target of shape (n, n_outputs)."""
        is_small = self._operations <= _DENSE_OPERATIONS * target.shape[1]
        columns = [self._solve_one(column, is_small) for column in target.T]
        return self._modes(np.stack(columns, axis=-1))

    def _modes(self, c: NDArray) -> LatticeModes | ProductModes:
        """The function with coefficients (..., n_outputs) of the products of the bases."""
        coefficients = c
        for j, axis in enumerate(self.axes):
            coefficients = axis.to_functions(coefficients, j)
        is_wave = [isinstance(axis, PeriodicAxis | ExtensionAxis) for axis in self.axes]
        waves = [j for j, wave in enumerate(is_wave) if wave]
        others = [j for j, wave in enumerate(is_wave) if not wave]
        lengths = np.array([self.axes[j].length for j in waves])  # type: ignore[attr-defined]
        if not others:
            return LatticeModes(coefficients.astype(np.complex128, copy=False), lengths)
        coefficients = np.transpose(coefficients, [*waves, *others, len(self.axes)])
        bases = tuple(self.axes[j].basis for j in others)  # type: ignore[attr-defined]
        return ProductModes(coefficients, lengths, tuple(waves), bases, tuple(others))

    def basis(self) -> PointBasis:
        """The products of the axes' bases."""
        rows = np.flatnonzero(self._root.ravel()[self._index])

        def synthesise(c: NDArray) -> NDArray:
            return self._synthesise(c * self._kept).ravel()[self._index[rows]]

        def analyse(values: NDArray) -> NDArray:
            cells = np.zeros(self._root.size)
            cells[self._index[rows]] = values
            return self._analyse(cells.reshape(self._shape))

        return PointBasis(rows, synthesise, analyse, self._modes)

    def on_grid(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values (n, n_outputs) as an array over the cells of the grid; 0 where there is none."""
        values = np.zeros((self._root.size, target.shape[1]))
        values[self._index] = target
        return values.reshape(*self._shape, -1)

    def at_points(self, cells: NDArray[np.float64]) -> NDArray[np.float64]:
        """The inverse of ``on_grid``."""
        return cells.reshape(self._root.size, -1)[self._index]

    def _solve_one(self, target: NDArray[np.float64], is_small: bool) -> NDArray:
        values = np.zeros(self._root.size)
        values[self._index] = target
        rhs = values.reshape(self._shape)
        if self._is_plain:
            c = self._analyse(rhs)
        elif is_small:
            q, r, rows = self._factorised
            c = np.zeros(self._kept.shape)
            rotated = q.T @ (self._root.ravel()[rows] * rhs.ravel()[rows])
            c[self._kept] = sla.solve_triangular(r, rotated, check_finite=False)
        else:
            n_cells = rhs.size

            def operator(c: NDArray) -> NDArray:
                values = self._synthesise(c) * self._root
                return np.concatenate([values.ravel(), (self._damping * c).ravel()])

            def adjoint(stacked: NDArray) -> NDArray:
                values = stacked[:n_cells].reshape(self._shape)
                damped = stacked[n_cells:].reshape(self._damping.shape)
                return self._analyse(values * self._root) + self._damping * damped

            c = least_squares_conjugate_gradients(
                operator,
                adjoint,
                np.concatenate([(rhs * self._root).ravel(), np.zeros(self._damping.size)]),
                tolerance=_CG_TOLERANCE,
                max_iter=_CG_ITERATIONS,
            )
        return c

    @property
    def _operations(self) -> float:
        """Of a QR factorisation of all products at the points."""
        n_terms = float(np.count_nonzero(self._kept))
        return (len(self._index) + n_terms) * n_terms**2

    @cached_property
    def _factorised(self) -> tuple[NDArray, NDArray, NDArray[np.intp]]:
        """Q, without the rows of the damping, and R of the weighted products at the points."""
        cells = np.flatnonzero(self._root)
        nodes = np.unravel_index(cells, self._shape)
        products = np.ones((len(cells), 1))
        for axis, at in zip(self.axes, nodes, strict=True):
            values = axis.synthesise(np.eye(len(axis.strengths)), 0)[at]
            products = (products[:, :, None] * values[:, None, :]).reshape(len(cells), -1)
        products = products[:, self._kept.ravel()] * self._root.ravel()[cells, None]
        damped = np.diag(self._damping[self._kept])
        with one_blas_thread:
            q, r = sla.qr(np.vstack([products, damped]), mode="economic", check_finite=False)
        return q[: len(cells)], r, cells

    def _analyse(self, a: NDArray) -> NDArray:
        for j, axis in enumerate(self.axes):
            a = axis.analyse(a, j)
        return a * self._kept

    def _synthesise(self, c: NDArray) -> NDArray:
        for j, axis in enumerate(self.axes):
            c = axis.synthesise(c, j)
        return c


def _svd_by_parity(even: NDArray[np.float64], odd: NDArray[np.float64]) -> tuple[NDArray, ...]:
    """SVD of ``[even, odd]``, functions of that parity on symmetric nodes, from half the nodes."""
    n = len(even)
    right = slice(n // 2, n) if n % 2 == 0 else slice(n // 2 + 1, n)
    root = np.sqrt(2)
    half_even = np.concatenate([even[n // 2 : right.start], root * even[right]])
    ue, se, vte = svd(half_even)
    uo, so, vto = svd(root * odd[right])
    u = np.zeros((n, len(se) + len(so)))
    u[n // 2 : right.start, : len(se)] = ue[: n % 2]
    u[right] = np.concatenate([ue[n % 2 :], uo], axis=1) / root
    u[: n // 2] = u[right][::-1] * np.repeat([1.0, -1.0], [len(se), len(so)])
    s = np.concatenate([se, so])
    order = np.argsort(-s, kind="stable")
    return u[:, order], s[order], sla.block_diag(vte, vto)[order]


def _apply(matrix: NDArray, a: NDArray, axis: int) -> NDArray:
    return np.moveaxis(np.tensordot(matrix, a, axes=(1, axis)), 0, axis)


def _join_exponentials(
    mean: NDArray, cosine: NDArray, sine: NDArray, axis: int, shift: NDArray | None = None
) -> NDArray:
    """From half amplitudes of cosines and sines to coefficients of k = -m..m along an axis."""
    positive = cosine - 1j * sine
    negative = (cosine + 1j * sine)[::-1]
    joined = np.concatenate([negative, mean, positive])
    if shift is not None:
        joined = joined * shift.reshape(-1, *[1] * (joined.ndim - 1))
    return np.moveaxis(joined, 0, axis)
