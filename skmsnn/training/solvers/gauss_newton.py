"""Gauss-Newton with Levenberg-Marquardt damping and geodesic acceleration."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isfinite

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
from skmsnn.training.solvers.linearised import Linearised, linearised


def minimise(module: nn.Module, problem: Problem, options: SolverOptions) -> SolverResult:
    """Train all weights by damped Gauss-Newton steps.

    Each step solves ``min |J v + r|^2 + damping |v|^2``, by ``linearised``. To the velocity v is
    added the geodesic acceleration of Transtrum & Sethna (2012, equation 7) where it is small
    enough to be believed. For p > 2 the residuals are reweighted before each step.

    Parameters
    ----------
    module : nn.Module
        Network whose trainable weights all belong to ``nn.Linear`` layers, each used once.
    problem : Problem
        Training points.
    options : SolverOptions
        ``learning_rate`` is not used.

    Returns
    -------
    SolverResult
    """
    weights = weights_of(module)
    loss = _loss(module, problem, options.p)
    curve = [loss]
    stalled = StallDetector()
    damping = options.damping

    for iteration in range(1, options.max_iter + 1):
        if loss <= options.loss_floor:
            return SolverResult(curve, "round-off", "the loss is at round-off")
        model = linearised(module, problem, options.p)
        accepted = None
        while accepted is None:
            if damping > 1e12:
                set_weights(module, weights)
                return SolverResult(curve, "stationary", "no step lowers the loss any further")
            for step in _steps(model, weights, damping):
                set_weights(module, weights + step)
                trial = _loss(module, problem, options.p)
                if trial < loss:
                    accepted = weights + step
                    break
            else:
                damping *= 2  # delayed gratification: raised little, lowered much
        weights, loss = accepted, trial
        damping = max(damping / 5, 1e-30)
        curve.append(loss)
        if options.report(iteration, loss):
            return SolverResult(curve, "stopped", "stopped by held-out points, or by time", damping)
        if stalled(loss):
            return SolverResult(curve, "stalled", "the loss has stopped falling")
    return SolverResult(curve, "max_iter", f"max_iter={options.max_iter} reached", damping)


def _steps(
    model: Linearised, weights: Tensor, damping: float, probe: float = 0.1, most: float = 0.75
) -> Iterator[Tensor]:
    """Yield the accelerated step, where it can be believed, then the plain one.

    ``probe`` is the length of the finite difference, and ``most`` how long twice the acceleration
    may be beside the velocity (Transtrum & Sethna 2012, sections 3 and 4).
    """
    solve = model.damped(damping)
    velocity = -solve(model.residual)
    if not bool(torch.isfinite(velocity).all()):
        return
    bend = model.residual_at(weights + probe * velocity) - model.residual
    second = (bend / probe - model.times(velocity)) * (2 / probe)
    acceleration = -0.5 * solve(second)
    if 2 * float(acceleration.norm()) <= most * float(velocity.norm()):
        yield velocity + acceleration
    yield velocity


@torch.no_grad()
def _loss(module: nn.Module, problem: Problem, p: float) -> float:
    loss = float(p_norm(module(problem.x) - problem.target, p, problem.weight))
    return loss if isfinite(loss) else inf
