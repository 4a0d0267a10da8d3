"""Canonical rows: the same data in any order, repeated or weighted, are the same rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import EPS


class Rows(NamedTuple):
    """Distinct points, and what is known at them.

    Attributes
    ----------
    X : ndarray of shape (n, d)
        Points.
    y : ndarray of shape (n, n_outputs)
        Targets.
    weight : ndarray of shape (n,)
        Weights, the largest 1.
    scatter : ndarray of shape (n_outputs,)
        Root mean square of what single values deviate from the mean at their point, which no
        function of the points can fit.
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    scatter: NDArray[np.float64]


def merge_duplicates(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    name: str = "sample_weight",
) -> Rows:
    """Drop rows of no weight, sort the rest, and merge those at the same point.

    Rows equal in X and y are merged first, by adding their weights alone, so that an integer
    weight gives to the last bit what repetition gives. What then shares a point is averaged.
    The largest weight of the result is 1. EdgePoints it weights below 5e-32 count as zero.
    """
    largest = weight.max()
    if not largest > 0:
        raise ValueError(f"{name} is zero everywhere; at least one row needs a positive weight.")
    # by a power of two, which changes no digit, so that sums cannot overflow
    weight = np.ldexp(weight, -np.frexp(largest)[1])
    used = weight > EPS**2  # in least squares rows are scaled by the root
    X, y, weight = X[used], y[used], weight[used]
    X = X + 0.0  # -0.0 and 0.0 are the same point
    order = np.lexsort((*y.T[::-1], *X.T[::-1]))
    X, y, weight = X[order], y[order], weight[order]

    first = _run_starts(np.column_stack([X, y]))
    X, y, weight = X[first], y[first], np.add.reduceat(weight, first)
    first = _run_starts(X)
    scatter = np.zeros(y.shape[1])
    if len(first) < len(X):
        total = np.add.reduceat(weight, first)
        n_here = np.diff(np.append(first, len(X)))
        share = weight / np.repeat(total, n_here)
        mean = np.add.reduceat(y * share[:, None], first)
        scatter = _scatter(y - np.repeat(mean, n_here, axis=0), weight, n_here)
        X, y, weight = X[first], mean, total
    return Rows(X, y, weight / weight.max(), scatter)


def _scatter(
    deviation: NDArray[np.float64], weight: NDArray[np.float64], n_here: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Root mean square deviation, r / (r - 1) times the mean square of r values about theirs."""
    largest = np.abs(deviation).max(axis=0)
    relative = deviation / np.where(largest > 0, largest, 1.0)
    factor = np.repeat(n_here / np.maximum(n_here - 1, 1), n_here) * weight
    return largest * np.sqrt(factor @ relative**2 / weight.sum())


def _run_starts(a: NDArray) -> NDArray[np.intp]:
    new = np.ones(len(a), dtype=bool)
    new[1:] = np.any(a[1:] != a[:-1], axis=1)
    return np.flatnonzero(new)
