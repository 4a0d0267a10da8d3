"""Networks with hidden layers, trained from the residual's spectrum or from another start."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, CLEARLY, ENOUGH, FAR, FEW
from skmsnn._effort import MOST_OPERATIONS, qr_operations
from skmsnn._precision import CUTOFFS, EPS, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.domain import Points
from skmsnn.families.dominant import dominant_modes
from skmsnn.families.fitting import StageFit, StageFitter
from skmsnn.families.ladders import OVERSAMPLING
from skmsnn.functions.lattice import FourierSum
from skmsnn.modules.evaluation import evaluate
from skmsnn.modules.network import StageNetwork
from skmsnn.modules.trained import TrainedNetwork
from skmsnn.stage import Stage
from skmsnn.training.initialisation import Spectrum, initialise
from skmsnn.training.networks import (
    Training,
    no_worse_than_mean,
    solve_linear_layers,
    to_spectrum,
    train_network,
)

# Modes of a network's first layer under n_modes="auto". Of 4, 8, 12 and 24, twelve left the least
# on fronts; on smooth functions of many variables 12 and 24 did as well.
_NETWORK_MODES = 12
# Where hidden layers are the cascade's choice, they have this share of the width asked for. A
# Gauss-Newton iteration costs the square of the number of weights, and in equal time half
# the width leaves less: 4e-7 against 1e-6 on fronts, 1e-5 against 1e-4 on the borehole function.
_WIDTH_SHARE = 0.5


def of_its_own_accord(fitter: StageFitter, enough: float) -> Iterator[StageFit]:
    """The network that the cascade tries where functions of least squares fall short.

    It is given up after a look where it is nowhere near what is left by these, ``enough``.
    """
    n_values = np.count_nonzero(fitter.points.train) * fitter.train.shape[1]
    grid = fitter.points.grid
    if grid is not None and any(1 < n < FEW for n in grid.shape):
        return  # few lines tell nothing of what a network does between them
    modes = starting_modes(fitter).with_unit_amplitudes()
    hidden = tuple(ceil(_WIDTH_SHARE * n) for n in fitter.recipe.hidden_layer_sizes)
    architecture = _architecture(fitter, len(modes.wave_vectors), hidden)
    n_weights = sum(w.numel() for w in StageNetwork(**architecture).parameters())
    if not hidden or n_values < n_weights:
        return
    most_values = max(OVERSAMPLING * n_weights, ENOUGH) * fitter.train.shape[1]
    # the normal matrix, and that of the preconditioned system
    iteration = 2 * qr_operations(min(n_values, most_values), n_weights)
    max_iter = min(fitter.recipe.options.max_iter, int(MOST_OPERATIONS / iteration))
    # so few iterations get nowhere: 500 points of 16 outputs took minutes
    if max_iter >= min(fitter.recipe.options.max_iter, FEW):
        yield network(fitter, modes, hidden, max_iter, enough)


def of_options(fitter: StageFitter) -> StageFit:
    """The network that the parameters ask for."""
    recipe = fitter.recipe
    modes = starting_modes(fitter)
    hidden = recipe.hidden_layer_sizes
    if recipe.solver == "auto":
        hidden = deserved(fitter, hidden, len(modes.wave_vectors))
    return network(fitter, modes, hidden, recipe.options.max_iter)


def starting_modes(fitter: StageFitter) -> FourierSum:
    """The modes of a network's first layer."""
    recipe = fitter.recipe
    if recipe.init == "xavier":
        return _dominant(fitter, fitter.train, 1)
    if isinstance(recipe.n_modes, int):
        return _dominant(fitter, fitter.train, recipe.n_modes)
    return _dominant(fitter, fitter.train, _NETWORK_MODES)


def _dominant(fitter: StageFitter, target: NDArray[np.float64], n_modes: int) -> FourierSum:
    points = fitter.points
    return dominant_modes(n_modes, points.domain, points.grid, points.x, target, points.train)


def deserved(fitter: StageFitter, hidden: tuple[int, ...], n_modes: int) -> tuple[int, ...]:
    """Hidden layers as wide as asked for, or as leave a value for each weight."""
    n_values = np.count_nonzero(fitter.points.train) * fitter.train.shape[1]
    widest = max(hidden, default=0)
    for width in range(widest, 1, -1):
        sizes = tuple(ceil(n * width / widest) for n in hidden)
        module = StageNetwork(**_architecture(fitter, n_modes, sizes))
        if n_values >= sum(w.numel() for w in module.parameters()):
            return sizes
    return tuple(1 for _ in hidden)


def _architecture(fitter: StageFitter, n_modes: int, hidden: tuple[int, ...]) -> dict[str, Any]:
    recipe = fitter.recipe
    return {
        "n_features": fitter.points.x.shape[1],
        "n_outputs": fitter.train.shape[1],
        "n_modes": 0 if recipe.init == "xavier" else n_modes,
        "hidden_layer_sizes": hidden,
        "activation": recipe.activation,
        "readout": recipe.readout and recipe.init in ("spectrum", "random-fourier"),
    }


def network(
    fitter: StageFitter,
    modes: FourierSum,
    hidden: tuple[int, ...],
    max_iter: int,
    enough: float = np.inf,
) -> StageFit:
    """A network trained from its initial weights, as long as it may leave less than is enough."""
    recipe, points = fitter.recipe, fitter.points
    n_modes = len(modes.wave_vectors)
    if recipe.init in ("scale-factor", "random-fourier") and recipe.n_modes != "auto":
        n_modes = int(recipe.n_modes)
    architecture = _architecture(fitter, n_modes, hidden)
    module = StageNetwork(**architecture)
    generator = torch.Generator().manual_seed(int(fitter.rng.randint(2**31 - 1)))
    spectrum: Spectrum = to_spectrum(modes)
    initialise(module, recipe.init, spectrum, generator)
    training_points = Points(points.x, _training_rows(fitter, module))
    exact = recipe.solver_name == "gauss-newton" and recipe.options.p == 2
    options = replace(
        recipe.options,
        max_iter=max_iter,
        # what is left of y at round-off cannot be fitted
        loss_floor=EPS / 2 / fitter.size,
    )
    kept = _BestOnHeldOut(module)
    n_iter = 0
    if recipe.solver_name == "gauss-newton":
        # training stalls from the huge weights of a solve that uses every digit
        solve_linear_layers(module, training_points, fitter.train, CUTOFFS[-1])
        if not exact:
            # large p has many poor minima; near the best fit of p = 2 there is a good one
            first = replace(options, p=2.0, max_iter=ceil(max_iter / 2))
            training = Training(recipe.solver_name, first, recipe.device)
            watch = _watcher(fitter, kept, max_iter, enough)
            result = train_network(module, training_points, fitter.train, training, watch)
            n_iter = result.n_iter
            options = replace(options, max_iter=max(1, max_iter - n_iter))
            kept.restore()
    training = Training(recipe.solver_name, options, recipe.device)
    watch = _watcher(fitter, kept, max_iter, enough)
    result = train_network(module, training_points, fitter.train, training, watch)
    n_iter += result.n_iter
    kept.restore()
    error = _error_of(fitter, module)
    if exact and points.held_out is not None:
        # the last linear solve is judged as well, by the same solve without the held-out points
        solve_linear_layers(module, training_points, fitter.train, ROUND_OFF)
        judged = _error_of(fitter, module)
        # it has the digits, and may swing between the points
        exact = judged <= AS_GOOD * error
        if exact:
            error = judged
        else:
            kept.restore()
    no_worse_than_mean(module, Points(points.x, points.train), fitter.train)
    stage = train_stage = _network_stage(fitter, module, architecture)
    if not fitter.has_no_holdout:
        # the network was trained in the unit of the training share, and stays in it
        everywhere = Points(points.x, points.full)
        target = fitter.full * (fitter.full_scale / fitter.train_scale)
        if exact:
            _solve_again(fitter, module, everywhere, target, error)
        no_worse_than_mean(module, everywhere, target)
        stage = _network_stage(fitter, module, architecture)
    return StageFit(
        stage,
        train_stage,
        fitter.validation_error_of(train_stage) * fitter.size,
        result.loss_curve,
        f"{recipe.solver_name}: {result.message}",
        n_iter=max(1, n_iter),
    )


def _solve_again(
    fitter: StageFitter,
    module: StageNetwork,
    points: Points,
    target: NDArray[np.float64],
    error: float,
) -> None:
    """Solve for the linear layers on all points, unless the function moves away by that.

    Held-out points have judged the function before. Weights that use every digit may swing
    between the points, and nothing has asked the new ones there.
    """
    kept = _BestOnHeldOut(module)
    kept.note()
    between = fitter.between
    before = evaluate(module, between)
    solve_linear_layers(module, points, target, ROUND_OFF)
    moved = np.sqrt(np.mean((evaluate(module, between) - before) ** 2))
    if not moved <= FAR * error:
        kept.restore()


def _error_of(fitter: StageFitter, module: StageNetwork) -> float:
    return fitter.validation_error(evaluate(module, fitter.held_out.x))


def _network_stage(
    fitter: StageFitter, module: StageNetwork, architecture: dict[str, Any]
) -> Stage:
    return Stage(fitter.train_scale, TrainedNetwork.of(module, architecture), "network")


def _training_rows(fitter: StageFitter, module: StageNetwork) -> NDArray[np.float64]:
    """Weights of the training share, thinned where Gauss-Newton needs no more rows."""
    weight = fitter.points.train
    if fitter.recipe.solver != "auto":
        return weight
    most = max(int(OVERSAMPLING * sum(w.numel() for w in module.parameters())), ENOUGH)
    used = np.flatnonzero(weight)
    if len(used) <= most:
        return weight
    thinned = np.zeros_like(weight)
    rows = fitter.rng.permutation(used)[:most]
    thinned[rows] = weight[rows]
    return thinned


def _watcher(
    fitter: StageFitter, kept: _BestOnHeldOut, max_iter: int, enough: float
) -> Callable[[int, float, Callable[[NDArray], NDArray]], bool]:
    """Report every iteration; stop a training that has long stopped to help held-out points."""
    best, waited = np.inf, 0
    bests: list[float] = []
    every = max(1, fitter.recipe.options.max_iter // 200)

    def watch(iteration: int, loss: float, function: Callable[[NDArray], NDArray]) -> bool:
        nonlocal best, waited
        if fitter.points.held_out is None:
            fitter.watch(iteration, loss * fitter.size, np.nan)
            return time_is_up()
        if iteration % every and not time_is_up():
            return False
        error = fitter.validation_error(function(fitter.held_out.x))
        fitter.watch(iteration, loss * fitter.size, error * fitter.size)
        waited = 0 if error < best else waited + 1
        if error < best:
            best = error
            kept.note()
        bests.append(best * fitter.size)
        n_asked = max(len(bests), max_iter // every)
        is_hopeless = len(bests) >= FEW and CLEARLY * _reached(bests, n_asked) > enough
        return is_hopeless or waited >= FEW or time_is_up()

    return watch


def _reached(errors: list[float], n: int) -> float:
    """The last of n errors of which some are known, if they fall on as a power of their number.

    From the fortieth of 150 iterations on it was within three times, mostly below, of what networks
    left of fronts and of functions of two to seven variables.
    """
    doublings = np.log2(n / len(errors))
    return float(errors[-1] * (errors[-1] / errors[len(errors) // 2 - 1]) ** doublings)


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
