"""Warnings of a fit, by kind, so that each can be filtered by itself."""

from __future__ import annotations

from sklearn.exceptions import ConvergenceWarning

__all__ = ["AccuracyWarning", "FewLevelsWarning", "FewPointsWarning", "WideGapsWarning"]


class AccuracyWarning(ConvergenceWarning):
    """A fit has not reached ``tol``, or what it reports may be deceptive.

    Parameters
    ----------
    message : str
        What is printed.
    reason : str, default=""
        The estimator's ``stop_reason_``; kept as an attribute.
    residual : float, default=nan
        What is left, relative to the spread of y, on unseen points where the fit had some, and
        otherwise on its own; kept as an attribute.
    """

    def __init__(self, message: str, reason: str = "", residual: float = float("nan")) -> None:
        super().__init__(message)
        self.reason, self.residual = reason, residual


class FewLevelsWarning(AccuracyWarning):
    """A feature has two to six levels, and nothing tells what y does between them.

    Parameters
    ----------
    message : str
        What is printed.
    reason : str, default=""
        The estimator's ``stop_reason_``; kept as an attribute.
    residual : float, default=nan
        What is left, relative to the spread of y; kept as an attribute.
    """


class FewPointsWarning(AccuracyWarning):
    """There are fewer than eight points, and nothing tells what y does between them.

    Parameters
    ----------
    message : str
        What is printed.
    reason : str, default=""
        The estimator's ``stop_reason_``; kept as an attribute.
    residual : float, default=nan
        What is left, relative to the spread of y; kept as an attribute.
    """


class WideGapsWarning(AccuracyWarning):
    """Points leave wide gaps, and in these the fit is much less sure than it reports.

    Parameters
    ----------
    message : str
        What is printed.
    reason : str, default=""
        The estimator's ``stop_reason_``; kept as an attribute.
    residual : float, default=nan
        How unsure the fit is in the gaps, relative to the spread of y; kept as an attribute.
    """
