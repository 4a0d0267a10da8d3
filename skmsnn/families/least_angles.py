"""Sparse polynomials of few points: terms of hyperbolic sets, chosen by least angles.

Blatman & Sudret 2011, Adaptive sparse polynomial chaos expansion based on least angle regression,
section 4: the path orders the terms, and as many are kept as the leave-one-out error of their least
squares says. Unlike sets that grow from the constant, these may have a term of high degree without
those that it is a multiple of.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import lars_path

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import EPS
from skmsnn.functions.polynomial import columns_of
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import PolynomialFrame

# Norms of the degrees of a term along the features, which are at most the degree of the set: at
# small ones products have low degrees.
NORMS = (0.4, 0.7, 1.0)
# Terms of a set for each row, and at most; the first degree, and the growth from set to set.
TERMS_A_ROW, MOST_TERMS, FIRST_DEGREE, GROWTH = 10, 2000, 2, 1.5
# Terms that a path may have for each row: with half as many terms as rows that of Rosenbrock's
# function ended before all of its terms.
MOST_OF_ROWS = 0.8
# Outputs whose paths order the terms.
MOST_OUTPUTS = 6
# What a step of a path costs at least, and its products for each term and row: 0.14 milliseconds
# of 55 terms at 100 rows.
OVERHEAD, PRODUCTS = FLOPS_PER_SECOND / 10_000, 8.0
# The path ends where correlations are 1e-7, of targets of size 1.
LARGE = 1e10


def least_angles(problem: StageProblem) -> Iterator[Ladder]:
    """A ladder of sets of growing degree for each norm, each set once."""
    known: set[bytes] = set()
    for norm in NORMS:
        yield _by_degree(problem, norm, known)


def _by_degree(problem: StageProblem, norm: float, known: set[bytes]) -> Ladder:
    degree = FIRST_DEGREE
    while True:
        most_terms = min(TERMS_A_ROW * problem.n_rows, MOST_TERMS)
        terms = hyperbolic(problem.most_degrees, degree, norm, most_terms)
        if terms is None or terms.max() < degree:
            return
        if terms.tobytes() not in known:
            known.add(terms.tobytes())
            yield _candidate(problem, terms, f"{len(terms)} terms of norm {norm:g} up to {degree}")
        degree = max(degree + 1, round(GROWTH * degree))


def _candidate(problem: StageProblem, terms: NDArray[np.int64], label: str) -> Candidate:
    n, n_terms = problem.n_rows, len(terms)
    n_paths = min(problem.n_outputs, MOST_OUTPUTS)
    path = n_paths * min(n_terms, MOST_OF_ROWS * n) * (OVERHEAD + PRODUCTS * n * n_terms)

    def refit(_: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        return _fitted(problem.x, terms, target, weight)

    return Candidate(
        "polynomial",
        f"least angles of {label}",
        n_terms,
        (1 + problem.n_refits) * path,
        partial(_fitted, problem.x, terms),
        refit=refit,
        of_refits=problem.n_refits / (1 + problem.n_refits),
        held=partial(_held, problem.x),
        refines=False,
    )


def hyperbolic(
    most: NDArray[np.float64], degree: int, norm: float, most_terms: int
) -> NDArray[np.int64] | None:
    """Degrees (n_terms, d) of that norm at most ``degree``, the constant first.

    Along feature j they are at most ``most[j]``. None if there are more than ``most_terms``.
    """
    sums = np.zeros(1)
    terms = np.zeros((1, 0), dtype=np.int64)
    limit = degree**norm * (1 + 1e-12)
    for own in most:
        degrees = np.arange(min(degree, own) + 1)
        total = sums[:, None] + degrees**norm
        row, k = np.nonzero(total <= limit)
        if len(row) > most_terms:
            return None
        terms, sums = np.column_stack([terms[row], degrees[k].astype(np.int64)]), total[row, k]
    return terms[np.argsort(terms.sum(axis=1), kind="stable")]


@one_blas_thread
def _fitted(
    x: NDArray[np.float64],
    terms: NDArray[np.int64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """Least squares over the terms of a path up to the smallest leave-one-out error."""
    used = weight > 0
    root = np.sqrt(weight[used])[:, None]
    columns = root * columns_of(x[used], terms)
    values = root * target[used]
    order = _order(columns, values[:, :MOST_OUTPUTS])
    q, triangle = np.linalg.qr(columns[:, order])
    # terms that depend on those before them follow rounding
    size = np.abs(np.diag(triangle))
    n_kept = int(np.argmin(size > len(q) * EPS * size.max())) or len(order)
    q, order = q[:, :n_kept], order[:n_kept]
    projected = q.T @ values
    seen = values[:, None] - np.cumsum(q[:, :, None] * projected, axis=1)
    leverage = np.minimum(np.cumsum(q**2, axis=1), 1 - len(q) * EPS)
    unseen = np.mean((seen / (1 - leverage)[:, :, None]) ** 2, axis=(0, 2))
    chosen = terms[order[: 1 + int(np.argmin(unseen))]]
    linear = DenseFit(x, weight, PolynomialFrame(chosen))
    return Fit(linear.refined(target), linear, leverage=len(chosen) / len(q))


def _order(columns: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.intp]:
    """The constant, and terms as their paths have them, those of several outputs in turn."""
    constant = columns[:, [0]] / np.linalg.norm(columns[:, 0])
    centred = columns[:, 1:] - constant @ (constant.T @ columns[:, 1:])
    size = np.linalg.norm(centred, axis=0)
    centred /= np.where(size > 0, size, 1.0)
    n_steps = min(int(MOST_OF_ROWS * len(columns)), centred.shape[1])
    # of more terms than rows products with all rows are fewer
    gram = centred.T @ centred if centred.shape[1] < len(centred) else None
    places = np.full((values.shape[1], centred.shape[1]), n_steps)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of terms that it drops
        for own, value in zip(places, (values - constant @ (constant.T @ values)).T, strict=True):
            path = lars_path(centred, LARGE * value, Gram=gram, max_iter=n_steps, alpha_min=0.0)[1]
            own[np.asarray(path, dtype=np.intp)] = np.arange(len(path))
    # a path drops terms that nearly depend on others; they come last, in order of their degrees
    order = np.argsort(places.min(axis=0), kind="stable")[:n_steps]
    return np.concatenate([[0], 1 + order])


def _held(
    x: NDArray[np.float64], fit: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Residuals at each row of least squares over the same terms at all others."""
    assert isinstance(fit.linear, DenseFit)
    linear = fit.linear.extended(weight)
    rest = target - linear.solve(target).evaluate(x)
    rows = np.flatnonzero(weight)
    residual = np.full_like(target, np.nan)
    found = linear.left_out(rest, [np.array([row]) for row in rows], 0.0, None)
    residual[found.rows] = found.residual
    return residual
