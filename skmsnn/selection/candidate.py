"""What competes for a stage: functions of a fixed structure, with what a fit of them costs."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import ROUND_OFF
from skmsnn.functions import Function
from skmsnn.spaces.base import LinearFit
from skmsnn.validation.local import Exposure
from skmsnn.validation.score import Score


@dataclass(frozen=True)
class Fit:
    """A fitted candidate.

    Attributes
    ----------
    function : Function
        The function, in units of the target.
    linear : LinearFit or None
        The least squares problem whose solution it is; None without one.
    state : object
        Parameters from which another fit starts.
    n_iter : int
        Iterations.
    loss_curve : sequence of float
        Loss of the normalised residual by iteration; empty for a linear solve.
    message : str
        How training ended, if there was any.
    leverage : float or None
        Share of noise that it follows; None where that is its number of terms over that of rows.
    exposure : callable or None
        Makes how exposed each row is to a fit of all others, (n,), nan for rows of no weight, and
        how exposed other points are to this one; None where only the rows decide that.
    """

    function: Function
    linear: LinearFit | None = None
    state: Any = None
    n_iter: int = 1
    loss_curve: Sequence[float] = ()
    message: str = ""
    leverage: float | None = None
    exposure: Callable[[], tuple[NDArray[np.float64], Exposure]] | None = None


class Preview(NamedTuple):
    """Errors that are known before the candidate is fitted.

    Attributes
    ----------
    train : ndarray of shape (n_outputs,)
        Root mean square of the residual at its rows.
    rows : ndarray of shape (n_rows,)
        Rows that are left out in turn.
    residual : ndarray of shape (n_rows, n_outputs)
        Residual there of fits to the others.
    """

    train: NDArray[np.float64]
    rows: NDArray[np.intp]
    residual: NDArray[np.float64]


#: Fits a target (n, n_outputs) at the points of positive weight (n,).
Fitter = Callable[[NDArray[np.float64], NDArray[np.float64]], Fit]


@dataclass(frozen=True)
class Candidate:
    """Functions of a fixed structure.

    Attributes
    ----------
    family, label : str
        Family of the functions, and what they are.
    n_terms : int
        Number of unknowns.
    operations : float
        Estimated floating point operations of a fit and its validation.
    fit : callable
        Fits all parameters.
    refit : callable or None
        The same to other rows, starting from an earlier fit; None for functions linear in their
        parameters, whose errors at rows left out have a closed form.
    n_folds : int or None
        Folds in which refitting is affordable; None for all.
    bandlimit : float
        Wave number that its waves reach in every direction, in radians per unit of the scaled
        coordinates; 0 if unknown.
    extent : float
        Degree or wave number, in any unit, that a ladder of such functions increases along all
        axes at once; 0 if its candidates grow by terms of their own choice.
    trial_rows : int or None
        Rows of a fit that suffices to validate it where there are many; None for all.
    of_refits : float
        Share of the operations that refits in all folds take.
    held : callable or None
        Given a fit, and targets and weights of all rows, residuals (n, n_outputs) at each of fits
        to all others with the nonlinear parameters held. Those of refits in folds are less
        pessimistic by it: parameters have not seen the fold, and coefficients all but a row.
    neighbours : callable
        Similar candidates, tried once this one is the best of its ladder.
    preview : Preview or None
        Errors that are known before the candidate is fitted.
    has_plateaued : bool
        Whether much smaller and larger candidates have the same error, as of noise.
    reach : float
        Error that such candidates hardly ever fall below: where others do, it is not tried.
    tests_ends : callable
        Whether a fit may be singular at an end of a line, which only leaving that out shows.
    refines : bool
        Whether a second stage of the same functions reduces the error further.
    """

    family: str
    label: str
    n_terms: int
    operations: float
    fit: Fitter
    refit: Callable[[Fit, NDArray[np.float64], NDArray[np.float64]], Fit] | None = None
    n_folds: int | None = None
    bandlimit: float = 0.0
    extent: float = 0.0
    trial_rows: int | None = None
    of_refits: float = 0.0
    held: Callable[[Fit, NDArray[np.float64], NDArray[np.float64]], NDArray] | None = None
    neighbours: Callable[[], Iterable[Candidate]] = field(default=tuple)
    preview: Preview | None = None
    has_plateaued: bool = False
    reach: float = 0.0
    tests_ends: Callable[[Fit], bool] = lambda fit: False
    refines: bool = True


class Preparation(NamedTuple):
    """What a ladder computes before its first candidate, yielded before it does so.

    Attributes
    ----------
    family : str
        Family of the ladder.
    operations : float
        Estimated floating point operations.
    """

    family: str
    operations: float


#: Yields candidates, usually in ascending order of size, and receives the score of each.
Ladder = Generator[Candidate | Preparation, Score | None, None]


@dataclass(frozen=True)
class Scored:
    """A candidate with its fit to the rows of the scheme, and its score.

    Attributes
    ----------
    fit : Fit or None
        None after a preview.
    is_partial : bool
        Whether rows were held out from the fit, which is then repeated with all rows.
    share : float
        Share of the operations of the candidate that were spent: its refits may have ended early.
    """

    candidate: Candidate
    fit: Fit | None
    score: Score
    n_rows: int
    is_partial: bool = False
    share: float = 1.0

    @property
    def operations(self) -> float:
        """Operations that were spent."""
        return self.share * self.candidate.operations


def linear_candidate(
    family: str,
    label: str,
    n_terms: int,
    operations: float,
    prepare: Callable[[NDArray[np.float64], float], LinearFit],
    cutoff: float = ROUND_OFF,
    **more: Any,
) -> Candidate:
    """A candidate that is linear in its parameters.

    ``prepare`` makes the least squares problem of weights (n,) and a relative cut-off.
    """

    def fit(target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        linear = prepare(weight, cutoff)
        return Fit(linear.solve(target), linear)

    return Candidate(family, label, n_terms, operations, fit, **more)
