"""Where the points of a case are, and where fresh ones fall: as users' points do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

N_FRESH = 5000


def product_of(axes):
    """All points of a grid, of shape (n, d)."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))


class Places:
    """``is_complete`` where the points are a whole grid, and the ``turn`` that it covers."""

    is_complete = False
    turn = None


@dataclass(frozen=True)
class TensorGrid(Places):
    """A grid of equally spaced points, of which a random share ``keep`` is there, shuffled."""

    shape: tuple[int, ...]
    low: Any = -1.0
    high: Any = 1.0
    end_points: Any = True
    keep: float = 1.0

    @property
    def is_complete(self):
        return self.keep == 1

    @property
    def turn(self):
        if self.end_points is False:
            return float(np.ptp(np.broadcast_to([self.low, self.high], 2)))
        return None

    def draw(self, rng, size=1.0):
        d = len(self.shape)
        shape = [max(4, round(n * size ** (1 / d))) for n in self.shape]
        sides = [np.broadcast_to(side, d) for side in (self.low, self.high, self.end_points)]
        axes = [np.linspace(a, b, n, endpoint=e) for n, a, b, e in zip(shape, *sides, strict=True)]
        X = product_of(axes)
        if self.keep < 1:
            X = X[rng.permutation(len(X))[: round(self.keep * len(X))]]
        return X

    def fresh(self, rng, n=N_FRESH):
        return rng.uniform(self.low, self.high, (n, len(self.shape)))


@dataclass(frozen=True)
class Warped(Places):
    """A grid that is even in other coordinates, each of which a map takes to its feature.

    Fresh points are uniform in these coordinates.
    """

    grid: TensorGrid
    maps: tuple[Callable[[np.ndarray], np.ndarray], ...]
    is_complete = True

    def draw(self, rng, size=1.0):
        return self._mapped(self.grid.draw(rng, size))

    def fresh(self, rng, n=N_FRESH):
        return self._mapped(self.grid.fresh(rng, n))

    def _mapped(self, S):
        return np.stack([to(s) for to, s in zip(self.maps, S.T, strict=True)], axis=1)


@dataclass(frozen=True)
class Nodes(Places):
    """A grid of given nodes; as many fresh points fall into one of its intervals as into another.

    ``axes`` is called for the nodes of each axis, so that those of a solver are not found before
    they are needed.
    """

    axes: Callable[[], tuple[np.ndarray, ...]]
    is_complete = True

    def draw(self, rng, size=1.0):
        axes = self.axes()
        sizes = [min(len(a), max(4, round(len(a) * size ** (1 / len(axes))))) for a in axes]
        return product_of(
            [
                a[np.linspace(0, len(a) - 1, n).round().astype(int)]
                for a, n in zip(axes, sizes, strict=True)
            ]
        )

    def fresh(self, rng, n=N_FRESH):
        columns = []
        for axis in self.axes():
            left = rng.integers(len(axis) - 1, size=n)
            columns.append(axis[left] + rng.uniform(size=n) * np.diff(axis)[left])
        return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Scattered(Places):
    """Uniform random points of a box."""

    n: int
    d: int
    low: Any = -1.0
    high: Any = 1.0

    def draw(self, rng, size=1.0):
        return rng.uniform(self.low, self.high, (max(4, round(size * self.n)), self.d))

    def fresh(self, rng, n=N_FRESH):
        return rng.uniform(self.low, self.high, (n, self.d))


@dataclass(frozen=True)
class Disc(Places):
    """Uniform random points of a disc."""

    n: int
    radius: float = 1.0

    def draw(self, rng, size=1.0):
        n = max(4, round(size * self.n))
        angle, r = rng.uniform(0, 2 * np.pi, n), self.radius * np.sqrt(rng.uniform(0, 1, n))
        return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)

    def fresh(self, rng, n=N_FRESH):
        return self.draw(rng, n / self.n)


@cache
def elevations():
    """Heights of Matplotlib's sample terrain in metres, and its longitudes and latitudes."""
    from matplotlib.cbook import get_sample_data

    with get_sample_data("jacksboro_fault_dem.npz") as terrain:
        heights = np.asarray(terrain["elevation"], dtype=float)
        ends = [float(terrain[name]) for name in ("xmin", "xmax", "ymin", "ymax")]
    longitudes = np.linspace(*ends[:2], heights.shape[1])
    return heights, longitudes, np.linspace(*ends[2:], heights.shape[0])


def height(X):
    """Heights at nodes of the terrain."""
    heights, *axes = elevations()
    column, row = (
        np.rint((x - axis[0]) / (axis[1] - axis[0])).astype(int)
        for axis, x in zip(axes, X.T, strict=True)
    )
    return heights[row, column]


height.gradient = lambda X: None


@dataclass(frozen=True)
class Terrain(Places):
    """Random nodes of the terrain; a quarter of them, fixed, is for fresh points alone."""

    n: int

    def draw(self, rng, size=1.0):
        kept = self._nodes()
        kept = kept[len(kept) // 4 :]
        return kept[rng.permutation(len(kept))[: max(4, round(size * self.n))]]

    def fresh(self, rng, n=N_FRESH):
        held = self._nodes()
        return held[: len(held) // 4][rng.permutation(len(held) // 4)[:n]]

    def _nodes(self):
        _, *axes = elevations()
        X = product_of(axes)
        return X[np.random.default_rng(0).permutation(len(X))]
