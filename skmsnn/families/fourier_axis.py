"""Waves along one axis of a grid: of the period, or of boxes wider than the data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import CUTOFFS, ROUND_OFF
from skmsnn.families.axis_problem import AxisProblem
from skmsnn.families.axis_waves import fitted_waves
from skmsnn.families.ladders import (
    OTHER_WIDTHS,
    STEP,
    WIDTH,
    axis_basis,
    axis_order,
    axis_shares,
)
from skmsnn.selection.candidate import Candidate, Ladder
from skmsnn.spaces.axes import ExtensionAxis


def periodic_waves(problem: AxisProblem) -> Iterator[Ladder]:
    """Waves of a period, up to growing wave numbers."""
    yield _periodic(problem)


def _periodic(problem: AxisProblem) -> Ladder:
    nodes = problem.nodes
    for order in _orders(nodes, WIDTH, True):
        yield problem.candidate(
            "fourier",
            f"periodic waves up to {order}",
            2 * order + 1,
            partial(axis_basis, nodes, order, WIDTH, True),
            bandlimit=float(order),
        )


def extension_waves(problem: AxisProblem) -> Iterator[Ladder]:
    """Waves of boxes of several widths, and waves of fitted wave numbers."""
    for width in (WIDTH, *OTHER_WIDTHS):
        yield _extension(problem, width)
    yield from fitted_waves(problem)


def _extension(problem: AxisProblem, width: float) -> Ladder:
    for order in _orders(problem.nodes, width, False)[::STEP]:
        yield _Extension(problem, order, width).candidate()


@dataclass(frozen=True)
class _Extension:
    """Waves of a box, and a cut-off of their singular values."""

    problem: AxisProblem
    order: int
    width: float
    cutoff: float = ROUND_OFF

    def candidate(self) -> Candidate:
        """These waves as a candidate."""
        label = f"waves up to {self.order}, box {self.width:g} times the data's"
        if self.cutoff != ROUND_OFF:
            label += f", cut off at {self.cutoff:.0e}"
        nodes, length = self.problem.nodes, 2 * self.width
        return self.problem.candidate(
            "fourier",
            label,
            2 * self.order + 1,
            partial(ExtensionAxis, nodes, self.order, length, self.cutoff),
            bandlimit=self.order / self.width,
            neighbours=self._neighbours,
        )

    def _neighbours(self) -> Iterator[Candidate]:
        """Somewhat fewer and more waves of the same box, and the next cut-offs."""
        orders = _orders(self.problem.nodes, self.width, False)
        fewer = [order for order in orders if order < self.order][-1:]
        more = [order for order in orders if order > self.order][:1]
        for order in fewer + more:
            yield _Extension(self.problem, order, self.width, self.cutoff).candidate()
        smaller = [c for c in CUTOFFS if c < self.cutoff][-1:]
        larger = [c for c in CUTOFFS if c > self.cutoff][:1]
        for cutoff in smaller + larger:
            yield _Extension(self.problem, self.order, self.width, cutoff).candidate()


def _orders(nodes: NDArray[np.float64], width: float, periodic: bool) -> list[int]:
    """Distinct wave numbers of growing shares of the Nyquist number."""
    orders = [axis_order(nodes, share, width, periodic) for share in axis_shares(len(nodes))]
    return sorted(set(orders))
