"""Separable functions: sums of few products of functions of one feature each.

By alternating least squares: with all factors but those of one feature held, these are a linear
problem (Beylkin & Mohlenkamp 2005, Algorithms for numerical analysis in high dimensions, section
3.1); then by a trust region in all of them. A product is added where it helps, started on what
those before it leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.optimize import least_squares

from skmsnn._comparison import CLEARLY, ENOUGH, FAR, FEW
from skmsnn._effort import FLOPS_PER_SECOND, LEAST_FALL, svd_operations
from skmsnn._precision import EPS, NEAR_ROUND_OFF, ROUND_OFF, ROUNDING
from skmsnn._time_limit import time_is_up
from skmsnn.families.base import MOST_OUTPUTS, STARTS
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFit, StageFitter
from skmsnn.families.ladders import OVERSAMPLING
from skmsnn.functions.polynomial import MOST_DEGREE
from skmsnn.functions.separable import CanonicalDecomposition
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.stage import Stage
from skmsnn.validation.leave_out import weighted_rms


class Separable(Family):
    """Products of Legendre series of one feature each."""

    name = "separable"
    is_cheap = True

    def trained(self, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
        points = fitter.points
        n_held = 0 if points.held_out is None else len(points.held_out.x)
        # in fewer features lattices are dense enough
        is_suited = MOST_DIMENSIONS < points.x.shape[1] <= FEW
        n_outputs = fitter.train.shape[1]
        if is_suited and n_held >= FEW and n_outputs <= MOST_OUTPUTS:
            yield _stage_of(fitter, [_best(fitter, output) for output in range(n_outputs)])


def _best(fitter: StageFitter, output: int) -> _Alternating:
    """As many products, and then as high degrees, as serve the held-out points of an output."""
    held_out = fitter.held_out
    of_output = held_out._replace(target=held_out.target[:, [output]])

    def rmse(problem: _Alternating) -> float:
        return of_output.rmse(_modes([problem]).evaluate(held_out.x))

    best = _Alternating.of(fitter, fitter.train[:, output], fitter.points.train, MOST_DEGREE)
    error, fall = np.inf, np.inf
    while _is_worthwhile(best, len(best.factors) + 1, best.degree, fall):
        more = best.with_another_product(fitter.rng)
        left = rmse(more)
        if not left * CLEARLY < error:
            break
        fall = error / left if len(best.factors) else 1 / left
        best, error = more, left
        if error <= ROUNDING or time_is_up():
            return best
    while _is_worthwhile(best, len(best.factors), 2 * best.degree, fall) and not time_is_up():
        more = best.of_degree(2 * best.degree)
        more.descend()
        left = rmse(more)
        if not left * CLEARLY < error or error <= ROUNDING:
            break
        best, error, fall = more, left, error / left
    return best


def _is_worthwhile(problem: _Alternating, rank: int, degree: int, fall: float) -> bool:
    """Whether there are enough rows for the factors of one feature, and reason for a long fit.

    The last step's ``fall`` of the error is the reason: once there are as many products as a
    function is made of, it falls by far.
    """
    n_rows, d = problem.x.shape
    operations = FEW * svd_operations(n_rows, rank * d * (degree + 1))
    is_promising = operations <= FLOPS_PER_SECOND or fall >= FAR
    return n_rows >= OVERSAMPLING * rank * (degree + 1) and is_promising


def _stage_of(fitter: StageFitter, problems: list[_Alternating]) -> StageFit:
    """The stage of the training share, and the same functions fitted to all points from there."""
    points = fitter.points
    modes = _modes(problems)
    stage = train_stage = Stage(fitter.train_scale, modes, "separable")
    rest = fitter.train - modes.evaluate(points.x)
    train_error = weighted_rms(rest, points.train)
    error = fitter.validation_error_of(train_stage)
    if not fitter.has_no_holdout:
        target = fitter.full * (fitter.full_scale / fitter.train_scale)
        again = []
        for values, problem in zip(target.T, problems, strict=True):
            other = _Alternating.of(fitter, values, points.full, problem.degree)
            other.factors, other.constant = problem.factors.copy(), problem.constant
            other.descend()
            again.append(other)
        stage = Stage(fitter.train_scale, _modes(again), "separable")
    rank, size = modes.factors.shape[1], modes.factors.shape[3]
    return StageFit(
        stage,
        train_stage,
        error * fitter.size,
        [1.0, train_error],
        f"{rank} products of degree up to {size - 1}, alternating least squares",
    )


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
        EdgePoints the products.
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
        fitter: StageFitter,
        values: NDArray[np.float64],
        weight: NDArray[np.float64],
        degree: int,
    ) -> Self:
        """No product yet, for values (n,) at the points of positive weight."""
        rows = np.flatnonzero(weight)[:: -(-np.count_nonzero(weight) // ENOUGH)]
        x = fitter.points.x[rows]
        factors = np.zeros((0, x.shape[1], degree + 1))
        return cls(x, _columns(x, degree), values[rows], np.sqrt(weight[rows]), factors, 0.0)

    @property
    def degree(self) -> int:
        """Of the factors."""
        return self.factors.shape[2] - 1

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
            alone.sweep(FEW)
            tried.append(alone)
        best = min(tried, key=_Alternating._left)
        factors = np.concatenate([self.factors, best.factors])
        more = replace(self, factors=factors, constant=self.constant + best.constant)
        more.sweep(FEW)
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
            max_nfev=int(FAR * FAR),
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
