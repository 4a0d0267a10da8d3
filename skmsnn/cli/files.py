"""Tables of the files that people have, by the suffix of their names."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from skmsnn.cli.table import FileError, Table
from skmsnn.cli.text import Format, read_text

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


def read_table(path: Path, given: Format, sheet: str | None = None) -> Table:
    """Read a file.

    Parameters
    ----------
    path : Path
        The file; ``kind_of`` tells which are known.
    given : Format
        What is known of a text table.
    sheet : str, optional
        Name of the sheet of a workbook; by default the first.

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
    readers: dict[str, Callable[[], Table]] = {
        ".npy": lambda: _read_npy(path),
        ".npz": lambda: _read_npz(path),
        ".parquet": lambda: _read_parquet(path),
        ".xlsx": lambda: _read_workbook(path, given, sheet),
    }
    try:
        return readers.get(kind, lambda: read_text(path, given))()
    except FileError:
        raise
    except ImportError as error:
        raise FileError(
            path, "", f"{kind} needs {error.name}; pip install 'skmsnn[files]'."
        ) from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileError(path, "", f"it is not a usable {kind} file: {reason}") from error


def _read_npy(path: Path) -> Table:
    array = np.load(path, allow_pickle=False)
    if not isinstance(array, np.ndarray):
        raise ValueError("it holds several arrays; call it .npz")
    if array.dtype.names:
        return Table(path, {name: array[name] for name in array.dtype.names})
    if array.ndim != 2:
        raise ValueError(f"its array has shape {array.shape}; two axes are needed, rows first")
    return Table(path, {str(j + 1): column for j, column in enumerate(array.T)})


def _read_npz(path: Path) -> Table:
    columns: dict[str, Any] = {}
    with np.load(path, allow_pickle=False) as arrays:
        if isinstance(arrays, np.ndarray):
            raise ValueError("it holds one array; call it .npy")
        for name in arrays.files:
            try:
                array = arrays[name]
                is_array = isinstance(array, np.ndarray)
                columns[name] = array if is_array else np.array("bytes", dtype=object)
            except ValueError as error:
                if "Object arrays" not in str(error) and "pickle" not in str(error):
                    raise
                columns[name] = np.array("Python objects, of a pickle", dtype=object)
            except zipfile.BadZipFile as error:
                raise ValueError(f"{name} is damaged ({error})") from error
    if not columns:
        raise ValueError("it holds no arrays")
    return Table(path, columns)


def _read_parquet(path: Path) -> Table:
    import pandas as pd

    frame = pd.read_parquet(path)
    if isinstance(frame.index, pd.MultiIndex) or frame.index.name is not None:
        frame = frame.reset_index()
    names = [str(name).strip() for name in frame.columns]
    columns = [_plain(frame.iloc[:, j]) for j in range(frame.shape[1])]
    return Table.of_rows(path, names, columns)


def _read_workbook(path: Path, given: Format, sheet: str | None) -> Table:
    import pandas as pd

    with pd.ExcelFile(path, engine="openpyxl") as book:
        if sheet is not None and sheet not in book.sheet_names:
            raise FileError(path, "", f"it has no sheet {sheet}, but {book.sheet_names}.")
        frame = book.parse(sheet if sheet is not None else 0, header=None, dtype=object)
    rows = frame.to_numpy(dtype=object, na_value=None)
    is_blank = np.array([all(cell is None for cell in row) for row in rows], dtype=bool)
    rows, lines = rows[~is_blank], (np.flatnonzero(~is_blank) + 1).tolist()
    if not len(rows):
        raise FileError(path, "", "the sheet is empty; name another by --sheet.")
    names = [str(j + 1) for j in range(rows.shape[1])]
    if given.has_header is not False:
        first = rows[0]
        if given.has_header is None and all(isinstance(cell, int | float) for cell in first):
            raise FileError(
                path,
                f"line {lines[0]}",
                "numbers where the names of the columns should be; pass --no-header if it has "
                "none, --header if these are names.",
            )
        names = ["" if cell is None else str(cell).strip() for cell in first]
        rows, lines = rows[1:], lines[1:]
    return Table.of_rows(path, names, rows.T, lines, given.decimal or ".")


def _plain(series: Any) -> Any:
    """A column of a data frame as numbers where its type is one of numbers, else as objects."""
    import pandas as pd

    if pd.api.types.is_bool_dtype(series) or pd.api.types.is_numeric_dtype(series):
        if pd.api.types.is_complex_dtype(series):
            return series.to_numpy()
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if pd.api.types.is_datetime64_any_dtype(series):
        return series.to_numpy(dtype="datetime64[ns]")
    return series.to_numpy(dtype=object, na_value=None)


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
