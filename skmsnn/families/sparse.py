"""Sparse polynomials: sets of terms that are grown where the residual asks for them.

From the constant on, a set stays downward closed: a term comes only after all that it is a multiple
of. Of the terms that may come next those are added that take most of the residual away, by what
their columns have that the set has not (orthogonal matching pursuit, Pati, Rezaiifar &
Krishnaprasad 1993, on the adaptive sets of Migliorati 2013, Polynomial approximation by means of
the random discrete L2 projection).
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND, qr_operations, svd_operations
from skmsnn._memory import working_bytes
from skmsnn._precision import EPS, HALF_DIGITS
from skmsnn.families.ladders import MIN_OVERSAMPLING, RATIO
from skmsnn.functions.polynomial import columns_of
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Preview
from skmsnn.selection.problem import StageProblem
from skmsnn.selection.scheme import HoldoutScheme
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import PolynomialFrame
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.leave_out import weighted_rms

# Rows on which terms are chosen, and operations for all of them.
MOST_ROWS, BUDGET = 30_000, 10 * FLOPS_PER_SECOND
# What a step costs at least, three times, and how much slower than a factorisation products are.
OVERHEAD, SLOWNESS = FLOPS_PER_SECOND / 2000, 2.0


def sparse_polynomials(problem: StageProblem) -> Ladder:
    """Sets of terms from few to many; in each fold they are chosen anew without its rows."""
    most = problem.most_degrees
    used = np.flatnonzero(problem.weight)
    rows = np.sort(problem.random_state("sparse").permutation(used)[:MOST_ROWS])
    # the basis is orthogonalised twice
    affordable = np.sqrt(BUDGET / (2 * qr_operations(len(rows), 1)))
    most_terms = max(1, int(min(len(rows) / MIN_OVERSAMPLING, affordable)))

    def growing(without: NDArray[np.intp], others: NDArray[np.float64]) -> _Growing:
        own = np.setdiff1d(rows, without)
        root = np.sqrt(problem.weight[own])[:, None]
        return _Growing(problem.x[own], root, problem.target[own], others, most, most_terms)

    scheme, none = problem.scheme, np.empty(0, dtype=np.intp)
    if isinstance(scheme, HoldoutScheme):
        main = growing(none, scheme.x_val)
        paths, out, target = [main], [scheme.rows], [scheme.target_val]
    else:
        main = growing(none, problem.x[:0])
        n_folds = int(BUDGET / 10 / qr_operations(len(rows), most_terms)) + 1
        out = scheme.folds[:n_folds]
        paths = [growing(fold, problem.x[fold]) for fold in out]
        target = [problem.target[fold] for fold in out]
    everywhere = np.concatenate(out)
    order = np.argsort(everywhere)
    spent = 0.0
    while True:
        residual = np.concatenate(
            [values - path.at_others for path, values in zip(paths, target, strict=True)]
        )
        total = sum(path.operations for path in {*paths, main})
        yield Candidate(
            "polynomial",
            f"{len(main.degrees)} polynomials of degree up to {main.degrees.sum(axis=1).max()}",
            len(main.degrees),
            total - spent,
            partial(_fitted, problem.x, main.degrees),
            preview=Preview(main.train_errors, everywhere[order], residual[order]),
        )
        spent = total
        grown = [path.grow() for path in {*paths, main}]
        if not all(grown):
            return


def _fitted(
    x: NDArray[np.float64],
    degrees: NDArray[np.int64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    dense = DenseFit(x, weight, PolynomialFrame(degrees))
    function = dense.solve(target)
    rest = weighted_rms(target - function.evaluate(x), weight)
    if rest <= HALF_DIGITS or svd_operations(len(x), len(degrees)) > FLOPS_PER_SECOND:
        return Fit(function, dense)
    # of dependent terms, as products of codes are, large coefficients cancel at the points alone
    fit = PolynomialFit(x, weight, degrees)
    fit = fit.damped(fit.likeliest_damping(target))
    return Fit(fit.solve(target), fit)


class _Growing:
    """A downward closed set of terms with an orthonormal basis of their columns.

    Columns of the terms that may come next are kept with what the set has of them taken out, and
    so are their values at other points, so that a step costs no more than its own new terms.
    """

    def __init__(
        self,
        x: NDArray[np.float64],
        root: NDArray[np.float64],
        target: NDArray[np.float64],
        others: NDArray[np.float64],
        most: NDArray[np.float64],
        most_terms: int,
    ) -> None:
        self._most, self._most_terms = most, most_terms
        self._columns = partial(_weighted_columns, x, root, others)
        self._n = len(x)
        d = x.shape[1]
        self._rest, self._root = root * target, root
        self.at_others = np.zeros((len(others), target.shape[1]))
        self._basis = np.empty((self._n + len(others), 0))
        self._terms: set[tuple[int, ...]] = set()
        self.degrees = np.empty((0, d), dtype=np.int64)
        self._next = np.empty((0, d), dtype=np.int64)
        self._waiting = np.empty((self._n + len(others), 0))
        self._sizes = np.empty(0)
        self.operations = 0.0
        constant = np.zeros((1, d), dtype=np.int64)
        self._take(constant, self._columns(constant))

    @property
    def train_errors(self) -> NDArray[np.float64]:
        """Root mean square of the residual of each output."""
        total = np.sum(self._root**2)
        return np.asarray(np.sqrt(np.sum(self._rest**2, axis=0) / total))

    def grow(self) -> bool:
        """Take the next terms; whether there were any."""
        room = self._most_terms - len(self.degrees)
        n_new = min(max(1, int((RATIO - 1) * len(self.degrees))), room, len(self._next))
        # the columns that may come next are copied once
        if n_new <= 0 or 2 * self._waiting.nbytes > working_bytes():
            return False
        own = self._waiting[: self._n]
        square = np.sum(own**2, axis=0)
        gain = np.sum((own.T @ self._rest) ** 2, axis=1)
        is_new = square > EPS * self._sizes
        gain = np.where(is_new, gain / np.where(is_new, square, 1.0), -1.0)
        chosen = self._closed(np.argsort(-gain, kind="stable")[:n_new])
        others = np.setdiff1d(np.arange(len(gain)), chosen)
        degrees, columns = self._next[chosen], self._waiting[:, chosen]
        self._next, self._sizes = self._next[others], self._sizes[others]
        self._waiting = self._waiting[:, others]
        self._take(degrees, columns)
        return True

    @one_blas_thread
    def _take(self, degrees: NDArray[np.int64], columns: NDArray[np.float64]) -> None:
        """Take terms into the set, whose columns are without what the set has of them."""
        columns = self._without(self._basis, columns)  # twice is enough (Kahan; Parlett 1980)
        q, r = np.linalg.qr(columns[: self._n])
        scale = np.abs(np.diag(r))
        independent = scale > HALF_DIGITS * max(scale.max(), np.finfo(float).tiny)
        at_others = np.linalg.lstsq(r.T, columns[self._n :].T, rcond=None)[0].T
        new = np.concatenate([q, at_others])[:, independent]
        coefficients = new[: self._n].T @ self._rest
        self._rest = self._rest - new[: self._n] @ coefficients
        self.at_others = self.at_others + new[self._n :] @ coefficients
        self._basis = np.concatenate([self._basis, new], axis=1)
        self.degrees = np.concatenate([self.degrees, degrees])
        self._terms.update(map(tuple, degrees.tolist()))
        self._waiting = self._without(new, self._waiting)
        neighbours = self._neighbours(degrees)
        if len(neighbours):
            fresh = self._columns(neighbours)
            self._sizes = np.concatenate([self._sizes, np.sum(fresh[: self._n] ** 2, axis=0)])
            fresh = self._without(self._basis, fresh)
            self._waiting = np.concatenate([self._waiting, fresh], axis=1)
            self._next = np.concatenate([self._next, neighbours])

    def _without(
        self, basis: NDArray[np.float64], columns: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        products = 2.0 * (basis.size + self._n * basis.shape[1]) * columns.shape[1]
        self.operations += SLOWNESS * products + OVERHEAD
        return columns - basis @ (basis[: self._n].T @ columns[: self._n])

    def _closed(self, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
        """Those of the waiting terms, and others that must be there before them."""
        place = {tuple(term): at for at, term in enumerate(self._next.tolist())}
        closed = dict.fromkeys(chosen.tolist())
        for at in chosen.tolist():
            for j in range(len(self._most)):
                before = place.get(_lowered(tuple(self._next[at].tolist()), j))
                if before is not None:
                    closed[before] = None
        return np.array(list(closed), dtype=np.intp)

    def _neighbours(self, degrees: NDArray[np.int64]) -> NDArray[np.int64]:
        """Terms that may come once these have: one degree more along a feature, or two.

        Of an even function the first of these says nothing.
        """
        waiting = set(map(tuple, self._next.tolist()))
        found = []
        for term in degrees.tolist():
            for j, degree in enumerate(term):
                for step in (1, 2):
                    more = (*term[:j], degree + step, *term[j + 1 :])
                    is_new = more not in self._terms and more not in waiting
                    if degree + step <= self._most[j] and is_new and self._may_come(more):
                        waiting.add(more)
                        found.append(more)
        return np.array(found, dtype=np.int64).reshape(-1, degrees.shape[1])

    def _may_come(self, term: tuple[int, ...]) -> bool:
        """Whether all that it is a multiple of are in the set, but for one along an axis."""
        before = [_lowered(term, j) for j, degree in enumerate(term) if degree]
        missing = [other for other in before if other not in self._terms]
        if len(missing) != 1:
            return not missing
        axis = next(j for j, degree in enumerate(term) if degree != missing[0][j])
        return term[axis] > 1 and _lowered(missing[0], axis) in self._terms


def _lowered(term: tuple[int, ...], j: int) -> tuple[int, ...]:
    """One degree less along a feature."""
    return (*term[:j], term[j] - 1, *term[j + 1 :])


def _weighted_columns(
    x: NDArray[np.float64],
    root: NDArray[np.float64],
    others: NDArray[np.float64],
    degrees: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Columns of terms, times the roots of the weights, and below them the terms elsewhere."""
    # of mean square 1 on the box, so that rounding is of one size
    size = np.sqrt(np.prod(2 * degrees + 1, axis=1))
    return np.concatenate([root * columns_of(x, degrees), columns_of(others, degrees)]) * size
