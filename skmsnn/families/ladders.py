"""The sets of modes worth trying on given points, small to large, and how each is fitted."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from math import ceil

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR
from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn._memory import working_bytes
from skmsnn._precision import HALF_DIGITS, ROUND_OFF
from skmsnn.domain import Domain, Grid, uniform_spacing
from skmsnn.functions.lattice import half_lattice
from skmsnn.spaces.axes import AxisBasis, ExtensionAxis, PeriodicAxis
from skmsnn.spaces.frames import LatticeFrame

# Of two sizes of a ladder. With 1.1 and 1.4 errors were 0.98 and 0.87 times as large on average.
RATIO = 1.2
# Sizes from one candidate of a ladder to the next; those between are neighbours of the best.
STEP = 2
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


def is_one_long_axis(domain: Domain, grid: Grid) -> bool:
    """Whether a basis of all nodes is out of reach: they are then as good as scattered."""
    nodes, *others = grid.nodes
    is_fast = domain.periodic[0] and grid.is_complete and uniform_spacing(nodes) is not None
    # the frame and its singular vectors
    is_large = 2 * 8 * len(nodes) * _most_axis_columns(len(nodes)) > working_bytes()
    return not others and not is_fast and is_large


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
        numbers = in_ball(radius, lengths)
        n_terms = 2 * len(numbers) - 1
        if n_terms > most:
            return
        if n_terms >= 2 * last:
            yield LatticeFrame(numbers, lengths)
            last = n_terms


def in_ball(radius: float, lengths: NDArray[np.float64]) -> NDArray[np.int64]:
    reach = radius * lengths / lengths.max()
    numbers = half_lattice([int(r + 1e-9) for r in reach])
    return numbers[np.sum((numbers / reach) ** 2, axis=1) <= 1 + 1e-9]
