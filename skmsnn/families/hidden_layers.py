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
        """One network, if other functions fall short."""
        yield _ladder(problem)


def _ladder(problem: StageProblem) -> Ladder:
    if not problem.options.is_auto:
        yield Candidate("network", "a constant", 1, problem.n_rows, partial(_constant, problem))
    yield network_candidate(problem)


def _constant(
    problem: StageProblem, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> Fit:
    """The mean, which a network of few iterations may fall short of."""
    constant = np.zeros((1, problem.x.shape[1]), dtype=np.int64)
    linear = PolynomialFit(problem.x, weight, constant)
    return Fit(linear.solve(target), linear)


def _trained(*arguments: Any) -> Fit:
    from skmsnn.families.network import trained

    return trained(*arguments)


def _refitted(*arguments: Any) -> Fit:
    from skmsnn.families.network import refitted

    return refitted(*arguments)


def network_candidate(problem: StageProblem) -> Candidate:
    """The network that is tried where functions of least squares fall short."""
    hidden = supported(problem, automatic_layers(problem), _NETWORK_MODES)
    return _candidate(problem, hidden, problem.options.options.max_iter, True)


def automatic_layers(problem: StageProblem) -> tuple[int, ...]:
    """Widths of the hidden layers of a network that is added automatically."""
    return tuple(ceil(_WIDTH_SHARE * n) for n in problem.options.hidden_layer_sizes)


def candidate_of_options(problem: StageProblem) -> Candidate:
    """The network that the parameters ask for."""
    options = problem.options
    hidden = options.hidden_layer_sizes
    if options.solver == "auto":
        hidden = supported(problem, hidden, n_modes_of(problem))
    return _candidate(problem, hidden, options.options.max_iter, False)


def _candidate(
    problem: StageProblem, hidden: tuple[int, ...], max_iter: int, has_unit_amplitudes: bool
) -> Candidate:
    n_weights = _n_weights(problem, n_modes_of(problem), hidden)
    rows = min(problem.n_rows, max(OVERSAMPLING * n_weights, ENOUGH)) * problem.n_outputs
    # the normal matrix, and that of the preconditioned system
    iteration = qr_operations(rows, n_weights) + _OVERHEAD
    if problem.options.is_adaptive:
        max_iter = max(1, min(max_iter, int(_SHARE * BUDGET / iteration)))
    return Candidate(
        "network",
        f"hidden layers of widths {', '.join(map(str, hidden))}",
        n_weights,
        max_iter * iteration,
        partial(_trained, problem, hidden, max_iter, has_unit_amplitudes),
        refit=partial(_refitted, problem),
        n_folds=1,
        reach=max(problem.options.tol, NETWORK_REACH) / problem.size,
        refines=False,
    )


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
