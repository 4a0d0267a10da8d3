"""Splines: through all nodes of an axis of a grid, and smoothing ones of scattered points."""

from __future__ import annotations

import numpy as np

from skmsnn._comparison import FEW
from skmsnn.families.axis_trials import AxisProblem, AxisTrial
from skmsnn.families.base import Trial
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFitter
from skmsnn.families.smoothing import select_smoothing
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.axes import SplineAxis


class Spline(Family):
    """Not-a-knot splines of odd degrees along axes; penalised cubic ones at scattered points."""

    name = "spline"

    def rough_space(self, fitter: StageFitter, enough: float) -> Trial | None:
        points, p = fitter.points, fitter.recipe.options.p
        d = points.x.shape[1]
        is_scattered = 2 <= d <= MOST_DIMENSIONS and not points.domain.periodic.any()
        has_held_out = points.held_out is not None and len(points.held_out.x) >= FEW
        # a smoothing spline is of least squares and a penalty, which no other norm has
        if not is_scattered or not has_held_out or points.levels or p != 2:
            return None
        if np.count_nonzero(points.train) <= 2**d or fitter.follows_network:
            return None
        return select_smoothing(fitter.split, enough)

    def along_axis(self, problem: AxisProblem) -> list[AxisTrial]:
        if problem.periodic:
            return []
        nodes = problem.nodes
        degrees = range(1, min(9, len(nodes) - 3) + 1, 2)
        return [problem.tried(SplineAxis(nodes, degree)) for degree in degrees]
