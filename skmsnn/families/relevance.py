"""Features without influence on the best fit, and candidates that do without them.

A feature whose exchange between rows changes the best fit by less than its error may be inert, and
one that depends linearly on others says nothing new. Without these candidates have fewer terms;
they compete by validation like all others, so that a wrong guess costs time alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Self

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, ENOUGH
from skmsnn._precision import HALF_DIGITS
from skmsnn._shape import of_features
from skmsnn.functions.of_features import OfFeatures
from skmsnn.importance import lost_variances
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Preparation
from skmsnn.selection.problem import StageProblem
from skmsnn.selection.race import Outcome
from skmsnn.spaces.base import LinearFit
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.leave_out import EdgePoints, LeftOut
from skmsnn.validation.local import Exposure, ExposureOfFeatures


def relevant_features(problem: StageProblem, outcome: Outcome) -> tuple[int, ...]:
    """Features that the best fits depend on by more than their error, none of them twice."""
    rows = problem.random_state("relevance").permutation(np.flatnonzero(problem.weight))[:ENOUGH]
    x = problem.x[rows]
    # half a turn of rows in random order pairs each with another
    others = np.roll(x, len(x) // 2, axis=0)
    is_influential = np.zeros(x.shape[1], dtype=bool)
    for scored in {id(one): one for one in outcome.best}.values():
        assert scored.fit is not None
        own = np.array([one is scored for one in outcome.best])
        evaluate = scored.fit.function.evaluate
        influence = np.sqrt(lost_variances(evaluate, evaluate(x), x, others)[:, own])
        is_influential |= np.any(influence > CLEARLY * scored.score.errors[own], axis=1)
    influential = np.flatnonzero(is_influential)
    independent = independent_features(problem.x[problem.weight > 0][:, influential])
    return tuple(int(influential[k]) for k in independent)


def independent_features(x: NDArray[np.float64]) -> tuple[int, ...]:
    """Features of points (n, d) that vary, and are no linear functions of those before them."""
    centred = x - x.mean(axis=0)
    size = np.linalg.norm(centred, axis=0)
    centred /= np.where(size > 0, size, 1.0)
    kept: list[int] = []
    for j in np.flatnonzero(size > 0):
        q = sla.orth(centred[:, kept]) if kept else np.zeros((len(x), 0))
        rest = centred[:, j] - q @ (q.T @ centred[:, j])
        if np.linalg.norm(rest) > HALF_DIGITS:
            kept.append(int(j))
    return tuple(kept)


def without_others(ladder: Ladder, features: tuple[int, ...], d: int) -> Ladder:
    """A ladder for the problem of some features as one for that of all d."""
    score = None
    while True:
        try:
            step = next(ladder) if score is None else ladder.send(score)
        except StopIteration:
            return
        score = yield step if isinstance(step, Preparation) else _lifted(step, features, d)


def _lifted(candidate: Candidate, features: tuple[int, ...], d: int) -> Candidate:
    def lift(fit: Fit) -> Fit:
        linear = fit.linear
        leverage = linear.leverage if isinstance(linear, PolynomialFit) else fit.leverage
        return replace(
            fit,
            function=OfFeatures(fit.function, features, d),
            linear=None if linear is None else _lifted_fit(linear, features, d),
            state=fit,
            leverage=leverage,
            exposure=fit.exposure and partial(_lifted_exposure, fit.exposure, features),
        )

    refit, held = candidate.refit, candidate.held
    others = ", ".join(str(j) for j in range(d) if j not in features)
    return replace(
        candidate,
        label=f"{candidate.label}, without features {others}",
        fit=lambda target, weight: lift(candidate.fit(target, weight)),
        refit=refit and (lambda fit, *data: lift(refit(fit.state, *data))),
        held=held and (lambda fit, *data: held(fit.state, *data)),
        neighbours=lambda: (_lifted(one, features, d) for one in candidate.neighbours()),
    )


def _lifted_exposure(
    exposure: Callable[[], tuple[NDArray[np.float64], Exposure]], features: tuple[int, ...]
) -> tuple[NDArray[np.float64], Exposure]:
    own, here = exposure()
    return own, ExposureOfFeatures(here, features)


def _lifted_fit(linear: LinearFit, features: tuple[int, ...], d: int) -> LiftedFit:
    kind = LiftedFormula if hasattr(linear, "left_out") else LiftedFit
    return kind(linear, features, d)


@dataclass(frozen=True)
class LiftedFit:
    """A least squares problem in functions of some features, as one in functions of all d."""

    linear: LinearFit
    features: tuple[int, ...]
    d: int

    @property
    def amplification(self) -> float:
        """Size of an error between the points of the fit over its size on them."""
        return self.linear.amplification

    def solve(self, target: NDArray[np.float64]) -> Any:
        """Modes closest to a target of shape (n, n_outputs)."""
        return OfFeatures(self.linear.solve(target), self.features, self.d)

    def extended(self, weight: NDArray[np.float64]) -> Self:
        """The same with all points of positive weight."""
        return replace(self, linear=self.linear.extended(weight))

    def basis(self) -> Any:
        """What may be added to its solutions."""
        return self.linear.basis()

    def leverages(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Leverages of points (n, d); 0 if they are not known."""
        own: Any = getattr(self.linear, "leverages", None)
        return np.zeros(len(x)) if own is None else np.asarray(own(of_features(x, self.features)))


class LiftedFormula(LiftedFit):
    """The same of one whose errors at rows left out have a closed form."""

    def left_out(
        self,
        residual: NDArray[np.float64],
        folds: Sequence[NDArray[np.intp]],
        rounding: float,
        edges: EdgePoints | None = None,
    ) -> LeftOut:
        """Residuals of fits without each fold, from those of the fit to all rows."""
        own: Any = self.linear
        edges = None if edges is None else edges.of_features(self.features)
        found: LeftOut = own.left_out(residual, folds, rounding, edges)
        return found
