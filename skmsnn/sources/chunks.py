"""Data that no machine holds at once: passes over the chunks of dask arrays."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import assert_all_finite, gen_batches

from skmsnn._shape import check_points


class Chunk(NamedTuple):
    """Rows of the data: X (n, d), y (n, n_outputs), weight (n,).

    ``key`` (n,) is uniform in [0, 1), the same in every pass: the rows of small keys are a sample.
    """

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    weight: NDArray[np.float64]
    key: NDArray[np.float64]


class Mergeable(Protocol):
    """What a pass finds in a chunk."""

    def merge(self, other: Self) -> Self:
        """What it finds in both."""


Found = TypeVar("Found", bound=Mergeable)


def is_dask(X: Any) -> bool:
    """Whether X is a dask collection."""
    return hasattr(X, "__dask_graph__")


class ChunkedData:
    """Rows of dask arrays, chunk by chunk.

    Parameters
    ----------
    X : dask.array.Array of shape (n, d)
        Points.
    y : dask.array.Array of shape (n,) or (n, n_outputs)
        Values.
    weight : dask.array.Array of shape (n,), or None
        Weights of the points; 1 where there are none.
    seed : int
        Determines the keys.

    Raises
    ------
    ValueError
        If they are not dask arrays of these shapes in chunks of the same rows.
    """

    def __init__(self, X: Any, y: Any, weight: Any, seed: int) -> None:
        import dask

        arrays = {"X": X, "y": y} | ({} if weight is None else {"sample_weight": weight})
        for name, array in arrays.items():
            if not is_dask(array) or not hasattr(array, "chunks"):
                raise ValueError(
                    f"X is a dask array, but {name} is {type(array).__name__}; give dask arrays "
                    "for all, as dask.array.from_array or to_dask_array(lengths=True) makes them."
                )
        if X.ndim != 2 or y.ndim not in (1, 2):
            raise ValueError(
                f"X must have two dimensions and y one or two; they have {X.ndim} and {y.ndim}."
            )
        if y.dtype.kind == "c":
            raise ValueError("A dask array y must be real; give both parts of y as columns.")
        self.n_features, self.y_ndim = int(X.shape[1]), int(y.ndim)
        self.n_outputs = 1 if y.ndim == 1 else int(y.shape[1])
        blocks = [_row_blocks(name, array, X) for name, array in arrays.items()]
        chunk = dask.delayed(_chunk_of)
        rows = enumerate(zip(*blocks, strict=True))
        self._chunks = [chunk(seed, at, *parts) for at, parts in rows]

    def gather(self, find: Callable[..., Found], *arguments: Any) -> Found:
        """Merge what ``find(chunk, *arguments)`` gives for all chunks, in a fixed order."""
        import dask

        shared = [dask.delayed(a, traverse=False) for a in arguments]
        layer = [dask.delayed(find)(chunk, *shared) for chunk in self._chunks]
        merge = dask.delayed(_merge)
        while len(layer) > 1:
            # four in one task: more would have to lie in one worker's memory
            layer = [merge(layer[block]) for block in gen_batches(len(layer), 4)]
        (result,) = dask.compute(layer[0])
        return result


def map_rows(function: Callable[[Any, NDArray], NDArray], model: Any, X: Any) -> Any:
    """A dask array of ``function(model, chunk)`` for the chunks of rows of X, not computed yet."""
    import dask
    import dask.array as da

    if X.ndim != 2:
        raise ValueError(f"X must have two dimensions, got {X.ndim}.")
    check_points(X.shape, len(model.domain_.centre))
    if X.numblocks[1] > 1:
        X = X.rechunk({1: -1})
    # the shape of a row's value, from a point of the domain
    one = function(model, model.domain_.centre[None])
    shared = dask.delayed(model, traverse=False)
    blocks = [
        da.from_delayed(dask.delayed(function)(shared, block), (n, *one.shape[1:]), one.dtype)
        for block, n in zip(X.to_delayed().ravel(), X.chunks[0], strict=True)
    ]
    return da.concatenate(blocks, axis=0, allow_unknown_chunksizes=True)


def _row_blocks(name: str, array: Any, X: Any) -> list[Any]:
    """The chunks of an array as delayed values, each with all columns and the rows of X's."""
    rows = X.chunks[0]
    if array.ndim == 2 and array.numblocks[1] > 1:
        array = array.rechunk({1: -1})
    has_lengths = not np.isnan([*rows, *array.chunks[0]]).any()
    if has_lengths and sum(array.chunks[0]) != sum(rows):
        raise ValueError(
            f"X has {sum(rows)} rows and {name} has {sum(array.chunks[0])}; they must be as many."
        )
    if has_lengths and array.chunks[0] != rows:
        array = array.rechunk({0: rows})
    if len(array.chunks[0]) != len(rows):
        raise ValueError(
            f"X has {len(rows)} chunks of rows and {name} has {len(array.chunks[0])}; compute "
            "their lengths (compute_chunk_sizes), or give them the same chunks."
        )
    return list(array.to_delayed().ravel())


def _chunk_of(seed: int, at: int, X: NDArray, y: NDArray, weight: NDArray | None = None) -> Chunk:
    """Check the rows of a chunk, and drop those of weight zero."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    weight = np.ones(len(X)) if weight is None else np.asarray(weight, dtype=np.float64)
    for name, array in (("X", X), ("y", y), ("sample_weight", weight)):
        assert_all_finite(array, input_name=name)
        if len(array) != len(X):
            raise ValueError(f"Chunk {at} has {len(X)} rows of X and {len(array)} of {name}.")
    if (weight < 0).any():
        raise ValueError("Negative values in data passed to `sample_weight`.")
    key = np.random.default_rng([seed, at]).random(len(X))
    used = weight > 0
    if used.all():
        return Chunk(X, y.reshape(len(X), -1), weight, key)
    return Chunk(X[used], y.reshape(len(X), -1)[used], weight[used], key[used])


def _merge(parts: list[Found]) -> Found:
    return reduce(lambda a, b: a.merge(b), parts)
