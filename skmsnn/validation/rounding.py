"""To how many digits values are rounded, from the values themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FEW, LEAST_NODES
from skmsnn._precision import ROUNDING


def rounding_of(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square rounding error that values show, as of single precision or few decimals.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        Values, in the units in which they were rounded.

    Returns
    -------
    ndarray of shape (n_outputs,)
        0 where they show none, or are too few to.
    """
    return np.array([_rounding_of_one(column) for column in y.T])


def relative_rounding(y: NDArray[np.float64], spread: NDArray[np.float64]) -> float:
    """Rounding that values show, each output's over its spread; root mean square of all."""
    return float(np.sqrt(np.mean((rounding_of(y) / spread) ** 2)))


def _rounding_of_one(y: NDArray[np.float64]) -> float:
    few = y[:FEW]  # most values are told to be of full precision by these
    if len(y) < FEW or (_are_few(few) and _are_few(y)):
        return 0.0
    # multiples of the units of more digits are all values
    most_digits = np.finfo(float).precision - 2
    top = int(np.floor(np.log10(np.abs(y).max())))
    if abs(top) + 2 * most_digits > np.log10(np.finfo(float).max):
        return 0.0
    # whole numbers are of half precision, too: decimals first
    for decimals in range(1 - top, most_digits - top):
        unit = 10.0**-decimals
        if _are_multiples(few, unit) and _are_multiples(y, unit):
            return unit / 12**0.5
    for digits in range(2, most_digits):
        if _are_multiples(few, _last_digit(few, digits)):
            units = _last_digit(y, digits)
            if _are_multiples(y, units):
                return size_of(units) / 12**0.5
    for kind in (np.float16, np.float32):
        if _is_of_kind(few, kind) and _is_of_kind(y, kind):
            return size_of(y) * float(np.finfo(kind).eps) / 12**0.5 / 2
    return 0.0


def size_of(values: NDArray[np.float64]) -> float:
    """Root mean square of values of which the squares may overflow; they are not all zero."""
    largest = float(np.abs(values).max())
    return largest * float(np.sqrt(np.mean((values / largest) ** 2)))


def _are_few(values: NDArray[np.float64]) -> bool:
    """Whether distinct values are so few that each is a class or a step, not one rounded."""
    return len(np.unique(values)) < LEAST_NODES


def _is_of_kind(values: NDArray[np.float64], kind: type[np.floating]) -> bool:
    with np.errstate(over="ignore", under="ignore"):
        is_in_range = np.abs(values).max() < np.finfo(kind).max
        return bool(is_in_range and np.array_equal(values, values.astype(kind)))


def _are_multiples(values: NDArray[np.float64], unit: float | NDArray[np.float64]) -> bool:
    rest = values - np.rint(values / unit) * unit
    return bool(np.all(np.abs(rest) <= ROUNDING * np.abs(values)))


def _last_digit(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """The unit of the last of so many significant digits of each value."""
    exponent = np.floor(np.log10(np.where(values == 0, 1.0, np.abs(values))))
    return np.maximum(10.0 ** (exponent - digits + 1), np.finfo(float).tiny)
