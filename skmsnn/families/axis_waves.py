"""Fitted waves along one axis of a grid, beside polynomials or waves of a wider box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skmsnn.families.axis_trials import AxisProblem, AxisTrial, ascended, is_settled
from skmsnn.families.ladders import SHARES, WIDTH, axis_order, ball_frames
from skmsnn.families.polynomial import DEGREES
from skmsnn.families.waves import ROWS_A_TERM, Look
from skmsnn.functions.bases import LegendreWavesBasis
from skmsnn.spaces.axes import WavesAxis
from skmsnn.spaces.frames import PolynomialFrame

# Terms of the sets that are looked past for waves, a tenth of a second all together, and of those
# that have waves beside them.
_TERMS_LOOKED_PAST, _MOST_TERMS = 300, 600


def fitted_waves(problem: AxisProblem) -> list[AxisTrial]:
    """Waves that stand out along an axis, beside functions that describe the rest; none otherwise.

    The wave numbers are those of all columns together.
    """
    wave_numbers = _wave_numbers(problem)
    if len(wave_numbers) == 0:
        return []
    nodes = problem.nodes
    most = min(len(nodes) - 2, _MOST_TERMS) - 2 * len(wave_numbers)

    def tried(degree: int, others: NDArray[np.float64]) -> AxisTrial:
        basis = LegendreWavesBasis(degree, np.concatenate([others, wave_numbers]))
        return problem.tried(WavesAxis(nodes, basis))

    beside = (tried(degree, np.empty(0)) for degree in DEGREES if degree < most)
    trials = ascended(beside, problem.enough)
    if is_settled(trials):
        return trials
    orders = sorted({axis_order(nodes, share, WIDTH, False) for share in SHARES})
    lattices = (np.pi / WIDTH * np.arange(1.0, order + 1) for order in orders if 2 * order < most)
    return trials + ascended((tried(0, lattice) for lattice in lattices), problem.enough)


def _wave_numbers(problem: AxisProblem) -> NDArray[np.float64]:
    """In radians per unit of the scaled coordinate."""
    x, columns = problem.nodes[:, None], problem.columns
    free = np.zeros(1, dtype=bool)
    look = Look(x, columns, np.gradient(problem.nodes), free, np.random.RandomState(0))
    most = min(len(x) // ROWS_A_TERM, _TERMS_LOOKED_PAST)
    found = look.past(_polynomials(most)), look.past(ball_frames(free, most))
    waves, _ = min(found, key=lambda pair: pair[1])
    return waves[:, 0]


def _polynomials(most: int) -> Iterator[PolynomialFrame]:
    n_terms = 4
    while n_terms <= min(most, DEGREES[-1]):
        yield PolynomialFrame(np.arange(n_terms)[:, None])
        n_terms *= 2
