"""What data lack that a fit does not describe further, from what it leaves of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from skmsnn._domain import Domain, Grid
from skmsnn._reasons import StopReason

_NEIGHBOURS = 8
_LEAST_POINTS = 50
# A look at so many points is enough.
_MOST_POINTS = 10_000
_CORRELATION = 0.2
# Correlation of the sizes of a residual between neighbours: 0 for white noise of any distribution,
# 0.25 to 0.6 around jumps.
_CLUSTERED = 0.2
# (mean r^2)^2 / mean r^4: 1/3 for normal noise, more for waves, less where few points have it all.
_LOCALISED = 0.28
# Share of each half axis that is away from its ends, where any fit leaves most.
_INSIDE = 0.8
# Mean square second difference over that of the fastest wave of a grid, 16 times its own mean
# square: 1/4 for waves of four nodes, 3/8 for noise.
_FAST = 0.2
# Difference of gaps between nodes, over the narrowest, up to which they are even.
_UNEVEN = 1e-6
# A fit that leaves this share of the values has described nothing.
_NOTHING_DESCRIBED = 0.5
# Fewer points than these leave open what lies between them.
FEW_POINTS = 8
# Decimal digits at which values may be seen to be rounded.
_MOST_DIGITS = 13
# Powers of ten beyond which a unit of rounding may overflow.
_FARTHEST = 250
# Nodes of an axis along which roughness can be told; the share of what cannot be foreseen that a
# few places have of it, and how few; nodes from an end that are at it.
_LEAST_NODES, _MOST_OF_IT, _FEW_PLACES, _AT_END = 10, 0.8, 0.3, 4
# Least share of what four neighbours leave that six leave of a rough function: waves of six nodes,
# a twelfth of the sampling theorem's worst case, have 0.28, kinks and jumps 0.5 to 1.
_ROUGH = 0.3


def reason_of_limit(
    domain: Domain,
    grid: Grid | None,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    residual: NDArray[np.float64],
    error: float,
    is_noise: bool = False,
    n_levels: dict[int, int] | None = None,
) -> StopReason:
    """Name why more stages are of no use, where the residual is too large to be round-off.

    Parameters
    ----------
    domain : Domain
        Of the points.
    grid : Grid or None
        On which they lie.
    x : ndarray of shape (n, d)
        Scaled points.
    y, residual : ndarray of shape (n, n_outputs)
        Values at the points, and what is left of them, in any one unit.
    error : float
        Held-out residual relative to the spread of the values.
    is_noise : bool
        Whether the residual is white, and as large however many modes a fit has. The first alone is
        not enough: points that are far apart see no smoothness either.
    n_levels : dict from int to int, default=None
        Features of few levels, and how many.

    Returns
    -------
    StopReason
        UNDERSAMPLED where no other shows, or the points are too few to tell.
    """
    if len(x) < FEW_POINTS:
        return StopReason.FEW_POINTS
    if is_noise and error < _NOTHING_DESCRIBED:
        return StopReason.NOISE
    if grid is not None and n_levels:
        return StopReason.FEW_LEVELS
    if is_aliased(grid, y):
        return StopReason.ALIASED
    describes = error < _NOTHING_DESCRIBED
    rough = _roughness(grid, y) if grid is not None and describes else None
    if rough is not None:
        return rough
    inside = np.all((np.abs(x) < _INSIDE) | domain.periodic, axis=1)
    if _is_localised(x[inside], residual[inside]):
        return StopReason.DISCONTINUOUS
    return StopReason.UNDERSAMPLED


def rounding_of(y: NDArray[np.float64]) -> float:
    """Root mean square rounding error that values show, as of single precision or few decimals.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        Values, in the units in which they were rounded.

    Returns
    -------
    float
        0 where they show none, or are too few to.
    """
    if len(y) < _LEAST_POINTS or not np.any(y):
        return 0.0
    size = float(np.sqrt(np.mean(y**2)))
    largest = float(np.abs(y).max())
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore", under="ignore"):
            is_of_kind = largest < np.finfo(kind).max and np.array_equal(y, y.astype(kind))
        if is_of_kind:
            return size * float(np.finfo(kind).eps) / 12**0.5 / 2
    top = int(np.floor(np.log10(largest)))
    if abs(top) > _FARTHEST:
        return 0.0
    for decimals in range(2 - top, _MOST_DIGITS - top):
        unit = 10.0**-decimals
        if np.all(np.abs(y - np.rint(y / unit) * unit) <= 4 * np.finfo(float).eps * np.abs(y)):
            return unit / 12**0.5
    exponent = np.floor(np.log10(np.where(y == 0, 1.0, np.abs(y))))
    for digits in range(2, _MOST_DIGITS):
        units = 10.0 ** (exponent - digits + 1)
        if np.all(np.abs(y - np.rint(y / units) * units) <= 4 * np.finfo(float).eps * np.abs(y)):
            return float(np.sqrt(np.mean(units**2) / 12))
    return 0.0


def _roughness(grid: Grid, y: NDArray[np.float64]) -> StopReason | None:
    """Whether values on a grid are rough in a few places: at an end, or elsewhere.

    Each value is foreseen from its neighbours along an axis, by polynomials through two, four and
    six of them. Where a function is smooth and resolved, each pair leaves much less than the pair
    before: of waves of six nodes a quarter. At jumps, kinks and singular ends it is not so.
    """
    cells = np.full((int(np.prod(grid.shape)), y.shape[1]), np.nan)
    cells[grid.index] = y - y.mean(axis=0)
    cells = cells.reshape(*grid.shape, y.shape[1])
    worst, reason = 0.0, None
    for axis, nodes in enumerate(grid.nodes):
        if len(nodes) < _LEAST_NODES:
            continue
        columns = np.moveaxis(cells, axis, 0).reshape(len(nodes), -1)
        four, six = (_unforeseen(nodes, columns, pairs) for pairs in (2, 3))
        known = np.isfinite(four) & np.isfinite(six)
        if not known.any():
            continue
        square = np.where(known, six, 0.0) ** 2
        total = square.sum()
        if total <= worst:
            continue
        worst = total
        order = np.argsort(-square, axis=None)
        held = np.cumsum(square.ravel()[order])
        few = order[: int(np.searchsorted(held, _MOST_OF_IT * total)) + 1]
        is_rough = np.sqrt(square.ravel()[few].sum()) > _ROUGH * np.sqrt(
            np.sum(four.ravel()[few] ** 2)
        )
        reason = None
        if is_rough and len(few) < _FEW_PLACES * known.sum():
            line = few // columns.shape[1]
            at_end = np.minimum(line, len(nodes) - 1 - line) < _AT_END
            is_end = np.average(at_end, weights=square.ravel()[few]) > _MOST_OF_IT
            reason = StopReason.SINGULAR_END if is_end else StopReason.DISCONTINUOUS
    return reason


def _unforeseen(
    nodes: NDArray[np.float64], columns: NDArray[np.float64], pairs: int
) -> NDArray[np.float64]:
    """What the polynomial through the ``2 * pairs`` nearest other nodes leaves at each node.

    Over what it leaves of white noise of size one, which uneven nodes amplify.
    """
    n = len(nodes)
    left = np.empty_like(columns)
    for i in range(n):
        start = min(max(i - pairs, 0), n - 2 * pairs - 1)
        others = np.array([k for k in range(start, start + 2 * pairs + 1) if k != i])
        gaps = nodes[i] - nodes[others]
        between = np.subtract.outer(nodes[others], nodes[others])
        np.fill_diagonal(between, 1.0)
        weights = np.prod(gaps) / gaps / np.prod(between, axis=1)
        left[i] = (columns[i] - weights @ columns[others]) / np.sqrt(1 + weights @ weights)
    return left


def is_aliased(grid: Grid | None, y: NDArray[np.float64]) -> bool:
    """Whether values on evenly spaced nodes change from one to the next as fast as they can.

    A small residual then says little: waves beyond the Nyquist limit are the same on the nodes.
    """
    if grid is None:
        return False
    cells = np.full((int(np.prod(grid.shape)), y.shape[1]), np.nan)
    cells[grid.index] = y - y.mean(axis=0)
    cells = cells.reshape(*grid.shape, y.shape[1])
    fastest = 16 * np.nanmean(cells**2)
    for axis, nodes in enumerate(grid.nodes):
        if len(nodes) > 2 and _are_even(nodes):
            second = np.diff(cells, 2, axis=axis)
            second = second[np.isfinite(second)]
            if len(second) and np.mean(second**2) > _FAST * fastest:
                return True
    return False


def looks_like_noise(
    x: NDArray[np.float64], residual: NDArray[np.float64], followed: float = 0.0
) -> bool:
    """Whether neither sign nor size of a residual is known from neighbours, as of white noise.

    What a smooth function leaves after too few modes is of one scale, and so correlates, with
    one sign or the other, with at least one of the nearest neighbours. What a jump leaves is
    large in one place and small in others. False for fewer points than could tell.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Points in scaled coordinates.
    residual : ndarray of shape (n, n_outputs)
        Residual of a fit at those points.
    followed : float
        Share K / n of noise that a fit of K modes to n points has taken out. What it leaves of
        white noise has the covariance I - P, P the projection on the modes: between neighbours a
        correlation of up to (K / n) / (1 - K / n).
    """
    if not _can_tell(residual):
        return False
    here, neighbours = _neighbourhoods(x)
    products = np.mean(residual[neighbours] * residual[here, None], axis=(0, 2))
    correlation = np.abs(products / np.mean(residual[here] ** 2)).max()
    allowed = _CORRELATION + 4 / np.sqrt(len(here))
    is_white = correlation < max(allowed, followed / (1 - followed))
    return bool(is_white and _clustering(residual, here, neighbours) < _CLUSTERED)


def _is_localised(x: NDArray[np.float64], residual: NDArray[np.float64]) -> bool:
    """Whether a residual is large in a few places only, next to each other."""
    if not _can_tell(residual):
        return False
    square = np.mean(residual**2, axis=1)
    square = square / square.mean()
    if 1 / np.mean(square**2) > _LOCALISED:
        return False
    return _clustering(residual, *_neighbourhoods(x)) > _CLUSTERED


def _are_even(nodes: NDArray[np.float64]) -> bool:
    """Whether nodes are evenly spaced, but for some that are missing."""
    gaps = np.diff(nodes)
    steps = gaps / gaps.min()
    return bool(np.allclose(steps, np.rint(steps), rtol=0, atol=_UNEVEN))


def _can_tell(residual: NDArray[np.float64]) -> bool:
    return len(residual) >= _LEAST_POINTS and bool(residual.any())


def _neighbourhoods(x: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows all over the points, and the rows next to each."""
    here = np.arange(0, len(x), -(-len(x) // _MOST_POINTS))
    nearest = np.asarray(KDTree(x).query(x[here], k=_NEIGHBOURS + 1)[1])
    return here, nearest[:, 1:]


def _clustering(
    residual: NDArray[np.float64], here: NDArray[np.intp], neighbours: NDArray[np.intp]
) -> float:
    """Correlation of the residual's size at a point with that of its neighbours."""
    size = np.sqrt(np.mean(residual**2, axis=1))
    size = size - size.mean()
    variance = np.mean(size[here] ** 2)
    if variance == 0:
        return 0.0
    return float(np.mean(size[neighbours].mean(axis=1) * size[here]) / variance)
