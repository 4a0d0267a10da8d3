"""The spectrum of what a fit leaves: whether a wave stands out of it, and how fast that is.

The paper's look at the residual (Ng, Wang & Lai 2024, algorithm 1), for a ladder of lattices that
ended before it came to a weak fast wave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions.lattice import lattice_angles
from skmsnn.linalg.nufft import nufft_type1

# Power over the median at which a wave stands out. Of noise one of ten thousand reaches ten times
# the median by chance, and thirty times none does.
STANDS_OUT = 30.0
# Sides of the box whose waves are looked at: twice as many as are orthogonal on the data.
_LENGTH = 4.0
# Waves that are looked at, at most.
_MOST_WAVES = 2**21


def fastest_wave(
    x: NDArray[np.float64], rest: NDArray[np.float64], weight: NDArray[np.float64]
) -> float:
    """Wave number of the fastest wave that stands out, up to the mean Nyquist number; or 0.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Scaled points, d at most 3.
    rest : ndarray of shape (n, n_outputs)
        What a fit leaves there.
    weight : ndarray of shape (n,)
        Of the points.

    Returns
    -------
    float
        In radians per unit of the scaled coordinates.
    """
    n, d = x.shape
    # pi n^(1/d) / 2 radians a unit, of which a wave of the box has 2 pi / 4
    most = int(min(n ** (1 / d), (_MOST_WAVES ** (1 / d) - 1) / 2))
    if most < 1:
        return 0.0
    orders = (most,) * d
    angles = lattice_angles(x, np.full(d, _LENGTH))
    power = np.zeros(tuple(2 * m + 1 for m in orders))
    for column in rest.T:
        power += np.abs(nufft_type1(angles, weight * column, orders)) ** 2
    stands_out = np.argwhere(power > STANDS_OUT * np.median(power)) - most
    if len(stands_out) == 0:
        return 0.0
    return float(2 * np.pi / _LENGTH * np.sqrt(np.sum(stands_out**2, axis=1)).max())
