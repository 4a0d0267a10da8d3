"""Splines through all nodes of an axis of a grid, in products with functions of other axes."""

from __future__ import annotations

from skmsnn.families.axis_trials import AxisProblem, AxisTrial
from skmsnn.families.family import Family
from skmsnn.functions.polynomial import MOST_DEGREE
from skmsnn.spaces.axes import SplineAxis


class Spline(Family):
    """Not-a-knot splines of odd degrees up to 7."""

    name = "spline"

    def along_axis(self, problem: AxisProblem) -> list[AxisTrial]:
        if problem.periodic:
            return []
        nodes = problem.nodes
        degrees = range(1, min(MOST_DEGREE, len(nodes) - 2), 2)
        return [problem.tried(SplineAxis(nodes, degree)) for degree in degrees]
