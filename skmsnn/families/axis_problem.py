"""Functions along one axis of a complete grid, scored on whole lines that their fits have not seen.

On a complete grid the fit is a product of one projection for each axis, and to first order its
error at a fresh point is the sum of those along each axis alone. So each axis has its own race.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import svd_operations
from skmsnn._precision import EPS
from skmsnn.domain import uniform_spacing
from skmsnn.families.spectrum import which_stand_out
from skmsnn.linalg.nufft import nufft_type1
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Scored
from skmsnn.selection.entrant import Tried
from skmsnn.spaces.axes import AxisBasis, SplineAxis, WavesAxis
from skmsnn.validation.leave_out import Folds, grouped, left_out
from skmsnn.validation.plateau import is_ratio_of_noise, noise_level
from skmsnn.validation.score import Score

# Harmonics of a wave that may be seen as slower waves, and wave numbers in radians per unit that
# are the same: the data resolve pi / 2.
HARMONICS, SAME_WAVE = 20, 0.03


@dataclass(frozen=True, eq=False)
class AxisTrial:
    """Functions along an axis, and errors of a fit.

    Attributes
    ----------
    axis : AxisBasis
        The functions.
    errors, train_errors : ndarray of shape (n_outputs,)
        Root mean square residuals on unseen lines, and on those of the fit.
    leverage : float
        Share of noise that the fit follows.
    aliased : ndarray of shape (n_outputs,)
        Root mean square of waves that may be faster ones.
    """

    axis: AxisBasis
    errors: NDArray[np.float64]
    train_errors: NDArray[np.float64]
    leverage: float
    aliased: NDArray[np.float64]

    @property
    def size(self) -> int:
        """Number of functions."""
        return len(self.axis.singular_values)

    @cached_property
    def error(self) -> float:
        """Validation error of all outputs."""
        return float(np.sqrt(np.mean(self.errors**2)))

    @cached_property
    def train_error(self) -> float:
        """Training error of all outputs."""
        return float(np.sqrt(np.mean(self.train_errors**2)))

    @property
    def noise_level(self) -> float:
        """Noise that explains ``train_error``, if all of the residual is noise."""
        return noise_level(self.train_error, self.leverage)

    def of_output(self, j: int) -> AxisTrial:
        """The same for one output alone."""
        own = (self.errors[[j]], self.train_errors[[j]], self.leverage, self.aliased[[j]])
        return AxisTrial(self.axis, *own)


@dataclass(frozen=True, eq=False)
class AxisProblem:
    """Values along one axis, and how fits to them are scored: the scheme of its race.

    Attributes
    ----------
    feature : int
        The axis.
    nodes : ndarray of shape (n_nodes,)
        In scaled coordinates.
    columns : ndarray of shape (n_nodes, n_columns)
        Values along the axis, on lines across it or combinations of these.
    output : ndarray of shape (n_columns,)
        The output of each column.
    periodic : bool
        Whether the axis is.
    folds : Folds
        Nodes that are left out together.
    trials : list of AxisTrial
        All that were scored.
    """

    feature: int
    nodes: NDArray[np.float64]
    columns: NDArray[np.float64]
    output: NDArray[np.intp]
    periodic: bool
    folds: Folds
    trials: list[AxisTrial] = field(default_factory=list)

    def candidate(
        self,
        family: str,
        label: str,
        n_terms: int,
        make: Callable[[], AxisBasis],
        overhead: float = 0.0,
        operations: float | None = None,
        **more: Any,
    ) -> Candidate:
        """Functions along the axis as a candidate of its race."""

        def fit(target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
            return Fit(None, state=make())  # type: ignore[arg-type]

        if operations is None:
            operations = svd_operations(len(self.nodes), n_terms + 1)
            operations += 4.0 * self.columns.size * (n_terms + 1) + overhead
        label = f"feature {self.feature}: {label}"
        return Candidate(family, label, n_terms, operations, fit, **more)

    def score(self, candidate: Candidate, best: Sequence[Scored] = ()) -> Scored:
        """Fit a candidate, and score it on lines that its fits have not seen.

        One whose errors exceed those of the ``best`` with its parameters held is not fitted again.
        """
        fit = candidate.fit(self.columns, np.ones(len(self.nodes)))
        unseen, rest = residuals_along(fit.state, self.columns, self.folds, EPS)
        so_far = np.sqrt(self._by_output(unseen).mean(axis=0))
        may_win = not best or any(so_far[j] < s.score.errors[j] for j, s in enumerate(best))
        if candidate.refit is not None and may_win:
            unseen = np.maximum(np.abs(unseen), np.abs(self._refitted(candidate, fit)))
        aliased = np.zeros(self.columns.shape[1])
        if isinstance(fit.state, WavesAxis):
            aliased = self._aliased(fit.state)
            unseen = np.hypot(unseen, aliased)
        leverage = len(fit.state.singular_values) / len(self.nodes)
        if leverage >= 1 and not isinstance(fit.state, SplineAxis):
            # goes through any values, and its projection says nothing of what it does between
            unseen = np.full_like(unseen, np.inf)
        square, own = self._by_output(unseen), self._by_output(rest)
        train = np.sqrt(own.mean(axis=0))
        sure = np.sqrt(self._by_output(aliased[None])[0])
        trial = AxisTrial(fit.state, np.sqrt(square.mean(axis=0)), train, leverage, sure)
        self.trials.append(trial)
        rows, ones = np.arange(len(self.nodes)), np.ones(len(self.nodes))
        score = Score(rows, np.sqrt(square), ones, train, np.zeros(len(train)))
        return Scored(candidate, fit, score, len(self.nodes))

    def finish(self, scored: Scored) -> Scored:
        """Return it as it is: all nodes were used."""
        return scored

    def is_noise(self, scored: Scored, tried: dict[str, list[Tried]]) -> bool:
        """Whether no wave stands out of a residual, and errors are those of noise."""
        assert scored.fit is not None
        axis, score = scored.fit.state, scored.score
        if isinstance(axis, SplineAxis) or score.error == 0:
            return False
        leverage = len(axis.singular_values) / len(self.nodes)
        ratio = score.train_error / score.error
        return is_ratio_of_noise(ratio, leverage) and self.fastest_wave(axis) == 0

    def shows_faster_wave(self, scored: Scored) -> bool:
        """Whether a wave stands out of a residual that is faster than those of the candidate."""
        assert scored.fit is not None
        return self.fastest_wave(scored.fit.state) > scored.candidate.bandlimit > 0

    def fastest_wave(self, axis: AxisBasis) -> int:
        """Periods over the nodes of the fastest wave that stands out of a residual; or 0.

        Its spectrum, under a Hann window, has at noise the size of its median everywhere.
        """
        nodes = self.nodes
        quadrature = np.gradient(nodes) * (1 + np.cos(np.pi * nodes))
        most = len(nodes)
        power = np.zeros(most + 1)
        for column in _rest(axis, self.columns).T:
            waves = nufft_type1([np.pi * nodes], quadrature * column, (most,))
            power += np.abs(waves[most:]) ** 2
        # half the wave numbers of e^(i pi k x): beyond, the nodes do not tell them apart
        power = power[: most // 2 + 1]
        return int(np.flatnonzero(which_stand_out(power)).max(initial=0))

    def _aliased(self, axis: WavesAxis) -> NDArray[np.float64]:
        """Root mean square of waves (n_columns,) that may be harmonics of others beyond Nyquist.

        On evenly spaced nodes the harmonic ``k w`` has the values of a slower wave.
        """
        spacing = uniform_spacing(self.nodes)
        basis = axis.basis
        n_waves, limit = len(basis.wave_numbers), np.inf
        if spacing is not None and spacing > 0:
            limit = np.pi / spacing
        c = axis.to_functions(axis.analyse(self.columns, 0), 0)[basis.degree + 1 :]
        square = (c[:n_waves] ** 2 + c[n_waves:] ** 2) / 2
        waves, size = np.abs(basis.wave_numbers), square.sum(axis=1)
        harmonics = np.arange(2, HARMONICS)[:, None] * waves
        with np.errstate(invalid="ignore"):
            seen = np.abs(harmonics - 2 * limit * np.rint(harmonics / (2 * limit)))
        seen[~(harmonics > limit)] = np.inf
        is_aliased = [
            bool(np.any(np.abs(seen - wave)[:, size > own] < SAME_WAVE))
            for wave, own in zip(waves, size, strict=True)
        ]
        return np.asarray(np.sqrt(square[is_aliased].sum(axis=0)))

    def _by_output(self, rest: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean squares of columns of the same output; shape (n_nodes, n_outputs)."""
        n_columns = np.bincount(self.output)
        square = np.zeros((len(rest), len(n_columns)))
        np.add.at(square.T, self.output, (rest**2).T)
        return square / n_columns

    def _refitted(self, candidate: Candidate, fit: Fit) -> NDArray[np.float64]:
        """Residuals on unseen lines where all parameters are fitted without these."""
        assert candidate.refit is not None
        unseen = np.zeros_like(self.columns)
        for out in grouped(self.folds.folds)[: candidate.n_folds]:
            weight = np.ones(len(self.nodes))
            weight[out] = 0.0
            others = np.flatnonzero(weight)
            axis = candidate.refit(fit, self.columns, weight).state
            influence = axis.influence(self.nodes[out])(np.arange(len(others)))
            unseen[out] = self.columns[out] - influence @ self.columns[others]
        return unseen[self.folds.proxy_line]


def residuals_along(
    axis: AxisBasis, columns: NDArray[np.float64], folds: Folds, rounding: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Residuals of a fit along an axis on unseen lines, and on its own."""
    if isinstance(axis, SplineAxis):
        return axis.left_out(columns, folds), np.zeros_like(columns)
    # twice: the next stage takes some of the rounding
    rest = _rest(axis, _rest(axis, columns))
    return left_out(rest, axis, folds, rounding), rest


def _rest(axis: AxisBasis, columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Residual of a fit along an axis of values on all of its nodes."""
    return columns - axis.synthesise(axis.analyse(columns, 0), 0)


def ladder_of(candidates: Iterable[Candidate]) -> Ladder:
    """Candidates one after the other, whatever their scores."""
    # a generator, which can be sent scores
    yield from (candidate for candidate in candidates)
