"""Whether torch records derivatives, left as it is found; torch itself need not be there yet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from skmsnn._restoring import restoring

P = ParamSpec("P")
T = TypeVar("T")


def autograd_mode() -> Callable[[], object]:
    """Whether torch records derivatives now, as what sets it back."""
    if "torch" not in sys.modules:
        return _as_torch_begins
    import torch

    return partial(torch.set_grad_enabled, torch.is_grad_enabled())


def _as_torch_begins() -> None:
    if "torch" in sys.modules:  # imported since
        sys.modules["torch"].set_grad_enabled(True)


def with_autograd(function: Callable[P, T]) -> Callable[P, T]:
    """Decorate a function that differentiates, also when called in ``no_grad``."""

    @wraps(function)
    @restoring(autograd_mode)
    def differentiating(*args: P.args, **kwargs: P.kwargs) -> T:
        if "torch" not in sys.modules:
            return function(*args, **kwargs)
        import torch

        if torch.is_inference_mode_enabled():
            with torch.inference_mode(False):
                return function(*args, **kwargs)
        torch.set_grad_enabled(True)
        return function(*args, **kwargs)

    return differentiating
