"""The validation scheme of a data set: the rows on which every candidate is scored.

Few scattered points, and the nodes of a line, are left out in folds, and each fold is predicted by
a fit to the others: in closed form if a candidate is linear in its parameters, and otherwise by
fitting all of its parameters again. A candidate that is too costly for that is fitted without the
first fold alone, and compared with others on the rows of that fold. Of many points a share is held
out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._shape import of_features
from skmsnn._time_limit import time_is_up
from skmsnn.selection.candidate import Candidate, Fit, Scored
from skmsnn.spaces.sampling import sampling_order, weight_at
from skmsnn.validation.leave_out import EdgePoints, LeftOut, grouped
from skmsnn.validation.score import Score

# Fewer points are left out one by one: a fold of several would be too large a share of them.
FEWEST_IN_FOLDS = 60


class Scheme(Protocol):
    """What scores candidates."""

    def score(self, candidate: Candidate, best: Sequence[Scored] = ()) -> Scored:
        """Fit a candidate, and score it on rows that its fits have not seen.

        Refits of one that cannot become better than the ``best`` of each output may end early.
        """

    def finish(self, scored: Scored) -> Scored:
        """Fit a candidate to all of its rows, if that was not done for its score."""


def folds_of(
    weight: NDArray[np.float64], held: NDArray[np.intp] | None, seed: int
) -> list[NDArray[np.intp]]:
    """Share the rows of positive weight out into folds as large as the first, ``held``."""
    rows = np.flatnonzero(weight)
    if held is None or len(rows) < FEWEST_IN_FOLDS:
        singles = [np.array([row]) for row in rows]
        return singles if held is None else [held, *(s for s in singles if s[0] not in held)]
    others = np.random.default_rng(seed).permutation(np.setdiff1d(rows, held))
    n_folds = max(1, round(len(others) / len(held)))
    return [held, *(np.sort(others[k::n_folds]) for k in range(n_folds))]


@dataclass(frozen=True)
class FoldScheme:
    """Cross-validation.

    Attributes
    ----------
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Points, targets and weights.
    folds : list of ndarray
        Rows that are left out together.
    held : ndarray or None
        Rows that are held out from costly candidates.
    edges : EdgePoints or None
        The most exposed of fresh points.
    rounding : float
        Precision of the target.
    levels : list of ndarray
        Rows at inner levels of a feature that has few, which are left out together besides.
    proxy : ndarray of shape (n,) or None
        The row that stands for each in the score, where some are in no fold.
    """

    x: NDArray[np.float64]
    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    folds: list[NDArray[np.intp]]
    held: NDArray[np.intp] | None
    edges: EdgePoints | None
    rounding: float
    levels: list[NDArray[np.intp]] = field(default_factory=list)
    proxy: NDArray[np.intp] | None = None

    def of_features(self, features: tuple[int, ...]) -> Self:
        """The same for functions of some features."""
        edges = None if self.edges is None else self.edges.of_features(features)
        return replace(self, x=of_features(self.x, features), edges=edges)

    def score(self, candidate: Candidate, best: Sequence[Scored] = ()) -> Scored:
        """Fit a candidate, and score it on rows that its fits have not seen.

        The refits of one end once its errors on the folds so far, or those at its own rows, exceed
        those of the ``best`` of each output on all rows: it cannot become better. So do those where
        the errors of rows that are left out with nonlinear parameters held, which have seen them,
        are larger.
        """
        if candidate.preview is not None:
            train, rows, residual = candidate.preview
            score = Score(rows, residual, self.weight[rows], train, np.zeros(len(train)))
            return Scored(candidate, None, score, int(np.count_nonzero(self.weight)))
        if candidate.n_folds == 1 and (self.held is not None or self.folds):
            return self._without_holdout(candidate)
        fit = candidate.fit(self.target, self.weight)
        rest = self.target - fit.function.evaluate(self.x)
        train = _rms(rest, self.weight)
        n_rows = int(np.count_nonzero(self.weight))
        most = self._errors_of(best)
        least = train
        if candidate.held is not None:
            used = self.weight > 0
            held = candidate.held(fit, self.target, self.weight)[used]
            least = np.maximum(train, _rms(held, self.weight[used]))
        most = np.where(least > most, 0.0, most)
        rows, residual, exposed = self._left_out(candidate, fit, rest, self.folds, self.edges, most)
        if self.levels:
            own, between, _ = self._left_out(candidate, fit, rest, self.levels, None, most)
            exposed = np.maximum(exposed, _rms(between, self.weight[own]))
        # of few folds the error may be small by chance
        exposed = np.where(most > 0, exposed, np.maximum(exposed, least))
        score = self._score(rows, residual, train, exposed)
        n_held = sum(map(len, self.folds))
        saved = 1 - len(rows) / n_held if n_held and candidate.refit is not None else 0.0
        share = 1 - candidate.of_refits * max(0.0, saved)
        return Scored(candidate, fit, score, n_rows, share=share)

    def _left_out(
        self,
        candidate: Candidate,
        fit: Fit,
        rest: NDArray[np.float64],
        folds: list[NDArray[np.intp]],
        edges: EdgePoints | None,
        most: NDArray[np.float64],
    ) -> LeftOut:
        """Errors on folds that are left out in turn, in closed form where there is one.

        Refits end once the error of every output is certain to exceed the ``most`` of it.
        """
        if not folds and not hasattr(fit.linear, "folds"):  # too few to leave some out
            rows = np.flatnonzero(self.weight)
            return LeftOut(rows, rest[rows], np.zeros(rest.shape[1]))
        closed: Any = getattr(fit.linear, "left_out", None)
        if candidate.refit is None and closed is not None:
            found: LeftOut = closed(rest, folds, self.rounding, edges)
            return found
        residual = np.zeros_like(self.target)
        points = edges.points if edges is not None else self.x[:0]
        at_edges = fit.function.evaluate(points)
        changes = np.zeros_like(at_edges)
        square, total = np.zeros(self.target.shape[1]), self.weight[np.concatenate(folds)].sum()
        done = []
        folds = grouped(folds)
        if self.proxy is not None and candidate.tests_ends(fit):
            folds = [*folds, *np.flatnonzero(self.proxy != np.arange(len(self.x)))[:, None]]
        for fold in folds[: candidate.n_folds]:
            weight = self.weight.copy()
            weight[fold] = 0.0
            other = self._refit(candidate, fit, weight)
            # of a pair that mirrors each other along a line, one row alone tells nothing
            if candidate.held is None or self.proxy is not None:
                residual[fold] = self.target[fold] - other.function.evaluate(self.x[fold])
            else:
                residual[fold] = candidate.held(other, self.target, self.weight)[fold]
            changes += (other.function.evaluate(points) - at_edges) ** 2
            done.append(fold)
            square += self.weight[fold] @ residual[fold] ** 2
            if time_is_up() or not np.any(square <= total * most**2):
                break
        rows = np.sort(np.concatenate(done))
        exposed = np.zeros(self.target.shape[1])
        if edges is not None:
            exposed = np.sqrt(edges.shares @ changes * len(folds) / len(done))
        return LeftOut(rows, residual[rows], exposed)

    def _errors_of(self, best: Sequence[Scored]) -> NDArray[np.float64]:
        """Errors of the best of each output; infinite if they are not known on all rows."""
        n_rows = sum(map(len, self.folds)) if self.proxy is None else len(self.x)
        if not best or any(len(scored.score.rows) < n_rows for scored in best):
            return np.full(self.target.shape[1], np.inf)
        return np.array([scored.score.errors[j] for j, scored in enumerate(best)])

    def _refit(self, candidate: Candidate, fit: Fit, weight: NDArray[np.float64]) -> Fit:
        if candidate.refit is None:
            return candidate.fit(self.target, weight)
        return candidate.refit(fit, self.target, weight)

    def finish(self, scored: Scored) -> Scored:
        """Fit a candidate after a preview."""
        if scored.fit is not None:
            return scored
        return replace(scored, fit=scored.candidate.fit(self.target, self.weight))

    def _without_holdout(self, candidate: Candidate) -> Scored:
        held = self.folds[0] if self.held is None else self.held
        weight = self.weight.copy()
        weight[held] = 0.0
        fit = candidate.fit(self.target, weight)
        rest = self.target - fit.function.evaluate(self.x)
        score = self._score(held, rest[held], _rms(rest, weight), np.zeros(rest.shape[1]))
        return Scored(candidate, fit, score, int(np.count_nonzero(weight)), is_partial=True)

    def _score(
        self,
        rows: NDArray[np.intp],
        residual: NDArray[np.float64],
        train: NDArray[np.float64],
        exposed: NDArray[np.float64],
    ) -> Score:
        if self.proxy is None or len(rows) < sum(map(len, self.folds)):
            return Score(rows, residual, self.weight[rows], train, exposed)
        place = np.full(len(self.x), -1)
        place[rows] = np.arange(len(rows))
        here = np.where(place >= 0, place, place[self.proxy])
        everywhere = np.flatnonzero(here >= 0)
        return Score(
            everywhere, residual[here[everywhere]], self.weight[everywhere], train, exposed
        )


@dataclass(frozen=True)
class HoldoutScheme:
    """Points that are held out from every fit.

    Attributes
    ----------
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        All points and their targets; weight 0 for those that are held out.
    x_val, target_val, weight_val : ndarray
        The held-out points, which may be among the others or not.
    rows : ndarray
        Numbers of the held-out points in comparisons.
    is_partial : bool
        Whether the held-out points join a last fit.
    edges : EdgePoints or None
        The most exposed of fresh points.
    """

    x: NDArray[np.float64]
    target: NDArray[np.float64]
    weight: NDArray[np.float64]
    x_val: NDArray[np.float64]
    target_val: NDArray[np.float64]
    weight_val: NDArray[np.float64]
    rows: NDArray[np.intp]
    is_partial: bool
    edges: EdgePoints | None = None

    def of_features(self, features: tuple[int, ...]) -> Self:
        """The same for functions of some features."""
        edges = None if self.edges is None else self.edges.of_features(features)
        x, x_val = (of_features(a, features) for a in (self.x, self.x_val))
        return replace(self, x=x, x_val=x_val, edges=edges)

    def score(self, candidate: Candidate, best: Sequence[Scored] = ()) -> Scored:
        """Fit a candidate, and score it on rows that its fits have not seen."""
        if candidate.preview is not None:
            train, _, residual = candidate.preview
            score = Score(self.rows, residual, self.weight_val, train, np.zeros(len(train)))
            n_rows = int(np.count_nonzero(self.weight))
            return Scored(candidate, None, score, n_rows, self.is_partial)
        weight = self._weight_of_trial(candidate)
        return self.scored(candidate, candidate.fit(self.target, weight), weight)

    def finish(self, scored: Scored) -> Scored:
        """Fit a candidate to all rows, where its score is that of a fit to some or a preview."""
        candidate, fit = scored.candidate, scored.fit
        if fit is None:
            fit = candidate.fit(self.target, self.weight)
        elif self._weight_of_trial(candidate) is not self.weight:
            assert fit.linear is not None
            linear = fit.linear.extended(self.weight)
            fit = Fit(linear.solve(self.target), linear)
        else:
            return scored
        return self.scored(candidate, fit, self.weight)

    def _weight_of_trial(self, candidate: Candidate) -> NDArray[np.float64]:
        used = np.flatnonzero(self.weight)
        if candidate.trial_rows is None or candidate.trial_rows >= len(used):
            return self.weight
        order = sampling_order(self.x, used, np.random.default_rng(0))
        return weight_at(order[: candidate.trial_rows], self.weight)

    def scored(self, candidate: Candidate, fit: Fit, weight: NDArray[np.float64]) -> Scored:
        """Score a fit to the points of these weights."""
        rows = np.flatnonzero(weight)
        values = fit.function.evaluate(self.x[rows])
        train = _rms(self.target[rows] - values, weight[rows])
        # errors between the nodes of a grid are larger than on them
        train = train * getattr(fit.linear, "amplification", 1.0)
        residual = self.target_val - fit.function.evaluate(self.x_val)
        exposed = self._exposed(fit, residual)
        score = Score(self.rows, residual, self.weight_val, train, exposed)
        return Scored(candidate, fit, score, len(rows), self.is_partial)

    def _exposed(self, fit: Fit, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """Uncertainty at the edges, which grows with leverage from that at held-out points."""
        has_edges = self.edges is not None and len(self.edges.points) and len(self.x_val)
        leverages: Any = getattr(fit.linear, "leverages", None)
        if not has_edges or leverages is None:
            return np.zeros(residual.shape[1])
        assert self.edges is not None
        few = slice(None, None, -(-len(self.x_val) // len(self.edges.points)))
        unseen = leverages(self.x_val[few])
        variance = np.mean(residual[few] ** 2 / (1 + unseen[:, None]), axis=0)
        at_edges = self.edges.shares @ leverages(self.edges.points)
        return np.asarray(np.sqrt(at_edges * variance))


def _rms(rest: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(weight @ rest**2 / weight.sum()))
