"""Canonical rows: the same data in any order, repeated or weighted, are the same rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Weight relative to the largest at which a row, scaled by its root in least squares, is round-off.
_NEGLIGIBLE = np.finfo(float).eps ** 2


class Rows(NamedTuple):
    """Points of shape (n, d), targets of shape (n, n_outputs) and weights of shape (n,)."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]


def canonical_rows(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    name: str = "sample_weight",
) -> Rows:
    """Drop rows of no weight, sort the rest, and merge those at the same point.

    Rows equal in X and y are merged first, by adding their weights alone, so that an integer
    weight gives to the last bit what repetition gives. What then shares a point is averaged.
    The largest weight of the result is 1. Beside it weights below 5e-32 count as zero.
    """
    largest = weight.max()
    if not largest > 0:
        raise ValueError(f"{name} is zero everywhere; at least one row needs a positive weight.")
    # by a power of two, which changes no digit, so that sums cannot overflow
    weight = np.ldexp(weight, -np.frexp(largest)[1])
    used = weight > _NEGLIGIBLE
    X, y, weight = X[used], y[used], weight[used]
    X = X + 0.0  # -0.0 and 0.0 are the same point
    order = np.lexsort((*y.T[::-1], *X.T[::-1]))
    X, y, weight = X[order], y[order], weight[order]

    first = _run_starts(np.column_stack([X, y]))
    X, y, weight = X[first], y[first], np.add.reduceat(weight, first)
    first = _run_starts(X)
    if len(first) < len(X):
        total = np.add.reduceat(weight, first)
        share = weight / np.repeat(total, np.diff(np.append(first, len(X))))
        X, y, weight = X[first], np.add.reduceat(y * share[:, None], first), total
    return Rows(X, y, weight / weight.max())


def _run_starts(a: NDArray) -> NDArray[np.intp]:
    new = np.ones(len(a), dtype=bool)
    new[1:] = np.any(a[1:] != a[:-1], axis=1)
    return np.flatnonzero(new)
