"""How long a fit may take: whoever could go on asks whether time is up.

A first Ctrl-C says so too, and the fit ends with the best so far. A second one during the same fit
raises ``KeyboardInterrupt``, which ends a search as well. Other threads than the main one, and
programs that handle Ctrl-C themselves, are left alone.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from types import FrameType
from typing import NamedTuple


class _Interrupt:
    """A handler of Ctrl-C that notes the first."""

    def __init__(self) -> None:
        self.is_noted = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.is_noted:
            raise KeyboardInterrupt
        self.is_noted = True


class _Limit(NamedTuple):
    ends_at: float
    interrupt: _Interrupt


_NONE = _Limit(float("inf"), _Interrupt())
_limit: ContextVar[_Limit] = ContextVar("_limit", default=_NONE)


def limits() -> Callable[[], object]:
    """The time limit and the handler of Ctrl-C that there are, as what sets both back."""
    limit, is_default = _limit.get(), _is_ctrl_c_as_python_begins()

    def restore() -> None:
        if is_default:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        _limit.set(limit)

    return restore


def limit(seconds: float | None) -> None:
    """Set a limit for this thread and note Ctrl-C, until ``limits`` sets both back."""
    ends_at, interrupt = _limit.get()
    if seconds is not None:
        ends_at = min(ends_at, time.monotonic() + seconds)
    if _is_ctrl_c_as_python_begins():
        interrupt = _Interrupt()
        signal.signal(signal.SIGINT, interrupt)
    _limit.set(_Limit(ends_at, interrupt))


def _is_ctrl_c_as_python_begins() -> bool:
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def time_is_up() -> bool:
    """Whether what there is should do."""
    ends_at, interrupt = _limit.get()
    return interrupt.is_noted or time.monotonic() > ends_at


def seconds_left() -> float:
    """Seconds until time is up; infinite without a limit."""
    ends_at, interrupt = _limit.get()
    return 0.0 if interrupt.is_noted else ends_at - time.monotonic()


def is_interrupted() -> bool:
    """Whether Ctrl-C was noted."""
    return _limit.get().interrupt.is_noted
