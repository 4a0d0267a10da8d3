"""Least squares problems of data in chunks: the space is chosen on a sample, and solved for all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._effort import ITERATIONS, MOST_OPERATIONS
from skmsnn._memory import rows_a_block
from skmsnn._precision import NEAR_ROUND_OFF, ROUND_OFF
from skmsnn.domain import Domain, Points
from skmsnn.families.best import best_space
from skmsnn.families.ladders import periodic_orders
from skmsnn.functions import LinearExpansion
from skmsnn.functions.lattice import TensorFourierSeries
from skmsnn.linalg.toeplitz import ToeplitzSystem, central_box
from skmsnn.linalg.tsqr import take_in
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Scored
from skmsnn.selection.entrant import RESOLVED
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import HeldOut, StageProblem, unwatched
from skmsnn.selection.race import Race
from skmsnn.selection.scheme import HoldoutScheme
from skmsnn.selection.trace import Trace
from skmsnn.sources.chunks import ChunkedData
from skmsnn.sources.sums import (
    Triangle,
    View,
    WaveSums,
    sum_waves_of,
    triangle_of,
)
from skmsnn.spaces.dense import DenseFit, damping_triangle
from skmsnn.spaces.frames import AnyFrame, PolynomialFrame
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.plateau import has_plateaued
from skmsnn.validation.split import DataSplit, Residuals


class Solution(NamedTuple):
    """Modes for one residual, and the set that they are of."""

    modes: LinearExpansion
    label: str
    has_plateaued: bool
    family: str = "fourier"


def best_on_sample(
    domain: Domain,
    sample: HeldOut,
    validation: HeldOut,
    recipe: StageOptions,
    rng: np.random.RandomState,
    trace: Trace,
) -> Scored:
    """The best space of functions for a sample."""
    held_out = Points(validation.x, validation.weight)
    weight = sample.weight / sample.weight.max()
    points = DataSplit(domain, None, sample.x, weight, weight, held_out, {}, leaves_out=False)
    residuals = Residuals(sample.target, sample.target, validation.target)
    seed = int(rng.randint(2**31 - 1))
    problem = StageProblem(recipe, points, residuals, seed, unwatched, trace)
    scored = best_space(problem)
    assert scored is not None
    return scored


class PeriodicProblem:
    """Boxes of lattice modes: the one that a sample needs, or the best of all after one pass.

    Parameters
    ----------
    best : Scored
        The best space for the sample.
    n_points : int
        Points of the fit.
    sample, validation : HeldOut
        Some of these points, and others that are held out.
    """

    def __init__(self, best: Scored, n_points: int, sample: HeldOut, validation: HeldOut) -> None:
        d = validation.x.shape[1]
        self._sample, self._validation, self._lengths = sample, validation, np.full(d, 2.0)
        # what resolves a sample to round-off resolves all points
        function = best.fit.function if best.fit is not None else None
        is_exact = best.score.error <= NEAR_ROUND_OFF
        if is_exact and isinstance(function, TensorFourierSeries):
            self._orders = [max(function.orders)]
        else:
            # each worker holds the kernel, and its transform needs eight times as much
            most = int(rows_a_block(16) ** (1 / d) - 1) // 4
            self._orders = sorted({min(order, most) for order in periodic_orders(n_points, d)})
        self._order: int | None = None
        self._system: ToeplitzSystem
        self._on_plateau = False

    def gather(self, data: ChunkedData, view: View) -> WaveSums:
        """Sum over all points."""
        is_first = self._order is None
        order = self._orders[-1] if self._order is None else self._order
        return data.gather(sum_waves_of, view, (order,) * len(self._lengths), is_first)

    def solve(self, sums: WaveSums, rest: NDArray[np.float64], trace: Trace) -> Solution:
        """Solve for the residual; at first, in boxes of all sizes, of which the best is kept."""
        if self._order is None:
            return self._select(sums, rest, trace)
        return self._solution(self._modes(self._system, sums.rhs / sums.weight))

    def _select(self, sums: WaveSums, rest: NDArray[np.float64], trace: Trace) -> Solution:
        sample, held = self._sample, self._validation
        rows = np.arange(len(held.x))
        data = (*sample, held.x, rest, held.weight)
        race = Race(
            HoldoutScheme(*data, rows, False),
            trace,
            budget=MOST_OPERATIONS,
            # waves that a sample does not show may come with any box
            shows_more=lambda scored: scored.score.error > RESOLVED,
        )
        outcome = race.run([("fourier", self._boxes(sums))])
        assert outcome is not None
        best = min(outcome.best, key=lambda scored: scored.score.error)
        assert best.fit is not None
        self._system, self._order = best.fit.state
        tried = [(one.error, one.n_terms) for one in outcome.tried["fourier"]]
        self._on_plateau = has_plateaued(best.score.error, tried)
        modes = best.fit.function
        assert isinstance(modes, TensorFourierSeries)
        return self._solution(modes)

    def _boxes(self, sums: WaveSums) -> Ladder:
        """Boxes of growing size, each fitted to all points by their sums."""
        for order in self._orders:
            orders = (order,) * len(self._lengths)

            def fit(
                target: NDArray[np.float64],
                weight: NDArray[np.float64],
                order: int = order,
                orders: tuple[int, ...] = orders,
            ) -> Fit:
                assert sums.kernel is not None
                system = ToeplitzSystem(sums.kernel / sums.weight, orders)
                rhs = np.stack([central_box(r, orders) for r in sums.rhs / sums.weight])
                return Fit(self._modes(system, rhs), state=(system, order))

            n_terms = (2 * order + 1) ** len(orders)
            # transforms of the kernel, which is twice as long along each axis
            size = 2.0 ** len(orders) * n_terms
            operations = 10 * ITERATIONS * size * np.log2(size) * len(sums.rhs)
            label = f"wave numbers up to {order}, periodic"
            yield Candidate("fourier", label, n_terms, operations, fit, bandlimit=np.pi * order)

    def _modes(self, system: ToeplitzSystem, rhs: NDArray[np.complex128]) -> TensorFourierSeries:
        return TensorFourierSeries(np.stack([system.solve(r) for r in rhs], axis=-1), self._lengths)

    def _solution(self, modes: TensorFourierSeries) -> Solution:
        label = f"wave numbers up to {self._order}, periodic"
        return Solution(modes, label, self._on_plateau)


class DenseProblem:
    """Modes of a wider box, chosen on a sample of the points and fitted to all of them."""

    def __init__(self, best: Scored, n_points: int, largest_weight: float) -> None:
        self._frame: AnyFrame
        linear = best.fit.linear if best.fit is not None else None
        if isinstance(linear, PolynomialFit):
            self._frame, damping = PolynomialFrame(linear.degrees), ROUND_OFF
        else:
            assert isinstance(linear, DenseFit)
            self._frame, damping = linear.frame, linear.damping
        self._label, self._on_plateau = best.candidate.label, False
        self._family = best.candidate.family
        self._largest_weight = largest_weight
        self._damping = damping_triangle(self._frame.n_columns, n_points, damping)

    def gather(self, data: ChunkedData, view: View) -> Triangle:
        return data.gather(triangle_of, view, self._frame, self._largest_weight)

    def solve(self, triangle: Triangle, rest: NDArray[np.float64], trace: Trace) -> Solution:
        n_outputs = len(triangle.square)
        r, _ = take_in(triangle.r, np.pad(self._damping, ((0, 0), (0, n_outputs))))
        k = self._frame.n_columns
        c = sla.solve_triangular(r[:k, :k], r[:k, k:])
        return Solution(self._frame.modes(c), self._label, self._on_plateau, self._family)
