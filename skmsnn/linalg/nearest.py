"""Nearest neighbours in few dimensions and in many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from skmsnn._memory import blocks_of


class Nearest:
    """The points of a set that are nearest to others.

    A tree leaves most points out of a search where there are more of them than corners of a cell.
    In more dimensions it visits nearly all, one by one, and all distances are taken at once.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        The set.
    """

    def __init__(self, x: NDArray[np.float64]) -> None:
        n, d = x.shape
        self._x = x
        self._tree = KDTree(x) if n > 2.0**d else None

    def query(
        self, points: NDArray[np.float64], k: int = 1
    ) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Distances of the nearest ``k``, in ascending order, and their rows.

        Parameters
        ----------
        points : ndarray of shape (m, d)
            About which they are sought.
        k : int, default=1
            At most as many as the set has.

        Returns
        -------
        distance, rows : ndarray of shape (m, k)
        """
        ranks = np.arange(1, k + 1)
        if self._tree is not None:
            distance, found = self._tree.query(points, k=ranks)
            return np.asarray(distance), np.asarray(found)
        square = np.sum(self._x**2, axis=1)
        distance, rows = np.empty((len(points), k)), np.empty((len(points), k), dtype=np.intp)
        for block in blocks_of(len(points), 8 * max(len(self._x), k * self._x.shape[1])):
            # but for what is the same for all of the set
            order = square - 2 * points[block] @ self._x.T
            near = np.argpartition(order, k - 1, axis=1)[:, :k]
            exact = np.linalg.norm(self._x[near] - points[block][:, None], axis=2)
            at = np.argsort(exact, axis=1, kind="stable")
            distance[block] = np.take_along_axis(exact, at, axis=1)
            rows[block] = np.take_along_axis(near, at, axis=1)
        return distance, rows
