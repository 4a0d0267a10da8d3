"""The one check of how many coordinates points have."""

from __future__ import annotations

from collections.abc import Sequence


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
