"""Fourier series: of the period, or of a box wider than the data (section 3.4 of the paper)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import EQUAL, PATIENCE
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn._precision import NEAR_ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.axis_trials import AxisProblem, AxisTrial
from skmsnn.families.base import Split, Trial
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFitter
from skmsnn.families.fourier_axis import extension_waves, periodic_waves
from skmsnn.families.ladders import candidates
from skmsnn.families.lattice_waves import select_with_waves
from skmsnn.families.selection import select_modes
from skmsnn.families.spectrum import fastest_wave
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.base import Candidate


class Fourier(Family):
    """Cosines and sines of lattices of wave vectors; polynomials along features of few levels."""

    name = "fourier"

    def space(self, fitter: StageFitter, enough: float) -> Trial | None:
        points = fitter.points
        data = fitter.whole if fitter.asks_unseen else fitter.split
        if points.levels or not (data.held_out is not None or fitter.asks_unseen):
            return self._of_lattice(fitter, data, enough)  # nothing tells waves of all directions
        search = self._at_scattered if points.grid is None else self._on_grid
        return search(fitter, data, enough)

    def _on_grid(self, fitter: StageFitter, data: Split, enough: float) -> Trial | None:
        """Products of waves along axes, which are found sooner than waves of all directions."""
        alone = self._of_lattice(fitter, data, enough)
        if time_is_up() or (alone is not None and _leaves_little(alone)):
            return alone
        found = select_with_waves(fitter.points.domain, data, fitter.rng, enough)
        return alone if found is None else _better(alone, found[0])

    def _at_scattered(self, fitter: StageFitter, data: Split, enough: float) -> Trial | None:
        """Waves of all directions; lattices alone, up to the largest, where these fall short."""
        found = select_with_waves(fitter.points.domain, data, fitter.rng, enough)
        if found is None:
            return self._of_lattice(fitter, data, enough)
        with_waves, is_of_help = found
        if is_of_help or _leaves_little(with_waves) or time_is_up():
            return with_waves
        alone = self._of_lattice(fitter, data, min(enough, with_waves.error))
        return _better(alone, with_waves)

    def _of_lattice(self, fitter: StageFitter, data: Split, enough: float) -> Trial | None:
        points = fitter.points
        n_points = int(np.count_nonzero(data.train))
        ladder = candidates(points.domain, points.grid, points.x, n_points, points.levels)
        if fitter.follows_network:
            # of larger sets none was ever kept
            ladder = [c for c in ladder if qr_operations(n_points, c.n_terms) <= FLOPS_PER_SECOND]
        if not fitter.asks_unseen and points.held_out is None:
            # nothing tells how many modes the data carry: half as many as there are points
            ladder = [c for c in ladder if 2 * c.n_terms <= n_points][-1:] or ladder[:1]
        trial = select_modes(ladder, data, fitter.rng, enough, fitter.left_by_rough)
        is_seen = points.x.shape[1] <= MOST_DIMENSIONS
        if trial is None or trial.error <= NEAR_ROUND_OFF or not is_seen or time_is_up():
            return trial
        # the ladder may have ended before it came to a weak fast wave
        rest = data.target - trial.modes.evaluate(data.x)
        for candidate in _reaching_the_fastest(ladder, trial, data, rest):
            other = select_modes([candidate], data, fitter.rng, trial.error)
            if other is None or other.error >= trial.error:
                break
            trial = other
        return trial

    def along_axis(self, problem: AxisProblem) -> list[AxisTrial]:
        return periodic_waves(problem) if problem.periodic else extension_waves(problem)


def _leaves_little(trial: Trial) -> bool:
    """Whether another search is not worth its time."""
    return trial.error <= 100 * NEAR_ROUND_OFF


def _better(alone: Trial | None, with_waves: Trial) -> Trial:
    return alone if alone is not None and alone.error < with_waves.error else with_waves


def _reaching_the_fastest(
    ladder: list[Candidate], trial: Trial, data: Split, rest: NDArray[np.float64]
) -> list[Candidate]:
    """Sets of the same box that reach the fastest wave in what a fit leaves, if it did not."""
    if not any(candidate.bandlimit for candidate in ladder):
        return []
    used = data.train > 0
    fastest = fastest_wave(data.x[used], rest[used], data.train[used])
    if fastest <= trial.candidate.bandlimit:
        return []
    reaching = [c for c in ladder if c.bandlimit >= EQUAL * fastest][:PATIENCE]
    return [replace(candidate, variants=tuple, boxes=list) for candidate in reaching]
