"""Nonlinear equations, differentiated by torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skmsnn._restoring import restoring
from skmsnn.modules.autograd import autograd_mode


@restoring(autograd_mode)
def linearised(
    residual: Callable[..., Any],
    X: NDArray[np.float64],
    values: Mapping[str, NDArray[np.float64]],
    with_slopes: bool = True,
) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """An expression of a function and its derivatives, and its slopes by each of these.

    Parameters
    ----------
    residual : callable
        As of an ``Equation``: row i of its result is of row i of its arguments.
    X : ndarray of shape (n, d)
        Points.
    values : mapping from str to ndarray of shape (n,) or (n, n_outputs)
        The function under "u", and derivatives under their names.
    with_slopes : bool, default=True
        Whether to differentiate.

    Returns
    -------
    ndarray of shape (n, m)
        Of each of m equations.
    dict from str to ndarray of shape (n, m) or (n, m, n_outputs)
        Slopes by the values.

    Raises
    ------
    ValueError
        If the result is not a tensor of n rows.
    """
    torch.set_grad_enabled(with_slopes)
    points = torch.as_tensor(X)
    arguments = {
        name: torch.as_tensor(a).clone().requires_grad_(with_slopes) for name, a in values.items()
    }
    result = residual(points, **arguments)
    if not isinstance(result, torch.Tensor) or result.shape[:1] != (len(X),) or result.ndim > 2:
        shape = tuple(result.shape) if isinstance(result, torch.Tensor) else type(result).__name__
        raise ValueError(
            f"The residual of an equation is {shape} at {len(X)} points; return a tensor of shape "
            "(n,), or (n, m) for m equations, made by torch operations."
        )
    found = result.reshape(len(X), -1)
    slopes: dict[str, NDArray[np.float64]] = {}
    if with_slopes:
        of_equations = [_slopes(column, arguments) for column in found.T]
        slopes = {name: np.stack([s[name] for s in of_equations], axis=1) for name in arguments}
    return found.detach().numpy().astype(np.float64), slopes


def _slopes(
    column: torch.Tensor, arguments: Mapping[str, torch.Tensor]
) -> dict[str, NDArray[np.float64]]:
    """Of one equation, whose rows depend on their own rows of the arguments alone."""
    if not column.requires_grad:  # it depends on none of them
        return {name: np.zeros(tuple(a.shape)) for name, a in arguments.items()}
    found = torch.autograd.grad(
        column.sum(), list(arguments.values()), retain_graph=True, allow_unused=True
    )
    pairs = zip(arguments.items(), found, strict=True)
    return {
        name: np.zeros(tuple(a.shape)) if slope is None else slope.numpy()
        for (name, a), slope in pairs
    }
