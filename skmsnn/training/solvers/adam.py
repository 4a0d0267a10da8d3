"""Adam on the full batch with an annealed rate, as in the paper."""

from __future__ import annotations

from math import isfinite

import torch
from torch import nn

from skmsnn.training.losses import p_norm
from skmsnn.training.solvers.base import (
    Problem,
    SolverOptions,
    SolverResult,
    set_weights,
    weights_of,
)


def minimise(module: nn.Module, problem: Problem, options: SolverOptions) -> SolverResult:
    """Train by full-batch Adam (Kingma & Ba 2015), the rate annealed to 0 along a half cosine.

    The module ends with the weights of the smallest loss seen.
    """
    optimiser = torch.optim.Adam(module.parameters(), lr=options.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, max(1, options.max_iter))
    best, best_weights = float("inf"), weights_of(module)
    curve: list[float] = []
    status, message = "max_iter", f"max_iter={options.max_iter} reached"
    for iteration in range(options.max_iter + 1):
        optimiser.zero_grad()
        loss = p_norm(module(problem.x) - problem.target, options.p, problem.weight)
        value = float(loss.detach())
        if not isfinite(value):
            status, message = "diverged", "the loss is not finite; lower learning_rate_init"
            break
        curve.append(value)
        if value < best:
            best, best_weights = value, weights_of(module)
        if value <= options.loss_floor:
            status, message = "round-off", "the loss is at round-off"
            break
        if iteration and options.report(iteration, value):
            status, message = "stopped", "stopped by the held-out residual"
            break
        if iteration < options.max_iter:
            loss.backward()
            optimiser.step()
            schedule.step()
    set_weights(module, best_weights)
    return SolverResult(curve, status, message)
