"""Sums of products of Legendre polynomials as torch modules."""

from __future__ import annotations

import torch
from torch import Tensor

from skmsnn._shape import check_points
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.modules.network import StageModule, tensor


class PolynomialModule(StageModule):
    """A sum of products of Legendre polynomials of the scaled coordinates."""

    degrees: Tensor
    coefficients: Tensor

    def __init__(self, modes: LegendreSeries) -> None:
        super().__init__()
        self.register_buffer("degrees", torch.from_numpy(modes.degrees.copy()))
        self.register_buffer("coefficients", tensor(modes.coefficients))
        self._most = int(modes.degrees.max(initial=0))

    @property
    def widest(self) -> int:
        return max(1, self.degrees.numel())

    def forward(self, x: Tensor) -> Tensor:
        check_points(x.shape, self.degrees.shape[1])
        table = torch.stack(legendre(x, self._most), dim=-1)
        terms = x.new_ones((x.shape[0], self.degrees.shape[0]))
        for j in range(x.shape[1]):
            terms = terms * table[:, j, self.degrees[:, j]]
        return terms @ self.coefficients


def legendre(x: Tensor, degree: int) -> list[Tensor]:
    """P_0 ... P_degree by Bonnet's recurrence (DLMF, equation 18.9.1), element by element."""
    values = [torch.ones_like(x), x][: degree + 1]
    for k in range(1, degree):
        values.append(((2 * k + 1) * x * values[-1] - k * values[-2]) / (k + 1))
    return values
