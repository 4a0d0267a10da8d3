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
    """What is wrong with a file, where ("line 3, column u"), and what to do; one line."""

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
    """A data frame with a row for each point; its index is named "line" if it counts lines.

    Features and targets are None where the columns decide.
    """

    path: Path
    frame: pd.DataFrame
    features: Sequence[str] | None = None
    targets: Sequence[str] | None = None
    decimal: str = "."

    def is_numeric(self, name: str) -> bool:
        """Whether most of the fields of a column that have a value are numbers."""
        values, is_bad = numbers(self.frame[name], self.decimal)
        return bool(np.sum(~np.isnan(values)) > np.sum(is_bad))

    def rows(self, names: Sequence[str], drop_missing: bool = False) -> NDArray[np.float64]:
        """Columns as a matrix, without rows in which a value is missing.

        Raises
        ------
        FileError
            If there is no such column, a field is not a finite number, or a value is missing and
            such rows are not dropped.
        """
        for name in names:
            if name not in self.frame:
                has = ", ".join(self.frame)
                raise FileError(self.path, "", f"it has no column '{name}'; it has {has}.")
        columns = [numbers(self.frame[name], self.decimal) for name in names]
        values, is_bad = (np.stack(parts, axis=1) for parts in zip(*columns, strict=True))
        is_missing = np.isnan(values) & ~is_bad
        mark = " with a decimal comma" if self.decimal == "," else ""
        correct = "correct it, delete the row, or choose other columns by --features and --target"
        fill = "fill it, or pass --drop-missing to leave out such rows"
        self._refuse(names, is_bad, f"'{{}}' is not a number{mark}", correct)
        self._refuse(names, np.isinf(values), "infinite or too large", "delete the row")
        self._refuse(names, is_missing & (not drop_missing), "the value is missing", fill)
        return values[~is_missing.any(axis=1)]

    def _refuse(self, names: Sequence[str], mask: NDArray[Any], what: str, advice: str) -> None:
        places = np.argwhere(mask)
        if len(places):
            row, name = places[0][0], names[places[0][1]]
            text = str(self.frame[name].iloc[row])
            what = what.format(text if len(text) < 40 else text[:37] + "...")
            others = f" ({len(places) - 1} more)" if len(places) > 1 else ""
            index = self.frame.index
            where = f"{index.name or 'entry'} {index[row]}, column {name}"
            raise FileError(self.path, where, f"{what}{others}; {advice}.")


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


def numbers(column: pd.Series, decimal: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as numbers, nan where there are none, and which fields are not numbers."""
    if column.dtype.kind in "biuf":
        return column.to_numpy(dtype=np.float64, na_value=np.nan), np.zeros(len(column), dtype=bool)
    # to_numeric errs in the last digit before pandas 3
    values = [number(field, decimal) for field in column]
    return np.array(values, dtype=np.float64), np.array([v is None for v in values], dtype=bool)
