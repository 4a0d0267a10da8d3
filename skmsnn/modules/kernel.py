"""Expansions in correlations with given centres as torch modules."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from skmsnn._shape import check_points
from skmsnn.functions.kernel import (
    CORRELATIONS,
    KernelExpansion,
    Matern,
    RationalQuadratic,
    warped,
)
from skmsnn.modules.network import StageModule, tensor
from skmsnn.modules.polynomial import PolynomialModule


class KernelModule(StageModule):
    """A polynomial, and correlations with given centres.

    Numbers are buffers: programs for ONNX have Python's in single precision.
    """

    rates: Tensor
    centres: Tensor
    coefficients: Tensor
    scales: Tensor
    own_scales: Tensor
    own_weights: Tensor

    def __init__(self, modes: KernelExpansion) -> None:
        super().__init__()
        self.trend = PolynomialModule(modes.trend)
        self.correlation = CorrelationModule(modes.correlation)
        self._is_warped = (modes.rates != 0).tolist()
        self._has_own = (modes.own_weights != 0).tolist()
        centres = zip(modes.centres.T, modes.rates, strict=True)
        self.register_buffer("centres", tensor(np.stack([warped(x, c) for x, c in centres])))
        for name in ("coefficients", "rates", "scales", "own_scales", "own_weights"):
            self.register_buffer(name, tensor(getattr(modes, name)))

    @property
    def widest(self) -> int:
        return 2 * self.centres.shape[1]

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, len(self._is_warped))
        product, total = x.new_ones(()), x.new_zeros(())
        for j, (is_warped, has_own) in enumerate(zip(self._is_warped, self._has_own, strict=True)):
            rate, own = self.rates[j], x[:, j]
            own = (torch.exp(rate * own) - 1) / rate if is_warped else own
            difference = own[:, None] - self.centres[j]
            product = product * self.correlation(difference / self.scales[j])
            if has_own:
                term = self.correlation(difference / self.own_scales[j])
                total = total + self.own_weights[j] * term
        values: Tensor = self.trend(x) + (product + total) @ self.coefficients
        return values


class CorrelationModule(nn.Module):
    """A correlation of the signed difference in units of its length scale."""

    rate: Tensor
    factors: Tensor

    def __init__(self, name: str) -> None:
        super().__init__()
        own = CORRELATIONS[name]
        self._exponent = own.exponent if isinstance(own, RationalQuadratic) else None
        if isinstance(own, Matern):
            self.register_buffer("rate", tensor(np.array(own.rate)))
            self.register_buffer("factors", tensor(own.coefficients))

    def forward(self, difference: Tensor) -> Tensor:
        if self._exponent is None:
            # unlike that of abs, the derivative at the centre is one of both sides
            t = self.rate * torch.where(difference >= 0, difference, -difference)
            value = self.factors[-1] * torch.ones_like(t)
            for k in range(len(self.factors) - 2, -1, -1):
                value = value * t + self.factors[k]
            return value * torch.exp(-t)
        if np.isinf(self._exponent):
            return torch.exp(-0.5 * difference**2)
        return (1 + difference**2 / (2 * self._exponent)) ** -self._exponent
