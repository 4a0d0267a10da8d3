"""Dominant modes: few waves whose wave vectors are fitted, between those of any lattice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import CLEARLY, FAR, FEW
from skmsnn._precision import CUTOFFS
from skmsnn.families.dominant import dominant_modes
from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFit, StageFitter, leaves_as_of_noise
from skmsnn.families.pursuit import pursue, thinned
from skmsnn.families.spectrum import alias_limits
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import Frame
from skmsnn.stage import Stage
from skmsnn.validation.diagnosis import looks_like_noise
from skmsnn.validation.leave_out import weighted_rms
from skmsnn.validation.plateau import MOST_LEVERAGE


class Sinusoids(Family):
    """1, 2, 4, ... modes by variable projection."""

    name = "sinusoids"

    def trained(self, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
        for _, pursued in _pursued(fitter, FEW, 1 / CLEARLY):
            yield pursued


def of_dominant_modes(fitter: StageFitter, n_modes: int) -> StageFit:
    """So many dominant modes, their wave vectors fitted, or fewer where these leave less."""
    return min(_pursued(fitter, n_modes, np.inf), key=lambda pair: pair[0])[1]


def _pursued(fitter: StageFitter, most: int, factor: float) -> Iterator[tuple[float, StageFit]]:
    """1, 2, 4, ... and ``most`` modes, as long as more leave less than a factor times as much.

    Wave vectors are fitted to the training share, coefficients then to all points. The first
    of each pair is what those of least squares leave on held-out points: it is what decides.
    """
    points = fitter.points
    d, n_outputs = points.x.shape[1], fitter.train.shape[1]
    rows = np.flatnonzero(points.train)
    # each has a wave vector, and an amplitude and a phase in each output
    unknowns = d / n_outputs + 2
    deserved = int(len(rows) / unknowns)
    most = min(most, deserved) if fitter.recipe.n_modes == "auto" else min(most, deserved or 1)
    if most == 0:
        return
    rows = thinned(rows, most * (d + 2 * n_outputs))
    x, weight = points.x[rows], points.train[rows]

    grid = points.grid if len(rows) == len(points.x) else None

    def dominant(target: NDArray[np.float64], n_modes: int) -> NDArray[np.float64]:
        return dominant_modes(n_modes, points.domain, grid, x, target, weight).wave_vectors

    free = ~points.domain.periodic
    most_iter = fitter.recipe.options.max_iter
    last = np.inf
    limits = alias_limits(points.x)
    for pursued in pursue(x, fitter.train[rows], weight, free, dominant, most, limits, most_iter):
        # modes may be close to each other
        fits = {
            damping: _with_coefficients(fitter, *pursued, damping, p=2.0)
            for damping in CUTOFFS[::2]
        }
        damping = min(fits, key=lambda damping: fits[damping].error)
        error = fits[damping].error
        p = fitter.recipe.options.p
        fit = fits[damping] if p == 2 else _with_coefficients(fitter, *pursued, damping, p)
        yield error, fit
        if error > factor * last:
            return
        last = error


def _with_coefficients(
    fitter: StageFitter, wave_vectors: NDArray[np.float64], n_iter: int, damping: float, p: float
) -> StageFit:
    """The stage of modes with these wave vectors, of least p-norm."""
    points = fitter.points
    n_modes = len(wave_vectors)
    waving = wave_vectors[wave_vectors.any(axis=1)]
    frame = Frame(np.concatenate([np.zeros((1, wave_vectors.shape[1])), waving]))
    fit = DenseFit(points.x, points.train, frame, damping)
    modes = fitter.in_p_norm(fit.solve(fitter.train), fit, fitter.split, fitter.size, p)
    stage = train_stage = Stage(fitter.train_scale, modes, "sinusoids")
    rest = fitter.train - modes.evaluate(points.x)
    train_error = weighted_rms(rest, points.train)
    error = fitter.validation_error_of(train_stage)
    if not fitter.has_no_holdout:
        full_fit = fit.extended(points.full)
        problem = (full_fit, fitter.whole, fitter.full_size, p)
        modes = fitter.in_p_norm(full_fit.solve(fitter.full), *problem)
        moved = modes.evaluate(fitter.between) * fitter.full_scale
        moved -= train_stage.predict(fitter.between)
        if np.sqrt(np.mean((moved / fitter.train_scale) ** 2)) <= FAR * error:
            stage = Stage(fitter.full_scale, modes, "sinusoids")
    unknowns = n_modes * int((~points.domain.periodic).sum()) / fitter.train.shape[1]
    n_rows = np.count_nonzero(points.train)
    leverage = min((frame.n_columns + unknowns) / n_rows, MOST_LEVERAGE)
    foreseen = train_error / error if error > 0 else 0.0
    is_noise = leaves_as_of_noise(foreseen, leverage)
    used = points.train > 0
    return StageFit(
        stage,
        train_stage,
        error * fitter.size,
        [1.0, train_error],
        f"variable projection of {n_modes} dominant modes",
        is_noise=is_noise and looks_like_noise(points.x[used], rest[used], leverage),
        n_iter=n_iter,
    )
