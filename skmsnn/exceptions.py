"""Warnings of a fit, by kind, so that each can be filtered by itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
    residual : float
        What is left, relative to the spread of y: on unseen points where the fit had some, and
        otherwise on its own.
    """

    reason: str = ""
    residual: float = float("nan")


class ExtrapolationWarning(UserWarning):
    """Points to predict lie outside the box of the training points, or in a hole inside it.

    Attributes
    ----------
    n_outside, n_in_holes : int
        Numbers of points outside the box, and in the box but in a hole of the data.
    distances : dict from str to float
        For each feature in which points lie outside, the largest distance from the box, over the
        range of that feature; infinite for a feature that was constant.
    """

    n_outside: int = 0
    n_in_holes: int = 0
    distances: Mapping[str, float] = MappingProxyType({})


class FewLevelsWarning(AccuracyWarning):
    """A feature has two to seven levels, and nothing validates the fit between them."""


class FewPointsWarning(AccuracyWarning):
    """There are fewer than eight points, and nothing shows what y does between them."""


class WideGapsWarning(AccuracyWarning):
    """Points leave wide gaps, in which the error of the fit may be far larger than reported.

    ``residual`` is the estimated error there.
    """
