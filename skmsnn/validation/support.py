"""Holes that the training points leave in their bounding box: inside a ring, about a disc."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from skmsnn._comparison import ENOUGH, FAR, FEW
from skmsnn.domain import merge_close
from skmsnn.linalg.nufft import MOST_DIMENSIONS


@dataclass(frozen=True)
class Support:
    """Points that stand for all of a fit, and how much room about a point is a hole.

    The room about a point is the largest box about it without a point of the fit inside, clipped to
    the bounding box; its sides are proportional to the typical spacing of each feature, so that
    cells of grids are cubes. A hole is more room than any point of the fit has.

    Attributes
    ----------
    x : ndarray of shape (n, d)
        Scaled points.
    units : ndarray of shape (d,)
        Spaces between levels, in scaled coordinates.
    most_room : float
        The most that a point of the fit has, as a share of the box.
    periodic : ndarray of shape (d,), bool
        Axes along which the far ends are near to each other.
    """

    x: NDArray[np.float64]
    units: NDArray[np.float64]
    most_room: float
    periodic: NDArray[np.bool_]

    @classmethod
    def of(cls, x: NDArray[np.float64], periodic: NDArray[np.bool_]) -> Support | None:
        """None where the points leave no holes, are too few, or have too many features."""
        n, d = x.shape
        if d > MOST_DIMENSIONS or n < FEW:
            return None
        rng = np.random.default_rng(0)
        some = x[np.sort(rng.permutation(n)[:ENOUGH])]
        spaces = [np.diff(merge_close(column)[0]) for column in some.T]
        units = np.array([np.median(space) if len(space) else 2.0 for space in spaces])
        support = cls(some, units, np.inf, periodic)
        most_room = float(support._room(some, 2).max())
        support = cls(some, units, most_room, periodic)
        anywhere = rng.uniform(-1, 1, (ENOUGH, d))
        # by chance one random point in n has more room than any of the fit; on a line up to four
        return support if support.is_in_hole(anywhere).mean() * len(some) > FAR else None

    def is_in_hole(self, x: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which scaled points (m, d) of the box have no point of the fit about them."""
        return self._room(x, 1) > self.most_room

    def _room(self, x: NDArray[np.float64], nearest: int) -> NDArray[np.float64]:
        """The share of the box about each point (m, d) up to its nearest point, or the next one."""
        size = np.where(self.periodic, 2.0, 0.0) / self.units
        tree = KDTree(self._wrapped(self.x), boxsize=size)
        distance = np.asarray(tree.query(self._wrapped(x), k=[nearest], p=np.inf)[0])
        reach = distance * self.units
        low = np.where(self.periodic, x - reach, np.maximum(x - reach, -1.0))
        high = np.where(self.periodic, x + reach, np.minimum(x + reach, 1.0))
        return np.asarray(np.prod((high - low) / 2, axis=1))

    def _wrapped(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """In units, along periodic axes from 0 on, as the tree has them."""
        return np.where(self.periodic, np.mod(x + 1, 2.0), x) / self.units
