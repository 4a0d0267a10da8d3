"""Rational functions: of several features quotients, of one fractions, with poles by AAA.

Nakatsukasa, Sete & Trefethen 2018, The AAA algorithm for rational approximation; Costa & Trefethen
2023, AAA-least squares rational approximation and solution of Laplace problems. Resonances, fronts
and functions of clustered points have poles near the data, which neither waves nor polynomials
approximate well.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
import scipy.interpolate
from numpy.typing import NDArray

from skmsnn._precision import CUTOFFS
from skmsnn.families.aaa import SupportPoints, operations_of_look, poles_of
from skmsnn.families.family import Family
from skmsnn.families.quotients import MOST_OUTPUTS, quotients
from skmsnn.functions.rational import PartialFractions
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Preparation
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import RationalFrame


class Rational(Family):
    """Poles anywhere but on the data; needs SciPy 1.15."""

    name = "rational"

    def supports(self, problem: StageProblem) -> str | None:
        """Why rational functions cannot be fitted to such data; None if they can."""
        if problem.points.domain.periodic.any():
            return "rational functions have no period"
        if not problem.is_validated:
            return "nothing validates poles without held-out points; set early_stopping=True"
        if problem.x.shape[1] == 1 and problem.n_rows < 5:
            return "rational functions of one feature need at least five points"
        if problem.x.shape[1] == 1 and not hasattr(scipy.interpolate, "AAA"):
            return "rational functions of one feature need SciPy 1.15"
        return None

    def ladders(self, problem: StageProblem) -> Iterator[Ladder]:
        """Fractions of one feature, quotients of several."""
        if problem.x.shape[1] == 1:
            yield _fractions(problem)
        else:
            yield quotients(problem)


def _fractions(problem: StageProblem) -> Ladder:
    """Poles of AAA within tolerances, from loose to tight: at tight ones they follow rounding."""
    n = problem.n_rows
    n_folds = problem.n_refits
    yield _candidate(problem, [], 0, n_folds)
    used = problem.weight > 0
    yield Preparation("rational", operations_of_look(int(used.sum())))
    x, target = problem.x[used, 0], problem.target[used, :MOST_OUTPUTS]
    supports = [SupportPoints(x, values) for values in target.T]
    sizes = {tuple(support.n_within(tolerance) for support in supports) for tolerance in CUTOFFS}
    for size in sorted(sizes, key=sum):
        if max(size) < n // 2:
            yield _candidate(problem, supports, sum(size), n_folds, size)


def _candidate(
    problem: StageProblem,
    supports: list[SupportPoints],
    n_support: int,
    n_folds: int,
    size: tuple[int, ...] = (),
) -> Candidate:
    n = problem.n_rows
    fit = partial(_fitted, problem, supports, size)
    return Candidate(
        "rational",
        f"fractions of {n_support} support points" if supports else "a straight line",
        n_support + 2,
        (n_folds + 1) * (20.0 * n * (n_support + 2) ** 2 + 30.0 * (n_support + 2) ** 3),
        fit,
        refit=lambda _, target, weight: fit(target, weight),
        of_refits=n_folds / (n_folds + 1),
        tests_ends=partial(_may_be_singular_at_ends, problem.x[:, 0]),
        refines=False,
    )


def _fitted(
    problem: StageProblem,
    supports: list[SupportPoints],
    size: tuple[int, ...],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """Poles of the same numbers of support points, and fractions fitted to the rows."""
    used = weight > 0
    poles = np.empty(0, dtype=np.complex128)
    if supports:
        poles = poles_of(supports, size, problem.x[used, 0], target[used])
    linear = DenseFit(problem.x, weight, RationalFrame(poles))
    function = linear.refined(target)
    assert isinstance(function, PartialFractions)
    return Fit(function, linear)


def _may_be_singular_at_ends(x: NDArray[np.float64], fit: Fit) -> bool:
    """Whether a pole beyond an end is nearer to it than the next of ascending points (n,)."""
    assert isinstance(fit.function, PartialFractions)
    poles = fit.function.poles
    return bool(
        np.any(np.abs(poles - x[0])[poles.real < x[0]] < x[1] - x[0])
        or np.any(np.abs(poles - x[-1])[poles.real > x[-1]] < x[-1] - x[-2])
    )
