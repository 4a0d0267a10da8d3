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
from functools import cached_property

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn._memory import working_bytes
from skmsnn._precision import ROUND_OFF
from skmsnn.functions.lattice import TensorFourierSeries
from skmsnn.functions.products import TensorProductSeries
from skmsnn.linalg.conjugate_gradients import least_squares_conjugate_gradients
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.spaces.axes import AxisBasis, ExtensionAxis, PeriodicAxis
from skmsnn.spaces.p_norm import PointBasis

# Iterations of conjugate gradients on a grid with holes, with waves of its periods, and with those
# of wider boxes, which depend on each other; and what one costs at least.
ITERATIONS, ITERATIONS_OF_FRAMES, OVERHEAD = 100, 2000, FLOPS_PER_SECOND / 5000


def conjugate_gradient_operations(
    shape: Sequence[int], sizes: Sequence[int], periodic: Sequence[bool]
) -> float:
    """Operations of conjugate gradients with products of so many functions along each axis."""
    iterations = ITERATIONS if all(periodic) else ITERATIONS_OF_FRAMES
    n_cells = float(np.prod(shape))
    of_axes = [
        20 * np.log2(n + 1) if is_fast else 4 * size
        for n, size, is_fast in zip(shape, sizes, periodic, strict=True)
    ]
    return iterations * (n_cells * float(np.sum(of_axes)) + OVERHEAD)


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
            strength = strength[..., None] * axis.singular_values
        self._kept = strength > cutoff
        self._damping = np.where(self._kept, cutoff / np.maximum(strength, cutoff), 0.0)

    @property
    def amplification(self) -> float:
        """Size between the nodes of what has size 1 on them, root mean square."""
        return float(np.prod([axis.amplification for axis in self.axes]))

    def extended(self, weight: NDArray[np.float64]) -> TensorFit:
        """The same modes fitted to the points under other weights."""
        return TensorFit(self.axes, self._shape, self._index, weight, self._cutoff)

    def solve(self, target: NDArray[np.float64]) -> TensorFourierSeries | TensorProductSeries:
        """Modes closest to a target of shape (n, n_outputs)."""
        is_small = not self._is_plain and self._is_cheaper_at_once(target.shape[1])
        columns = [self._solve_one(column, is_small) for column in target.T]
        return self._modes(np.stack(columns, axis=-1))

    def _modes(self, c: NDArray) -> TensorFourierSeries | TensorProductSeries:
        """The function with coefficients (..., n_outputs) of the products of the bases."""
        coefficients = c
        for j, axis in enumerate(self.axes):
            coefficients = axis.to_functions(coefficients, j)
        is_wave = [isinstance(axis, PeriodicAxis | ExtensionAxis) for axis in self.axes]
        waves = [j for j, wave in enumerate(is_wave) if wave]
        others = [j for j, wave in enumerate(is_wave) if not wave]
        lengths = np.array([self.axes[j].length for j in waves])  # type: ignore[attr-defined]
        if not others:
            return TensorFourierSeries(coefficients.astype(np.complex128, copy=False), lengths)
        coefficients = np.transpose(coefficients, [*waves, *others, len(self.axes)])
        bases = tuple(self.axes[j].basis for j in others)  # type: ignore[attr-defined]
        return TensorProductSeries(coefficients, lengths, tuple(waves), bases, tuple(others))

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
            )
        return c

    def _is_cheaper_at_once(self, n_outputs: int) -> bool:
        """Whether a QR factorisation of all products takes less than conjugate gradients."""
        n_terms = int(np.count_nonzero(self._kept))
        sizes = [len(axis.singular_values) for axis in self.axes]
        periodic = [isinstance(axis, PeriodicAxis) for axis in self.axes]
        iterative = n_outputs * conjugate_gradient_operations(self._shape, sizes, periodic)
        n_rows = len(self._index) + n_terms
        fits = 3 * 8 * n_rows * n_terms <= working_bytes()
        return fits and 2 * qr_operations(n_rows, n_terms) <= iterative

    @cached_property
    def _factorised(self) -> tuple[NDArray, NDArray, NDArray[np.intp]]:
        """Q, without the rows of the damping, and R of the weighted products at the points."""
        cells = np.flatnonzero(self._root)
        nodes = np.unravel_index(cells, self._shape)
        products = np.ones((len(cells), 1))
        for axis, at in zip(self.axes, nodes, strict=True):
            values = axis.synthesise(np.eye(len(axis.singular_values)), 0)[at]
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
