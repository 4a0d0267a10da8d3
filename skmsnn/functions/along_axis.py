"""Functions of one coordinate, or their integrals between two ends, and sums of their products."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

#: Ends of the integral along one axis, of each of n points.
Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


def ends_of(lower: NDArray[np.float64], upper: NDArray[np.float64], axis: int) -> Ends:
    """The ends along one axis, of integrals between points of shape (n, n_features)."""
    return lower[:, axis], upper[:, axis]


def waves(w: NDArray[np.float64], ends: Ends, integrated: bool) -> NDArray[np.complex128]:
    """``exp(i w x)`` at the upper ends, or its integrals; shape (n, n_waves)."""
    lower, upper = ends
    if not integrated:
        return np.asarray(np.exp(1j * np.multiply.outer(upper, w)))
    width, middle = upper - lower, (upper + lower) / 2
    # sin(h) / h with h half the width times w: no difference of two nearly equal waves
    slow = np.sinc(np.multiply.outer(width, w) / (2 * np.pi))
    return np.asarray(width[:, None] * slow * np.exp(1j * np.multiply.outer(middle, w)))


def polynomials(size: int, ends: Ends, integrated: bool) -> NDArray[np.float64]:
    """Legendre polynomials up to degree size - 1, or their integrals; shape (n, size).

    The integral of P_k is ``(P_(k+1) - P_(k-1)) / (2 k + 1)``.
    """
    lower, upper = ends
    if not integrated:
        return np.asarray(legendre.legvander(upper, size - 1))
    rise = legendre.legvander(upper, size) - legendre.legvander(lower, size)
    degrees = np.arange(1, size)
    integrals = (rise[:, 2:] - rise[:, :-2]) / (2 * degrees + 1)
    return np.concatenate([(upper - lower)[:, None], integrals], axis=1)


def sum_of_products(factors: list[NDArray], coefficients: NDArray) -> NDArray:
    """Sum over all axes of the coefficients but the last of products of factors (n, size)."""
    n = len(factors[0])
    total = factors[0] @ coefficients.reshape(len(coefficients), -1)
    for factor in factors[1:]:
        total = np.matmul(factor[:, None, :], total.reshape(n, factor.shape[1], -1))[:, 0]
    return total
