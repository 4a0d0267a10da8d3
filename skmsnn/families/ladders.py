"""The sets of modes worth trying on given points, small to large, and how each is fitted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count
from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR, FEW
from skmsnn._effort import FLOPS_PER_SECOND, MOST_OPERATIONS, qr_operations, svd_operations
from skmsnn._memory import working_bytes
from skmsnn._precision import HALF_DIGITS, ROUND_OFF
from skmsnn.domain import Domain, Grid, scaled_nodes, uniform_spacing
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.lattice import half_lattice, total_degree_lattice
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.axes import AxisBasis, BasisAxis, ExtensionAxis, PeriodicAxis
from skmsnn.spaces.base import Candidate
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import Frame, LatticeFrame, LatticeWavesFrame, ProductFrame
from skmsnn.spaces.periodic import ToeplitzFit
from skmsnn.spaces.tensor import TensorFit

# Of two sizes of a ladder. With 1.1 and 1.4 errors were 0.98 and 0.87 times as large on average.
RATIO = 1.2
# Of Nyquist's wave number, up to which points tell a wave from others. With 0.8 waves near it were
# missed altogether, and with 0.95 all errors were the same.
NYQUIST_FRACTION = 0.9
# Bandlimits of sets as shares of Nyquist's wave number: through 2/3, where simulations end.
BANDLIMITS = (0.0, *(min(2 / 3 * RATIO**k, NYQUIST_FRACTION) for k in range(-15, 3)))
# Width of an extension's box over that of the data: the usual one, and those tried around the
# best. The gentler the function, the wider the box that needs the fewest modes: sums of tides on a
# grid of 35 000 nodes left 7e-7, 2e-11 and 1e-12 in boxes of 2, 3 and 4 times their width.
WIDTH, OTHER_WIDTHS = 2.0, (1.4, 3.0, 4.0)
# Rows an unknown: of a fit that tells whether a set is good, and as many as are
# enough. Fits to 1.6 said of unseen points up to a thousand times too much, to 2.2 eight times;
# with 2.5, 4, 6 and 9 of 26, denser at the ends of axes and as a preconditioner for all, they left
# 1.1e-14, 8.8e-15, 7.3e-15 and 6.7e-15; with 2.5 and 6 drawn evenly 7.5e-12 and 1.3e-13.
MIN_OVERSAMPLING, OVERSAMPLING = 2.5, 6.0


def candidates(
    domain: Domain,
    grid: Grid | None,
    x: NDArray[np.float64],
    n_rows: int,
    levels: dict[int, int] | None = None,
    waves: NDArray[np.float64] | None = None,
) -> list[Candidate]:
    """Sets of modes for points of each kind, in ascending order of size.

    Parameters
    ----------
    domain : Domain
        Scaling and periods.
    grid : Grid or None
        The grid on which the points lie.
    x : ndarray of shape (n, d)
        The points in scaled coordinates.
    n_rows : int
        How many of them may be used for fitting; no set has more terms than rows.
    levels : dict from int to int, default=None
        Features of few levels, and how many: along these there are polynomials in place of waves.
    waves : ndarray of shape (n_waves, d), default=None
        Wave vectors, in radians per unit, that all sets have beside those of a lattice.
    """
    levels = levels or {}

    def fits(candidate: Candidate) -> bool:
        return candidate.n_terms == 1 or candidate.n_terms < n_rows

    if waves is not None:
        found = _scattered_ball(domain, x, levels, waves)
    elif grid is not None and not is_one_long_axis(domain, grid):
        found = _on_grid(domain, grid, fits, levels)
    elif domain.periodic.all() and x.shape[1] <= MOST_DIMENSIONS and n_rows >= FEW:
        found = _scattered_periodic(x)
    elif x.shape[1] - len(levels) in (1, 2, 3):
        found = _scattered_ball(domain, x, levels)
    elif all(n == 1 for n in levels.values()):
        found = _scattered_total_degree(domain, x, list(levels))
    else:
        found = []
    sizes: set[int] = set()
    distinct = []
    for candidate in found:
        if fits(candidate) and candidate.n_terms not in sizes:
            distinct.append(candidate)
            sizes.add(candidate.n_terms)
    return distinct


def is_one_long_axis(domain: Domain, grid: Grid) -> bool:
    """Whether a basis of all nodes is out of reach: they are then as good as scattered."""
    nodes, *others = grid.nodes
    is_fast = domain.periodic[0] and grid.is_complete and uniform_spacing(nodes) is not None
    # the frame and its singular vectors
    is_large = 2 * 8 * len(nodes) * _most_axis_columns(len(nodes)) > working_bytes()
    return not others and not is_fast and is_large


def _on_grid(
    domain: Domain, grid: Grid, fits: Callable[[Candidate], bool], levels: dict[int, int]
) -> Iterable[Candidate]:
    nodes = scaled_nodes(domain, grid)

    def candidate(bands: tuple[int, ...], width: float) -> Candidate:
        shares = [BANDLIMITS[band] for band in bands]
        orders = tuple(
            axis_order(axis, share, width, periodic)
            for axis, share, periodic in zip(nodes, shares, domain.periodic, strict=True)
        )

        def prepare(weight: NDArray[np.float64], cutoff: float) -> TensorFit:
            bases: list[AxisBasis] = [
                BasisAxis(axis, LegendreBasis(levels[j] - 1))
                if j in levels
                else axis_basis(axis, order, width, periodic, cutoff)
                for j, (axis, order, periodic) in enumerate(
                    zip(nodes, orders, domain.periodic, strict=True)
                )
            ]
            return TensorFit(bases, grid.shape, grid.index, weight, cutoff)

        def variants() -> Iterable[Candidate]:
            if not domain.periodic.all() and width == WIDTH:
                for other in OTHER_WIDTHS:
                    # in a wider box less than the same highest wave number does
                    for step in range(-2, 2) if other < width else range(-4, 0):
                        near = np.clip(np.add(bands, step), 0, len(BANDLIMITS) - 1)
                        yield candidate(tuple(near.tolist()), other)

        def highest_bands() -> list[int]:
            """Of a move. The other axis' nodes hide what an extension does between its own.

            With about two nodes a mode it is stable (Adcock, Huybrechs & Martin-Vaquero 2014).
            """
            half = int(np.argmin(np.abs(np.array(BANDLIMITS) - 0.5)))
            ends = np.where(domain.periodic, len(BANDLIMITS) - 1, half)
            return [max(band, end) for band, end in zip(bands, ends, strict=True)]

        def neighbours() -> Iterable[Candidate]:
            long = [j for j, axis in enumerate(nodes) if len(axis) > 1 and j not in levels]
            if len(long) < 2:
                return
            for steps in _axis_moves(len(nodes), long):
                moved = tuple(band + step for band, step in zip(bands, steps, strict=True))
                if all(0 <= r <= most for r, most in zip(moved, highest_bands(), strict=True)):
                    other = candidate(moved, width)
                    if fits(other):
                        yield other

        # an extension's modes depend on each other: on N nodes they span about share * N dimensions
        n_terms = 1
        for j, (axis, order, share) in enumerate(zip(nodes, orders, shares, strict=True)):
            n_terms *= levels.get(j) or min(2 * order + 1, int(share * len(axis)) + 4)
        return Candidate(
            n_terms,
            prepare,
            f"wave numbers up to {orders}, box {width:g} times the data's",
            cutoff=None if domain.periodic.all() else ROUND_OFF,
            variants=variants,
            neighbours=neighbours,
            family=_family_of(levels),
        )

    return [candidate((band,) * len(nodes), WIDTH) for band in range(len(BANDLIMITS))]


def _axis_moves(d: int, axes: list[int]) -> Iterable[NDArray[np.int64]]:
    """Two steps on the ladder: down or up along one axis, or up along one and down another."""
    steps = 2 * np.eye(d, dtype=np.int64)
    for j in axes:
        yield -steps[j]
        yield steps[j]
        if len(axes) == 2:
            yield from (steps[j] - steps[i] for i in axes if i != j)


def axis_order(nodes: NDArray[np.float64], share: float, width: float, periodic: bool) -> int:
    n = len(nodes)
    if n == 1 or share == 0:
        return 0
    if periodic:
        return int(share * n / 2 + 1e-9)
    order = round(share * width * (n - 1) / 2)
    return max(1, min(order, int(_most_axis_columns(n) / 2)))


def axis_shares(n: int) -> tuple[float, ...]:
    """The shares of Nyquist's wave number of sets along an axis of so many nodes: from one wave."""
    n_smaller = ceil(np.log(max(1.0, BANDLIMITS[1] * n / 2)) / np.log(RATIO))
    smaller = (BANDLIMITS[1] / RATIO**k for k in range(n_smaller, 0, -1))
    return (0.0, *smaller, *BANDLIMITS[1:])


def _most_axis_columns(n: int) -> float:
    """Of a frame on n nodes of which the singular vectors are affordable."""
    return float(np.sqrt(FAR * FLOPS_PER_SECOND / svd_operations(n, 1)))


def growing(most: float) -> Iterator[int]:
    """0, 1, 2, ... and on by the ratio, up to ``most``."""
    size = 0
    while size <= most:
        yield size
        size = max(size + 1, round(RATIO * size))


def axis_basis(
    nodes: NDArray[np.float64], order: int, width: float, periodic: bool, cutoff: float = ROUND_OFF
) -> AxisBasis:
    if not periodic:
        return ExtensionAxis(nodes, order, 2 * width, cutoff)
    spacing = uniform_spacing(nodes)
    if spacing is not None and np.isclose(spacing * len(nodes), 2, rtol=HALF_DIGITS, atol=0):
        return PeriodicAxis(len(nodes), order, 2.0, float(nodes[0]))
    return ExtensionAxis(nodes, order, 2.0, cutoff)


def _scattered_periodic(x: NDArray[np.float64]) -> Iterable[Candidate]:
    n, d = x.shape
    lengths = np.full(d, 2.0)

    def candidate(order: int) -> Candidate:
        orders = (order,) * d
        return Candidate(
            (2 * order + 1) ** d,
            lambda weight, cutoff: ToeplitzFit(x, weight, orders, lengths),
            f"wave numbers up to {order}, periodic",
            cutoff=None,
        )

    return [candidate(order) for order in periodic_orders(n, d)]


def periodic_orders(n: int, d: int) -> list[int]:
    """Largest wave numbers worth trying on n scattered points, the same along each axis.

    With the last share conjugate gradients take thousands of iterations.
    """
    return [int(s * n ** (1 / d) / 2 + 1e-9) for s in BANDLIMITS[:-1]]


def ball_frames(periodic: NDArray[np.bool_], most: int) -> Iterator[LatticeFrame]:
    """Waves of a lattice within a ball, up to a number, each of twice as many as that before."""
    lengths = np.where(periodic, 2.0, 2 * WIDTH)
    last = 0
    for radius in (r / 4 for r in count(2)):
        numbers = _in_ball(radius, lengths)
        n_terms = 2 * len(numbers) - 1
        if n_terms > most:
            return
        if n_terms >= 2 * last:
            yield LatticeFrame(numbers, lengths)
            last = n_terms


def _scattered_ball(
    domain: Domain,
    x: NDArray[np.float64],
    levels: dict[int, int],
    waves: NDArray[np.float64] | None = None,
) -> Iterable[Candidate]:
    """Wave vectors of a lattice within a ball, growing."""
    sizes: list[tuple[float, int]] = []
    lengths = _box(domain, WIDTH, levels)
    most = min(_most_dense_terms(len(x)), len(x)) // prod(levels.values())
    for radius in (r / 4 for r in count(2)):
        n_terms = 2 * len(_in_ball(radius, lengths)) - 1
        if n_terms > most:
            break
        if not sizes or n_terms >= RATIO * sizes[-1][1]:
            sizes.append((radius, n_terms))

    def candidate(at: int, width: float) -> Candidate:
        lengths = _box(domain, width, levels)
        numbers = _in_ball(sizes[at][0], lengths)

        def boxes() -> list[Candidate]:
            is_first = width == WIDTH and not domain.periodic.all()
            return [candidate(at, other) for other in OTHER_WIDTHS if is_first]

        def larger() -> list[Candidate]:
            return [candidate(next, width) for next in range(at + 1, len(sizes))]

        def smaller() -> list[Candidate]:
            return [candidate(last, width) for last in range(at - 1, -1, -1)]

        label = f"a ball, box {width:g} times the data's"
        found = _dense_candidate(x, numbers, lengths, label, tuple, levels, waves)
        bandlimit = 2 * np.pi * sizes[at][0] / lengths.max()
        return replace(
            found, width=width, bandlimit=bandlimit, boxes=boxes, larger=larger, smaller=smaller
        )

    return [candidate(at, WIDTH) for at in range(len(sizes))]


def _in_ball(radius: float, lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    reach = radius * lengths / lengths.max()
    numbers = half_lattice([int(r) for r in reach])
    return numbers[np.sum((numbers / reach) ** 2, axis=1) <= 1 + 1e-9]


def _scattered_total_degree(
    domain: Domain, x: NDArray[np.float64], constant: list[int]
) -> Iterable[Candidate]:
    """Wave vectors of a lattice with bounded sum of |k_j|, growing; none along some features."""
    waving = np.delete(np.arange(x.shape[1]), constant)
    # half of what can be solved: here other boxes, too, are tried with the largest sets
    largest = min((_most_dense_terms(len(x)) + 1) // 2, len(x))

    def candidate(numbers: NDArray[np.int64], degree: int, width: float) -> Candidate:
        def variants() -> Iterable[Candidate]:
            if width == WIDTH and not domain.periodic.all():
                for other in OTHER_WIDTHS[-1:]:  # here sets are costly to try
                    yield candidate(numbers, degree, other)

        label = f"total degree up to {degree}, box {width:g} times the data's"
        return _dense_candidate(x, numbers, _box(domain, width, {}), label, variants, {})

    for degree in count(0):
        of_waving = total_degree_lattice(len(waving), degree, largest)
        if of_waving is None:
            return
        numbers = np.zeros((len(of_waving), x.shape[1]), dtype=np.int64)
        numbers[:, waving] = of_waving
        yield candidate(numbers, degree, WIDTH)


def _box(domain: Domain, width: float, levels: dict[int, int]) -> NDArray[np.float64]:
    """Sides of the box of the features that have waves."""
    sides = np.where(domain.periodic, 2.0, 2 * width)
    return np.delete(sides, list(levels))


def _dense_candidate(
    x: NDArray[np.float64],
    numbers: NDArray[np.int64],
    lengths: NDArray[np.float64],
    label: str,
    variants: Callable[[], Iterable[Candidate]],
    levels: dict[int, int],
    waves: NDArray[np.float64] | None = None,
) -> Candidate:
    frame: Frame | LatticeWavesFrame | ProductFrame
    if levels:
        lattice = LatticeFrame(numbers, lengths)
        wave_axes = tuple(j for j in range(x.shape[1]) if j not in levels)
        degrees = tuple(n - 1 for n in levels.values())
        frame = ProductFrame(lattice, wave_axes, tuple(levels), degrees)
    elif waves is not None:
        frame = LatticeWavesFrame(LatticeFrame(numbers, lengths), waves)
    elif len(lengths) <= MOST_DIMENSIONS:
        frame = LatticeFrame(numbers, lengths)
    else:
        frame = Frame(2 * np.pi * numbers / lengths)
    n_terms = frame.n_columns
    most_rows = _most_dense_rows(n_terms, isinstance(frame, LatticeFrame | LatticeWavesFrame))

    def prepare(weight: NDArray[np.float64], cutoff: float) -> DenseFit:
        return DenseFit(x, weight, frame, cutoff, most_rows)

    label = f"{n_terms} wave numbers in {label}"
    if waves is not None:
        label += f", {len(waves)} of them fitted"
    trial_rows = int(MIN_OVERSAMPLING * n_terms)
    # more than half of the points are as well taken in at once
    few_rows = trial_rows if 2 * trial_rows <= len(x) else None
    return Candidate(
        n_terms,
        prepare,
        label,
        trial_rows=few_rows,
        variants=variants,
        family=_family_of(levels),
    )


def _family_of(levels: dict[int, int]) -> str:
    """Of waves, and polynomials along features of few levels."""
    return "fourier x polynomial" if any(n > 1 for n in levels.values()) else "fourier"


def _most_dense_terms(n: int) -> int:
    # of many points some are enough
    of_many = (MOST_OPERATIONS / qr_operations(OVERSAMPLING, 1)) ** (1 / 3)
    return int(max(np.sqrt(MOST_OPERATIONS / qr_operations(n, 1)), of_many))


def _most_dense_rows(n_terms: int, has_fast_sums: bool) -> int:
    operations = FLOPS_PER_SECOND if has_fast_sums else MOST_OPERATIONS
    rows = min(operations / qr_operations(1, n_terms), working_bytes() / (8 * n_terms))
    return int(max(rows, OVERSAMPLING * n_terms))
