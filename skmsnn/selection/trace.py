"""The record of a fit: every candidate that was scored, and why each search for more ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Rows of a record; of more, the losers with the largest errors are dropped.
MOST_ROWS = 1000


class Status(StrEnum):
    """How a candidate fared."""

    WON = "won"
    WORSE = "worse"
    OVERFITS = "overfits"
    FORECAST = "forecast"
    TOO_COSTLY = "too costly"
    TIME = "time"
    UNSUPPORTED = "unsupported"


@dataclass
class Row:
    """A candidate of a stage; errors are relative to the spread of y, nan where unknown."""

    stage: int
    family: str
    label: str
    n_terms: int = 0
    operations: float = 0.0
    seconds: float = 0.0
    validation_error: float = np.nan
    standard_error: float = np.nan
    train_error: float = np.nan
    status: str = Status.WORSE
    reason: str = ""


_TYPES: dict[str, type] = {
    "stage": np.int64,
    "family": np.str_,
    "label": np.str_,
    "n_terms": np.int64,
    "operations": np.float64,
    "seconds": np.float64,
    "validation_error": np.float64,
    "standard_error": np.float64,
    "train_error": np.float64,
    "status": np.str_,
    "reason": np.str_,
}


@dataclass
class Trace:
    """Rows in the order in which candidates were scored."""

    rows: list[Row] = field(default_factory=list)
    stage: int = 1

    @classmethod
    def of(cls, results: dict[str, NDArray[Any]] | None) -> Trace:
        """Go on with the record of an earlier fit, if there is one."""
        trace = cls()
        if results is not None:
            columns = [results[name].tolist() for name in _TYPES]
            trace.rows = [
                Row(**dict(zip(_TYPES, row, strict=True))) for row in zip(*columns, strict=True)
            ]
        return trace

    def add(self, **values: Any) -> Row:
        """Record a candidate of the present stage."""
        self.rows.append(Row(self.stage, **values))
        return self.rows[-1]

    @property
    def least_error(self) -> float:
        """Smallest validation error of the present stage, over the spread of y."""
        errors = [row.validation_error for row in self.rows if row.stage == self.stage]
        return min((error for error in errors if error == error), default=np.inf)

    def to_dict(self) -> dict[str, NDArray[Any]]:
        """Columns as arrays of equal length, in the style of ``cv_results_``."""
        rows = self._bounded()
        return {
            name: np.array([getattr(row, name) for row in rows], dtype=kind)
            for name, kind in _TYPES.items()
        }

    def _bounded(self) -> list[Row]:
        losers = [row for row in self.rows if row.status == Status.WORSE]
        n_more = max(0, len(self.rows) - MOST_ROWS)
        if not n_more:
            return self.rows
        losers.sort(key=lambda row: -row.validation_error)
        dropped = {id(row) for row in losers[:n_more]}
        return [row for row in self.rows if id(row) not in dropped]
