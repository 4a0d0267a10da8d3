"""Sinusoids: few waves whose wave vectors are fitted, between those of any lattice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import CUTOFFS
from skmsnn.families.dominant import dominant_modes
from skmsnn.families.family import Family
from skmsnn.families.pursuit import Pursued, VariableProjection, pursue, thinned
from skmsnn.families.spectrum import alias_limits
from skmsnn.selection.candidate import Candidate, Fit, Ladder
from skmsnn.selection.problem import StageProblem
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import Frame
from skmsnn.validation.leave_out import weighted_rms

# Waves of a sum that is sought of its own accord; more are found sooner as parts of lattices.
MOST_WAVES = 20
# Evaluations of variable projection for a set of waves.
EVALUATIONS = 30
# What an evaluation costs at least, and how much slower than a factorisation its operations are.
OVERHEAD, SLOWNESS = FLOPS_PER_SECOND / 4000, 8.0


class Sinusoids(Family):
    """1, 2, 4, ... modes by variable projection."""

    name = "sinusoids"

    def supports(self, problem: StageProblem) -> str | None:
        """Why waves of fitted wave vectors cannot describe such data; None if they can."""
        if _most_supported(problem) < 1:
            return f"a wave of {problem.x.shape[1]} features needs more points"
        if not problem.is_validated:
            return "nothing validates wave vectors without held-out points; set early_stopping=True"
        return None

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """Twice as many modes in each step."""
        yield sinusoids(problem, MOST_WAVES)


def _most_supported(problem: StageProblem) -> int:
    """Waves that the points determine: a wave vector, and amplitude and phase in each output."""
    return int(problem.n_rows / (problem.x.shape[1] / problem.n_outputs + 2))


def sinusoids(problem: StageProblem, most: int) -> Ladder:
    """A constant, then 1, 2, 4, ... and ``most`` modes.

    Wave vectors are fitted to the rows that are not held out, coefficients then to all points.
    """
    points = problem.points
    n, d, n_outputs = problem.n_rows, problem.x.shape[1], problem.n_outputs
    weight = problem.rows_of_training()
    n_folds = None if problem.refits_in_folds else 1
    n_fits = 1 if n_folds else problem.n_refits + 1
    rows = thinned(np.flatnonzero(weight), most * (d + 2 * n_outputs))
    x, values, own = problem.x[rows], problem.target[rows], weight[rows]
    most = max(1, min(most, _most_supported(problem)))
    free = ~points.domain.periodic
    limits = alias_limits(problem.x)
    max_iter = problem.options.options.max_iter

    def pursued_on(
        x: NDArray[np.float64], values: NDArray[np.float64], own: NDArray[np.float64], most: int
    ) -> Iterator[Pursued]:
        is_whole = len(x) == len(points.x)

        def dominant(target: NDArray[np.float64], n_modes: int) -> NDArray[np.float64]:
            grid = points.grid if is_whole else None
            return dominant_modes(n_modes, points.domain, grid, x, target, own).wave_vectors

        return pursue(x, values, own, free, dominant, most, limits, max_iter)

    pursued = pursued_on(x, values, own, most)
    n_modes = 0
    while n_modes <= most:
        operations = VariableProjection(x, values, own, free, n_modes).operations
        yield Candidate(
            "sinusoids",
            f"variable projection of {n_modes} dominant modes" if n_modes else "a constant",
            n_modes * (d + 2) + 1,
            n_fits * EVALUATIONS * (SLOWNESS * operations + OVERHEAD) + 10.0 * n,
            partial(_fitted, problem, pursued if n_modes else None),
            refit=partial(_refitted, problem, pursued_on),
            of_refits=1 - 1 / n_fits,
            n_folds=n_folds,
            refines=False,
        )
        if n_modes == most:
            return
        n_modes = min(max(1, 2 * n_modes), most)


def _fitted(
    problem: StageProblem,
    pursued: Iterable[Pursued] | None,
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    d = problem.x.shape[1]
    found = None if pursued is None else next(iter(pursued), None)
    if found is None:
        found = Pursued(np.zeros((0, d)), 1)
    wave_vectors = found.wave_vectors
    waving = wave_vectors[wave_vectors.any(axis=1)]
    frame = Frame(np.concatenate([np.zeros((1, d)), waving]))
    _, held = problem.without_holdout()
    fits = []
    for damping in CUTOFFS[::2]:  # modes may be close to each other
        linear = DenseFit(problem.x, weight, frame, damping)
        function = linear.solve(target)
        if held is None:
            error = weighted_rms(target - function.evaluate(problem.x), weight)
        else:
            error = held.rmse(function.evaluate(held.x))
        fits.append((error, Fit(function, linear, n_iter=found.n_iter)))
    return min(fits, key=lambda pair: pair[0])[1]


def _refitted(
    problem: StageProblem,
    pursued_on: Callable[..., Iterator[Pursued]],
    fit: Fit,
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> Fit:
    """The same waves with coefficients of all rows, or in a fold as many that are found anew.

    Waves that start from those of all points stay near them, and near what these had of the fold.
    """
    assert isinstance(fit.linear, DenseFit)
    assert isinstance(fit.linear.frame, Frame)
    frame, used = fit.linear.frame, weight > 0
    n_modes = len(frame.wave_vectors) - 1
    if problem.refits_in_folds and n_modes:
        *_, found = pursued_on(problem.x[used], target[used], weight[used], n_modes)
        frame = Frame(np.concatenate([frame.wave_vectors[:1], found.wave_vectors]))
    linear = DenseFit(problem.x, weight, frame, fit.linear.damping)
    return Fit(linear.solve(target), linear, n_iter=fit.n_iter)
