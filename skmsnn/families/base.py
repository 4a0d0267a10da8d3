"""What families have in common: a fit on trial, and how it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, ENOUGH, FAR
from skmsnn._precision import EPS
from skmsnn.functions import LinearExpansion
from skmsnn.spaces.base import Candidate, LinearFit
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.leave_out import EdgePoints, LeftOut, weighted_rms
from skmsnn.validation.plateau import MOST_LEVERAGE, noise_level

# Outputs of which functions are sought one by one: each takes the time of a fit of its own. Twice
# as many took 1.3 times the time, and left a seventieth where many outputs differed.
MOST_OUTPUTS = 6
# Starts of a search that may end beside the best: alternating least squares does from one in two.
STARTS = 4


class Unseen(Protocol):
    """What fits leave at points that they have not seen."""

    def __call__(
        self, target: NDArray[np.float64], rest: NDArray[np.float64], rounding: float
    ) -> LeftOut:
        """Judge a fit to all points.

        ``target`` and ``rest`` are the values at all points (n, n_outputs), and what the fit to
        all of them leaves; ``rounding`` is that to which the values are known, in their units.
        """


@dataclass(frozen=True)
class Trial:
    """A set of modes fitted to the training share of the points.

    Attributes
    ----------
    candidate : Candidate
        The set.
    fit : LinearFit or None
        Its least squares problem on the training share; None where that was given up.
    modes : FourierSum or TensorFourierSeries
        The solution.
    error, train_error : float
        Root mean square of what it leaves of the target on held-out points, and on its own.
        Held-out points of a grid stand on the same nodes as others, and those of a line between
        close neighbours: neither shows what the fit does between the nodes and in the gaps.
        ``error`` is at least what the fit leaves on its own points, amplified as between the nodes.
    holdout_rmse : float
        The first of these alone: what is left on held-out points.
    unamplified_error : float
        The ``error`` that a larger cut-off, which lowers the amplification, can attain: at least
        the rounding, amplified.
    n_rows : int
        Points of the fit.
    has_plateaued : bool
        Whether much smaller or larger sets leave as much, so that more modes are no help.
    unseen : callable or None
        Makes of what the fit leaves at all points what it leaves at those it has not seen; None
        where held-out points tell that.
    is_final : bool
        Whether a second stage of the same functions would take back what holds this one.
    left : LeftOut or None
        What is left at unseen points, one by one, where a fit to all points tells that.
    """

    candidate: Candidate
    fit: LinearFit | None
    modes: LinearExpansion
    error: float
    train_error: float
    holdout_rmse: float
    unamplified_error: float
    n_rows: int
    has_plateaued: bool = False
    unseen: Unseen | None = None
    is_final: bool = False
    left: LeftOut | None = None

    @property
    def leverage(self) -> float:
        """Share of noise that the fit follows: K / n of K modes on n points, less if damped."""
        if isinstance(self.fit, PolynomialFit):
            return min(self.fit.leverage, MOST_LEVERAGE)
        return min(self.candidate.n_terms / self.n_rows, MOST_LEVERAGE)

    @property
    def noise_level(self) -> float:
        """What ``train_error`` says of the noise, if all that is left is noise."""
        return noise_level(self.train_error, self.leverage)


class HeldOut(NamedTuple):
    """Points kept from the fit: (n, d) scaled, their targets (n, n_outputs), weights (n,)."""

    x: NDArray[np.float64]
    target: NDArray[np.float64]
    weight: NDArray[np.float64]

    def rmse(self, values: NDArray[np.float64]) -> float:
        """Root mean square of what values (n, n_outputs) there leave; infinite if one is."""
        error = weighted_rms(self.target - values, self.weight)
        return error if np.isfinite(error) else np.inf


class Split(NamedTuple):
    """All points (n, d), scaled, and their targets (n, n_outputs) of root mean square about 1.

    ``train`` holds their weights (n,), 0 for those not in the training share. Without held-out
    points a fit has to tell what it leaves at points that it has not seen, and at those ``beside``
    them. ``rounding`` is that to which the values are known, in units of the targets.
    """

    x: NDArray[np.float64]
    target: NDArray[np.float64]
    train: NDArray[np.float64]
    held_out: HeldOut | None
    rounding: float = EPS
    beside: EdgePoints | None = None


def validated_on_unseen(
    candidate: Candidate,
    fit: LinearFit,
    data: Split,
    unseen: Unseen,
    has_plateaued: bool = False,
) -> Trial:
    """A fit to all points, by what it leaves at those that it has not seen."""
    modes = fit.solve(data.target)
    rest = data.target - modes.evaluate(data.x)
    train_error = weighted_rms(rest, data.train)
    left = unseen(data.target, rest, data.rounding)
    error = left.error(data.train)
    n_rows = int(np.count_nonzero(data.train))
    errors = (error, train_error, error, error)
    return Trial(candidate, fit, modes, *errors, n_rows, has_plateaued, unseen, left=left)


def validated_on_held_out(
    candidate: Candidate, fit: LinearFit, data: Split, weight: NDArray[np.float64]
) -> Trial:
    """A fit to the points of these weights, by what it leaves at held-out ones."""
    assert data.held_out is not None
    modes = fit.solve(data.target)
    used = weight > 0
    rest = data.target[used] - modes.evaluate(data.x)[used]
    train_error = weighted_rms(rest, weight[used])
    error = data.held_out.rmse(modes.evaluate(data.held_out.x))
    n_rows = int(np.count_nonzero(used))
    return Trial(candidate, fit, modes, error, train_error, error, error, n_rows)


def is_significantly_better(trial: Trial, other: Trial) -> bool:
    """Whether a trial has a smaller error at unseen points than a simpler one.

    Where both errors are large, as of noise, by two standard errors of the difference: otherwise
    the best of many is the luckiest. With one, quadratics of 28 terms won on tables of 40 rows.
    """
    if not trial.error < other.error:
        return False
    if trial.error * FAR < 1 or trial.left is None or other.left is None:
        return True
    rows, at, of_other = np.intersect1d(trial.left.rows, other.left.rows, return_indices=True)[:3]
    if len(rows) < 2:
        return True
    fall = other.left.residual[of_other] ** 2 - trial.left.residual[at] ** 2
    fall = fall.mean(axis=1)
    return bool(fall.mean() > CLEARLY * fall.std(ddof=1) / np.sqrt(len(rows)))


def leave_one_out(
    fit: DenseFit | PolynomialFit, weight: NDArray[np.float64], beside: EdgePoints | None = None
) -> Unseen:
    """Leave-one-out residuals, of waves at some thousands of the points, and beside them."""
    used = np.flatnonzero(weight)
    rows = used[:: -(-len(used) // ENOUGH)]

    def unseen(target: NDArray[np.float64], rest: NDArray[np.float64], rounding: float) -> LeftOut:
        if isinstance(fit, PolynomialFit):
            return fit.left_out(rest[fit.rows], rounding, beside)
        return fit.left_out(rest, rows, rounding, beside)

    return unseen
