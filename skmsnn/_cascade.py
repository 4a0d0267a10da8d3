"""The loop over stages: what each is fitted to, and when there are no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from skmsnn._callbacks import StageCallbacks
from skmsnn._comparison import AS_GOOD
from skmsnn._precision import EPS
from skmsnn._progress import Progress
from skmsnn._time_limit import time_is_up
from skmsnn.domain import Domain
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import Watch
from skmsnn.selection.stages import StageFit
from skmsnn.selection.trace import Trace
from skmsnn.validation.local import Unseen
from skmsnn.validation.reasons import StopReason
from skmsnn.validation.scaling import Scaling


class Source(Protocol):
    """Points and values, and what the stages so far leave of them.

    Attributes
    ----------
    norm, error : float
        Root mean square of the residual at all points, and at unseen ones, over that of y.
    asks_unseen : bool
        Whether ``error`` is that of points that no fit has seen.
    round_off, near_round_off : float
        Of both, where the digits of y are used up, and next to which they are.
    domain : Domain
        Of the points.
    scaling : Scaling
        Units of y.
    x : ndarray of shape (n, d)
        Scaled points, or some that stand for all.
    n_points : int
        Distinct points.
    levels : dict from int to ndarray
        Of features that have few.
    scatter : ndarray of shape (n_outputs,)
        What values at the same point deviate from their mean.
    points_between_levels : ndarray of shape (n, d) or None
        Scaled points at which to ask what is open between levels.
    residuals_of_conditions : dict from str to float
        What is left of each condition beside the values.
    contradictions : str
        Which of these contradict the others.
    is_open : bool
        Whether values and conditions leave the function open.
    """

    norm: float
    error: float
    asks_unseen: bool
    round_off: float
    near_round_off: float
    domain: Domain
    scaling: Scaling
    x: NDArray[np.float64]
    n_points: int
    levels: dict[int, NDArray[np.float64]]
    scatter: NDArray[np.float64]
    points_between_levels: NDArray[np.float64] | None

    @property
    def residuals_of_conditions(self) -> Mapping[str, float]: ...

    @property
    def contradictions(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    def resume(self, before: Any) -> None:
        """Go on with what the source of an earlier fit of the same stages knows."""

    def best_stage(self, options: StageOptions, watch: Watch, trace: Trace) -> StageFit:
        """The best stage for the residual r, normalised: u(x), with its epsilon = rms(r)."""

    def norm_after(self, fit: StageFit) -> float:
        """``norm`` if that stage were subtracted."""

    def subtract(self, fit: StageFit) -> None:
        """Make the residual r what a stage leaves of it: r - epsilon u."""

    def unseen(self, fit: StageFit) -> Unseen | None:
        """What the model leaves at points that its last stage's fit has not seen."""

    def is_deceptive(self, fit: StageFit) -> bool:
        """Whether a small residual may say little."""

    def reason_of_limit(self, fit: StageFit) -> StopReason:
        """What the data lack."""


Keep = Callable[[StageFit, Source], None]


def add_stages(
    source: Source,
    all_options: Sequence[StageOptions],
    n_stages: int,
    tol: float,
    trace: Trace,
    keep: Keep,
    progress: Progress,
    callbacks: StageCallbacks,
) -> StopReason:
    """Fit stage after stage to what is left, until one does not help.

    Section 3 of Ng, Wang & Lai (2024): each stage fits the residual of those before it, divided by
    its root mean square.

    Parameters
    ----------
    source : Source
        The data.
    all_options : sequence of StageOptions
        What each stage may be.
    n_stages : int
        Those there are.
    tol : float
        Error that is good enough.
    trace : Trace
        Record of what is tried.
    keep : callable
        Told of every stage that helps.
    progress, callbacks : Progress, StageCallbacks
        Told of every stage.
    """
    for number, options in enumerate(all_options[n_stages:], start=n_stages + 1):
        progress.begin(number)
        callbacks.begin_stage()
        trace.stage = number
        fit = source.best_stage(options, progress.iterate, trace)
        if number > 1 and not _helps(fit, source, options):
            callbacks.end_stage()
            return _why_no_gain(fit, source, options, tol)
        source.subtract(fit)
        keep(fit, source)
        progress.end(source.norm, source.error, fit.message)
        if callbacks.end_stage():
            return StopReason.CALLBACK
        # what can be refined is, until a stage of the same functions is no help
        if source.error <= (EPS if fit.is_refinable else source.round_off):
            return _unless_deceptive(StopReason.ROUND_OFF, fit, source)
        if fit.is_final:
            return source.reason_of_limit(fit)
        if time_is_up():
            return StopReason.TIME
        if fit.is_noise and source.error > source.near_round_off:
            return source.reason_of_limit(fit)
    return StopReason.N_STAGES


def _helps(fit: StageFit, source: Source, options: StageOptions) -> bool:
    """Whether a stage reduces the residual, on all points and on unseen ones."""
    if fit.accepted is not None:
        return fit.accepted
    if not fit.error < source.error:
        return False
    norm = source.norm_after(fit)
    if not norm < source.norm:
        return False
    # next to round-off unseen points show little
    is_refinement = source.error <= source.near_round_off and norm * AS_GOOD < source.norm
    return is_refinement or not options.is_adaptive or fit.error * AS_GOOD < source.error


def _why_no_gain(fit: StageFit, source: Source, options: StageOptions, tol: float) -> StopReason:
    if source.error <= source.near_round_off:
        return _unless_deceptive(StopReason.ROUND_OFF, fit, source)
    if not options.is_adaptive:
        return StopReason.CONVERGED
    if source.error > tol:
        return source.reason_of_limit(fit)
    return _unless_deceptive(StopReason.CONVERGED, fit, source)


def _unless_deceptive(reason: StopReason, fit: StageFit, source: Source) -> StopReason:
    """Where nothing is wanting, unless the points deceive."""
    return StopReason.ALIASED if source.is_deceptive(fit) else reason
