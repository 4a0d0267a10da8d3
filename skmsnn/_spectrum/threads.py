"""One thread of BLAS where the digits would depend on their number.

LAPACK adds up in another order with more threads. What that changes is rounding, but the singular
vectors of a nearly dependent frame, and what a fit does in the gaps between its points, amplify it.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


class _OneThread(ContextDecorator):
    """The first caller in sets the number of threads, the last one out sets it back."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._inside += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


one_blas_thread = _OneThread()
