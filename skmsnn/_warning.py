"""What a fit tells its user, and how often.

Whoever fits once is told each time. In a search, which fits hundreds of times, each kind of warning
is told once: the figures of the fits are in their scores.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, LEAST_NODES
from skmsnn.exceptions import (
    AccuracyWarning,
    FewLevelsWarning,
    FewPointsWarning,
    WideGapsWarning,
)
from skmsnn.validation.reasons import StopReason, advice_on

# Packages whose functions fit an estimator many times, and those between them and it.
_SEARCHES = (
    "sklearn.model_selection",
    "sklearn.ensemble",
    "sklearn.multioutput",
    "sklearn.inspection",
    "sklearn.feature_selection",
    "joblib",
    "optuna",
    "dask",
    "distributed",
)
_OWN = ("skmsnn", "sklearn", "joblib", "contextlib")

_told: set[tuple[object, ...]] = set()


class Outcome(NamedTuple):
    """A finished fit.

    Attributes
    ----------
    reason : str
        Why there are no more stages.
    error : float
        Residual, relative to the spread of y.
    on_unseen : bool
        Whether that is of points that the fit has not seen.
    tol : float
        What is good enough.
    n_stages, n_points : int
        How many stages, and distinct points.
    is_constant : bool
        Whether the model is a constant, although y is not.
    levels : dict from str to ndarray
        Of features that have few of them, by name.
    in_gaps : float
        How unsure the fit is in wide gaps between the points; 0 where there are none.
    of_conditions : str
        What there is to say of conditions beside the values; empty where there are none.
    """

    reason: str
    error: float
    on_unseen: bool
    tol: float
    n_stages: int
    n_points: int
    is_constant: bool
    levels: dict[str, NDArray[np.float64]]
    in_gaps: float
    of_conditions: str = ""


def warn_of(outcome: Outcome) -> None:
    """Warn of what a fit has not reached, and of what nobody can know of it."""
    if outcome.reason == StopReason.INTERRUPTED:
        _warn("Training interrupted by user.", UserWarning, outcome)
        return
    if outcome.reason == StopReason.MEMORY:
        text = f"Memory ran out; the model is of the {outcome.n_stages} stages before that."
        _warn(text, AccuracyWarning, outcome)
    is_above = not outcome.error <= outcome.tol
    if outcome.n_points < LEAST_NODES:
        _warn(_of_few_points(outcome), FewPointsWarning, outcome)
        is_above &= outcome.reason != StopReason.FEW_POINTS
    elif outcome.levels:
        _warn(_of_few_levels(outcome), FewLevelsWarning, outcome)
        is_above &= outcome.reason != StopReason.FEW_LEVELS
    if is_above or outcome.reason in (StopReason.ALIASED, StopReason.UNDERDETERMINED):
        side = "above" if is_above else "below"
        constant = " The fit is a constant, the mean of y." if outcome.is_constant else ""
        text = f"{_residual_of(outcome)}, {side} tol={outcome.tol:g}: {advice_on(outcome.reason)}."
        _warn(text + constant + outcome.of_conditions, AccuracyWarning, outcome)
    if outcome.in_gaps > max(outcome.tol, CLEARLY * outcome.error):
        text = (
            f"{_residual_of(outcome)} about the points, but these leave wide gaps, in which the "
            f"fit is unsure by {outcome.in_gaps:.1e}. Give points there, or do not predict there."
        )
        _warn(text, WideGapsWarning, outcome._replace(reason="gaps", error=outcome.in_gaps))


def _residual_of(outcome: Outcome) -> str:
    points = "unseen" if outcome.on_unseen else "training"
    if outcome.of_conditions:
        return (
            f"The residual of values and conditions on {points} points is up to "
            f"{outcome.error:.1e} of the size of their terms after {outcome.n_stages} stages"
        )
    return (
        f"The residual on {points} points is {outcome.error:.1e} of the spread of y after "
        f"{outcome.n_stages} stages"
    )


def _of_few_points(outcome: Outcome) -> str:
    n = outcome.n_points
    told = "1 distinct point leaves" if n == 1 else f"{n} distinct points leave"
    validated = "the fit was not validated, since no point was left out of it"
    if outcome.on_unseen:
        missed = f"missed by {outcome.error:.1e} of the spread of y"
        validated = f"points that were left out of the fit were {missed}"
    return (
        f"{told} open what y does elsewhere; {validated}. Give at least {LEAST_NODES} points, "
        "better some dozens."
    )


def _of_few_levels(outcome: Outcome) -> str:
    told = some_of(
        [
            f"{name} ({', '.join(f'{v:g}' for v in levels)})"
            for name, levels in outcome.levels.items()
        ]
    )
    between = ""
    if outcome.reason == StopReason.FEW_LEVELS:
        between = f", and levels left out in turn were missed by {outcome.error:.1e} of its spread"
    return (
        f"Few levels of {'; '.join(told)}: what y does between them cannot be "
        f"known{between}. Do not rely on the fit between levels; give {LEAST_NODES} levels or "
        "more where y is to be known there."
    )


def names_of_features(model: Any) -> list[str]:
    """Names to be shown: those of X, or those that the command line has read."""
    given = getattr(model, "feature_names_in_", model.__dict__.get("_shown_names"))
    if given is None or len(given) != model.n_features_in_:
        return [f"feature {j}" for j in range(model.n_features_in_)]
    return [str(name) for name in given]


def some_of(texts: list[str]) -> list[str]:
    """The first five, and how many more there are."""
    more = len(texts) - 5
    return texts[:5] + ([f"{more} more"] if more > 0 else [])


def is_in_search() -> bool:
    """Whether one of the callers fits an estimator many times."""
    return any(_is_of(frame, _SEARCHES) for frame in _frames())


def _warn(text: str, category: type[Warning], outcome: Outcome) -> None:
    message = category(text)
    if isinstance(message, AccuracyWarning):
        message.reason, message.residual = outcome.reason, outcome.error
    warn_at_caller(message, outcome.reason)


def warn_at_caller(message: Warning, reason: str) -> None:
    """Warn at the line that called the estimator; in a search once of each kind."""
    category = type(message)
    frames = list(_frames())
    outside = next((k for k, f in enumerate(frames) if not _is_of(f, _OWN)), len(frames) - 1)
    searching = [k for k, frame in enumerate(frames) if _is_of(frame, _SEARCHES)]
    if searching and not _is_wanted_always(category):
        outside_of_search = (f for f in frames[searching[-1] + 1 :] if not _is_of(f, _OWN))
        caller = next(outside_of_search, frames[-1])
        kind = (category, reason, caller.f_code.co_filename, caller.f_lineno)
        if kind in _told:
            return
        _told.add(kind)
    warnings.warn(message, stacklevel=outside + 2)


def _frames() -> Iterator[FrameType]:
    """Those of the callers of ``warn_at_caller``, the nearest first."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back


def _is_of(frame: FrameType, packages: tuple[str, ...]) -> bool:
    name = frame.f_globals.get("__name__", "")
    return any(name == package or name.startswith(package + ".") for package in packages)


def _is_wanted_always(category: type[Warning]) -> bool:
    """Whether the filter that comes first for the category lets no warning be left out."""
    for action, _, kind, _, _ in warnings.filters:
        if issubclass(category, kind):
            return action in ("always", "all", "error")
    return False
