"""What is asked of a space of functions, and of a least squares fit in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._precision import ROUND_OFF
from skmsnn.functions import LinearExpansion
from skmsnn.spaces.p_norm import PointBasis


class LinearFit(Protocol):
    """A least squares problem prepared for many targets."""

    @property
    def amplification(self) -> float:
        """Size of an error between the points of the fit over its size on them, at least 1."""

    def solve(self, target: NDArray[np.float64]) -> LinearExpansion:
        """Modes closest to a target of shape (n, n_outputs)."""

    def extended(self, weight: NDArray[np.float64]) -> Self:
        """The same with all points of positive weight."""

    def basis(self) -> PointBasis:
        """What may be added to its solutions."""


@dataclass(frozen=True)
class Candidate:
    """A set of modes on given points.

    Attributes
    ----------
    n_terms : int
        Real unknowns of the least squares problem.
    prepare : callable
        Makes the fit for weights of shape (n,), at most 1, and a cut-off; weight 0 leaves a point
        out.
    trial_rows : int or None
        Points that suffice to tell whether the set is good; None where all cost no more.
    cutoff : float or None
        Relative size below which a dependence between the modes counts as exact; None where
        they do not depend on each other.
    label : str
        What it is, for messages.
    family : str
        The family of its functions, or those of its products.
    variants : callable
        Sets like this one in other boxes, to be tried once this one is the best.
    neighbours : callable
        Sets with more or fewer modes along one axis, to be tried once this one is the best.
    width : float
        Of its box, over that of the data.
    bandlimit : float
        Wave number that its waves reach in every direction, in radians per unit of the scaled
        coordinates; 0 where that is not told.
    boxes : callable
        As large a set in each of the other boxes, to be compared before sets become costly.
    larger, smaller : callable
        The larger and the smaller sets in the same box, the next one first.
    """

    n_terms: int
    prepare: Callable[[NDArray[np.float64], float], LinearFit]
    label: str
    cutoff: float | None = ROUND_OFF
    trial_rows: int | None = None
    variants: Callable[[], Iterable[Candidate]] = field(default=tuple)
    neighbours: Callable[[], Iterable[Candidate]] = field(default=tuple)
    width: float = 1.0
    family: str = "fourier"
    bandlimit: float = 0.0
    boxes: Callable[[], list[Candidate]] = field(default=list)
    larger: Callable[[], list[Candidate]] = field(default=list)
    smaller: Callable[[], list[Candidate]] = field(default=list)

    def fit(self, weight: NDArray[np.float64]) -> LinearFit:
        """Prepare the fit for these weights."""
        return self.prepare(weight, ROUND_OFF if self.cutoff is None else self.cutoff)
