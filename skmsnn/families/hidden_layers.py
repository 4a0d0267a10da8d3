"""Networks as a family; what trains them is imported, and torch with it, when one is needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn.families.family import Family
from skmsnn.families.ladders import OVERSAMPLING
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import BUDGET, StageProblem
from skmsnn.spaces.polynomial import PolynomialFit

# Checks of the validation error without improvement after which training ends.
PATIENCE = 20
# Iterations after which other families may go on instead: so many show what a network promises.
ITERATIONS_OF_A_STEP = 10
# Share of the budget of a stage that training may use.
_SHARE = 0.7
# Operations that the overhead of one iteration is worth, 10 ms.
_OVERHEAD = FLOPS_PER_SECOND / 100
# Error that a network of the default size reaches in the default iterations, 1e-6 on fronts and
# 7e-6 on the borehole function: where least squares are as good, training is not worth its time.
NETWORK_REACH = 3e-6
# Modes of a network's first layer under n_modes="auto". Of 4, 8, 12 and 24, twelve left the least
# on fronts; on smooth functions of many variables 12 and 24 did as well.
_NETWORK_MODES = 12
# Where hidden layers are added automatically, they have this share of the given width. A
# Gauss-Newton iteration costs the square of the number of weights, and in equal time half
# the width leaves less: 4e-7 against 1e-6 on fronts, 1e-5 against 1e-4 on the borehole function.
_WIDTH_SHARE = 0.5


class Network(Family):
    """Hidden layers behind the dominant modes, trained by Gauss-Newton."""

    name = "network"

    def supports(self, problem: StageProblem) -> str | None:
        """Why networks cannot be fitted to such data; None if they can."""
        if problem.options.is_auto and problem.x.shape[1] == 1:
            return "on a line splines are as local as networks, and cheaper"
        hidden = automatic_layers(problem)
        n_weights = _n_weights(problem, _NETWORK_MODES, hidden)
        if problem.options.is_auto and problem.n_rows * problem.n_outputs < n_weights:
            return f"a network of the automatic size needs at least {n_weights} values"
        if problem.n_rows < 8:
            return "networks need at least eight points"
        return None

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """One network, trained on and on while it promises most."""
        yield _ladder(problem)


def _ladder(problem: StageProblem) -> Ladder:
    if not problem.options.is_auto:
        yield Candidate("network", "a constant", 1, problem.n_rows, partial(_constant, problem))
    hidden = supported(problem, automatic_layers(problem), _NETWORK_MODES)
    training = _Training(problem, hidden, True)
    # of other norms the first iterations are of least squares
    step = ITERATIONS_OF_A_STEP if problem.options.options.p == 2 else training.max_iter
    for n_iter in [*range(step, training.max_iter, step), training.max_iter]:
        if not training.has_ended:
            yield training.candidate(n_iter)


def _constant(
    problem: StageProblem, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> Fit:
    """The mean, which a network of few iterations may fall short of."""
    constant = np.zeros((1, problem.x.shape[1]), dtype=np.int64)
    linear = PolynomialFit(problem.x, weight, constant)
    return Fit(linear.solve(target), linear)


class _Training:
    """The training of a network, as candidates of more and more iterations.

    Parameters
    ----------
    problem : StageProblem
        The residual.
    hidden : tuple of int
        Widths of the hidden layers.
    has_unit_amplitudes : bool
        Whether the modes of the first layer have equal amplitudes.
    """

    def __init__(
        self, problem: StageProblem, hidden: tuple[int, ...], has_unit_amplitudes: bool
    ) -> None:
        self._problem, self._hidden = problem, hidden
        self._has_unit_amplitudes = has_unit_amplitudes
        self._n_weights = _n_weights(problem, n_modes_of(problem), hidden)
        rows = min(problem.n_rows, max(OVERSAMPLING * self._n_weights, ENOUGH))
        # the normal matrix, and that of the preconditioned system
        self._iteration = qr_operations(rows * problem.n_outputs, self._n_weights) + _OVERHEAD
        self.max_iter = problem.options.options.max_iter
        if problem.options.is_adaptive:
            affordable = int(_SHARE * BUDGET / self._iteration)
            self.max_iter = max(1, min(self.max_iter, affordable))
        self._network: Any = None
        self._n_iter = 0

    @property
    def has_ended(self) -> bool:
        """Whether more iterations would not reduce the validation error."""
        return self._network is not None and self._network.has_ended

    def candidate(self, n_iter: int) -> Candidate:
        """The network after so many iterations in all."""
        more, self._n_iter = n_iter - self._n_iter, n_iter
        return Candidate(
            "network",
            f"hidden layers of widths {', '.join(map(str, self._hidden))}"
            + (f", {n_iter} iterations" if n_iter < self.max_iter else ""),
            self._n_weights,
            more * self._iteration,
            partial(self._fitted, n_iter),
            refit=partial(_refitted, self._problem),
            n_folds=1,
            reach=max(self._problem.options.tol, NETWORK_REACH) / self._problem.size,
            refines=False,
        )

    def _fitted(self, n_iter: int, target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        from skmsnn.families.network import NetworkTraining

        if self._network is None:
            arguments = (self._hidden, self.max_iter, self._has_unit_amplitudes)
            self._network = NetworkTraining(self._problem, *arguments)
        fit: Fit = self._network.until(n_iter, target, weight)
        return fit


def _refitted(*arguments: Any) -> Fit:
    from skmsnn.families.network import refitted

    return refitted(*arguments)


def automatic_layers(problem: StageProblem) -> tuple[int, ...]:
    """Widths of the hidden layers of a network that is added automatically."""
    return tuple(ceil(_WIDTH_SHARE * n) for n in problem.options.hidden_layer_sizes)


def candidate_of_options(problem: StageProblem) -> Candidate:
    """The network that the parameters ask for."""
    options = problem.options
    hidden = options.hidden_layer_sizes
    if options.solver == "auto":
        hidden = supported(problem, hidden, n_modes_of(problem))
    training = _Training(problem, hidden, False)
    return training.candidate(training.max_iter)


def supported(problem: StageProblem, hidden: tuple[int, ...], n_modes: int) -> tuple[int, ...]:
    """Hidden layers as wide as given, or as leave a value for each weight."""
    n_values = problem.n_rows * problem.n_outputs
    widest = max(hidden, default=0)
    for width in range(widest, 1, -1):
        sizes = tuple(ceil(n * width / widest) for n in hidden)
        if n_values >= _n_weights(problem, n_modes, sizes):
            return sizes
    return tuple(1 for _ in hidden)


def n_modes_of(problem: StageProblem) -> int:
    """Modes of the first layer."""
    options = problem.options
    if options.init == "xavier":
        return 1
    return options.n_modes if isinstance(options.n_modes, int) else _NETWORK_MODES


def _n_weights(problem: StageProblem, n_modes: int, hidden: tuple[int, ...]) -> int:
    """Weights and biases of a ``StageNetwork``."""
    options, d, m = problem.options, problem.x.shape[1], problem.n_outputs
    widths = [d if options.init == "xavier" else n_modes, *hidden, *([m] if hidden else [])]
    n_weights = sum((a + 1) * b for a, b in pairwise(widths))
    if options.init != "xavier":
        n_weights += (d + 1) * n_modes
        if architecture_of(problem, n_modes, hidden)["readout"]:
            n_weights += (2 * n_modes + 1) * m
    return n_weights


def architecture_of(problem: StageProblem, n_modes: int, hidden: tuple[int, ...]) -> dict[str, Any]:
    """Parameters of a ``StageNetwork``."""
    options = problem.options
    return {
        "n_features": problem.x.shape[1],
        "n_outputs": problem.n_outputs,
        "n_modes": 0 if options.init == "xavier" else n_modes,
        "hidden_layer_sizes": hidden,
        "activation": options.activation,
        "readout": options.readout and options.init in ("spectrum", "random-fourier"),
    }
