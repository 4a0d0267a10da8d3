"""Complete grids: a race of functions along each axis, and a fit of their products."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH, LEAST_NODES
from skmsnn._effort import svd_operations
from skmsnn._precision import HALF_DIGITS, NEAR_ROUND_OFF, ROUND_OFF
from skmsnn.domain import Domain, Grid, scaled_nodes
from skmsnn.families.axis_problem import AxisProblem, AxisTrial, residuals_along
from skmsnn.families.family import Family
from skmsnn.families.spline import Spline
from skmsnn.functions.bases import LegendreBasis
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem, worth_of
from skmsnn.selection.race import Race
from skmsnn.selection.trace import Trace
from skmsnn.spaces.axes import AxisBasis, BasisAxis, SplineAxis
from skmsnn.spaces.tensor import TensorFit
from skmsnn.validation.leave_out import EdgePoints, Folds, LeftOut, folds_of_lines, wide_gaps
from skmsnn.validation.plateau import has_plateaued, noise_level

# Columns of an output along an axis that stand for all of them, at least.
_FEWEST_COLUMNS = 4
# If validation errors differ by less, the fit that is expected to be closer between lines wins.
_COMPARABLE = 100.0
# Left out, a line leaves a gap twice as wide. Of 137 axes of smooth functions the errors of splines
# between the lines were 0.05 of those on lines left out, and on noise as large.
_SPLINE_SHARE = 0.2


def tensor_products(problem: StageProblem, families: Sequence[Family]) -> Ladder:
    """Products of the best functions along each axis; a candidate for each choice of an output."""
    grid, domain = problem.points.grid or problem.points.line, problem.points.domain
    assert grid is not None
    cells = np.empty((len(grid.index), problem.n_outputs))
    cells[grid.index] = problem.full
    rng = problem.random_state("tensor")
    choices, folds = [], []
    for axis in axis_problems(domain, grid, cells.reshape(*grid.shape, -1), rng):
        choices.append(_best_of_outputs(axis, families, problem))
        folds.append(axis.folds)
    for trials in dict.fromkeys(zip(*choices, strict=True)):
        plateau = any(_has_plateaued(trial, axis) for trial, axis in trials)
        yield _candidate([trial for trial, _ in trials], folds, grid, problem, plateau)


def axis_problems(
    domain: Domain, grid: Grid, cells: NDArray[np.float64], rng: np.random.RandomState
) -> list[AxisProblem]:
    """The problem along each axis of values (*grid.shape, n_outputs) of root mean square 1."""
    problems = []
    for j, nodes in enumerate(scaled_nodes(domain, grid)):
        periodic = bool(domain.periodic[j])
        lines = folds_of_lines(len(nodes), periodic, rng)
        lines = lines._replace(gaps=wide_gaps(nodes, periodic))
        problems.append(AxisProblem(j, nodes, *_columns(cells, j, rng), periodic, lines))
    return problems


def _columns(
    cells: NDArray[np.float64], axis: int, rng: np.random.RandomState
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Values along an axis, a column for each line, or random combinations of many; their outputs.

    The mean square of combinations is that of the columns.
    """
    n_nodes, n_outputs = cells.shape[axis], cells.shape[-1]
    columns = np.moveaxis(cells, axis, 0).reshape(n_nodes, -1, n_outputs)
    most = max(_FEWEST_COLUMNS, max(20, ENOUGH // n_nodes) // n_outputs)
    n_columns = columns.shape[1]
    if n_columns > most:
        mixing = rng.standard_normal((n_columns, most)) / np.sqrt(n_columns)
        columns = np.einsum("ncm,ck->nkm", columns, mixing)
    output = np.tile(np.arange(n_outputs), columns.shape[1])
    return columns.reshape(n_nodes, -1), output


def _best_of_outputs(
    axis: AxisProblem, families: Sequence[Family], problem: StageProblem
) -> list[tuple[AxisTrial, AxisProblem]]:
    """The functions along an axis for each output: one choice for all that it serves well."""
    has_splines = any(family.name == Spline.name for family in families)
    if len(axis.nodes) == 1:
        ladders = [("polynomial", _constant(axis))]
    elif has_splines and len(axis.nodes) < LEAST_NODES and not axis.periodic:
        ladders = _between_levels(axis)
    else:
        ladders = _ladders_along(axis, families)
    if ladders:
        share = 1 / problem.x.shape[1]
        worth = share * problem.budget, share * problem.most
        best_along(axis, ladders, problem.trace, *worth, problem.size)
    joint = _chosen(axis.trials)
    n_outputs = len(joint.errors)
    chosen = []
    for j in range(n_outputs):
        own = _chosen([trial.of_output(j) for trial in axis.trials])
        at = next(k for k, trial in enumerate(axis.trials) if trial.axis is own.axis)
        is_own = own.error * 2 < joint.errors[j] and joint.errors[j] > NEAR_ROUND_OFF
        chosen.append((axis.trials[at] if is_own else joint, axis))
    return chosen


def _ladders_along(problem: AxisProblem, families: Sequence[Family]) -> list[tuple[str, Ladder]]:
    """Ladders of all families along an axis, and a constant."""
    found = [(family.name, ladder) for family in families for ladder in family.along_axis(problem)]
    return [*found, ("polynomial", _constant(problem))]


def best_along(
    problem: AxisProblem,
    ladders: list[tuple[str, Ladder]],
    trace: Trace,
    budget: float,
    most: float | None = None,
    size: float = 1.0,
) -> AxisTrial:
    """Race functions along an axis; the one with the smallest error on unseen lines."""
    race = Race(
        problem,
        trace,
        budget=budget,
        most=most,
        size=size,
        shows_more=problem.shows_faster_wave,
        is_noise=problem.is_noise,
    )
    race.run(ladders)
    return min(problem.trials, key=lambda trial: trial.error)


def _constant(problem: AxisProblem) -> Ladder:
    make = partial(BasisAxis, problem.nodes, LegendreBasis(0))
    yield problem.candidate("polynomial", "a constant", 1, make)


def _between_levels(problem: AxisProblem) -> list[tuple[str, Ladder]]:
    """Something simple between the few levels of a feature, and exact at them.

    The polynomial of lowest degree whose residual at the levels is rounding; else ladders of what
    interpolates: straight lines from one to the next, or the cubic.
    """
    nodes = problem.nodes
    rounding = ROUND_OFF * max(1.0, float(np.sqrt(np.mean(problem.columns**2))))
    for degree in range(len(nodes) - 1):
        make = partial(BasisAxis, nodes, LegendreBasis(degree))
        problem.score(problem.candidate("polynomial", f"degree {degree}", degree + 1, make))
        if problem.trials[-1].train_error <= rounding:
            del problem.trials[:-1]
            return []
    problem.trials.clear()
    degrees = {2: (1,), 3: (2, 1)}.get(len(nodes), (3, 1))
    return [("spline", _splines(problem, degree)) for degree in degrees]


def _splines(problem: AxisProblem, degree: int) -> Ladder:
    make = partial(SplineAxis, problem.nodes, degree)
    yield problem.candidate("spline", f"splines of degree {degree}", len(problem.nodes), make)


def _chosen(trials: list[AxisTrial]) -> AxisTrial:
    """The trial that is expected to be closest between the lines.

    Next to round-off, the smallest of those that are as good on unseen lines and on their own.
    """
    best = min(trials, key=lambda trial: trial.error)
    if best.error <= NEAR_ROUND_OFF:
        as_good = [t for t in trials if t.error <= 1.5 * best.error]
        closest = min(as_good, key=lambda t: t.train_error)
        if closest.train_error * 10 < best.train_error:
            best = closest
        return min((t for t in as_good if t.train_error <= 10 * best.train_error), key=_size)
    is_noise = best.error <= 1.5 * best.noise_level

    def expected(trial: AxisTrial) -> float:
        if isinstance(trial.axis, SplineAxis):
            return trial.error if is_noise else _SPLINE_SHARE * trial.error
        return float(np.sqrt(trial.error * min(trial.error, _error_at_lines(trial))))

    return min((t for t in trials if t.error <= _COMPARABLE * best.error), key=expected)


def _size(trial: AxisTrial) -> int:
    return trial.size


def _error_at_lines(trial: AxisTrial) -> float:
    """Error of a set at its own lines, corrected for having been fitted to them.

    As even functions have one value for each pair of lines, half of the functions follow these;
    where they are as many, a small residual says nothing.
    """
    n_pairs = -(-round(trial.size / trial.leverage) // 2)
    leverage = -(-trial.size // 2) / n_pairs
    return noise_level(trial.train_error, leverage) if leverage < 1 else trial.error


def _has_plateaued(trial: AxisTrial, problem: AxisProblem) -> bool:
    if isinstance(trial.axis, SplineAxis):
        return False
    tried = [t for t in problem.trials if not isinstance(t.axis, SplineAxis)]
    return has_plateaued(trial.noise_level, ((t.noise_level, t.size) for t in tried))


class GridFit(TensorFit):
    """Products of functions along each axis, with errors on lines left out."""

    folds: list[Folds]
    aliased: NDArray[np.float64]
    target: NDArray[np.float64]

    def solve(self, target: NDArray[np.float64]) -> Any:
        """Modes closest to a target of shape (n, n_outputs)."""
        self.target = target
        return super().solve(target)

    def extended(self, weight: NDArray[np.float64]) -> Self:
        """Return it as it is: all points of a complete grid have the same weight."""
        return self

    def left_out(
        self,
        residual: NDArray[np.float64],
        folds: Sequence[NDArray[np.intp]],
        rounding: float,
        edges: EdgePoints | None = None,
    ) -> LeftOut:
        """Errors on unseen lines along each axis, together."""
        cells = self.on_grid(self.target)
        square = np.zeros_like(cells)
        for j, (axis, lines) in enumerate(zip(self.axes, self.folds, strict=True)):
            if len(lines.proxy_line) > 1:
                columns = np.moveaxis(cells, j, 0)
                flat = columns.reshape(len(columns), -1)
                unseen, _ = residuals_along(axis, flat, lines, rounding)
                square += np.moveaxis(unseen.reshape(columns.shape), 0, j) ** 2
        rows = np.arange(len(residual))
        return LeftOut(rows, self.at_points(np.sqrt(square)), self.aliased)


def _candidate(
    trials: list[AxisTrial], folds: list[Folds], grid: Grid, problem: StageProblem, plateau: bool
) -> Candidate:
    axes: list[AxisBasis] = [trial.axis for trial in trials]
    cutoff = min([ROUND_OFF, *(getattr(axis, "cutoff", 1.0) for axis in axes)])
    n_terms = int(np.prod([trial.size for trial in trials]))
    aliased = np.sqrt(np.sum([trial.aliased**2 for trial in trials], axis=0))

    def fit(target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        linear = GridFit(axes, grid.shape, grid.index, np.ones(len(grid.index)), cutoff)
        linear.folds, linear.aliased = folds, aliased
        return Fit(linear.solve(target), linear)

    return Candidate(
        " x ".join(dict.fromkeys(axis.family for axis in axes)),
        " by ".join(axis.label for axis in axes),
        n_terms,
        # the matrices of splines are banded, and cost next to nothing
        sum(
            svd_operations(n_nodes, trial.size)
            for n_nodes, axis, trial in zip(grid.shape, axes, trials, strict=True)
            if not isinstance(axis, SplineAxis)
        ),
        fit,
        # at the nodes of what a spline goes through there is no residual, and none of aliased waves
        refines=not aliased.any() and not any(isinstance(axis, SplineAxis) for axis in axes),
        has_plateaued=plateau,
    )


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
            problem = AxisProblem(j, scaled, *columns, periodic, lines)
            ladders = _ladders_along(problem, families)
            errors.append(best_along(problem, ladders, Trace(), worth_of(len(y))).error)
            if errors[0] * _COMPARABLE <= 1:  # such a period is beyond doubt
                break
        # noise has no seam: a period has to describe what is between the lines, or to be a help
        if (errors[0] > 0.1 and errors[0] * 2 > errors[-1]) or errors[-1] < errors[0]:
            confirmed[j] = None
    return confirmed
