"""Networks with hidden layers, trained from the residual's spectrum or from another start."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, ENOUGH
from skmsnn._precision import CUTOFFS, EPS, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.domain import Points
from skmsnn.families.dominant import dominant_modes
from skmsnn.families.hidden_layers import architecture_of, n_modes_of
from skmsnn.families.ladders import OVERSAMPLING
from skmsnn.modules.evaluation import evaluate
from skmsnn.modules.network import StageNetwork
from skmsnn.modules.trained import TrainedNetwork
from skmsnn.selection.candidate import Fit
from skmsnn.selection.problem import HeldOut, StageProblem
from skmsnn.training.initialisation import Spectrum, initialise
from skmsnn.training.networks import (
    Training,
    no_worse_than_mean,
    solve_linear_layers,
    to_spectrum,
    train_network,
)
from skmsnn.training.solvers.base import SolverResult

# Checks of the validation error without improvement after which training ends.
_PATIENCE = 20


def trained(
    problem: StageProblem,
    hidden: tuple[int, ...],
    max_iter: int,
    has_unit_amplitudes: bool,
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """A network trained from its initial weights; the best on held-out points."""
    options, points = problem.options, problem.points
    rng = problem.random_state("network")
    modes = dominant_modes(
        n_modes_of(problem), points.domain, points.grid, problem.x, target, weight
    )
    if has_unit_amplitudes:
        modes = modes.with_unit_amplitudes()
    n_modes = len(modes.wave_vectors)
    if options.init in ("scale-factor", "random-fourier") and isinstance(options.n_modes, int):
        n_modes = options.n_modes
    architecture = architecture_of(problem, n_modes, hidden)
    module = StageNetwork(**architecture)
    generator = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
    spectrum: Spectrum = to_spectrum(modes)
    initialise(module, options.init, spectrum, generator)
    training_points = Points(problem.x, _training_rows(problem, module, weight, rng))
    _, held = problem.without_holdout()
    kept = _BestOnHeldOut(module)

    def train(max_iter: int, p: float) -> SolverResult:
        own = replace(
            options.options,
            p=p,
            max_iter=max_iter,
            # a residual of y at round-off cannot be fitted
            loss_floor=EPS / 2 / problem.size,
        )
        watch = _watcher(problem, held, kept, max_iter)
        training = Training(options.solver_name, own, options.device)
        result = train_network(module, training_points, target, training, watch)
        kept.restore()
        return result

    n_iter, p = 0, options.options.p
    if options.solver_name == "gauss-newton":
        # training stalls from the huge weights of a solve that uses every digit
        solve_linear_layers(module, training_points, target, CUTOFFS[-1])
        if p != 2:
            # large p has many poor minima; near the best fit of p = 2 there is a good one
            n_iter = train(ceil(max_iter / 2), 2.0).n_iter
    result = train(max(1, max_iter - n_iter), p)
    is_exact = options.solver_name == "gauss-newton" and p == 2
    if is_exact and held is not None:
        error = held.rmse(evaluate(module, held.x))
        # the last linear solve has the digits, and may swing between the points
        solve_linear_layers(module, training_points, target, ROUND_OFF)
        is_exact = held.rmse(evaluate(module, held.x)) <= AS_GOOD * error
        if not is_exact:
            kept.restore()
    no_worse_than_mean(module, Points(problem.x, weight), target)
    return Fit(
        TrainedNetwork.of(module, architecture),
        state=(module, architecture, is_exact),
        n_iter=max(1, n_iter + result.n_iter),
        loss_curve=result.loss_curve,
        message=f"{options.solver_name}: {result.message}",
    )


def refitted(
    problem: StageProblem, fit: Fit, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> Fit:
    """The same hidden layers, with the linear layers solved for once more if they were before."""
    module, architecture, is_exact = fit.state
    module = deepcopy(module)
    points = Points(problem.x, weight)
    if is_exact:
        solve_linear_layers(module, points, target, ROUND_OFF)
    no_worse_than_mean(module, points, target)
    return replace(fit, function=TrainedNetwork.of(module, architecture))


def _training_rows(
    problem: StageProblem,
    module: StageNetwork,
    weight: NDArray[np.float64],
    rng: np.random.RandomState,
) -> NDArray[np.float64]:
    """Weights of the training share, thinned where Gauss-Newton needs no more rows."""
    if problem.options.solver != "auto":
        return weight
    most = max(int(OVERSAMPLING * sum(w.numel() for w in module.parameters())), ENOUGH)
    used = np.flatnonzero(weight)
    if len(used) <= most:
        return weight
    thinned = np.zeros_like(weight)
    rows = rng.permutation(used)[:most]
    thinned[rows] = weight[rows]
    return thinned


def _watcher(
    problem: StageProblem, held: HeldOut | None, kept: _BestOnHeldOut, max_iter: int
) -> Callable[[int, float, Callable[[NDArray], NDArray]], bool]:
    """Report every iteration; stop a training that no longer reduces the validation error."""
    best, waited = np.inf, 0
    bests: list[float] = []
    every = max(1, problem.options.options.max_iter // 200)
    enough = np.inf
    if problem.options.is_adaptive:
        enough = problem.trace.least_error / problem.size

    def watch(iteration: int, loss: float, function: Callable[[NDArray], NDArray]) -> bool:
        nonlocal best, waited
        if held is None:
            problem.watch(iteration, loss * problem.size, np.nan)
            return time_is_up()
        if iteration % every and not time_is_up():
            return False
        error = held.rmse(function(held.x))
        problem.watch(iteration, loss * problem.size, error * problem.size)
        waited = 0 if error < best else waited + 1
        if error < best:
            best = error
            kept.note()
        bests.append(best)
        n_checks = max(len(bests), max_iter // every)
        is_hopeless = len(bests) >= _PATIENCE and 2 * _reached(bests, n_checks) > enough
        return is_hopeless or waited >= _PATIENCE or time_is_up()

    return watch


def _reached(errors: list[float], n: int) -> float:
    """The last of n errors of which some are known, if they fall on as a power of their number.

    From the fortieth of 150 iterations on it was within three times, mostly below, of the errors
    of networks on fronts and on functions of two to seven variables.
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
