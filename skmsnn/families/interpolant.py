"""Interpolants of small tables that no smooth function describes: steps, pulses, zigzags.

For one feature, the monotone cubic (Fritsch & Carlson 1980, Monotone piecewise cubic interpolation;
SciPy's ``PchipInterpolator``); for two, the piecewise linear function on Delaunay triangles.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator
from scipy.spatial import QhullError

from skmsnn._comparison import CLEARLY, ENOUGH, EQUAL, FAR, LEAST_NODES
from skmsnn._precision import ROUND_OFF
from skmsnn.families.family import Family
from skmsnn.functions import LinearExpansion
from skmsnn.functions.bases import LegendreBasis, SplineBasis
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.functions.products import TensorProductSeries
from skmsnn.functions.triangulated import TriangulatedSurface
from skmsnn.selection.candidate import Candidate, Fit, Ladder, Scored
from skmsnn.selection.problem import StageProblem
from skmsnn.validation.diagnosis import can_tell_noise


class Interpolant(Family):
    """Interpolants through all rows, with no claim between them."""

    name = "interpolant"

    def supports(self, problem: StageProblem) -> str | None:
        """Why such data cannot be interpolated; None if they can."""
        if not problem.is_validated:
            return "nothing validates interpolants without held-out points; set early_stopping=True"
        if problem.points.domain.periodic.any():
            return "interpolants have no period"
        if problem.points.has_scatter:
            return "values at the same point differ, so that no interpolant exists"
        if problem.has_grid_lines and problem.lines is None:
            return "on grids of several features splines interpolate"
        if not 1 <= len(_varying(problem)) <= 2:
            return "interpolants need one or two features"
        if problem.n_rows > ENOUGH:
            return f"interpolants are for at most {ENOUGH} points"
        return None

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """One interpolant."""
        yield _ladder(problem)


def needs_interpolant(problem: StageProblem, scored: Scored, output: int) -> bool:
    """Whether a fit explains so little of an output that its rows are the better description.

    There are too few points to distinguish noise from structure, and the residuals of the fit at
    its own rows are about as large as y; a tenth of y is enough where y repeats a few values, as
    steps do. Noise takes each value once: values that come again and again are exact.
    """
    if scored.candidate.family == "interpolant" or can_tell_noise(problem.n_rows):
        return False
    values = problem.target[problem.weight > 0, output]
    is_stepped = len(np.unique(values)) <= min(LEAST_NODES - 1, len(values) / CLEARLY)
    factor = FAR if is_stepped else EQUAL
    own, error = scored.score.train[output], scored.score.errors[output]
    return bool(own > ROUND_OFF and own * factor >= 1 and error * factor >= 1)


def _varying(problem: StageProblem) -> NDArray[np.intp]:
    rows = np.flatnonzero(problem.weight)
    return np.flatnonzero(np.ptp(problem.x[rows], axis=0) > 0)


def _ladder(problem: StageProblem) -> Ladder:
    varying = _varying(problem)

    def fit(target: NDArray[np.float64], weight: NDArray[np.float64]) -> Fit:
        rows = np.flatnonzero(weight)
        x, values = problem.x[rows], target[rows]
        if np.count_nonzero(np.ptp(x, axis=0)) >= len(varying):
            try:
                return Fit(_interpolant(x, values, varying))
            except QhullError:  # the rows lie on a line
                pass
        # the mean: such rows have no interpolant
        constant = np.zeros((1, x.shape[1]), dtype=np.int64)
        return Fit(LegendreSeries(constant, values.mean(axis=0, keepdims=True)))

    kind = "monotone cubic" if len(varying) == 1 else "piecewise linear interpolant"
    yield Candidate(
        "interpolant",
        f"{kind} through all {problem.n_rows} points",
        problem.n_rows,
        2e4 * problem.n_rows * (problem.n_refits + 1),
        fit,
        refit=lambda _, target, weight: fit(target, weight),
        refines=False,
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
    x, order = np.unique(x, return_index=True)  # scaled, close points may be equal
    values = values[order]
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
