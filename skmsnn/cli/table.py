"""Tables as they were read, their fields as numbers, and errors that say where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

#: Fields, in lower case, that say that there is no value.
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-", "?"}


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


class TableOptions(NamedTuple):
    """How a file is read; None where its contents decide."""

    separator: str | None = None
    decimal: str | None = None
    has_header: bool | None = None
    sheet: str | None = None
    features: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    is_grid: bool = False


@dataclass
class Table:
    """A data frame of a row for each point; its index holds lines if it is named "line".

    Fields of text are strings. Features and targets are None where the columns decide.
    """

    path: Path
    frame: pd.DataFrame
    features: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    decimal: str = "."

    def is_numeric(self, name: str) -> bool:
        """Whether most of the fields of a column that have a value are numbers."""
        values, bad = numbers(self.frame[name], self.decimal)
        return bool(np.sum(~np.isnan(values)) > len(bad))

    def numbers(self, name: str) -> NDArray[np.float64]:
        """A column as numbers, nan where a value is missing.

        Raises
        ------
        FileError
            If there is no such column, or a field is no finite number.
        """
        if name not in self.frame:
            has = ", ".join(self.frame)
            raise FileError(self.path, "", f"it has no column '{name}'; it has {has}.")
        values, bad = numbers(self.frame[name], self.decimal)
        if len(bad):
            text = str(self.frame[name].iloc[bad[0]])
            shown = text if len(text) < 40 else text[:37] + "..."
            others = f" ({len(bad) - 1} more in this column)" if len(bad) > 1 else ""
            mark = " with a decimal comma" if self.decimal == "," else ""
            advice = "delete the row, or choose other columns by --features and --target"
            what = f"'{shown}' is not a number{mark}{others}; correct it, {advice}."
            raise FileError(self.path, self._where(name, bad[0]), what)
        infinite = np.flatnonzero(np.isinf(values))
        if len(infinite):
            what = "infinite or too large; delete the row."
            raise FileError(self.path, self._where(name, infinite[0]), what)
        return values

    def rows(self, names: Sequence[str], drop_missing: bool) -> NDArray[np.float64]:
        """Columns as a matrix, without rows in which a value is missing.

        Raises
        ------
        FileError
            If a value is missing and such rows are not dropped.
        """
        rows = np.column_stack([self.numbers(name) for name in names])
        holes = np.argwhere(np.isnan(rows))
        if len(holes) and not drop_missing:
            row, column = holes[0]
            others = f" ({len(holes) - 1} more)" if len(holes) > 1 else ""
            advice = "fill it, or pass --drop-missing to leave out such rows"
            what = f"the value is missing{others}; {advice}."
            raise FileError(self.path, self._where(names[column], row), what)
        return rows[~np.isnan(rows).any(axis=1)]

    def _where(self, name: str, row: int) -> str:
        index = self.frame.index
        return f"{index.name or 'entry'} {index[row]}, column {name}"


def number(field: Any, decimal: str = ".") -> float | None:
    """The number that a field is, nan if its value is missing, or None."""
    text = str(field).strip()
    if text.lower() in MISSING:
        return float("nan")
    if decimal == "," and isinstance(field, str):
        text = text.replace(".", "?").replace(",", ".")  # a point may separate thousands
    try:
        return float(text)
    except ValueError:
        return None


def numbers(column: pd.Series, decimal: str = ".") -> tuple[NDArray[np.float64], list[int]]:
    """A column as numbers, nan where there are none, and the places of fields that are not."""
    if column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan), []
    # to_numeric errs in the last digit before pandas 3
    values = [number(field, decimal) for field in column]
    bad = [i for i, value in enumerate(values) if value is None]
    return np.array(values, dtype=np.float64), bad
