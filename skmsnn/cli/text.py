"""Text tables: their encoding, separator and decimal mark."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from skmsnn._comparison import FEW
from skmsnn.cli.table import FileError, TableOptions, number

if TYPE_CHECKING:
    import pandas as pd

_UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}
_SPACE = r"\s+"
_SEPARATORS = ("\t", ";", ",", "|", _SPACE)


def read_text(path: Path, options: TableOptions) -> tuple[pd.DataFrame, str, list[str]]:
    """Rows of fields, the decimal mark, and the fields of the comment before the first row.

    Leading lines that begin with "#" are comments.
    """
    import pandas as pd

    text = re.sub(r"\r\n?", "\n", _decoded(path))
    lines = text.split("\n")
    rows = (i for i, line in enumerate(lines) if line.strip() and not line.startswith("#"))
    first = next(rows, len(lines))
    if first == len(lines):
        return pd.DataFrame(), ".", []
    separator, decimal = _format_of(lines[first : first + FEW], options)
    try:
        frame = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            skiprows=first,
            skip_blank_lines=False,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=[""],
        )
    except pd.errors.ParserError as error:
        raise _explained(path, str(error)) from error
    frame.index += first + 1  # lines, the first counted as one
    (comment,) = _fields([lines[first - 1].lstrip("# ")], separator) if first else ([],)
    return frame, decimal, comment


def _decoded(path: Path) -> str:
    try:
        content = _UNPACK.get(path.suffix.lower(), bytes)(path.read_bytes())
    except (EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise FileError(path, "", f"it cannot be unpacked ({error}); get it anew.") from error
    try:
        text = content.decode(_BYTE_ORDER_MARKS.get(content[:2], "utf-8"))
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # each byte is a character, as old programs write them
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileError(path, f"line {line}", "it is not a text file; give its true suffix.")
    return text


def _fields(lines: Sequence[str], separator: str) -> list[list[str]]:
    if separator == _SPACE:
        return [line.split() for line in lines]
    return [*csv.reader(lines, delimiter=separator, skipinitialspace=True)] or [[]]


def _format_of(sample: Sequence[str], options: TableOptions) -> tuple[str, str]:
    """Separator and decimal mark under which most fields of the first rows are numbers."""

    def share(form: tuple[str, str]) -> float:
        header, *rows = _fields(sample, form[0])
        fields = [field for row in rows or [header] for field in row]
        if len(header) < 2 or form[0] == form[1]:
            return -1.0
        return sum(number(field, form[1]) is not None for field in fields) / max(1, len(fields))

    separators = [options.separator] if options.separator else _SEPARATORS
    return max(product(separators, options.decimal or ".,"), key=share)


def _explained(path: Path, message: str) -> FileError:
    """An error of the reader, with its line and what to do."""
    if wide := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message):
        what = f"{wide[3]} fields where the first line has {wide[1]}; correct it, or give the "
        return FileError(path, f"line {wide[2]}", what + "separator of fields by --separator.")
    if quoted := re.search(r"EOF inside string starting at row (\d+)", message):
        line = f"line {int(quoted[1]) + 1}"
        return FileError(path, line, "a quotation mark is not closed; close it.")
    return FileError(path, "", f"it is not a table: {message}")
