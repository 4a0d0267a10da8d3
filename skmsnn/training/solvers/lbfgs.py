"""Limited-memory BFGS with a strong Wolfe line search."""

from __future__ import annotations

from math import isfinite

import torch
from torch import Tensor, nn

from skmsnn.training.losses import p_norm
from skmsnn.training.solvers.base import (
    Problem,
    SolverOptions,
    SolverResult,
    StallDetector,
    set_weights,
    weights_of,
)


def minimise(module: nn.Module, problem: Problem, options: SolverOptions) -> SolverResult:
    """Train by torch's L-BFGS, line search after the strong Wolfe conditions.

    torch's own tolerances are set to zero, since they end a fit that still has digits to gain
    (they are absolute, and the loss falls by many orders).
    """
    optimiser = torch.optim.LBFGS(
        module.parameters(),
        lr=1.0,
        max_iter=1,
        max_eval=100,
        history_size=50,
        tolerance_grad=0.0,
        tolerance_change=0.0,
        line_search_fn="strong_wolfe",
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = p_norm(module(problem.x) - problem.target, options.p, problem.weight)
        if loss.requires_grad:
            loss.backward()
        return loss

    stalled = StallDetector(window=50, gain=0.01)
    with torch.no_grad():
        best = float(p_norm(module(problem.x) - problem.target, options.p, problem.weight))
    best_weights, curve = weights_of(module), [best]
    status, message = "max_iter", f"max_iter={options.max_iter} reached"
    for iteration in range(1, options.max_iter + 1):
        if curve[-1] <= options.loss_floor:
            status, message = "round-off", "the loss is at round-off"
            break
        optimiser.step(closure)
        with torch.no_grad():
            value = float(p_norm(module(problem.x) - problem.target, options.p, problem.weight))
        if not isfinite(value):
            status, message = "diverged", "the loss is not finite"
            break
        curve.append(value)
        if value < best:
            best, best_weights = value, weights_of(module)
        if options.report(iteration, value):
            status, message = "stopped", "stopped by held-out points, or by time"
            break
        if stalled(value):
            status, message = "stalled", "the loss has stopped falling"
            break
    set_weights(module, best_weights)
    return SolverResult(curve, status, message)
