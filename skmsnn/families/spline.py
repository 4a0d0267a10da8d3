"""Splines through all nodes of an axis of a grid, in products with functions of other axes."""

from __future__ import annotations

from skmsnn.families.axis_trials import AxisProblem, AxisTrial
from skmsnn.families.family import Family
from skmsnn.spaces.axes import SplineAxis

_DEGREES = (1, 3, 5, 7)


class Spline(Family):
    """Not-a-knot splines of odd degrees."""

    name = "spline"

    def along_axis(self, problem: AxisProblem) -> list[AxisTrial]:
        if problem.periodic:
            return []
        nodes = problem.nodes
        return [problem.tried(SplineAxis(nodes, k)) for k in _DEGREES if k < len(nodes) - 2]
