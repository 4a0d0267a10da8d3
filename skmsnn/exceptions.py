"""Warnings of a fit, by kind, so that each can be filtered by itself."""

from sklearn.exceptions import ConvergenceWarning

__all__ = ["FewLevelsWarning", "FewPointsWarning"]


class FewLevelsWarning(ConvergenceWarning):
    """A feature has two to six levels, and nothing tells what y does between them."""


class FewPointsWarning(ConvergenceWarning):
    """There are fewer than eight points, and nothing tells what y does between them."""
