"""Separable functions: sums of few products of functions of one feature each.

By alternating least squares: with all factors but those of one feature held, these are a linear
problem (Beylkin & Mohlenkamp 2005, Algorithms for numerical analysis in high dimensions, section
3.1); then by a trust region in all of them. A product is added where it helps, started on what
those before it leave.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.optimize import least_squares

from skmsnn._comparison import CLEARLY, ENOUGH
from skmsnn._effort import FLOPS_PER_SECOND, LEAST_FALL, svd_operations
from skmsnn._precision import EPS, NEAR_ROUND_OFF, ROUND_OFF, ROUNDING
from skmsnn._time_limit import time_is_up
from skmsnn.families.family import Family
from skmsnn.families.ladders import OVERSAMPLING
from skmsnn.functions.polynomial import MOST_DEGREE
from skmsnn.functions.separable import CanonicalDecomposition
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem

# Starts of a search: alternating least squares ends at the best from one in two. Sweeps of each,
# and evaluations of a trust region from there.
STARTS, SWEEPS, EVALUATIONS = 4, 20, 100
# Evaluations that higher degrees take, from the best of lower ones.
EVALUATIONS_OF_DEGREES = 20
# What an evaluation costs at least.
OVERHEAD = FLOPS_PER_SECOND / 1000


class Separable(Family):
    """Products of Legendre series of one feature each."""

    name = "separable"

    def supports(self, problem: StageProblem) -> str | None:
        """Why products cannot be fitted to such data; None if they can."""
        if problem.x.shape[1] < 2:
            return "sums of products need two or more features"
        if not problem.is_validated:
            return "nothing validates products without held-out points; set early_stopping=True"
        return None

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """More products while these help, then higher degrees."""
        yield _products(problem)


def _products(problem: StageProblem) -> Ladder:
    """A constant, one product, two, ...; once more do not help, factors of higher degrees."""
    weight = problem.rows_of_training()
    n_folds = None if problem.refits_in_folds else 1
    n_fits = 1 if n_folds else problem.n_refits + 1
    latest = [
        _Alternating.of(problem.x, values, weight, MOST_DEGREE) for values in problem.target.T
    ]
    rng = problem.random_state("separable")
    best, error, adds_products = latest, np.inf, True

    def more(rank: int, degree: int, target: NDArray[np.float64], weight: NDArray) -> Fit:
        nonlocal latest
        latest = [one.grown(rank, degree, rng) for one in best]
        return Fit(_modes(latest), state=latest)

    rank, degree = 0, MOST_DEGREE
    while problem.n_rows >= OVERSAMPLING * rank * (degree + 1):
        size = rank * len(problem.x[0]) * (degree + 1)
        rows = min(problem.n_rows, ENOUGH)
        evaluations = EVALUATIONS if adds_products else EVALUATIONS_OF_DEGREES
        evaluations = evaluations if rank else 0
        score = yield Candidate(
            "separable",
            f"{rank} products of degree up to {degree}" if rank else "a constant",
            size + 1,
            problem.n_outputs * n_fits * evaluations * (svd_operations(rows, size + 1) + OVERHEAD),
            partial(more, rank, degree),
            refit=partial(_refitted, problem.x),
            of_refits=1 - 1 / n_fits,
            n_folds=n_folds,
            refines=False,
        )
        assert score is not None
        if score.error * CLEARLY < error:
            # one product may explain little of a sum of several
            best, error = latest, score.error if rank else np.inf
        elif not adds_products:
            return
        else:
            adds_products = False
        rank, degree = len(best[0].factors), best[0].degree
        rank, degree = (rank + 1, degree) if adds_products else (rank, 2 * degree)


def _refitted(
    x: NDArray[np.float64], fit: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> Fit:
    """The same products fitted to other rows, from where they are."""
    again = []
    for values, problem in zip(target.T, fit.state, strict=True):
        other = _Alternating.of(x, values, weight, problem.degree)
        other.factors, other.constant = problem.factors.copy(), problem.constant
        if len(other.factors):
            # a solution of least norm does not stay where other rows had it
            other.sweep(2)
            other.descend()
        again.append(other)
    return Fit(_modes(again), state=again)


def _modes(problems: list[_Alternating]) -> CanonicalDecomposition:
    """The functions of all outputs, of the largest rank and degree among them."""
    rank, size = (max(problem.factors.shape[k] for problem in problems) for k in (0, 2))
    factors = np.stack(
        [
            np.pad(f, ((0, rank - f.shape[0]), (0, 0), (0, size - f.shape[2])))
            for f in (problem.factors for problem in problems)
        ]
    )
    return CanonicalDecomposition(factors, np.array([problem.constant for problem in problems]))


@dataclass
class _Alternating:
    """Products for one output, improved feature by feature.

    Attributes
    ----------
    x : ndarray of shape (n, d)
        Points.
    columns : list of ndarray of shape (n, size)
        Legendre polynomials of each feature.
    values, root : ndarray of shape (n,)
        What to fit, and roots of the weights.
    factors : ndarray of shape (rank, d, size)
        Coefficients.
    constant : float
        Added to the products.
    """

    x: NDArray[np.float64]
    columns: list[NDArray[np.float64]]
    values: NDArray[np.float64]
    root: NDArray[np.float64]
    factors: NDArray[np.float64]
    constant: float

    @classmethod
    def of(
        cls,
        x: NDArray[np.float64],
        values: NDArray[np.float64],
        weight: NDArray[np.float64],
        degree: int,
    ) -> Self:
        """No product yet, for values (n,) at the points of positive weight."""
        rows = np.flatnonzero(weight)[:: -(-np.count_nonzero(weight) // ENOUGH)]
        factors = np.zeros((0, x.shape[1], degree + 1))
        mean = float(np.average(values[rows], weights=weight[rows]))
        root = np.sqrt(weight[rows])
        return cls(x[rows], _columns(x[rows], degree), values[rows], root, factors, mean)

    @property
    def degree(self) -> int:
        """Of the factors."""
        return self.factors.shape[2] - 1

    def grown(self, rank: int, degree: int, rng: np.random.RandomState) -> _Alternating:
        """The same with one product more, or with factors of a higher degree."""
        if degree > self.degree:
            more = self.of_degree(degree)
            more.descend()
            return more
        return self.with_another_product(rng) if rank > len(self.factors) else self

    def of_degree(self, degree: int) -> _Alternating:
        """The same function, its factors to be of a higher degree."""
        factors = np.pad(self.factors, ((0, 0), (0, 0), (0, degree - self.degree)))
        return replace(self, columns=_columns(self.x, degree), factors=factors)

    def with_another_product(self, rng: np.random.RandomState) -> _Alternating:
        """One more, first fitted to the residual, the best of some, then all together."""
        d, size = self.factors.shape[1:]
        rest = self.values - self._fitted()
        tried = []
        for _ in range(STARTS):
            new = np.zeros((1, d, size))
            new[:, :, 0] = 1.0
            new[:, :, 1] = rng.uniform(-1, 1, d)  # away from the constant that is there already
            alone = replace(self, values=rest, factors=new, constant=0.0)
            alone.sweep(SWEEPS)
            tried.append(alone)
        best = min(tried, key=_Alternating._left)
        factors = np.concatenate([self.factors, best.factors])
        more = replace(self, factors=factors, constant=self.constant + best.constant)
        more.sweep(SWEEPS)
        more.descend()
        return more

    @one_blas_thread
    def sweep(self, most: int) -> None:
        """Solve for the factors of one feature after the other, until that helps no more."""
        left = np.inf
        for _ in range(most):
            for j in range(len(self.columns)):
                self._solve(j)
            last, left = left, self._left()
            if left <= ROUNDING or not left < (1 - LEAST_FALL) * last or time_is_up():
                return

    @one_blas_thread
    def descend(self) -> None:
        """All factors together, by a trust region: alternating fits creep along valleys.

        Of a sum of two products they left 1.6e-3, and Gauss-Newton steps no less, where this went
        on to 2.5e-7, which is what factors of degree 8 can do.
        """
        shape = (len(self.columns), len(self.factors), self.degree + 1)
        start = np.concatenate([[self.constant], self.factors.transpose(1, 0, 2).ravel()])

        def at(unknowns: NDArray[np.float64]) -> _Alternating:
            factors = unknowns[1:].reshape(shape).transpose(1, 0, 2)
            return replace(self, factors=factors, constant=float(unknowns[0]))

        def jacobian(unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
            here = at(unknowns)
            systems = [here._system(j) for j in range(len(self.columns))]
            columns = np.concatenate([np.ones((len(self.root), 1)), *systems], axis=1)
            return columns * self.root[:, None]

        def rest(unknowns: NDArray[np.float64]) -> NDArray[np.float64]:
            return self.root * (at(unknowns)._fitted() - self.values)

        found = least_squares(
            rest,
            start,
            jacobian,
            method="trf",
            x_scale="jac",
            max_nfev=EVALUATIONS,
            ftol=NEAR_ROUND_OFF,
            xtol=NEAR_ROUND_OFF,
            gtol=EPS,
        )
        best = at(found.x)
        self.factors, self.constant = best.factors.copy(), best.constant

    def _system(self, j: int) -> NDArray[np.float64]:
        """Derivatives of the products by the coefficients of one feature's factors."""
        others = self._products(without=j)
        return (others[:, :, None] * self.columns[j][:, None, :]).reshape(len(self.values), -1)

    def _solve(self, j: int) -> None:
        rank, _, size = self.factors.shape
        system = self._system(j)
        system = np.concatenate([np.ones((len(system), 1)), system], axis=1) * self.root[:, None]
        scale = np.linalg.norm(system, axis=0)
        scale[scale == 0] = 1.0
        found, *_ = np.linalg.lstsq(system / scale, self.values * self.root, rcond=ROUND_OFF)
        found = found / scale
        self.constant = float(found[0])
        self.factors[:, j] = found[1:].reshape(rank, size)
        # the feature that is solved for last has the size of the product
        for i in range(len(self.columns)):
            if i != j:
                size_of_factor = np.linalg.norm(self.factors[:, i], axis=1)
                safe = np.where(size_of_factor > 0, size_of_factor, 1.0)
                self.factors[:, i] /= safe[:, None]
                self.factors[:, j] *= safe[:, None]

    def _products(self, without: int | None = None) -> NDArray[np.float64]:
        products = np.ones((len(self.values), len(self.factors)))
        for i, columns in enumerate(self.columns):
            if i != without:
                products *= columns @ self.factors[:, i].T
        return products

    def _fitted(self) -> NDArray[np.float64]:
        return self.constant + self._products().sum(axis=1)

    def _left(self) -> float:
        rest = self.root * (self.values - self._fitted())
        return float(np.linalg.norm(rest) / max(np.linalg.norm(self.root), np.finfo(float).tiny))


def _columns(x: NDArray[np.float64], degree: int) -> list[NDArray[np.float64]]:
    return [legendre.legvander(column, degree) for column in x.T]
