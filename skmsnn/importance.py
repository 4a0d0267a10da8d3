"""Shares of the variance of a function that its features explain."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

# Points of the design, for each feature once more: differences of 3 % of the variance are then
# known to a tenth.
N_POINTS = 1024


def total_sobol_indices(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], n_features: int
) -> NDArray[np.float64]:
    """Total Sobol' indices of a function of features that are uniform on [-1, 1]^d.

    Of several outputs it is the mean, weighted by their variances.

    Parameters
    ----------
    function : callable
        Values (n, n_outputs) at points of shape (n, n_features).
    n_features : int
        Number of features d.

    Returns
    -------
    ndarray of shape (n_features,)
        Shares of the variance that are lost once a feature alone is not known; 0 for a constant.

    References
    ----------
    Jansen 1999, Analysis of variance designs for model output, equation 7; in a scrambled Sobol'
    sequence of 2 d dimensions.
    """
    design = qmc.Sobol(2 * n_features, rng=np.random.default_rng(0)).random(N_POINTS)
    points, others = np.split(2 * design - 1, 2, axis=1)
    values = function(points)
    variance = float(values.var(axis=0).sum())
    indices = np.zeros(n_features)
    if variance == 0:
        return indices
    for j in range(n_features):
        exchanged = points.copy()
        exchanged[:, j] = others[:, j]
        change = function(exchanged) - values
        indices[j] = np.mean(np.sum(change**2, axis=1)) / 2 / variance
    return indices
