"""Direct sums at few points, prepared so that hardly more than their own arithmetic is left."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import SET_UP
from skmsnn.functions.along_axis import sum_of_products
from skmsnn.functions.base import Term
from skmsnn.functions.bases import Basis


def few_or_many(few: Term, many: Term, n_products: int) -> Term:
    """Values by ``few`` where its products take less time than ``many`` takes to begin."""
    most = SET_UP // max(1, n_products)

    def evaluate(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return few(x) if 0 < len(x) <= most else many(x)

    return evaluate


def few_products(
    coefficients: NDArray,
    lengths: NDArray[np.float64],
    wave_axes: Sequence[int],
    bases: Sequence[Basis],
    basis_axes: Sequence[int],
) -> Term:
    """Products of waves and basis functions, as in ``TensorProductSeries``, at few points."""
    factors: list[tuple[int, Term]] = []
    if wave_axes:
        waves, coefficients = _half(coefficients, lengths)
        for axis, wave in zip(wave_axes, waves, strict=True):
            factors.append((axis, partial(_exponentials, wave)))
    elif len(bases) == 1:
        (basis,), (axis,) = bases, basis_axes
        alone = basis.prepared_sum(coefficients)
        if alone is not None:
            return lambda x: alone(x[:, axis])
    for along, (axis, basis) in enumerate(
        zip(basis_axes, bases, strict=True), start=len(wave_axes)
    ):
        values, coefficients = basis.prepared(coefficients, along)
        factors.append((axis, values))
    coefficients = np.ascontiguousarray(coefficients)

    def few(x: NDArray[np.float64]) -> NDArray[np.float64]:
        values = [factor(x[:, axis]) for axis, factor in factors]
        return sum_of_products(values, coefficients).real

    return few


def _half(
    coefficients: NDArray[np.complex128], lengths: NDArray[np.float64]
) -> tuple[list[NDArray[np.complex128]], NDArray[np.complex128]]:
    """Wave numbers times i along each axis, and coefficients, for non-negative ones on the first.

    Those of -k are the conjugates of those of k.
    """
    n_axes = len(lengths)
    middle = coefficients.shape[0] // 2
    half = coefficients[middle:].copy()
    half[1:] *= 2
    waves = [
        2j * np.pi / length * np.arange(-(n // 2), n // 2 + 1)
        for length, n in zip(lengths, coefficients.shape[:n_axes], strict=True)
    ]
    waves[0] = waves[0][middle:]
    return waves, half


def _exponentials(wave: NDArray[np.complex128], x: NDArray[np.float64]) -> NDArray:
    return np.exp(x[:, None] * wave)
