"""Tables of the files that people have, by the suffix of their names."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from skmsnn.cli.arrays import read_arrays, table_of
from skmsnn.cli.header import named, with_header
from skmsnn.cli.table import FileError, Table, TableOptions
from skmsnn.cli.text import read_text

TEXT = (".csv", ".tsv", ".txt", ".dat")
PACKED = (".gz", ".bz2", ".xz")
SUFFIXES = (*TEXT, ".npy", ".npz", ".parquet", ".xlsx")
WRITABLE = (".csv", ".tsv", ".txt", ".npy", ".npz", ".parquet", ".xlsx")


def kind_of(path: Path) -> str:
    """The suffix that tells how a file is read, in lower case, without that of its compression.

    Raises
    ------
    FileError
        If it is none of those known.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    is_packed = bool(suffixes) and suffixes[-1] in PACKED
    if is_packed:
        suffixes.pop()
    kind = suffixes[-1] if suffixes else ""
    if kind not in (TEXT if is_packed else SUFFIXES):
        known = f"{', '.join(SUFFIXES)}, and text also with {', '.join(PACKED)}"
        raise FileError(path, "", f"unknown kind of file; give one of {known}.")
    return kind


def read_table(path: Path, options: TableOptions) -> Table:
    """Read a file of a kind that ``kind_of`` knows.

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
    read = {
        ".npy": read_arrays,
        ".npz": read_arrays,
        ".parquet": _read_parquet,
        ".xlsx": _read_workbook,
    }.get(kind, read_text)
    try:
        table = read(path, options)
        if options.is_grid and options.features and read is not read_arrays:
            axes = {name: table.numbers(name) for name in options.features}
            table = table_of(path, axes, options)
    except FileError:
        raise
    except ImportError as error:
        what = f'reading {kind} needs {error.name}; pip install "skmsnn[files]".'
        raise FileError(path, "", what) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileError(path, "", f"it is not a usable {kind} file: {reason}") from error
    return table


def _read_parquet(path: Path, options: TableOptions) -> Table:
    import pandas as pd

    frame = pd.read_parquet(path)
    if isinstance(frame.index, pd.MultiIndex) or frame.index.name is not None:
        frame = frame.reset_index()
    return named(path, frame, list(frame.columns), options)


def _read_workbook(path: Path, options: TableOptions) -> Table:
    import pandas as pd

    with pd.ExcelFile(path, engine="openpyxl") as book:
        if options.sheet is not None and options.sheet not in book.sheet_names:
            what = f"it has no sheet {options.sheet}, but {book.sheet_names}."
            raise FileError(path, "", what)
        rows = pd.read_excel(
            book,
            sheet_name=options.sheet or 0,
            header=None,
            dtype=object,
            keep_default_na=False,
            na_values=[""],
        )
    rows.index += 1
    return with_header(path, rows, options, options.decimal or ".")


def write_table(path: Path | None, columns: dict[str, Any]) -> None:
    """Write columns of equal length to a file of the kind that its name tells, or as CSV to stdout.

    Numbers in text are the shortest that read back the same.
    """
    import pandas as pd

    frame = pd.DataFrame(columns)
    if path is None:
        frame.to_csv(sys.stdout, index=False)
        return
    kind = kind_of(path)
    if kind == ".npz":
        np.savez(path, **columns)
    elif kind == ".npy":
        np.save(path, frame.to_numpy())
    elif kind == ".parquet":
        frame.to_parquet(path, index=False)
    elif kind == ".xlsx":
        frame.to_excel(path, index=False)
    else:
        frame.to_csv(path, index=False, sep="," if kind == ".csv" else "\t")
