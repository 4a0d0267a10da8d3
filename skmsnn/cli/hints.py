"""What columns a file was read as, and which of them may not be meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FEW, LEAST_NODES
from skmsnn.cli.data import Data


def columns_of(data: Data) -> str:
    """Targets and features in a line."""
    kinds = [("target", data.targets), ("feature", data.features)]
    return "; ".join(f"{kind}{'s' * (len(names) > 1)}: {_some(names)}" for kind, names in kinds)


def doubts_of(data: Data, are_targets_named: bool, are_features_named: bool) -> list[str]:
    """What is odd about columns, a line each; columns that a person named are counters on purpose.

    Parameters
    ----------
    data : Data
        Points and values.
    are_targets_named, are_features_named : bool
        Whether a person chose them by name.
    """
    y = data.y.reshape(len(data.y), -1)
    targets = [*zip(data.targets, y.T, strict=True)]
    features = [*zip(data.features, data.X.T, strict=True)]
    constant = [name for name, column in targets if _is_constant(column)]
    counting = [name for name, column in targets if _counts_rows(column)]
    fixed = [name for name, column in features if _is_constant(column)]
    counters = [name for name, column in features if _counts_rows(column)]
    told = []
    if constant:
        value = dict(targets)[constant[0]][0] if len(constant) == 1 else None
        given = "" if value is None else f", {value:g} in each row"
        told.append(
            f"{_named('target', constant)} constant{given}: there is nothing to fit; if another "
            "column is meant, name it by --target."
        )
    if counting and not are_targets_named:
        told.append(
            f"{_named('target', counting)} a count of the rows; if another column is meant, name "
            "it by --target."
        )
    if fixed:
        told.append(
            f"{_named('feature', fixed)} constant and without influence; the fit says nothing of "
            "other values there."
        )
    if counters and len(features) > 1 and not are_features_named:
        told.append(
            f"{_named('feature', counters)} a count of the rows; if it is no coordinate, name "
            "those that are by --features."
        )
    return told


def _named(kind: str, names: Sequence[str]) -> str:
    return f"{kind}s {_some(names)} are" if len(names) > 1 else f"{kind} {names[0]} is"


def _some(names: Sequence[str]) -> str:
    """Names in a line; of very many the first."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return ", ".join(names[:FEW]) + more


def _is_constant(column: NDArray[np.float64]) -> bool:
    return bool((column == column[0]).all())


def _counts_rows(column: NDArray[np.float64]) -> bool:
    """Whether it is n, n + 1, ... from row to row, of more rows than are so by chance."""
    return len(column) >= LEAST_NODES and bool((column == column[0] + np.arange(len(column))).all())
