"""Warnings of a fit, with fixed texts: filters count those of one kind as the same.

The figures are attributes of the warnings, and of the estimator.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from skmsnn._comparison import CLEARLY, LEAST_NODES
from skmsnn.exceptions import (
    AccuracyWarning,
    FewLevelsWarning,
    FewPointsWarning,
    WideGapsWarning,
)
from skmsnn.validation.reasons import StopReason

if TYPE_CHECKING:
    from skmsnn._base import BaseMultistageRegressor as Regressor

SEE = "See the page on warnings in the documentation."
_FEW_POINTS = (
    "Too few distinct points: interpolation between them cannot be validated. "
    f"Provide at least {LEAST_NODES}, preferably several dozen. {SEE}"
)
_FEW_LEVELS = (
    "Values between the few levels of a feature cannot be validated. "
    f"Supply at least {LEAST_NODES} distinct values if you need them. {SEE}"
)
_WIDE_GAPS = (
    "The sampling leaves wide gaps in which the fit is uncertain. "
    f"Add points there or avoid predicting there. {SEE}"
)
# Reasons that are warned of below tol too, and say what happened by themselves.
_ALWAYS = (StopReason.ALIASED, StopReason.UNDERDETERMINED, StopReason.MEMORY)


def warn_of_fit(model: Regressor) -> None:
    """Warn, at the caller of ``fit``, of what it has not reached and what cannot be known of it."""
    reason = StopReason(model.stop_reason_)
    if reason == StopReason.INTERRUPTED:
        warnings.warn(f"{reason.advice}. {SEE}", stacklevel=4)
        return
    error = (model.validation_errors_ or model.train_errors_)[-1]
    is_above = not error <= model.tol
    found: list[AccuracyWarning] = []
    if model._n_points < LEAST_NODES:
        found.append(FewPointsWarning(_FEW_POINTS))
        is_above &= reason != StopReason.FEW_POINTS
    elif model._levels:
        found.append(FewLevelsWarning(_FEW_LEVELS))
        is_above &= reason != StopReason.FEW_LEVELS
    if reason in _ALWAYS:
        found.append(AccuracyWarning(f"{reason.advice}. {SEE}"))
    elif is_above:
        found.append(AccuracyWarning(f"The error is above tol: {reason.advice}. {SEE}"))
    if model._in_gaps > max(model.tol, CLEARLY * error):
        found.append(WideGapsWarning(_WIDE_GAPS))
    names = names_of_features(model)
    for warning in found:
        warning.reason, warning.error, warning.tol = reason.value, error, float(model.tol)
        warning.n_points, warning.in_gaps = model._n_points, model._in_gaps
        warning.levels = {names[j]: levels for j, levels in model._levels.items()}
        warning.contradictions = model.contradictions_
        # above this function are fit, its wrapper in scikit-learn, and the caller
        warnings.warn(warning, stacklevel=4)


def names_of_features(model: Any) -> list[str]:
    """Names to be shown: those of X, or those that the command line has read."""
    given = getattr(model, "feature_names_in_", model.__dict__.get("_shown_names"))
    if given is None or len(given) != model.n_features_in_:
        return [f"feature {j}" for j in range(model.n_features_in_)]
    return [str(name) for name in given]
