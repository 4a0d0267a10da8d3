"""To how many digits values are rounded, from the values themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST_VALUES = 50
# Decimal digits at which values may be seen to be rounded.
_MOST_DIGITS = 13
# Powers of ten beyond which a unit of rounding may overflow.
_FARTHEST = 250


def rounding_of(y: NDArray[np.float64]) -> float:
    """Root mean square rounding error that values show, as of single precision or few decimals.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        Values, in the units in which they were rounded.

    Returns
    -------
    float
        0 where they show none, or are too few to.
    """
    if len(y) < _LEAST_VALUES or not np.any(y):
        return 0.0
    largest = float(np.abs(y).max())
    size = largest * float(np.sqrt(np.mean((y / largest) ** 2)))
    for kind in (np.float16, np.float32):
        with np.errstate(over="ignore", under="ignore"):
            is_of_kind = largest < np.finfo(kind).max and np.array_equal(y, y.astype(kind))
        if is_of_kind:
            return size * float(np.finfo(kind).eps) / 12**0.5 / 2
    top = int(np.floor(np.log10(largest)))
    if abs(top) > _FARTHEST:
        return 0.0
    for decimals in range(2 - top, _MOST_DIGITS - top):
        unit = 10.0**-decimals
        if np.all(np.abs(y - np.rint(y / unit) * unit) <= 4 * np.finfo(float).eps * np.abs(y)):
            return unit / 12**0.5
    exponent = np.floor(np.log10(np.where(y == 0, 1.0, np.abs(y))))
    for digits in range(2, _MOST_DIGITS):
        units = np.maximum(10.0 ** (exponent - digits + 1), np.finfo(float).tiny)
        if np.all(np.abs(y - np.rint(y / units) * units) <= 4 * np.finfo(float).eps * np.abs(y)):
            return largest * float(np.sqrt(np.mean((units / largest) ** 2) / 12))
    return 0.0
