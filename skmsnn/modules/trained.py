"""A trained network as NumPy arrays, so that it pickles to any machine.

Many points are evaluated by the torch module that it makes; few by NumPy, as torch takes longer to
begin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skmsnn._effort import SET_UP
from skmsnn._restoring import restoring
from skmsnn.functions.base import Function, Term
from skmsnn.functions.orders import sum_of_orders
from skmsnn.modules.autograd import autograd_mode, with_autograd

if TYPE_CHECKING:
    import torch

    from skmsnn.modules.network import StageNetwork

Activation = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _gelu(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return z * ndtr(z)


def _gelu_slope(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _tanh_slope(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.tanh(z) ** 2


#: Each activation and its slope, by name.
ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "tanh": (np.tanh, _tanh_slope),
    "sin": (np.sin, np.cos),
    "gelu": (_gelu, _gelu_slope),
}


@dataclass(frozen=True)
class TrainedNetwork(Function):
    """A ``StageNetwork`` as NumPy arrays, or a derivative of it, of scaled coordinates.

    Attributes
    ----------
    architecture : dict
        Parameters of the ``StageNetwork``.
    arrays : dict from str to ndarray
        Its weights, by their names in torch's state dictionary.
    nu : tuple of int
        Order of the derivative that this is along each feature; empty for the function itself.
    """

    architecture: dict[str, Any]
    arrays: dict[str, NDArray[np.float64]]
    nu: tuple[int, ...] = ()

    @classmethod
    def of(cls, module: StageNetwork, architecture: dict[str, Any]) -> Self:
        """The weights of a module, copied."""
        state = module.state_dict()
        arrays = {name: weight.detach().cpu().numpy().copy() for name, weight in state.items()}
        return cls(architecture, arrays)

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return int(self.architecture["n_features"])

    @property
    def n_modes(self) -> int:
        """Width of the Fourier layer."""
        return int(self.architecture["n_modes"])

    @property
    def n_terms(self) -> int:
        """Number of weights."""
        return sum(array.size for array in self.arrays.values())

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        """The same function times a factor for each output."""
        arrays = dict(self.arrays)
        for name in arrays:
            if name.startswith(("output.", "readout.")):
                arrays[name] = (arrays[name].T * factor).T
        return replace(self, arrays=arrays)

    def of_outputs(self, outputs: slice) -> Self:
        """The same network with some of its outputs alone."""
        arrays = dict(self.arrays)
        for name in arrays:
            if name.startswith(("output.", "readout.")):
                arrays[name] = arrays[name][outputs]
        n_outputs = len(range(*outputs.indices(self.architecture["n_outputs"])))
        return replace(
            self, architecture={**self.architecture, "n_outputs": n_outputs}, arrays=arrays
        )

    def derivative(self, nu: Sequence[int]) -> TrainedNetwork:
        """The derivative of order nu_j along each axis j."""
        return replace(self, nu=sum_of_orders(self.nu, nu))

    @with_autograd
    def evaluate(
        self, x: NDArray[np.float64], device: torch.device | str = "cpu"
    ) -> NDArray[np.float64]:
        """Values at scaled points (n, d); shape (n, n_outputs). Derivatives are the CPU's."""
        from skmsnn.modules.evaluation import differentiate, evaluate

        module = self.to_module()
        if any(self.nu):
            return differentiate(module, x, self.nu)
        return evaluate(module.to(device), x, device)

    def prepared(self) -> Term:
        return PreparedNetwork(self).evaluate

    @restoring(autograd_mode)
    def to_module(self) -> StageNetwork:
        """The network itself, whatever ``nu`` is."""
        from skmsnn.modules.network import StageNetwork, tensor

        module = StageNetwork(**self.architecture)
        module.load_state_dict({name: tensor(array) for name, array in self.arrays.items()})
        return module


class PreparedNetwork:
    """A trained network, prepared for few points and for many."""

    def __init__(self, network: TrainedNetwork) -> None:
        self._network = network
        self._module: StageNetwork | None = None
        arrays = network.arrays
        self._n_products = sum(array.size for array in arrays.values())
        names = (f"hidden.{k}" for k in count())
        self._hidden = []
        for name in names:
            if f"{name}.weight" not in arrays:
                break
            self._hidden.append((arrays[f"{name}.weight"].T, arrays[f"{name}.bias"]))
        self._activate, self._slope = ACTIVATIONS[network.architecture["activation"]]

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at scaled points (n, d); shape (n, n_outputs)."""
        is_few = len(x) * self._n_products <= SET_UP
        if is_few and sum(self._network.nu) <= 1:
            return self._few(x)
        return self._many(x)

    @with_autograd
    def _many(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        from skmsnn.modules.evaluation import differentiate, evaluate

        if self._module is None:
            self._module = self._network.to_module()
        if any(self._network.nu):
            return differentiate(self._module, x, self._network.nu)
        return evaluate(self._module, x)

    def _few(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values, or slopes along the one axis of ``nu``: each layer's, from those of the last."""
        slopes = any(self._network.nu)
        slope = np.zeros_like(x) + np.array(self._network.nu or 0.0, dtype=np.float64)
        total: NDArray[np.float64] | float = 0.0
        arrays = self._network.arrays
        if "fourier.weight" in arrays:
            weight = arrays["fourier.weight"].T
            phase = x @ weight + arrays["fourier.bias"]
            cosine, sine = np.cos(phase), np.sin(phase)
            waves, x = [cosine, sine], arrays["amplitudes"] * cosine
            if slopes:
                slope = slope @ weight
                waves = [-sine * slope, cosine * slope]
                slope = arrays["amplitudes"] * waves[0]
            if "readout.weight" in arrays:
                total = np.concatenate(waves, axis=1) @ arrays["readout.weight"].T
                total = total if slopes else total + arrays["readout.bias"]
        if "output.weight" not in arrays:
            return np.asarray(total)
        for weight, bias in self._hidden:
            before = x @ weight + bias
            x = self._activate(before)
            if slopes:
                slope = (slope @ weight) * self._slope(before)
        if slopes:
            return total + slope @ arrays["output.weight"].T
        return total + x @ arrays["output.weight"].T + arrays["output.bias"]
