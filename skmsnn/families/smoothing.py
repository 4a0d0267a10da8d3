"""The damping of a smoothing spline, by what fits leave at held-out points."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._memory import working_bytes
from skmsnn._precision import HALF_DIGITS
from skmsnn._time_limit import time_is_up
from skmsnn.families.base import Split, Trial, validated_on_held_out
from skmsnn.spaces.base import Candidate
from skmsnn.spaces.smoothing import Mesh, SmoothingFit


def select_smoothing(data: Split, enough: float) -> Trial | None:
    """The smoothing spline that foresees held-out points best.

    Parameters
    ----------
    data : Split
        Scattered points of two or three features, some held out.
    enough : float
        What other functions leave: none is sought where splines of that many knots leave more of a
        smooth function.
    """
    n_points, d = len(data.x), data.x.shape[1]
    # of an elevation map at 13 000 points 4, 6 and 9 splines a point left 2.81e-2, 2.79e-2 and
    # 2.79e-2, where local thin-plate splines left 2.81e-2; of 104 000 points at most 60 000,
    # 200 000 and 400 000 splines left 6.7e-3, 5.5e-3 and 5.6e-3 in 4, 10 and 20 s
    n_entries = FLOPS_PER_SECOND / 2000  # of the normal equations: a fit then takes a second
    most = min(6 * n_points, n_entries / (2 * Mesh.degree + 1) ** d)
    mesh = Mesh(data.x, max(1, int(most ** (1 / d)) - Mesh.degree))
    if enough <= (2 / mesh.n_intervals) ** (mesh.degree + 1):
        return None
    # values of the splines at the points, and two numbers that tell which they are of
    if 3 * 8 * n_points * (mesh.degree + 1) ** d > working_bytes():
        return None
    trials: dict[float, Trial] = {}

    def error(decade: float) -> float:
        if 10.0 ** abs(decade) * HALF_DIGITS > 1 or (trials and time_is_up()):
            return np.inf
        if decade not in trials:
            candidate = _candidate(mesh, 10.0**decade)
            fit = candidate.fit(data.train)
            trials[decade] = validated_on_held_out(candidate, fit, data, data.train)
        return trials[decade].error

    at = 0.0
    # large steps downhill from 1 on, then a small one to each side
    for step in (1.0, 0.5):
        while error(nearer := min((at - step, at + step), key=error)) < error(at):
            at = nearer
    best = trials[at]
    if best.error >= enough:
        return best
    assert isinstance(best.fit, SmoothingFit)
    followed = max(1, round(best.fit.leverage))
    return replace(best, candidate=replace(best.candidate, n_terms=followed))


def _candidate(mesh: Mesh, damping: float) -> Candidate:
    def prepare(weight: NDArray[np.float64], cutoff: float) -> SmoothingFit:
        return SmoothingFit(mesh, weight, damping)

    by = " x ".join(str(n) for n in mesh.shape)
    label = f"a smoothing spline of degree {mesh.degree}, {by} coefficients"
    return Candidate(int(np.prod(mesh.shape)), prepare, label, cutoff=None, family="spline")
