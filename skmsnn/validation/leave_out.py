"""What a fit along one axis of a grid leaves on lines that it has not seen.

A node of a grid that is held out alone says nothing of what a fit does between the lines: all of
its coordinates are those of other nodes. So whole lines are left out, each once, never two
neighbours together, and a line always together with its mirror image: leaving out one of the two
asks nothing of even functions, which have the same values on the other.

Nothing is fitted anew. With H the projection on the space of a fit, that without the rows S
leaves ``(I - H_SS)^-1 (y - H y)_S`` on them (Cook & Weisberg 1982, Residuals and Influence in
Regression, section 3.8, for cases left out together).

Where no line is, as in a gap much wider than those about it, what a fit does is as sure as it stays
the same whichever lines are left out: the jackknife, the root of the sum of the squares of these
changes (Efron & Stein 1981, The jackknife estimate of variance).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, ENOUGH, FEW
from skmsnn._precision import EPS
from skmsnn._shape import of_features
from skmsnn.linalg.threads import one_blas_thread

# Folds of a cross-validation. Lines of an axis that is not periodic are shared out into up to
# fifty, as few together as can be: on axes of 9 to 43 nodes what is chosen by pairs left 1.2 times
# the least, and what is chosen by quarters 6.2 times. On a periodic one functions are even about
# any node, and folds of more lines see that.
_MOST_FOLDS, N_FOLDS = 50, 10


#: Of rows, the matrix (n_points, n_rows) that takes their values to the fit at some points.
Influence = Callable[[NDArray[np.intp]], NDArray[np.float64]]


class Projection(Protocol):
    """A fit along an axis, U U' with orthonormal columns U."""

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """The entries of the projection for these rows and columns."""

    def influence(self, points: NDArray[np.float64]) -> Influence:
        """What the fit at other points takes of the values on rows."""


class EdgePoints(NamedTuple):
    """Points (m, d) besides the data, and the shares (m,) of fresh points they stand for."""

    points: NDArray[np.float64]
    shares: NDArray[np.float64]

    def of_features(self, features: Sequence[int]) -> EdgePoints:
        """The same for functions of some features."""
        return self._replace(points=of_features(self.points, features))


class LeftOut(NamedTuple):
    """Residuals of fits at rows that they have not seen.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Some or all points.
    residual : ndarray of shape (n_rows, n_outputs)
        The residuals there.
    exposed : ndarray of shape (n_outputs,)
        Root mean square of the uncertainty of the fit at exposed points, times the root of the
        share of fresh points that they stand for.
    """

    rows: NDArray[np.intp]
    residual: NDArray[np.float64]
    exposed: NDArray[np.float64]


class Gaps(NamedTuple):
    """The middles of gaps (n_gaps,), and the line that answers for each beside itself."""

    middles: NDArray[np.float64]
    lines: NDArray[np.intp]


class Folds(NamedTuple):
    """Lines left out in turn.

    Attributes
    ----------
    folds : list of ndarray
        Lines that are left out together; those in none, as the two ends, never are.
    proxy_line : ndarray of shape (n_lines,)
        The line that answers for each: itself, or the nearest that is asked.
    gaps : Gaps
        Where no line left out makes as wide a gap.
    """

    folds: list[NDArray[np.intp]]
    proxy_line: NDArray[np.intp]
    gaps: Gaps = Gaps(np.empty(0), np.empty(0, dtype=np.intp))


def folds_of_lines(n: int, periodic: bool, rng: np.random.RandomState) -> Folds:
    """Share out the lines of an axis of n nodes; the ends are left in unless it is periodic."""
    label = np.full(n, -1)
    # two about the seam of a periodic axis, and two about the middle, apart from each other
    n_folds = min(N_FOLDS, n // 4 + 4) if periodic else min(_MOST_FOLDS, n // 2 + 1)
    n_lines = np.zeros(n_folds, dtype=int)

    def free_label(*neighbours: int) -> int:
        """One of those that the fewest lines have."""
        allowed = np.where(np.isin(np.arange(n_folds), neighbours), n, n_lines)
        chosen = rng.choice(np.flatnonzero(allowed == allowed.min()))
        n_lines[chosen] += 1
        return chosen

    for i in range(0 if periodic else 1, (n + 1) // 2):
        mirror = n - 1 - i
        beside = (label[i - 1], label[mirror + 1]) if i else ()
        label[i] = label[mirror] = free_label(*beside)
        # neighbours of each other, about the middle or across the seam
        if mirror - i == 1 or (periodic and i == 0 and n > 1):
            label[mirror] = free_label(label[i], *beside)
    proxy_line = np.arange(n)
    if n > 2 and not periodic:
        # in the cells at the ends fits are worst, and the lines next to them say how bad
        proxy_line[[0, -1]] = 1, n - 2
    if n > ENOUGH:
        # a function with a singular end has most of its error there
        edge = np.arange(n) < FEW
        edge |= edge[::-1]
        step = -(-n // ENOUGH)
        asked = np.flatnonzero(edge | (np.arange(n) % step == rng.randint(step)))
        proxy_line = asked[np.clip(np.searchsorted(asked, proxy_line), 0, len(asked) - 1)]
        label[np.setdiff1d(np.arange(n), asked)] = -1
    folds = [np.flatnonzero(label == k) for k in range(n_folds)]
    return Folds([rows for rows in folds if len(rows)], proxy_line)


def wide_gaps(nodes: NDArray[np.float64], periodic: bool = False) -> Gaps:
    """Gaps between ascending nodes that are much wider than both beside them, the widest of many.

    Leaving out the line at an end of any other makes one as wide.

    Of a periodic axis, on which a period has the length 2, the last gap is that across the seam.
    """
    right = np.r_[nodes[1:], nodes[0] + 2] if periodic else nodes[1:]
    left = nodes[: len(right)]
    width = right - left
    if len(width) < 2:
        return Gaps(np.empty(0), np.empty(0, dtype=np.intp))
    before, after = np.roll(width, 1), np.roll(width, -1)
    if not periodic:
        # of the two lines about a gap at an end one is never left out
        before[0] = after[-1] = 0.0
    wide = np.flatnonzero(width > CLEARLY * np.maximum(before, after))
    wide = np.sort(wide[np.argsort(-width[wide], kind="stable")[:_MOST_FOLDS]])
    lines = wide if periodic else np.clip(wide, 1, max(1, len(nodes) - 2))
    return Gaps((left[wide] + right[wide]) / 2, lines)


@one_blas_thread
def left_out(
    residual: NDArray[np.float64],
    projection: Projection,
    folds: Folds,
    rounding: float,
) -> NDArray[np.float64]:
    """What a fit leaves on lines that it has not seen; as it is on those that none leaves out.

    A direction that hardly any other line has a say in comes out as its rounding, amplified. A line
    beside a wide gap has at least what the fit is unsure of there.

    Parameters
    ----------
    residual : ndarray of shape (n_lines, n_columns)
        What the fit to all lines leaves.
    projection : Projection
        The fit.
    folds : Folds
        The lines to be left out.
    rounding : float
        To which the values are known, in units of the residual.
    """
    unseen = residual.copy()
    changes = np.zeros((len(folds.gaps.middles), residual.shape[1]))
    influence = projection.influence(folds.gaps.middles)
    for size in {len(rows) for rows in folds.folds}:
        alike = np.array([rows for rows in folds.folds if len(rows) == size])
        blocks = np.array([projection.block(rows) for rows in alike])
        unseen[alike] = left_out_together(residual[alike], blocks, rounding)
    if len(changes):
        for rows in folds.folds:
            changes += (influence(rows) @ unseen[rows]) ** 2
    return with_gaps(unseen[folds.proxy_line], changes, folds.gaps)


def with_gaps(
    unseen: NDArray[np.float64], changes: NDArray[np.float64], gaps: Gaps
) -> NDArray[np.float64]:
    """Raise what lines beside gaps leave to the root of the squared changes in the gap."""
    unsure = np.zeros_like(unseen)
    np.maximum.at(unsure, gaps.lines, np.sqrt(changes))
    return np.copysign(np.maximum(np.abs(unseen), unsure), unseen)


def farther(values: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values farther from zero, by what is independent of them."""
    return np.copysign(np.hypot(values, by), values)


def left_out_together(
    residual: NDArray[np.float64], block: NDArray[np.float64], rounding: float
) -> NDArray[np.float64]:
    """``(I - H)^-1 r`` for rows left out together, with the block H (n, n) of the projection.

    Arrays of blocks (..., n, n) and residuals (..., n, n_outputs) are treated one by one.

    In directions that no other row determines the result is the rounding, amplified.
    """
    one = np.eye(block.shape[-1])
    determined = one - (1 - EPS) * block
    # some direction may belong to these rows alone
    is_singular = np.linalg.slogdet(determined).sign == 0
    inverse = np.linalg.inv(np.where(is_singular[..., None, None], EPS * one, determined))
    amplified = rounding * np.linalg.norm(inverse, axis=-1)
    return farther(inverse @ residual, amplified[..., None])


def grouped(folds: list[NDArray[np.intp]]) -> list[NDArray[np.intp]]:
    """Folds joined to at most ``N_FOLDS``, for fits that are too costly for each of them."""
    return [np.concatenate(folds[k::N_FOLDS]) for k in range(min(len(folds), N_FOLDS))]


def weighted_rms(residual: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Root of the weighted mean over points of the mean square over outputs."""
    mean_square = np.mean(residual**2, axis=1)
    return float(np.sqrt(np.average(mean_square, weights=weight)))
