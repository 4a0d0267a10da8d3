"""Normal equations of a box of complex exponentials, which are Toeplitz."""

from __future__ import annotations

import numpy as np
import scipy.fft as sfft
from numpy.typing import NDArray

from skmsnn.linalg.conjugate_gradients import conjugate_gradients


class ToeplitzSystem:
    """The normal equations of a box of modes, from sums over the points alone.

    Parameters
    ----------
    kernel : ndarray of shape (4 M_1 + 1, ...), complex
        Sum over points of ``weight exp(-i k . x)``, k_j = -2 M_j..2 M_j; larger boxes are cut.
    orders : tuple of int
        Largest wave numbers M_j.
    """

    def __init__(self, kernel: NDArray[np.complex128], orders: tuple[int, ...]) -> None:
        self._orders = orders
        self._padded = tuple(sfft.next_fast_len(4 * m + 1, real=True) for m in orders)
        wrapped = np.zeros(self._padded, dtype=complex)
        place = np.ix_(*[np.arange(-2 * m, 2 * m + 1) for m in orders])
        wrapped[place] = central_box(kernel, tuple(2 * m for m in orders))
        # real, since the kernel is Hermitian
        self._symbol = sfft.ifftn(wrapped, norm="forward").real
        half = [*(np.arange(-m, m + 1) for m in orders[:-1]), np.arange(orders[-1] + 1)]
        self._half = np.ix_(*half)

    def solve(self, rhs: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """Coefficients of ``exp(i k . x)`` for ``rhs``, the sum of ``weight y exp(-i k . x)``."""
        c = conjugate_gradients(self._apply, rhs)
        return (c + np.conj(np.flip(c))) / 2

    def _apply(self, c: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """The convolution with the kernel, of coefficients of a real function."""
        padded = (*self._padded[:-1], self._padded[-1] // 2 + 1)
        spectrum = np.zeros(padded, dtype=complex)
        spectrum[self._half] = c[..., self._orders[-1] :]
        values = sfft.irfftn(spectrum, self._padded)
        half = sfft.rfftn(self._symbol * values)[self._half]
        return np.concatenate([np.conj(np.flip(half[..., 1:])), half], axis=-1)


def central_box(a: NDArray[np.complex128], orders: tuple[int, ...]) -> NDArray[np.complex128]:
    """Of an array over wave numbers, those of at most ``orders``."""
    pairs = zip(a.shape, orders, strict=True)
    return a[tuple(slice(n // 2 - m, n // 2 + m + 1) for n, m in pairs)]
