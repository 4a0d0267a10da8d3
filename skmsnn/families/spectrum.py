"""The spectrum of what a fit leaves: whether a wave stands out of it, and which.

The paper's look at the residual (Ng, Wang & Lai 2024, algorithm 1), for waves that a ladder of
lattices is too slow for, or ended before it came to them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc

from skmsnn._comparison import SIGMAS
from skmsnn._memory import rows_a_block
from skmsnn.domain import uniform_spacing
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
    power, wave_numbers = _spectrum(x, rest, weight)
    return float(wave_numbers[which_stand_out(power)].max(initial=0))


def _spectrum(
    x: NDArray[np.float64], rest: NDArray[np.float64], weight: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Power of the waves up to the mean Nyquist number, and their wave numbers."""
    n, d = x.shape
    # twice as many waves as are orthogonal on the data
    lengths = np.full(d, 2 * WIDTH)
    # pi n^(1/d) / 2 radians a unit, of which a wave of the box has 2 pi / 4
    most = int(min(n ** (1 / d), (rows_a_block(16) ** (1 / d) - 1) / 2))
    power = _power(x, rest, weight, lengths, (most,) * d)
    orders = np.moveaxis(np.indices(power.shape), 0, -1) - most
    return power, np.linalg.norm(2 * np.pi * orders / lengths, axis=-1)


def strongest_wave(
    x: NDArray[np.float64],
    rest: NDArray[np.float64],
    weight: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    limits: NDArray[np.float64],
) -> NDArray[np.float64] | None:
    """Wave vector of the strongest wave, up to a wave number along each axis.

    Under a Hann window: what fits leave near the ends does not hide it.

    Parameters
    ----------
    x, rest, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        As of ``fastest_wave``.
    periodic : ndarray of shape (d,), bool
        Axes along which waves have the period 2.
    limits : ndarray of shape (d,)
        Highest wave numbers, in radians per unit.

    Returns
    -------
    ndarray of shape (d,) or None
        In radians per unit of the scaled coordinates; None where none stands out.
    """
    lengths = np.where(periodic, 2.0, 2 * WIDTH)
    window = np.prod(np.where(periodic, 1.0, 1 + np.cos(np.pi * x)), axis=1)
    most = (rows_a_block(16) ** (1 / len(limits)) - 1) / 2
    orders = tuple(int(m) for m in np.minimum(limits * lengths / (2 * np.pi), most))
    power = _power(x, rest, weight * window, lengths, orders)
    at = np.array(np.unravel_index(int(np.argmax(power)), power.shape))
    wave = 2 * np.pi * (at - np.array(power.shape) // 2) / lengths
    return wave if wave.any() and which_stand_out(power)[tuple(at)] else None


def nyquist_limits(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Wave numbers along each axis that points (n, d) in [-1, 1]^d tell apart, in radians per unit.

    Those of a grid have as many nodes along each axis as there are values; others, on average,
    ``n^(1/d)``.
    """
    n_left, d = float(len(x)), x.shape[1]
    n_values = np.array([len(np.unique(column)) for column in x.T], dtype=float)
    n_nodes = np.empty(d)
    for k, j in enumerate(np.argsort(n_values, kind="stable")):
        n_nodes[j] = min(n_values[j], n_left ** (1 / (d - k)))
        n_left /= n_nodes[j]
    return np.pi / 2 * (n_nodes - 1)


def alias_limits(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same where levels are evenly spaced, so that faster waves look like slower ones.

    Infinite along other axes.
    """
    spacings = [uniform_spacing(np.unique(column)) for column in x.T]
    return np.array([np.pi / s if s is not None and s > 0 else np.inf for s in spacings])


def _power(
    x: NDArray[np.float64],
    rest: NDArray[np.float64],
    weight: NDArray[np.float64],
    lengths: NDArray[np.float64],
    orders: tuple[int, ...],
) -> NDArray[np.float64]:
    """Of each wave of a box, all outputs together."""
    angles = lattice_angles(x, lengths)
    power = np.zeros(tuple(2 * m + 1 for m in orders))
    for column in rest.T:
        power += np.abs(nufft_type1(angles, weight * column, orders)) ** 2
    return power


def which_stand_out(power: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which entries of a spectrum no chance explains.

    The power of noise is exponential: it is over t times its median with probability 2^-t.
    """
    chance = erfc(SIGMAS / np.sqrt(2)) / power.size
    return power > -np.log2(chance) * np.median(power)
