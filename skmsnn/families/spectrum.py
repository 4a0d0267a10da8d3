"""The spectrum of what a fit leaves: whether a wave stands out of it, and how fast that is.

The paper's look at the residual (Ng, Wang & Lai 2024, algorithm 1), for a ladder of lattices that
ended before it came to a weak fast wave.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from skmsnn._comparison import SIGMAS
from skmsnn._memory import rows_a_block
from skmsnn.families.ladders import WIDTH
from skmsnn.functions.lattice import lattice_angles
from skmsnn.linalg.nufft import nufft_type1


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
    # twice as many waves as are orthogonal on the data
    length = 2 * WIDTH
    # pi n^(1/d) / 2 radians a unit, of which a wave of the box has 2 pi / 4
    most = int(min(n ** (1 / d), (rows_a_block(16) ** (1 / d) - 1) / 2))
    if most < 1:
        return 0.0
    orders = (most,) * d
    angles = lattice_angles(x, np.full(d, length))
    power = np.zeros(tuple(2 * m + 1 for m in orders))
    for column in rest.T:
        power += np.abs(nufft_type1(angles, weight * column, orders)) ** 2
    stands_out = np.argwhere(which_stand_out(power)) - most
    if len(stands_out) == 0:
        return 0.0
    return float(2 * np.pi / length * np.sqrt(np.sum(stands_out**2, axis=1)).max())


def which_stand_out(power: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which entries of a spectrum no chance explains.

    The power of noise is exponential: it is over t times its median with probability 2^-t.
    """
    chance = erfc(SIGMAS / np.sqrt(2)) / power.size
    return power > -np.log2(chance) * np.median(power)
