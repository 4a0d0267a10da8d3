"""What a file holds before anything of it is chosen, and errors that say where they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn.cli.numbers import is_missing, numbers


class FileError(ValueError):
    """What is wrong with a file, where, and what to do; one line.

    Parameters
    ----------
    path : Path
        The file.
    where : str
        The place in it, as "line 3, column u", or nothing.
    what : str
        What is wrong, and what to do.
    """

    def __init__(self, path: Path, where: str, what: str) -> None:
        place = f"{path}, {where}" if where else str(path)
        super().__init__(" ".join(f"{place}: {what}".split()))


@dataclass
class Table:
    """Columns of a file by their names, in its order.

    Parameters
    ----------
    path : Path
        The file.
    columns : dict of str to ndarray
        Fields as they were read; of an array file, arrays of any shape.
    lines : sequence of int
        Line of the file in which each row is; empty where a file has no lines.
    decimal : {".", ","}
        Decimal mark.
    """

    path: Path
    columns: dict[str, NDArray[Any]]
    lines: Sequence[int] = ()
    decimal: str = "."

    @classmethod
    def of_rows(
        cls,
        path: Path,
        names: Sequence[str],
        columns: Iterable[NDArray[Any]],
        lines: Sequence[int] = (),
        decimal: str = ".",
    ) -> Table:
        """A table without an unnamed index, and without empty columns of no name.

        Raises
        ------
        FileError
            If another column has no name, or two have the same.
        """
        table = cls(path, {}, lines, decimal)
        for j, (name, column) in enumerate(zip(names, columns, strict=True)):
            if not name and (table._is_index(column, j) or _is_empty(column)):
                continue
            if not name or name in table.columns:
                what = f"the name {name} comes twice" if name else "it has no name"
                where = f"header, column {j + 1}"
                raise FileError(path, where, f"{what}; give each column a name of its own.")
            table.columns[name] = column
        return table

    def where(self, name: str, index: int) -> str:
        """The place of an entry of a column, counted in C order."""
        if len(self.lines):
            return f"line {self.lines[index]}, column {name}"
        shape = self.columns[name].shape
        entry = ", ".join(str(i) for i in np.unravel_index(index, shape))
        return f"column {name}, entry [{entry}]"

    def is_numeric(self, name: str) -> bool:
        """Whether most of the fields of a column that have a value are numbers."""
        column = self.columns[name]
        if column.dtype.kind in "biuf":
            return column.ndim > 0
        if column.ndim != 1 or column.dtype.kind != "O":
            return False
        values, bad = numbers(column, self.decimal)
        return bool(np.sum(~np.isnan(values)) > len(bad))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column as numbers, nan where a value is missing.

        Raises
        ------
        FileError
            If a field is no finite number; it tells the first.
        """
        column = self.columns[name]
        if column.dtype.kind in "biuf" and column.ndim:
            values = column.astype(np.float64)
        elif column.dtype.kind != "O" or column.ndim != 1:
            kind = "one number" if column.ndim == 0 else f"of type {column.dtype}"
            if column.dtype.kind == "M":
                kind = "dates; give numbers, as seconds since a start"
            raise FileError(
                self.path, f"column {name}", f"not a column of real numbers, but {kind}."
            )
        else:
            values, bad = numbers(column, self.decimal)
            if bad:
                raise FileError(self.path, self.where(name, bad[0]), self._not_a_number(name, bad))
        infinite = np.flatnonzero(np.isinf(values))
        if len(infinite):
            where = self.where(name, int(infinite[0]))
            raise FileError(self.path, where, "infinite or too large; delete the row.")
        return values

    def _not_a_number(self, name: str, bad: Sequence[int]) -> str:
        text = str(self.columns[name][bad[0]])
        shown = text if len(text) < 40 else text[:37] + "..."
        others = f" ({len(bad) - 1} more in this column)" if len(bad) > 1 else ""
        mark = " with a decimal comma" if self.decimal == "," else ""
        advice = "correct it, delete the row, or choose other columns by --features and --target"
        return f"'{shown}' is not a number{mark}{others}; {advice}."

    def _is_index(self, column: NDArray[Any], place: int) -> bool:
        """Whether a first column counts rows, as pandas writes them."""
        values, bad = numbers(column, self.decimal)
        is_whole = not bad and bool(np.all(values == np.round(values)))
        return place == 0 and is_whole and len(np.unique(values)) == len(values)


def _is_empty(column: NDArray[Any]) -> bool:
    return column.dtype.kind == "O" and all(is_missing(value) for value in column)
