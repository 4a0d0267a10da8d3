"""Points and values out of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skmsnn.cli.table import FileError, Table


@dataclass
class Data:
    """Points with values, the names of both, and the columns that were passed over."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    features: list[str]
    targets: list[str]
    ignored: list[str]


def data_of(table: Table, drop_missing: bool = False) -> Data:
    """Points and values; by default the target is the last column of numbers.

    Raises
    ------
    FileError
        If a name is not that of a column, or a value is missing or not a number.
    """
    usable = [name for name in table.frame if table.is_numeric(name)]
    features, targets = list(table.features or []), list(table.targets or [])
    targets = targets or [name for name in usable if name not in features][-1:]
    features = features or [name for name in usable if name not in targets]
    ignored = [name for name in table.frame if name not in {*usable, *features, *targets}]
    if not features or not targets:
        raise FileError(table.path, "", _too_few(table, usable, ignored))
    both = sorted(set(features) & set(targets))
    if both:
        raise FileError(table.path, "", f"{both[0]} is both feature and target; name it once.")
    rows = table.rows([*features, *targets], drop_missing)
    X, y = np.split(rows, [len(features)], axis=1)
    return Data(X, y[:, 0] if len(targets) == 1 else y, features, targets, ignored)


def _too_few(table: Table, usable: Sequence[str], ignored: Sequence[str]) -> str:
    has = f"it has {', '.join(usable)}" if usable else "it has none"
    first = str(table.frame[ignored[0]].iloc[0])[:40] if ignored else ""
    why = f"; column {ignored[0]} is not: '{first}'" if ignored else ""
    return f"at least two columns of numbers are needed, features and a target; {has}{why}."
