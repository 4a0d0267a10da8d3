"""Solutions of ordinary differential equations at the steps of a solver, as users keep them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.integrate import solve_ivp

_LONGEST_STEP = 1e-3  # at which the dense output of order 7 is as exact as the steps


@dataclass(frozen=True)
class Trajectory:
    """A function of time: some of the components of a solution, from a tight tolerance."""

    slope: Callable[[float, np.ndarray], list[float]]
    start: tuple[float, ...]
    end: float
    components: tuple[int, ...]

    def steps(self):
        """Times of the steps that a solve of common tolerances takes."""
        return (_steps(self),)

    def __call__(self, X):
        values = _solution(self)(X[:, 0])[list(self.components)].T
        return values[:, 0] if len(self.components) == 1 else values

    def gradient(self, X):
        """Of one component: what the equations say."""
        if len(self.components) > 1:
            return None
        states = _solution(self)(X[:, 0])
        slopes = np.array([self.slope(0.0, state) for state in states.T])
        return slopes[:, list(self.components)]


@cache
def _steps(trajectory):
    span = (0.0, trajectory.end)
    return solve_ivp(trajectory.slope, span, trajectory.start, "DOP853", rtol=1e-9, atol=1e-9).t


@cache
def _solution(trajectory):
    return solve_ivp(
        trajectory.slope,
        (0.0, trajectory.end),
        trajectory.start,
        "DOP853",
        dense_output=True,
        max_step=_LONGEST_STEP,
        rtol=3e-14,
        atol=1e-15,
    ).sol


def _lorenz(t, s):
    x, y, z = s
    return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]


def _van_der_pol(t, s):
    return [s[1], 3 * (1 - s[0] ** 2) * s[1] - s[0]]


LORENZ = Trajectory(_lorenz, (1.0, 1.0, 1.0), 5.0, (0, 1, 2))
VAN_DER_POL = Trajectory(_van_der_pol, (2.0, 0.0), 20.0, (0,))
