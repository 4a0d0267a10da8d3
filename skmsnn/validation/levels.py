"""Features of few distinct values, between which points say next to nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import barycentric_interpolate

from skmsnn._comparison import ENOUGH, FEW, LEAST_NODES
from skmsnn.domain import merge_close


def features_of_few_levels(
    X: NDArray[np.float64], periodic: NDArray[np.bool_]
) -> dict[int, NDArray[np.float64]]:
    """Levels of each feature that has two to seven and is not periodic.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Distinct points.
    periodic : ndarray of shape (d,), bool
        Which features are periodic.
    """
    found = {}
    for j, column in enumerate(X.T):
        levels, _ = merge_close(column)
        # that fewer points have few values says nothing of the feature
        if 2 <= len(levels) < LEAST_NODES and len(levels) < len(X) and not periodic[j]:
            found[j] = levels
    return found


def left_between_levels(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    x: NDArray[np.float64],
    levels: dict[int, NDArray[np.float64]],
) -> float:
    """Root mean square of what levels say of a function that the others do not.

    At each inner level of a feature that has three or more, the polynomial through the values at
    its other levels is compared with the value there. Two levels say nothing of each other.

    Parameters
    ----------
    function : callable
        Of points (m, d), with values of shape (m, n_outputs).
    x : ndarray of shape (n, d)
        Where the other features are, of which some are used.
    levels : dict from int to ndarray
        Levels of each feature of few, in the coordinates of ``x``, ascending.
    """
    n_levels = sum(len(nodes) for nodes in levels.values())
    asked = x[:: -(-len(x) * n_levels // ENOUGH) or 1]
    square = 0.0
    for j, nodes in levels.items():
        if len(nodes) < 3:
            continue
        points = np.repeat(asked[None], len(nodes), axis=0)
        points[:, :, j] = nodes[:, None]
        values = function(points.reshape(-1, x.shape[1])).reshape(len(nodes), len(asked), -1)
        left = []
        for k in range(1, len(nodes) - 1):
            others = np.arange(len(nodes)) != k
            foreseen = barycentric_interpolate(nodes[others], values[others], nodes[k])
            left.append(np.mean((values[k] - foreseen) ** 2))
        square += float(np.mean(left))
    return float(np.sqrt(square))


def inner_levels(x: NDArray[np.float64], periodic: NDArray[np.bool_]) -> list[NDArray[np.intp]]:
    """Rows at each inner level of features that have few, but enough to leave one out.

    Rows that are left out at random leave every level with others, and say nothing of what a fit
    does between the levels.
    """
    found = []
    for j, column in enumerate(x.T):
        levels, place = merge_close(column)
        if LEAST_NODES <= len(levels) <= FEW and 2 * len(levels) <= len(x) and not periodic[j]:
            found += [np.flatnonzero(place == k) for k in range(1, len(levels) - 1)]
    return found
