"""Fitted waves along one axis of a grid, besides polynomials or waves of a wider box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn.families.axis_problem import AxisProblem
from skmsnn.families.ladders import STEP, WIDTH, axis_order, axis_shares, ball_frames, growing
from skmsnn.families.waves import LOOK, Look, most_looked_past
from skmsnn.functions.bases import LegendreWavesBasis
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Preparation
from skmsnn.spaces.axes import WavesAxis
from skmsnn.spaces.frames import LatticeFrame, PolynomialFrame

# What a candidate costs besides its fits: 1.3 milliseconds, and 8 if there are some in folds.
OVERHEAD = FLOPS_PER_SECOND / 400
# Folds in which waves along an axis are fitted anew: the closed form has all.
_N_FOLDS = 3


def fitted_waves(problem: AxisProblem) -> Iterator[Ladder]:
    """Waves that stand out along an axis, besides polynomials, and waves of a wider box."""
    search = cache(partial(_Search, problem))
    yield _besides_polynomials(search)
    yield _besides_waves(search)


class _Search:
    """The waves of all columns together."""

    def __init__(self, problem: AxisProblem) -> None:
        self.problem = problem
        nodes = problem.nodes
        never = np.zeros(1, dtype=bool)
        points = (nodes[:, None], problem.columns, np.gradient(nodes))
        self._look = Look(*points, never, np.random.RandomState(0))
        most = most_looked_past(len(nodes))
        found = self._look.past(_polynomials(most)), self._look.past(ball_frames(never, most))
        waves, _ = min(found, key=lambda pair: pair[1])
        self.waves = waves[:, 0]
        affordable = int((FLOPS_PER_SECOND / svd_operations(len(nodes), 1)) ** 0.5)
        self.most = min(len(nodes) - 2, affordable) - 2 * len(waves)

    def candidate(self, degree: int, order: int) -> Candidate:
        """Fitted waves besides a lattice of waves and polynomials."""
        nodes = self.problem.nodes
        basis = LegendreWavesBasis(degree, np.concatenate([_lattice(order), self.waves]))
        n_terms = degree + 1 + 2 * (order + len(self.waves))

        def refit(fit: Fit, columns: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
            frame: LatticeFrame | PolynomialFrame
            frame = PolynomialFrame(np.arange(degree + 1)[:, None])
            if order:
                frame = LatticeFrame(np.arange(order + 1)[:, None], np.array([2 * WIDTH]))
            found = self._look.besides(frame, self.waves[:, None], weight)[:, 0]
            fitted = LegendreWavesBasis(degree, np.concatenate([_lattice(order), found]))
            return Fit(fit.function, state=WavesAxis(nodes[weight > 0], fitted, fit.state.cutoff))

        return self.problem.candidate(
            "fourier",
            basis.label,
            n_terms,
            partial(WavesAxis, nodes, basis),
            refit=refit,
            n_folds=_N_FOLDS,
            overhead=OVERHEAD + _N_FOLDS * svd_operations(len(nodes), n_terms),
        )


def _besides_polynomials(find: Callable[[], _Search]) -> Ladder:
    yield Preparation("fourier", LOOK)
    search = find()
    if len(search.waves):
        degrees = list(growing(search.most - 1))[::STEP]
        yield from (search.candidate(degree, 0) for degree in degrees)


def _besides_waves(find: Callable[[], _Search]) -> Ladder:
    yield Preparation("fourier", LOOK)
    search = find()
    if len(search.waves):
        nodes = search.problem.nodes
        orders = {axis_order(nodes, share, WIDTH, False) for share in axis_shares(len(nodes))}
        possible = sorted(order for order in orders if 0 < 2 * order < search.most)
        yield from (search.candidate(0, order) for order in possible[::STEP])


def _polynomials(most: int) -> Iterator[PolynomialFrame]:
    n_terms = 4
    while n_terms <= most:
        yield PolynomialFrame(np.arange(n_terms)[:, None])
        n_terms *= 2


def _lattice(order: int) -> NDArray[np.float64]:
    """Wave numbers of a wider box, in radians per unit."""
    return np.pi / WIDTH * np.arange(1.0, order + 1)
