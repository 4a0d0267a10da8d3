"""Warnings of a fit, by kind, so that each can be filtered by itself."""

from __future__ import annotations

from sklearn.exceptions import ConvergenceWarning

__all__ = ["AccuracyWarning", "FewLevelsWarning", "FewPointsWarning", "WideGapsWarning"]


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


class FewLevelsWarning(AccuracyWarning):
    """A feature has two to six levels, and nothing tells what y does between them."""


class FewPointsWarning(AccuracyWarning):
    """There are fewer than eight points, and nothing tells what y does between them."""


class WideGapsWarning(AccuracyWarning):
    """Points leave wide gaps, and in these the fit is much less sure than it reports.

    ``residual`` is how unsure it is there.
    """
