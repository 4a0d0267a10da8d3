"""Which points are held out: where fresh points fall, and between others.

On a grid these are whole lines: a node held out alone has all its coordinates in common with
others, and says nothing of what a fit does between the lines. What a fit does beyond the last
point, or in a gap of several, says little of a fit that has the points: so ends stay in, and so do
the neighbours of what is held out on a line.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, ENOUGH, FAR, FEW, LEAST_NODES
from skmsnn._precision import NEAR_ROUND_OFF
from skmsnn.domain import Grid
from skmsnn.linalg.nearest import Nearest
from skmsnn.validation.leave_out import EdgePoints


def held_out_rows(
    x: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    grid: Grid | None,
    fraction: float,
    rng: np.random.RandomState,
) -> NDArray[np.intp]:
    """Ascending rows to hold out of scaled points (n, d), sorted along the first feature.

    Raises
    ------
    ValueError
        If none would be left for training.
    """
    n, d = x.shape
    block = round(min(1 / fraction, n))
    if d == 1 and block >= 3:  # each held-out point between two others
        return _one_of_each_block(n, block, rng)
    if grid is not None and 1 / fraction >= 3:
        on_lines = _rows_on_lines(grid, periodic, fraction, rng)
        if 0 < len(on_lines) < n:
            if grid.is_complete:
                return on_lines
            # with holes there may be hardly more points than modes: a pair of lines across each
            # axis, and single points up to the share
            others = np.setdiff1d(np.arange(n), on_lines)
            missing = max(0, round(fraction * n) - len(on_lines))
            return np.sort(np.concatenate([on_lines, rng.permutation(others)[:missing]]))
    rows = rng.permutation(n)
    if grid is not None and not periodic.all():
        is_corner = np.all(np.abs(x[:, ~periodic]) > 1 - NEAR_ROUND_OFF, axis=1)
        if not is_corner.all():
            rows = rows[~is_corner[rows]]
    rows = rows[: max(1, round(fraction * n))]
    if len(rows) == n:
        raise ValueError(
            f"validation_fraction={fraction:g} holds out all of the {n} distinct points; lower it."
        )
    return np.sort(rows)


def _one_of_each_block(n: int, block: int, rng: np.random.RandomState) -> NDArray[np.intp]:
    """One point of each block of a line, and at both ends the one next to the last."""
    starts = np.arange(0, n - block + 1, block)
    rows = starts + rng.randint(1, block - 1, size=len(starts))
    if len(rows) > 1:
        rows[0], rows[-1] = 1, n - 2
    return rows


def _rows_on_lines(
    grid: Grid, periodic: NDArray[np.bool_], fraction: float, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Points on some lines across each axis, together about a given share of all.

    Of axes of few nodes none, as the rest would have gaps too wide, and of those of some more the
    lines next to the ends alone.

    With holes, none across a periodic axis: waves up to Nyquist's are between its nodes what they
    are on them, and a line without any point costs the digits of those next to Nyquist's.
    """
    asked = ~periodic | grid.is_complete
    long = [j for j, n in enumerate(grid.shape) if n >= LEAST_NODES and asked[j]]
    if not long:
        return np.empty(0, dtype=np.intp)
    on_line = np.zeros(len(grid.index), dtype=bool)
    where = np.unravel_index(grid.index, grid.shape)
    for j in long:
        n = grid.shape[j]
        # the lines of each axis miss a share s of the points: all of them 1 - (1 - s)^d
        share = 1 - (1 - fraction) ** (1 / len(long))
        n_lines = 2
        if grid.is_complete and n >= FEW:
            n_lines = max(4, round(share * n))
        lines = _separate_lines(n, n_lines, bool(periodic[j]), rng)
        on_line |= np.isin(where[j], lines)
    return np.flatnonzero(on_line)


def _separate_lines(
    n: int, n_lines: int, periodic: bool, rng: np.random.RandomState
) -> NDArray[np.intp]:
    """Lines in pairs that mirror each other, none next to another, and none at an end.

    Left out alone, one of a pair asks nothing of even functions. Next to each end there is one: the
    cells there are where a fit is worst.
    """
    free = np.ones(n, dtype=bool)
    lines: list[int] = []
    order = [int(i) for i in rng.permutation(n // 2)]
    if not periodic:
        free[[0, -1]] = False
        order = [1, *order] if n_lines > 2 or n < FEW else order
    for i in order:
        pair = {i, n - 1 - i}
        apart = max(pair) - min(pair)
        are_neighbours = apart == 1 or (periodic and apart == n - 1)
        if len(lines) >= n_lines or not free[list(pair)].all() or are_neighbours:
            continue
        lines += pair
        for k in pair:
            free[[k - 1, k, (k + 1) % n]] = False
    return np.array(sorted(lines), dtype=np.intp)


def sample_edges(
    x: NDArray[np.float64], periodic: NDArray[np.bool_], rng: np.random.RandomState
) -> EdgePoints:
    """The most exposed of points as fresh ones fall about scattered points (n, d).

    Each is as near to a point of the data as their neighbours are, and in the box of all. Between
    others, leaving out a point tells enough; next to edges and corners all others lie to one side.
    """
    d = x.shape[1]
    nearest = Nearest(x)
    n_near = min(4 * d, FEW, len(x) - 1)
    here = rng.randint(len(x), size=ENOUGH)
    distance, around = nearest.query(x[here], k=n_near + 1)
    radius = distance[:, -1]
    # along what the neighbours span: points may lie on a line, or on a curve
    shares = rng.standard_normal((len(here), n_near, 1))
    direction = np.sum(shares * (x[around[:, 1:]] - x[here, None]), axis=1)
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    direction /= np.where(length > 0, length, 1.0)  # scaled, points next to each other may be one
    points = x[here] + (radius * rng.uniform(size=len(here)) ** (1 / d))[:, None] * direction
    low, high = np.where(periodic, -1.0, x.min(axis=0)), np.where(periodic, 1.0, x.max(axis=0))
    points = points[np.all((points >= low) & (points <= high), axis=1)]
    near = nearest.query(points, k=n_near)[1]
    exposed = np.linalg.norm(points - x[near].mean(axis=1), axis=1)
    # corners of a square, where fits are worst, take up a hundredth of it for a thousand points
    most = np.argsort(-exposed)[: max(1, round(len(points) / FAR))]
    corners = corners_of(low, high)
    # a corner is part of the region of the data if these come as close to it as to each other
    if len(corners):
        apart = nearest.query(corners, k=1)[0][:, 0]
        corners = corners[apart <= CLEARLY * np.median(radius)]
    # a fresh point in the cell of a corner of many features is far from the corner itself
    nearness = min(1.0, len(x) / (FAR * max(1, len(corners))))
    of_corners = np.full(len(corners), nearness**2 / len(x))
    of_points = np.full(len(most), 1 / FAR / max(1, len(most)))
    both = np.concatenate([points[most], corners])
    return EdgePoints(both, np.concatenate([of_points, of_corners]))


def corners_of(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners of a box of few features; of many, points come near none."""
    if 2 ** len(low) > ENOUGH:
        return np.empty((0, len(low)))
    return np.array(list(product(*zip(low, high, strict=True))))


def points_in_gaps(x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Points on the way from one of scattered points (n, d) to another that have none about them.

    None where there are few such: every set of points has some loose ends.
    """
    rng = np.random.RandomState(0)
    nearest = Nearest(x)
    n_near = min(4 * x.shape[1], FEW, len(x) - 1)
    one, other = rng.randint(len(x), size=(2, ENOUGH))
    way = rng.uniform(size=(ENOUGH, 1))
    points = x[one] + way * (x[other] - x[one])
    distance, rows = nearest.query(points)
    radius = nearest.query(x[rows[:, 0]], k=n_near + 1)[0][:, -1]
    in_gaps = distance[:, 0] > CLEARLY * radius
    # of points at random in a square none is drawn in gaps
    return points[in_gaps][: round(ENOUGH / FAR)] if in_gaps.mean() * FAR > 1 else None
