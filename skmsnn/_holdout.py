"""Which points are held out: at random, but between others.

What a fit does at a point of which there is no neighbour on one side, or in a gap of several, says
little of a fit that has the point. So corners of a grid are for fitting, and so are the ends of a
line and the neighbours of what is held out on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_BLOCK = 3


def held_out_rows(
    x: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    on_grid: bool,
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
    if d == 1 and block >= _LEAST_BLOCK:
        starts = np.arange(0, n - block + 1, block)
        return starts + rng.randint(1, block - 1, size=len(starts))
    rows = rng.permutation(n)
    if on_grid and not periodic.all():
        is_corner = np.all(np.abs(x[:, ~periodic]) > 1 - 1e-12, axis=1)
        if not is_corner.all():
            rows = rows[~is_corner[rows]]
    rows = rows[: max(1, round(fraction * n))]
    if len(rows) == n:
        raise ValueError(
            f"validation_fraction={fraction:g} holds out all of the {n} distinct points; lower it."
        )
    return np.sort(rows)
