"""Functions along one axis of a grid on trial: what they leave on lines that they have not seen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, CLEARLY, EQUAL, FAR, PATIENCE
from skmsnn._precision import EPS, NEAR_ROUND_OFF, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.spectrum import which_stand_out
from skmsnn.linalg.nufft import nufft_type1
from skmsnn.spaces.axes import AxisBasis, SplineAxis
from skmsnn.validation.leave_out import Folds, left_out
from skmsnn.validation.plateau import noise_level


@dataclass(frozen=True)
class AxisTrial:
    """Functions along an axis, and what a fit leaves.

    Attributes
    ----------
    axis : AxisBasis
        The functions.
    error, train_error : float
        Root mean square left on unseen lines, and on those of the fit.
    leverage : float
        Share of noise that the fit follows.
    """

    axis: AxisBasis
    error: float
    train_error: float
    leverage: float

    @property
    def size(self) -> int:
        return len(self.axis.singular_values)

    @property
    def noise_level(self) -> float:
        """What ``train_error`` says of the noise, if all that is left is noise."""
        return noise_level(self.train_error, self.leverage)


@dataclass(frozen=True)
class AxisProblem:
    """Values along one axis, and how fits to them are judged.

    Attributes
    ----------
    nodes : ndarray of shape (n_nodes,)
        In scaled coordinates.
    columns : ndarray of shape (n_nodes, n_columns)
        Values along the axis, of lines across it or of combinations of these.
    periodic : bool
        Whether the axis is.
    folds : Folds
        Nodes that are left out together.
    enough : float
        What is left by functions that go through all nodes, or 0: others should leave less.
    """

    nodes: NDArray[np.float64]
    columns: NDArray[np.float64]
    periodic: bool
    folds: Folds
    enough: float = 0.0

    def fastest_wave(self, axis: AxisBasis) -> int:
        """Half waves over the nodes of the fastest that stands out of the rest; 0 where none does.

        Its spectrum, under a Hann window, has at noise the size of its median everywhere.
        """
        nodes = self.nodes
        quadrature = np.gradient(nodes) * (1 + np.cos(np.pi * nodes))
        most = len(nodes)
        power = np.zeros(most + 1)
        for column in _rest(axis, self.columns).T:
            waves = nufft_type1([np.pi * nodes], quadrature * column, (most,))
            power += np.abs(waves[most:]) ** 2
        # half the wave numbers of e^(i pi k x): beyond, the nodes do not tell them apart
        power = power[: most // 2 + 1]
        stands_out = np.flatnonzero(which_stand_out(power))
        return int(stands_out.max(initial=0))

    def tried(self, axis: AxisBasis) -> AxisTrial:
        """Functions on trial."""
        unseen, rest = left_along(axis, self.columns, self.folds, EPS)
        error, train_error = (float(np.sqrt(np.mean(a**2))) for a in (unseen, rest))
        leverage = len(axis.singular_values) / len(self.columns)
        if leverage >= 1 and not isinstance(axis, SplineAxis):
            # goes through any values, and its projection tells nothing of what it does between
            error = np.inf
        return AxisTrial(axis, error, train_error, leverage)


def left_along(
    axis: AxisBasis, columns: NDArray[np.float64], folds: Folds, rounding: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a fit along an axis leaves on unseen lines, and on its own."""
    if isinstance(axis, SplineAxis):
        return axis.left_out(columns, folds), np.zeros_like(columns)
    # twice: the next stage takes some of the rounding
    rest = _rest(axis, _rest(axis, columns))
    return left_out(rest, axis, folds, rounding), rest


def _rest(axis: AxisBasis, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a fit along an axis leaves of values on all of its nodes."""
    return columns - axis.synthesise(axis.analyse(columns, 0), 0)


def ascended(ladder: Iterable[AxisTrial], problem: AxisProblem) -> list[AxisTrial]:
    """Take one set after the other, until one is good enough, two overfit, or none will do.

    None will where sets come too slowly to what is enough, and where much larger ones leave as
    much, in which no wave stands out.
    """
    enough = problem.enough
    trials: list[AxisTrial] = []
    worse = 0
    for trial in ladder:
        trials.append(trial)
        # a function of high frequency shows nothing, there or here, until modes reach it
        overfits = trial.error > FAR * trial.train_error
        least = min(t.error for t in trials)
        worse = worse + 1 if overfits and trial.error > CLEARLY * AS_GOOD * least else 0
        # next to round-off the next set may take what is left, for little
        is_falling = len(trials) > 1 and trial.error * CLEARLY < trials[-2].error
        if (is_settled(trials) and not is_falling) or worse >= PATIENCE or time_is_up():
            break
        if _have_levelled_off(trials) and problem.fastest_wave(trial.axis) == 0:
            break
        if len(trials) > 2 and _reach(*trials[-2:]) > FAR * enough > 0:
            hopeless = len(trials) > 3 and _reach(*trials[-3:-1]) > FAR * enough
            if hopeless and trial.error * FAR < 1:
                break
    return trials


def _have_levelled_off(trials: list[AxisTrial]) -> bool:
    """Whether sets, from some on to others of four times their size, leave the same noise."""
    level, n_equal = trials[-1].noise_level, 0
    for trial in reversed(trials):
        if not level / EQUAL <= trial.noise_level <= level * EQUAL:
            break
        n_equal += 1
    return n_equal > PATIENCE and trials[-1].size >= CLEARLY**2 * trials[-n_equal].size


def _reach(before: AxisTrial, last: AxisTrial) -> float:
    """The error of as many functions as there are nodes, if it goes on to fall as it does now.

    Geometrically in their number, which is as fast as it ever falls.
    """
    n_nodes = last.size / last.leverage
    steps = (n_nodes - last.size) / max(last.size - before.size, 1)
    return last.error * min(last.error / before.error, 1.0) ** steps if before.error > 0 else 0.0


def is_settled(trials: list[AxisTrial]) -> bool:
    """Whether one leaves rounding: on unseen lines, or on its own, and little more on unseen."""
    return any(
        trial.error <= ROUND_OFF
        or (trial.train_error <= ROUND_OFF and trial.error <= NEAR_ROUND_OFF)
        for trial in trials
    )


def error_of(trial: AxisTrial) -> float:
    return trial.error


def train_error_of(trial: AxisTrial) -> float:
    return trial.train_error


def size_of(trial: AxisTrial) -> int:
    return trial.size
