"""The functions along each axis of a complete grid, by what fits leave on lines they have not seen.

On a complete grid the fit is a product of one projection an axis, and to first order its error at
a fresh point is the sum of those along each axis alone. So each axis has its functions chosen by
itself, from what a fit along it leaves on lines left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, CLEARLY, ENOUGH, FAR, FEW, LEAST_NODES
from skmsnn._precision import HALF_DIGITS, NEAR_ROUND_OFF, ROUND_OFF
from skmsnn.domain import Domain, Grid, scaled_nodes
from skmsnn.families.axis_trials import (
    AxisProblem,
    AxisTrial,
    error_of,
    is_settled,
    left_along,
    size_of,
    train_error_of,
)
from skmsnn.families.family import Family
from skmsnn.functions.bases import LegendreBasis
from skmsnn.spaces.axes import BasisAxis, SplineAxis, WavesAxis
from skmsnn.spaces.tensor import TensorFit
from skmsnn.validation.leave_out import Folds, folds_of_lines, wide_gaps
from skmsnn.validation.plateau import has_plateaued, noise_level


class AxisChoice(NamedTuple):
    """The best along an axis, and whether much smaller or larger sets leave as much."""

    trial: AxisTrial
    has_plateaued: bool


def select_axes(
    domain: Domain,
    grid: Grid,
    cells: NDArray[np.float64],
    rng: np.random.RandomState,
    families: Sequence[Family],
) -> tuple[list[AxisChoice], list[Folds]]:
    """Choose the functions along each axis.

    Parameters
    ----------
    domain, grid : Domain, Grid
        A complete grid.
    cells : ndarray of shape (*grid.shape, n_outputs)
        Target on the grid, of root mean square about 1.
    rng : RandomState
        Shares out the lines that are left out together.
    families : sequence of Family
        Whose functions they may be.
    """
    choices, folds = [], []
    for j, nodes in enumerate(scaled_nodes(domain, grid)):
        periodic = bool(domain.periodic[j])
        lines = folds_of_lines(len(nodes), periodic, rng)
        lines = lines._replace(gaps=wide_gaps(nodes, periodic))
        problem = AxisProblem(nodes, _columns(cells, j, rng), periodic, lines)
        if len(nodes) == 1:
            choices.append(AxisChoice(_constant(problem), False))
        elif len(nodes) < LEAST_NODES and not periodic:
            choices.append(AxisChoice(_between_levels(problem), False))
        else:
            choices.append(_best_along(problem, families))
        folds.append(lines)
    return choices, folds


def confirmed_periods(
    grid: Grid,
    y: NDArray[np.float64],
    periods: list[float | None],
    rng: np.random.RandomState,
    families: Sequence[Family],
) -> list[float | None]:
    """Confirm periods that values show at the seam, by the error on unseen lines.

    With a period it is no larger than without, and a tenth of the spread at most, or clearly less.

    Where values vary as fast as the nodes, the seam looks like any other place whether or not they
    are periodic.

    Parameters
    ----------
    grid : Grid
        Complete.
    y : ndarray of shape (n, n_outputs)
        Values at its points.
    periods : list of float or None
        Of each axis, None where it is not periodic.
    rng : RandomState
        Shares out the lines that are left out together.
    families : sequence of Family
        Whose functions they may be.
    """
    y = y / np.maximum(np.abs(y).max(axis=0), np.finfo(float).tiny)
    spread = y.std(axis=0)
    cells = np.empty((len(grid.index), y.shape[1]))
    cells[grid.index] = (y - y.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    cells = cells.reshape(*grid.shape, -1)
    confirmed = list(periods)
    for j, period in enumerate(periods):
        nodes = grid.nodes[j]
        if period is None:
            continue
        folded = cells
        if np.isclose(period, nodes[-1] - nodes[0], rtol=HALF_DIGITS, atol=0):
            folded = np.delete(cells, -1, axis=j)
        scaled = 2 / period * (nodes[: folded.shape[j]] - nodes[0]) - 1
        columns = _columns(folded, j, rng)
        errors = []
        for periodic in (True, False):
            lines = folds_of_lines(len(scaled), periodic, rng)
            problem = AxisProblem(scaled, columns, periodic, lines)
            errors.append(_best_along(problem, families).trial.error)
            if errors[0] * FAR**2 <= 1:  # such a period is beyond doubt
                break
        # noise has no seam: a period has to describe what is between the lines, or to be a help
        if (errors[0] * FAR > 1 and errors[0] * CLEARLY > errors[-1]) or errors[-1] < errors[0]:
            confirmed[j] = None
    return confirmed


def unseen_residual(
    fit: TensorFit, target: NDArray[np.float64], folds: list[Folds], rounding: float
) -> NDArray[np.float64]:
    """What fits along each axis leave of the cells of a grid that they have not seen, together.

    Parameters
    ----------
    fit : TensorFit
        The functions along each axis.
    target : ndarray of shape (n, n_outputs)
        Values at the points of the complete grid.
    folds : list of Folds
        Lines of each axis that are left out in turn.
    rounding : float
        To which the values are known, in units of the target.
    """
    cells = fit.on_grid(target)
    square = np.zeros_like(cells)
    for j, (axis, lines) in enumerate(zip(fit.axes, folds, strict=True)):
        if len(lines.proxy_line) > 1:
            columns = np.moveaxis(cells, j, 0)
            unseen, _ = left_along(axis, columns.reshape(len(columns), -1), lines, rounding)
            square += np.moveaxis(unseen.reshape(columns.shape), 0, j) ** 2
    return fit.at_points(np.sqrt(square))


def _columns(
    cells: NDArray[np.float64], axis: int, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Values along an axis, a column for each line along it; random combinations of many.

    Their mean square is that of all.
    """
    columns = np.moveaxis(cells, axis, 0).reshape(cells.shape[axis], -1)
    n_columns = columns.shape[1]
    most = max(FEW, ENOUGH // len(columns))
    if n_columns <= most:
        return columns
    mixing = rng.standard_normal((n_columns, most)) / np.sqrt(n_columns)
    return columns @ mixing


def _best_along(problem: AxisProblem, families: Sequence[Family]) -> AxisChoice:
    """The functions of all families that are best on unseen lines."""
    tried: list[AxisTrial] = []
    through: list[AxisTrial] = []
    for family in families:
        found = family.along_axis(problem)
        through += [trial for trial in found if isinstance(trial.axis, SplineAxis)]
        tried += [trial for trial in found if not isinstance(trial.axis, SplineAxis)]
        if is_settled(tried):
            break
        enough = min((trial.error for trial in through), default=0.0)
        problem = replace(problem, enough=enough)
    # waves whose numbers are fitted, too, follow the data as no other functions do
    plain = [t for t in tried if not isinstance(t.axis, WavesAxis)] or [_constant(problem)]
    of_others = min(trial.error for trial in plain + through)
    if not any(trial.error * CLEARLY < of_others for trial in tried):
        tried = plain
    best = min(tried, key=error_of)
    if best.error <= NEAR_ROUND_OFF:
        best = _smallest_as_good(tried, best)
    else:
        best = _closest_between_lines(tried + through, best)
    if isinstance(best.axis, SplineAxis):
        return AxisChoice(best, False)
    has_plateau = has_plateaued(best.noise_level, ((t.noise_level, t.size) for t in tried))
    return AxisChoice(best, has_plateau)


def _smallest_as_good(tried: list[AxisTrial], best: AxisTrial) -> AxisTrial:
    """Next to round-off, of sets that are as good on unseen lines and on their own."""
    as_good = [t for t in tried if t.error <= AS_GOOD * best.error]
    closest = min(as_good, key=train_error_of)
    if closest.train_error * FAR < best.train_error:
        best = closest
    return min((t for t in as_good if t.train_error <= FAR * best.train_error), key=size_of)


def _closest_between_lines(trials: list[AxisTrial], best: AxisTrial) -> AxisTrial:
    """Of functions that are not far worse on unseen lines than the best those foreseen to be best.

    A line left out leaves a gap twice as wide, which is harder on large sets, and on splines, than
    their use is. What sets leave between the lines is between what they leave on unseen ones and on
    their own. Of 137 axes of smooth functions splines left 0.05 of what they left on unseen lines,
    and as much of noise, which sets leave alike on both. Unlike splines sets have all slopes.
    """
    is_noise = best.error <= AS_GOOD * best.noise_level

    def foreseen(trial: AxisTrial) -> float:
        if isinstance(trial.axis, SplineAxis):
            return trial.error if is_noise else CLEARLY * trial.error / FAR
        return float(np.sqrt(trial.error * min(trial.error, _left_at_lines(trial))))

    least = min(trial.error for trial in trials)
    return min((t for t in trials if t.error <= FAR**2 * least), key=foreseen)


def _left_at_lines(trial: AxisTrial) -> float:
    """What a set leaves on its own lines, as if they had no say in it.

    As even functions have one value a pair of lines, half of the functions follow these; where they
    are as many, that nothing is left says nothing.
    """
    n_pairs = -(-round(trial.size / trial.leverage) // 2)
    leverage = -(-trial.size // 2) / n_pairs
    return noise_level(trial.train_error, leverage) if leverage < 1 else trial.error


def _constant(problem: AxisProblem) -> AxisTrial:
    return problem.tried(BasisAxis(problem.nodes, LegendreBasis(0)))


def _between_levels(problem: AxisProblem) -> AxisTrial:
    """Something simple between the few levels of a feature, and exact at them.

    The polynomial of lowest degree that leaves at the levels but rounding; else what interpolates:
    straight lines from one to the next, or the cubic, whichever foresees the inner levels best.
    Whatever the families are: nothing else goes through so few.
    """
    nodes = problem.nodes
    rounding = ROUND_OFF * max(1.0, float(np.sqrt(np.mean(problem.columns**2))))
    for degree in range(len(nodes) - 1):
        trial = problem.tried(BasisAxis(nodes, LegendreBasis(degree)))
        if trial.train_error <= rounding:
            return trial
    degrees = {2: (1,), 3: (2, 1)}.get(len(nodes), (3, 1))
    through = [problem.tried(SplineAxis(nodes, degree)) for degree in degrees]
    return min(through, key=error_of)
