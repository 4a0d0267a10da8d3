"""One stage: the only place where NumPy meets torch.

A stage holds NumPy arrays alone, so that it pickles to any machine; torch modules are made from
them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmsnn._initialisation import Spectrum
from skmsnn._network import StageNetwork
from skmsnn._product_modules import PolynomialModule, ProductModule, StageModule
from skmsnn._restoring import restoring
from skmsnn._solvers import SOLVERS, Problem, SolverOptions, SolverResult
from skmsnn._spectrum.candidates import Modes
from skmsnn._spectrum.lattice import FourierModes, LatticeModes
from skmsnn._spectrum.polynomial import PolynomialModes
from skmsnn._spectrum.products import ProductModes

_BLOCK_BYTES = 2**26

P = ParamSpec("P")
T = TypeVar("T")


def autograd_mode() -> Callable[[], object]:
    """Whether torch records derivatives now, as what sets it back."""
    return partial(torch.set_grad_enabled, torch.is_grad_enabled())


def with_autograd(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that differentiates, also when called in ``no_grad``."""

    @wraps(function)
    @restoring(autograd_mode)
    def differentiating(*args: P.args, **kwargs: P.kwargs) -> T:
        if torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                return function(*args, **kwargs)
        torch.set_grad_enabled(True)
        return function(*args, **kwargs)

    return differentiating


@contextmanager
def _memory_errors() -> Iterator[None]:
    """Let torch's out-of-memory errors be Python's, as NumPy's are."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.cuda.OutOfMemoryError) or "can't allocate" in str(error):
            raise MemoryError(str(error)) from error
        raise


@dataclass(frozen=True)
class NetworkWeights:
    """A ``StageNetwork`` as NumPy arrays."""

    architecture: dict[str, Any]
    arrays: dict[str, NDArray[np.float64]]

    @classmethod
    def of(cls, module: StageNetwork, architecture: dict[str, Any]) -> NetworkWeights:
        arrays = {
            name: tensor.detach().cpu().numpy().copy()
            for name, tensor in module.state_dict().items()
        }
        return cls(architecture, arrays)

    def to_module(self) -> StageNetwork:
        module = StageNetwork(**self.architecture)
        module.load_state_dict({name: _tensor(array) for name, array in self.arrays.items()})
        return module


@dataclass(frozen=True)
class Stage:
    """What one stage adds to the model: ``scale * u(x)``, of scaled coordinates.

    Attributes
    ----------
    scale : ndarray of shape (n_outputs,)
        Root mean square of the residual that the stage was fitted to (epsilon in the paper).
    modes : FourierModes, LatticeModes, PolynomialModes, ProductModes or None
        The stage's function where it comes from a least squares solve: waves, which are the paper's
        one-layer case, or polynomials and splines.
    network : NetworkWeights or None
        The stage's function where it has hidden layers or trained wave vectors.
    """

    scale: NDArray[np.float64]
    modes: Modes | None = None
    network: NetworkWeights | None = None

    @property
    def n_modes(self) -> int:
        """Width of the Fourier layer; of polynomials, splines and their products the terms."""
        if self.network is not None:
            return int(self.network.architecture["n_modes"])
        if isinstance(self.modes, PolynomialModes | ProductModes):
            return self.modes.n_terms
        if isinstance(self.modes, LatticeModes):
            return (self.modes.coefficients[..., 0].size + 1) // 2
        return 0 if self.modes is None else int(self.modes.wave_vectors.any(axis=1).sum())

    @property
    def is_spectral(self) -> bool:
        """Whether the stage is spectral only."""
        return self.modes is not None

    @restoring(autograd_mode)
    def predict(
        self, x: NDArray[np.float64], device: torch.device | str = "cpu"
    ) -> NDArray[np.float64]:
        """The stage's term at scaled points (n, d); shape (n, n_outputs)."""
        if self.modes is not None:
            return self.scale * self.modes.evaluate(x)
        assert self.network is not None
        module = self.network.to_module().to(device)
        return self.scale * evaluate(module, x, device)

    @with_autograd
    def derivative(self, x: NDArray[np.float64], nu: Sequence[int]) -> NDArray[np.float64]:
        """Derivative of order nu_j along each scaled coordinate j; shape (n, n_outputs)."""
        if self.modes is not None:
            return self.scale * self.modes.derivative(nu).evaluate(x)
        assert self.network is not None
        return self.scale * differentiate(self.network.to_module(), x, nu)

    @restoring(autograd_mode)
    def to_module(self) -> StageModule:
        """The stage's function, without the scale, as a torch module of scaled coordinates."""
        if self.network is not None:
            return self.network.to_module()
        if isinstance(self.modes, PolynomialModes):
            return PolynomialModule(self.modes)
        if isinstance(self.modes, ProductModes):
            has_waves = bool(self.modes.wave_axes)
            return ProductModule(self.modes, _wave_module(self.modes.waves) if has_waves else None)
        assert self.modes is not None
        return _wave_module(self.modes)


def _wave_module(modes: FourierModes | LatticeModes) -> StageNetwork:
    """A Fourier layer and its readout, the paper's one-layer network."""
    modes = modes.to_modes() if isinstance(modes, LatticeModes) else modes
    n_modes, n_outputs = modes.coefficients.shape
    module = StageNetwork(modes.wave_vectors.shape[1], n_outputs, n_modes, (), "tanh", True)
    with torch.no_grad():
        assert module.fourier is not None
        assert module.readout is not None
        module.fourier.weight.copy_(_tensor(modes.wave_vectors))
        module.fourier.bias.zero_()
        weights = np.concatenate([modes.coefficients.real, -modes.coefficients.imag])
        module.readout.weight.copy_(_tensor(weights.T))
        module.readout.bias.zero_()
    return module


class CascadeModule(nn.Module):
    """The fitted model as one torch module, from raw X (n, d) to raw y (n, n_outputs) or (n,)."""

    def __init__(
        self,
        centre: NDArray[np.float64],
        half_width: NDArray[np.float64],
        periodic: NDArray[np.bool_],
        stages: list[Stage],
        offset: NDArray[np.float64],
        flatten: bool,
    ) -> None:
        super().__init__()
        self.register_buffer("centre", _tensor(centre))
        self.register_buffer("half_width", _tensor(half_width))
        self.register_buffer("periodic", _tensor(periodic.astype(float)))
        self.register_buffer("offset", _tensor(offset))
        scales = np.array([stage.scale for stage in stages]).reshape(len(stages), len(offset))
        self.register_buffer("scales", _tensor(scales))
        self.stages = nn.ModuleList(stage.to_module() for stage in stages)
        self._flatten = flatten

    centre: Tensor
    half_width: Tensor
    periodic: Tensor
    offset: Tensor
    scales: Tensor

    def forward(self, X: Tensor) -> Tensor:
        """Value at points of shape (n, d), in double precision whatever the type of X."""
        x = (X.to(self.centre.dtype) - self.centre) / self.half_width
        x = x - 2 * self.periodic * torch.floor((x + 1) / 2)
        total = x.new_zeros((x.shape[0], self.scales.shape[1]))
        for scale, stage in zip(self.scales, self.stages, strict=True):
            assert isinstance(stage, StageModule)
            if torch.compiler.is_compiling():  # a graph for any number of points has no blocks
                values = stage(x)
            else:  # blocks bound the memory that cosines of many modes take
                values = torch.cat([stage(block) for block in x.split(rows_a_block(stage))])
            total = total + scale * values
        total = self.offset + total
        return total[:, 0] if self._flatten else total


@dataclass(frozen=True)
class Points:
    """Scaled points (n, d) and their weights (n,), of which some may be 0."""

    x: NDArray[np.float64]
    weight: NDArray[np.float64]


@dataclass(frozen=True)
class Training:
    """How a network is trained: the solver, its options, and the device."""

    solver: str
    options: SolverOptions
    device: str = "cpu"


def training_device(name: str) -> str:
    """The torch device of that name, "auto" for the best there is.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device={name!r} is not a torch device.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={name!r}, but torch finds no CUDA; use device='cpu' or 'auto'.")
    return name


def prediction_device(name: str) -> str:
    """The same, but the CPU, with a warning, where there is no such device."""
    try:
        return training_device(name)
    except ValueError as error:
        warnings.warn(f"{error} The CPU predicts instead.", stacklevel=4)
        return "cpu"


def to_spectrum(modes: FourierModes) -> Spectrum:
    """Modes as tensors, from which a network's first layer starts."""
    return Spectrum(*(_tensor(a) for a in (modes.wave_vectors, modes.phases, modes.amplitudes)))


@_memory_errors()
def train_network(
    module: StageNetwork,
    points: Points,
    target: NDArray[np.float64],
    training: Training,
    watch: Callable[[int, float, Callable[[NDArray], NDArray]], bool],
) -> SolverResult:
    """Train a module on the points of positive weight.

    Parameters
    ----------
    module : StageNetwork
        Initialised; holds the trained weights afterwards.
    points : Points
        Training points.
    target : ndarray of shape (n, n_outputs)
        Normalised residual at the points.
    training : Training
        Solver and options.
    watch : callable
        Called once an iteration with the iteration, the loss and the module's function of scaled
        points; returns True to stop.
    """
    used = points.weight > 0
    module.to(training.device)
    weight = points.weight[used][:, None]
    arrays = (points.x[used], target[used], weight / weight.sum())
    x, values, shares = (_tensor(array).to(training.device) for array in arrays)
    problem = Problem(x, values, shares)

    def report(iteration: int, loss: float) -> bool:
        return watch(iteration, loss, lambda x: evaluate(module, x, training.device))

    options = replace(training.options, report=report)
    result = SOLVERS[training.solver](module, problem, options)
    module.to("cpu")
    return result


@_memory_errors()
def solve_linear_layers(
    module: StageNetwork, points: Points, target: NDArray[np.float64], cutoff: float
) -> None:
    """Set the layers that enter linearly by least squares, where that lowers the residual.

    Solved for the residual of the present weights, so that what they got right stays as it is.
    Singular values below ``cutoff``, relative to the largest, count as zero.
    """
    used = points.weight > 0
    x, weight = _tensor(points.x[used]), _tensor(points.weight[used])[:, None]
    root = (weight / weight.sum()).sqrt()
    layers = module.linear_layers
    inputs: list[Tensor] = []
    hooks = [layer.register_forward_hook(lambda _, a, __: inputs.append(a[0])) for layer in layers]
    with torch.no_grad():
        before = _tensor(target[used]) - module(x)
    for hook in hooks:
        hook.remove()
    columns = torch.cat([*inputs, torch.ones_like(weight)], dim=1)
    scale = columns.abs().amax(dim=0)
    scale = torch.where(scale > 1e-8 * scale.amax(), scale, scale.amax())
    change, *_ = np.linalg.lstsq(
        (columns / scale * root).numpy(), (before * root).numpy(), rcond=cutoff
    )
    old = [layer.weight.detach().clone() for layer in layers]
    old_bias = layers[0].bias.detach().clone()
    update = _tensor(change) / scale[:, None]
    start = 0
    with torch.no_grad():
        for layer in layers:
            stop = start + layer.in_features
            layer.weight.add_(update[start:stop].T)
            start = stop
        layers[0].bias.add_(update[-1])
        after = _tensor(target[used]) - module(x)
        if not float((after * root).norm()) < float((before * root).norm()):
            for layer, weights in zip(layers, old, strict=True):
                layer.weight.copy_(weights)
            layers[0].bias.copy_(old_bias)


@_memory_errors()
@torch.no_grad()
def no_worse_than_mean(module: StageNetwork, points: Points, target: NDArray[np.float64]) -> None:
    """Set to their weighted mean those outputs of which the module leaves more than that does.

    It may after training that has hardly begun, or of an output that is constant beside others.
    """
    used = points.weight > 0
    values, weight = target[used], points.weight[used]
    mean = np.average(values, axis=0, weights=weight)
    left, left_by_mean = (
        np.average((values - fit) ** 2, axis=0, weights=weight)
        for fit in (evaluate(module, points.x[used]), mean)
    )
    layers = module.linear_layers
    for j in np.flatnonzero(~(left <= left_by_mean)):
        for layer in layers:
            layer.weight[j] = 0.0
            layer.bias[j] = 0.0
        layers[0].bias[j] = mean[j]


@_memory_errors()
@torch.no_grad()
def evaluate(
    module: StageNetwork, x: NDArray[np.float64], device: torch.device | str = "cpu"
) -> NDArray[np.float64]:
    """Values of a module at scaled points, in blocks of rows."""
    blocks = [
        module(_tensor(x[start : start + rows_a_block(module)]).to(device)).cpu().numpy()
        for start in range(0, len(x), rows_a_block(module))
    ]
    return np.concatenate(blocks)


@_memory_errors()
def differentiate(
    module: StageNetwork, x: NDArray[np.float64], nu: Sequence[int]
) -> NDArray[np.float64]:
    """Derivative of order nu_j along each axis j by automatic differentiation, in blocks of rows.

    The graph of a derivative is a few times that of the one before it, and blocks are the smaller.
    """
    axes = [j for j, order in enumerate(nu) for _ in range(order)]
    rows = max(1, rows_a_block(module) // 4 ** len(axes))
    blocks = []
    for start in range(0, len(x), rows):
        points = _tensor(x[start : start + rows]).requires_grad_()
        columns = []
        for output in module(points).T:
            value = output
            for left, j in zip(range(len(axes) - 1, -1, -1), axes, strict=True):
                (slope,) = torch.autograd.grad(
                    value.sum(), points, create_graph=left > 0, retain_graph=True
                )
                value = slope[:, j]
            columns.append(value.detach().numpy())
        blocks.append(np.stack(columns, axis=1))
    return np.concatenate(blocks)


def rows_a_block(module: StageModule) -> int:
    """Points whose widest layer fits in a block of memory."""
    return max(1, _BLOCK_BYTES // (8 * module.widest))


def _tensor(array: NDArray[np.float64]) -> Tensor:
    """A copy, since torch shares memory with NumPy and refuses some arrays."""
    return torch.from_numpy(np.array(array, dtype=np.float64, order="C"))
