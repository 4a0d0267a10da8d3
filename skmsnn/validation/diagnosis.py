"""What data lack that a fit does not describe further, from what it leaves of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, CLEARLY, ENOUGH, EQUAL, FAR, FEW, LEAST_NODES, SIGMAS
from skmsnn._precision import HALF_DIGITS
from skmsnn.domain import Domain, Grid
from skmsnn.linalg.nearest import Nearest
from skmsnn.validation.neighbours import WHITE, Neighbourhood, neighbourhoods
from skmsnn.validation.reasons import StopReason

# Mean square second difference over that of the fastest wave of a grid, 16 times its own mean
# square: 1/4 for waves of four nodes, 3/8 for noise, 9/16 for waves of three nodes.
_FAST = 0.3


def reason_of_limit(
    domain: Domain,
    grid: Grid | None,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    error: float,
    is_noise: bool = False,
    n_levels: dict[int, int] | None = None,
    rounding: float = 0.0,
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
    y : ndarray of shape (n, n_outputs)
        Values at the points, in any one unit.
    error : float
        Held-out residual relative to the spread of the values.
    is_noise : bool
        Whether the residual is white, and as large however many modes a fit has. The first alone is
        not enough: points that are far apart see no smoothness either.
    n_levels : dict from int to int, default=None
        Features of few levels, and how many.
    rounding : float, default=0.0
        That the values show, relative to their spread.

    Returns
    -------
    StopReason
        UNDERSAMPLED where no other shows, or the points are too few to tell.
    """
    # fits that follow most of the rounding leave up to six times as much unseen, and of noise too
    if error <= FAR * rounding:
        return StopReason.PRECISION
    if len(x) < LEAST_NODES:
        return StopReason.FEW_POINTS
    describes = error * CLEARLY < 1
    # of 60 to 120 points one in seven smooth functions left what looked white
    if describes and is_noise and len(x) >= (SIGMAS / WHITE) ** 2:
        return StopReason.NOISE
    looks = neighbourhoods(domain, grid, x, y)
    is_white = all(look.is_white for look in looks)
    if not describes and is_white and (looks or is_noise):
        return StopReason.UNCORRELATED if looks or error * EQUAL > 1 else StopReason.NOISE
    if describes and is_noise and (not looks or any(look.ends_in_noise for look in looks)):
        return StopReason.NOISE
    if grid is not None and n_levels:
        return StopReason.FEW_LEVELS
    if is_aliased(grid, y):
        return StopReason.ALIASED
    if not describes or not looks:
        return StopReason.UNDERSAMPLED
    roughest = looks[0]
    if _show_noise(looks) and error < FAR * roughest.noise:
        return StopReason.NOISE
    if roughest.is_singular_at_end:
        return StopReason.BOUNDARY_SINGULARITY
    return StopReason.DISCONTINUOUS if roughest.is_rough_in_places else StopReason.UNDERSAMPLED


def _show_noise(looks: list[Neighbourhood]) -> bool:
    """Whether noise is what is left along some axis, and as much along all others."""
    alike = looks[0].noise < AS_GOOD * looks[-1].noise
    return alike and any(look.ends_in_noise for look in looks)


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
    x: NDArray[np.float64], residual: NDArray[np.float64], leverage: float = 0.0
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
    leverage : float
        Share K / n of noise that a fit of K modes to n points has taken out. What it leaves of
        white noise has the covariance I - P, P the projection on the modes: between neighbours a
        correlation of up to (K / n) / (1 - K / n).
    """
    if not can_tell_noise(len(residual)) or not residual.any():
        return False
    here, neighbours = _neighbourhoods(x)
    products = np.mean(residual[neighbours] * residual[here, None], axis=(0, 2))
    correlation = np.abs(products / np.mean(residual[here] ** 2)).max()
    allowed = max(WHITE, leverage / (1 - leverage)) + SIGMAS / np.sqrt(len(here))
    is_white = correlation < allowed
    # 0.25 to 0.6 around jumps
    return bool(is_white and _clustering(residual, here, neighbours) < WHITE)


def _are_even(nodes: NDArray[np.float64]) -> bool:
    """Whether nodes are evenly spaced, but for some that are missing."""
    gaps = np.diff(nodes)
    steps = gaps / gaps.min()
    return bool(np.allclose(steps, np.rint(steps), rtol=0, atol=HALF_DIGITS))


def can_tell_noise(n: int) -> bool:
    """Whether n points show a correlation of neighbours, of which at most half may be chance."""
    return SIGMAS / n**0.5 <= 0.5


def _neighbourhoods(x: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows all over the points, and the rows next to each."""
    here = np.arange(0, len(x), -(-len(x) // ENOUGH))
    n_near = min(4 * x.shape[1], FEW)
    return here, Nearest(x).query(x[here], k=n_near + 1)[1][:, 1:]


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
