"""Expansions in correlations with given centres as torch modules."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

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
    """A polynomial, and correlations with given centres."""

    centres: Tensor
    coefficients: Tensor

    def __init__(self, modes: KernelExpansion) -> None:
        super().__init__()
        self.trend = PolynomialModule(modes.trend)
        self._correlation, self._rates = modes.correlation, modes.rates.tolist()
        self._scales, self._own_scales = modes.scales.tolist(), modes.own_scales.tolist()
        self._own_weights = modes.own_weights.tolist()
        columns = zip(modes.centres.T, self._rates, strict=True)
        self.register_buffer("centres", tensor(np.stack([warped(x, c) for x, c in columns])))
        self.register_buffer("coefficients", tensor(modes.coefficients))

    @property
    def widest(self) -> int:
        return 2 * self.centres.shape[1]

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, len(self._rates))
        product, total = x.new_ones(()), x.new_zeros(())
        for j, rate in enumerate(self._rates):
            own = (torch.exp(rate * x[:, j]) - 1) / rate if rate else x[:, j]
            difference = own[:, None] - self.centres[j]
            product = product * correlation(difference / self._scales[j], self._correlation)
            if self._own_weights[j]:
                term = correlation(difference / self._own_scales[j], self._correlation)
                total = total + self._own_weights[j] * term
        values: Tensor = self.trend(x) + (product + total) @ self.coefficients
        return values


def correlation(difference: Tensor, name: str) -> Tensor:
    """A correlation of the signed difference in units of its length scale."""
    own = CORRELATIONS[name]
    if isinstance(own, RationalQuadratic):
        if np.isinf(own.exponent):
            return torch.exp(-0.5 * difference**2)
        return (1 + difference**2 / (2 * own.exponent)) ** -own.exponent
    assert isinstance(own, Matern)
    # unlike that of abs, the derivative at the centre is one of both sides
    t = own.rate * torch.where(difference >= 0, difference, -difference)
    factor = torch.full_like(t, float(own.coefficients[-1]))
    for c in own.coefficients[-2::-1]:
        factor = factor * t + float(c)
    return factor * torch.exp(-t)
