"""One thread of BLAS where the digits would depend on their number.

LAPACK adds up in another order with more threads. What that changes is rounding, but the singular
vectors of a nearly dependent frame, and what a fit does in the gaps between its points, amplify it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ContextDecorator
from functools import cache, partial
from threading import Lock, get_ident

from threadpoolctl import ThreadpoolController, threadpool_limits


class _OneThread(ContextDecorator):
    """The first caller in sets the number of threads, the last one out sets it back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside: list[int] = []
        self._found: threadpool_limits | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._found is None:
                self._found = _controller().limit(limits=None)
            self._inside.append(get_ident())
            _controller().limit(limits=1, user_api="blas")

    def __exit__(self, *exception: object) -> None:
        self._leave(self._inside.count(get_ident()) - 1)

    def now(self) -> Callable[[], None]:
        """How often this thread is inside, as what takes it out again where it was not."""
        return partial(self._leave, self._inside.count(get_ident()))

    def _leave(self, times_left: int) -> None:
        """Whatever steps of this were done before it was interrupted, it does the others."""
        with self._lock:
            while self._inside.count(get_ident()) > times_left:
                self._inside.remove(get_ident())
            if not self._inside and self._found is not None:
                self._found.restore_original_limits()
                self._found = None


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


one_blas_thread = _OneThread()
