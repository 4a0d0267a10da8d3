"""Non-uniform FFTs between wave numbers and points in up to three dimensions, by FINUFFT."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from math import prod

import finufft
import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND

# FINUFFT's tightest tolerance in double precision: its widest kernel, 16 points
TOLERANCE = 2e-15
_TYPE_1 = (finufft.nufft1d1, finufft.nufft2d1, finufft.nufft3d1)
_TYPE_2 = (finufft.nufft1d2, finufft.nufft2d2, finufft.nufft3d2)
MOST_DIMENSIONS = len(_TYPE_1)


def nufft_type1(
    angles: Sequence[NDArray[np.float64]], values: NDArray[np.float64], orders: tuple[int, ...]
) -> NDArray[np.complex128]:
    """Sum over points of ``values exp(-i k . angles)``, k_j = -orders[j]..orders[j].

    One thread: several add in an order that changes from run to run.
    """
    shape = tuple(2 * m + 1 for m in orders)
    n_modes = shape if len(shape) > 1 else shape[0]
    transform = _TYPE_1[len(shape) - 1]
    return _transformed(transform, angles, values.astype(complex), n_modes, isign=-1, nthreads=1)


def nufft_type2(
    angles: Sequence[NDArray[np.float64]], coefficients: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Sum over wave numbers of ``coefficients exp(i k . angles)``, for each of a stack of them.

    Parameters
    ----------
    angles : sequence of ndarray of shape (n,)
        Coordinates of the points along each axis, in radians.
    coefficients : ndarray of shape (n_outputs, 2 M_1 + 1, ..., 2 M_d + 1)
        From wave number -M_j to M_j along axis j.

    Returns
    -------
    ndarray of shape (n_outputs, n)
    """
    transform = _TYPE_2[coefficients.ndim - 2]
    # below a millisecond starting further threads takes longer than they save
    is_short = 1000 * _operations(len(angles[0]), coefficients.shape) < FLOPS_PER_SECOND
    threads = 1 if is_short else 0
    values = _transformed(transform, angles, coefficients, isign=1, nthreads=threads)
    return values.reshape(len(coefficients), -1)


def takes_longer_than_sums(n_points: int, shape: tuple[int, ...]) -> bool:
    """Whether a transform of type 2 takes longer than sums over the waves, one by one.

    It spreads every output to 16 nodes an axis around every point, however few the waves are.
    Sums take the cosine and sine of every wave at every point once for all outputs.

    Parameters
    ----------
    n_points : int
        Number of points.
    shape : tuple of int
        Of the coefficients: outputs, and wave numbers along each axis, negative ones among them.
    """
    n_outputs, *n_waves = shape
    # in nodes that a point is spread to: a cosine and a sine take 40, a term of an output a quarter
    sums = n_points * (prod(n_waves) / 2) * (40 + n_outputs / 4)
    return sums < _operations(n_points, shape)


def _operations(n_points: int, shape: tuple[int, ...]) -> float:
    """Of the kernel at the points and of the FFT on twice as many nodes an axis, roughly."""
    n_outputs, *n_waves = shape
    n_nodes = float(np.prod([2.0 * n for n in n_waves]))
    return n_outputs * (n_points * 16.0 ** len(n_waves) + 5 * n_nodes * np.log2(n_nodes))


def _transformed(
    transform: Callable[..., NDArray], angles: Sequence[NDArray], *arguments: object, **how: int
) -> NDArray[np.complex128]:
    # FINUFFT takes coordinates for addresses, and a NaN for one far outside of its arrays
    if not all(np.isfinite(column).all() for column in angles):
        raise ValueError("The coordinates of points must be finite.")
    try:
        return transform(*angles, *arguments, eps=TOLERANCE, **how)
    except ctypes.ArgumentError as error:
        # what ctypes makes of any exception while it converts an argument
        if "KeyboardInterrupt" in str(error):
            raise KeyboardInterrupt from error
        raise
    except RuntimeError as error:
        if "alloc" in str(error):
            raise MemoryError(str(error)) from error
        raise
