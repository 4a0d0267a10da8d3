"""What a family of functions offers to the stages of a fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from skmsnn.families.axis_trials import AxisProblem, AxisTrial
from skmsnn.families.base import Trial
from skmsnn.families.fitting import StageFit, StageFitter


class Family:
    """A kind of functions that a stage may be of.

    A family offers what it can: nothing is the default. All that it offers is judged alike, by what
    it leaves at points that it has not seen.
    """

    #: As the parameter ``families`` of the estimator has it.
    name: ClassVar[str]
    #: Whether what is trained takes no longer than least squares, and is tried whenever these fall
    #: short of round-off.
    is_cheap: ClassVar[bool] = False
    #: Whether it soon shows where there is nothing to be had, as of rough data.
    is_quick_to_end: ClassVar[bool] = True

    @property
    def has_spaces(self) -> bool:
        """Whether any of its functions are linear in their coefficients."""
        own, offered = type(self), ("quick_space", "space", "rough_space")
        return any(getattr(own, name) is not getattr(Family, name) for name in offered)

    def quick_space(self, fitter: StageFitter) -> Trial | None:
        """A space that takes no longer to find than it is worth: tried before all others."""
        return None

    def space(self, fitter: StageFitter, enough: float) -> Trial | None:
        """The space of its functions, linear in their coefficients, that foresees most.

        ``enough`` is what other families leave of unseen points: what will leave much more is not
        worth a long search.
        """
        return None

    def rough_space(self, fitter: StageFitter, enough: float) -> Trial | None:
        """A space for data that the spaces of all families do not describe: tried after these."""
        return None

    def along_axis(self, problem: AxisProblem) -> list[AxisTrial]:
        """Spaces along one axis of a grid, for products with those along others."""
        return []

    def last_resort(self, fitter: StageFitter, stage: StageFit) -> StageFit | None:
        """A replacement for the best stage of all families when that explains nothing."""
        return None

    def trained(self, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
        """Stages of functions whose parameters are trained, cheap to expensive.

        ``enough`` is what other functions leave of unseen points, in units of the RMS of y.
        """
        return iter(())
