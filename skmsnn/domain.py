"""What the points are: their scaling, their periods, and the grid they lie on, if any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, FAR, LEAST_NODES
from skmsnn._precision import HALF_DIGITS, NEAR_ROUND_OFF, ROUND_OFF, ROUNDING
from skmsnn._shape import check_points

# Share of a grid's cells that must hold a point for the points to count as a grid with holes. With
# half and twice all errors were the same.
_LEAST_COVERAGE = 0.25


@dataclass(frozen=True)
class Grid:
    """A tensor grid and where each point stands in it.

    Attributes
    ----------
    nodes : tuple of ndarray
        Coordinates along each axis, ascending.
    index : ndarray of shape (n,)
        Flat index of each point's cell, in C order.
    """

    nodes: tuple[NDArray[np.float64], ...]
    index: NDArray[np.intp]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(nodes) for nodes in self.nodes)

    @property
    def is_complete(self) -> bool:
        return len(self.index) == np.prod(self.shape)


@dataclass(frozen=True)
class Domain:
    """Box of the training points, mapped to [-1, 1]^d.

    Of some features it is the logarithm that is mapped. Below the box that goes on along its
    tangent, so that there are no points that it can't be taken of. A periodic axis is mapped so
    that its period becomes 2. The map subtracts the centre before it divides: a product with
    1 / range and a shift, as in MinMaxScaler, loses the digits of a domain that is far from the
    origin.

    Attributes
    ----------
    centre, half_width : ndarray of shape (d,)
        Of the box, or of one period, in input units; of the logarithm where that is mapped.
    periodic : ndarray of shape (d,), bool
        Which axes are periodic.
    logarithmic : ndarray of shape (d,), bool, or None
        Of which features the logarithm is mapped; None where of none.
    """

    centre: NDArray[np.float64]
    half_width: NDArray[np.float64]
    periodic: NDArray[np.bool_]
    logarithmic: NDArray[np.bool_] | None = None

    @property
    def periods(self) -> list[float | None]:
        """Period of each axis in input units, None where it has none."""
        pairs = zip(self.periodic, 2 * self.half_width, strict=True)
        return [float(period) if periodic else None for periodic, period in pairs]

    @classmethod
    def of(cls, X: NDArray[np.float64], periods: Sequence[float | None]) -> Domain:
        """Box of the points X, given each axis' period in input units."""
        low, high = X.min(axis=0), X.max(axis=0)
        periodic = np.array([period is not None for period in periods])
        half_range = high / 2 - low / 2
        # of a constant column as far as it is from zero, so that rounding stays rounding
        half_range = np.where(half_range == 0, np.maximum(1.0, np.abs(low)), half_range)
        half_period = np.array([np.nan if period is None else period / 2 for period in periods])
        half_width = np.where(periodic, half_period, half_range)
        centre = np.where(periodic, low + half_width, low / 2 + high / 2)
        return cls(centre, half_width, periodic)

    def scale(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coordinates in [-1, 1]^d, radians per unit of which all wave vectors are in.

        Along periodic axes points are first moved by whole periods into [-1, 1).

        Raises
        ------
        ValueError
            If X is not of shape (n, d).
        """
        if X.shape[1:] != self.centre.shape:
            check_points(X.shape, len(self.centre))
        x = (self._with_logarithms(X) - self.centre) / self.half_width
        x[:, self.periodic] -= 2 * np.floor((x[:, self.periodic] + 1) / 2)
        return x

    @property
    def faces(self) -> NDArray[np.float64]:
        """Scaled coordinates (d,) up to which points are in the box, but for their rounding.

        Infinite along periodic axes.
        """
        rounding = ROUNDING * (1 + np.abs(self.centre) / self.half_width)
        return np.where(self.periodic, np.inf, 1 + rounding)

    def distances(self, x: NDArray[np.float64], j: int) -> NDArray[np.float64]:
        """Distances of scaled coordinates (n,) from the box, over the range of that feature."""
        beyond = (np.abs(x) - 1) / 2
        if self.logarithmic is None or not self.logarithmic[j]:
            return beyond
        width = 2 * self.half_width[j]
        # below the box the logarithm is continued linearly
        low = (-1 - x) * self.half_width[j] / np.expm1(width)
        high = np.expm1((x - 1) * self.half_width[j]) / -np.expm1(-width)
        return np.where(x < 0, low, high)

    def of_logarithms(self, logarithmic: NDArray[np.bool_]) -> Domain:
        """The same, to be told of points whose logarithms are not taken yet."""
        return replace(self, logarithmic=logarithmic if logarithmic.any() else None)

    def of_features(self, features: Sequence[int]) -> Domain:
        """The box of some features."""
        own = list(features)
        logarithmic = None if self.logarithmic is None else self.logarithmic[own]
        return Domain(self.centre[own], self.half_width[own], self.periodic[own], logarithmic)

    @property
    def of_mapped(self) -> Domain:
        """The same for points whose logarithms are taken."""
        return replace(self, logarithmic=None)

    def derivative_terms(
        self, x: NDArray[np.float64], nu: Sequence[int]
    ) -> list[tuple[tuple[int, ...], NDArray[np.float64]]]:
        """What a derivative by input units is in derivatives by scaled coordinates.

        Parameters
        ----------
        x : ndarray of shape (n, d)
            Points in scaled coordinates.
        nu : sequence of int
            Orders of the derivative along each feature.

        Returns
        -------
        list of (tuple of int, ndarray of shape (n,) or ())
            Orders of derivatives by x, and their factors.
        """
        terms: list[tuple[tuple[int, ...], NDArray[np.float64]]] = [((), np.ones(()))]
        for j, order in enumerate(nu):
            along = self._terms_along(j, x[:, j], order)
            terms = [((*k, m), f * factor) for k, f in terms for m, factor in along]
        return terms

    def _terms_along(
        self, j: int, x: NDArray[np.float64], order: int
    ) -> list[tuple[int, NDArray[np.float64]]]:
        """With D = d / d log X, ``X^n d^n/dX^n = D (D - 1) ... (D - n + 1)``."""
        half_width = self.half_width[j]
        if order == 0 or self.logarithmic is None or not self.logarithmic[j]:
            return [(order, np.asarray(1 / half_width**order))]
        factorial = np.poly(np.arange(order))[::-1]
        inside = np.exp(self.centre[j] + half_width * np.maximum(x, -1.0))
        terms = []
        for k in range(1, order + 1):
            on_tangent = (half_width * inside) ** -order if k == order else 0.0
            factor = factorial[k] / half_width**k * inside**-order
            terms.append((k, np.where(x < -1, on_tangent, factor)))
        return terms

    def _with_logarithms(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.logarithmic is None:
            return X
        chosen = self.logarithmic
        lowest = self.centre[chosen] - self.half_width[chosen]
        least = np.exp(lowest)
        mapped, given = X.copy(), X[:, chosen]
        on_tangent = lowest + (given / least - 1)
        mapped[:, chosen] = np.where(given < least, on_tangent, np.log(np.maximum(given, least)))
        return mapped


def with_logarithms(X: NDArray[np.float64], logarithmic: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Points (n, d), of some features the logarithm.

    Raises
    ------
    ValueError
        If one of these has a value that is not positive.
    """
    if not logarithmic.any():
        return X
    for j in np.flatnonzero(logarithmic):
        if not X[:, j].min() > 0:
            raise ValueError(
                f"Feature {j} is on a logarithmic scale, but X or X_val has values of feature {j} "
                f"down to {X[:, j].min():g}; leave those out, or set feature_transforms='linear'."
            )
    mapped = X.copy()
    mapped[:, logarithmic] = np.log(X[:, logarithmic])
    return mapped


@dataclass(frozen=True)
class Points:
    """Scaled points (n, d) and their weights (n,), of which some may be 0."""

    x: NDArray[np.float64]
    weight: NDArray[np.float64]


def check_periods(
    period: float | Sequence[float | None] | None, X: NDArray[np.float64]
) -> list[float | None]:
    """One period or None an axis, from what the user gave.

    Raises
    ------
    ValueError
        If their number is not that of the features, one is not positive and finite, or the
        points extend over more than a period.
    """
    n_features = X.shape[1]
    given: Any = period
    periods: list[Any] = list(given) if np.ndim(given) else [given] * n_features
    if len(periods) != n_features:
        raise ValueError(
            f"period names {len(periods)} periods for {n_features} features; give one number for "
            "all of them, or one an axis with None where the axis is not periodic."
        )
    extent = X.max(axis=0) - X.min(axis=0)
    for j, p in enumerate(periods):
        if p is None:
            continue
        if not isinstance(p, Real) or not 0 < float(p) < np.inf:
            raise ValueError(f"period must be positive and finite, got {p!r} for feature {j}.")
        if extent[j] > p * (1 + NEAR_ROUND_OFF):
            raise ValueError(
                f"period={p!r} is smaller than the extent {extent[j]:g} of feature {j}; give the "
                "period in the units of X, or reduce that feature modulo its period."
            )
    return [None if p is None else float(p) for p in periods]


def fold_end_points(X: NDArray[np.float64], periods: Sequence[float | None]) -> NDArray[np.float64]:
    """Move points a whole period above an axis' smallest to that smallest: they are the same."""
    X = X.copy()
    for j, period in enumerate(periods):
        if period is not None:
            low = X[:, j].min()
            X[X[:, j] - low >= period * (1 - NEAR_ROUND_OFF), j] = low
    return X


def find_grid(X: NDArray[np.float64]) -> Grid | None:
    """Recognise a tensor grid, complete or with holes, in any row order.

    Coordinates that differ by round-off are one node. Points in one dimension are always a
    grid. None where two points share a cell or less than a quarter of the cells is taken.
    """
    n = len(X)
    nodes, index, n_cells = [], np.zeros(n, dtype=np.intp), 1
    for column in X.T:
        values, position = merge_close(column)
        n_cells *= len(values)
        if n < _LEAST_COVERAGE * n_cells:
            return None
        nodes.append(values)
        index = index * len(values) + position
    if len(np.unique(index)) < n:
        return None
    return Grid(tuple(nodes), index)


def scaled_nodes(domain: Domain, grid: Grid) -> list[NDArray[np.float64]]:
    """Nodes of each axis in scaled coordinates."""
    triples = zip(grid.nodes, domain.centre, domain.half_width, strict=True)
    return [(axis - centre) / half for axis, centre, half in triples]


def uniform_spacing(nodes: NDArray[np.float64]) -> float | None:
    """Distance between neighbouring nodes, or None where it varies by more than round-off."""
    if len(nodes) < 2:
        return None
    spacing = (nodes[-1] - nodes[0]) / (len(nodes) - 1)
    rounding = ROUNDING * np.abs(nodes).max()
    even = np.abs(np.diff(nodes) - spacing) <= HALF_DIGITS * spacing + rounding
    return float(spacing) if even.all() else None


def detect_periods(grid: Grid, y: NDArray[np.float64]) -> list[float | None]:
    """Periods of data on a grid, where the data show them.

    A uniform axis of N nodes a distance h apart is periodic with period N h if values next to the
    seam are as well predicted from their neighbours across it as others are from theirs; with
    period (N - 1) h, both ends of it on the grid, if that is so without the last node, whose values
    are those of the first. In noise a seam looks like any other place: what is found on complete
    grids needs confirmation, and on others values that their neighbours predict to a tenth of their
    spread.

    Parameters
    ----------
    grid : Grid
        The points.
    y : ndarray of shape (n, n_outputs)
        Values at the points.
    """
    cells = np.full((int(np.prod(grid.shape)), y.shape[1]), np.nan)
    cells[grid.index] = y / np.maximum(np.abs(y).max(axis=0), np.finfo(float).tiny)
    values = cells.reshape(*grid.shape, y.shape[1])
    periods: list[float | None] = []
    for j, nodes in enumerate(grid.nodes):
        spacing, n = uniform_spacing(nodes), len(nodes)
        period = None
        if spacing is not None and n >= 2 * len(_stencils()[0]):
            if _is_seamless(values, j):
                period = spacing * n
            elif _ends_agree(values, j) and _is_seamless(np.delete(values, -1, j), j):
                period = float(nodes[-1] - nodes[0])
        periods.append(period)
    return periods


def _ends_agree(values: NDArray[np.float64], axis: int) -> bool:
    difference = np.asarray(values.take(0, axis) - values.take(-1, axis))
    known = np.isfinite(difference)
    return bool(known.any() and np.abs(difference[known]).max() <= NEAR_ROUND_OFF)


@cache
def _stencils() -> tuple[NDArray[np.float64], ...]:
    """What the nearest nodes on an axis fail to predict of a value: differences of order 6, 4, 2.

    Over their largest weight. The highest tells smooth functions apart best; on grids with many
    holes only the shorter stencils are complete.
    """
    differences = (np.diff(np.eye(1, 2 * order + 1, order)[0], order) for order in (6, 4, 2))
    return tuple(weights / np.abs(weights).max() for weights in differences)


def _is_seamless(values: NDArray[np.float64], axis: int) -> bool:
    for stencil in _stencils():
        reach = len(stencil) // 2
        shifts = range(-reach, reach + 1)
        error = sum(w * np.roll(values, s, axis) for w, s in zip(stencil, shifts, strict=True))
        error = np.moveaxis(np.asarray(error), axis, 0)
        seam = np.concatenate([error[:reach], error[-reach:]])
        inside = error[reach:-reach]
        seam, inside = seam[np.isfinite(seam)], inside[np.isfinite(inside)]
        if 2 * len(seam) >= LEAST_NODES and len(inside) >= LEAST_NODES:
            is_like_inside = _rms(seam) <= CLEARLY**2 * _rms(inside) + ROUND_OFF
            is_clear = FAR * _rms(inside) <= np.nanstd(values) + ROUND_OFF
            return bool(is_like_inside and (is_clear or np.isfinite(values).all()))
    return False


def _rms(a: NDArray) -> float:
    return float(np.sqrt(np.mean(a**2)))


def merge_close(column: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Distinct values up to round-off, and which of them each entry is."""
    values, position = np.unique(column, return_inverse=True)
    tolerance = ROUND_OFF * np.abs(values).max()
    new = np.ones(len(values), dtype=bool)
    new[1:] = np.diff(values) > tolerance
    cluster = np.cumsum(new) - 1
    return values[new], cluster[position]
