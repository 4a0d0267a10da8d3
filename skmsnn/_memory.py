"""Blocks that bound temporary arrays, from one budget: scikit-learn's ``working_memory``."""

from __future__ import annotations

from collections.abc import Iterator

from sklearn import get_config  # type: ignore[attr-defined]
from sklearn.utils import gen_batches

# Arrays of the size of a block that are in use at a time: results, operands and what is between.
# Fits of a million points then took at most 3.5 GiB beyond the data.
_BLOCKS = 32


def working_bytes() -> int:
    """Bytes of ``sklearn.set_config(working_memory=...)``, 2**30 by default."""
    return int(get_config()["working_memory"] * 2**20)


def rows_a_block(row_bytes: int) -> int:
    """How many rows of so many bytes a block has, one at least."""
    return max(1, working_bytes() // (_BLOCKS * max(1, row_bytes)))


def blocks_of(n: int, row_bytes: int) -> Iterator[slice]:
    """Slices that together are n rows of so many bytes each."""
    if n:
        yield from gen_batches(n, rows_a_block(row_bytes))
