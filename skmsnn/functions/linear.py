"""Functions times numbers, and sums of functions of the same space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn.functions.base import Modes


def scaled(modes: Modes, factor: NDArray[np.float64] | float) -> Modes:
    """The function times a factor, or one for each output."""
    return modes.scaled(np.asarray(factor))


def added(one: Modes, other: Modes) -> Modes:
    """The sum of two functions of the same space."""
    return one.plus(other)
