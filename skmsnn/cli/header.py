"""Names of columns: the first row of a table, if it has any."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from skmsnn.cli.table import FileError, number, numbers

if TYPE_CHECKING:
    import pandas as pd


def with_header(
    path: Path,
    rows: pd.DataFrame,
    has_header: bool | None,
    decimal: str = ".",
    comment: Sequence[str] = (),
) -> pd.DataFrame:
    """Rows with the names in the first, or else those in a comment that names each column.

    Raises
    ------
    FileError
        If it is not clear what the names are, or there are no rows.
    """
    rows = rows.dropna(how="all").rename_axis("line")
    if rows.empty:
        raise FileError(path, "", "it is empty; it must have a header and rows.")
    first = ["" if field != field else field for field in rows.iloc[0]]  # nan is not itself
    line = f"line {rows.index[0]}"
    is_numeric = all(number(field, decimal) is not None for field in first)
    if has_header is False:
        return rows.set_axis([str(j + 1) for j in range(len(first))], axis=1)
    if has_header is None and is_numeric:
        if len(comment) == len(first):
            return rows.set_axis(comment, axis=1)
        what = "numbers where the names of the columns should be; pass --no-header if it has none, "
        raise FileError(path, line, what + "--header if these are names.")
    if len(rows) == 1:
        raise FileError(path, line, "no rows follow the header; add some.")
    return rows.iloc[1:].set_axis(first, axis=1).infer_objects()


def with_names(path: Path, frame: pd.DataFrame, decimal: str) -> pd.DataFrame:
    """Columns that have names, without an unnamed index and empty columns.

    Raises
    ------
    FileError
        If another column has no name, or two have the same.
    """
    found: dict[str, int] = {}
    for j, name in enumerate(str(name).strip() for name in frame.columns):
        column = frame.iloc[:, j]
        values, is_bad = numbers(column, decimal)
        is_index = j == 0 and not is_bad.any() and column.is_unique and not np.any(values % 1)
        if not name and (is_index or column.isna().all()):
            continue
        if not name or name in found:
            what = f"the name {name} comes twice" if name else "it has no name"
            what += "; give each column a name of its own."
            raise FileError(path, f"header, column {j + 1}", what)
        found[name] = j
    return frame.iloc[:, list(found.values())].set_axis(list(found), axis=1)
