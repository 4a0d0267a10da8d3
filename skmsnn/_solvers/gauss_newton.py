"""Gauss-Newton with Levenberg-Marquardt damping and geodesic acceleration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from math import inf, isfinite

import torch
from torch import Tensor, nn

from skmsnn._losses import irls_weight, p_norm
from skmsnn._solvers._base import (
    Problem,
    SolverOptions,
    SolverResult,
    StallDetector,
    set_weights,
    weights_of,
)
from skmsnn._solvers._threads import one_thread

_BLOCK_BYTES = 2**28
# Relative damping above which the normal equations still give a step its digits: their rounding
# error is about 1e-16 / damping.
_NORMAL_EQUATIONS_DAMPING = 1e-11
# The same once the Jacobian is preconditioned by the triangle of a Cholesky factorisation with
# the damping of ``_PRECONDITIONER``: its square is then that of a condition number of 1e5.
_PRECONDITIONER, _PRECONDITIONED_DAMPING = 1e-12, 1e-22
# Delayed gratification (Transtrum & Sethna 2012): raise the damping little, lower it much.
_RAISE, _LOWER = 2.0, 5.0
# Largest acceleration relative to the velocity at which the second-order step is believed.
_ACCELERATION_LIMIT = 0.75
_PROBE = 0.1


def minimise(module: nn.Module, problem: Problem, options: SolverOptions) -> SolverResult:
    """Train all weights by damped Gauss-Newton steps.

    Each step solves ``min |J v + r|^2 + damping |v|^2``. While the damping is large the normal
    equations serve; below that the squared condition number of J^T J would cost half the digits
    (Nocedal & Wright 2006, section 10.3), and the step comes from a QR factorisation of J, by
    Cholesky factorisations as long as these give it (shifted Cholesky QR, Fukaya et al. 2020),
    at a third of the cost. To the velocity v is added the geodesic acceleration of Transtrum &
    Sethna (2012, equation 7) where it is small enough to be believed. For p > 2 the residuals are
    reweighted before each step.

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
    damping = 1e-2

    for iteration in range(1, options.max_iter + 1):
        if loss <= options.loss_floor:
            return SolverResult(curve, "round-off", "the loss is at round-off")
        model = _LinearModel(module, problem, options.p)
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
                damping *= _RAISE
        weights, loss = accepted, trial
        damping = max(damping / _LOWER, 1e-30)
        curve.append(loss)
        if options.report(iteration, loss):
            return SolverResult(curve, "stopped", "stopped by the held-out residual")
        if stalled(loss):
            return SolverResult(curve, "stalled", "the loss has stopped falling")
    return SolverResult(curve, "max_iter", f"max_iter={options.max_iter} reached")


def _steps(model: _LinearModel, weights: Tensor, damping: float) -> Iterator[Tensor]:
    """Yield the accelerated step, where it can be believed, then the plain one."""
    solve = model.damped(damping)
    velocity = -solve(model.residual)
    if not bool(torch.isfinite(velocity).all()):
        return
    bend = model.residual_at(weights + _PROBE * velocity) - model.residual
    second = (bend / _PROBE - model.times(velocity)) * (2 / _PROBE)
    acceleration = -0.5 * solve(second)
    if 2 * float(acceleration.norm()) <= _ACCELERATION_LIMIT * float(velocity.norm()):
        yield velocity + acceleration
    yield velocity


class _LinearModel:
    """The weighted residual, linearised at the module's present weights.

    The Jacobian is kept where it fits in ``_BLOCK_BYTES`` and computed again, block of rows by
    block, where it does not.
    """

    def __init__(self, module: nn.Module, problem: Problem, p: float) -> None:
        self._module, self._problem = module, problem
        self._weights = weights_of(module)
        with torch.no_grad():
            raw = module(problem.x) - problem.target
        n, n_outputs = raw.shape
        self._root = (irls_weight(raw, p) * problem.weight / n_outputs).sqrt()
        self.residual = (raw * self._root).reshape(-1)
        rows = max(1, _BLOCK_BYTES // (8 * len(self._weights) * n_outputs))
        self._blocks = [slice(i, i + rows) for i in range(0, n, rows)]
        self._whole = self._compute(self._blocks[0]) if len(self._blocks) == 1 else None
        zero = raw.new_zeros((len(self._weights), len(self._weights)))
        self._normal = sum((j.T @ j for j in self._rows()), zero)
        self._scale = float(self._normal.diagonal().max()) or 1.0
        self._identity = torch.eye(len(self._weights), dtype=raw.dtype, device=raw.device)

    def damped(self, damping: float) -> Callable[[Tensor], Tensor]:
        """Prepare ``b -> argmin |J v - b|^2 + damping s^2 |v|^2``, s the largest column norm.

        Both ways solve the normal equations of a triangle. One from QR needs a step of
        refinement to be as good as QR itself (Bjorck 1987, corrected seminormal equations).
        """
        shift = damping * self._scale
        if damping > _NORMAL_EQUATIONS_DAMPING:
            triangle = _cholesky(self._normal + shift * self._identity)
            return lambda b: _solve_normal(triangle, self._transposed_times(b))
        triangle = self._triangle(damping)

        def solve(b: Tensor) -> Tensor:
            v = _solve_normal(triangle, self._transposed_times(b))
            rest = self._transposed_times(b - self.times(v)) - shift * v
            return v + _solve_normal(triangle, rest)

        return solve

    def times(self, v: Tensor) -> Tensor:
        return torch.cat([j @ v for j in self._rows()])

    def residual_at(self, weights: Tensor) -> Tensor:
        set_weights(self._module, weights)
        with torch.no_grad():
            raw = self._module(self._problem.x) - self._problem.target
        return (raw * self._root).reshape(-1)

    def _transposed_times(self, b: Tensor) -> Tensor:
        sizes = [len(self._root[block]) * self._root.shape[1] for block in self._blocks]
        pieces = zip(self._rows(), b.split(sizes), strict=True)
        return sum((j.T @ piece for j, piece in pieces), b.new_zeros(len(self._weights)))

    def _triangle(self, damping: float) -> Tensor:
        """R of a QR factorisation of the Jacobian stacked on the damping, by blocks of rows."""
        shift = damping * self._scale
        if damping > _PRECONDITIONED_DAMPING:
            first, normal, identity = self._preconditioned
            return _cholesky(normal + shift * identity) @ first
        triangle = self._identity * shift**0.5
        for j in self._rows():
            with one_thread():
                reflectors, _ = torch.geqrf(torch.cat([j, triangle]))
            triangle = reflectors[: len(self._weights)].triu()
        return triangle

    @cached_property
    def _preconditioned(self) -> tuple[Tensor, Tensor, Tensor]:
        """A triangle R with J R^-1 well conditioned, R^-T J^T J R^-1, and R^-T R^-1."""
        shift = _PRECONDITIONER * self._scale
        triangle = _cholesky(self._normal + shift * self._identity)
        with one_thread():
            inverse = torch.linalg.solve_triangular(triangle, self._identity, upper=True)
        scaled = (j @ inverse for j in self._rows())
        normal = sum((j.T @ j for j in scaled), torch.zeros_like(inverse))
        return triangle, normal, inverse.T @ inverse

    def _rows(self) -> Iterator[Tensor]:
        for block in self._blocks:
            yield self._compute(block) if self._whole is None else self._whole

    def _compute(self, block: slice) -> Tensor:
        set_weights(self._module, self._weights)
        jacobian = jacobian_of(self._module, self._problem.x[block])
        return (jacobian * self._root[block][..., None]).flatten(0, 1)


@one_thread()
def _cholesky(matrix: Tensor) -> Tensor:
    triangle, _ = torch.linalg.cholesky_ex(matrix, upper=True)
    return triangle


@one_thread()
def _solve_normal(triangle: Tensor, rhs: Tensor) -> Tensor:
    return torch.cholesky_solve(rhs[:, None], triangle, upper=True)[:, 0]


@torch.no_grad()
def _loss(module: nn.Module, problem: Problem, p: float) -> float:
    loss = float(p_norm(module(problem.x) - problem.target, p, problem.weight))
    return loss if isfinite(loss) else inf


def jacobian_of(module: nn.Module, x: Tensor) -> Tensor:
    """Derivatives of every output at every point with respect to every weight.

    A linear layer's weight enters a sample's output through that sample's pre-activation
    alone, so one backward pass an output gives the factors of every row.

    Returns
    -------
    Tensor of shape (n_samples, n_outputs, n_weights)
        Weights in the order of ``module.parameters()``.
    """
    inputs: dict[nn.Module, Tensor] = {}
    outputs: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        inputs[layer], outputs[layer] = args[0].detach(), out

    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        with torch.enable_grad():
            value = module(x)
    finally:
        for hook in hooks:
            hook.remove()
    parameters = list(module.parameters())
    rows = []
    for j in range(value.shape[1]):
        slopes = torch.autograd.grad(
            value[:, j].sum(), [outputs[layer] for layer in layers], retain_graph=True
        )
        columns: dict[Tensor, Tensor] = {}
        for layer, slope in zip(layers, slopes, strict=True):
            columns[layer.weight] = (slope[:, :, None] * inputs[layer][:, None, :]).flatten(1)
            if layer.bias is not None:
                columns[layer.bias] = slope
        rows.append(torch.cat([columns[w] for w in parameters], dim=1))
    return torch.stack(rows, dim=1)
