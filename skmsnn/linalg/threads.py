"""One thread of BLAS, and threads of our own beside each other.

LAPACK adds up in another order with more threads. What that changes is rounding, but the singular
vectors of a nearly dependent frame, and what a fit does in the gaps between its points, amplify it.
And threads of BLAS wait for each other in busy loops: beside two other processes on two cores a fit
took six times as long with two threads as alone, and 1.4 times with one.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ContextDecorator
from contextvars import copy_context
from functools import cache, partial
from threading import Lock, get_ident
from typing import TypeVar

from threadpoolctl import ThreadpoolController, threadpool_limits

A = TypeVar("A")
B = TypeVar("B")


class _OneThread(ContextDecorator):
    """The first caller in sets the number of threads, the last one out sets it back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside: list[int] = []
        self._found: threadpool_limits | None = None
        self._n_found = 1

    @property
    def n_threads(self) -> int:
        """Threads of BLAS that there are outside, as the user or a pool of processes set them."""
        return self._n_found if self._found is not None else _n_threads()

    def __enter__(self) -> None:
        with self._lock:
            if self._found is None:
                self._n_found = _n_threads()
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


def _n_threads() -> int:
    return max((int(library["num_threads"]) for library in _controller().info()), default=1)


one_blas_thread = _OneThread()


def side_by_side(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """What two functions return, each called in a thread of its own where there are two.

    They gain where they spend their time in calls that let other threads go on.
    """
    if one_blas_thread.n_threads < 2:
        return one(), other()
    with one_blas_thread, ThreadPoolExecutor(1) as pool:
        # warnings of NumPy are ignored there as they are here
        waiting = pool.submit(copy_context().run, other)
        return one(), waiting.result()
