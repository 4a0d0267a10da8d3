"""The spectral stage of a complete grid: the best functions along each axis, together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import ROUND_OFF
from skmsnn.domain import Domain, Grid
from skmsnn.families.axes import AxisChoice, select_axes, unseen_residual
from skmsnn.families.base import Split, Trial, validated_on_unseen
from skmsnn.families.family import Family
from skmsnn.spaces.axes import SplineAxis
from skmsnn.spaces.base import Candidate
from skmsnn.spaces.tensor import TensorFit
from skmsnn.validation.leave_out import Folds, LeftOut


def select_on_grid(
    domain: Domain,
    grid: Grid,
    data: Split,
    rng: np.random.RandomState,
    families: Sequence[Family],
) -> Trial:
    """Choose the functions along each axis of a complete grid, and fit their products.

    Parameters
    ----------
    domain, grid : Domain, Grid
        What the points are.
    data : Split
        All points, of equal weight.
    rng : RandomState
        Shares out the lines that are left out together.
    families : sequence of Family
        Whose functions they may be.
    """
    cells = np.empty((len(grid.index), data.target.shape[1]))
    cells[grid.index] = data.target
    choices, folds = select_axes(domain, grid, cells.reshape(*grid.shape, -1), rng, families)
    return _trial_of(choices, folds, grid, data)


def _trial_of(choices: list[AxisChoice], folds: list[Folds], grid: Grid, data: Split) -> Trial:
    axes = [choice.trial.axis for choice in choices]
    cutoff = min([ROUND_OFF, *(getattr(axis, "cutoff", 1.0) for axis in axes)])

    def prepare(weight: NDArray[np.float64], cutoff: float) -> TensorFit:
        return TensorFit(axes, grid.shape, grid.index, weight, cutoff)

    n_terms = int(np.prod([choice.trial.size for choice in choices]))
    label = " by ".join(axis.label for axis in axes)
    family = " x ".join(dict.fromkeys(axis.family for axis in axes))
    candidate = Candidate(n_terms, prepare, label, cutoff=cutoff, family=family)
    fit = prepare(data.train, cutoff)
    rows = np.arange(len(data.x))

    def unseen(target: NDArray[np.float64], rest: NDArray[np.float64], rounding: float) -> LeftOut:
        return LeftOut(rows, unseen_residual(fit, target, folds, rounding))

    has_plateaued = any(choice.has_plateaued for choice in choices)
    trial = validated_on_unseen(candidate, fit, data, unseen, has_plateaued)
    # nothing is left at the nodes of what a spline goes through
    return replace(trial, is_final=any(isinstance(axis, SplineAxis) for axis in axes))
