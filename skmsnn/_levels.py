"""Features of few distinct values, between which points say next to nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn._domain import merge_close

# With 8 levels and more, lines left out told honestly how exact fits were between them; with six
# and fewer nothing did, for any of four families of functions.
MOST_LEVELS = 6


def features_of_few_levels(
    X: NDArray[np.float64], periodic: NDArray[np.bool_]
) -> dict[int, NDArray[np.float64]]:
    """Levels of each feature that has two to six and is not periodic.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Distinct points.
    periodic : ndarray of shape (d,), bool
        Which features are periodic.
    """
    found = {}
    for j, column in enumerate(X.T):
        levels, _ = merge_close(column)
        # that fewer points have few values says nothing of the feature
        if 2 <= len(levels) <= MOST_LEVELS and len(levels) < len(X) and not periodic[j]:
            found[j] = levels
    return found
