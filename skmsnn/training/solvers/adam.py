"""Adam on the full batch with an annealed rate, as in the paper."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, pi
from typing import NamedTuple

import torch
from torch import nn

from skmsnn.modules.network import StageNetwork
from skmsnn.training.losses import p_norm_and_slope
from skmsnn.training.solvers.base import (
    Problem,
    SolverOptions,
    SolverResult,
    set_weights,
    weights_of,
)
from skmsnn.training.waves import values_at

# Iterations between readings of the loss on CUDA, where each reading waits for all that is queued.
_BLOCK = 100


def minimise(module: nn.Module, problem: Problem, options: SolverOptions) -> SolverResult:
    """Train by full-batch Adam (Kingma & Ba 2015), the rate annealed to 0 along a half cosine.

    The module ends with the weights of the smallest loss seen. On CUDA the iterations are reported
    a hundred at a time, when the weights are those of the last of them.
    """
    assert isinstance(module, StageNetwork)
    descent = _Descent(module, problem, options)
    descent.evaluate()
    on_cuda = problem.x.is_cuda
    advance = descent.captured() if on_cuda else descent.advance
    curve: list[float] = []
    end = None
    while end is None:
        if curve:
            for _ in range(min(_BLOCK if on_cuda else 1, options.max_iter + 1 - len(curve))):
                advance()
        for value in descent.losses[len(curve) : int(descent.done) + 1].tolist():
            end = _end(len(curve), value, options)
            if isfinite(value):
                curve.append(value)
            if end is not None:
                break
    set_weights(module, descent.best_weights)
    return SolverResult(curve, *end)


def _end(iteration: int, loss: float, options: SolverOptions) -> tuple[str, str] | None:
    """Why this iteration is the last, if it is."""
    if not isfinite(loss):
        return "diverged", "the loss is not finite; lower learning_rate_init"
    if loss <= options.loss_floor:
        return "round-off", "the loss is at round-off"
    if iteration and options.report(iteration, loss):
        return "stopped", "stopped by held-out points, or by time"
    if iteration >= options.max_iter:
        return "max_iter", f"max_iter={options.max_iter} reached"
    return None


class _Decay(NamedTuple):
    """Of running means of gradients and of their squares, as published (algorithm 1)."""

    mean: float = 0.9
    square: float = 0.999
    epsilon: float = 1e-8


class _Descent:
    """Weights as one vector, and all that an iteration changes, on the device of the points.

    An iteration asks the host for nothing, not even for its number. Adam is written out, since
    torch's fused one takes rates from the device in single precision only.
    """

    def __init__(self, module: StageNetwork, problem: Problem, options: SolverOptions) -> None:
        self._problem, self._p, self._decay = problem, options.p, _Decay()
        self.weights = weights_of(module)
        set_weights(module, self.weights)  # which makes the module's views of the vector
        self._parameters = list(module.parameters())
        self._values = values_at(module, problem.x)
        self.best_weights = self.weights.clone()
        self._gradient, self._mean, self._square, self._root = (
            torch.zeros_like(self.weights) for _ in range(4)
        )
        self.losses = self.weights.new_zeros(options.max_iter + 1)
        self._best = self.weights.new_full((), torch.inf)
        self.done = torch.zeros(1, dtype=torch.long, device=self.weights.device)
        decay, device = self._decay, self.weights.device
        before = torch.arange(options.max_iter, dtype=torch.float64, device=device)
        rate = options.learning_rate / 2 * (1 + torch.cos(pi * before / max(1, options.max_iter)))
        unbiased = (1 - decay.square ** (before + 1)).sqrt()
        self._rates = rate * unbiased / (1 - decay.mean ** (before + 1))
        self._epsilons = decay.epsilon * unbiased

    def evaluate(self) -> None:
        """The loss of the weights, noted where it is the least so far, and its gradient."""
        values = self._values()
        residual = values.detach() - self._problem.target
        loss, slope = p_norm_and_slope(residual, self._p, self._problem.weight)
        gradients = torch.autograd.grad(values, self._parameters, slope)
        torch.cat([gradient.reshape(-1) for gradient in gradients], out=self._gradient)
        self.losses.index_copy_(0, self.done, loss.reshape(1))
        is_best = loss < self._best
        torch.where(is_best, loss, self._best, out=self._best)
        torch.where(is_best, self.weights, self.best_weights, out=self.best_weights)

    def advance(self) -> None:
        """A step along the last gradient, and the loss after it."""
        self._mean.lerp_(self._gradient, 1 - self._decay.mean)
        square = self._decay.square
        self._square.mul_(square).addcmul_(self._gradient, self._gradient, value=1 - square)
        torch.sqrt(self._square, out=self._root)
        self._root.add_(self._epsilons.index_select(0, self.done))
        self._root.div_(self._rates.index_select(0, self.done))
        self.weights.addcdiv_(self._mean, self._root, value=-1)
        self.done += 1
        self.evaluate()

    def captured(self) -> Callable[[], None]:
        """``advance`` as a CUDA graph, which is launched in one piece."""
        changing = [value for value in vars(self).values() if isinstance(value, torch.Tensor)]
        before = [value.clone() for value in changing]
        with torch.cuda.device(self.weights.device):
            # libraries allocate in their first calls, which no graph can hold
            aside = torch.cuda.Stream()
            aside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(aside):
                for _ in range(3):
                    self.advance()
                    for value, saved in zip(changing, before, strict=True):
                        value.copy_(saved)
            torch.cuda.current_stream().wait_stream(aside)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                self.advance()
        return graph.replay
