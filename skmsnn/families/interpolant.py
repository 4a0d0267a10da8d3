"""Interpolants of small tables that no smooth function describes: steps, pulses, zigzags.

For one feature, the monotone cubic (Fritsch & Carlson 1980, Monotone piecewise cubic interpolation;
SciPy's ``PchipInterpolator``); for two, the piecewise linear function on Delaunay triangles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from skmsnn._comparison import CLEARLY, ENOUGH, EQUAL, FAR, LEAST_NODES
from skmsnn._precision import ROUND_OFF
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFit, StageFitter
from skmsnn.functions import LinearExpansion
from skmsnn.functions.bases import LegendreBasis, SplineBasis
from skmsnn.functions.products import TensorProductSeries
from skmsnn.functions.triangulated import TriangulatedSurface
from skmsnn.stage import Stage
from skmsnn.validation.diagnosis import can_tell_noise
from skmsnn.validation.leave_out import N_FOLDS, LeftOut, weighted_rms


class Interpolant(Family):
    """Interpolants through all rows, with no claim between them."""

    name = "interpolant"

    def last_resort(self, fitter: StageFitter, stage: StageFit) -> StageFit | None:
        """The interpolant of one or two features, where a stage describes less than half of y.

        It is taken if its validation error is smaller than that of the stage; and, with too few
        points to distinguish noise from structure, also if the residuals of the stage at its own
        rows are about as large as y. Where y repeats a few values, as steps do, a tenth of y is
        enough for both conditions on the stage.
        """
        points = fitter.points
        rows = np.flatnonzero(points.full)
        x, values = points.x[rows], fitter.full[rows]
        varying = np.flatnonzero(np.ptp(x, axis=0) > 0)
        is_suited = 1 <= len(varying) <= 2 and len(rows) <= ENOUGH
        if not is_suited or points.domain.periodic.any() or points.has_scatter:
            return None
        rest = stage.stage.residual(fitter.full * fitter.full_scale, points.x)
        own = weighted_rms(rest / fitter.full_scale, points.full)
        # noise takes each value once: values that come again and again are exact
        is_stepped = all(len(np.unique(v)) < min(LEAST_NODES, len(v) / CLEARLY) for v in values.T)
        if stage.error * (FAR if is_stepped else CLEARLY) < fitter.full_size or own <= ROUND_OFF:
            return None
        is_useless = own * (FAR if is_stepped else EQUAL) >= 1
        modes = _interpolant(x, values, varying)
        own_stage = Stage(fitter.full_scale, modes, self.name)
        unseen = None
        if points.has_own_validation:
            error = fitter.validation_error_of(own_stage) * fitter.size
        else:
            residual = _left_out(x, values, varying)
            error = weighted_rms(residual, points.full[rows]) * fitter.full_size
            unseen = LeftOut(rows, residual * fitter.full_scale)
        is_better = error < stage.error
        is_needed = is_useless and not can_tell_noise(len(rows))
        if not (is_better or is_needed):
            return None
        kind = "monotone cubic" if len(varying) == 1 else "piecewise linear interpolant"
        return StageFit(
            own_stage,
            own_stage,
            error,
            [1.0, 0.0],
            f"{kind} through all {len(rows)} points",
            unseen=unseen,
            is_final=True,
        )


def _interpolant(
    x: NDArray[np.float64], values: NDArray[np.float64], varying: NDArray[np.intp]
) -> LinearExpansion:
    """Through values (n, n_outputs) at distinct points (n, d)."""
    if len(varying) == 1:
        return _monotone_cubic(x[:, varying[0]], values, int(varying[0]), x.shape[1])
    return TriangulatedSurface.through(x, values, (int(varying[0]), int(varying[1])))


def _monotone_cubic(
    x: NDArray[np.float64], values: NDArray[np.float64], axis: int, n_features: int
) -> TensorProductSeries:
    """As B-splines on double knots: of each piece its inner Bernstein coefficients."""
    order = np.argsort(x)
    x, values = x[order], values[order]
    slopes = PchipInterpolator(x, values).derivative()(x) if len(x) > 2 else _line(x, values)
    third = np.diff(x)[:, None] / 3
    coefficients = np.repeat(values, 2, axis=0)
    coefficients[1:-1:2] += third * slopes[:-1]
    coefficients[2:-1:2] -= third * slopes[1:]
    knots = np.concatenate([x[:1], x[:1], np.repeat(x, 2), x[-1:], x[-1:]])
    bases: list[LegendreBasis | SplineBasis] = [LegendreBasis(0)] * n_features
    bases[axis] = SplineBasis(knots, 3)
    shape = [basis.size for basis in bases]
    axes = tuple(range(n_features))
    return TensorProductSeries(
        coefficients.reshape(*shape, values.shape[1]), np.empty(0), (), tuple(bases), axes
    )


def _line(x: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    slope = np.diff(values, axis=0) / np.diff(x)[:, None]
    return np.repeat(slope, 2, axis=0)


def _left_out(
    x: NDArray[np.float64], values: NDArray[np.float64], varying: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Residuals at points left out, one by one or in folds."""
    n = len(x)
    n_folds = N_FOLDS if can_tell_noise(n) else n
    fold = np.random.default_rng(0).permutation(n) % n_folds
    residual = values.copy()
    for k in range(n_folds):
        out = fold == k
        others = x[~out]
        if np.count_nonzero(np.ptp(others, axis=0)) < len(varying):
            continue  # what is left has no such interpolant; its mean is zero
        low, high = others.min(axis=0), others.max(axis=0)
        near = np.clip(x[out], low, high)
        residual[out] -= _interpolant(others, values[~out], varying).evaluate(near)
    return residual
