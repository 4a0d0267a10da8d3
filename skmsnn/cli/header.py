"""Names of columns: the first row of a table, if it has any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skmsnn.cli.table import FileError, Table, TableOptions, number, numbers

if TYPE_CHECKING:
    import pandas as pd


def with_header(
    path: Path,
    rows: pd.DataFrame,
    options: TableOptions,
    decimal: str = ".",
    comment: Sequence[str] = (),
) -> Table:
    """A table of rows, the first of which may hold the names of the columns.

    A comment gives the names if it names each column of a table that has no other header.

    Raises
    ------
    FileError
        If it is not clear what the names are, or there are no rows.
    """
    rows = rows.dropna(how="all").rename_axis("line")
    if rows.empty:
        raise FileError(path, "", "it is empty; it must have a header and rows.")
    first = rows.iloc[0].fillna("")
    line = f"line {rows.index[0]}"
    is_numeric = all(number(field, decimal) is not None for field in first)
    if options.has_header is False:
        return named(path, rows, [str(j + 1) for j in range(len(first))], options, decimal)
    if is_numeric and options.has_header is None:
        if len(comment) == len(first):
            return named(path, rows, comment, options, decimal)
        what = "numbers where the names of the columns should be; pass --no-header if it has none, "
        raise FileError(path, line, what + "--header if these are names.")
    if len(rows) == 1:
        raise FileError(path, line, "no rows follow the header; add some.")
    return named(path, rows.iloc[1:], list(first), options, decimal)


def named(
    path: Path,
    frame: pd.DataFrame,
    names: Sequence[object],
    options: TableOptions,
    decimal: str = ".",
) -> Table:
    """A table without an unnamed index, and without empty columns of no name.

    Raises
    ------
    FileError
        If another column has no name, or two have the same.
    """
    found: dict[str, int] = {}
    for j, name in enumerate(str(name).strip() for name in names):
        column = frame.iloc[:, j]
        if not name and (column.isna().all() or (j == 0 and _is_index(column, decimal))):
            continue
        if not name or name in found:
            what = f"the name {name} comes twice" if name else "it has no name"
            advice = "give each column a name of its own"
            raise FileError(path, f"header, column {j + 1}", f"{what}; {advice}.")
        found[name] = j
    frame = frame.iloc[:, list(found.values())].set_axis(list(found), axis=1).infer_objects()
    return Table(path, frame, options.features, options.targets, decimal)


def _is_index(column: pd.Series, decimal: str) -> bool:
    """Whether a column counts rows, as pandas writes them."""
    values, bad = numbers(column, decimal)
    return not bad and bool(np.all(values == np.round(values))) and column.is_unique
