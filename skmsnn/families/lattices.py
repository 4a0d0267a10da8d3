"""Ladders of lattices: sets of waves for points of each kind, from small to large."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND, MOST_OPERATIONS, qr_operations
from skmsnn._memory import working_bytes
from skmsnn._precision import CUTOFFS, ROUND_OFF
from skmsnn.domain import scaled_nodes
from skmsnn.families.ladders import (
    BANDLIMITS,
    MIN_OVERSAMPLING,
    OTHER_WIDTHS,
    OVERSAMPLING,
    RATIO,
    STEP,
    WIDTH,
    axis_basis,
    axis_order,
    in_ball,
    is_one_long_axis,
    periodic_orders,
)
from skmsnn.families.waves import Look
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.lattice import total_degree_lattice
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.candidate import Candidate, Ladder, linear_candidate
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.axes import AxisBasis, BasisAxis
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import Frame, LatticeFrame, LatticeWavesFrame, ProductFrame
from skmsnn.spaces.periodic import ToeplitzFit
from skmsnn.spaces.tensor import TensorFit, conjugate_gradient_operations
from skmsnn.validation.leave_out import N_FOLDS

# Iterations of conjugate gradients on scattered points of a period.
_TYPICAL_ITERATIONS = 100
# In folds the closed form of validation errors needs damping: see ``DenseFit.left_out``.
_CUTOFF_IN_FOLDS = 1e-11


def lattice_ladders(problem: StageProblem) -> Iterator[Ladder]:
    """Ladders for the kind of points that there are; one for each width of the box."""
    domain, grid, levels = problem.points.domain, problem.points.grid, problem.points.levels
    d = problem.x.shape[1]
    n_waving = d - len(levels)
    if grid is not None and not is_one_long_axis(domain, grid):
        widths = [WIDTH] if domain.periodic.all() else [WIDTH, *OTHER_WIDTHS]
        yield from (_on_grid(problem, width) for width in widths)
    elif domain.periodic.all() and problem.is_low_dimensional and not levels:
        yield _periodic(problem)
    elif 1 <= n_waving <= MOST_DIMENSIONS:
        widths = [WIDTH] if domain.periodic.all() else [WIDTH, *OTHER_WIDTHS]
        yield from (ball(problem, width) for width in widths)
    elif all(n == 1 for n in levels.values()) and n_waving:
        widths = [WIDTH] if domain.periodic.all() else [WIDTH, OTHER_WIDTHS[-1]]
        yield from (_total_degree(problem, width) for width in widths)


def _on_grid(problem: StageProblem, width: float) -> Ladder:
    for band in range(0, len(BANDLIMITS), STEP):
        candidate = GridSet(problem, (band,) * problem.x.shape[1], width).candidate()
        if candidate.n_terms == 1 or candidate.n_terms < problem.most_terms:
            yield candidate


@dataclass(frozen=True)
class GridSet:
    """Waves up to shares of the Nyquist numbers of a grid with holes, and a cut-off."""

    problem: StageProblem
    bands: tuple[int, ...]
    width: float
    cutoff: float = ROUND_OFF

    def candidate(self) -> Candidate:
        """These waves as a candidate."""
        problem, levels = self.problem, self.problem.points.levels
        grid, periodic = problem.points.grid, problem.points.domain.periodic
        assert grid is not None
        nodes = scaled_nodes(problem.points.domain, grid)
        shares = [BANDLIMITS[band] for band in self.bands]
        orders = tuple(
            axis_order(axis, share, self.width, is_periodic)
            for axis, share, is_periodic in zip(nodes, shares, periodic, strict=True)
        )

        def prepare(weight: NDArray[np.float64], cutoff: float) -> TensorFit:
            bases: list[AxisBasis] = [
                BasisAxis(axis, LegendreBasis(levels[j] - 1))
                if j in levels
                else axis_basis(axis, order, self.width, is_periodic, cutoff)
                for j, (axis, order, is_periodic) in enumerate(
                    zip(nodes, orders, periodic, strict=True)
                )
            ]
            return TensorFit(bases, grid.shape, grid.index, weight, cutoff)

        # an extension's modes depend on each other: on N nodes they span about share * N dimensions
        n_terms = 1
        for j, (axis, order, share) in enumerate(zip(nodes, orders, shares, strict=True)):
            n_terms *= levels.get(j) or min(2 * order + 1, int(share * len(axis)) + 4)
        n = problem.n_rows
        iterative = conjugate_gradient_operations(
            grid.shape, [2 * m + 1 for m in orders], list(periodic)
        )
        return linear_candidate(
            _family_of(levels),
            f"wave numbers up to {orders}, box {self.width:g} times the data's"
            + _suffix(self.cutoff, ROUND_OFF),
            n_terms,
            min(2 * qr_operations(n + n_terms, n_terms), iterative),
            prepare,
            self.cutoff,
            neighbours=self._neighbours,
        )

    def _neighbours(self) -> Iterator[Candidate]:
        domain, levels = self.problem.points.domain, self.problem.points.levels
        shape = self.problem.points.grid.shape if self.problem.points.grid else ()
        if not domain.periodic.all():
            for cutoff in _next_cutoffs(self.cutoff):
                yield from self._other(self.bands, self.width, cutoff)
        for step in (-1, 1):
            bands = tuple(band + step for band in self.bands)
            if all(0 <= band < len(BANDLIMITS) for band in bands):
                yield from self._other(bands, self.width, self.cutoff)
        long = [j for j, n in enumerate(shape) if n > 1 and j not in levels]
        if len(long) > 1:
            most = self._highest_bands()
            for steps in _axis_moves(len(shape), long):
                moved = tuple(
                    int(band + step) for band, step in zip(self.bands, steps, strict=True)
                )
                if all(0 <= band <= end for band, end in zip(moved, most, strict=True)):
                    yield from self._other(moved, self.width, self.cutoff)

    def _other(self, bands: tuple[int, ...], width: float, cutoff: float) -> Iterator[Candidate]:
        candidate = GridSet(self.problem, bands, width, cutoff).candidate()
        if candidate.n_terms < self.problem.n_rows:
            yield candidate

    def _highest_bands(self) -> list[int]:
        """Highest bands of a move: the other axis' nodes hide errors between an axis' own.

        With about two nodes a mode it is stable (Adcock, Huybrechs & Martin-Vaquero 2014).
        """
        half = int(np.argmin(np.abs(np.array(BANDLIMITS) - 0.5)))
        ends = np.where(self.problem.points.domain.periodic, len(BANDLIMITS) - 1, half)
        return [max(band, end) for band, end in zip(self.bands, ends, strict=True)]


def _axis_moves(d: int, axes: list[int]) -> Iterable[NDArray[np.int64]]:
    """Two steps on the ladder: down or up along one axis, or up along one and down another."""
    steps = 2 * np.eye(d, dtype=np.int64)
    for j in axes:
        yield -steps[j]
        yield steps[j]
        if len(axes) == 2:
            yield from (steps[j] - steps[i] for i in axes if i != j)


def _periodic(problem: StageProblem) -> Ladder:
    n, d = problem.x.shape
    lengths = np.full(d, 2.0)
    for order in periodic_orders(n, d):
        orders = (order,) * d
        n_terms = (2 * order + 1) ** d
        if n_terms > 1 and n_terms >= problem.most_terms:
            return
        yield linear_candidate(
            "fourier",
            f"wave numbers up to {order}, periodic",
            n_terms,
            _TYPICAL_ITERATIONS * 1000.0 * (n_terms + n),
            partial(_toeplitz, problem.x, orders, lengths),
            bandlimit=np.pi * order,
        )


def _toeplitz(
    x: NDArray[np.float64],
    orders: tuple[int, ...],
    lengths: NDArray[np.float64],
    weight: NDArray[np.float64],
    cutoff: float,
) -> ToeplitzFit:
    return ToeplitzFit(x, weight, orders, lengths)


class FittedWaves(NamedTuple):
    """Waves of fitted wave vectors in addition to those of a lattice.

    Attributes
    ----------
    wave_vectors : ndarray of shape (n_waves, d)
        In radians per unit.
    look : Look
        Fits them again together with each lattice.
    """

    wave_vectors: NDArray[np.float64]
    look: Look


def ball(problem: StageProblem, width: float, waves: FittedWaves | None = None) -> Ladder:
    """Wave vectors of a lattice within a ball, growing."""
    radii = radii_of(problem)
    for at in range(0, len(radii), STEP):
        candidate = BallSet(problem, radii, at, width, waves=waves).candidate()
        if candidate.n_terms >= problem.most_terms:
            return
        yield candidate


def radii_of(problem: StageProblem) -> list[float]:
    """Radii of balls in ascending order, of which numbers of terms are a ratio apart."""
    lengths = _box(problem, WIDTH)
    n_levels = prod(problem.points.levels.values())
    most = min(_most_terms(problem.n_rows), problem.n_rows) // n_levels
    radii, last = [], 0.0
    for radius in (r / 4 for r in count(2)):
        n_terms = 2 * len(in_ball(radius, lengths)) - 1
        if n_terms > most:
            break
        if n_terms >= RATIO * last:
            radii.append(radius)
            last = n_terms
    return radii


@dataclass(frozen=True)
class BallSet:
    """Waves of a lattice within a ball, others of given wave vectors, and a cut-off."""

    problem: StageProblem
    radii: list[float]
    at: int
    width: float
    cutoff: float = 0.0
    waves: FittedWaves | None = None

    def candidate(self) -> Candidate:
        """These waves as a candidate."""
        lengths = _box(self.problem, self.width)
        radius = self.radii[self.at]
        numbers = in_ball(radius, lengths)
        waves = self.waves
        candidate = dense_candidate(
            self.problem,
            numbers,
            lengths,
            f"a ball, box {self.width:g} times the data's",
            self.cutoff,
            waves,
            bandlimit=2 * np.pi * radius / lengths.max(),
            extent=radius,
            neighbours=self._neighbours,
        )
        if waves is None or not self.problem.in_folds:
            return candidate
        n_folds = None if self.problem.refits_in_folds else 1
        return replace(
            candidate,
            operations=(n_folds or N_FOLDS + 1) * candidate.operations,
            refit=lambda _, target, weight: candidate.fit(target, weight),
            n_folds=n_folds,
            refines=False,
        )

    def _neighbours(self) -> Iterator[Candidate]:
        default = _CUTOFF_IN_FOLDS if self.problem.in_folds else ROUND_OFF
        for at in (self.at - 1, self.at + 1):
            if 0 <= at < len(self.radii):
                candidate = replace(self, at=at).candidate()
                if candidate.n_terms < self.problem.most_terms:
                    yield candidate
        if self.waves is not None:
            widths = sorted([WIDTH, *OTHER_WIDTHS])
            here = widths.index(self.width)
            for width in (*widths[max(0, here - 1) : here], *widths[here + 1 : here + 2]):
                yield replace(self, width=width).candidate()
        for cutoff in _next_cutoffs(self.cutoff or default):
            yield replace(self, cutoff=cutoff).candidate()


def _total_degree(problem: StageProblem, width: float) -> Ladder:
    """Wave vectors with bounded sum of |k_j|, growing; none along constant features."""
    waving = np.delete(np.arange(problem.x.shape[1]), list(problem.points.levels))
    largest = min(_most_terms(problem.n_rows), problem.n_rows)
    lengths = np.where(problem.points.domain.periodic, 2.0, 2 * width)
    for degree in count(0):
        of_waving = total_degree_lattice(len(waving), degree, largest)
        if of_waving is None:
            return
        numbers = np.zeros((len(of_waving), problem.x.shape[1]), dtype=np.int64)
        numbers[:, waving] = of_waving
        if 2 * len(numbers) - 1 >= max(2, problem.most_terms):
            return
        label = f"total degree up to {degree}, box {width:g} times the data's"
        yield dense_candidate(problem, numbers, lengths, label, extent=float(degree))


def dense_candidate(
    problem: StageProblem,
    numbers: NDArray[np.int64],
    lengths: NDArray[np.float64],
    label: str,
    cutoff: float = 0.0,
    waves: FittedWaves | None = None,
    **more: object,
) -> Candidate:
    """Waves of a lattice, and polynomials along features of few levels, at scattered points."""
    x, levels = problem.x, problem.points.levels
    frame: Frame | LatticeWavesFrame | ProductFrame
    if any(n > 1 for n in levels.values()) or (levels and len(lengths) < x.shape[1]):
        wave_axes = tuple(j for j in range(x.shape[1]) if j not in levels)
        degrees = tuple(n - 1 for n in levels.values())
        frame = ProductFrame(LatticeFrame(numbers, lengths), wave_axes, tuple(levels), degrees)
    elif waves is not None:
        frame = LatticeWavesFrame(LatticeFrame(numbers, lengths), waves.wave_vectors)
    elif len(lengths) <= MOST_DIMENSIONS:
        frame = LatticeFrame(numbers, lengths)
    else:
        frame = Frame(2 * np.pi * numbers / lengths)
    n_terms = frame.n_columns
    most_rows = _most_rows(n_terms, isinstance(frame, LatticeFrame | LatticeWavesFrame))

    def prepare(weight: NDArray[np.float64], cutoff: float) -> DenseFit:
        fitted = frame
        if waves is not None and isinstance(frame, LatticeWavesFrame):
            found = waves.look.besides(frame.lattice, waves.wave_vectors, weight)
            fitted = LatticeWavesFrame(frame.lattice, found)
        return DenseFit(x, weight, fitted, cutoff, most_rows)

    label = f"{n_terms} wave numbers in {label}"
    if waves is not None:
        label += f", {len(waves.wave_vectors)} of them fitted"
    default = _CUTOFF_IN_FOLDS if problem.in_folds else ROUND_OFF
    rows = min(problem.n_rows, most_rows)
    trial_rows = int(MIN_OVERSAMPLING * n_terms)
    # more than half of the points are as well taken in at once
    is_trial = 2 * trial_rows <= problem.n_rows and not problem.in_folds
    return linear_candidate(
        _family_of(levels),
        label + _suffix(cutoff or default, default),
        n_terms,
        qr_operations(trial_rows if is_trial else 2 * rows, n_terms),
        prepare,
        cutoff or default,
        trial_rows=trial_rows if is_trial else None,
        **more,
    )


def _next_cutoffs(cutoff: float) -> list[float]:
    """The next smaller and the next larger cut-off."""
    smaller = [c for c in CUTOFFS if c < cutoff]
    larger = [c for c in CUTOFFS if c > cutoff]
    return smaller[-1:] + larger[:1]


def _suffix(cutoff: float, default: float) -> str:
    return f", cut off at {cutoff:.0e}" if cutoff != default else ""


def _box(problem: StageProblem, width: float) -> NDArray[np.float64]:
    """Sides of the box of the features that have waves."""
    sides = np.where(problem.points.domain.periodic, 2.0, 2 * width)
    return np.delete(sides, list(problem.points.levels))


def _family_of(levels: dict[int, int]) -> str:
    """Name for waves, with polynomials along features of few levels."""
    return "fourier x polynomial" if any(n > 1 for n in levels.values()) else "fourier"


def _most_terms(n: int) -> int:
    # of many points some are enough
    of_many = (MOST_OPERATIONS / qr_operations(OVERSAMPLING, 1)) ** (1 / 3)
    return int(max(np.sqrt(MOST_OPERATIONS / qr_operations(n, 1)), of_many))


def _most_rows(n_terms: int, has_fast_sums: bool) -> int:
    operations = FLOPS_PER_SECOND if has_fast_sums else MOST_OPERATIONS
    rows = min(operations / qr_operations(1, n_terms), working_bytes() / (8 * n_terms))
    return int(max(rows, OVERSAMPLING * n_terms))
