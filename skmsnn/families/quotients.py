"""Quotients of polynomials in several features: denominators by linearised least squares.

With a denominator q and numerators p, what is minimised is ``|p - y q| / |q|``, where the second q
is that of the iteration before (Sanathanan & Koerner 1963, Transfer function synthesis as a ratio
of two complex polynomials). Once q is known the numerators are linear in their coefficients.
"""

from __future__ import annotations

from functools import partial
from itertools import count

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.optimize import minimize

from skmsnn._comparison import ENOUGH
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn.families.ladders import OVERSAMPLING
from skmsnn.functions.polynomial import (
    LegendreSeries,
    columns_of,
    n_total_degree_terms,
    total_degree_terms,
)
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import QuotientFrame
from skmsnn.validation.held_out import corners_of

# Outputs that determine a denominator, and starts of searches for its zeros.
MOST_OUTPUTS, STARTS = 6, 4
# Rows on which denominators are found, besides a number for each unknown.
MOST_ROWS = 2000
# What a fit costs at least.
OVERHEAD = FLOPS_PER_SECOND / 500


def quotients(problem: StageProblem) -> Ladder:
    """Quotients of polynomials of equal total degree, from a constant on.

    Denominators are found on some of many points, and numerators then on all.
    """
    d = problem.x.shape[1]
    n_folds = problem.n_refits
    is_trial = not problem.in_folds
    levels = problem.points.levels
    most = problem.most_degrees
    last = 0
    for degree in count(0):
        if n_total_degree_terms(d - len(levels), degree) > problem.n_rows:
            return
        terms = total_degree_terms(np.minimum(most, degree).astype(np.int64), degree)
        n_terms = 2 * len(terms) - 1
        if n_terms == last or n_terms >= problem.n_rows:
            return
        last = n_terms
        rows = min(problem.n_rows, int(OVERSAMPLING * n_terms + MOST_ROWS))
        rows = rows if is_trial else problem.n_rows
        yield Candidate(
            "rational",
            f"quotients of polynomials of degree {degree}" if degree else "a constant",
            n_terms,
            # a QR factorisation with its orthogonal factor, and a least squares problem, twice
            (n_folds + 1) * (4 * qr_operations(rows, n_terms) + OVERHEAD),
            partial(_fitted, problem, terms),
            refit=partial(_refitted, problem, terms),
            of_refits=n_folds / (n_folds + 1),
            trial_rows=rows if rows < problem.n_rows else None,
            n_folds=1 if problem.has_grid_lines else None,
            refines=False,
        )


def _fitted(
    problem: StageProblem,
    terms: NDArray[np.int64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """A quotient; without positive denominator the function is nan, of infinite error."""
    denominator = _denominator(problem.x, target, weight, terms)
    if denominator is not None and _vanishes(denominator, problem):
        denominator = None
    return _with_denominator(problem, terms, denominator, target, weight)


def _refitted(
    problem: StageProblem,
    terms: NDArray[np.int64],
    fit: Fit,
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """The same fitted to other rows; zeros of the denominator show in its errors there."""
    denominator = _denominator(problem.x, target, weight, terms)
    return _with_denominator(problem, terms, denominator, target, weight)


def _with_denominator(
    problem: StageProblem,
    terms: NDArray[np.int64],
    denominator: LegendreSeries | None,
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    if denominator is None:
        nothing = np.full((len(terms), target.shape[1]), np.nan)
        return Fit(LegendreSeries(terms, nothing))
    linear = DenseFit(problem.x, weight, QuotientFrame(terms, denominator))
    return Fit(linear.refined(target), linear)


@one_blas_thread
def _denominator(
    x: NDArray[np.float64],
    target: NDArray[np.float64],
    of_points: NDArray[np.float64],
    terms: NDArray[np.int64],
) -> LegendreSeries | None:
    """Its constant is 1; the coefficients of numerators are eliminated first."""
    used = of_points > 0
    size = np.sqrt(np.prod(2.0 * terms + 1, axis=1))  # of mean square 1 on the box
    columns = columns_of(x[used], terms) * size
    values = target[used, :MOST_OUTPUTS]
    weight = np.sqrt(of_points[used])
    coefficients = np.zeros(len(terms))
    if len(terms) == 1:
        return LegendreSeries(terms, np.ones((1, 1)))
    # of physical formulas the second solve brought a factor of up to two, and a third nothing
    for _ in range(2):
        q = sla.qr(columns * weight[:, None], mode="economic", check_finite=False)[0]
        rows, rest = [], []
        for value in values.T:
            products = columns * (value * weight)[:, None]
            products -= q @ (q.T @ products)
            rows.append(products[:, 1:])
            rest.append(-products[:, 0])
        solved = sla.lstsq(np.concatenate(rows), np.concatenate(rest), check_finite=False)[0]
        coefficients = np.concatenate([[1.0], solved])
        at_points = columns @ coefficients
        if not np.all(at_points > 0):
            return None
        weight = np.sqrt(of_points[used]) / at_points
    return LegendreSeries(terms, (coefficients * size)[:, None])


def _vanishes(denominator: LegendreSeries, problem: StageProblem) -> bool:
    """Whether it has a zero in the box, as far as minima from its least values on tell."""
    d = problem.x.shape[1]
    rng = problem.random_state("denominators")
    asked = [problem.x, rng.uniform(-1, 1, (ENOUGH, d))]
    asked.append(corners_of(-np.ones(d), np.ones(d)))
    points = np.concatenate(asked)
    values = denominator.evaluate(points)[:, 0]
    if not values.min() > 0:
        return True
    bounds = [(-1, 1)] * d
    minimised = partial(minimize, denominator.with_gradient(), jac=True, bounds=bounds)
    return any(minimised(points[at]).fun <= 0 for at in np.argsort(values)[:STARTS])
