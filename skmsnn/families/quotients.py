"""Quotients of polynomials in several features: denominators by linearised least squares.

With a denominator q and numerators p, what is minimised is ``|p - y q| / |q|``, where the second q
is that of the iteration before (Sanathanan & Koerner 1963, Transfer function synthesis as a ratio
of two complex polynomials). Once q is known the numerators are linear in their coefficients.
"""

from __future__ import annotations

from functools import partial
from itertools import product

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.optimize import minimize

from skmsnn._comparison import ENOUGH, FAR, PATIENCE
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn._precision import ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.base import MOST_OUTPUTS, STARTS, Split, Trial, validated_on_held_out
from skmsnn.families.ladders import MIN_OVERSAMPLING, OVERSAMPLING
from skmsnn.functions.polynomial import (
    LegendreSeries,
    columns_of,
    n_total_degree_terms,
    total_degree_terms,
)
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.spaces.dense import candidate_of
from skmsnn.spaces.frames import QuotientFrame
from skmsnn.spaces.sampling import sampling_order, weight_at


def select_quotient(data: Split, rng: np.random.RandomState) -> Trial | None:
    """The quotient of polynomials of equal total degree that foresees held-out points best.

    Parameters
    ----------
    data : Split
        Points, with some held out.
    rng : RandomState
        Draws points at which a denominator must not vanish.

    Returns
    -------
    Trial or None
        None where points are too few, or all denominators vanish somewhere in the box.
    """
    d = data.x.shape[1]
    order = sampling_order(data.x, np.flatnonzero(data.train), rng)
    n_rows = len(order)
    best, waited, degree = None, 0, 1
    while waited < PATIENCE and not time_is_up():
        n_terms = 2 * n_total_degree_terms(d, degree)
        if MIN_OVERSAMPLING * n_terms > n_rows or qr_operations(n_rows, n_terms) > FLOPS_PER_SECOND:
            break
        affordable = FLOPS_PER_SECOND / FAR / qr_operations(1, n_terms)
        few = order[: int(max(OVERSAMPLING * n_terms, affordable))]
        trial = _of_degree(data, weight_at(few, data.train), degree, rng)
        is_better = trial is not None and (best is None or trial.error < best.error)
        best, waited = (trial, 0) if is_better else (best, waited + 1)
        if best is not None and best.error <= ROUND_OFF:
            break
        degree += 1
    if best is None or best.n_rows == n_rows:
        return best
    assert best.fit is not None
    return validated_on_held_out(best.candidate, best.fit.extended(data.train), data, data.train)


def _of_degree(
    data: Split, weight: NDArray[np.float64], degree: int, rng: np.random.RandomState
) -> Trial | None:
    """That of the points of positive weight."""
    terms = total_degree_terms(np.full(data.x.shape[1], degree), degree)
    denominator = _denominator(data, weight, terms)
    if denominator is None or _vanishes(denominator, data, rng):
        return None
    frame = QuotientFrame(terms, denominator)
    label = f"quotients of polynomials of degree {degree}"
    candidate = candidate_of(data.x, frame, label, "rational")
    return validated_on_held_out(candidate, candidate.fit(weight), data, weight)


@one_blas_thread
def _denominator(
    data: Split, of_points: NDArray[np.float64], terms: NDArray[np.int64]
) -> LegendreSeries | None:
    """Its constant is 1; the coefficients of numerators are eliminated first."""
    used = of_points > 0
    size = np.sqrt(np.prod(2.0 * terms + 1, axis=1))  # of mean square 1 on the box
    columns = columns_of(data.x[used], terms) * size
    values = data.target[used, :MOST_OUTPUTS]
    weight = np.sqrt(of_points[used])
    coefficients = np.zeros(len(terms))
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


def _vanishes(denominator: LegendreSeries, data: Split, rng: np.random.RandomState) -> bool:
    """Whether it has a zero in the box, as far as minima from its least values on tell."""
    d = data.x.shape[1]
    asked = [data.x, rng.uniform(-1, 1, (ENOUGH, d))]
    if 2**d <= ENOUGH:
        asked.append(np.array(list(product((-1.0, 1.0), repeat=d))))
    points = np.concatenate(asked)
    values = denominator.evaluate(points)[:, 0]
    if not values.min() > 0:
        return True
    bounds = [(-1, 1)] * d
    minimised = partial(minimize, denominator.with_gradient(), jac=True, bounds=bounds)
    return any(minimised(points[at]).fun <= 0 for at in np.argsort(values)[:STARTS])
