"""Warnings of a fit, by kind, so that each can be filtered by itself.

The text of a warning depends on its class and reason alone; the figures are attributes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

__all__ = [
    "AccuracyWarning",
    "ExtrapolationWarning",
    "FewLevelsWarning",
    "FewPointsWarning",
    "WideGapsWarning",
]


class AccuracyWarning(ConvergenceWarning):
    """A fit has not reached ``tol``, or what it reports may be deceptive.

    Attributes
    ----------
    reason : str
        The estimator's ``stop_reason_``.
    error : float
        The last of ``validation_errors_``, or of ``train_errors_`` where nothing was validated,
        relative to the spread of y.
    tol : float
        The parameter.
    n_points : int
        Number of distinct points.
    levels : dict from str to ndarray
        Distinct values of each feature that has two to seven of them.
    in_gaps : float
        Estimated error in wide gaps between the points, relative to the spread of y; 0 if there
        are none.
    contradictions : str
        The estimator's ``contradictions_``.
    """

    reason: str = ""
    error: float = float("nan")
    tol: float = float("nan")
    n_points: int = 0
    levels: Mapping[str, NDArray[np.float64]] = MappingProxyType({})
    in_gaps: float = 0.0
    contradictions: str = ""


class ExtrapolationWarning(UserWarning):
    """Points to predict lie outside the box of the training points, or in a hole inside it.

    Attributes
    ----------
    n_points, n_outside, n_in_holes : int
        Numbers of all points, of those outside the box, and of those in the box but in a hole of
        the data.
    distances : dict from str to float
        For each feature in which points lie outside, the largest distance from the box, over the
        range of that feature; infinite for a feature that was constant.
    """

    n_points: int = 0
    n_outside: int = 0
    n_in_holes: int = 0
    distances: Mapping[str, float] = MappingProxyType({})


class FewLevelsWarning(AccuracyWarning):
    """A feature has two to seven levels, and the fit between them cannot be validated."""


class FewPointsWarning(AccuracyWarning):
    """There are fewer than eight distinct points, too few to validate the fit between them."""


class WideGapsWarning(AccuracyWarning):
    """Points leave wide gaps, in which the error of the fit may be far larger than reported."""
