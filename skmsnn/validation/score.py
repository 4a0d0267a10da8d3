"""The score of a candidate: its error at rows that its fit has not seen, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

# Errors above this share of y may be dominated by what no candidate describes. There the smaller
# of two errors is smaller by chance, unless the difference is so many standard errors. With one,
# quadratics of 28 terms won on tables of 40 rows.
UNRESOLVED, STANDARD_ERRORS = 0.1, 2.0


@dataclass(frozen=True)
class Score:
    """Errors of one candidate, in units of the target, of root mean square about 1.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,)
        Rows with a residual, ascending.
    residual : ndarray of shape (n_rows, n_outputs)
        Residuals there of fits to other rows.
    weight : ndarray of shape (n_rows,)
        Weights of these rows.
    train : ndarray of shape (n_outputs,)
        Root mean square of the residual at the rows of the fit.
    exposed : ndarray of shape (n_outputs,)
        Root mean square of the uncertainty at the most exposed points, next to faces and corners,
        times the root of their share among fresh points.
    """

    rows: NDArray[np.intp]
    residual: NDArray[np.float64]
    weight: NDArray[np.float64]
    train: NDArray[np.float64]
    exposed: NDArray[np.float64]

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """Validation error of each output; no smaller than that at the rows of the fit."""
        return self._errors(slice(None))

    @property
    def error(self) -> float:
        """Validation error of all outputs together."""
        return _rms(self.errors)

    @property
    def train_error(self) -> float:
        """Training error of all outputs together."""
        return _rms(self.train)

    @property
    def standard_error(self) -> float:
        """Standard error of ``error``, from the spread of the squared residuals."""
        with np.errstate(over="ignore", invalid="ignore"):
            square = np.mean(self.residual**2, axis=1) * self.weight / self.weight.mean()
        if len(square) < 2 or not np.isfinite(self.error) or self.error == 0:
            return 0.0
        return float(square.std(ddof=1) / np.sqrt(len(square)) / (2 * self.error))

    def is_better_than(self, other: Score) -> NDArray[np.bool_]:
        """Whether the error of each output is smaller on the rows that both fits have not seen.

        Unresolved errors differ if the mean difference of the squared residuals does by two of its
        standard errors. If they do not, the score on more rows counts as the smaller one.
        """
        rows, own, others = np.intersect1d(self.rows, other.rows, return_indices=True)
        if len(rows) == 0:
            return self.errors < other.errors
        mine, theirs = self._errors(own), other._errors(others)
        is_smaller = mine < theirs
        with np.errstate(invalid="ignore", over="ignore"):
            fall = (other.residual[others] ** 2 - self.residual[own] ** 2) * self.weight[own, None]
            spread = fall.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(fall.shape[1])
            sigmas = fall.mean(axis=0) / np.maximum(spread, np.finfo(float).tiny) * len(rows) ** 0.5
        is_clear = (sigmas > STANDARD_ERRORS) | ~np.isfinite(theirs)
        if len(self.rows) > len(other.rows):
            is_tied = (np.abs(sigmas) <= STANDARD_ERRORS) & np.isfinite(mine)
            return np.where(theirs < UNRESOLVED, is_smaller, is_clear | is_tied)
        return is_smaller & ((mine < UNRESOLVED) | is_clear)

    def _errors(self, at: NDArray[np.intp] | slice) -> NDArray[np.float64]:
        weight = self.weight[at]
        with np.errstate(invalid="ignore", over="ignore"):
            square = weight @ self.residual[at] ** 2 / weight.sum()
        errors = np.maximum.reduce([np.sqrt(square), self.train, self.exposed])
        return np.where(np.isfinite(errors), errors, np.inf)


def _rms(errors: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean(errors**2)))
