"""Values and derivatives of torch modules at NumPy points, in blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.modules.network import StageModule, StageNetwork, tensor


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
