"""Points and values out of a table: its rows, or the axes of a grid and what is on it."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmsnn.cli.table import FileError, Table


@dataclass
class Data:
    """Points with values, the names of both, and the columns that were passed over."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    features: list[str]
    targets: list[str]
    ignored: list[str]


def names_of(text: str | None) -> list[str] | None:
    """Names separated by commas; those that hold commas are quoted."""
    if text is None:
        return None
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def data_of(
    table: Table,
    features: Sequence[str] | None,
    targets: Sequence[str] | None,
    drop_missing: bool = False,
) -> Data:
    """Points and values.

    Without names, the last column of numbers is the target, and the others are the features.

    Raises
    ------
    FileError
        If a name is not that of a column, a value is missing or not a number, or shapes differ.
    """
    _check_names(table, [*(features or []), *(targets or [])])
    usable = [name for name in table.columns if table.is_numeric(name)]
    ignored = [name for name in table.columns if name not in usable]
    if targets is None and features is None:
        features, targets = _on_grid(table, usable)
    if targets is None:
        _refuse_complex(table)
        free = [name for name in usable if name not in (features or [])]
        targets = free[-1:]
    if features is None:
        features = [name for name in usable if name not in targets]
    if not features or not targets:
        raise FileError(table.path, "", _too_few(table, usable, ignored))
    both = sorted(set(features) & set(targets))
    if both:
        raise FileError(table.path, "", f"{both[0]} is both feature and target; name it once.")
    is_grid = _is_grid(table, features, targets)
    X, feature_names = points_of(table, features, is_grid)
    y, target_names = _values_of(table, features, targets, is_grid)
    chosen = {*features, *targets}
    ignored = [name for name in ignored if name not in chosen]
    X, y = _without_missing(table, X, y, features, targets, drop_missing)
    return Data(X, y, feature_names, target_names, ignored)


def _too_few(table: Table, usable: Sequence[str], ignored: Sequence[str]) -> str:
    has = f"it has {', '.join(usable)}" if usable else "it has none"
    first = str(table.columns[ignored[0]].ravel()[0])[:40] if ignored else ""
    why = f"; column {ignored[0]} is not: '{first}'" if ignored else ""
    return f"at least two columns of numbers are needed, features and a target; {has}{why}."


def _on_grid(
    table: Table, usable: Sequence[str]
) -> tuple[list[str], list[str]] | tuple[None, None]:
    """Names of axes, and of all arrays that are on their grid, if there are such."""
    axes = [name for name in usable if table.columns[name].ndim == 1]
    shape = tuple(len(table.columns[name]) for name in axes)
    values = [name for name in usable if table.columns[name].shape == shape]
    is_all = len(axes) > 1 and bool(values) and len(axes) + len(values) == len(usable)
    return (axes, values) if is_all else (None, None)


def points_of(
    table: Table, features: Sequence[str], is_grid: bool
) -> tuple[NDArray[np.float64], list[str]]:
    """Points (n, d) and the names of the features, of which a matrix gives one a column.

    Points of a grid have its last axis running fastest.
    """
    _check_names(table, features)
    columns = [table.numbers(name) for name in features]
    if is_grid:
        X = np.stack(np.meshgrid(*columns, indexing="ij"), axis=-1).reshape(-1, len(columns))
        return X, list(features)
    if len(columns) == 1 and columns[0].ndim == 2:
        d = columns[0].shape[1]
        names = [features[0]] if d == 1 else [f"{features[0]}[{j}]" for j in range(d)]
        return columns[0], names
    if len({column.shape for column in columns}) > 1:
        what = f"the features differ in shape ({_shapes(table, features)}); choose by --features."
        raise FileError(table.path, "", what)
    return np.column_stack([column.ravel() for column in columns]), list(features)


def _axes_of(table: Table, features: Sequence[str]) -> tuple[int, ...]:
    """Lengths of the features, if they may be the axes of a grid."""
    columns = [table.columns[name] for name in features]
    is_vector = len(columns) > 1 and all(column.ndim == 1 for column in columns)
    return tuple(len(column) for column in columns) if is_vector else ()


def _is_grid(table: Table, features: Sequence[str], targets: Sequence[str]) -> bool:
    """Whether values are given on a grid, the axes of which are the features.

    Raises
    ------
    FileError
        If they would be if the features were in another order.
    """
    axes = _axes_of(table, features)
    shape = table.columns[targets[0]].shape
    if not axes or shape[: len(axes)] == axes:
        return bool(axes)
    for order in itertools.permutations(range(len(axes))) if len(set(axes)) > 1 else ():
        if shape == tuple(axes[j] for j in order):
            names = ",".join(features[j] for j in order)
            what = f"its axes are not in the order of the features; pass --features '{names}'."
            raise FileError(table.path, f"column {targets[0]}", what)
    return False


def _values_of(
    table: Table, features: Sequence[str], targets: Sequence[str], is_grid: bool
) -> tuple[NDArray[np.float64], list[str]]:
    """Values of all targets, (n,) or (n, k), and their names."""
    first = table.columns[features[0]]
    leading = _axes_of(table, features) if is_grid else first.shape
    if len(features) == 1 and first.ndim == 2:
        leading = first.shape[:1]
    blocks, names = [], []
    for name in targets:
        values = table.numbers(name)
        if values.shape[: len(leading)] != leading or values.ndim > len(leading) + 1:
            what = (
                f"its shape {values.shape} is neither that of the features nor that of a grid of "
                f"them ({_shapes(table, features)}); choose by --features and --target."
            )
            raise FileError(table.path, f"column {name}", what)
        block = values.reshape(int(np.prod(leading)), -1)
        blocks.append(block)
        k = block.shape[1]
        names += [name] if k == 1 else [f"{name}[{j}]" for j in range(k)]
    y = np.hstack(blocks)
    return (y[:, 0] if y.shape[1] == 1 else y), names


def _shapes(table: Table, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {table.columns[name].shape}" for name in names)


def _without_missing(
    table: Table,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    features: Sequence[str],
    targets: Sequence[str],
    drop_missing: bool,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    is_whole = np.isfinite(X).all(axis=1) & np.isfinite(y.reshape(len(y), -1)).all(axis=1)
    if is_whole.all():
        return X, y
    if drop_missing:
        return X[is_whole], y[is_whole]
    raise missing(table, [*features, *targets])


def missing(table: Table, names: Sequence[str]) -> FileError:
    """The error that tells the first missing value."""
    holes = [(name, np.flatnonzero(np.isnan(table.numbers(name)))) for name in names]
    name, where = min((hole for hole in holes if len(hole[1])), key=lambda hole: hole[1][0])
    n = sum(len(hole[1]) for hole in holes)
    others = f" ({n - 1} more)" if n > 1 else ""
    return FileError(
        table.path,
        table.where(name, int(where[0])),
        f"the value is missing{others}; fill it, or pass --drop-missing to leave out such rows.",
    )


def _refuse_complex(table: Table) -> None:
    for name, column in table.columns.items():
        if column.dtype.kind == "c":
            raise FileError(
                table.path,
                f"column {name}",
                "complex numbers, not an array of real numbers; save real and imaginary parts, "
                "or choose other columns by --target.",
            )


def _check_names(table: Table, names: Sequence[str]) -> None:
    for name in names:
        if name not in table.columns:
            has = ", ".join(table.columns)
            raise FileError(table.path, "", f"it has no column '{name}'; it has {has}.")
