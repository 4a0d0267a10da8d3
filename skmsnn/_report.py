"""What a fit cannot see by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmsnn._base import BaseMultistageRegressor as Regressor
from skmsnn.validation.levels import left_between_levels
from skmsnn.validation.reasons import StopReason

if TYPE_CHECKING:
    from skmsnn._cascade import Source

# Reasons that data have no say in.
_ENDED_FROM_OUTSIDE = (
    StopReason.INTERRUPTED,
    StopReason.CALLBACK,
    StopReason.MEMORY,
    StopReason.TIME,
)


def report_what_fits_cannot_see(model: Regressor, source: Source) -> None:
    """Report no less than what is open between levels, and than the scatter of repeated points."""
    model.condition_residuals_ = dict(source.residuals_of_conditions)
    model.contradictions_ = source.contradictions
    has_ended = model.stop_reason_ in (*_ENDED_FROM_OUTSIDE, StopReason.NEWTON_NOT_CONVERGED)
    if source.is_open and not has_ended:
        model.stop_reason_ = StopReason.UNDERDETERMINED.value
    noise = float(np.sqrt(np.mean((source.scatter / source.scaling.scale) ** 2)))
    open_between = [0.0] * model.n_stages_
    x = source.points_between_levels
    if x is not None and model.validation_errors_:
        open_between = [_left_between_levels(model, x, k + 1) for k in range(model.n_stages_)]
    new = slice(model._n_reported, None)  # of the others, earlier fits have told it
    pairs = zip(model.validation_errors_[new], open_between[new], strict=False)
    model.validation_errors_[new] = [float(np.hypot(max(pair), noise)) for pair in pairs]
    norms = model.train_errors_[new]
    model.train_errors_[new] = [float(np.hypot(norm, noise)) for norm in norms]
    model._n_reported = model.n_stages_
    error = (model.validation_errors_ or model.train_errors_)[-1]
    if model.stop_reason_ in _ENDED_FROM_OUTSIDE or error <= model.tol:
        return
    if noise > 0.5 * error:
        model.stop_reason_ = StopReason.NOISE.value
    elif open_between[-1] > 0.5 * error:
        model.stop_reason_ = StopReason.FEW_LEVELS.value


def _left_between_levels(model: Regressor, x: NDArray[np.float64], n_stages: int) -> float:
    """What is open between levels of the sum of some stages, relative to the spread of y."""
    domain = model.domain_
    levels = {
        j: domain.scale(np.outer(values, np.arange(len(domain.centre)) == j) + 0.0)[:, j]
        for j, values in model._levels.items()
    }

    def values_of(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sum([stage.predict(x) for stage in model.stages_[:n_stages]], axis=0)

    return left_between_levels(values_of, x, levels)
