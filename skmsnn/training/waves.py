"""A stage's network at the same points again and again, with its first layer in one piece.

Nearly all of an iteration's time goes to arrays of a number for each point and mode. Here few are
made, and those that outlive the forward pass, the cosines and the sines, in memory of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from skmsnn.modules.network import ACTIVATIONS, StageNetwork

# Numbers in an array that stays in half a megabyte of cache.
_IN_CACHE = 2**16


def values_at(module: StageNetwork, x: Tensor) -> Callable[[], Tensor]:
    """The module's values at x, whatever its weights are by then, to be differentiated once.

    They are those of ``module(x)`` to rounding. There may be one backward pass of them, before the
    next call: both write over the cosines.
    """
    first = module.fourier
    if first is None:
        return lambda: module(x)
    activate, readout = ACTIVATIONS[module.activation], module.readout
    hidden: list[Any] = list(module.hidden)
    work = _Work(x, module.n_modes)

    def values() -> Tensor:
        of_cosines, of_sines = [], first.weight.new_empty(0, module.n_modes)
        if hidden:
            of_cosines.append(hidden[0].weight * module.amplitudes)
        if readout is not None:
            of_cosine, of_sines = readout.weight.chunk(2, dim=1)
            of_cosines.append(of_cosine)
        layers = first.weight, first.bias, torch.cat(of_cosines), of_sines
        cosines, sines = _waves(work, *layers)
        total: Tensor | float = 0.0
        if readout is not None:
            total = cosines[:, -readout.out_features :] + sines + readout.bias
        if module.output is not None:
            inner = activate(cosines[:, : hidden[0].out_features] + hidden[0].bias)
            for layer in hidden[1:]:
                inner = activate(layer(inner))
            total = total + module.output(inner)
        assert isinstance(total, Tensor)
        return total

    return values


class _Work:
    """The points, after a column of ones, and room for a cosine and a sine a point and mode."""

    def __init__(self, x: Tensor, n_modes: int) -> None:
        self.lifted = torch.cat([torch.ones_like(x[:, :1]), x], dim=1)
        self.cosine, self.sine = x.new_empty(2, len(x), n_modes)
        self._x, self._lines = x, _lines(x)

    def evaluate(self, wave_vectors: Tensor, phases: Tensor) -> None:
        """Cosines and sines of ``x @ W.T + b``.

        On a grid by the addition theorem, from those at the nodes of one axis and those at the
        points of a line: a few products are faster than a cosine.
        """
        if self._lines is None:
            torch.addmm(phases, self._x, wave_vectors.T, out=self.cosine)
            torch.sin(self.cosine, out=self.sine)
            self.cosine.cos_()
            return
        nodes, line = self._lines
        along, across = nodes * wave_vectors[:, 0], torch.addmm(phases, line, wave_vectors[:, 1:].T)
        cos_along, sin_along = along.cos()[:, None], along.sin()[:, None]
        cos_across, sin_across = across.cos(), across.sin()
        shape = (len(nodes), *across.shape)
        cosines, sines = self.cosine.view(shape), self.sine.view(shape)
        # on the CPU lines that stay in its cache
        step = len(nodes) if nodes.is_cuda else max(1, _IN_CACHE // across.numel())
        for k in range(0, len(nodes), step):
            some = slice(k, k + step)
            torch.mul(cos_along[some], cos_across, out=cosines[some])
            cosines[some].addcmul_(sin_along[some], sin_across, value=-1)
            torch.mul(sin_along[some], cos_across, out=sines[some])
            sines[some].addcmul_(cos_along[some], sin_across)


def _lines(x: Tensor) -> tuple[Tensor, Tensor] | None:
    """Nodes (k, 1) of the first axis and points (m, d - 1) of the line at each, if x is so made."""
    nodes = x[:, :1].unique(dim=0)
    if x.shape[1] < 2 or len(nodes) < 2 or len(x) < 2 * len(nodes) or len(x) % len(nodes):
        return None
    lines = x.reshape(len(nodes), -1, x.shape[1])
    line = lines[0, :, 1:]
    is_grid = (lines[:, :, :1] == nodes[:, None]).all() and (lines[:, :, 1:] == line).all()
    return (nodes, line) if is_grid else None


class _Waves(torch.autograd.Function):
    """Linear layers without biases, on the cosines and on the sines of ``x @ W.T + b``."""

    @staticmethod
    def forward(
        ctx: Any,
        work: _Work,
        wave_vectors: Tensor,
        phases: Tensor,
        of_cosines: Tensor,
        of_sines: Tensor,
    ) -> tuple[Tensor, Tensor]:
        ctx.work = work
        ctx.save_for_backward(of_cosines, of_sines)
        work.evaluate(wave_vectors, phases)
        # so arranged, MKL is faster
        return (of_cosines @ work.cosine.T).T, (of_sines @ work.sine.T).T

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor | None, ...]:
        of_cosines, of_sines = ctx.saved_tensors
        by_cosine, by_sine = slopes
        work: _Work = ctx.work
        to_cosines, to_sines = by_cosine.T @ work.cosine, by_sine.T @ work.sine
        by_phase_of_sines = (by_sine @ of_sines).mul_(work.cosine) if len(of_sines) else None
        # the cosines have served
        by_phase = torch.mm(by_cosine, -of_cosines, out=work.cosine).mul_(work.sine)
        if by_phase_of_sines is not None:
            by_phase += by_phase_of_sines
        to_waves = work.lifted.T @ by_phase
        return None, to_waves[1:].T, to_waves[0], to_cosines, to_sines


_waves: Callable[..., tuple[Tensor, Tensor]] = _Waves.apply
