"""Waves along one axis of a grid: of the period, or of several boxes wider than the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, FAR, PATIENCE
from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn._precision import CUTOFFS
from skmsnn._time_limit import time_is_up
from skmsnn.families.axis_trials import (
    AxisProblem,
    AxisTrial,
    ascended,
    error_of,
    is_settled,
)
from skmsnn.families.axis_waves import fitted_waves
from skmsnn.families.ladders import (
    OTHER_WIDTHS,
    RATIO,
    WIDTH,
    axis_basis,
    axis_order,
    axis_shares,
)
from skmsnn.spaces.axes import AxisBasis, ExtensionAxis, WavesAxis


def periodic_waves(problem: AxisProblem) -> list[AxisTrial]:
    """Waves of a period, up to growing wave numbers."""
    nodes = problem.nodes
    shares = axis_shares(len(nodes))
    ladder = (
        axis_basis(nodes, axis_order(nodes, shares[band], WIDTH, True), WIDTH, True)
        for band in _distinct_bands(nodes, True)
    )
    return ascended((problem.tried(axis) for axis in ladder), replace(problem, enough=0.0))


def extension_waves(problem: AxisProblem) -> list[AxisTrial]:
    """Waves of boxes wider than the data, as long as they may leave less than is enough.

    Of sets that take more than a second the next while it is clearly better. Where it is not, and
    where cheap ones seem to lead nowhere, that which reaches the fastest wave that stands out of
    the spectrum of what they leave.
    """
    nodes = problem.nodes
    shares = axis_shares(len(nodes))

    def waves(band: int, width: float) -> AxisTrial:
        order = axis_order(nodes, shares[band], width, False)
        return problem.tried(ExtensionAxis(nodes, order, 2 * width))

    bands = _distinct_bands(nodes, False)
    orders = {band: axis_order(nodes, shares[band], WIDTH, False) for band in bands}
    cheap = [
        band for band in bands if svd_operations(len(nodes), 2 * orders[band]) <= FLOPS_PER_SECOND
    ]
    ladder = ascended((waves(band, WIDTH) for band in cheap), problem)
    fitted = [] if is_settled(ladder) else fitted_waves(problem)
    if is_settled(fitted):
        return ladder + fitted
    climbed, above = bands[: len(ladder)], bands[len(ladder) :]
    while above and not is_settled(ladder) and not time_is_up():
        converges = len(ladder) > 1 and ladder[-1].error * CLEARLY < ladder[-2].error
        if not converges:
            best = min(ladder, key=error_of)
            fastest = WIDTH * problem.fastest_wave(best.axis)
            above = [band for band in above if orders[band] > fastest > orders[climbed[-1]]]
        if above:
            climbed.append(above.pop(0))
            ladder.append(waves(climbed[-1], WIDTH))
    if is_settled(ladder):
        return ladder
    tried = [*ladder, *fitted]
    if min(trial.error for trial in ladder) < FAR * problem.enough:
        at = climbed[int(np.argmin([trial.error for trial in ladder]))]
        for width in OTHER_WIDTHS:
            # in a wider box less than the same highest wave number does
            for step in range(-2, 3) if width < WIDTH else range(-3, 1):
                if at + step in climbed and at + step > 0 and not time_is_up():
                    tried.append(waves(at + step, width))
    for trial in sorted(tried, key=error_of)[:PATIENCE]:
        tried += _half_a_band_away(problem, trial.axis)
    for trial in sorted(tried, key=error_of)[:PATIENCE]:
        axis = trial.axis
        assert isinstance(axis, ExtensionAxis | WavesAxis)
        larger = [cutoff for cutoff in CUTOFFS if axis.cutoff < cutoff < trial.train_error]
        tried += [problem.tried(axis.with_cutoff(cutoff)) for cutoff in larger]
    return tried


def _half_a_band_away(problem: AxisProblem, axis: AxisBasis) -> list[AxisTrial]:
    """Fewer and more waves of the same box."""
    tried: list[AxisTrial] = []
    if not isinstance(axis, ExtensionAxis):
        return tried
    for order in (round(axis.order / RATIO**0.5), round(axis.order * RATIO**0.5)):
        is_cheap = svd_operations(len(problem.nodes), 2 * order) <= FLOPS_PER_SECOND
        if order not in (0, axis.order) and is_cheap and not time_is_up():
            tried.append(problem.tried(ExtensionAxis(problem.nodes, order, axis.length)))
    return tried


def _distinct_bands(nodes: NDArray[np.float64], periodic: bool) -> list[int]:
    """Places of those bandlimits among the shares that give different orders."""
    orders = [axis_order(nodes, share, WIDTH, periodic) for share in axis_shares(len(nodes))]
    return [r for r, order in enumerate(orders) if r == 0 or order > orders[r - 1]]
