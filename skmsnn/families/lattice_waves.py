"""Lattices at scattered points with fitted waves beside them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, ENOUGH
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn._precision import NEAR_ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.domain import Domain
from skmsnn.families.base import Split, Trial
from skmsnn.families.ladders import ball_frames, candidates
from skmsnn.families.selection import select_modes
from skmsnn.families.waves import Look, are_foreseen, most_looked_past
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.dense import DenseFit, candidate_of
from skmsnn.spaces.frames import LatticeFrame, LatticeWavesFrame
from skmsnn.validation.leave_out import N_FOLDS


def select_with_waves(
    domain: Domain, data: Split, rng: np.random.RandomState, enough: float
) -> tuple[Trial, bool] | None:
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
    Trial, and bool
        The best, and whether its lattice alone leaves much more; None where no wave stands out.
    """
    n_rows = int(np.count_nonzero(data.train))
    if data.x.shape[1] > MOST_DIMENSIONS or domain.periodic.all():
        return None
    look = Look(data.x, data.target, data.train, domain.periodic, rng)
    waves, _ = look.past(ball_frames(domain.periodic, most_looked_past(n_rows)))
    best: Trial | None = None
    found: NDArray[np.float64] = waves
    # waves are fitted anew beside the best lattice, as long as that pays
    while len(waves) and not time_is_up():
        ladder = candidates(domain, None, data.x, n_rows, waves=waves)
        trial = select_modes(ladder, data, rng, enough)
        if trial is None or (best is not None and trial.error >= best.error):
            break
        pays = best is None or trial.error * CLEARLY < best.error
        best, found = trial, waves
        if not pays or best.error <= NEAR_ROUND_OFF:
            break
        assert isinstance(best.fit, DenseFit)
        assert isinstance(best.fit.frame, LatticeWavesFrame)
        if qr_operations(best.n_rows, best.candidate.n_terms) > FLOPS_PER_SECOND:
            break
        most = most_looked_past(n_rows, seconds=1)
        lattices = [*ball_frames(domain.periodic, most), best.fit.frame.lattice]
        beside = [f for f in _slower_than(waves, lattices) if f.n_columns <= most]
        if not beside:
            break
        waves, _ = look.past(beside[-1:], waves)
    if best is None:
        return None
    if data.held_out is None and not _is_foreseen(data, best, look, found):
        return None
    assert isinstance(best.fit, DenseFit)
    assert isinstance(best.fit.frame, LatticeWavesFrame)
    alone = candidate_of(data.x, best.fit.frame.lattice, "a lattice alone", "fourier")
    without = select_modes([alone], data, rng, enough)
    return best, without is None or without.error > CLEARLY * best.error


def _slower_than(waves: NDArray[np.float64], frames: list[LatticeFrame]) -> list[LatticeFrame]:
    """Lattices all of whose waves are slower: others hold what is to be told of these."""
    slowest = np.linalg.norm(waves, axis=1).min()
    return [f for f in frames if np.linalg.norm(f.wave_vectors, axis=1).max() < slowest]


def _is_foreseen(data: Split, trial: Trial, look: Look, waves: NDArray[np.float64]) -> bool:
    """Whether points are foreseen by waves that are fitted without them."""
    assert isinstance(trial.fit, DenseFit)
    assert isinstance(trial.fit.frame, LatticeWavesFrame)
    lattice, used = trial.fit.frame.lattice, np.flatnonzero(data.train)
    square, weights, asked = 0.0, 0.0, 0
    for part in range(N_FOLDS):
        if asked >= ENOUGH or time_is_up():
            break
        # points are sorted along the first feature
        rows = used[part::N_FOLDS]
        weight = data.train.copy()
        weight[rows] = 0
        frame = LatticeWavesFrame(lattice, look.without(rows, lattice, waves))
        modes = DenseFit(data.x, weight, frame, trial.fit.damping).solve(data.target)
        rest = data.target[rows] - modes.evaluate(data.x[rows])
        square += float(data.train[rows] @ np.mean(rest**2, axis=1))
        weights += float(data.train[rows].sum())
        asked += len(rows)
    return are_foreseen(trial.error, float(np.sqrt(square / weights)))
