"""Tables of arrays: columns, matrices of points and values, or a grid and what is on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn.cli.table import FileError, Table, TableOptions


def read_arrays(path: Path, options: TableOptions) -> Table:
    """Read the columns of an .npy file, or the arrays of an .npz file."""
    loaded = np.load(path, allow_pickle=False)
    if not isinstance(loaded, np.ndarray):
        with loaded:
            arrays = {name: _array(loaded, name) for name in loaded.files}
    elif loaded.dtype.names:
        arrays = {name: loaded[name] for name in loaded.dtype.names}
    elif loaded.ndim == 2:
        arrays = {str(j + 1): column for j, column in enumerate(loaded.T)}
    else:
        raise ValueError(f"its array has shape {loaded.shape}; two axes are needed, rows first")
    if options.targets is None and any(array.dtype.kind == "c" for array in arrays.values()):
        advice = "save real and imaginary parts, or choose other columns by --target"
        raise FileError(path, "", f"an array is of complex numbers; {advice}.")
    return table_of(path, arrays, options)


def _array(loaded: Any, name: str) -> NDArray[Any]:
    try:
        return np.asarray(loaded[name])
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        return np.array("Python objects")  # of a pickle, which is not run


def table_of(path: Path, arrays: dict[str, NDArray[Any]], options: TableOptions) -> Table:
    """A row for each point; points of a grid have its last axis running fastest.

    Features that are vectors are the axes of a grid if an array has their lengths as its shape.

    Raises
    ------
    FileError
        If shapes do not match.
    """
    import pandas as pd

    numeric = {n: a for n, a in arrays.items() if a.ndim and a.dtype.kind in "biuf"}
    chosen = {*(options.features or ()), *(options.targets or ())}
    free = [name for name in numeric if name not in chosen]
    features = [name for name in options.features or () if name in numeric]
    axes = features or [name for name in free if numeric[name].ndim == 1]
    is_grid = options.is_grid or _is_grid(path, numeric, axes)
    if is_grid:
        features = axes
        mesh = np.meshgrid(*(numeric[name] for name in axes), indexing="ij")
        numeric |= dict(zip(axes, mesh, strict=True))
    elif not features:
        features = free if set(options.targets or ()) & set(numeric) else free[:-1] or free
    shape = numeric[features[0]].shape if features else ()
    leading = shape[:1] if len(features) == 1 else shape
    columns: dict[str, Any] = {}
    names: dict[str, list[str]] = {}  # of the columns of each array
    for name, array in (arrays | numeric).items():
        rest = array.shape[len(leading) :]
        if array.shape == (*leading, *rest) and len(rest) < 2:
            names[name] = [f"{name}[{j}]" for j in range(*rest)] if rest else [name]
            block = array.reshape(math.prod(leading), math.prod(rest)).T
            block = block.astype(float if name in numeric else str)
            columns |= dict(zip(names[name], block, strict=True))
        elif name not in numeric:
            columns[name] = f"{array.dtype} of shape {array.shape}"
        elif name in chosen or not options.features:
            what = f"its shape {array.shape} does not match {shape} of {features[0]}; "
            advice = "choose columns by --features and --target."
            raise FileError(path, f"column {name}", what + advice)
    values = [name for name in free if name in names and name not in features]
    features = list(options.features or features)
    targets = list(options.targets or (values if is_grid else values[-1:]))
    entries: Any = range(math.prod(leading))
    if len(leading) > 1:
        entries = pd.MultiIndex.from_product(map(range, leading))
    return Table(
        path,
        pd.DataFrame(columns, index=entries),
        [column for name in features for column in names.get(name, [name])],
        [column for name in targets for column in names.get(name, [name])],
    )


def _is_grid(path: Path, arrays: dict[str, NDArray[Any]], axes: Sequence[str]) -> bool:
    if len(axes) < 2 or any(arrays[name].ndim > 1 for name in axes):
        return False
    lengths = tuple(len(arrays[name]) for name in axes)
    shapes = [array.shape[: len(axes)] for array in arrays.values()]
    for shape in shapes if lengths not in shapes else ():
        if sorted(shape) == sorted(lengths):
            orders = permutations(axes)
            order = next(o for o in orders if tuple(len(arrays[name]) for name in o) == shape)
            what = "its axes are not in the order of the features; pass --features "
            raise FileError(path, "", f"{what}'{','.join(order)}'.")
    return lengths in shapes
