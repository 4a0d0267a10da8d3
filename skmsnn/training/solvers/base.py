"""What every solver takes and gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Problem:
    """Points, targets and weights of one share of the data, on one device.

    ``weight`` has shape (n_samples, 1) and sums to 1.
    """

    x: Tensor
    target: Tensor
    weight: Tensor


@dataclass(frozen=True)
class SolverOptions:
    """What a solver may be told.

    ``report`` is called once an iteration with (iteration, training loss); it returns True to
    stop. Adam on CUDA calls it for many iterations together, when they are done. A solver that has
    no use for an option ignores it.
    """

    p: float = 2.0
    max_iter: int = 100
    damping: float = 1e-2
    learning_rate: float = 1e-3
    loss_floor: float = 0.0
    report: Callable[[int, float], bool] = field(default=lambda iteration, loss: False)


@dataclass(frozen=True)
class SolverResult:
    """How a solver ended; the module holds the best weights it saw.

    ``damping`` is that of its last step, with which it can be continued.
    """

    loss_curve: list[float]
    status: str
    message: str
    damping: float = 1e-2

    @property
    def n_iter(self) -> int:
        return len(self.loss_curve) - 1


def weights_of(module: nn.Module) -> Tensor:
    """All trainable weights as one vector, copied."""
    from torch.nn.utils import parameters_to_vector

    return parameters_to_vector(module.parameters()).detach().clone()


def set_weights(module: nn.Module, vector: Tensor) -> None:
    """Inverse of ``weights_of``."""
    from torch import no_grad
    from torch.nn.utils import vector_to_parameters

    with no_grad():
        vector_to_parameters(vector, module.parameters())


class StallDetector:
    """Says when a loss has fallen by less than ``gain`` over ``window`` iterations."""

    def __init__(self, window: int = 20, gain: float = 0.05) -> None:
        self._window, self._gain = window, gain
        self._losses: list[float] = []

    def __call__(self, loss: float) -> bool:
        self._losses.append(loss)
        if len(self._losses) <= self._window:
            return False
        return loss > (1 - self._gain) * self._losses[-1 - self._window]
