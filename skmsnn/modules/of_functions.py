"""Functions of fitted stages as torch modules."""

from __future__ import annotations

from functools import singledispatch

import numpy as np
import torch
from torch import Tensor, nn

from skmsnn._shape import check_points
from skmsnn.functions import FourierSum, Function, TensorFourierSeries
from skmsnn.functions.bases import Basis, LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.kernel import KernelExpansion
from skmsnn.functions.of_features import OfFeatures
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.functions.products import TensorProductSeries
from skmsnn.functions.quotient import RationalFunction
from skmsnn.functions.rational import PartialFractions, distance_from_box
from skmsnn.functions.separable import CanonicalDecomposition
from skmsnn.functions.stack import MultiOutput
from skmsnn.functions.sum import FunctionSum
from skmsnn.functions.triangulated import TriangulatedSurface
from skmsnn.modules.kernel import KernelModule
from skmsnn.modules.network import StageModule, StageNetwork, tensor
from skmsnn.modules.polynomial import PolynomialModule, legendre
from skmsnn.modules.trained import TrainedNetwork

__all__ = ["PolynomialModule", "ProductModule", "StageModule", "module_of"]


@singledispatch
def module_of(function: Function) -> StageModule:
    """The function, of scaled coordinates, as a torch module.

    A new type of functions makes its own known by ``module_of.register``.

    Raises
    ------
    TypeError
        If no module is known for functions of this type.
    """
    raise TypeError(
        f"Functions of type {type(function).__name__} have no torch module; give one to "
        "skmsnn.modules.of_functions.module_of.register, or take to_function() instead."
    )


@module_of.register
def _wave_module(modes: FourierSum | TensorFourierSeries) -> StageNetwork:
    """A Fourier layer and its readout, the paper's one-layer network (section 3.4)."""
    modes = modes.to_modes() if isinstance(modes, TensorFourierSeries) else modes
    n_modes, n_outputs = modes.coefficients.shape
    module = StageNetwork(modes.wave_vectors.shape[1], n_outputs, n_modes, (), "tanh", True)
    with torch.no_grad():
        assert module.fourier is not None
        assert module.readout is not None
        module.fourier.weight.copy_(tensor(modes.wave_vectors))
        module.fourier.bias.zero_()
        weights = np.concatenate([modes.coefficients.real, -modes.coefficients.imag])
        module.readout.weight.copy_(tensor(weights.T))
        module.readout.bias.zero_()
    return module


class StackedModule(StageModule):
    """Functions side by side, each of its own outputs."""

    def __init__(self, modes: MultiOutput) -> None:
        super().__init__()
        self.parts = nn.ModuleList(module_of(part) for part in modes.parts)

    @property
    def widest(self) -> int:
        return max(int(part.widest) for part in self.parts)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([part(x) for part in self.parts], dim=1)


class FeaturesModule(StageModule):
    """A function of some features."""

    def __init__(self, modes: OfFeatures) -> None:
        super().__init__()
        self.function = module_of(modes.function)
        self._features, self._n_features = list(modes.features), modes.n_features

    @property
    def widest(self) -> int:
        return int(self.function.widest)

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, self._n_features)
        values: Tensor = self.function(x[:, self._features])
        return values


class SumModule(StageModule):
    """A sum of waves of several kinds."""

    def __init__(self, modes: FunctionSum) -> None:
        super().__init__()
        self.parts = nn.ModuleList(_wave_module(part) for part in modes.parts)

    @property
    def widest(self) -> int:
        return max(int(part.widest) for part in self.parts)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([part(x) for part in self.parts]).sum(dim=0)


class QuotientModule(StageModule):
    """Polynomials over a common denominator."""

    def __init__(self, modes: RationalFunction) -> None:
        super().__init__()
        self.numerator = PolynomialModule(LegendreSeries(modes.degrees, modes.coefficients))
        self.denominator = PolynomialModule(modes.denominator)

    @property
    def widest(self) -> int:
        return max(self.numerator.widest, self.denominator.widest)

    def forward(self, x: Tensor) -> Tensor:
        values: Tensor = self.numerator(x) / self.denominator(x)
        return values


class RationalModule(StageModule):
    """A straight line and fractions of one scaled coordinate."""

    real: Tensor
    imaginary: Tensor
    sizes: Tensor
    pairs: Tensor
    coefficients: Tensor

    def __init__(self, modes: PartialFractions) -> None:
        super().__init__()
        self.register_buffer("real", tensor(modes.poles.real))
        self.register_buffer("imaginary", tensor(modes.poles.imag))
        self.register_buffer("sizes", tensor(distance_from_box(modes.poles)))
        self.register_buffer("pairs", torch.from_numpy(np.flatnonzero(modes.poles.imag > 0)))
        self.register_buffer("coefficients", tensor(modes.coefficients))

    @property
    def widest(self) -> int:
        return max(1, len(self.coefficients))

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, 1)
        away = x - self.real
        fractions = self.sizes / (away**2 + self.imaginary**2)
        imaginary = (fractions * self.imaginary)[:, self.pairs]
        line = legendre(x, 1)
        terms = torch.cat([*line, fractions * away, imaginary], dim=1)
        return terms @ self.coefficients


class SeparableModule(StageModule):
    """A constant and products of polynomials, one of each scaled coordinate."""

    factors: Tensor
    constants: Tensor

    def __init__(self, modes: CanonicalDecomposition) -> None:
        super().__init__()
        self.register_buffer("factors", tensor(modes.factors))
        self.register_buffer("constants", tensor(modes.constants))

    @property
    def widest(self) -> int:
        return self.factors[:, :, 0].numel()

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, self.factors.shape[2])
        table = torch.stack(legendre(x, self.factors.shape[3] - 1), dim=-1)
        products = torch.einsum("njk,orjk->norj", table, self.factors).prod(dim=3)
        return self.constants + products.sum(dim=2)


class ProductModule(StageModule):
    """Products of waves of some features with polynomials or splines of the others."""

    coefficients: Tensor

    def __init__(self, modes: TensorProductSeries, waves: StageNetwork | None) -> None:
        super().__init__()
        self.waves = waves
        self.wave_axes, self.basis_axes = list(modes.wave_axes), list(modes.basis_axes)
        self.bases = nn.ModuleList(_basis_module(basis) for basis in modes.bases)
        self._inner = modes.coefficients.shape[len(modes.wave_axes) :]
        # with waves their readout holds the coefficients
        kept = np.zeros(0) if waves else modes.coefficients
        self.register_buffer("coefficients", tensor(kept))

    @property
    def widest(self) -> int:
        if self.waves is not None:
            return max(self.waves.widest, int(np.prod(self._inner)))
        # those of the first basis are summed before there is anything for each point
        size = int(self.bases[0].size)  # type: ignore[arg-type]
        return size * max(1, int(np.prod(self._inner[1:])))

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, len(self.wave_axes) + len(self.basis_axes))
        values = self.coefficients
        if self.waves is not None:
            values = self.waves(x[:, self.wave_axes]).reshape(x.shape[0], *self._inner)
        is_of_points = self.waves is not None
        for basis, axis in zip(self.bases, self.basis_axes, strict=True):
            factor, which = basis(x[:, axis])
            if which is not None:
                values = _chosen(values, which, is_of_points)
                is_of_points = True
            terms = "np,np...->n..." if is_of_points else "np,p...->n..."
            values = torch.einsum(terms, factor, values)
            is_of_points = True
        return values


class TriangulatedModule(StageModule):
    """A piecewise linear function of two features, on triangles that cover the box."""

    corners: Tensor
    slopes: Tensor
    origins: Tensor

    def __init__(self, modes: TriangulatedSurface) -> None:
        super().__init__()
        simplices, maps = modes.triangles()
        self._axes, self._n_features = list(modes.axes), modes.n_features
        self.register_buffer("corners", tensor(modes.coefficients[simplices]))
        self.register_buffer("slopes", tensor(maps[:, :2]))
        self.register_buffer("origins", tensor(maps[:, 2]))

    @property
    def widest(self) -> int:
        return 3 * len(self.corners)

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, self._n_features)
        x = x[:, self._axes]
        inside = torch.where(x.abs() < 1, x, x.sign())  # unlike that of clamp, constant at faces
        away = inside[:, None] - self.origins
        two = torch.einsum("mij,nmj->nmi", self.slopes, away)
        shares = torch.cat([two, 1 - two.sum(dim=2, keepdim=True)], dim=2)
        # the triangle that a point is in, or nearest to being in
        own = torch.argmax(shares.amin(dim=2), dim=1)
        own_shares = torch.gather(shares, 1, own[:, None, None].expand(-1, 1, 3))[:, 0]
        return torch.einsum("nk,nkq->nq", own_shares, self.corners[own])


def _chosen(values: Tensor, which: Tensor, is_of_points: bool) -> Tensor:
    """Select entries along the axis of a basis from values of all points or of each point."""
    if not is_of_points:
        return values[which]
    rest = values.shape[2:]
    index = which.reshape(*which.shape, *(1 for _ in rest)).expand(*which.shape, *rest)
    return torch.gather(values, 1, index)


class _BasisModule(nn.Module):
    """Functions of one coordinate (n,): values (n, k), and which of them these are where not all.

    Attributes
    ----------
    size : int
        The number k.
    """

    size: int


class _LegendreModule(_BasisModule):
    def __init__(self, basis: LegendreBasis) -> None:
        super().__init__()
        self._degree, self.size = basis.degree, basis.size

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return torch.stack(legendre(x, self._degree), dim=-1), None


class _LegendreWavesModule(_BasisModule):
    wave_numbers: Tensor

    def __init__(self, basis: LegendreWavesBasis) -> None:
        super().__init__()
        self._degree, self.size = basis.degree, basis.size
        self.register_buffer("wave_numbers", tensor(basis.wave_numbers))

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        polynomials = torch.stack(legendre(x, self._degree), dim=-1)
        phase = x[:, None] * self.wave_numbers
        return torch.cat([polynomials, torch.cos(phase), torch.sin(phase)], dim=-1), None


class _SplineModule(_BasisModule):
    """Piece by piece in powers of the distance from its left end, as ``SplineBasis.pieces``."""

    starts: Tensor
    which: Tensor
    powers: Tensor

    def __init__(self, basis: SplineBasis) -> None:
        super().__init__()
        starts, which, powers = basis.pieces()
        self.size = basis.degree + 1
        self._n_halvings = (len(starts) - 1).bit_length()
        # nothing is at or beyond a start that is not a number
        missing = np.full(2**self._n_halvings - len(starts), np.nan)
        self.register_buffer("starts", tensor(np.concatenate([starts, missing])))
        self.register_buffer("which", torch.from_numpy(which.astype(np.int64)))
        self.register_buffer("powers", tensor(powers))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        piece = self._piece(x)
        distance = (x - self.starts[piece])[:, None]
        value = self.powers[0][piece]
        for coefficient in self.powers[1:]:
            value = value * distance + coefficient[piece]
        return value, self.which[piece]

    def _piece(self, x: Tensor) -> Tensor:
        """By halving, since ONNX has no ``searchsorted``; the first also takes what is below it."""
        piece = torch.zeros_like(x, dtype=torch.int64)
        for halving in reversed(range(self._n_halvings)):
            further = piece + 2**halving
            piece = torch.where(x >= self.starts[further], further, piece)
        return piece


@singledispatch
def _basis_module(basis: Basis) -> _BasisModule:
    raise TypeError(f"Functions of {type(basis).__name__} have no torch module.")


_basis_module.register(LegendreBasis, _LegendreModule)
_basis_module.register(LegendreWavesBasis, _LegendreWavesModule)
_basis_module.register(SplineBasis, _SplineModule)


@module_of.register
def _product_module(modes: TensorProductSeries) -> ProductModule:
    return ProductModule(modes, _wave_module(modes.waves) if modes.wave_axes else None)


module_of.register(LegendreSeries, PolynomialModule)
module_of.register(RationalFunction, QuotientModule)
module_of.register(PartialFractions, RationalModule)
module_of.register(CanonicalDecomposition, SeparableModule)
module_of.register(KernelExpansion, KernelModule)
module_of.register(OfFeatures, FeaturesModule)
module_of.register(MultiOutput, StackedModule)
module_of.register(FunctionSum, SumModule)
module_of.register(TriangulatedSurface, TriangulatedModule)
module_of.register(TrainedNetwork, TrainedNetwork.to_module)
