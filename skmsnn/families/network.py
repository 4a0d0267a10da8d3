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
from skmsnn.families.hidden_layers import PATIENCE, architecture_of, n_modes_of
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
from skmsnn.training.solvers.base import SolverOptions, SolverResult


class NetworkTraining:
    """A network in training, from its initial weights, which can be continued.

    Parameters
    ----------
    problem : StageProblem
        The residual.
    hidden : tuple of int
        Widths of the hidden layers.
    max_iter : int
        Iterations at most.
    has_unit_amplitudes : bool
        Whether the modes of the first layer have equal amplitudes.

    Attributes
    ----------
    has_ended : bool
        Whether more iterations would not reduce the validation error.
    """

    def __init__(
        self,
        problem: StageProblem,
        hidden: tuple[int, ...],
        max_iter: int,
        has_unit_amplitudes: bool,
    ) -> None:
        self._problem, self._hidden, self._max_iter = problem, hidden, max_iter
        self._has_unit_amplitudes = has_unit_amplitudes
        self._held = problem.without_holdout()[1]
        self._module: StageNetwork | None = None
        self._loss_curve: list[float] = []
        self._n_iter, self._damping, self.has_ended = 0, SolverOptions().damping, False

    def until(self, n_iter: int, target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        """The network after so many iterations in all; the best so far on held-out points."""
        problem, options = self._problem, self._problem.options
        if self._module is None:
            self._begin(target, weight)
        assert self._module is not None
        p = options.options.p
        is_new = self._n_iter == 0
        if options.solver_name == "gauss-newton" and is_new:
            # training stalls from the huge weights of a solve that uses every digit
            solve_linear_layers(self._module, self._rows, target, CUTOFFS[-1])
            if p != 2:
                # large p has many poor minima; near the best fit of p = 2 there is a good one
                self._train(ceil(n_iter / 2), 2.0, target)
                self._loss_curve, self._watch = [], self._new_watcher()
        result = self._train(max(1, n_iter - self._n_iter), p, target)
        self.has_ended = result.status != "max_iter" or self._n_iter >= self._max_iter
        module = deepcopy(self._module)
        is_exact = options.solver_name == "gauss-newton" and p == 2
        if is_exact and self._held is not None:
            held = self._held
            error = held.rmse(evaluate(module, held.x))
            # the last linear solve has the digits, and may swing between the points
            solve_linear_layers(module, self._rows, target, ROUND_OFF)
            is_exact = held.rmse(evaluate(module, held.x)) <= AS_GOOD * error
            if not is_exact:
                module = deepcopy(self._module)
        no_worse_than_mean(module, Points(problem.x, weight), target)
        return Fit(
            TrainedNetwork.of(module, self._architecture),
            state=(module, self._architecture, is_exact),
            n_iter=max(1, self._n_iter),
            loss_curve=self._loss_curve,
            message=f"{options.solver_name}: {result.message}",
        )

    def _begin(self, target: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        """Initialise the network from the spectrum of the target."""
        problem, options, points = self._problem, self._problem.options, self._problem.points
        rng = problem.random_state("network")
        modes = dominant_modes(
            n_modes_of(problem), points.domain, points.grid, problem.x, target, weight
        )
        if self._has_unit_amplitudes:
            modes = modes.with_unit_amplitudes()
        n_modes = len(modes.wave_vectors)
        if options.init in ("scale-factor", "random-fourier") and isinstance(options.n_modes, int):
            n_modes = options.n_modes
        self._architecture = architecture_of(problem, n_modes, self._hidden)
        self._module = module = StageNetwork(**self._architecture)
        generator = torch.Generator().manual_seed(int(rng.randint(2**31 - 1)))
        spectrum: Spectrum = to_spectrum(modes)
        initialise(module, options.init, spectrum, generator)
        self._rows = Points(problem.x, _training_rows(problem, module, weight, rng))
        self._watch = self._new_watcher()

    def _new_watcher(self) -> _Watcher:
        assert self._module is not None
        kept = _BestOnHeldOut(self._module)
        return _Watcher(self._problem, self._held, kept, self._max_iter)

    def _train(self, n_iter: int, p: float, target: NDArray[np.float64]) -> SolverResult:
        problem, options = self._problem, self._problem.options
        assert self._module is not None
        own = replace(
            options.options,
            p=p,
            max_iter=n_iter,
            damping=self._damping,
            # a residual of y at round-off cannot be fitted
            loss_floor=EPS / 2 / problem.size,
        )
        training = Training(options.solver_name, own, options.device)
        result = train_network(self._module, self._rows, target, training, self._watch)
        self._watch.kept.restore()
        self._n_iter += result.n_iter
        self._damping = result.damping
        self._loss_curve = [*self._loss_curve[:-1], *result.loss_curve]
        return result


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


class _Watcher:
    """Reports every iteration; stops a training that no longer reduces the validation error."""

    def __init__(
        self, problem: StageProblem, held: HeldOut | None, kept: _BestOnHeldOut, max_iter: int
    ) -> None:
        self._problem, self._held, self.kept, self._max_iter = problem, held, kept, max_iter
        self._bests: list[float] = []
        self._waited = 0

    def __call__(self, iteration: int, loss: float, function: Callable[[NDArray], NDArray]) -> bool:
        problem = self._problem
        if self._held is None:
            problem.watch(iteration, loss * problem.size, np.nan)
            return time_is_up()
        every = max(1, problem.options.options.max_iter // 200)
        if iteration % every and not time_is_up():
            return False
        best = self._bests[-1] if self._bests else np.inf
        error = self._held.rmse(function(self._held.x))
        problem.watch(iteration, loss * problem.size, error * problem.size)
        self._waited = 0 if error < best else self._waited + 1
        if error < best:
            self.kept.note()
        self._bests.append(min(error, best))
        enough = np.inf
        if problem.options.is_adaptive:
            enough = problem.trace.least_error / problem.size
        n_checks = max(len(self._bests), self._max_iter // every)
        is_hopeless = len(self._bests) >= PATIENCE and 2 * _reached(self._bests, n_checks) > enough
        return is_hopeless or self._waited >= PATIENCE or time_is_up()


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
