"""Spectral least squares for any points and any set of modes, by a dense factorisation.

Modes of a box wider than the data are nearly dependent, so the fit is regularised where the
data say nothing: ``min |A c - y|^2 + (n damping^2) |c|^2``, solved by QR, never by
normal equations. Each further stage solves for the residual and wins back what damping left.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from math import ceil
from typing import NamedTuple

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._effort import ITERATIONS
from skmsnn._memory import rows_a_block, working_bytes
from skmsnn._precision import ROUND_OFF
from skmsnn.functions import LinearExpansion
from skmsnn.linalg.conjugate_gradients import INEXACT, least_squares_conjugate_gradients
from skmsnn.linalg.tsqr import Factorisation, blocks_of_rows
from skmsnn.spaces.frames import AnyFrame, LatticeFrame, LatticeWavesFrame
from skmsnn.spaces.p_norm import PointBasis
from skmsnn.spaces.sampling import sampling_order
from skmsnn.validation.leave_out import EdgePoints, LeftOut, left_out_together


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
        Of more points than those, some are used, more of them near the ends of axes.
    """

    # scattered points have others between them, and held-out ones show what happens there
    amplification = 1.0

    def __init__(
        self,
        x: NDArray[np.float64],
        weight: NDArray[np.float64],
        frame: AnyFrame,
        damping: float = ROUND_OFF,
        most_rows: int | None = None,
    ) -> None:
        self._x, self._weight, self.frame, self.damping = x, weight, frame, damping
        self._most_rows = len(x) if most_rows is None else most_rows
        n_rows = min(int(np.count_nonzero(weight)), self._most_rows)
        self._factorisation: Factorisation[_Block] = Factorisation(
            damping_triangle(frame.n_columns, n_rows, damping)
        )
        self._n_rows = 0
        self._take_in(np.flatnonzero(weight))

    def extended(self, weight: NDArray[np.float64]) -> DenseFit:
        """The fit with more points: those whose weight was 0 and is not in ``weight``."""
        more = np.flatnonzero((weight > 0) & (self._weight == 0))
        if len(more) == 0:
            return self
        larger = copy(self)
        larger._weight = weight
        larger._take_in(more)
        return larger

    def solve(self, target: NDArray[np.float64]) -> LinearExpansion:
        """Modes closest to a target of shape (n, n_outputs).

        What damping left is fitted once more with the same triangle where that can be seen: the
        damping then holds back the directions below it and no others.
        """
        c = self._solution(target)
        if self.damping > ROUND_OFF:
            c += self._solution(target - self.frame.modes(c).evaluate(self._x))
        if isinstance(self.frame, LatticeFrame | LatticeWavesFrame) and self._is_thinned:
            rest = target - self.frame.modes(c).evaluate(self._x)
            c += self._correction(self.frame, rest)
        return self.frame.modes(c)

    def refined(self, target: NDArray[np.float64]) -> LinearExpansion:
        """The same with one step of refinement, as another stage would take."""
        function = self.solve(target)
        return function.plus(self.solve(target - function.evaluate(self._x)))

    @property
    def _is_thinned(self) -> bool:
        """Whether there are many more points than those that the triangle is of."""
        return bool(np.count_nonzero(self._weight) >= 2 * self._most_rows)

    def _correction(
        self, frame: LatticeFrame | LatticeWavesFrame, rest: NDArray[np.float64]
    ) -> NDArray[np.float64]:
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
            tolerance=INEXACT,
            max_iter=ITERATIONS,
            patience=5,  # what is rounding does not fall
        )
        return sla.solve_triangular(self._triangle, z, check_finite=False)

    def basis(self) -> PointBasis:
        """The modes, made nearly orthonormal by the triangle, at as many points as memory has."""
        used = np.flatnonzero(self._weight)
        # with the columns, what is half solved of them, and their copies
        most = max(self.frame.n_columns, working_bytes() // (4 * 8 * self.frame.n_columns))
        rows = used[:: -(-len(used) // most)]
        matrix = self._half_solved(self._x[rows], np.ones(len(rows))).T

        def modes(c: NDArray[np.float64]) -> LinearExpansion:
            return self.frame.modes(sla.solve_triangular(self._triangle, c, check_finite=False))

        return PointBasis.of_matrix(rows, matrix, modes)

    def left_out(
        self,
        residual: NDArray[np.float64],
        folds: Sequence[NDArray[np.intp]],
        rounding: float,
        edges: EdgePoints | None = None,
    ) -> LeftOut:
        """Residuals of fits without each fold, from those of the fit to all rows.

        ``(I - H_SS)^-1 r_S`` with the block ``H_SS = G_S G_S'`` of the projection; rows of G
        are ``R^-T a_i`` (Allen 1974 for single rows; Cook & Weisberg 1982, section 3.8). With
        damping at round-off that was up to a thousand times too large; from 1e-11 on it was within
        ten times of the error at fresh points. Leaving out a fold changes the fit elsewhere by
        ``g(x) . G_S' e_S``, and the jackknife estimates from these changes how uncertain it is at
        the ``edges``.

        Parameters
        ----------
        residual : ndarray of shape (n, n_outputs)
            Residual of the fit to all rows, at all points.
        folds : sequence of ndarray
            Rows that are left out together.
        rounding : float
            Precision of the values, in their units.
        edges : EdgePoints, default=None
            Where else fresh points fall.
        """
        rows = np.concatenate(folds)
        root = np.sqrt(self._weight)
        at_edges = np.empty((self.frame.n_columns, 0))
        if edges is not None and len(edges.points):
            at_edges = self._half_solved(edges.points, np.ones(len(edges.points)))
        square = np.zeros((at_edges.shape[1], residual.shape[1]))
        unseen = np.zeros((len(self._x), residual.shape[1]))
        for block in _batches(folds, self.frame.n_columns):
            here = np.concatenate(block)
            half = self._half_solved(self._x[here], root[here])
            ends = np.cumsum([len(fold) for fold in block])[:-1]
            for fold, own in zip(block, np.split(half, ends, axis=1), strict=True):
                own_root = root[fold, None]
                weighted = left_out_together(residual[fold] * own_root, own.T @ own, rounding)
                unseen[fold] = weighted / own_root
            if at_edges.shape[1]:
                weighted = root[here, None] * unseen[here]
                if len(here) == len(block):  # single rows
                    square += (at_edges.T @ half) ** 2 @ weighted**2
                else:
                    parts = zip(np.split(half, ends, axis=1), np.split(weighted, ends), strict=True)
                    square += sum((at_edges.T @ (own @ e)) ** 2 for own, e in parts)
        exposed = np.zeros(residual.shape[1])
        if edges is not None and len(square):
            exposed = np.sqrt(edges.shares @ square)
        order = np.argsort(rows)
        return LeftOut(rows[order], unseen[rows[order]], exposed)

    def leverages(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variance (n,) of the fit at points (n, d), of values with independent errors of 1."""
        return np.asarray(np.sum(self._half_solved(x, np.ones(len(x))) ** 2, axis=0))

    def _half_solved(
        self, x: NDArray[np.float64], root: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """``R^-T a`` for the rows a of points, shape (n_columns, n)."""
        system = self.frame.system(x, root)
        return sla.solve_triangular(self._triangle, system.T, trans="T", check_finite=False)

    @property
    def _triangle(self) -> NDArray[np.float64]:
        return self._factorisation.triangle

    def _solution(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        def rhs(block: _Block) -> NDArray[np.float64]:
            return target[block.rows] * block.root[:, None]

        rotated = self._factorisation.rotated(rhs, target.shape[1])
        return sla.solve_triangular(self._triangle, rotated, check_finite=False)

    def _take_in(self, points: NDArray[np.intp]) -> None:
        # up to the most rows, or else their share of these points
        share = self._most_rows / np.count_nonzero(self._weight)
        n_rows = ceil(max(self._most_rows - self._n_rows, share * len(points), 1))
        if n_rows < len(points):
            points = sampling_order(self._x, points, np.random.default_rng(0))
            points = np.sort(points[:n_rows])
        self._n_rows += len(points)
        parts = [points[rows] for rows in blocks_of_rows(len(points), self.frame.n_columns)]
        blocks = [_Block(rows, np.sqrt(self._weight[rows])) for rows in parts]

        def system(block: _Block) -> NDArray[np.float64]:
            return self.frame.system(self._x[block.rows], block.root)

        self._factorisation = self._factorisation.with_more(blocks, system)


def _batches(folds: Sequence[NDArray[np.intp]], n_columns: int) -> Iterator[list[NDArray[np.intp]]]:
    """Folds that fit into the working memory together."""
    batch: list[NDArray[np.intp]] = []
    n_rows = 0
    for fold in folds:
        if batch and n_rows + len(fold) > rows_a_block(8 * n_columns):
            yield batch
            batch, n_rows = [], 0
        batch.append(fold)
        n_rows += len(fold)
    if batch:
        yield batch


class _Block(NamedTuple):
    """Rows that a triangle takes in together, and the roots of their weights."""

    rows: NDArray[np.intp]
    root: NDArray[np.float64]


def damping_triangle(n_columns: int, n_rows: int, damping: float) -> NDArray[np.float64]:
    """The rows of the system that hold the coefficients down."""
    return np.eye(n_columns) * (damping * np.sqrt(n_rows))
