"""Problems of one stage, built by hand."""

import numpy as np

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn._arguments import stage_options_of
from skmsnn.domain import Domain, Points
from skmsnn.families.best import run_race
from skmsnn.selection.problem import StageProblem, unwatched
from skmsnn.selection.trace import Trace
from skmsnn.validation.split import DataSplit, Residuals


def box(periodic):
    """The domain [-1, 1]^d."""
    return Domain(np.zeros(len(periodic)), np.ones(len(periodic)), np.array(periodic))


def stage_problem(
    x,
    y,
    *,
    held=None,
    validation=None,
    in_folds=False,
    weight=None,
    periodic=None,
    grid=None,
    levels=None,
    edges=None,
    seed=0,
):
    """Values (n, n_outputs) at scaled points (n, d).

    ``held`` are rows that are in no fit, or the first of the folds with ``in_folds``;
    ``validation`` are other points (m, d) and values there.
    """
    domain = box([False] * x.shape[1] if periodic is None else periodic)
    full = np.ones(len(x)) if weight is None else weight
    train, points, asked = full, None, y
    if held is not None:
        points, asked = Points(x[held], full[held]), y[held]
        train = full.copy()
        train[held] = 0.0
    if validation is not None:
        points, asked = Points(validation[0], np.ones(len(validation[0]))), validation[1]
    split = DataSplit(
        domain,
        grid,
        x,
        train,
        full,
        points,
        levels or {},
        leaves_out=in_folds,
        held_rows=held,
        edges=edges,
    )
    (options, *_) = stage_options_of(SpectrumInformedMSNNRegressor())
    return StageProblem(options, split, Residuals(y, y, asked), seed, unwatched, Trace())


def best_of(problem, *ladders):
    """The candidate that wins a race of ladders, fitted to all rows that it may see."""
    outcome = run_race(problem, [(str(number), ladder) for number, ladder in enumerate(ladders)])
    return problem.scheme.finish(outcome.best[0])
