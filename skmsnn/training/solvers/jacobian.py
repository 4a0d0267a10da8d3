"""Derivatives of a network's outputs with respect to its weights, kept in factors.

A linear layer's weight enters a sample's output through that sample's pre-activation alone: its
derivative is the product of a slope, that of the output by the pre-activation, and an input. All
rows of the Jacobian so take as much memory as the slopes and inputs, and its products with vectors,
and with itself, need no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class LayerFactors:
    """The columns of one linear layer's weights, and of its bias where it has one.

    Attributes
    ----------
    inputs : Tensor of shape (n_samples, n_in)
        Of the layer.
    slopes : Tensor of shape (n_samples, n_outputs, n_out)
        Derivatives of the network's outputs with respect to the layer's.
    has_bias : bool
        Whether there are columns of a bias after those of the weights.
    """

    inputs: Tensor
    slopes: Tensor
    has_bias: bool

    @property
    def n_weights(self) -> int:
        n_out, n_in = self.slopes.shape[2], self.inputs.shape[1]
        return n_out * (n_in + int(self.has_bias))

    def dense(self, units: slice = slice(None)) -> Tensor:
        """Columns of some units' weights, then of their biases: (n_samples, n_outputs, .)."""
        slopes = self.slopes[:, :, units]
        columns = (slopes[..., None] * self.inputs[:, None, None, :]).flatten(2)
        return torch.cat([columns, slopes], dim=2) if self.has_bias else columns

    def times(self, v: Tensor) -> Tensor:
        """The product with a vector of all weights; shape (n_samples, n_outputs)."""
        n_out, n_in = self.slopes.shape[2], self.inputs.shape[1]
        change = self.inputs @ v[: n_out * n_in].reshape(n_out, n_in).T
        if self.has_bias:
            change = change + v[n_out * n_in :]
        return torch.einsum("ijk,ik->ij", self.slopes, change)

    def transposed_times(self, b: Tensor) -> Tensor:
        """The product of the transpose with values of shape (n_samples, n_outputs)."""
        slopes = torch.einsum("ijk,ij->ik", self.slopes, b)
        products = (slopes.T @ self.inputs).reshape(-1)
        return torch.cat([products, slopes.sum(dim=0)]) if self.has_bias else products

    def outer(self) -> Tensor:
        """``J J'``, an entry for each pair of rows; shape (n_rows, n_rows)."""
        n, n_outputs, _ = self.slopes.shape
        slopes = self.slopes.flatten(0, 1)
        inputs = self.inputs @ self.inputs.T + float(self.has_bias)
        pairs = (slopes @ slopes.T).reshape(n, n_outputs, n, n_outputs)
        return (pairs * inputs[:, None, :, None]).reshape(n * n_outputs, n * n_outputs)

    def largest_column(self) -> float:
        """The largest sum of squares of a column."""
        square = torch.sum(self.slopes**2, dim=1)
        largest = float((square.T @ self.inputs**2).amax())
        return max(largest, float(square.sum(dim=0).amax())) if self.has_bias else largest


@dataclass(frozen=True)
class Jacobian:
    """Derivatives of every output at every point with respect to every weight.

    Rows are those of ``(n_samples, n_outputs)`` in C order; columns are the weights in the order of
    ``module.parameters()``.
    """

    layers: tuple[LayerFactors, ...]

    def scaled(self, root: Tensor) -> Jacobian:
        """Each row times a number; ``root`` of shape (n_samples, n_outputs)."""
        layers = (replace(f, slopes=f.slopes * root[..., None]) for f in self.layers)
        return Jacobian(tuple(layers))

    def dense(self) -> Tensor:
        """Shape (n_samples, n_outputs, n_weights)."""
        return torch.cat([layer.dense() for layer in self.layers], dim=2)

    def columns(self, most_numbers: int) -> Iterator[Tensor]:
        """All columns in any order, some of ``most_numbers`` at a time: (n_rows, n_columns)."""
        for layer in self.layers:
            n, n_outputs, n_out = layer.slopes.shape
            step = max(1, most_numbers // (n * n_outputs * (layer.inputs.shape[1] + 1)))
            for start in range(0, n_out, step):
                yield layer.dense(slice(start, start + step)).flatten(0, 1)

    def times(self, v: Tensor) -> Tensor:
        """``J v``, of shape (n_rows,)."""
        pieces = v.split([layer.n_weights for layer in self.layers])
        products = [f.times(piece) for f, piece in zip(self.layers, pieces, strict=True)]
        return torch.stack(products).sum(dim=0).reshape(-1)

    def transposed_times(self, b: Tensor) -> Tensor:
        """``J' b``, of shape (n_weights,)."""
        values = b.reshape(self.layers[0].slopes.shape[:2])
        return torch.cat([layer.transposed_times(values) for layer in self.layers])

    def outer(self) -> Tensor:
        """``J J'``, of shape (n_rows, n_rows)."""
        first, *others = self.layers
        total = first.outer()
        for layer in others:
            total += layer.outer()
        return total

    def largest_column(self) -> float:
        """The largest sum of squares of a column."""
        return max(layer.largest_column() for layer in self.layers)


def jacobian_of(module: nn.Module, x: Tensor) -> Jacobian:
    """Differentiate a module, all of whose weights belong to ``nn.Linear`` layers used once.

    One backward pass an output gives the factors of every row.
    """
    inputs: dict[nn.Module, Tensor] = {}
    outputs: dict[nn.Module, Tensor] = {}

    def keep(layer: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        inputs[layer], outputs[layer] = args[0].detach(), out

    # in the order of the parameters, whatever that of the forward pass
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    hooks = [layer.register_forward_hook(keep) for layer in layers]
    try:
        with torch.enable_grad():
            value = module(x)
    finally:
        for hook in hooks:
            hook.remove()
    of_layers = [outputs[layer] for layer in layers]
    slopes = [
        torch.autograd.grad(value[:, j].sum(), of_layers, retain_graph=True)
        for j in range(value.shape[1])
    ]
    return Jacobian(
        tuple(
            LayerFactors(inputs[layer], torch.stack(of_layer, dim=1), layer.bias is not None)
            for layer, of_layer in zip(layers, zip(*slopes, strict=True), strict=True)
        )
    )
