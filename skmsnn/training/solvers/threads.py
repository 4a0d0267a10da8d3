"""One thread of LAPACK where the digits would depend on their number."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path


@contextmanager
def one_thread() -> Iterator[None]:
    """For factorisations: with more threads LAPACK rounds otherwise, which training amplifies.

    What torch offers, ``set_num_threads``, is in part of the whole process: where torch brings MKL,
    that is told instead, for this thread alone, so that fits in other threads are not touched.
    """
    import torch

    restore = threads_of_torch()
    try:
        (_set_for_this_thread_alone() or torch.set_num_threads)(1)
        yield
    finally:
        restore()


def threads_of_torch() -> Callable[[], object]:
    """The number of threads that factorisations use now, as what sets it back."""
    if "torch" not in sys.modules:
        return _as_torch_begins
    import torch

    found = torch.get_num_threads()  # sets it too, the first time in a thread
    set_for_this_thread = _set_for_this_thread_alone()
    if set_for_this_thread is None:
        return partial(torch.set_num_threads, found)
    # the only way to read it is to set it
    before = set_for_this_thread(found)
    set_for_this_thread(before)
    return partial(set_for_this_thread, before)


def _as_torch_begins() -> None:
    """As many as torch has at first, if it was imported since."""
    if "torch" in sys.modules and (set_for_this_thread := _set_for_this_thread_alone()):
        set_for_this_thread(0)


@cache
def _set_for_this_thread_alone() -> Callable[[int], int] | None:
    """``MKL_Set_Num_Threads_Local``, which returns the number before, of the MKL in torch."""
    import torch

    for library in Path(torch.__file__).parent.glob("lib/libtorch_cpu.so"):
        return getattr(ctypes.CDLL(str(library)), "MKL_Set_Num_Threads_Local", None)
    return None
