"""Fitting one stage: candidates for its function, judged on held-out points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial import KDTree

from skmsnn._diagnosis import FEW_POINTS, looks_like_noise
from skmsnn._domain import Domain, Grid
from skmsnn._holdout import LEAST_NODES, LEAST_NODES_OF_PAIRS
from skmsnn._initialisation import Spectrum, initialise
from skmsnn._network import StageNetwork
from skmsnn._solvers import SolverOptions
from skmsnn._spectrum.candidates import Candidate, LinearFit, Modes, candidates
from skmsnn._spectrum.dominant import dominant_modes
from skmsnn._spectrum.extension import DenseFit, Frame
from skmsnn._spectrum.grid_selection import select_on_grid
from skmsnn._spectrum.lattice import FourierModes
from skmsnn._spectrum.leave_out import NOTHING_BESIDE, Beside, LeftOut, weighted_rms
from skmsnn._spectrum.p_norm import correction
from skmsnn._spectrum.polynomial import PolynomialFit
from skmsnn._spectrum.polynomial_selection import select_polynomial
from skmsnn._spectrum.pursuit import pursue, thinned
from skmsnn._spectrum.selection import (
    HeldOut,
    Split,
    Trial,
    foresees_more,
    leave_one_out,
    refine,
    select_modes,
)
from skmsnn._stage import (
    NetworkWeights,
    Points,
    Stage,
    Training,
    evaluate,
    no_worse_than_mean,
    solve_linear_layers,
    to_spectrum,
    train_network,
)
from skmsnn._time_limit import time_is_up

# Modes of a network's first layer under n_modes="auto". Of 4, 8, 12 and 24, twelve left the least
# on fronts; on smooth functions of many variables 12 and 24 did as well.
_NETWORK_MODES = 12
# A network is trained on at most this many rows a weight; where hidden layers are the
# cascade's choice, on no fewer than _ROWS_NEEDED a weight.
_ROWS_USED, _ROWS_NEEDED = 6, 1.0
# Where hidden layers are the cascade's choice, they have this share of the width asked for. A
# Gauss-Newton iteration costs the square of the number of weights, and in equal time half
# the width leaves less: 4e-7 against 1e-6 on fronts, 1e-5 against 1e-4 on the borehole function.
_WIDTH_SHARE = 0.5
# Pursuit of wave vectors between those of the lattice: doubled up to this many, as long as the
# held-out error falls by at least the factor. In up to three dimensions a lattice is dense enough.
_LATTICE_DIMENSIONS = 3
_MOST_PURSUED, _PURSUIT_FACTOR = 32, 0.5
# Left of y, relative to its spread, that is rounding: there every norm has the same fit.
_ROUNDING = 1e-14
# Dampings of the coefficients of pursued modes, which may be close to each other.
_PURSUIT_DAMPINGS = (1e-6, 1e-10, 1e-14)
# Operations of training, of hidden layers that are the cascade's choice: about half a minute. A
# network that could not make so many iterations in it is not tried: 500 points of 16 outputs took
# minutes.
_NETWORK_OPERATIONS, _LEAST_ITERATIONS = 1.2e12, 40
# Held-out points that tell a network that is better from one that is lucky.
_LEAST_HELD_OUT = 20
# A network replaces the spectral stage if it leaves less than this share of its held-out error.
_WORTHWHILE = 0.5
# What a network of the default size reaches in the default iterations; a spectral stage that is as
# good is not worth that time.
_NETWORK_REACH = 3e-6
_WATCH_PATIENCE = 30
# In more dimensions than those, sets that are tried on what a network leaves have at most this
# many terms: larger ones take seconds, and none was ever kept.
_TERMS_AFTER_NETWORK = 1000
# Left on unseen points, relative to the target, by a polynomial that is all there is to find.
_SETTLED = 1e-14
# Chance of a point to be held out, at most: where a fit finds it hard half of the points stay in.
_MOST_LIKELY = 0.5
# The last linear solve of a network is kept if it leaves no more of held-out points than this many
# times what training left: it has the digits, and may swing between the points.
_AS_GOOD = 1.5
# Cut-offs of the linear solves before and after training. Training stalls from the huge weights of
# a solve that uses every digit.
_START_CUTOFF, _END_CUTOFF = 1e-3, 1e-14
# Points between those of the data at which a network is compared with the spectral fit, and its
# last solve with the one before, and how many times the held-out error they may differ there.
_MOST_BETWEEN, _MOVES = 1000, 10.0
# Least ratio of training to held-out residual for both to be noise, and least share of what the
# ratio is expected to be: K modes leave sqrt(1 - K/n) of noise on their n points, and
# 1 / sqrt(1 - K/n) on others. Where that is expected to be near 1, and is to within a tenth, no
# larger set will leave less.
_NOISE_SHARE, _NOISE_SHARE_OF_EXPECTED = 0.3, 0.6
_AS_OF_NOISE, _MOST_FOLLOWED, _MOST_FOLLOWED_AT_ALL = 0.9, 0.4, 0.95

Watch = Callable[[int, float, float], None]


@dataclass(frozen=True)
class Recipe:
    """What the user chose of a stage."""

    init: str
    solver: str
    n_modes: int | str
    readout: bool
    hidden_layer_sizes: tuple[int, ...]
    activation: str
    options: SolverOptions
    device: str
    tol: float

    @property
    def is_adaptive(self) -> bool:
        """Whether unseen points decide what a stage is."""
        return self.init == "spectrum" and self.solver == "auto" and self.readout

    @property
    def is_all_adaptive(self) -> bool:
        """Whether they decide the number of modes, too."""
        return self.is_adaptive and self.n_modes == "auto"

    @property
    def solver_name(self) -> str:
        return "gauss-newton" if self.solver == "auto" else self.solver


@dataclass(frozen=True)
class Shares:
    """The points and how they are shared out.

    ``train`` and ``full`` are weights of the points ``x``: without and with the held-out ones.
    ``held_out`` is None where all points are for training; they are then judged by themselves.
    ``levels`` are the features of few levels, and how many. With ``leaves_out`` spectral stages are
    fitted to all points, and judged by what fits that have not seen a point leave there.
    ``rounding`` is that of single precision or few decimals, where y shows such, over its spread.
    ``beside`` are points where fresh ones may fall, of which nothing is known, and ``gaps`` are
    where none are for long. ``line`` are the nodes of points in one dimension of unequal weights,
    which do not matter to a function that goes through all of them.
    """

    domain: Domain
    grid: Grid | None
    x: NDArray[np.float64]
    train: NDArray[np.float64]
    full: NDArray[np.float64]
    held_out: Points | None
    levels: dict[int, int]
    leaves_out: bool
    held_rows: NDArray[np.intp] | None = None
    rounding: float = 0.0
    beside: Beside = NOTHING_BESIDE
    gaps: NDArray[np.float64] | None = None
    line: Grid | None = None

    def ladder(self, weight: NDArray[np.float64]) -> list[Candidate]:
        """Sets of modes for the points of positive weight, in ascending order of size."""
        n_rows = int(np.count_nonzero(weight))
        return candidates(self.domain, self.grid, self.x, n_rows, self.levels)

    def asking_where_it_is_hard(self, unseen: LeftOut | None, rng: np.random.RandomState) -> Shares:
        """Hold out more of the scattered points where a fit leaves most of what it has not seen.

        A point where a function is singular has few others about it, and a tenth of all points
        may have none of these. The weights of those held out make up for how likely they were.
        """
        given = self.held_out is not None and not np.any(self.train != self.full)
        if self.held_out is None or given or self.grid is not None or unseen is None:
            return self
        square = np.mean(unseen.residual**2, axis=1)
        chance = np.zeros(len(self.x))
        chance[unseen.rows] = square / max(float(square.sum()), np.finfo(float).tiny)
        n_held = len(self.held_out.x)
        chance = np.minimum(0.5 * n_held * (chance + 1 / len(chance)), _MOST_LIKELY)
        rows = np.flatnonzero((rng.uniform(size=len(chance)) < chance) & (self.full > 0))
        if not 0 < len(rows) < np.count_nonzero(self.full):
            return self
        train = self.full.copy()
        train[rows] = 0
        held_out = Points(self.x[rows], self.full[rows] / chance[rows])
        return replace(self, train=train, held_out=held_out, held_rows=rows)

    @property
    def judges(self) -> Points:
        return self.held_out or Points(self.x, self.train)


@dataclass(frozen=True)
class Residuals:
    """What is left of y, in units of its RMS; each of shape (number of points, n_outputs).

    ``train`` and ``full`` are at all points, under the model of the training share and under that
    of all points; ``judged`` is at the judging points, under the model of the training share.
    """

    train: NDArray[np.float64]
    full: NDArray[np.float64]
    judged: NDArray[np.float64]

    def asked_at(self, shares: Shares) -> Residuals:
        """The same, judged at other points, which no stage so far has been fitted without."""
        assert shares.held_rows is not None
        return replace(self, judged=self.full[shares.held_rows])

    def after(self, train_stage: Stage, stage: Stage, shares: Shares) -> Residuals:
        """Subtract a stage, in its version for each model."""
        train = self.train - train_stage.predict(shares.x)
        full = train
        if stage is not train_stage or self.full is not self.train:
            full = self.full - stage.predict(shares.x)
        if shares.held_out is None:
            return Residuals(train, full, train)
        return Residuals(train, full, self.judged - train_stage.predict(shares.held_out.x))


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
    shares : Shares or None
        How the points were shared out for it, where that was not as they were given.
    in_gaps : float
        How unsure it is in wide gaps between the points.
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
    shares: Shares | None = None
    in_gaps: float = 0.0


def fit_stage(
    recipe: Recipe,
    shares: Shares,
    residuals: Residuals,
    previous: StageFit | None,
    rng: np.random.RandomState,
    watch: Watch,
) -> StageFit:
    """Fit one stage to the residuals.

    Parameters
    ----------
    recipe : Recipe
        The user's choices.
    shares : Shares
        The points.
    residuals : Residuals
        What the stages before leave, in units of the RMS of y.
    previous : StageFit or None
        Of the stage before, whose modes are refined if it was spectral.
    rng : RandomState
        Source of all random numbers.
    watch : callable
        Told of every iteration: number, training loss, held-out error.
    """
    task = _Task(recipe, shares, residuals, rng, watch)
    if not recipe.is_adaptive:
        modes = task.starting_modes()
        hidden = recipe.hidden_layer_sizes
        if recipe.solver == "auto":
            hidden = task.deserved(hidden, len(modes.wave_vectors))
        return task.network(modes, hidden, recipe.options.max_iter)
    # a network leaves what its optimiser cannot lower, and so a second one cannot
    had_network = previous is not None and previous.spectral is None
    before = previous.spectral.trial if previous and previous.spectral else None
    if previous and before and before.unseen and before.is_final:
        return replace(previous, error=np.inf)
    if isinstance(recipe.n_modes, int):
        return task.of_dominant_modes(recipe.n_modes)
    best = task.spectral(previous.spectral if previous else None, had_network)
    if had_network:
        # what an optimiser leaves is white to waves, too: whether it is noise, only y can tell
        best = replace(best, is_noise=False)
    is_good = best.error <= max(recipe.tol, _NETWORK_REACH)
    # few points tell nothing of trained wave vectors; on a line a spline is as local as they are
    is_blind = shares.leaves_out and (shares.held_out is None or shares.x.shape[1] == 1)
    is_blind |= shares.held_out is not None and len(shares.held_out.x) < _LEAST_HELD_OUT
    if shares.grid is not None:
        is_blind |= any(1 < n < LEAST_NODES for n in shares.grid.shape)
    if previous is not None or is_good or best.is_noise or is_blind:
        return best
    spectral = best
    asked = shares.asking_where_it_is_hard(best.unseen, rng)
    if asked is not shares:
        task = _Task(recipe, asked, residuals.asked_at(asked), rng, watch)
    for network in () if time_is_up() else task.networks():
        if network.error < _WORTHWHILE * best.error and task.agrees(network, spectral):
            best = network if asked is shares else replace(network, shares=asked)
        if best.error <= max(recipe.tol, _NETWORK_REACH) or time_is_up():
            break
    return best


class _Task:
    """The residuals of one stage, normalised, and the ways to fit them."""

    def __init__(
        self,
        recipe: Recipe,
        shares: Shares,
        residuals: Residuals,
        rng: np.random.RandomState,
        watch: Watch,
    ) -> None:
        self.recipe, self.shares, self.rng, self.watch = recipe, shares, rng, watch
        self.train_scale = _rms_of_outputs(residuals.train, shares.train)
        self.full_scale = _rms_of_outputs(residuals.full, shares.full)
        self.train = residuals.train / self.train_scale
        self.full = residuals.full / self.full_scale
        judges = shares.judges
        self.held_out = HeldOut(judges.x, residuals.judged / self.train_scale, judges.weight)
        self.split = Split(shares.x, self.train, shares.train, self.held_out)
        self.size = float(np.sqrt(np.mean(self.train_scale**2)))
        self.full_size = float(np.sqrt(np.mean(self.full_scale**2)))
        rounding = float(np.finfo(float).eps) / self.full_size
        self.whole = Split(shares.x, self.full, shares.full, None, rounding, shares.beside)
        self.one_track = not np.any(shares.train != shares.full)

    @cached_property
    def between(self) -> NDArray[np.float64]:
        """Points between those of the data: half way to any point of the box from the nearest."""
        anywhere = self.rng.uniform(-1, 1, (_MOST_BETWEEN, self.shares.x.shape[1]))
        nearest = self.shares.x[KDTree(self.shares.x).query(anywhere)[1]]
        return nearest + 0.5 * (anywhere - nearest)

    def agrees(self, network: StageFit, spectral: StageFit) -> bool:
        """Whether a network is between the points no further from the spectral fit than that errs.

        Lines and points that were held out do not see what it does elsewhere.
        """
        one, other = (fit.stage.predict(self.between) for fit in (network, spectral))
        away = float(np.sqrt(np.mean((one - other) ** 2)))
        return away <= _MOVES * max(spectral.error, network.error)

    def spectral(self, previous: SpectralFit | None, had_network: bool) -> StageFit:
        """The stage that is spectral only, from a least squares solve."""
        if previous is not None and previous.trial.unseen is not None:
            return self._of_all_points(refine(previous.trial, self.whole))
        if previous is None and not had_network:
            through = self._through_all()
            if through is not None and through.train_error <= _SETTLED:
                return self._of_all_points(through)
            if self.shares.leaves_out:
                found = self._select_unseen()
                if through is not None and through.error < found.error:
                    found = through
                return self._of_all_points(found)
        trial = refine(previous.trial, self.split) if previous else self._select(had_network)
        if trial is None and self.shares.held_out is None:
            return self._of_all_points(self._polynomial(self.whole))
        if trial is None or (self.shares.held_out and previous is None and not had_network):
            simple = self._held_out_polynomial()
            trial = simple if trial is None or simple.error < trial.error else trial
        assert trial.fit is not None
        modes = self._in_p_norm(trial.modes, trial.fit, self.split, self.size)
        stage = train_stage = Stage(self.train_scale, modes=modes)
        full_fit = trial.fit
        if not self.one_track:
            full_fit = previous.full if previous else trial.fit.extended(self.shares.full)
            modes = self._in_p_norm(full_fit.solve(self.full), full_fit, self.whole, self.full_size)
            stage = Stage(self.full_scale, modes=modes)
        rest = self.train - trial.modes.evaluate(self.shares.x)
        foreseen = trial.train_error / trial.seen_error if trial.seen_error > 0 else 0.0
        is_noise = self._is_noise(trial, foreseen, rest, self.shares.train > 0)
        error = trial.error
        if train_stage.modes is not trial.modes:
            error = max(error, self._error_of_stage(train_stage))
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

    def _in_p_norm(
        self, modes: Modes, fit: LinearFit, data: Split, size: float, p: float | None = None
    ) -> Modes:
        """The fit of least p-norm, from that of least squares, unless that leaves but rounding."""
        p = self.recipe.options.p if p is None else p
        rest = data.target - modes.evaluate(data.x)
        if p == 2 or weighted_rms(rest, data.train) * size <= _ROUNDING:
            return modes
        basis = fit.basis()
        more: Any = basis.modes(correction(basis, rest, data.train, p))
        return replace(modes, coefficients=modes.coefficients + more.coefficients)

    def _held_out_error(self, values: NDArray[np.float64]) -> float:
        """What normalised values at the held-out points leave there."""
        error = weighted_rms(self.held_out.target - values, self.held_out.weight)
        return error if np.isfinite(error) else np.inf

    def _error_of_stage(self, stage: Stage) -> float:
        """The same of a stage of the training share."""
        return self._held_out_error(stage.predict(self.held_out.x) / self.train_scale)

    def _left_out_of(self, trial: Trial, rest: NDArray[np.float64]) -> LeftOut | None:
        """Where the training share has points that others do not foresee."""
        if self.shares.held_out is None or not isinstance(trial.fit, DenseFit):
            return None
        left_out = leave_one_out(trial.fit, self.shares.train)
        left = left_out(self.train, rest, self.split.rounding)
        return LeftOut(left.rows, left.residual * self.train_scale)

    def _of_all_points(self, trial: Trial) -> StageFit:
        """The stage of a fit to all points, that tells what it leaves unseen."""
        assert trial.fit is not None
        assert trial.unseen is not None
        modes = self._in_p_norm(trial.modes, trial.fit, self.whole, self.full_size)
        stage = Stage(self.full_scale, modes=modes)
        rest = self.full - trial.modes.evaluate(self.shares.x)
        unseen = trial.unseen(self.full, rest, self.whole.rounding)
        rows, left, _ = unseen
        error = trial.error
        if modes is not trial.modes:
            # what the fit of least squares leaves unseen, and the way from there to this one
            moved = self.full - modes.evaluate(self.shares.x) - rest
            left = left + moved[rows]
            error = unseen._replace(residual=left).error(self.shares.full)
        # typical too, not root mean square alone: few points at the edge say nothing of noise
        typical = [float(np.median(np.abs(a))) for a in (rest[rows], left)]
        pairs = [(trial.train_error, trial.seen_error), typical]
        foreseen = max(own / unseen if unseen > 0 else 0.0 for own, unseen in pairs)
        is_noise = self._is_noise(trial, foreseen, rest, self.shares.full > 0)
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
        points, fit = self.shares.gaps, trial.fit
        if points is None or not isinstance(fit, DenseFit | PolynomialFit):
            return 0.0
        left_out = leave_one_out(fit, self.shares.full, Beside(points, 1.0))
        return left_out(self.full, rest, self.whole.rounding).beside

    def _is_noise(
        self, trial: Trial, foreseen: float, rest: NDArray[np.float64], used: NDArray[np.bool_]
    ) -> bool:
        """Whether a fit leaves white noise, as far as it can be told.

        A fit that follows what it cannot resolve leaves little on its own points: ``foreseen`` is
        the ratio of what it leaves there to what it leaves of unseen ones.
        """
        expected = 1 - trial.followed
        follows_little = trial.followed < _MOST_FOLLOWED
        as_expected = follows_little and foreseen > _AS_OF_NOISE * expected
        more_is_no_help = trial.on_plateau or as_expected
        return bool(
            more_is_no_help
            and foreseen > max(_NOISE_SHARE, _NOISE_SHARE_OF_EXPECTED * expected)
            and looks_like_noise(self.shares.x[used], rest[used], trial.followed)
        )

    def _polynomial(self, data: Split) -> Trial:
        """The polynomial of low total degree that foresees points left out best."""
        return select_polynomial(data, self.shares.levels, self.shares.domain.half_width)

    def _held_out_polynomial(self) -> Trial:
        """That of the training share, judged where waves are."""
        data = self.split._replace(held_out=None, rounding=self.whole.rounding)
        trial = self._polynomial(data)
        error = self._held_out_error(trial.modes.evaluate(self.held_out.x))
        return replace(trial, error=error, seen_error=error, promise=error, unseen=None)

    def _through_all(self) -> Trial | None:
        """The functions of a line of points, as if their weights were equal."""
        if self.shares.line is None:
            return None
        data = self.whole._replace(train=np.ones(len(self.shares.x)))
        return select_on_grid(self.shares.domain, self.shares.line, data, self.rng)

    def _select_unseen(self) -> Trial:
        """The functions that foresee unseen points best."""
        shares = self.shares
        if shares.grid is not None:
            return select_on_grid(shares.domain, shares.grid, self.whole, self.rng)
        simple = self._polynomial(self.whole)
        if simple.error <= _SETTLED or np.count_nonzero(shares.full) < FEW_POINTS:
            return simple
        waves = select_modes(shares.ladder(shares.full), self.whole, self.rng)
        if waves is None or not foresees_more(waves, simple):
            return simple
        return waves

    def _select(self, had_network: bool) -> Trial | None:
        ladder = self.shares.ladder(self.shares.train)
        if had_network and self.shares.x.shape[1] > _LATTICE_DIMENSIONS:
            ladder = [c for c in ladder if c.n_terms <= _TERMS_AFTER_NETWORK]
        if self.shares.held_out is None:
            # nothing tells how many modes the data carry: half as many as there are points
            n_points = np.count_nonzero(self.shares.train)
            ladder = [c for c in ladder if 2 * c.n_terms <= n_points][-1:] or ladder[:1]
        return select_modes(ladder, self.split, self.rng)

    def networks(self) -> Iterator[StageFit]:
        """Networks that are worth their time on this many points, cheap to expensive."""
        n_values = np.count_nonzero(self.shares.train) * self.train.shape[1]
        for _, pursued in self._pursued(_MOST_PURSUED, _PURSUIT_FACTOR):
            yield pursued
        grid = self.shares.grid
        if grid is not None and any(1 < n < LEAST_NODES_OF_PAIRS for n in grid.shape):
            return  # few lines tell nothing of what a network does between them
        modes = self.starting_modes().with_unit_amplitudes()
        hidden = tuple(ceil(_WIDTH_SHARE * n) for n in self.recipe.hidden_layer_sizes)
        architecture = self._architecture(len(modes.wave_vectors), hidden)
        n_weights = sum(w.numel() for w in StageNetwork(**architecture).parameters())
        if not hidden or n_values < _ROWS_NEEDED * n_weights:
            return
        most_values = max(_ROWS_USED * n_weights, 1000) * self.train.shape[1]
        iteration = 3.0 * min(n_values, most_values) * n_weights**2
        max_iter = min(self.recipe.options.max_iter, int(_NETWORK_OPERATIONS / iteration))
        if max_iter >= min(self.recipe.options.max_iter, _LEAST_ITERATIONS):
            yield self.network(modes, hidden, max_iter)

    def of_dominant_modes(self, n_modes: int) -> StageFit:
        """So many dominant modes, their wave vectors fitted, or fewer where these leave less."""
        return min(self._pursued(n_modes, np.inf), key=lambda pair: pair[0])[1]

    def _pursued(self, most: int, factor: float) -> Iterator[tuple[float, StageFit]]:
        """1, 2, 4, ... and ``most`` modes, as long as more leave less than a factor times as much.

        Wave vectors are fitted to the training share, coefficients then to all points. The first
        of each pair is what those of least squares leave on held-out points: it is what decides.
        """
        shares = self.shares
        d, n_outputs = shares.x.shape[1], self.train.shape[1]
        rows = np.flatnonzero(shares.train)
        # each has a wave vector, and an amplitude and a phase in each output
        unknowns = d / n_outputs + 2
        deserved = int(len(rows) / (_ROWS_NEEDED * unknowns))
        most = min(most, deserved) if self.recipe.n_modes == "auto" else min(most, deserved or 1)
        if most == 0:
            return
        rows = thinned(rows, most * (d + 2 * n_outputs))
        x, weight = shares.x[rows], shares.train[rows]

        grid = shares.grid if len(rows) == len(shares.x) else None

        def dominant(target: NDArray[np.float64], n_modes: int) -> NDArray[np.float64]:
            return dominant_modes(n_modes, shares.domain, grid, x, target, weight).wave_vectors

        free = ~shares.domain.periodic
        most_iter = self.recipe.options.max_iter
        last = np.inf
        for pursued in pursue(x, self.train[rows], weight, free, dominant, most, most_iter):
            fits = {
                damping: self._with_coefficients(*pursued, damping, p=2.0)
                for damping in _PURSUIT_DAMPINGS
            }
            damping = min(fits, key=lambda damping: fits[damping].error)
            error = fits[damping].error
            p = self.recipe.options.p
            fit = fits[damping] if p == 2 else self._with_coefficients(*pursued, damping, p)
            yield error, fit
            if error > factor * last:
                return
            last = error

    def _with_coefficients(
        self, wave_vectors: NDArray[np.float64], n_iter: int, damping: float, p: float
    ) -> StageFit:
        """The stage of modes with these wave vectors, of least p-norm."""
        shares = self.shares
        n_modes = len(wave_vectors)
        waving = wave_vectors[wave_vectors.any(axis=1)]
        frame = Frame(np.concatenate([np.zeros((1, wave_vectors.shape[1])), waving]))
        fit = DenseFit(shares.x, shares.train, frame, damping)
        modes = self._in_p_norm(fit.solve(self.train), fit, self.split, self.size, p)
        stage = train_stage = Stage(self.train_scale, modes=modes)
        rest = self.train - modes.evaluate(shares.x)
        train_error = weighted_rms(rest, shares.train)
        error = self._error_of_stage(train_stage)
        if not self.one_track:
            full_fit = fit.extended(shares.full)
            problem = (full_fit, self.whole, self.full_size, p)
            modes = self._in_p_norm(full_fit.solve(self.full), *problem)
            moved = modes.evaluate(self.between) * self.full_scale
            moved -= train_stage.predict(self.between)
            if np.sqrt(np.mean((moved / self.train_scale) ** 2)) <= _MOVES * error:
                stage = Stage(self.full_scale, modes=modes)
        unknowns = n_modes * int((~shares.domain.periodic).sum()) / self.train.shape[1]
        n_rows = np.count_nonzero(shares.train)
        followed = min((frame.n_columns + unknowns) / n_rows, _MOST_FOLLOWED_AT_ALL)
        foreseen = train_error / error if error > 0 else 0.0
        is_noise = followed < _MOST_FOLLOWED and foreseen > _AS_OF_NOISE * (1 - followed)
        used = shares.train > 0
        return StageFit(
            stage,
            train_stage,
            error * self.size,
            [1.0, train_error],
            f"variable projection of {n_modes} dominant modes",
            is_noise=is_noise and looks_like_noise(shares.x[used], rest[used], followed),
            n_iter=n_iter,
        )

    def starting_modes(self) -> FourierModes:
        """The modes of a network's first layer."""
        recipe = self.recipe
        if recipe.init == "xavier":
            return self._dominant(self.train, 1)
        if isinstance(recipe.n_modes, int):
            return self._dominant(self.train, recipe.n_modes)
        return self._dominant(self.train, _NETWORK_MODES)

    def _dominant(self, target: NDArray[np.float64], n_modes: int) -> FourierModes:
        shares = self.shares
        return dominant_modes(n_modes, shares.domain, shares.grid, shares.x, target, shares.train)

    def deserved(self, hidden: tuple[int, ...], n_modes: int) -> tuple[int, ...]:
        """Hidden layers as wide as asked for, or as leave a value for each weight."""
        n_values = np.count_nonzero(self.shares.train) * self.train.shape[1]
        widest = max(hidden, default=0)
        for width in range(widest, 1, -1):
            sizes = tuple(ceil(n * width / widest) for n in hidden)
            module = StageNetwork(**self._architecture(n_modes, sizes))
            if n_values >= _ROWS_NEEDED * sum(w.numel() for w in module.parameters()):
                return sizes
        return tuple(1 for _ in hidden)

    def _architecture(self, n_modes: int, hidden: tuple[int, ...]) -> dict[str, Any]:
        recipe = self.recipe
        return {
            "n_features": self.shares.x.shape[1],
            "n_outputs": self.train.shape[1],
            "n_modes": 0 if recipe.init == "xavier" else n_modes,
            "hidden_layer_sizes": hidden,
            "activation": recipe.activation,
            "readout": recipe.readout and recipe.init in ("spectrum", "random-fourier"),
        }

    def network(self, modes: FourierModes, hidden: tuple[int, ...], max_iter: int) -> StageFit:
        """A network trained from its initial weights."""
        recipe, shares = self.recipe, self.shares
        n_modes = len(modes.wave_vectors)
        if recipe.init in ("scale-factor", "random-fourier") and recipe.n_modes != "auto":
            n_modes = int(recipe.n_modes)
        architecture = self._architecture(n_modes, hidden)
        module = StageNetwork(**architecture)
        generator = torch.Generator().manual_seed(int(self.rng.randint(2**31 - 1)))
        spectrum: Spectrum = to_spectrum(modes)
        initialise(module, recipe.init, spectrum, generator)
        points = Points(shares.x, self._training_rows(module))
        exact = recipe.solver_name == "gauss-newton" and recipe.options.p == 2
        options = replace(
            recipe.options,
            max_iter=max_iter,
            # what is left of y at round-off cannot be fitted
            loss_floor=np.finfo(float).eps / 2 / self.size,
        )
        kept = _BestOnHeldOut(module)
        n_iter = 0
        if recipe.solver_name == "gauss-newton":
            solve_linear_layers(module, points, self.train, _START_CUTOFF)
            if not exact:
                # large p has many poor minima; near the best fit of p = 2 there is a good one
                first = replace(options, p=2.0, max_iter=ceil(max_iter / 2))
                training = Training(recipe.solver_name, first, recipe.device)
                result = train_network(module, points, self.train, training, self._watcher(kept))
                n_iter = result.n_iter
                options = replace(options, max_iter=max(1, max_iter - n_iter))
                kept.restore()
        training = Training(recipe.solver_name, options, recipe.device)
        result = train_network(module, points, self.train, training, self._watcher(kept))
        n_iter += result.n_iter
        kept.restore()
        error = self._error_of(module)
        if exact and shares.held_out is not None:
            # the last linear solve is judged as well, by the same solve without the held-out points
            solve_linear_layers(module, points, self.train, _END_CUTOFF)
            judged = self._error_of(module)
            exact = judged <= _AS_GOOD * error
            if exact:
                error = judged
            else:
                kept.restore()
        no_worse_than_mean(module, Points(shares.x, shares.train), self.train)
        stage = train_stage = self._network_stage(module, architecture)
        if not self.one_track:
            # the network was trained in the unit of the training share, and stays in it
            everywhere = Points(shares.x, shares.full)
            target = self.full * (self.full_scale / self.train_scale)
            if exact:
                self._solve_again(module, everywhere, target, error)
            no_worse_than_mean(module, everywhere, target)
            stage = self._network_stage(module, architecture)
        return StageFit(
            stage,
            train_stage,
            self._error_of_stage(train_stage) * self.size,
            result.loss_curve,
            f"{recipe.solver_name}: {result.message}",
            n_iter=max(1, n_iter),
        )

    def _solve_again(
        self, module: StageNetwork, points: Points, target: NDArray[np.float64], error: float
    ) -> None:
        """Solve for the linear layers on all points, unless the function moves away by that.

        Held-out points have judged the function before. Weights that use every digit may swing
        between the points, and nothing has asked the new ones there.
        """
        kept = _BestOnHeldOut(module)
        kept.note()
        between = self.between
        before = evaluate(module, between)
        solve_linear_layers(module, points, target, _END_CUTOFF)
        moved = np.sqrt(np.mean((evaluate(module, between) - before) ** 2))
        if not moved <= _MOVES * error:
            kept.restore()

    def _error_of(self, module: StageNetwork) -> float:
        return self._held_out_error(evaluate(module, self.held_out.x))

    def _network_stage(self, module: StageNetwork, architecture: dict[str, Any]) -> Stage:
        return Stage(self.train_scale, network=NetworkWeights.of(module, architecture))

    def _training_rows(self, module: StageNetwork) -> NDArray[np.float64]:
        """Weights of the training share, thinned where Gauss-Newton needs no more rows."""
        weight = self.shares.train
        if self.recipe.solver != "auto":
            return weight
        most = _ROWS_USED * sum(w.numel() for w in module.parameters())
        used = np.flatnonzero(weight)
        if len(used) <= max(most, 1000):
            return weight
        thinned = np.zeros_like(weight)
        rows = self.rng.permutation(used)[: max(most, 1000)]
        thinned[rows] = weight[rows]
        return thinned

    def _watcher(
        self, kept: _BestOnHeldOut
    ) -> Callable[[int, float, Callable[[NDArray], NDArray]], bool]:
        """Report every iteration; stop a training that has long stopped to help held-out points."""
        best, waited = np.inf, 0
        every = max(1, self.recipe.options.max_iter // 200)

        def watch(iteration: int, loss: float, function: Callable[[NDArray], NDArray]) -> bool:
            nonlocal best, waited
            if self.shares.held_out is None:
                self.watch(iteration, loss * self.size, np.nan)
                return time_is_up()
            if iteration % every and not time_is_up():
                return False
            error = self._held_out_error(function(self.held_out.x))
            self.watch(iteration, loss * self.size, error * self.size)
            waited = 0 if error < best else waited + 1
            if error < best:
                best = error
                kept.note()
            return waited >= _WATCH_PATIENCE or time_is_up()

        return watch


class _BestOnHeldOut:
    """The weights of a network in training that served the held-out points best."""

    def __init__(self, module: StageNetwork) -> None:
        self._module = module
        self._weights: dict[str, torch.Tensor] | None = None

    def note(self) -> None:
        """Keep those of now."""
        state = self._module.state_dict()
        self._weights = {name: weight.detach().cpu().clone() for name, weight in state.items()}

    def restore(self) -> None:
        """Go back to those kept, or keep those of now where none were."""
        if self._weights is None:
            self.note()
        else:
            self._module.load_state_dict(self._weights)


def _rms_of_outputs(
    residual: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted root mean square of each output, 1 where it is zero."""
    rms = np.sqrt(np.average(residual**2, axis=0, weights=weight))
    return np.where(rms > 0, rms, 1.0)
