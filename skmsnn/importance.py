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
    if variance == 0:
        return np.zeros(n_features)
    return lost_variances(function, values, points, others).sum(axis=1) / variance


def lost_variances(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    values: NDArray[np.float64],
    points: NDArray[np.float64],
    others: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Variance of a function that is lost once a feature alone is not known.

    Half the mean square change of its ``values`` (n, n_outputs) at ``points`` (n, d), once the
    feature is that of ``others`` (n, d); shape (d, n_outputs).
    """
    lost = []
    for j in range(points.shape[1]):
        exchanged = points.copy()
        exchanged[:, j] = others[:, j]
        lost.append(np.mean((function(exchanged) - values) ** 2, axis=0) / 2)
    return np.array(lost)
