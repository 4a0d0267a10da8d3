"""Gaussian processes: what few points tell of several features.

Their covariances are products of functions of each feature, or these and a sum of such functions,
of length scales of their own, which the likelihood of the values sets; forms compete by validation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._memory import working_bytes
from skmsnn.families.family import Family
from skmsnn.functions.kernel import PosteriorVariance
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.covariance import Form, GaussianProcess
from skmsnn.spaces.sampling import sampling_order, weight_at

# Searches for the likeliest hyperparameters of a usual form, at most so many evaluations of each,
# of one in a fold, which starts from those of all points, and what a search takes on average. With
# one start errors on twelve functions were larger by half, with 20 evaluations in a fold the same.
STARTS, EVALUATIONS, EVALUATIONS_OF_FOLD, TYPICAL = 2, 100, 10, 50
# Points that hyperparameters are found on, and points of a process at most.
MOST_ROWS, MOST_CENTRES = 400, 5000
# Operations of a correlation of one feature and its derivatives, and of an evaluation at least.
CORRELATION, OVERHEAD = 500.0, FLOPS_PER_SECOND / 4000


class Kernel(Family):
    """Processes of length scales for each feature, with products and sums of correlations."""

    name = "kernel"

    def supports(self, problem: StageProblem) -> str | None:
        """Why a process cannot be fitted to such data; None if it can."""
        if problem.points.domain.periodic.any():
            return "kernels have no period"
        if problem.options.options.p != 2:
            return "the likelihood of kernels is that of squares; p must be 2"
        if problem.n_rows > MOST_CENTRES or 24 * problem.n_rows**2 > working_bytes():
            return f"kernels have a centre at each point, and at most {MOST_CENTRES}"
        if problem.n_rows < 3:
            return "kernels need at least three points"
        return None

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """The usual forms; others are neighbours of the best of them."""
        yield _usual(problem)


def _usual(problem: StageProblem) -> Ladder:
    d = problem.x.shape[1]
    forms = _Forms(problem)
    for has_sum in (False, True) if d > 1 else (False,):
        for correlation in ("squared exponential", "Matern 5/2"):
            yield forms.candidate(Form(correlation, has_sum), STARTS)


class _Forms:
    """Processes of several forms, whose searches start from what others found.

    Attributes
    ----------
    found : dict from str to ndarray
        The last hyperparameters of each kind.
    """

    def __init__(self, problem: StageProblem) -> None:
        self._problem = problem
        self._rng = problem.random_state("kernel")
        self._found: dict[str, NDArray[np.float64]] = {}

    def candidate(self, form: Form, n_starts: int = 1) -> Candidate:
        """A process of a form; the first search starts from what others found."""
        problem = self._problem
        n, d = problem.n_rows, problem.x.shape[1]
        rows = min(n, MOST_ROWS)
        evaluation = OVERHEAD + 2.0 * rows**3
        evaluation += CORRELATION * rows * (rows - 1) / 2 * d * (2 if form.has_sum else 1)
        in_folds = problem.n_refits * EVALUATIONS_OF_FOLD if problem.refits_in_folds else 0
        n_evaluations = TYPICAL * n_starts + in_folds
        return Candidate(
            "kernel",
            _label(form),
            n,
            n_evaluations * evaluation + n**3 + CORRELATION * d * n**2,
            partial(self._fitted, form, n_starts),
            refit=partial(self._refitted, form),
            held=partial(self._held, form),
            n_folds=None if problem.refits_in_folds else 1,
            of_refits=in_folds / n_evaluations,
            neighbours=lambda: [self.candidate(other) for other in _neighbours(form, n, d)],
            refines=False,
        )

    def _fitted(
        self,
        form: Form,
        n_starts: int,
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
    ) -> Fit:
        """The likeliest process of a form, of searches from some starts."""
        d = self._problem.x.shape[1]
        starts = [form.start(d, self._rng) for _ in range(n_starts)]
        for name, at in form.parts(d).items():
            starts[0][at] = self._found.get(name, starts[0][at])
        process, v = self._likeliest(form, target, weight, starts, EVALUATIONS)
        self._found |= {name: v[at] for name, at in form.parts(d).items()}
        used = np.flatnonzero(weight)
        function, leverage = process.given_with_leverage(v, target[used])
        exposure = partial(_exposure, process, v, used, len(weight))
        return Fit(function, state=v, leverage=leverage, exposure=exposure)

    def _refitted(
        self, form: Form, fit: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> Fit:
        """The same for other rows, by a search from its hyperparameters."""
        process, v = self._likeliest(form, target, weight, [fit.state], EVALUATIONS_OF_FOLD)
        return Fit(process.given(v, target[weight > 0]), state=v)

    def _held(
        self, form: Form, fit: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Residuals at each row of the same process given all others."""
        used = np.flatnonzero(weight)
        process = GaussianProcess(form, self._problem.x[used], weight[used])
        residual = np.full_like(target, np.nan)
        residual[used] = process.left_out(fit.state, target[used])
        return residual

    def _likeliest(
        self,
        form: Form,
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        starts: list[NDArray[np.float64]],
        evaluations: int,
    ) -> tuple[GaussianProcess, NDArray[np.float64]]:
        """The process at all rows, and the best hyperparameters of searches on some of them."""
        x, used = self._problem.x, np.flatnonzero(weight)
        order = sampling_order(x, used, np.random.default_rng(0))
        rows = np.flatnonzero(weight_at(order[:MOST_ROWS], weight))
        process = GaussianProcess(form, x[rows], weight[rows])
        found = [process.likeliest(target[rows], start, evaluations) for start in starts]
        state = min(found, key=lambda pair: pair[0])[1]
        if len(rows) < len(used):
            process = GaussianProcess(form, x[used], weight[used])
        return process, state


def _exposure(
    process: GaussianProcess, v: NDArray[np.float64], rows: NDArray[np.intp], n: int
) -> tuple[NDArray[np.float64], PosteriorVariance]:
    """Variances at each row given all others, and at other points."""
    own = np.full(n, np.nan)
    own[rows], variance = process.exposures(v)
    return own, variance


def _label(form: Form) -> str:
    parts = [f"{form.correlation} kernels"]
    parts += ["with a sum over features"] if form.has_sum else []
    parts += ["warped"] if form.is_warped else []
    parts += [f"trend of degree {form.degree}"] if form.degree else []
    return ", ".join(parts)


def _neighbours(form: Form, n: int, d: int) -> Iterable[Form]:
    """Forms that differ in one part."""
    yield replace(form, is_warped=not form.is_warped)
    if d > 1:
        yield replace(form, has_sum=not form.has_sum)
    smoother = ["Matern 5/2", "Matern 7/2", "squared exponential"]
    if form.correlation in smoother:
        at = smoother.index(form.correlation)
        for other in smoother[max(0, at - 1) : at + 2]:
            if other != form.correlation:
                yield replace(form, correlation=other)
    if form.correlation == "squared exponential":
        yield replace(form, correlation="rational quadratic")
    for degree in (form.degree - 1, form.degree + 1):
        if 0 <= degree <= 2 and 2 * (1 + degree * d) < n:
            yield replace(form, degree=degree)
