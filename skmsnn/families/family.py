"""What a family of functions offers to the stages of a fit."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from skmsnn.families.axis_problem import AxisProblem
from skmsnn.selection.candidate import Ladder
from skmsnn.selection.problem import StageProblem


class Family:
    """A kind of functions that a stage may be.

    A family offers ladders of candidates. All candidates are scored alike, by their errors at
    points that their fits have not seen.
    """

    #: As the parameter ``families`` of the estimator has it.
    name: ClassVar[str]
    #: Whether its functions are linear in their coefficients, so that sums over chunks find these.
    is_linear: ClassVar[bool] = False

    def supports(self, problem: StageProblem) -> str | None:
        """Why its functions cannot be fitted to such data; None if they can."""
        return None

    def ladders(self, problem: StageProblem) -> Iterable[Ladder]:
        """Ladders of candidates for the residual of a stage."""
        return ()

    def along_axis(self, problem: AxisProblem) -> Iterable[Ladder]:
        """Ladders of functions along one axis of a complete grid, for products with others."""
        return ()
