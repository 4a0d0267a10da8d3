"""Piecewise linear functions of two features, on the triangles of scattered points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, KDTree

from skmsnn.functions.base import LinearExpansion, Term
from skmsnn.functions.orders import sum_of_orders


@dataclass(frozen=True)
class TriangulatedSurface(LinearExpansion):
    """The continuous function of two features that is linear on each Delaunay triangle of points.

    Outside the box [-1, 1]^2 it has the value of the nearest point of the box. At a face, too, its
    derivative across the face is 0: triangles there may be slivers, with slopes of any size.

    Attributes
    ----------
    points : ndarray of shape (n, 2)
        Corners of the triangles, the four corners of the box among them.
    coefficients : ndarray of shape (n, n_outputs)
        Values there.
    axes : tuple of int
        The two features.
    dimension : int
        Number of all features.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    points: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    axes: tuple[int, int]
    dimension: int
    nu: tuple[int, ...] = ()

    @classmethod
    def through(
        cls, x: NDArray[np.float64], values: NDArray[np.float64], axes: tuple[int, int]
    ) -> TriangulatedSurface:
        """Through values at points (n, d); a corner of the box has the value of the nearest."""
        points = x[:, axes]
        corners = np.array(list(product((-1.0, 1.0), repeat=2)))
        away, nearest = (np.asarray(a) for a in KDTree(points).query(corners))
        new = away > 0
        points = np.concatenate([points, corners[new]])
        values = np.concatenate([values, values[nearest[new]]])
        return cls(points, values, axes, x.shape[1])

    @property
    def n_features(self) -> int:
        """Also those that it does not depend on."""
        return self.dimension

    @property
    def n_terms(self) -> int:
        """Values at the points."""
        return len(self.points)

    def derivative(self, nu: Sequence[int]) -> TriangulatedSurface:
        """The derivative of order nu_j along each axis j, constant on each triangle."""
        return replace(self, nu=sum_of_orders(self.nu, nu))

    def has_integral(self, n_axes: int) -> bool:
        """No: quadrature does not converge across the edges of triangles."""
        return False

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        return self._on(Delaunay(self.points), x)

    def prepared(self) -> Term:
        return partial(self._on, Delaunay(self.points))

    def _on(self, triangles: Delaunay, x: NDArray[np.float64]) -> NDArray[np.float64]:
        nu = [self.nu[axis] for axis in self.axes] if self.nu else [0, 0]
        if sum(nu) > 1 or sum(nu) < sum(self.nu):
            return np.zeros((len(x), self.coefficients.shape[1]))
        inside = np.clip(x[:, self.axes], -1, 1)
        found = triangles.find_simplex(inside)
        for i in np.flatnonzero(found < 0):  # at an edge of the box, by rounding
            found[i] = np.argmax(_shares(triangles.transform, inside[[i]]).min(axis=1))
        corners = self.coefficients[triangles.simplices[found]]
        weights = triangles.transform[found]
        if sum(nu) == 1:
            along = weights[:, :2, int(np.argmax(nu))]
            shares = np.column_stack([along, -along.sum(axis=1)])
        else:
            shares = _shares(weights, inside)
        values = np.asarray(np.einsum("nk,nkq->nq", shares, corners))
        if sum(nu) == 1:
            values[np.abs(x[:, self.axes[int(np.argmax(nu))]]) >= 1] = 0.0
        return values

    def triangles(self) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Corners (m, 3) of all triangles, and affine maps (m, 3, 2) to shares of two corners."""
        triangles = Delaunay(self.points)
        return triangles.simplices.astype(np.intp), triangles.transform


def _shares(maps: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the three corners in a triangle's value at points: barycentric coordinates."""
    two = np.einsum("nij,nj->ni", maps[:, :2], x - maps[:, 2])
    return np.column_stack([two, 1 - two.sum(axis=1)])
