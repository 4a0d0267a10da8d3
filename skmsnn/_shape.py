"""How many coordinates points have, and points of some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def check_points(shape: Sequence[int], n_features: int) -> None:
    """Refuse an array of another shape than (n, n_features), before NumPy or torch broadcasts it.

    Raises
    ------
    ValueError
        If the array has other than two axes, or another number of columns.
    """
    if tuple(shape[1:]) != (n_features,):
        what = "1 feature" if n_features == 1 else f"{n_features} features"
        raise ValueError(
            f"Points of shape {tuple(shape)} were given to a function of {what}; give an array of "
            f"shape (n, {n_features}), one point a row."
        )


def of_features(x: NDArray[np.float64], features: Sequence[int]) -> NDArray[np.float64]:
    """Some features of points (n, d), each point in one piece of memory."""
    return np.ascontiguousarray(x[:, list(features)])
