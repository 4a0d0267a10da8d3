"""A number of modes whose wave vectors are fitted, too, and so lie between those of any lattice.

The wave vectors enter nonlinearly, the coefficients linearly: variable projection (Golub & Pereyra
1973) solves for the second within each step of a Levenberg-Marquardt iteration for the first, with
the Jacobian of Kaufman (1975). Modes are added by doubling, each time the dominant ones of what
those before leave, as matching pursuit does (Mallat & Zhang 1993).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.constants import golden
from scipy.optimize import least_squares

from skmsnn._comparison import ENOUGH, FEW
from skmsnn._effort import FLOPS_PER_SECOND, ITERATIONS
from skmsnn._precision import EPS, HALF_DIGITS, NEAR_ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.ladders import OVERSAMPLING

Dominant = Callable[[NDArray[np.float64], int], NDArray[np.float64]]


class Pursued(NamedTuple):
    """Wave vectors (n_modes, d), in radians per unit, and the evaluations that led to them."""

    wave_vectors: NDArray[np.float64]
    n_iter: int


def pursue(
    x: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    free: NDArray[np.bool_],
    dominant: Dominant,
    most: int,
    limits: NDArray[np.float64],
    max_iter: int = ITERATIONS,
) -> Iterator[Pursued]:
    """Fit 1, 2, 4, ... and at last ``most`` modes.

    Parameters
    ----------
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Scaled points, what to fit, and positive weights.
    free : ndarray of shape (d,), bool
        Axes along which wave vectors may be any; along the others they stay what they are, as on
        periodic ones.
    dominant : callable
        Given what is left (n, n_outputs) and a number, so many wave vectors (n_modes, d) of it.
    most : int
        The last number of modes.
    limits : ndarray of shape (d,)
        Wave numbers along each axis beyond which waves are the same at the points as slower ones;
        infinite where none are.
    max_iter : int, default=60
        Most evaluations for the last number of modes.
    """
    found = _slowest_alias(dominant(target, 1), limits)
    n_iter = 0
    while True:
        # on sin(4x + y^2) e^y at 240 points 50 modes left 1e-6 with 60 evaluations, and 20 on the
        # way to it, 2e-6 with 20 and 10, and took 0.9 s and 0.2 s
        on_the_way = len(found) < most
        problem = VariableProjection(x, target, weight, free, len(found))
        evaluations = min(FEW if on_the_way else ITERATIONS, max_iter)
        evaluations = min(evaluations, int(FLOPS_PER_SECOND / problem.operations))
        found, made = problem.minimised(found, evaluations)
        found = _slowest_alias(found, limits)
        n_iter += made
        yield Pursued(found, max(1, n_iter))
        if not on_the_way or time_is_up():
            return
        more = dominant(problem.rest(found), min(len(found), most - len(found)))
        more = more[~(more[:, None] == found).all(axis=2).any(axis=1)]
        if len(more) == 0:
            return
        found = np.concatenate([found, more])


def _slowest_alias(
    wave_vectors: NDArray[np.float64], limits: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of waves that are the same on evenly spaced levels those within the Nyquist limits."""
    apart = 2 * np.where(np.isfinite(limits), limits, 1.0)
    slowest = wave_vectors - apart * np.rint(wave_vectors / apart)
    is_told = np.abs(wave_vectors) <= limits
    return np.where(is_told, wave_vectors, slowest)


def thinned(rows: NDArray[np.intp], n_unknowns: int) -> NDArray[np.intp]:
    """As many of the rows, all over them, as so many unknowns need."""
    most = int(max(ENOUGH, OVERSAMPLING * n_unknowns))
    # steps of the golden ratio: on a grid every k-th row may be one line of it
    order = np.argsort(np.arange(len(rows)) * golden % 1, kind="stable")
    return np.sort(rows[order[:most]])


class VariableProjection:
    """What the best coefficients leave, as a function of the wave vectors.

    Parameters
    ----------
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Scaled points, what to fit, and positive weights.
    free : ndarray of shape (d,), bool
        Axes along which wave vectors may be any.
    n_modes : int
        How many there are.
    background : ndarray of shape (n, n_columns), default=None
        Functions beside the waves, as orthonormal columns at the points, times the roots of the
        weights, of which the sum is 1; the constant by default.
    """

    def __init__(
        self,
        x: NDArray[np.float64],
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        free: NDArray[np.bool_],
        n_modes: int,
        background: NDArray[np.float64] | None = None,
    ) -> None:
        self._x, self._free, self._n_modes = x, free, n_modes
        self._root = np.sqrt(weight / weight.sum())
        self._background = self._root[:, None] if background is None else background
        self._target = self._beside_background(target * self._root[:, None])
        self._solved: tuple[NDArray, _Solution] | None = None

    @property
    def operations(self) -> float:
        """Of one evaluation: a singular value decomposition, and one of the Jacobian."""
        n, n_outputs = self._target.shape
        n_free = self._n_modes * int(self._free.sum())
        n_columns = 2 * self._n_modes + n_outputs * n_free
        projected = 8.0 * n * self._background.shape[1] * n_columns
        return 6.0 * n * (2 * self._n_modes + 1) ** 2 + 4.0 * n * n_outputs * n_free**2 + projected

    def minimised(
        self, start: NDArray[np.float64], evaluations: int
    ) -> tuple[NDArray[np.float64], int]:
        """Wave vectors that leave less, and the evaluations made."""
        if evaluations < 2 or len(start) == 0 or not self._free.any():
            return start, 0

        def whole(free: NDArray[np.float64]) -> NDArray[np.float64]:
            wave_vectors = start.copy()
            wave_vectors[:, self._free] = free.reshape(self._n_modes, -1)
            return wave_vectors

        # the tolerance of the gradient is absolute
        size = float(np.linalg.norm(self._solution(start).rest)) or 1.0

        def rest(free: NDArray[np.float64]) -> NDArray[np.float64]:
            return self._solution(whole(free)).rest.ravel() / size

        def jacobian(free: NDArray[np.float64]) -> NDArray[np.float64]:
            return self._jacobian(whole(free)) / size

        # not "lm": MINPACK gave results that differed from run to run where waves coincide

        found = least_squares(
            rest,
            start[:, self._free].ravel(),
            jacobian,
            method="trf",
            x_scale="jac",
            max_nfev=evaluations,
            ftol=NEAR_ROUND_OFF,
            xtol=NEAR_ROUND_OFF,
            gtol=EPS,
        )
        return whole(found.x), int(found.nfev)

    def rest(self, wave_vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """What is left of the target, shape (n, n_outputs)."""
        return self._solution(wave_vectors).rest / self._root[:, None]

    def _solution(self, wave_vectors: NDArray[np.float64]) -> _Solution:
        if self._solved is None or not np.array_equal(self._solved[0], wave_vectors):
            self._solved = wave_vectors, self._solve(wave_vectors)
        return self._solved[1]

    def _solve(self, wave_vectors: NDArray[np.float64]) -> _Solution:
        if len(wave_vectors) == 0:
            nothing = np.empty((len(self._x), 0))
            return _Solution(nothing, nothing, nothing, np.empty((0, 1)), self._target)
        phase = self._x @ wave_vectors.T
        cosine, sine = np.cos(phase), np.sin(phase)
        columns = np.concatenate([cosine, sine], axis=1) * self._root[:, None]
        columns = self._beside_background(columns)
        u, s, vt = sla.svd(columns, full_matrices=False, check_finite=False)
        kept = s > HALF_DIGITS
        u = u[:, kept]
        rotated = u.T @ self._target
        coefficients = vt[kept].T @ (rotated / s[kept, None])
        return _Solution(cosine, sine, u, coefficients, self._target - u @ rotated)

    def _beside_background(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the functions beside the waves leave of columns; twice, to rounding."""
        for _ in range(2):
            columns = columns - self._background @ (self._background.T @ columns)
        return columns

    def _jacobian(self, wave_vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives of ``rest``, but for a term as small as it: (n * n_outputs, n_free)."""
        cosine, sine, u, c, _ = self._solution(wave_vectors)
        k = self._n_modes
        by_phase = cosine[:, None] * c[k:].T - sine[:, None] * c[:k].T
        slopes = by_phase[..., None] * self._x[:, None, None, self._free]
        n, n_outputs = self._target.shape
        slopes = (slopes * self._root[:, None, None, None]).reshape(n, -1)
        slopes = self._beside_background(slopes)
        return -(slopes - u @ (u.T @ slopes)).reshape(n * n_outputs, -1)


class _Solution(NamedTuple):
    cosine: NDArray[np.float64]
    sine: NDArray[np.float64]
    u: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    rest: NDArray[np.float64]
