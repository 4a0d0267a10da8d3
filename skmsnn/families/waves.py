"""Dominant modes beside other functions: few waves of which the wave vectors are fitted, too.

A few weak fast waves beside a smooth function are nothing for larger lattices: for a wave between
those of a lattice it takes all of them up to its wave number, where it is one wave by itself. So
wave vectors are fitted by variable projection, beside what describes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, FAR, FEW
from skmsnn._effort import FLOPS_PER_SECOND, svd_operations
from skmsnn._precision import ROUND_OFF, ROUNDING
from skmsnn._time_limit import time_is_up
from skmsnn.families.ladders import NYQUIST_FRACTION
from skmsnn.families.pursuit import VariableProjection
from skmsnn.families.spectrum import nyquist_limits, strongest_wave
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.spaces.frames import LatticeFrame, PolynomialFrame
from skmsnn.validation.leave_out import weighted_rms

# Outputs in whose combinations waves are sought.
MOST_OUTPUTS = 6
# Waves at most; half as many of about the same size are looked for together. With four at most a
# sum of waves was missed, and with sixteen all errors were the same.
_MOST_WAVES = 8
# Operations of a look: 0.1 to 0.7 seconds were measured.
LOOK = FLOPS_PER_SECOND / 4
# Each leaves less than this share of what was left, root mean square. Of what a set of waves leaves
# of a smooth function, one more took up to a third; of noise it takes next to nothing.
_LEFT = 1 / 5

# Rows of a term, or of an unknown of a wave, that are enough to tell it. With one and four errors
# were the same to 1.3.
ROWS_AN_UNKNOWN = 2
# Radians per unit that waves are apart: closer ones differ by less than a turn over the data, as
# the parts of a single wave that varies in size, which no few waves describe.
_APART = np.pi

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
    limits : ndarray of shape (d,)
        Wave numbers along each axis that the points tell from faster ones, in radians per unit.
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
        limits: NDArray[np.float64],
        strongest: Strongest,
    ) -> None:
        self._limits = limits
        self._points, self._weight, self._strongest = (x, target, weight, free), weight, strongest
        root = np.sqrt(weight / weight.sum())
        self._background = _orthonormal(columns * root[:, None])

    def fitted(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Wave vectors (n_waves, d) nearby that leave least."""
        return self._problem(found).minimised(found, FEW)[0]

    def waves(self, known: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those known from before, fitted anew, and others.

        Parameters
        ----------
        known : ndarray of shape (n_waves, d)
            Wave vectors in radians per unit.
        """
        found = self._needed(self.fitted(known))
        while len(found) < _MOST_WAVES and not time_is_up():
            more = self._with_more(found)
            if more is None:
                break
            found = more
        return found

    def _with_more(self, found: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """One wave more, or a few that are alike, if they leave little of what was left."""
        before = left = self.left(found)
        n_rows, n_columns = self._background.shape
        most_alike = _MOST_WAVES // 2
        for n_more in range(1, most_alike + 1):
            is_told = n_rows >= n_columns + ROWS_AN_UNKNOWN * _unknowns(
                len(found) + 1, len(self._limits)
            )
            if not is_told or left <= ROUNDING:
                return None
            strongest = self._strongest(self._rest(found))
            if strongest is None:
                return None
            found = self.fitted(np.vstack([found, strongest]))
            left = self.left(found)
            if not np.all(self._are_told(found)):
                return None
            if left < _LEFT**n_more * before:
                return found
            if left**2 > (1 - n_more / most_alike / CLEARLY) * before**2:
                # of as many alike one would take its share, or half of that at least
                return None
        return None

    def _needed(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Those without which much more is left: larger sets may hold what they were for."""
        found = found[self._are_told(found)]
        for wave in found:
            others = found[(found != wave).any(axis=1)]
            if self.left(others) * _LEFT < self.left(found):
                found = self.fitted(others)
        return found

    def _are_told(self, found: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of them are no faster than points tell, and apart from those before."""
        are_told = np.all(np.abs(found) <= self._limits, axis=1)
        for k in range(1, len(found)):
            both = np.concatenate([found[:k] - found[k], found[:k] + found[k]])
            are_told[k] &= bool(np.linalg.norm(both, axis=1).min() >= _APART)
        return are_told

    def left(self, found: NDArray[np.float64]) -> float:
        """Root mean square of what waves and the other functions leave."""
        return weighted_rms(self._rest(found), self._weight)

    def _rest(self, found: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._problem(found).rest(found)

    def _problem(self, found: NDArray[np.float64]) -> VariableProjection:
        return VariableProjection(*self._points, len(found), self._background)


class Look:
    """What growing sets of other functions leave of values, and the waves in it.

    Parameters
    ----------
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Scaled points, values of root mean square about 1, and weights; points of weight 0 are left
        out.
    periodic : ndarray of shape (d,), bool
        Axes along which waves have the period 2.
    rng : RandomState
        Draws points, and combinations of outputs.
    """

    def __init__(
        self,
        x: NDArray[np.float64],
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        periodic: NDArray[np.bool_],
        rng: np.random.RandomState,
    ) -> None:
        self._x, self._weight, self._periodic = x, weight, periodic
        n_outputs = target.shape[1]
        mixing = np.eye(n_outputs)
        if n_outputs > MOST_OUTPUTS:
            # a wave in one output is in most combinations
            mixing = rng.standard_normal((n_outputs, MOST_OUTPUTS)) / np.sqrt(n_outputs)
        self._target = target @ mixing
        self._rows = rng.permutation(np.flatnonzero(weight))
        self._limits = NYQUIST_FRACTION * nyquist_limits(x[self._rows])

    def past(
        self, frames: Iterable[LatticeFrame | PolynomialFrame], waves: NDArray | None = None
    ) -> tuple[NDArray[np.float64], float]:
        """Waves beside growing sets, and the root mean square that is left by both.

        Parameters
        ----------
        frames : iterable of LatticeFrame or PolynomialFrame
            The other functions.
        waves : ndarray of shape (n_waves, d), default=None
            Wave vectors known from before, in radians per unit.
        """
        found: list[tuple[NDArray[np.float64], float]] = []
        waves = np.empty((0, self._x.shape[1])) if waves is None else waves
        for frame in frames:
            rows = self._rows[: self._enough_rows(frame.n_columns)]
            search = self._search(rows, frame)
            waves = search.waves(waves)
            found.append((waves, search.left(waves)))
            if found[-1][1] <= ROUND_OFF or time_is_up():
                break
        # beside noise, larger sets do without the waves, and no better
        least = min((left for _, left in found), default=np.inf)
        as_good = [pair for pair in found if pair[1] <= CLEARLY * least]
        return as_good[0] if as_good else (waves, np.inf)

    def besides(
        self,
        frame: LatticeFrame | PolynomialFrame,
        waves: NDArray[np.float64],
        weight: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """The same waves, fitted together with a set to points of positive weight (n,).

        A set whose own waves are as fast describes them itself; they then stay as they are.
        """
        if isinstance(frame, LatticeFrame):
            fastest = np.linalg.norm(frame.wave_vectors, axis=1).max()
            if np.linalg.norm(waves, axis=1).min(initial=np.inf) <= fastest:
                return waves
        rows = self._rows[weight[self._rows] > 0]
        rows = rows[: self._enough_rows(frame.n_columns)]
        return self._search(rows, frame).fitted(waves)

    def _enough_rows(self, n_columns: int) -> int:
        return ROWS_AN_UNKNOWN * n_columns + FEW * _unknowns(_MOST_WAVES, self._x.shape[1])

    def _search(self, rows: NDArray[np.intp], frame: LatticeFrame | PolynomialFrame) -> WaveSearch:
        x, weight = self._x[rows], self._weight[rows]
        columns = frame.system(x, np.ones(len(rows)))

        def strongest(rest: NDArray[np.float64]) -> NDArray[np.float64] | None:
            return strongest_wave(x, rest, weight, self._periodic, self._limits)

        points = (x, self._target[rows], weight, ~self._periodic)
        return WaveSearch(*points, columns, self._limits, strongest)


def _unknowns(n_waves: int, d: int) -> int:
    """Of each wave its wave vector, an amplitude and a phase."""
    return n_waves * (d + 2)


def most_looked_past(n_rows: int, seconds: float = 1 / FAR) -> int:
    """Terms of the sets that are looked past for waves in so many seconds each."""
    affordable = (seconds * FLOPS_PER_SECOND / svd_operations(ROWS_AN_UNKNOWN, 1)) ** (1 / 3)
    return int(min(n_rows / ROWS_AN_UNKNOWN, affordable))


@one_blas_thread
def _orthonormal(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal columns of the same span, and of rounding where columns depend on each other."""
    q, _ = sla.qr(columns, mode="economic", check_finite=False)
    return np.asarray(q, dtype=np.float64)
