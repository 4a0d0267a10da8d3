"""Training a network: the only place where a fit meets torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skmsnn.domain import Points
from skmsnn.functions.lattice import FourierSum
from skmsnn.modules.evaluation import (
    _memory_errors,
    evaluate,
)
from skmsnn.modules.network import StageNetwork, tensor
from skmsnn.training.initialisation import Spectrum
from skmsnn.training.solvers import SOLVERS, Problem, SolverOptions, SolverResult


@dataclass(frozen=True)
class Training:
    """How a network is trained: the solver, its options, and the device."""

    solver: str
    options: SolverOptions
    device: str = "cpu"


def to_spectrum(modes: FourierSum) -> Spectrum:
    """Modes as tensors, from which a network's first layer starts."""
    return Spectrum(*(tensor(a) for a in (modes.wave_vectors, modes.phases, modes.amplitudes)))


@_memory_errors()
def train_network(
    module: StageNetwork,
    points: Points,
    target: NDArray[np.float64],
    training: Training,
    watch: Callable[[int, float, Callable[[NDArray], NDArray]], bool],
) -> SolverResult:
    """Train a module on the points of positive weight.

    Parameters
    ----------
    module : StageNetwork
        Initialised; holds the trained weights afterwards.
    points : Points
        Training points.
    target : ndarray of shape (n, n_outputs)
        Normalised residual at the points.
    training : Training
        Solver and options.
    watch : callable
        Called once an iteration with the iteration, the loss and the module's function of scaled
        points; returns True to stop.
    """
    used = points.weight > 0
    module.to(training.device)
    weight = points.weight[used][:, None]
    arrays = (points.x[used], target[used], weight / weight.sum())
    x, values, shares = (tensor(array).to(training.device) for array in arrays)
    problem = Problem(x, values, shares)

    def report(iteration: int, loss: float) -> bool:
        return watch(iteration, loss, lambda x: evaluate(module, x, training.device))

    options = replace(training.options, report=report)
    result = SOLVERS[training.solver](module, problem, options)
    module.to("cpu")
    return result


@_memory_errors()
def solve_linear_layers(
    module: StageNetwork, points: Points, target: NDArray[np.float64], cutoff: float
) -> None:
    """Set the layers that enter linearly by least squares, where that lowers the residual.

    Solved for the residual of the present weights, so that what they got right stays as it is.
    Singular values below ``cutoff``, relative to the largest, count as zero.
    """
    used = points.weight > 0
    x, weight = tensor(points.x[used]), tensor(points.weight[used])[:, None]
    root = (weight / weight.sum()).sqrt()
    layers = module.linear_layers
    inputs: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda _, a, __: inputs.append(a[0])) for layer in layers]
    try:
        with torch.no_grad():
            before = tensor(target[used]) - module(x)
    finally:
        for hook in hooks:
            hook.remove()
    columns = torch.cat([*inputs, torch.ones_like(weight)], dim=1)
    scale = columns.abs().amax(dim=0)
    scale = torch.where(scale > 1e-8 * scale.amax(), scale, scale.amax())
    change, *_ = np.linalg.lstsq(
        (columns / scale * root).numpy(), (before * root).numpy(), rcond=cutoff
    )
    old = [layer.weight.detach().clone() for layer in layers]
    old_bias = layers[0].bias.detach().clone()
    update = tensor(change) / scale[:, None]
    start = 0
    with torch.no_grad():
        for layer in layers:
            stop = start + layer.in_features
            layer.weight.add_(update[start:stop].T)
            start = stop
        layers[0].bias.add_(update[-1])
        after = tensor(target[used]) - module(x)
        if not float((after * root).norm()) < float((before * root).norm()):
            for layer, weights in zip(layers, old, strict=True):
                layer.weight.copy_(weights)
            layers[0].bias.copy_(old_bias)


@_memory_errors()
@torch.no_grad()
def no_worse_than_mean(module: StageNetwork, points: Points, target: NDArray[np.float64]) -> None:
    """Set to their weighted mean those outputs of which the module leaves more than that does.

    It may after training that has hardly begun, or of an output that is constant beside others.
    """
    used = points.weight > 0
    values, weight = target[used], points.weight[used]
    mean = np.average(values, axis=0, weights=weight)
    left, left_by_mean = (
        np.average((values - fit) ** 2, axis=0, weights=weight)
        for fit in (evaluate(module, points.x[used]), mean)
    )
    layers = module.linear_layers
    for j in np.flatnonzero(~(left <= left_by_mean)):
        for layer in layers:
            layer.weight[j] = 0.0
            layer.bias[j] = 0.0
        layers[0].bias[j] = mean[j]
