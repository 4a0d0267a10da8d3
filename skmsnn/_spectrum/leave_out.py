"""What a fit along one axis of a grid leaves on lines that it has not seen.

A node of a grid that is held out alone says nothing of what a fit does between the lines: all of
its coordinates are those of other nodes. So whole lines are left out, each once, never two
neighbours together, and a line always together with its mirror image: leaving out one of the two
asks nothing of even functions, which have the same values on the other.

Nothing is fitted anew. With H the projection on the space of a fit, that without the rows S
leaves ``(I - H_SS)^-1 (y - H y)_S`` on them (Cook & Weisberg 1982, Residuals and Influence in
Regression, section 3.8, for cases left out together).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._spectrum.threads import one_blas_thread

# Lines are shared out into so many folds, fewer where there are few, and more where one would have
# more lines than that. On a periodic axis functions are even about any node, and folds of more
# lines see that. Elsewhere small folds are less pessimistic: they leave narrower gaps.
_FOLDS, _FOLDS_PERIODIC, _MOST_TOGETHER = 50, 10, 100
# Of more lines than these a sample is asked, and always those next to the ends: a function with a
# singular end has most of its error there.
_MOST_ASKED, _ALWAYS_ASKED = 4000, 10
# Multiples of the golden ratio are spread evenly over the unit interval: signs without a pattern.
_GOLDEN = (5**0.5 - 1) / 2


class Folds(NamedTuple):
    """Lines left out in turn.

    Attributes
    ----------
    folds : list of ndarray
        Lines that are left out together; those in none, as the two ends, never are.
    stand_in : ndarray of shape (n_lines,)
        The line that answers for each: itself, or the nearest that is asked.
    """

    folds: list[NDArray[np.intp]]
    stand_in: NDArray[np.intp]


def folds_of_lines(n: int, periodic: bool, rng: np.random.RandomState) -> Folds:
    """Share out the lines of an axis of n nodes; the ends are left in unless it is periodic."""
    label = np.full(n, -1)
    most = _FOLDS_PERIODIC if periodic else _FOLDS
    n_folds = max(min(most, n // 4 + 2), -(-min(n, _MOST_ASKED) // _MOST_TOGETHER))
    for i in range(0 if periodic else 1, (n + 1) // 2):
        taken = {label[i - 1]} if i else set()
        mirror = n - 1 - i
        if mirror - i == 1:  # neighbours of each other, about the middle
            free = [k for k in range(n_folds) if k not in taken]
            label[i] = rng.choice(free)
            label[mirror] = rng.choice([k for k in free if k != label[i]])
            continue
        label[i] = label[mirror] = rng.choice([k for k in range(n_folds) if k not in taken])
    stand_in = np.arange(n)
    if n > 2 and not periodic:
        # in the cells at the ends fits are worst, and the lines next to them say how bad
        stand_in[[0, -1]] = 1, n - 2
    if n > _MOST_ASKED:
        edge = np.arange(n) < _ALWAYS_ASKED
        edge |= edge[::-1]
        step = -(-n // _MOST_ASKED)
        asked = np.flatnonzero(edge | (np.arange(n) % step == rng.randint(step)))
        stand_in = asked[np.clip(np.searchsorted(asked, stand_in), 0, len(asked) - 1)]
        label[np.setdiff1d(np.arange(n), asked)] = -1
    folds = [np.flatnonzero(label == k) for k in range(n_folds)]
    return Folds([rows for rows in folds if len(rows)], stand_in)


def left_out(
    residual: NDArray[np.float64],
    block_of: Callable[[NDArray[np.intp]], NDArray[np.float64]],
    folds: Folds,
    rounding: float,
) -> NDArray[np.float64]:
    """What a fit leaves on lines that it has not seen; as it is on those that none leaves out.

    A direction that hardly any other line has a say in comes out as its rounding, amplified.

    Parameters
    ----------
    residual : ndarray of shape (n_lines, n_columns)
        What the fit to all lines leaves.
    block_of : callable
        The entries H_SS of the projection for rows S.
    folds : Folds
        The lines to be left out.
    rounding : float
        To which the values are known, in units of the residual.
    """
    unseen = residual.copy()
    rounded = residual + rounding * patternless_signs(residual.shape)
    for rows in folds.folds:
        # in directions that hardly any other line has a say in, the rounding is what comes out
        others_have_a_say = np.eye(len(rows)) - (1 - 4 * np.finfo(float).eps) * block_of(rows)
        with one_blas_thread:
            try:
                unseen[rows] = np.linalg.solve(others_have_a_say, rounded[rows])
            except np.linalg.LinAlgError:  # some direction is these rows' alone
                unseen[rows] = rounded[rows] / np.finfo(float).eps
    return unseen[folds.stand_in]


def patternless_signs(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Plus and minus one, by multiples of the golden ratio, the same in every call."""
    multiples = np.arange(int(np.prod(shape))) * _GOLDEN
    return np.where(multiples % 1 < 0.5, -1.0, 1.0).reshape(shape)


def left_out_one_by_one(
    residual: NDArray[np.float64], leverage: NDArray[np.float64], rounding: float
) -> NDArray[np.float64]:
    """``r_i / (1 - h_i)`` for each row of (n, n_outputs); rounding, amplified, where h_i is 1."""
    share = np.maximum(1 - leverage, np.finfo(float).eps)[:, None]
    return (residual + rounding * patternless_signs(residual.shape)) / share


def weighted_rms(residual: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Root of the weighted mean over points of the mean square over outputs."""
    mean_square = np.mean(residual**2, axis=1)
    return float(np.sqrt(np.average(mean_square, weights=weight)))
