"""Global state that a call leaves as it found it, wherever Ctrl-C strikes.

A context manager does not promise that: its ``__exit__`` is Python too, and an interrupt between
two of its steps leaves the change in place, for the rest of the process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
# Notes what some state is now; what it returns sets it back, and may be called more than once.
State = Callable[[], Callable[[], object]]


def restoring(*states: State) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function so that it leaves these states as it finds them."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def restored(*args: P.args, **kwargs: P.kwargs) -> T:
            restores = [state() for state in states]
            try:
                result = function(*args, **kwargs)
            finally:
                try:
                    _call_all(restores)
                finally:  # again, since the interrupt may have come while that was done
                    _call_all(restores)
            return result

        return restored

    return decorate


def _call_all(functions: list[Callable[[], object]]) -> None:
    for function in functions:
        function()
