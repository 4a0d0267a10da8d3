"""Values and derivatives of torch modules at NumPy points, in blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, wraps
from typing import ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn._restoring import restoring
from skmsnn.modules.network import StageModule, StageNetwork, tensor

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


@_memory_errors()
@torch.no_grad()
def evaluate(
    module: StageNetwork, x: NDArray[np.float64], device: torch.device | str = "cpu"
) -> NDArray[np.float64]:
    """Values of a module at scaled points, in blocks of rows."""
    blocks = [
        module(tensor(x[block]).to(device)).cpu().numpy()
        for block in blocks_of(max(1, len(x)), point_bytes(module))
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
    blocks = []
    for block in blocks_of(max(1, len(x)), point_bytes(module) * 4 ** len(axes)):
        points = tensor(x[block]).requires_grad_()
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


def point_bytes(module: StageModule) -> int:
    """What the widest layer takes for one point."""
    return 8 * module.widest
