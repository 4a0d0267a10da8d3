"""Files as tables, by the suffix of their names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from skmsnn.cli.arrays import read_arrays, table_of
from skmsnn.cli.header import with_header, with_names
from skmsnn.cli.table import FileError, Table, TableOptions
from skmsnn.cli.text import read_text

TEXT = (".csv", ".tsv", ".txt", ".dat")
PACKED = (".gz", ".bz2", ".xz")
ARRAYS = (".npy", ".npz")
SUFFIXES = (*TEXT, *ARRAYS, ".parquet", ".xlsx")
WRITABLE = (".csv", ".tsv", ".txt", *ARRAYS, ".parquet", ".xlsx")


def kind_of(path: Path) -> str:
    """The suffix of a file, in lower case, without that of its compression.

    Raises
    ------
    FileError
        If it is not one that can be read.
    """
    packed = path.suffix.lower() in PACKED
    kind = Path(path.stem if packed else path.name).suffix.lower()
    if kind not in (TEXT if packed else SUFFIXES):
        known = f"{', '.join(SUFFIXES)}, and text also with {', '.join(PACKED)}"
        raise FileError(path, "", f"unknown kind of file; give one of {known}.")
    return kind


def read_table(path: Path, options: TableOptions) -> Table:
    """Read a file.

    Raises
    ------
    FileError
        Whatever is wrong with its contents: readers raise errors of a dozen types.
    OSError
        If it cannot be opened.
    """
    kind = kind_of(path)
    with path.open("rb"):  # an error of the operating system stays one
        pass
    try:
        return read_arrays(path, options) if kind in ARRAYS else _read_frame(path, kind, options)
    except FileError:
        raise
    except ImportError as error:
        what = f'reading {kind} needs {error.name}; pip install "skmsnn[files]".'
        raise FileError(path, "", what) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileError(path, "", f"it is not a usable {kind} file: {reason}") from error


def _read_frame(path: Path, kind: str, options: TableOptions) -> Table:
    import pandas as pd

    decimal = options.decimal or "."
    if kind == ".parquet":
        frame = pd.read_parquet(path)
        if any(name is not None for name in frame.index.names):
            frame = frame.reset_index()
    elif kind == ".xlsx":
        frame = with_header(path, _read_workbook(path, options.sheet), options.has_header, decimal)
    else:
        rows, decimal, comment = read_text(path, options)
        frame = with_header(path, rows, options.has_header, decimal, comment)
    frame = with_names(path, frame, decimal)
    table = Table(path, frame, options.features, options.targets, decimal)
    if options.is_grid and options.features:  # axes that are shorter end in blanks
        axes = {name: table.rows([name], drop_missing=True)[:, 0] for name in options.features}
        table = table_of(path, axes, options)
    return table


def _read_workbook(path: Path, sheet: str | None) -> Any:
    import pandas as pd

    as_written = {"header": None, "dtype": object, "keep_default_na": False, "na_values": [""]}
    with pd.ExcelFile(path, engine="openpyxl") as book:
        if sheet is not None and sheet not in book.sheet_names:
            raise FileError(path, "", f"it has no sheet {sheet}, but {book.sheet_names}.")
        rows = pd.read_excel(book, sheet_name=sheet or 0, **as_written)
    rows.index += 1  # lines, the first counted as one
    return rows


def write_table(path: Path | None, columns: dict[str, Any]) -> None:
    """Write columns of equal length to a file of the kind that its name tells, or as CSV to stdout.

    Numbers in text are the shortest that read back the same.
    """
    import pandas as pd

    frame = pd.DataFrame(columns)
    file: Any = path or sys.stdout
    kind = kind_of(path) if path else ".csv"
    if kind == ".npz":
        np.savez(file, **columns)
    elif kind == ".npy":
        np.save(file, frame.to_numpy())
    elif kind == ".parquet":
        frame.to_parquet(file, index=False)
    elif kind == ".xlsx":
        frame.to_excel(file, index=False)
    else:
        frame.to_csv(file, index=False, sep="," if kind == ".csv" else "\t")
