"""The linear fit of least p-norm, from that of least squares.

Newton's method on ``sum_i w_i |r_i|^p``. Its step is that of iteratively reweighted least squares
with weights ``w_i |r_i|^(p-2)``, divided by p - 1 (Osborne 1985, chapter 5), or longer where that
leaves less.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import ITERATIONS, LEAST_FALL
from skmsnn.linalg.conjugate_gradients import INEXACT, conjugate_gradients


@dataclass(frozen=True)
class PointBasis:
    """Functions that a fit may add to its solution, nearly orthonormal at the points.

    Attributes
    ----------
    rows : ndarray of int
        The points, among all.
    synthesise, analyse : callable
        From coefficients to values at the points, and its adjoint.
    modes : callable
        The function with given coefficients, one column an output.
    """

    rows: NDArray[np.intp]
    synthesise: Callable[[NDArray], NDArray]
    analyse: Callable[[NDArray], NDArray]
    modes: Callable[[NDArray], object]

    @classmethod
    def of_matrix(
        cls,
        rows: NDArray[np.intp],
        matrix: NDArray[np.float64],
        modes: Callable[[NDArray], object],
    ) -> PointBasis:
        """Whose functions are the columns (n_rows, n_columns)."""
        return cls(rows, partial(np.matmul, matrix), partial(np.matmul, matrix.T), modes)


def correction(
    basis: PointBasis, rest: NDArray[np.float64], weight: NDArray[np.float64], p: float
) -> NDArray:
    """Coefficients of what to add to a fit, one column an output.

    Parameters
    ----------
    basis : PointBasis
        What may be added.
    rest : ndarray of shape (n, n_outputs)
        What the fit leaves at all points.
    weight : ndarray of shape (n,)
        Weights of the points.
    p : float
        Above 2.
    """
    share = weight[basis.rows] / weight[basis.rows].sum()
    columns = [_of_column(basis, column, share, p) for column in rest[basis.rows].T]
    return np.stack(columns, axis=-1)


def _of_column(
    basis: PointBasis, rest: NDArray[np.float64], share: NDArray[np.float64], p: float
) -> NDArray:
    coefficients = np.zeros_like(basis.analyse(rest))
    largest = np.abs(rest).max(initial=0)
    if largest == 0:
        return coefficients
    rest = rest / largest
    lengths = _lengths(p)
    norm = _norm(rest, share, p)
    for _ in range(ITERATIONS):
        weight = share * np.abs(rest) ** (p - 2)
        direction = _reweighted(basis, rest, weight)
        change = basis.synthesise(direction)
        norms = [_norm(rest - length * change, share, p) for length in lengths]
        best = int(np.argmin(norms))
        if not norms[best] < norm:
            break
        coefficients = coefficients + lengths[best] * direction
        rest = rest - lengths[best] * change
        fall, norm = 1 - norms[best] / norm, norms[best]
        if fall < LEAST_FALL:
            break
    return largest * coefficients


def _reweighted(
    basis: PointBasis, rest: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray:
    """The weighted least squares fit of the rest."""

    def normal(c: NDArray) -> NDArray:
        return basis.analyse(weight * basis.synthesise(c))

    rhs = basis.analyse(weight * rest)
    # inexact steps lower the norm as well
    return conjugate_gradients(normal, rhs, tolerance=INEXACT, max_iter=ITERATIONS)


def _lengths(p: float) -> NDArray[np.float64]:
    """Lengths of trial steps: a hundredth of Newton's to the full step of reweighting."""
    return np.geomspace(0.01 / (p - 1), 1.0, 24)


def _norm(rest: NDArray[np.float64], share: NDArray[np.float64], p: float) -> float:
    largest = np.abs(rest).max()
    if largest == 0:
        return 0.0
    return float(largest * (share @ (np.abs(rest) / largest) ** p) ** (1 / p))
