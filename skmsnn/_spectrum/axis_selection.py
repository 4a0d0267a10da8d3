"""The functions along each axis of a complete grid, by what fits leave on lines they have not seen.

On a complete grid the fit is a product of one projection an axis, and to first order its error at
a fresh point is the sum of those along each axis alone. So each axis has its functions chosen by
itself, from what a fit along it leaves on lines left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._domain import Domain, Grid
from skmsnn._levels import MOST_LEVELS
from skmsnn._spectrum.bases import LegendreBasis
from skmsnn._spectrum.candidates import (
    OTHER_WIDTHS,
    SHARES,
    WIDTH,
    axis_basis,
    axis_order,
)
from skmsnn._spectrum.leave_out import Folds, folds_of_lines, left_out, wide_gaps
from skmsnn._spectrum.nufft import waves_from_points
from skmsnn._spectrum.tensor import AxisBasis, BasisAxis, ExtensionAxis, SplineAxis, TensorFit
from skmsnn._time_limit import time_is_up

# Of more columns than these, random combinations are looked at: their mean square is that of all,
# to within one part in ten.
_MOST_COLUMNS = 64
# Left on unseen lines, relative to the target, below which nothing else is tried, and below which
# the smaller of two that are as good, to within the factor, is taken.
_GOOD_ENOUGH, _NEXT_TO_ROUND_OFF, _AS_GOOD = 1e-14, 1e-10, 1.5
# Of sets that are as good on unseen lines, one that leaves less than this share on its own: lines
# left out make gaps twice as wide, which larger sets suffer from more than they will in use.
_CLOSER = 0.3
# What a fit leaves on its own lines that is rounding, once unseen lines agree to so many digits.
_ROUNDING, _RESOLVED = 3e-15, 3e-14
# No larger set is tried after two in turn that do this much worse than the best, and than on their
# own lines. The second matters: a function of high frequency shows nothing until modes reach it.
_WORSE, _OVERFITTED, _PATIENCE = 3.0, 10.0, 2
# Once a fit describes this much of the values, sets that will never be this many times better than
# splines, at the pace at which their error falls, are not tried.
_SEEN, _WORTH_MORE = 0.1, 0.1
# Operations of a set along an axis, N M^2, up to which all are tried, half a second; of larger ones
# the next while the error falls by the factor, and that which reaches the fastest wave that stands
# out of the spectrum of what the others leave. At noise one of ten thousand reaches ten times the
# median by chance, and thirty times none does.
_CHEAP, _CONVERGES, _STANDS_OUT = 3e8, 0.3, 30.0
# Cut-offs of so many of the best sets of waves.
_CUT_OFF = 3
_CUTOFFS = (1e-12, 1e-10, 1e-8, 1e-6, 1e-4)
# Degrees of polynomials: all up to 6, then by about a fifth. Least squares on even nodes becomes
# unstable beyond twice the root of their number, which unseen lines show.
_DEGREES = (*range(7), 8, 10, 12, 14, 17, 20, 25, 30, 40, 50, 60, 80, 100)
# Splines through all nodes are taken where they leave less than this share of what waves and
# polynomials leave, which have all derivatives; where these have not seen what there is, whenever
# they leave less.
_SPLINE_DEGREES, _SPLINE_SHARE = (1, 3, 5, 7), 0.5
# Left on unseen lines, relative to the spread, by waves of a period that is beyond doubt.
_CLEARLY_PERIODIC = 0.01
# Sets of so different sizes that leave as much on their own lines, but for noise that they follow.
_PLATEAU_SPAN, _PLATEAU_WIDTH = 1.5, 1.15


@dataclass(frozen=True)
class AxisTrial:
    """Functions along an axis, and what a fit leaves.

    Attributes
    ----------
    axis : AxisBasis
        The functions.
    error, train_error : float
        Root mean square left on unseen lines, and on those of the fit.
    followed : float
        Share of noise that the fit follows.
    """

    axis: AxisBasis
    error: float
    train_error: float
    followed: float

    @property
    def size(self) -> int:
        return len(self.axis.strengths)

    @property
    def noise_level(self) -> float:
        """What ``train_error`` says of the noise, if all that is left is noise."""
        return self.train_error / max(1 - self.followed, 0.05) ** 0.5


class AxisChoice(NamedTuple):
    """The best along an axis, and whether much smaller or larger sets leave as much."""

    trial: AxisTrial
    on_plateau: bool


def select_axes(
    domain: Domain,
    grid: Grid,
    cells: NDArray[np.float64],
    rng: np.random.RandomState,
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
    """
    choices, folds = [], []
    for j, nodes in enumerate(scaled_nodes(domain, grid)):
        periodic = bool(domain.periodic[j])
        lines = folds_of_lines(len(nodes), periodic, rng)
        lines = lines._replace(gaps=wide_gaps(nodes, periodic))
        columns = _columns(cells, j, rng)
        if len(nodes) == 1:
            trial = _tried(BasisAxis(nodes, LegendreBasis(0)), columns, lines)
            choices.append(AxisChoice(trial, False))
        elif len(nodes) <= MOST_LEVELS and not periodic:
            choices.append(AxisChoice(_between_levels(nodes, columns, lines), False))
        else:
            choices.append(_select(nodes, columns, periodic, lines))
        folds.append(lines)
    return choices, folds


def confirmed_periods(
    grid: Grid,
    y: NDArray[np.float64],
    periods: list[float | None],
    rng: np.random.RandomState,
) -> list[float | None]:
    """Of periods that values show at the seam, those with which unseen lines are told no worse.

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
        if np.isclose(period, nodes[-1] - nodes[0], rtol=1e-9, atol=0):
            folded = np.delete(cells, -1, axis=j)
        scaled = 2 / period * (nodes[: folded.shape[j]] - nodes[0]) - 1
        columns = _columns(folded, j, rng)
        errors = []
        for periodic in (True, False):
            lines = folds_of_lines(len(scaled), periodic, rng)
            errors.append(_select(scaled, columns, periodic, lines).trial.error)
            if errors[0] <= _CLEARLY_PERIODIC:
                break
        if errors[-1] < errors[0]:
            confirmed[j] = None
    return confirmed


def scaled_nodes(domain: Domain, grid: Grid) -> list[NDArray[np.float64]]:
    """Nodes of each axis in scaled coordinates."""
    triples = zip(grid.nodes, domain.centre, domain.half_width, strict=True)
    return [(axis - centre) / half for axis, centre, half in triples]


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
        if len(lines.stand_in) > 1:
            columns = np.moveaxis(cells, j, 0)
            unseen, _ = _left_along(axis, columns.reshape(len(columns), -1), lines, rounding)
            square += np.moveaxis(unseen.reshape(columns.shape), 0, j) ** 2
    return fit.at_points(np.sqrt(square))


def _columns(
    cells: NDArray[np.float64], axis: int, rng: np.random.RandomState
) -> NDArray[np.float64]:
    """Values along an axis, a column for each line along it; random combinations of many."""
    columns = np.moveaxis(cells, axis, 0).reshape(cells.shape[axis], -1)
    n_columns = columns.shape[1]
    if n_columns <= _MOST_COLUMNS:
        return columns
    mixing = rng.standard_normal((n_columns, _MOST_COLUMNS)) / np.sqrt(n_columns)
    return columns @ mixing


def _left_along(
    axis: AxisBasis, columns: NDArray[np.float64], folds: Folds, rounding: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a fit along an axis leaves on unseen lines, and on its own."""
    if isinstance(axis, SplineAxis):
        return axis.left_out(columns, folds), np.zeros_like(columns)
    rest = columns - axis.synthesise(axis.analyse(columns, 0), 0)
    rest -= axis.synthesise(axis.analyse(rest, 0), 0)  # what the next stage takes of the rounding
    return left_out(rest, axis, folds, rounding), rest


def _tried(axis: AxisBasis, columns: NDArray[np.float64], folds: Folds) -> AxisTrial:
    unseen, rest = _left_along(axis, columns, folds, np.finfo(float).eps)
    error, train_error = (float(np.sqrt(np.mean(a**2))) for a in (unseen, rest))
    followed = len(axis.strengths) / len(columns)
    if followed >= 1 and not isinstance(axis, SplineAxis):
        # goes through any values, and its projection tells nothing of what it does between them
        error = np.inf
    return AxisTrial(axis, error, train_error, followed)


def _select(
    nodes: NDArray[np.float64], columns: NDArray[np.float64], periodic: bool, folds: Folds
) -> AxisChoice:
    """Waves of several boxes, polynomials, or splines: the best on unseen lines."""
    if periodic:
        tried = _periodic_waves(nodes, columns, folds)
        spline = None
    else:
        degrees = [degree for degree in _SPLINE_DEGREES if degree < len(nodes) - 2]
        splines = [_tried(SplineAxis(nodes, degree), columns, folds) for degree in degrees]
        spline = min(splines, key=_error)
        tried = _polynomials_and_waves(nodes, columns, folds, spline.error)
    best = min(tried, key=_error)
    if best.error <= _NEXT_TO_ROUND_OFF:
        as_good = [trial for trial in tried if trial.error <= _AS_GOOD * best.error]
        best = min(as_good, key=_size)
    elif spline is not None and spline.error < best.error * (
        _SPLINE_SHARE if best.error < _SEEN else 1.0
    ):
        return AxisChoice(spline, False)
    else:
        closest = min((t for t in tried if t.error <= _AS_GOOD * best.error), key=_train_error)
        best = closest if closest.train_error < _CLOSER * best.train_error else best
    level = best.noise_level
    sizes = [
        trial.size
        for trial in tried
        if level / _PLATEAU_WIDTH <= trial.noise_level <= level * _PLATEAU_WIDTH
    ]
    return AxisChoice(best, max(sizes) >= _PLATEAU_SPAN * min(sizes))


def _periodic_waves(
    nodes: NDArray[np.float64], columns: NDArray[np.float64], folds: Folds
) -> list[AxisTrial]:
    ladder = (
        axis_basis(nodes, axis_order(nodes, SHARES[rung], WIDTH, True), WIDTH, True)
        for rung in _distinct_rungs(nodes, True)
    )
    return _ascend((_tried(axis, columns, folds) for axis in ladder), 0.0)


def _polynomials_and_waves(
    nodes: NDArray[np.float64], columns: NDArray[np.float64], folds: Folds, enough: float
) -> list[AxisTrial]:
    """Sets of growing size, as long as they may come to leave less than ``enough``."""
    bases = (LegendreBasis(degree) for degree in _DEGREES if degree <= len(nodes) - 2)
    tried = _ascend((_tried(BasisAxis(nodes, basis), columns, folds) for basis in bases), enough)
    if _is_settled(tried):
        return tried

    def waves(rung: int, width: float) -> AxisTrial:
        order = axis_order(nodes, SHARES[rung], width, False)
        return _tried(ExtensionAxis(nodes, order, 2 * width), columns, folds)

    rungs = _distinct_rungs(nodes, False)
    orders = {rung: axis_order(nodes, SHARES[rung], WIDTH, False) for rung in rungs}
    cheap = [rung for rung in rungs if len(nodes) * orders[rung] ** 2 <= _CHEAP]
    ladder = _ascend((waves(rung, WIDTH) for rung in cheap), enough)
    costly = rungs[len(cheap) :] if len(ladder) == len(cheap) else []
    while costly and not _is_settled([*tried, *ladder]) and not time_is_up():
        converges = len(ladder) > 1 and ladder[-1].error < _CONVERGES * ladder[-2].error
        if not converges:
            best = min([*tried, *ladder], key=_error)
            rest = columns - best.axis.synthesise(best.axis.analyse(columns, 0), 0)
            fastest = WIDTH * _fastest_wave(nodes, rest)
            costly = [rung for rung in costly if orders[rung] > fastest > orders[cheap[-1]]]
        if costly:
            cheap.append(costly.pop(0))
            ladder.append(waves(cheap[-1], WIDTH))
    tried += ladder
    if _is_settled(ladder):
        return tried
    waving = ladder
    if min(trial.error for trial in ladder) < enough / _WORTH_MORE:
        at = cheap[int(np.argmin([trial.error for trial in ladder]))]
        for width in OTHER_WIDTHS:
            # in a wider box less than the same highest wave number does
            for step in range(-2, 3) if width < WIDTH else range(-4, 1):
                if at + step in cheap and at + step > 0 and not time_is_up():
                    waving = [*waving, waves(at + step, width)]
    tried += waving[len(ladder) :]
    for trial in sorted(waving, key=_error)[:_CUT_OFF]:
        axis = trial.axis
        assert isinstance(axis, ExtensionAxis)
        larger = [cutoff for cutoff in _CUTOFFS if cutoff < trial.train_error]
        tried += [_tried(axis.with_cutoff(cutoff), columns, folds) for cutoff in larger]
    return tried


def _fastest_wave(nodes: NDArray[np.float64], rest: NDArray[np.float64]) -> int:
    """Half waves over the nodes of the fastest wave that stands out of the rest; 0 where none does.

    Its spectrum, under a Hann window, has at noise the size of its median everywhere.
    """
    quadrature = np.gradient(nodes) * (1 + np.cos(np.pi * nodes))
    most = len(nodes)
    power = np.zeros(most + 1)
    for column in rest.T:
        waves = waves_from_points([np.pi * nodes], quadrature * column, (most,))
        power += np.abs(waves[most:]) ** 2
    # half the wave numbers of e^(i pi k x): beyond, the nodes do not tell them apart
    power = power[: most // 2 + 1]
    stands_out = np.flatnonzero(power > _STANDS_OUT * np.median(power))
    return int(stands_out.max(initial=0))


def _distinct_rungs(nodes: NDArray[np.float64], periodic: bool) -> list[int]:
    """Rungs of the ladder of shares that give different orders."""
    orders = [axis_order(nodes, share, WIDTH, periodic) for share in SHARES]
    return [r for r, order in enumerate(orders) if r == 0 or order > orders[r - 1]]


def _ascend(ladder: Iterable[AxisTrial], enough: float) -> list[AxisTrial]:
    """Take one set after the other, until one is good enough, two overfit, or none will do."""
    trials: list[AxisTrial] = []
    worse = 0
    for trial in ladder:
        trials.append(trial)
        overfits = trial.error > _OVERFITTED * trial.train_error
        least = min(t.error for t in trials)
        worse = worse + 1 if overfits and trial.error > _WORSE * least else 0
        if _is_settled(trials) or worse >= _PATIENCE or time_is_up():
            break
        if len(trials) > 2 and _reach(*trials[-2:]) * _WORTH_MORE > enough > 0:
            hopeless = len(trials) > 3 and _reach(*trials[-3:-1]) * _WORTH_MORE > enough
            if hopeless and trial.error < _SEEN:
                break
    return trials


def _reach(before: AxisTrial, last: AxisTrial) -> float:
    """The error of as many functions as there are nodes, if it goes on to fall as it does now.

    Geometrically in their number, which is as fast as it ever falls.
    """
    n_nodes = last.size / last.followed
    steps = (n_nodes - last.size) / max(last.size - before.size, 1)
    return last.error * min(last.error / before.error, 1.0) ** steps if before.error > 0 else 0.0


def _is_settled(trials: list[AxisTrial]) -> bool:
    return any(
        trial.error <= _GOOD_ENOUGH or (trial.train_error <= _ROUNDING and trial.error <= _RESOLVED)
        for trial in trials
    )


def _error(trial: AxisTrial) -> float:
    return trial.error


def _train_error(trial: AxisTrial) -> float:
    return trial.train_error


def _size(trial: AxisTrial) -> int:
    return trial.size


def _between_levels(
    nodes: NDArray[np.float64], columns: NDArray[np.float64], folds: Folds
) -> AxisTrial:
    """Something simple between the few levels of a feature, and exact at them.

    The polynomial of lowest degree that leaves at the levels but rounding; else what interpolates:
    straight lines from one to the next, or the cubic, whichever foresees the inner levels best.
    """
    rounding = _ROUNDING * max(1.0, float(np.sqrt(np.mean(columns**2))))
    for degree in range(len(nodes) - 1):
        trial = _tried(BasisAxis(nodes, LegendreBasis(degree)), columns, folds)
        if trial.train_error <= rounding:
            return trial
    degrees = {2: (1,), 3: (2, 1)}.get(len(nodes), (3, 1))
    through = [_tried(SplineAxis(nodes, degree), columns, folds) for degree in degrees]
    return min(through, key=_error)
