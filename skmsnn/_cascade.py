"""Fitting one stage: candidates for its function, judged on held-out points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skmsnn._diagnosis import looks_like_noise
from skmsnn._domain import Domain, Grid
from skmsnn._initialisation import Spectrum, initialise
from skmsnn._network import StageNetwork
from skmsnn._solvers import SolverOptions
from skmsnn._spectrum.candidates import Candidate, LinearFit
from skmsnn._spectrum.dominant import dominant_modes
from skmsnn._spectrum.lattice import FourierModes
from skmsnn._spectrum.selection import HeldOut, Split, Trial, refine, select_modes, weighted_rms
from skmsnn._stage import (
    NetworkWeights,
    Points,
    Stage,
    Training,
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
# Cut-offs of the linear solves before and after training. Training stalls from the huge weights of
# a solve that uses every digit.
_START_CUTOFF, _END_CUTOFF = 1e-3, 1e-14
# Least ratio of training to held-out residual for both to be noise, and least share of what the
# ratio is expected to be: K modes leave sqrt(1 - K/n) of noise on their n points, and
# 1 / sqrt(1 - K/n) on others.
_NOISE_SHARE, _NOISE_SHARE_OF_EXPECTED = 0.3, 0.6

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
    """

    domain: Domain
    grid: Grid | None
    x: NDArray[np.float64]
    train: NDArray[np.float64]
    full: NDArray[np.float64]
    held_out: Points | None
    ladder: list[Candidate]

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
    """

    stage: Stage
    train_stage: Stage
    error: float
    loss_curve: list[float]
    message: str
    spectral: SpectralFit | None = None
    is_noise: bool = False
    n_iter: int = 1


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
    if had_network or best.error <= max(recipe.tol, _NETWORK_REACH) or best.is_noise:
        return best
    for network in task.networks():
        if network.error < _WORTHWHILE * best.error:
            best = network
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
        self.one_track = not np.any(shares.train != shares.full)

    def spectral(self, previous: SpectralFit | None, had_network: bool) -> StageFit:
        """The stage that is spectral only, from a least squares solve."""
        trial = refine(previous.trial, self.split) if previous else self._select(had_network)
        stage = train_stage = Stage(self.train_scale, modes=trial.modes)
        assert trial.fit is not None
        full_fit = trial.fit
        if not self.one_track:
            full_fit = previous.full if previous else trial.fit.extended(self.shares.full)
            stage = Stage(self.full_scale, modes=full_fit.solve(self.full))
        used = self.shares.train > 0
        x = self.shares.x[used]
        noise_share = max(_NOISE_SHARE, _NOISE_SHARE_OF_EXPECTED * (1 - trial.followed))
        return StageFit(
            stage,
            train_stage,
            trial.error * self.size,
            [1.0, trial.train_error],
            f"least squares over {trial.candidate.label}",
            SpectralFit(trial, full_fit),
            # a fit that follows what it cannot resolve leaves little on its own points
            trial.on_plateau
            and trial.train_error > noise_share * trial.seen_error
            and looks_like_noise(x, self.train[used] - trial.modes.evaluate(x), trial.followed),
        )

    def _select(self, had_network: bool) -> Trial:
        ladder = self.shares.ladder
        if had_network and self.shares.x.shape[1] > _LATTICE_DIMENSIONS:
            ladder = [c for c in ladder if c.n_terms <= _TERMS_AFTER_NETWORK]
        if self.shares.held_out is None:
            # nothing tells how many modes the data carry: half as many as there are points
            n_points = np.count_nonzero(self.shares.train)
            ladder = [c for c in ladder if 2 * c.n_terms <= n_points][-1:] or ladder[:1]
        trial = select_modes(ladder, self.split, self.rng)
        assert trial is not None
        return trial

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
        result = train_network(module, points, self.train, training, self._watcher())
        no_worse_than_mean(module, Points(shares.x, shares.train), self.train)
        stage = train_stage = self._network_stage(module, architecture)
        if not self.one_track:
            # the network was trained in the unit of the training share, and stays in it
            everywhere = Points(shares.x, shares.full)
            target = self.full * (self.full_scale / self.train_scale)
            if exact:
                solve_linear_layers(module, everywhere, target, _END_CUTOFF)
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

    def _watcher(self) -> Callable[[int, float, Callable[[NDArray], NDArray]], bool]:
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
            best = min(best, error)
            return waited >= _WATCH_PATIENCE

        return watch


def _rms_of_outputs(
    residual: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted root mean square of each output, 1 where it is zero."""
    rms = np.sqrt(np.average(residual**2, axis=0, weights=weight))
    return np.where(rms > 0, rms, 1.0)
