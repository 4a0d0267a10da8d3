"""The fitted model as one torch module."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmsnn._memory import rows_a_block
from skmsnn._shape import check_points
from skmsnn.extrapolation import Extrapolation
from skmsnn.modules.evaluation import point_bytes
from skmsnn.modules.network import StageModule, is_traced, tensor


class CascadeModule(nn.Module):
    """The fitted model as one torch module, from raw X (n, d) to raw y (n, n_outputs) or (n,).

    Parameters
    ----------
    centre, half_width, periodic : ndarray of shape (n_features,)
        Of the domain.
    scales : ndarray of shape (n_stages, n_outputs)
        Of the stages, in the units of y.
    stages : sequence of StageModule
        Their functions, of scaled coordinates.
    offset : ndarray of shape (n_outputs,)
        Mean of y.
    flatten : bool
        Whether y has one output and no axis for it.
    is_complex : bool
        Whether outputs are real and imaginary parts of those of y, in turn.
    logarithmic : ndarray of shape (n_features,), bool, default=None
        Of which features the domain maps the logarithm, and below it its tangent.
    extrapolation : Extrapolation, default=None
        How it continues outside the box of the training points; None is freely. Under "error" the
        module returns nan, since a graph cannot raise.
    """

    def __init__(
        self,
        centre: NDArray[np.float64],
        half_width: NDArray[np.float64],
        periodic: NDArray[np.bool_],
        scales: NDArray[np.float64],
        stages: Sequence[StageModule],
        offset: NDArray[np.float64],
        flatten: bool,
        is_complex: bool = False,
        logarithmic: NDArray[np.bool_] | None = None,
        extrapolation: Extrapolation | None = None,
    ) -> None:
        super().__init__()
        self._rule = "continue" if extrapolation is None else extrapolation.rule
        if extrapolation is not None:
            groups = extrapolation.groups()
            lower, upper = (
                [getattr(one, name) for one, _ in groups] for name in ("lower", "upper")
            )
            self.register_buffer("lower", tensor(np.concatenate(lower)))
            self.register_buffer("upper", tensor(np.concatenate(upper)))
            members = [np.isin(np.arange(len(offset)), outputs) for _, outputs in groups]
            self.register_buffer("is_of_group", torch.from_numpy(np.array(members)))
        chosen = np.zeros(len(centre)) if logarithmic is None else logarithmic
        self.register_buffer("logarithmic", torch.from_numpy(chosen.astype(bool)))
        self._has_logarithms = bool(chosen.any())
        self.register_buffer("centre", tensor(centre))
        self.register_buffer("half_width", tensor(half_width))
        self.register_buffer("periodic", tensor(periodic.astype(float)))
        self.register_buffer("offset", tensor(offset))
        self.register_buffer("scales", tensor(scales.reshape(len(stages), len(offset))))
        self.stages = nn.ModuleList(stages)
        self._flatten, self._is_complex = flatten, is_complex

    logarithmic: Tensor
    lower: Tensor
    upper: Tensor
    is_of_group: Tensor
    centre: Tensor
    half_width: Tensor
    periodic: Tensor
    offset: Tensor
    scales: Tensor

    def forward(self, X: Tensor) -> Tensor:
        """Values at points of shape (n, d), in double precision whatever the type of X.

        Raises
        ------
        ValueError
            If X is of another shape.
        """
        check_points(X.shape, len(self.centre))
        x = X.to(self.centre.dtype)
        if self._has_logarithms:
            lowest = self.centre - self.half_width
            least = torch.exp(torch.where(self.logarithmic, lowest, 0.0))
            logarithm = torch.log(torch.maximum(x, least))
            mapped = torch.where(x < least, lowest + (x / least - 1), logarithm)
            x = torch.where(self.logarithmic, mapped, x)
        x = (x - self.centre) / self.half_width
        x = x - 2 * self.periodic * torch.floor((x + 1) / 2)
        total = self.offset + self._extrapolated(x)
        # exporters to ONNX, which has no complex numbers, give these pairs
        values = total.unflatten(1, (-1, 2)) if self._is_complex else total
        values = values[:, 0] if self._flatten else values
        return torch.view_as_complex(values.contiguous()) if self._is_complex else values

    def _extrapolated(self, x: Tensor) -> Tensor:
        if self._rule == "continue":
            return self._inside(x)
        found = self._group(x, self.lower[0], self.upper[0])
        for k in range(1, len(self.lower)):
            values = self._group(x, self.lower[k], self.upper[k])
            found = torch.where(self.is_of_group[k], values, found)
        return found

    def _group(self, x: Tensor, lower: Tensor, upper: Tensor) -> Tensor:
        """All outputs, under the limits of some of them."""
        # exporters emit operators that ONNX Runtime lacks for minima and maxima
        nearest = torch.where(x < lower, lower, torch.where(x > upper, upper, x))
        if self._rule == "constant":
            return self._inside(nearest)
        if self._rule == "linear":
            if is_traced():
                raise ValueError(
                    "A module with extrapolation='linear' cannot be exported or compiled; fit with "
                    "another rule, such as 'auto' or 'constant'."
                )
            values, rise = torch.func.jvp(self._inside, (nearest,), (x - nearest,))[:2]
            return values + rise
        is_inside = (x == nearest).all(dim=1, keepdim=True)
        return torch.where(is_inside, self._inside(nearest), torch.nan)

    def _inside(self, x: Tensor) -> Tensor:
        total = x.new_zeros((x.shape[0], self.scales.shape[1]))
        for scale, stage in zip(self.scales, self.stages, strict=True):
            assert isinstance(stage, StageModule)
            if is_traced():  # a graph for any number of points has no blocks
                values = stage(x)
            else:  # blocks bound the memory that cosines of many modes take
                blocks = x.split(rows_a_block(point_bytes(stage)))
                values = torch.cat([stage(block) for block in blocks])
            total = total + scale * values
        return total
