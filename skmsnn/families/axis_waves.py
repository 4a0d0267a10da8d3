"""Fitted waves along one axis of a grid, beside polynomials or waves of a wider box."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH
from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn.families.axis_trials import AxisProblem, AxisTrial, ascended, error_of, is_settled
from skmsnn.families.ladders import WIDTH, axis_order, axis_shares, ball_frames, growing
from skmsnn.families.waves import Look, are_foreseen, most_looked_past
from skmsnn.functions.bases import LegendreWavesBasis
from skmsnn.spaces.axes import WavesAxis
from skmsnn.spaces.frames import LatticeFrame, PolynomialFrame
from skmsnn.validation.leave_out import N_FOLDS


def fitted_waves(problem: AxisProblem) -> list[AxisTrial]:
    """Waves that stand out along an axis, beside functions that describe the rest; none otherwise.

    The wave numbers are those of all columns together.
    """
    nodes = problem.nodes
    look = Look(
        nodes[:, None],
        problem.columns,
        np.gradient(nodes),
        np.zeros(1, dtype=bool),
        np.random.RandomState(0),
    )
    most = most_looked_past(len(nodes))
    found = look.past(_polynomials(most)), look.past(ball_frames(np.zeros(1, dtype=bool), most))
    waves, _ = min(found, key=lambda pair: pair[1])
    if len(waves) == 0:
        return []
    trials = _beside(problem, waves[:, 0])
    best = min(trials, key=error_of)
    return trials if _is_foreseen(problem, best, look, waves) else []


def _polynomials(most: int) -> Iterator[PolynomialFrame]:
    n_terms = 4
    while n_terms <= most:
        yield PolynomialFrame(np.arange(n_terms)[:, None])
        n_terms *= 2


def _beside(problem: AxisProblem, waves: NDArray[np.float64]) -> list[AxisTrial]:
    """Growing sets of polynomials with the waves, and of waves of a wider box."""
    nodes = problem.nodes
    affordable = int((FLOPS_PER_SECOND / svd_operations(len(nodes), 1)) ** 0.5)
    most = min(len(nodes) - 2, affordable) - 2 * len(waves)

    def tried(degree: int, order: int = 0) -> AxisTrial:
        basis = LegendreWavesBasis(degree, np.concatenate([_lattice(order), waves]))
        return problem.tried(WavesAxis(nodes, basis))

    trials = ascended((tried(degree) for degree in growing(most - 1)), problem)
    if is_settled(trials):
        return trials
    orders = sorted({axis_order(nodes, share, WIDTH, False) for share in axis_shares(len(nodes))})
    return trials + ascended((tried(0, m) for m in orders if 2 * m < most), problem)


def _lattice(order: int) -> NDArray[np.float64]:
    """Wave numbers of a wider box, in radians per unit."""
    return np.pi / WIDTH * np.arange(1.0, order + 1)


def _is_foreseen(
    problem: AxisProblem, trial: AxisTrial, look: Look, waves: NDArray[np.float64]
) -> bool:
    """Whether lines are foreseen by waves that are fitted without them."""
    assert isinstance(trial.axis, WavesAxis)
    basis = trial.axis.basis
    order = len(basis.wave_numbers) - len(waves)
    frame: LatticeFrame | PolynomialFrame = PolynomialFrame(np.arange(basis.degree + 1)[:, None])
    if order:
        frame = LatticeFrame(np.arange(order + 1)[:, None], np.array([2 * WIDTH]))
    nodes, columns = problem.nodes, problem.columns
    square, n_lines = 0.0, 0
    for part in range(N_FOLDS):
        rows = np.concatenate([np.empty(0, dtype=np.intp), *problem.folds.folds[part::N_FOLDS]])
        if len(rows) == 0 or n_lines >= ENOUGH:
            break
        others = np.setdiff1d(np.arange(len(nodes)), rows)
        found = look.without(rows, frame, waves)[:, 0]
        fitted = LegendreWavesBasis(basis.degree, np.concatenate([_lattice(order), found]))
        axis = WavesAxis(nodes[others], fitted, trial.axis.cutoff)
        foreseen = axis.influence(nodes[rows])(np.arange(len(others))) @ columns[others]
        square += float(np.sum(np.mean((columns[rows] - foreseen) ** 2, axis=1)))
        n_lines += len(rows)
    return are_foreseen(trial.error, float(np.sqrt(square / max(n_lines, 1))))
