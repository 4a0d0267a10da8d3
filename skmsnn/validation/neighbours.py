"""What polynomials through neighbouring points leave of values: smoothness, without any fit.

Of a smooth function that points resolve, each higher degree leaves much less than the one before;
of a jump, a kink or a singular end it does not, in a few places; of noise it does not, anywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from skmsnn._comparison import ENOUGH, EQUAL, FEW
from skmsnn.domain import Domain, Grid, uniform_spacing
from skmsnn.functions.polynomial import (
    MOST_DEGREE,
    columns_of,
    n_total_degree_terms,
    total_degree_terms,
)
from skmsnn.linalg.nufft import MOST_DIMENSIONS

# Up to which values or correlations of noise differ from those of white noise without end. With
# half and twice all errors were the same.
WHITE = 0.2
# Share of all squares that is most of them: the rest is next to nothing.
_MOST_OF_IT = 1 - WHITE


class _Roughness(NamedTuple):
    """What tells values that are rough in places.

    Attributes
    ----------
    few : float
        Share of places that have most of the squares, below which they are few.
    rough, rough_at_end : float
        What one degree leaves over the one before, above which values are rough.
    """

    few: float
    rough: float
    rough_at_end: float


# Of normal noise the largest third has most of the squares, of differences of waves more places.
# Windows leave of jumps and fronts 0.95 and more, of kinks 0.8 and more, of waves of 3 nodes 0.8
# and of 4 nodes 0.5, of 1 / (1 + (x/w)^2) of w = 2 steps 0.8 and of w = 3 steps 0.7. They do not
# slide over what is singular at an end: of powers from 1/3 to 5/2 they leave 0.18 to 0.26, of
# boundary layers of w = 2 steps 0.04.
_ON_LINES = _Roughness(0.27, 0.75, 0.15)
# About points windows overlap more: of jumps 0.25 to 0.4 have most, of waves and noise 0.4 to 0.7.
# Least squares leaves of jumps 0.8 and more, of kinks 0.6 and more, of Gaussians of w = 2 steps 0.4
# and less; of powers at an end 0.4 to 0.7.
_ABOUT_POINTS = _Roughness(0.4, 0.55, 0.35)


class Neighbourhood(NamedTuple):
    """What is left of values by polynomials through neighbours.

    Attributes
    ----------
    left : list of float
        Root mean square for each degree in ascending order, so that white noise of size one leaves
        one; the first is that of the values themselves.
    few : float
        Share of places that have most of the squares left by the last degree.
    at_end : float
        Share of these squares next to the ends of lines.
    along_lines : bool
        Whether neighbours are those on the lines of a grid, or all about a point.
    n_places : int
        Windows, or points, that were looked at.
    """

    left: list[float]
    few: float
    at_end: float
    along_lines: bool
    n_places: int

    @property
    def noise(self) -> float:
        """Size of the noise, if what the last degree leaves is noise."""
        return self.left[-1]

    @property
    def _roughness(self) -> _Roughness:
        return _ON_LINES if self.along_lines else _ABOUT_POINTS

    @property
    def _is_in_few_places(self) -> bool:
        return self.few < self._roughness.few

    @property
    def _ratio(self) -> float:
        return self.left[-1] / self.left[-2] if self.left[-2] > 0 else 0.0

    @property
    def is_white(self) -> bool:
        """Whether neighbours say nothing of each other."""
        spread = self.left[0]
        return all(abs(left - spread) < WHITE * spread for left in self.left)

    @property
    def ends_in_noise(self) -> bool:
        """Whether noise is what is left, everywhere."""
        is_flat = self._ratio * EQUAL > 1
        return self.n_places >= FEW and is_flat and not self._is_in_few_places

    @property
    def is_singular_at_end(self) -> bool:
        """Whether values are rough at an end alone, as powers and logarithms are."""
        is_rough = self._ratio > self._roughness.rough_at_end
        return self.at_end > _MOST_OF_IT and self._is_in_few_places and is_rough

    @property
    def is_rough_in_places(self) -> bool:
        """Whether values are rough in a few places, as at jumps and kinks."""
        return self._is_in_few_places and self._ratio > self._roughness.rough


def neighbourhoods(
    domain: Domain, grid: Grid | None, x: NDArray[np.float64], y: NDArray[np.float64]
) -> list[Neighbourhood]:
    """Look at the values of neighbouring points.

    Parameters
    ----------
    domain : Domain
        Of the points.
    grid : Grid or None
        On which they lie.
    x : ndarray of shape (n, d)
        Scaled points.
    y : ndarray of shape (n, n_outputs)
        Values.

    Returns
    -------
    list of Neighbourhood
        One for each axis of a grid that is long enough, the roughest first; else one, or none where
        the points are too few, or of too many features.
    """
    y = y - y.mean(axis=0)
    if grid is None or (x.shape[1] == 1 and uniform_spacing(grid.nodes[0]) is None):
        looks = [_about(x, y)]
    else:
        looks = [_along(grid, y, axis, bool(domain.periodic[axis])) for axis in range(x.shape[1])]
    return sorted((look for look in looks if look is not None), key=lambda look: -look.noise)


def _along(grid: Grid, y: NDArray[np.float64], axis: int, periodic: bool) -> Neighbourhood | None:
    """Divided differences of rising order along the lines of one axis.

    Lines of few nodes do not tell an end from the middle.
    """
    where = np.unravel_index(grid.index, grid.shape)
    step = int(np.prod(grid.shape[axis + 1 :]))
    line = grid.index - step * where[axis]  # the cell where a line begins
    order = np.lexsort((where[axis], line))
    every = max(1, len(order) // ENOUGH)
    number = np.unique(line, return_inverse=True)[1]
    order = order[number[order] % every == 0]
    nodes, line, values = grid.nodes[axis][where[axis][order]], line[order], y[order]
    left = [float(np.sqrt(np.mean(values**2)))]
    square, at_end = np.empty(0), np.empty(0, dtype=bool)
    # windows that slide over half of a line at least
    most_pairs = min(MOST_DEGREE // 2, max(2, (grid.shape[axis] - 1) // 4))
    for pairs in range(1, most_pairs + 1):
        window = 2 * pairs + 1
        starts = np.flatnonzero(line[: max(0, len(line) - window + 1)] == line[window - 1 :])
        if len(starts) < 3:
            break
        rows = starts[:, None] + np.arange(window)
        weights = _difference_weights(nodes[rows])
        square = np.mean(np.einsum("mk,mkq->mq", weights, values[rows]) ** 2, axis=1)
        left.append(float(np.sqrt(square.mean())))
        at_end = _next_to_end(line, starts, window)
    if len(left) < 3:
        return None
    share_at_end = 0.0
    if not periodic and grid.shape[axis] >= FEW and square.any():
        share_at_end = float(square[at_end].sum() / square.sum())
    return Neighbourhood(left, _share_of_most(square), share_at_end, True, len(square))


def _difference_weights(nodes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of divided differences of the nodes of each window (m, k), of norm one."""
    span = nodes[:, -1:] - nodes[:, :1]
    gaps = 4 * (nodes[:, :, None] - nodes[:, None, :]) / span[:, :, None]
    k = np.arange(nodes.shape[1])
    gaps[:, k, k] = 1.0
    weights = 1 / np.prod(gaps, axis=2)
    return weights / np.linalg.norm(weights, axis=1, keepdims=True)


def _next_to_end(
    line: NDArray[np.intp], starts: NDArray[np.intp], window: int
) -> NDArray[np.bool_]:
    """Which windows begin or end with one of the last two rows of their line."""
    first = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    last = np.r_[first[1:], len(line)] - 1
    own = np.searchsorted(first, starts, side="right") - 1
    return (starts - first[own] < 2) | (last[own] - (starts + window - 1) < 2)


def _about(x: NDArray[np.float64], y: NDArray[np.float64]) -> Neighbourhood | None:
    """Polynomials of rising degree, by least squares over the nearest neighbours of each point."""
    n, d = x.shape
    if d > MOST_DIMENSIONS:
        return None
    last = [n_total_degree_terms(d, degree) for degree in range(MOST_DEGREE + 1)]
    last = [n_terms for n_terms in last if n_terms <= FEW]
    degrees = total_degree_terms(np.full(d, MOST_DEGREE), len(last) - 1)
    size = 2 * last[-1]
    if n < size:
        return None
    every = -(-n // ENOUGH)
    rows = np.asarray(KDTree(x).query(x[::every], k=size)[1])
    near = x[rows]
    low, high = near.min(axis=1, keepdims=True), near.max(axis=1, keepdims=True)
    near = (2 * near - low - high) / np.where(high > low, high - low, 1.0)
    terms = columns_of(near.reshape(-1, d), degrees).reshape(*rows.shape, -1)
    basis = np.linalg.qr(terms)[0]
    rest = y[rows]
    left, square = [], np.empty(0)
    for degree, n_terms in enumerate(last):
        new = basis[..., last[degree - 1] if degree else 0 : n_terms]
        rest = rest - new @ (np.swapaxes(new, 1, 2) @ rest)
        square = np.sum(rest**2, axis=(1, 2)) / ((rows.shape[1] - n_terms) * y.shape[1])
        left.append(float(np.sqrt(square.mean())))
    left = [float(np.sqrt(np.mean(y**2))), *left]
    at_end = 0.0
    if d == 1 and square.any():
        ends = [x[:, 0].argmin(), x[:, 0].argmax()]
        at_end = float(square[np.isin(rows, ends).any(axis=1)].sum() / square.sum())
    return Neighbourhood(left, _share_of_most(square), at_end, False, len(square))


def _share_of_most(square: NDArray[np.float64]) -> float:
    """Share of places, the largest ones, that together have most of the sum."""
    if not square.any():
        return 1.0
    held = np.cumsum(np.sort(square)[::-1])
    return float((np.searchsorted(held, _MOST_OF_IT * held[-1]) + 1) / len(square))
