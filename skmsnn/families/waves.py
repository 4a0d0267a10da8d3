"""Dominant modes beside other functions: few waves of which the wave vectors are fitted, too.

A few weak fast waves beside a smooth function are nothing for larger lattices: for a wave between
those of a lattice it takes all of them up to its wave number, where it is one wave by itself. So
wave vectors are fitted by variable projection, beside what describes the rest.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._time_limit import time_is_up
from skmsnn.families.pursuit import VariableProjection
from skmsnn.linalg.threads import one_blas_thread

# Waves at most, and waves of about the same size that are looked for together.
_MOST_WAVES, _MOST_ALIKE = 8, 4
# Each leaves less than this share of what was left, root mean square. Of what a set of waves leaves
# of a smooth function, one more took up to a third; of noise it takes next to nothing.
_LEFT = 1 / 3
# One of as many alike takes at least this share of what one of these would.
_OF_ITS_SHARE = 0.7
# Left of the target, relative to it, that is rounding.
_ROUNDING = 1e-15
# Evaluations of each fit of wave vectors. From a wave of the spectrum ten were enough.
_EVALUATIONS = 20

Strongest = Callable[[NDArray[np.float64]], NDArray[np.float64] | None]


class WaveSearch:
    """The waves in values at some points, beside other functions.

    Parameters
    ----------
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Scaled points, values of root mean square about 1, and positive weights.
    free : ndarray of shape (d,), bool
        Axes along which wave vectors may be any; along the others they are harmonics.
    columns : ndarray of shape (n, n_columns)
        The other functions at the points.
    strongest : callable
        Given what is left (n, n_outputs), the wave vector (d,) of the strongest wave in it; None
        where none stands out.
    """

    def __init__(
        self,
        x: NDArray[np.float64],
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        free: NDArray[np.bool_],
        columns: NDArray[np.float64],
        strongest: Strongest,
    ) -> None:
        self._points, self._weight, self._strongest = (x, target, weight, free), weight, strongest
        root = np.sqrt(weight / weight.sum())
        self._background = _orthonormal(columns * root[:, None])

    def waves(self, known: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those known from before, fitted anew, and others.

        Parameters
        ----------
        known : ndarray of shape (n_waves, d)
            Wave vectors in radians per unit.
        """
        found = self._needed(self._fitted(known))
        while len(found) < _MOST_WAVES and not time_is_up():
            more = self._with_more(found)
            if more is None:
                break
            found = more
        return found

    def _with_more(self, found: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """One wave more, or a few that are alike, if they leave little of what was left."""
        before = left = self._left(found)
        for n_more in range(1, _MOST_ALIKE + 1):
            strongest = self._strongest(self._rest(found)) if left > _ROUNDING**2 else None
            if strongest is None:
                return None
            found = self._fitted(np.vstack([found, strongest]))
            left = self._left(found)
            if left < _LEFT ** (2 * n_more) * before:
                return found
            if left > (1 - _OF_ITS_SHARE * n_more / _MOST_ALIKE) * before:
                return None
        return None

    def _needed(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those without which much more is left: larger sets may hold what they were for."""
        for wave in found:
            others = found[(found != wave).any(axis=1)]
            if self._left(others) * _LEFT**2 < self._left(found):
                found = self._fitted(others)
        return found

    def _fitted(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._problem(found).minimised(found, _EVALUATIONS)[0]

    def _left(self, found: NDArray[np.float64]) -> float:
        """Mean square of what is left."""
        mean_square = np.mean(self._rest(found) ** 2, axis=1)
        return float(np.average(mean_square, weights=self._weight))

    def _rest(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._problem(found).rest(found)

    def _problem(self, found: NDArray[np.float64]) -> VariableProjection:
        return VariableProjection(*self._points, len(found), self._background)


@one_blas_thread
def _orthonormal(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal columns of the same span, and of rounding where columns depend on each other."""
    return sla.qr(columns, mode="economic", check_finite=False)[0]
