"""Data in chunks: every stage is one pass that sums over the points.

Where the function is periodic, the sums are the Toeplitz kernel and the right-hand side; elsewhere
the triangle of a QR factorisation, merged chunk by chunk. All else is small, and done by the
caller's own process. Held-out points are few among so many, and never join the fit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH, FAR, FEW
from skmsnn.domain import Domain, check_periods
from skmsnn.families.fourier import Fourier
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import HeldOut, Watch
from skmsnn.selection.stages import StageFit
from skmsnn.selection.trace import Trace
from skmsnn.sources.arrays import Choices
from skmsnn.sources.base import ValuesAlone
from skmsnn.sources.chunks import ChunkedData
from skmsnn.sources.problems import DenseProblem, PeriodicProblem, best_on_sample
from skmsnn.sources.rows import Rows
from skmsnn.sources.sums import (
    Summary,
    Triangle,
    View,
    WaveSums,
)
from skmsnn.stage import Stage, epsilon
from skmsnn.validation.diagnosis import looks_like_noise, reason_of_limit
from skmsnn.validation.leave_out import weighted_rms
from skmsnn.validation.levels import features_of_few_levels
from skmsnn.validation.local import Unseen
from skmsnn.validation.reasons import StopReason
from skmsnn.validation.rounding import relative_rounding


class ChunkSource(ValuesAlone):
    """Data in chunks, as dask arrays, which a pass over them sees one by one.

    Parameters
    ----------
    data : ChunkedData
        The data.
    validation : Rows or None
        Points to hold out in place of a share.
    choices : Choices
        How points are taken.
    recipe : StageOptions
        What the first stage may be.
    rng : RandomState
        Draws the rows on which spaces are tried.

    Raises
    ------
    ValueError
        If there are too few points, or those held out have nearly all of the weight.
    """

    def __init__(
        self,
        data: ChunkedData,
        validation: Rows | None,
        choices: Choices,
        recipe: StageOptions,
        rng: np.random.RandomState,
    ) -> None:
        self._data = data
        summary = data.gather(Summary.of)
        if summary.n_points < FEW:
            raise ValueError(
                f"Found {summary.n_points} samples of positive weight in dask arrays; at least "
                f"{FEW} are needed. Fit so few as NumPy arrays."
            )
        self.n_points = summary.n_points
        self.scaling = scaling = summary.scaling
        box = np.stack([summary.low, summary.high])
        period = None if isinstance(choices.period, str) else choices.period
        self.domain = domain = Domain.of(box, check_periods(period, box))
        sample = summary.sample
        self.levels = features_of_few_levels(sample.X, domain.periodic)
        self.x = domain.scale(sample.X)
        points = HeldOut(self.x, scaling.target(sample.y), sample.weight)
        self._rounding = relative_rounding(sample.y, scaling.scale)
        fraction = choices.fraction if choices.early_stopping else 0.0
        n_held = min(ENOUGH, round(fraction * summary.n_points), len(sample.key) - 1)
        n_held = 0 if validation is not None else n_held
        tried = HeldOut(*(a[n_held:] for a in points))
        self.asks_unseen = n_held > 0 or validation is not None
        # where none is held out the sample is judged by itself
        own = HeldOut(*(a[:n_held] for a in points)) if n_held else tried
        self._validation = own
        if validation is not None:
            x, target = domain.scale(validation.X), scaling.target(validation.y)
            self._validation = HeldOut(x, target, validation.weight)
        least_key = float(sample.key[n_held]) if n_held else 0.0
        self._view = View(domain, scaling, least_key)
        n_points = summary.n_points - n_held
        fitted = 1 - float(own.weight.sum()) / summary.weight if n_held else 1.0
        if fitted * FAR < n_points / summary.n_points:  # hardly anything is left to be fitted
            raise ValueError(
                f"The {n_held} points held out have all but {fitted:.1e} of sample_weight, and in "
                "fits of dask arrays they do not join the fit; give weights that differ less, "
                "points to hold out as X_val, or early_stopping=False."
            )
        self._choice = Trace()
        trial = best_on_sample(domain, tried, self._validation, recipe, rng, self._choice)
        self._problem: PeriodicProblem | DenseProblem
        is_fast = domain.periodic.all() and data.n_features <= MOST_DIMENSIONS
        if is_fast and Fourier.name in recipe.families:
            self._problem = PeriodicProblem(trial, n_points, tried, self._validation)
        else:
            self._problem = DenseProblem(trial, n_points, summary.largest_weight)
        self._sums: WaveSums | Triangle = self._problem.gather(data, self._view)
        self._size = self._rms(self._sums) or 1.0
        self.norm = self._rms(self._sums) / self._size
        weight = self._validation.weight
        self.error = weighted_rms(self._rest(), weight) / self._size
        self.round_off, self.near_round_off = scaling.round_off
        self.scatter = np.zeros(data.n_outputs)
        asks = choices.early_stopping and validation is None
        self.points_between_levels = self.x if asks else None
        self._remaining: tuple[StageFit, View, WaveSums | Triangle] | None = None

    def resume(self, before: Any) -> None:
        """Nothing of an earlier fit is kept."""

    def best_stage(self, options: StageOptions, watch: Watch, trace: Trace) -> StageFit:
        """The stage of least squares for the residual, from the sums of the last pass."""
        eps = epsilon(self._sums.square / self._sums.weight)
        # the first stage has the space that was chosen on a sample
        trace.rows += self._choice.rows
        self._choice = Trace()
        solution = self._problem.solve(self._sums, self._rest(), trace)  # type: ignore[arg-type]
        stage = Stage(eps, solution.modes.scaled(1 / eps), solution.family)
        rest = stage.residual(self._rest(), self._validation.x)
        return StageFit(
            stage,
            stage,
            weighted_rms(rest, self._validation.weight) / self._size,
            [1.0],
            f"least squares over {solution.label}",
            is_noise=solution.has_plateaued and looks_like_noise(self._validation.x, rest),
        )

    def norm_after(self, fit: StageFit) -> float:
        """RMS of the residual at all points if that stage were subtracted: a pass over them."""
        return self._rms(self._after(fit)[1]) / self._size

    def subtract(self, fit: StageFit) -> None:
        """Go on with what a stage leaves."""
        self._view, self._sums = self._after(fit)
        self.norm, self.error = self._rms(self._sums) / self._size, fit.error

    def unseen(self, fit: StageFit) -> Unseen | None:
        """What the model leaves at the validation points, if they are held out."""
        return Unseen(self._validation.x, self._rest()) if self.asks_unseen else None

    def is_deceptive(self, fit: StageFit) -> bool:
        """Never: on chunks no grid is sought."""
        return False

    def reason_of_limit(self, fit: StageFit) -> StopReason:
        """What the data lack, from what the validation points show."""
        x, target, _ = self._validation
        problem = (self.domain, None, x, target)
        return reason_of_limit(*problem, self.error, fit.is_noise, rounding=self._rounding)

    def _after(self, fit: StageFit) -> tuple[View, WaveSums | Triangle]:
        if self._remaining is None or self._remaining[0] is not fit:
            view = replace(self._view, stages=(*self._view.stages, fit.stage))
            self._remaining = fit, view, self._problem.gather(self._data, view)
        return self._remaining[1:]

    @staticmethod
    def _rms(sums: WaveSums | Triangle) -> float:
        return float(np.sqrt(np.mean(sums.square / sums.weight)))

    def _rest(self) -> NDArray[np.float64]:
        return self._view.residual(self._validation.x, self._validation.target)
