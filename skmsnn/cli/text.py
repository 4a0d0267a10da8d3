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

from skmsnn._comparison import FEW
from skmsnn.cli.header import with_header
from skmsnn.cli.table import FileError, Table, TableOptions, number

_UNPACK = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
_SPACE = r"\s+"
_SEPARATORS = ["\t", ";", ",", "|", _SPACE]
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb": "utf-8-sig"}


def read_text(path: Path, options: TableOptions) -> Table:
    """Read a text table, compressed or not; leading lines that begin with "#" are comments."""
    import pandas as pd

    text = re.sub(r"\r\n?", "\n", _decoded(path))
    lines = text.split("\n")
    first = 0
    while first < len(lines) and (not lines[first].strip() or lines[first].startswith("#")):
        first += 1
    if first == len(lines):
        raise FileError(path, "", "it is empty; it must have a header and rows.")
    separator, decimal = _format_of(lines[first : first + FEW], options)
    try:
        rows = pd.read_csv(
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
    rows.index += first + 1  # lines, the first counted as one
    (comment,) = _fields([lines[first - 1].lstrip("# ")], separator) if first else ([],)
    return with_header(path, rows, options, decimal, comment)


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
    """The fields of each line."""
    if separator == _SPACE:
        return [line.split() for line in lines]
    rows = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    return [[field.strip() for field in row] for row in rows]


def _format_of(sample: Sequence[str], options: TableOptions) -> tuple[str, str]:
    """Separator and decimal mark under which most fields of the first rows are numbers."""

    def share(form: tuple[str, str]) -> float:
        separator, decimal = form
        header, *rows = _fields(sample, separator)
        fields = [field for row in rows or [header] for field in row]
        if len(header) < 2 or separator == decimal:
            return -1.0
        return sum(number(field, decimal) is not None for field in fields) / max(1, len(fields))

    separators = [options.separator] if options.separator else _SEPARATORS
    return max(product(separators, [options.decimal] if options.decimal else ".,"), key=share)


def _explained(path: Path, message: str) -> FileError:
    """An error of the reader, with its line and what to do."""
    if wide := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message):
        expected, line, found = wide.groups()
        what = f"{found} fields where the first line has {expected}; correct it, or give the "
        return FileError(path, f"line {line}", what + "separator of fields by --separator.")
    if quoted := re.search(r"EOF inside string starting at row (\d+)", message):
        line = str(int(quoted[1]) + 1)
        return FileError(path, f"line {line}", "a quotation mark is not closed; close it.")
    return FileError(path, "", f"it is not a table: {message}")
