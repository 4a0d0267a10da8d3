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
from skmsnn._holdout import LEAST_NODES_OF_PAIRS
from skmsnn._initialisation import Spectrum, initialise
from skmsnn._network import StageNetwork
from skmsnn._solvers import SolverOptions
from skmsnn._spectrum.candidates import Candidate, LinearFit, candidates
from skmsnn._spectrum.dominant import dominant_modes
from skmsnn._spectrum.extension import DenseFit
from skmsnn._spectrum.grid_selection import select_on_grid
from skmsnn._spectrum.lattice import FourierModes
from skmsnn._spectrum.leave_out import NOTHING_BESIDE, Beside, LeftOut, weighted_rms
from skmsnn._spectrum.polynomial_selection import select_polynomial
from skmsnn._spectrum.selection import (
    HeldOut,
    Split,
    Trial,
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
_MOST_PURSUED, _PURSUIT_FACTOR, _PURSUIT_ITERATIONS = 32, 0.5, 60
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
_AS_OF_NOISE, _MOST_FOLLOWED = 0.9, 0.4

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
        """Whether held-out points decide between spectral stages and trained networks."""
        return (
            self.init == "spectrum"
            and self.solver == "auto"
            and self.n_modes == "auto"
            and self.readout
        )

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
    ``beside`` are points where fresh ones may fall, of which nothing is known.
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
        return task.network(modes, recipe.hidden_layer_sizes, recipe.options.max_iter)
    # a network leaves what its optimiser cannot lower, and so a second one cannot
    had_network = previous is not None and previous.spectral is None
    best = task.spectral(previous.spectral if previous else None, had_network)
    is_good = best.error <= max(recipe.tol, _NETWORK_REACH)
    # Few points tell nothing of a network, nor do few lines of what it does between them; and on a
    # line a spline is as local as the points are.
    is_blind = shares.leaves_out and (shares.held_out is None or shares.x.shape[1] == 1)
    is_blind |= shares.grid is not None and min(shares.grid.shape) < LEAST_NODES_OF_PAIRS
    if previous is not None or is_good or best.is_noise or is_blind:
        return best
    spectral = best
    asked = shares.asking_where_it_is_hard(best.unseen, rng)
    if asked is not shares:
        task = _Task(recipe, asked, residuals.asked_at(asked), rng, watch)
    for network in task.networks():
        if network.error < _WORTHWHILE * best.error and task.agrees(network, spectral):
            best = network if asked is shares else replace(network, shares=asked)
        if best.error <= recipe.tol:
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
            if previous.trial.is_final:
                return self._of_all_points(replace(previous.trial, error=np.inf))
            return self._of_all_points(refine(previous.trial, self.whole))
        if previous is None and self.shares.leaves_out and not had_network:
            return self._of_all_points(self._select_unseen())
        trial = refine(previous.trial, self.split) if previous else self._select(had_network)
        if trial is None:
            return self._of_all_points(self._polynomial())
        if previous is None and self.shares.held_out is not None and not had_network:
            simple = self._polynomial()
            if simple.error * self.full_size < trial.error * self.size:
                return self._of_all_points(simple)
        stage = train_stage = Stage(self.train_scale, modes=trial.modes)
        assert trial.fit is not None
        full_fit = trial.fit
        if not self.one_track:
            full_fit = previous.full if previous else trial.fit.extended(self.shares.full)
            stage = Stage(self.full_scale, modes=full_fit.solve(self.full))
        rest = self.train - trial.modes.evaluate(self.shares.x)
        foreseen = trial.train_error / trial.seen_error if trial.seen_error > 0 else 0.0
        return StageFit(
            stage,
            train_stage,
            trial.error * self.size,
            [1.0, trial.train_error],
            f"least squares over {trial.candidate.label}",
            SpectralFit(trial, full_fit),
            self._is_noise(trial, foreseen, rest, self.shares.train > 0),
            # only networks ask for it, and they come first or not at all
            unseen=self._left_out_of(trial, rest) if previous is None else None,
        )

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
        stage = Stage(self.full_scale, modes=trial.modes)
        rest = self.full - trial.modes.evaluate(self.shares.x)
        rows, left, _ = trial.unseen(self.full, rest, self.whole.rounding)
        # typical too, not root mean square alone: few points at the edge say nothing of noise
        typical = [float(np.median(np.abs(a))) for a in (rest[rows], left)]
        pairs = [(trial.train_error, trial.seen_error), typical]
        foreseen = max(own / unseen if unseen > 0 else 0.0 for own, unseen in pairs)
        return StageFit(
            stage,
            stage,
            trial.error * self.full_size,
            [1.0, trial.train_error],
            f"least squares over {trial.candidate.label}",
            SpectralFit(trial, trial.fit),
            self._is_noise(trial, foreseen, rest, self.shares.full > 0),
            unseen=LeftOut(rows, left * self.full_scale),
        )

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

    def _polynomial(self) -> Trial:
        """The best polynomial of low total degree."""
        half_width = self.shares.domain.half_width
        return select_polynomial(self.whole, self.shares.levels, half_width)

    def _select_unseen(self) -> Trial:
        """The functions that foresee unseen points best."""
        shares = self.shares
        if shares.grid is not None:
            return select_on_grid(shares.domain, shares.grid, self.whole, self.rng)
        simple = self._polynomial()
        if simple.error <= _SETTLED or np.count_nonzero(shares.full) < FEW_POINTS:
            return simple
        waves = select_modes(shares.ladder(shares.full), self.whole, self.rng)
        if waves is None or simple.error < waves.error:
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
        if self.shares.x.shape[1] > _LATTICE_DIMENSIONS:
            yield from self._pursuit(n_values)
        modes = self.starting_modes().with_unit_amplitudes()
        hidden = tuple(ceil(_WIDTH_SHARE * n) for n in self.recipe.hidden_layer_sizes)
        architecture = self._architecture(len(modes.wave_vectors), hidden)
        n_weights = sum(w.numel() for w in StageNetwork(**architecture).parameters())
        if hidden and n_values >= _ROWS_NEEDED * n_weights:
            yield self.network(modes, hidden, self.recipe.options.max_iter)

    def _pursuit(self, n_values: int) -> Iterator[StageFit]:
        """One-layer networks: dominant modes, their wave vectors trained, and as many again."""
        modes = self._dominant(self.train, 1).with_unit_amplitudes()
        last = np.inf
        while len(modes.wave_vectors) <= _MOST_PURSUED:
            n_modes = len(modes.wave_vectors)
            if n_modes * (self.shares.x.shape[1] + 3) * _ROWS_NEEDED > n_values:
                return
            fit = self.network(modes, (), _PURSUIT_ITERATIONS)
            yield fit
            if fit.error > _PURSUIT_FACTOR * last:
                return
            last = fit.error
            assert fit.train_stage.network is not None
            rest = self.train - fit.train_stage.predict(self.shares.x) / self.train_scale
            trained = fit.train_stage.network.arrays["fourier.weight"]
            more = self._dominant(rest, n_modes)
            modes = FourierModes(
                np.concatenate([trained, more.wave_vectors]),
                np.concatenate([np.ones((n_modes, 1)), more.with_unit_amplitudes().coefficients]),
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
        if exact:
            solve_linear_layers(module, points, self.train, _START_CUTOFF)
        options = replace(
            recipe.options,
            max_iter=max_iter,
            # what is left of y at round-off cannot be fitted
            loss_floor=np.finfo(float).eps / 2 / self.size,
        )
        training = Training(recipe.solver_name, options, recipe.device)
        kept = _BestOnHeldOut(module)
        result = train_network(module, points, self.train, training, self._watcher(kept))
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
        rest = self.held_out.target - train_stage.predict(self.held_out.x) / self.train_scale
        error = weighted_rms(rest, self.held_out.weight) * self.size
        return StageFit(
            stage,
            train_stage,
            error if np.isfinite(error) else np.inf,
            result.loss_curve,
            f"{recipe.solver_name}: {result.message}",
            n_iter=max(1, result.n_iter),
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
        rest = self.held_out.target - evaluate(module, self.held_out.x)
        error = weighted_rms(rest, self.held_out.weight)
        return error if np.isfinite(error) else np.inf

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
                return False
            if iteration % every:
                return False
            rest = self.held_out.target - function(self.held_out.x)
            error = weighted_rms(rest, self.held_out.weight)
            self.watch(iteration, loss * self.size, error * self.size)
            waited = 0 if error < best else waited + 1
            if error < best:
                best = error
                kept.note()
            return waited >= _WATCH_PATIENCE

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
