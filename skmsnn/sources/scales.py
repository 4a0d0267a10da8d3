"""Scales of features: linear, or logarithmic where the data are better described on that.

A function of a feature that spans decades is often smooth in its logarithm, and near a singularity
at one end of the feature itself. Nothing about the points tells which: a look at some of them does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfc
from sklearn.utils import check_random_state

from skmsnn._comparison import CLEARLY, ENOUGH, FAR, LEAST_NODES, SIGMAS
from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.domain import find_grid
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.options import StageOptions
from skmsnn.selection.problem import unwatched
from skmsnn.selection.trace import Trace
from skmsnn.sources.arrays import ArraySource, Choices

# Operations of a look: a quarter of a second.
BUDGET = FLOPS_PER_SECOND / 4
# Families that take long, or are a last resort, and show no more of scales than the others.
_SLOW = ("separable", "kernel", "sinusoids", "network", "interpolant")


def given_scales(
    feature_transforms: str | Sequence[str], n_features: int
) -> NDArray[np.bool_] | None:
    """Of which features the logarithm is to be taken; None where the data decide.

    Raises
    ------
    ValueError
        If the number of scales is not that of the features, or one is neither "linear" nor "log".
    """
    if isinstance(feature_transforms, str):
        if feature_transforms == "auto":
            return None
        scales = [feature_transforms] * n_features
    else:
        scales = list(feature_transforms)
    if len(scales) != n_features or any(scale not in ("linear", "log") for scale in scales):
        raise ValueError(
            f"feature_transforms={feature_transforms!r} must be 'auto', 'linear' or 'log', or name "
            f"'linear' or 'log' for each of the {n_features} features."
        )
    return np.array([scale == "log" for scale in scales])


def chosen_scales(
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    choices: Choices,
    recipe: StageOptions,
) -> NDArray[np.bool_]:
    """Features whose logarithms serve unseen points clearly better, one after the other."""
    logarithmic = np.zeros(X.shape[1], dtype=bool)
    features = _worth_a_look(X, choices)
    if not features or not choices.early_stopping:
        return logarithmic
    rows = _rows_of_look(X)
    X, y, weight = X[rows], y[rows], weight[rows]
    names = tuple(name for name in recipe.families if name not in _SLOW)
    if not names or not weight.any():
        return logarithmic
    least_squares = replace(recipe.options, p=2.0)
    quick = replace(recipe, families=names, options=least_squares, budget=BUDGET)

    def left_on(scales: NDArray[np.bool_]) -> float:
        source = ArraySource(
            X, y, weight, None, choices, None, names, check_random_state(0), scales
        )
        fit = source.best_stage(quick, unwatched, Trace())
        return np.inf if fit.is_noise else fit.error

    least = left_on(logarithmic)
    while features and ROUND_OFF < least < np.inf and not time_is_up():
        errors = {}
        for j in features:
            tried = logarithmic.copy()
            tried[j] = True
            errors[j] = left_on(tried)
        best = min(errors, key=lambda j: errors[j])
        # a logarithm that is of no use leaves more or less by luck
        if not errors[best] * CLEARLY < least:
            break
        logarithmic[best], least = True, errors[best]
        features.remove(best)
    return logarithmic


def _worth_a_look(X: NDArray[np.float64], choices: Choices) -> list[int]:
    """Positive features that span a decade, and are spread over it or clear of zero."""
    period: Any = choices.period
    given = list(period) if np.ndim(period) else [period] * X.shape[1]
    grid = find_grid(np.unique(X, axis=0))
    ratios = {}
    for j, column in enumerate(X.T):
        has_period = len(given) == X.shape[1] and given[j] not in ("auto", None)
        levels = np.unique(column)
        if levels[0] <= 0 or has_period or len(levels) < LEAST_NODES:
            continue
        if _distance_from_even(levels) <= _distance_from_even(np.log(levels)):
            # points that are even on the feature itself and reach zero as far as they can tell
            spacing = np.ptp(column) / len(column)
            # the least of even points that reach zero is so far from it by no chance
            clear_of_zero = -np.log(erfc(SIGMAS / np.sqrt(2)))
            if grid is not None or levels[0] < clear_of_zero * spacing:
                continue
        if levels[-1] >= FAR * levels[0]:
            ratios[j] = levels[-1] / levels[0]
    return sorted(ratios, key=lambda j: -ratios[j])[:MOST_DIMENSIONS]


def _distance_from_even(values: NDArray[np.float64]) -> float:
    """Kolmogorov's distance of ascending values from as many even ones."""
    share = (values - values[0]) / (values[-1] - values[0])
    return float(np.abs(share - np.linspace(0, 1, len(values))).max())


def _rows_of_look(X: NDArray[np.float64]) -> NDArray[np.intp]:
    """Some points, or a whole grid.

    Of the borehole function the logarithm of the one feature that needs it left as much as the
    feature itself on 500 points, a third on 1000, and a seventh on 1500.
    """
    n = len(X)
    if n <= ENOUGH // 2 or (n <= FAR * ENOUGH and find_grid(X) is not None):
        return np.arange(n)
    return np.sort(check_random_state(0).permutation(n)[: ENOUGH // 2])
