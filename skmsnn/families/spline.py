"""Splines along the axes of a grid, and smoothing ones of scattered points."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._memory import working_bytes
from skmsnn._precision import HALF_DIGITS
from skmsnn.families.axis_problem import AxisProblem, ladder_of
from skmsnn.families.family import Family
from skmsnn.functions.bases import SplineBasis
from skmsnn.selection.candidate import Candidate, Ladder, linear_candidate
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.axes import BasisAxis, SplineAxis
from skmsnn.spaces.smoothing import Mesh, SmoothingFit

# Operations of fits in folds.
_AFFORDABLE = FLOPS_PER_SECOND / 2
# Operations for each node of a line of fits in folds.
_OF_A_NODE = FLOPS_PER_SECOND / 20_000
# Nodes from one knot to the next, of splines with fewer knots than nodes; multiples are included.
_STRIDES = (2, 3, 4, 5, 7)
# Degree and multiplicity of knots of what tables are refined by: straight lines, cubic splines, and
# cubics with a continuous slope, such as Hermite's or monotone ones.
_REFINEMENTS = ((1, 1), (3, 1), (3, 2))
# Iterations of conjugate gradients for the coefficients.
_TYPICAL_ITERATIONS = 40


class Spline(Family):
    """Not-a-knot splines of odd degrees along axes; penalised cubic ones at scattered points."""

    name = "spline"
    is_linear = True

    def supports(self, problem: StageProblem) -> str | None:
        """Why splines cannot be fitted to such data; None if they can."""
        points, d = problem.points, problem.x.shape[1]
        if problem.has_grid_lines or points.line is not None:
            return None
        if d < 2 or not problem.is_low_dimensional:
            return "smoothing splines need two or three features"
        if points.domain.periodic.any():
            return "smoothing splines have no period"
        if problem.options.options.p != 2:
            return "smoothing splines minimise squares; p must be 2"
        if points.levels:
            return "smoothing splines need at least eight distinct values of each feature"
        if problem.n_rows <= 2**d:
            return f"smoothing splines of {d} features need more than {2**d} points"
        if 3 * 8 * len(problem.x) * (Mesh.degree + 1) ** d > working_bytes():
            return "smoothing splines at so many points need more working memory"
        return None

    def ladders(self, problem: StageProblem) -> Iterator[Ladder]:
        """One damping; others are its neighbours."""
        if problem.is_validated and not problem.has_grid_lines:
            yield _smoothing(problem)

    def along_axis(self, problem: AxisProblem) -> Iterator[Ladder]:
        """Cubic splines with fewer knots than nodes, and splines through all nodes, by degree."""
        if not problem.periodic:
            for stride, (degree, times) in product(_STRIDES, _REFINEMENTS):
                n_intervals = len(problem.nodes) // stride
                if degree < times * n_intervals < len(problem.nodes) - degree:
                    yield ladder_of([_on_fewer_knots(problem, stride, degree, times)])
            degrees = range(1, min(9, len(problem.nodes) - 3) + 1, 2)
            yield ladder_of(
                problem.candidate(
                    "spline",
                    f"splines of degree {degree}",
                    len(problem.nodes),
                    partial(SplineAxis, problem.nodes, degree),
                    operations=_OF_A_NODE * len(problem.nodes),
                )
                for degree in degrees
            )


def _on_fewer_knots(problem: AxisProblem, stride: int, degree: int, times: int) -> Candidate:
    """Least squares with knots at every so many nodes, exact if a coarser table was refined."""
    nodes = problem.nodes
    inner = np.repeat(nodes[stride : len(nodes) - stride : stride], times)
    ends = np.repeat(nodes[0], degree + 1), np.repeat(nodes[-1], degree + 1)
    basis = SplineBasis(np.concatenate([ends[0], inner, ends[1]]), degree)
    smoothness = f", {degree - times} times differentiable," if times > 1 else ""
    return problem.candidate(
        "spline",
        f"splines of degree {degree}{smoothness} with a knot every {stride} nodes",
        basis.size,
        partial(BasisAxis, nodes, basis),
    )


def _smoothing(problem: StageProblem) -> Ladder:
    # of an elevation map at 13 000 points 4, 6 and 9 splines a point left 2.81e-2, 2.79e-2 and
    # 2.79e-2, where local thin-plate splines left 2.81e-2; of 104 000 points at most 60 000,
    # 200 000 and 400 000 splines left 6.7e-3, 5.5e-3 and 5.6e-3 in 4, 10 and 20 s
    n, d = problem.x.shape
    n_entries = FLOPS_PER_SECOND / 2000  # of the normal equations: a fit then takes a second
    most = min(6 * n, n_entries / (2 * Mesh.degree + 1) ** d)
    mesh = Mesh(problem.x, max(1, int(most ** (1 / d)) - Mesh.degree))
    yield _Damped(problem, mesh, 0.0).candidate()


@dataclass(frozen=True)
class _Damped:
    """A smoothing spline whose penalty is a power of ten."""

    problem: StageProblem
    mesh: Mesh
    decade: float

    def candidate(self) -> Candidate:
        """These splines as a candidate."""
        n, d = self.problem.x.shape
        by = " x ".join(str(k) for k in self.mesh.shape)
        n_terms = int(np.prod(self.mesh.shape))
        entries = n_terms * (2 * self.mesh.degree + 1) ** d
        fit = 250.0 * _TYPICAL_ITERATIONS * (entries + n * (self.mesh.degree + 1) ** d)
        n_folds = self.problem.n_refits
        n_folds = min(n_folds, max(2, int(_AFFORDABLE / fit)))
        return linear_candidate(
            "spline",
            f"a smoothing spline of degree {self.mesh.degree}, {by} coefficients, damped by "
            f"{10.0**self.decade:.0e}",
            n_terms,
            (n_folds + 1) * fit,
            self._prepare,
            n_folds=n_folds or None,
            neighbours=self._neighbours,
            refines=False,
        )

    def _prepare(self, weight: NDArray[np.float64], cutoff: float) -> SmoothingFit:
        return SmoothingFit(self.mesh, weight, 10.0**self.decade)

    def _neighbours(self) -> Iterator[Candidate]:
        for step in (-1.0, 1.0, -0.5, 0.5):
            decade = self.decade + step
            if 10.0 ** abs(decade) * HALF_DIGITS <= 1:
                yield _Damped(self.problem, self.mesh, decade).candidate()
