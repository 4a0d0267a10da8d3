"""Functions times numbers, and sums of functions of the same space."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions import Modes
from skmsnn.functions.sum import SumModes


def scaled(modes: Modes, factor: NDArray[np.float64] | float) -> Modes:
    """The function times a factor, or one for each output."""
    if isinstance(modes, SumModes):
        parts: Any = tuple(scaled(part, factor) for part in modes.parts)
        return SumModes(parts)
    return _with(modes, modes.coefficients * factor)


def added(one: Modes, other: Modes) -> Modes:
    """The sum of two functions of the same space."""
    if isinstance(one, SumModes) and isinstance(other, SumModes):
        pairs = zip(one.parts, other.parts, strict=True)
        parts: Any = tuple(added(a, b) for a, b in pairs)
        return SumModes(parts)
    assert not isinstance(one, SumModes)
    assert not isinstance(other, SumModes)
    return _with(one, one.coefficients + other.coefficients)


def _with(modes: Modes, coefficients: Any) -> Modes:
    return replace(modes, coefficients=coefficients)
