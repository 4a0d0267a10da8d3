"""One stage: the residual, normalised, and stages made of fits to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, ENOUGH, EQUAL, FAR
from skmsnn._precision import EPS, ROUND_OFF
from skmsnn.families.base import HeldOut, Split, Trial, leave_one_out
from skmsnn.families.ladders import MIN_OVERSAMPLING
from skmsnn.families.recipe import StageOptions
from skmsnn.functions import LinearExpansion
from skmsnn.linalg.nearest import Nearest
from skmsnn.spaces.base import LinearFit
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.p_norm import correction
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.stage import Stage, epsilon
from skmsnn.validation.diagnosis import looks_like_noise
from skmsnn.validation.leave_out import EdgePoints, LeftOut, weighted_rms
from skmsnn.validation.split import DataSplit, Residuals

Watch = Callable[[int, float, float], None]


def unwatched(iteration: int, train: float, held_out: float) -> None:
    """A look at a part of the data shows no progress."""


@dataclass(frozen=True)
class SpectralFit:
    """A set of modes with its factorisations, for the stages that refine it."""

    trial: Trial
    full: LinearFit


@dataclass(frozen=True)
class StageFit:
    """A fitted stage.

    Attributes
    ----------
    stage, train_stage : Stage
        Fitted to all points, and to the training share only.
    error : float
        Root mean square of what ``train_stage`` leaves on the judging points.
    loss_curve : list of float
        Loss of the normalised residual at each iteration.
    message : str
        How it ended.
    spectral : SpectralFit or None
        What a next stage may refine.
    is_noise : bool
        Whether the residual that the stage leaves is white.
    unseen : LeftOut or None
        What it leaves at points that it has not seen; None where only its own are known.
    points : DataSplit or None
        How the points were shared out for it, where that was not as they were given.
    in_gaps : float
        How unsure it is in wide gaps between the points.
    apart : tuple of StageFit
        Those of each output, where it is made of them.
    accepted : bool or None
        Whether it is to be kept, where outputs have told that one by one: what is left of all
        together says nothing of those of which little is left.
    is_final : bool
        Whether no further stage can help.
    """

    stage: Stage
    train_stage: Stage
    error: float
    loss_curve: list[float]
    message: str
    spectral: SpectralFit | None = None
    is_noise: bool = False
    n_iter: int = 1
    unseen: LeftOut | None = None
    points: DataSplit | None = None
    in_gaps: float = 0.0
    apart: tuple[StageFit, ...] = ()
    accepted: bool | None = None
    is_final: bool = False

    def in_units_of(self, size: float) -> StageFit:
        """The same, ``error`` and ``in_gaps`` relative to a size."""
        return replace(self, error=self.error / size, in_gaps=self.in_gaps / size)


class StageFitter:
    """The residuals of one stage, normalised, and the ways to fit them."""

    def __init__(
        self,
        recipe: StageOptions,
        points: DataSplit,
        residuals: Residuals,
        rng: np.random.RandomState,
        watch: Watch,
        follows_network: bool = False,
    ) -> None:
        self.follows_network = follows_network
        #: What functions for rough data leave, which a long search asks for.
        self.left_by_rough: Callable[[], float] = lambda: np.inf
        self.recipe, self.points, self.rng, self.watch = recipe, points, rng, watch
        self.train_scale = epsilon(np.average(residuals.train**2, axis=0, weights=points.train))
        self.full_scale = epsilon(np.average(residuals.full**2, axis=0, weights=points.full))
        self.train = residuals.train / self.train_scale
        self.full = residuals.full / self.full_scale
        asked = points.validation_points
        self.held_out = HeldOut(asked.x, residuals.validation / self.train_scale, asked.weight)
        self.split = Split(points.x, self.train, points.train, self.held_out)
        self.size = float(np.sqrt(np.mean(self.train_scale**2)))
        self.full_size = float(np.sqrt(np.mean(self.full_scale**2)))
        rounding = EPS / self.full_size
        self.whole = Split(points.x, self.full, points.full, None, rounding, points.beside)
        self.has_no_holdout = not np.any(points.train != points.full)

    @cached_property
    def between(self) -> NDArray[np.float64]:
        """Points between those of the data: half way to any point of the box from the nearest."""
        anywhere = self.rng.uniform(-1, 1, (ENOUGH, self.points.x.shape[1]))
        nearest = self.points.x[Nearest(self.points.x).query(anywhere)[1][:, 0]]
        return nearest + 0.5 * (anywhere - nearest)

    def agrees(self, network: StageFit, spectral: StageFit) -> bool:
        """Whether a network is between the points no further from the spectral fit than that errs.

        Lines and points that were held out do not see what it does elsewhere.
        """
        one, other = (fit.stage.predict(self.between) for fit in (network, spectral))
        away = float(np.sqrt(np.mean((one - other) ** 2)))
        return away <= FAR * max(spectral.error, network.error)

    @property
    def asks_unseen(self) -> bool:
        """Whether fits to all points tell what they leave unseen, and none is held out for it.

        What a network leaves it has left on held-out points, too.
        """
        return self.points.leaves_out and not self.follows_network

    def stage_of(
        self,
        trial: Trial,
        previous: SpectralFit | None = None,
        anew: LinearFit | None = None,
    ) -> StageFit:
        """The stage of a fit on trial.

        ``anew`` is what was found of all points, where that is not the space of the fit on trial.
        """
        if trial.unseen is not None:
            return self._of_all_points(trial)
        return self._validated(trial, previous, anew)

    def _validated(
        self, trial: Trial, previous: SpectralFit | None, anew: LinearFit | None
    ) -> StageFit:
        """The stage of a fit to the training share, and of the same to all points."""
        assert trial.fit is not None
        modes = self.in_p_norm(trial.modes, trial.fit, self.split, self.size)
        stage = train_stage = Stage(self.train_scale, modes, trial.candidate.family)
        full_fit = trial.fit
        if not self.has_no_holdout:
            full_fit = anew or (previous.full if previous else trial.fit.extended(self.points.full))
            stage = self._refitted(full_fit, trial.candidate.family)
        rest = self.train - trial.modes.evaluate(self.points.x)
        foreseen = trial.train_error / trial.holdout_rmse if trial.holdout_rmse > 0 else 0.0
        is_noise = self._is_noise(trial, foreseen, rest, self.points.train > 0)
        error = trial.error
        if train_stage.function is not trial.modes:
            error = max(error, self.validation_error_of(train_stage))
        return StageFit(
            stage,
            train_stage,
            error * self.size,
            [1.0, trial.train_error],
            f"least squares over {trial.candidate.label}",
            SpectralFit(trial, full_fit),
            is_noise,
            # only networks ask for it, and they come first or not at all
            unseen=self._left_out_of(trial, rest) if previous is None else None,
        )

    def _refitted(self, fit: LinearFit, family: str) -> Stage:
        """The space that was chosen, solved once more on all points."""
        modes = self.in_p_norm(fit.solve(self.full), fit, self.whole, self.full_size)
        return Stage(self.full_scale, modes, family)

    def in_p_norm(
        self,
        modes: LinearExpansion,
        fit: LinearFit,
        data: Split,
        size: float,
        p: float | None = None,
    ) -> LinearExpansion:
        """The fit of least p-norm, from that of least squares, unless that leaves but rounding."""
        p = self.recipe.options.p if p is None else p
        rest = data.target - modes.evaluate(data.x)
        if p == 2 or weighted_rms(rest, data.train) * size <= ROUND_OFF:
            return modes
        basis = fit.basis()
        more: Any = basis.modes(correction(basis, rest, data.train, p))
        return modes.plus(more)

    def validation_error(self, values: NDArray[np.float64]) -> float:
        """What normalised values at the held-out points leave there."""
        return self.held_out.rmse(values)

    def validation_error_of(self, stage: Stage) -> float:
        """The same of a stage of the training share."""
        return self.validation_error(stage.predict(self.held_out.x) / self.train_scale)

    def _left_out_of(self, trial: Trial, rest: NDArray[np.float64]) -> LeftOut | None:
        """Leave-one-out residuals of the training share, or None."""
        if self.points.held_out is None or not isinstance(trial.fit, DenseFit | PolynomialFit):
            return None
        fits: list[Any] = [trial.fit]
        if isinstance(trial.fit, DenseFit):
            fits = [*trial.fit.linearised(trial.modes)]
        of_fits = [leave_one_out(fit, self.points.train) for fit in fits]
        parts = np.split(rest, len(fits), axis=1)
        left = [
            of_fit(part, part, self.split.rounding)
            for of_fit, part in zip(of_fits, parts, strict=True)
        ]
        residual = np.concatenate([one.residual for one in left], axis=1)
        return LeftOut(left[0].rows, residual * self.train_scale)

    def _of_all_points(self, trial: Trial) -> StageFit:
        """The stage of a fit to all points, that tells what it leaves unseen."""
        assert trial.fit is not None
        assert trial.unseen is not None
        modes = self.in_p_norm(trial.modes, trial.fit, self.whole, self.full_size)
        stage = Stage(self.full_scale, modes, trial.candidate.family)
        rest = self.full - trial.modes.evaluate(self.points.x)
        unseen = trial.unseen(self.full, rest, self.whole.rounding)
        rows, left, _ = unseen
        error = trial.error
        if modes is not trial.modes:
            # what the fit of least squares leaves unseen, and the way from there to this one
            moved = self.full - modes.evaluate(self.points.x) - rest
            left = left + moved[rows]
            error = unseen._replace(residual=left).error(self.points.full)
        # typical too, not root mean square alone: few points at the edge say nothing of noise
        typical = [float(np.median(np.abs(a))) for a in (rest[rows], left)]
        pairs = [(trial.train_error, trial.holdout_rmse), typical]
        foreseen = max(own / unseen if unseen > 0 else 0.0 for own, unseen in pairs)
        is_noise = self._is_noise(trial, foreseen, rest, self.points.full > 0)
        return StageFit(
            stage,
            stage,
            error * self.full_size,
            [1.0, trial.train_error],
            f"least squares over {trial.candidate.label}",
            SpectralFit(trial, trial.fit),
            is_noise,
            unseen=LeftOut(rows, left * self.full_scale),
            in_gaps=self._unsure_in_gaps(trial, rest) * self.full_size,
        )

    def _unsure_in_gaps(self, trial: Trial, rest: NDArray[np.float64]) -> float:
        """How unsure a fit is where points leave wide gaps: the jackknife."""
        points, fit = self.points.gaps, trial.fit
        if points is None or not isinstance(fit, DenseFit | PolynomialFit):
            return 0.0
        left_out = leave_one_out(fit, self.points.full, EdgePoints(points, 1.0))
        return left_out(self.full, rest, self.whole.rounding).beside

    def _is_noise(
        self, trial: Trial, foreseen: float, rest: NDArray[np.float64], used: NDArray[np.bool_]
    ) -> bool:
        """Whether a fit leaves white noise, as far as it can be told.

        A fit that follows what it cannot resolve leaves little on its own points: ``foreseen`` is
        the ratio of what it leaves there to what it leaves of unseen ones. Where that is what noise
        makes it no larger set will leave less.
        """
        if not leaves_as_of_noise(foreseen, trial.leverage, AS_GOOD):
            return False
        more_is_no_help = trial.has_plateaued or leaves_as_of_noise(foreseen, trial.leverage)
        x, rest = self.points.x[used], rest[used]
        return more_is_no_help and looks_like_noise(x, rest, trial.leverage)


def leaves_as_of_noise(foreseen: float, leverage: float, within: float = EQUAL) -> bool:
    """Whether what fits leave, own points over unseen ones, is what they leave of noise.

    K modes leave sqrt(1 - K/n) of it on their n points, and 1 / sqrt(1 - K/n) on others. Fits that
    follow most of it cannot tell.
    """
    return leverage * MIN_OVERSAMPLING < 1 and foreseen * within > 1 - leverage
