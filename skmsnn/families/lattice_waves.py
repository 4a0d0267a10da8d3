"""Lattices at scattered points with fitted waves beside them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from skmsnn._time_limit import time_is_up
from skmsnn.domain import Domain
from skmsnn.families.base import Split, Trial
from skmsnn.families.ladders import ball_frames, candidates
from skmsnn.families.selection import select_modes
from skmsnn.families.spectrum import strongest_wave
from skmsnn.families.waves import WaveSearch
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import LatticeFrame, LatticeWavesFrame

# Lattices of up to so many terms are looked past for waves, half a second all together, and the
# last one whatever it takes. Rows that tell K terms and some waves apart.
_TERMS_LOOKED_PAST, _ROWS_A_TERM, _ROWS_OF_WAVES = 550, 2, 500
# Combinations of many outputs that are looked at: a wave in one is in most of them.
_MOST_OUTPUTS = 4
# Held-out residual below which a next stage reaches round-off.
_RESOLVED = 1e-13
# Waves are fitted anew beside the best lattice, as long as that leaves less than the share.
_ROUNDS, _WORTH_A_ROUND = 4, 0.5


def select_with_waves(
    domain: Domain, data: Split, rng: np.random.RandomState, enough: float
) -> Trial | None:
    """The best lattice with waves beside it that stand out of what smaller ones leave.

    Parameters
    ----------
    domain : Domain
        Of scattered points, or those of a grid with holes.
    data : Split
        Targets, and which points are for fitting and which for judging.
    rng : RandomState
        Draws rows, and combinations of outputs.
    enough : float
        What other functions leave.

    Returns
    -------
    Trial or None
        None where no wave stands out.
    """
    d = data.x.shape[1]
    n_rows = int(np.count_nonzero(data.train))
    if d > MOST_DIMENSIONS or domain.periodic.all():
        return None
    look = _Look(domain, data, rng)
    most = min(_TERMS_LOOKED_PAST, n_rows // _ROWS_A_TERM)
    waves = look.past(ball_frames(domain, most), np.empty((0, d)))
    best: Trial | None = None
    for _ in range(_ROUNDS):
        if len(waves) == 0 or time_is_up():
            break
        ladder = candidates(domain, None, data.x, n_rows, waves=waves)
        trial = select_modes(ladder, data, rng, enough)
        if trial is None or (best is not None and trial.error >= best.error):
            break
        pays = best is None or trial.error < _WORTH_A_ROUND * best.error
        best = trial
        if not pays or best.error <= _RESOLVED:
            break
        assert isinstance(best.fit, DenseFit)
        assert isinstance(best.fit.frame, LatticeWavesFrame)
        waves = look.past([best.fit.frame.lattice], waves)
    return best


class _Look:
    """What lattices leave of the values, and the waves in it."""

    def __init__(self, domain: Domain, data: Split, rng: np.random.RandomState) -> None:
        self._data, self._periodic = data, domain.periodic
        self._rows = rng.permutation(np.flatnonzero(data.train))
        n_outputs = data.target.shape[1]
        self._mixing = np.eye(n_outputs)
        if n_outputs > _MOST_OUTPUTS:
            self._mixing = rng.standard_normal((n_outputs, _MOST_OUTPUTS)) / np.sqrt(n_outputs)

    def past(
        self, lattices: Iterable[LatticeFrame], waves: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Waves beside growing lattices, in radians per unit, those known among them."""
        for lattice in lattices:
            rows = self._rows[: _ROWS_A_TERM * lattice.n_columns + _ROWS_OF_WAVES]
            x, weight = self._data.x[rows], self._data.train[rows]
            columns = lattice.system(x, np.ones(len(x)))
            target = self._data.target[rows] @ self._mixing

            def strongest(
                rest: NDArray[np.float64],
                x: NDArray[np.float64] = x,
                weight: NDArray[np.float64] = weight,
            ) -> NDArray[np.float64] | None:
                return strongest_wave(x, rest, weight, self._periodic, len(self._rows))

            waves = WaveSearch(x, target, weight, ~self._periodic, columns, strongest).waves(waves)
            if time_is_up():
                break
        return waves
