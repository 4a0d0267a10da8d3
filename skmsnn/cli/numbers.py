"""Fields of a table as numbers, and whether a column is of numbers at all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Fields, in lower case, that say that there is no value.
MISSING = {"", "na", "n/a", "#n/a", "<na>", "nan", "nat", "null", "none", "-", "?"}


def is_missing(field: Any) -> bool:
    """Whether a field has no value."""
    if isinstance(field, str):
        return field.strip().lower() in MISSING
    return field is None or field != field or str(field).lower() in MISSING


def number(field: Any, decimal: str = ".") -> float | None:
    """The number that a field is, or None; nan where the value is missing."""
    if is_missing(field):
        return float("nan")
    if not isinstance(field, str):
        return float(field) if isinstance(field, int | float | np.number | np.bool_) else None
    text = field.strip()
    if decimal == ",":
        # a point beside decimal commas may be one, or separate thousands
        if "." in text:
            return None
        text = text.replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def numbers(fields: Iterable[Any], decimal: str = ".") -> tuple[NDArray[np.float64], list[int]]:
    """All fields as numbers, missing ones as nan, and the places of those that are none."""
    values = [number(field, decimal) for field in fields]
    bad = [i for i, value in enumerate(values) if value is None]
    return np.array([np.nan if value is None else value for value in values]), bad
