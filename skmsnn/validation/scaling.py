"""Units of y: residuals are relative to its spread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR
from skmsnn._precision import NEAR_ROUND_OFF, ROUNDING


class Scaling(NamedTuple):
    """Mean of each output, and root mean square of its deviations from that; (n_outputs,) each."""

    offset: NDArray[np.float64]
    scale: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        scatter: NDArray[np.float64],
    ) -> Scaling:
        """Weighted, of values (n, n_outputs); ``scatter`` is what they deviate at their points.

        Of an output that is constant but for rounding the scale is its size; 1 where that is zero.
        """
        largest = np.abs(y).max(axis=0)
        largest[largest == 0] = 1.0
        relative = y / largest
        # from the first value on, so that the mean of a constant is that constant
        offset = relative[0] + np.average(relative - relative[0], axis=0, weights=weight)
        spread = np.sqrt(np.average((relative - offset) ** 2, axis=0, weights=weight))
        return cls.of_relative(largest, offset, np.hypot(spread, scatter / largest))

    @classmethod
    def of_relative(
        cls,
        largest: NDArray[np.float64],
        mean: NDArray[np.float64],
        spread: NDArray[np.float64],
    ) -> Scaling:
        """From mean and spread relative to the largest values, 1 where these are zero."""
        scale = np.where(spread > ROUNDING, spread, 1.0)
        return cls(largest * mean, largest * scale)

    def target(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Deviations of values from the mean, in units of the spread."""
        return (y - self.offset) / self.scale

    @property
    def round_off(self) -> tuple[float, float]:
        """Relative residuals at which the digits of y are used up, and next to which they are.

        A stage that does not help below the second has met round-off, not the end of what the data
        say. Size of y over its spread: as many times its rounding is that of the deviations.
        """
        size = np.hypot(self.offset, self.scale) / self.scale
        round_off = ROUNDING * float(size.max())
        return round_off, max(NEAR_ROUND_OFF, FAR * round_off)
