"""Fourier series: of the period, or of a box wider than the data (section 3.4 of the paper)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from skmsnn.families.axis_problem import AxisProblem
from skmsnn.families.family import Family
from skmsnn.families.fourier_axis import extension_waves, periodic_waves
from skmsnn.families.ladders import WIDTH, ball_frames
from skmsnn.families.lattices import FittedWaves, ball, lattice_ladders
from skmsnn.families.waves import LOOK, Look, most_looked_past
from skmsnn.selection.candidate import Ladder, Preparation
from skmsnn.selection.problem import StageProblem


class Fourier(Family):
    """Cosines and sines of lattices of wave vectors; polynomials along features of few levels."""

    name = "fourier"
    is_linear = True

    def ladders(self, problem: StageProblem) -> Iterator[Ladder]:
        """Lattices, and lattices with a few waves of fitted wave vectors."""
        points = problem.points
        yield from lattice_ladders(problem)
        is_seen = problem.is_low_dimensional and not points.domain.periodic.all()
        if is_seen and problem.is_validated and not points.levels:
            yield _with_fitted_waves(problem)

    def along_axis(self, problem: AxisProblem) -> Iterable[Ladder]:
        """Waves of the period, or of boxes wider than the data."""
        return periodic_waves(problem) if problem.periodic else extension_waves(problem)


def _with_fitted_waves(problem: StageProblem) -> Ladder:
    """Lattices with waves that stand out of the residual of smaller ones."""
    yield Preparation("fourier", LOOK)
    periodic = problem.points.domain.periodic
    data = (problem.x, problem.target, problem.weight)
    look = Look(*data, periodic, problem.random_state("waves"))
    waves, _ = look.past(ball_frames(periodic, most_looked_past(problem.n_rows)))
    if len(waves) == 0:
        return
    yield from ball(problem, WIDTH, FittedWaves(waves, look))
