"""A trained network as a plain function of few points, by NumPy: torch takes longer to begin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from skmsnn._network import StageNetwork
from skmsnn._stage import Stage, differentiate, evaluate, with_autograd

# Points of which arithmetic, and not the calls, take most of the time.
_FEW = 100

Activation = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def _gelu(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return z * ndtr(z)


def _gelu_slope(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return ndtr(z) + z * np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)


def _tanh_slope(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1 - np.tanh(z) ** 2


_ACTIVATIONS: dict[str, tuple[Activation, Activation]] = {
    "tanh": (np.tanh, _tanh_slope),
    "sin": (np.sin, np.cos),
    "gelu": (_gelu, _gelu_slope),
}


class NetworkFunction:
    """The term of a stage that is a network, or a derivative of it, of scaled points."""

    def __init__(self, stage: Stage, nu: Sequence[int] = ()) -> None:
        assert stage.network is not None
        self._stage, self._nu = stage, tuple(nu)
        self._module: StageNetwork | None = None
        arrays = stage.network.arrays
        names = (f"hidden.{k}" for k in count())
        self._hidden = []
        for name in names:
            if f"{name}.weight" not in arrays:
                break
            self._hidden.append((arrays[f"{name}.weight"].T, arrays[f"{name}.bias"]))
        self._arrays = arrays
        self._activate, self._slope = _ACTIVATIONS[stage.network.architecture["activation"]]

    def derivative(self, nu: Sequence[int]) -> NetworkFunction:
        """The derivative of order nu_j along each axis j."""
        before = self._nu or (0,) * len(nu)
        return NetworkFunction(self._stage, [a + b for a, b in zip(before, nu, strict=True)])

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at scaled points (n, d); shape (n, n_outputs)."""
        if len(x) <= _FEW and sum(self._nu) <= 1:
            return self._stage.scale * self._few(x)
        return self._many(x)

    @with_autograd
    def _many(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._module is None:
            assert self._stage.network is not None
            self._module = self._stage.network.to_module()
        if any(self._nu):
            return self._stage.scale * differentiate(self._module, x, self._nu)
        return self._stage.scale * evaluate(self._module, x)

    def _few(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values, or slopes along the one axis of ``nu``: each layer's, from those of the last."""
        slopes = any(self._nu)
        slope = np.zeros_like(x) + np.array(self._nu or 0.0, dtype=np.float64)
        total: NDArray[np.float64] | float = 0.0
        arrays = self._arrays
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
