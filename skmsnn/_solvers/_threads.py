"""One thread of LAPACK where the digits would depend on their number."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """For factorisations: with more threads LAPACK rounds otherwise, which training amplifies.

    What torch offers, ``set_num_threads``, is in part of the whole process: where torch brings MKL,
    that is told instead, for this thread alone, so that fits in other threads are not touched.
    """
    found = torch.get_num_threads()  # sets it too, the first time in a thread
    set_threads = _set_for_this_thread_alone() or torch.set_num_threads
    before = set_threads(1)
    try:
        yield
    finally:
        set_threads(found if before is None else before)


@cache
def _set_for_this_thread_alone() -> Callable[[int], int | None] | None:
    """``MKL_Set_Num_Threads_Local``, which returns the number before, of the MKL in torch."""
    for library in Path(torch.__file__).parent.glob("lib/libtorch_cpu.so"):
        return getattr(ctypes.CDLL(str(library)), "MKL_Set_Num_Threads_Local", None)
    return None
