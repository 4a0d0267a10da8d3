"""Text tables: their separator, decimal mark, header and lines."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import lzma
import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from skmsnn._comparison import FEW
from skmsnn.cli.numbers import number
from skmsnn.cli.table import FileError, Table

_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.decompress,
    ".bz2": bz2.decompress,
    ".xz": lzma.decompress,
}
_SPACE = r"\s+"
_SEPARATORS = ["\t", ";", ",", "|", _SPACE]
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


class Format(NamedTuple):
    """How a text table is written; None where the file is to tell."""

    separator: str | None = None
    decimal: str | None = None
    has_header: bool | None = None


def read_text(path: Path, given: Format) -> Table:
    """Read a text table, compressed or not.

    Leading lines that begin with "#" are comments; the last of them is the header if it names each
    column of a table that has no other.

    Raises
    ------
    FileError
        If it is not a table; the message tells the line.
    """
    lines = re.split(r"\r\n|\n|\r", _decoded(path))
    first = 0
    while first < len(lines) and (not lines[first].strip() or lines[first].startswith("#")):
        first += 1
    if first == len(lines):
        raise FileError(path, "", "it is empty; it must have a header and rows.")
    separator, decimal = _format_of(lines[first:], given)
    start, names = _header(path, lines, first, separator, decimal, given.has_header)
    rows, numbers = _rows(path, lines, start, separator)
    names = names or [str(j + 1) for j in range(rows.shape[1])]
    return Table.of_rows(path, names, rows.T, numbers, decimal)


def _decoded(path: Path) -> str:
    with path.open("rb") as raw:
        try:
            content = _UNPACK.get(path.suffix.lower(), bytes)(raw.read())
        except (EOFError, ValueError, OSError, zlib.error, lzma.LZMAError) as error:
            raise FileError(path, "", f"it cannot be unpacked ({error}); get it anew.") from error
    encoding = _BYTE_ORDER_MARKS.get(content[:2], _BYTE_ORDER_MARKS.get(content[:3], "utf-8"))
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # each byte is a character, as old programs write them
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FileError(path, f"line {line}", "it is not a text file; give its true suffix.")
    return text


def fields_of(line: str, separator: str) -> list[str]:
    """The fields of one line."""
    if separator == _SPACE:
        return line.split()
    try:
        fields = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a field larger than the reader admits
        fields = line.split(separator)
    return [field.strip() for field in fields]


def _format_of(lines: Sequence[str], given: Format) -> tuple[str, str]:
    """Separator and decimal mark under which most fields of the first rows are numbers."""
    sample = [line for line in lines[:FEW] if line.strip()]
    rows = sample[1:] or sample
    separators = _SEPARATORS if given.separator is None else [given.separator]
    marks = [".", ","] if given.decimal is None else [given.decimal]
    best = (-1.0, separators[0], marks[0])
    for separator in separators:
        if len(fields_of(sample[0], separator)) < 2:
            continue
        for mark in marks:
            if mark == separator:
                continue
            fields = [field for row in rows for field in fields_of(row, separator)]
            share = sum(number(field, mark) is not None for field in fields) / max(1, len(fields))
            if share > best[0]:
                best = (share, separator, mark)
    return best[1:]


def _header(
    path: Path,
    lines: Sequence[str],
    first: int,
    separator: str,
    decimal: str,
    has_header: bool | None,
) -> tuple[int, list[str]]:
    """The line at which reading begins, and names if they are not in it."""
    fields = fields_of(lines[first], separator)
    is_numeric = all(number(field, decimal) is not None for field in fields) and any(fields)
    if has_header is False:
        return first, []
    commented = fields_of(lines[first - 1].lstrip("# "), separator) if first else []
    if is_numeric and has_header is None:
        if len(commented) == len(fields):
            return first, commented
        raise FileError(
            path,
            f"line {first + 1}",
            "numbers where the names of the columns should be; pass --no-header if it has none, "
            "--header if these are names.",
        )
    return first + 1, fields


def _rows(path: Path, lines: Sequence[str], start: int, separator: str) -> tuple[Any, list[int]]:
    """Fields of the lines that are not blank, and their lines, the first counted as one."""
    import pandas as pd

    # the header, if there is one, goes along so that it tells the number of columns
    begin = max(0, start - 1) if start and not lines[start - 1].startswith("#") else start
    kept = [i for i in range(begin, len(lines)) if lines[i].strip()]
    try:
        frame = pd.read_csv(
            io.StringIO("\n".join(lines[i] for i in kept)),
            sep=separator,
            header=None,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
            skip_blank_lines=False,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, OverflowError) as error:
        raise _told(path, str(error), kept) from error
    rows = frame.to_numpy(dtype=object, na_value=None)
    numbers = [i + 1 for i in kept]
    n_header = int(begin < start)
    if len(rows) != len(kept):  # a quoted field has a line break
        numbers = list(range(begin + 1, begin + 1 + len(rows)))
    if len(rows) == n_header:
        raise FileError(path, f"line {start}", "no rows follow the header; add some.")
    return rows[n_header:], numbers[n_header:]


def _told(path: Path, message: str, kept: Sequence[int]) -> FileError:
    """An error of the reader, in our words."""
    wide = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    if wide:
        expected, line, found = map(int, wide.groups())
        return FileError(
            path,
            f"line {kept[line - 1] + 1}",
            f"{found} fields where the first line has {expected}; correct it, or give the "
            "separator of fields by --separator.",
        )
    quoted = re.search(r"EOF inside string starting at row (\d+)", message)
    if quoted:
        line = kept[min(int(quoted[1]), len(kept) - 1)] + 1
        return FileError(path, f"line {line}", "a quotation mark is not closed; close it.")
    return FileError(path, "", f"it is not a table: {message}")
