"""The network of one stage, as a torch module in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.polynomial.chebyshev import chebinterpolate
from numpy.typing import NDArray
from scipy.special import erfcx
from torch import Tensor, nn

from skmsnn._shape import check_points


def is_traced() -> bool:
    """Whether a module is run to record what it does, by torch's compiler or its older tracer."""
    return torch.compiler.is_compiling() or torch._C._get_tracing_state() is not None


def _gelu(z: Tensor) -> Tensor:
    if not is_traced():
        return nn.functional.gelu(z)
    # ONNX Runtime has the error function in single precision alone
    size = z.abs()
    t = (size - 5) / (size + 5)
    later, last = torch.zeros_like(t), torch.zeros_like(t)
    # exporters round numbers to single precision, and drop tensors without axes that are almost 0
    for coefficient in z.new_tensor(_tail_coefficients()[::-1])[:, None]:  # Clenshaw's recurrence
        later, last = 2 * t * later - last + coefficient, later
    beyond = torch.exp(-(z**2) / 2) * (later - t * last) / (1 + size)
    return z * torch.where(z > 0, 1 - beyond, beyond)


@cache
def _tail_coefficients() -> list[float]:
    """Chebyshev coefficients of ``(1 + z) exp(z^2 / 2) P(Z > z)``, Z normal, to round-off.

    The variable is ``t = (z - 5) / (z + 5)``. Shepherd & Laframboise (1981) have the same for the
    error function.
    """

    def of(t: Any) -> Any:
        z = 5 * (1 + t) / (1 - t)
        return (1 + z) * erfcx(z / np.sqrt(2)) / 2

    return [float(coefficient) for coefficient in chebinterpolate(of, 28)]


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "gelu": _gelu,
}


class StageModule(nn.Module):
    """The function of one stage, of scaled coordinates (n, d); values (n, n_outputs).

    Each checks the shape of its points, which torch would broadcast.
    """

    @property
    def widest(self) -> int:
        """Numbers that it holds for one point at a time, at most."""
        raise NotImplementedError


class StageNetwork(StageModule):
    """Fourier layer, hidden layers, linear output, and a direct readout of the Fourier layer.

    The first layer is ``amplitudes * cos(x @ W.T + b)``: wave vectors W and phases b are
    trained, the amplitudes are not (Ng, Wang & Lai 2024, algorithm 1). Wave vectors are in
    radians per unit of the scaled coordinates.

    Parameters
    ----------
    n_features, n_outputs : int
        Sizes of the input and of the output.
    n_modes : int
        Width of the Fourier layer; 0 feeds the input to the hidden layers as it is.
    hidden_layer_sizes : sequence of int
        Widths of the hidden layers; empty, together with a readout, makes the one-layer network
        of section 3.4.
    activation : {"tanh", "sin", "gelu"}
        Activation of the hidden layers.
    readout : bool
        Whether the cosines and sines of the Fourier layer are added to the output linearly.
    """

    amplitudes: Tensor

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        n_modes: int,
        hidden_layer_sizes: Sequence[int],
        activation: str,
        readout: bool,
    ) -> None:
        super().__init__()
        self.n_features, self.n_modes = n_features, n_modes
        self.activation = activation

        def linear(n_in: int, n_out: int, bias: bool = True) -> nn.Linear:
            # empty, not initialised: the caller fills every weight from its own generator
            return nn.utils.skip_init(nn.Linear, n_in, n_out, bias=bias, dtype=torch.float64)

        self.fourier = linear(n_features, n_modes) if n_modes else None
        self.register_buffer("amplitudes", torch.ones(n_modes, dtype=torch.float64))
        widths = [n_modes or n_features, *hidden_layer_sizes]
        self.hidden = nn.ModuleList(linear(a, b) for a, b in pairwise(widths))
        self.output = linear(widths[-1], n_outputs) if hidden_layer_sizes else None
        self.readout = linear(2 * n_modes, n_outputs) if readout and n_modes else None
        if self.output is None and self.readout is None:
            raise ValueError("A stage needs hidden layers or a readout of the Fourier layer.")

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, self.n_features)
        total: Tensor | float = 0.0
        if self.fourier is not None:
            phase = self.fourier(x)
            cosine = torch.cos(phase)
            if self.readout is not None:
                total = self.readout(torch.cat([cosine, torch.sin(phase)], dim=1))
            x = self.amplitudes * cosine
        if self.output is not None:
            activate = ACTIVATIONS[self.activation]
            for layer in self.hidden:
                x = activate(layer(x))
            total = total + self.output(x)
        assert isinstance(total, Tensor)
        return total

    @property
    def widest(self) -> int:
        return max(layer.in_features for layer in self.modules() if isinstance(layer, nn.Linear))

    @property
    def linear_layers(self) -> list[nn.Linear]:
        """The layers that enter the network's output linearly, in the order of ``forward``."""
        return [layer for layer in (self.readout, self.output) if layer is not None]


def tensor(array: NDArray[np.float64]) -> Tensor:
    """A copy, since torch shares memory with NumPy and refuses some arrays."""
    return torch.from_numpy(np.array(array, dtype=np.float64, order="C"))
