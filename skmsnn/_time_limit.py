"""How long a fit may take: whoever could go on asks whether time is up."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ends_at: ContextVar[float] = ContextVar("_ends_at", default=float("inf"))


@contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """For what is done inside, of this thread; None sets no limit of its own."""
    token = None
    if seconds is not None:
        token = _ends_at.set(min(_ends_at.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        if token is not None:
            _ends_at.reset(token)


def time_is_up() -> bool:
    """Whether what there is should do."""
    return time.monotonic() > _ends_at.get()
