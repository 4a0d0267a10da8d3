"""Validation error against cost of the families that competed for a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from skmsnn.families import FAMILIES
from skmsnn.inspection.drawing import axes_and_figure
from skmsnn.selection.summary import SearchResults, families_in, stages_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skmsnn._regressor import SpectrumInformedMSNNRegressor

# Okabe and Ito (2008), told apart by the colour-blind; yellow last, as it is faint on white.
_COLOURS = [
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
    "#F0E442",
]
_MARKERS = ["o", "s", "^", "D", "v", "P", "X", "p"]
_LINES = ["-", "-.", ":"]
_COSTS = {"operations": "estimated operations, cumulative", "seconds": "seconds, cumulative"}


class SelectionDisplay:
    """Validation error against cost, one line per family, of the candidates for a stage.

    Parameters
    ----------
    search_results : dict from str to ndarray
        Record of the selection, as in the attribute ``search_results_`` of a fitted model.
    stage : int, default=1
        Number of the stage.
    cost : {"operations", "seconds"}, default="operations"
        Cost that is drawn, cumulative over the candidates of each family.
    train : bool, default=False
        Whether the error on the training points is drawn as well, as dashed lines.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure that contains it.
    lines_ : dict from str to matplotlib Line2D
        Validation errors of each family.
    """

    def __init__(
        self,
        *,
        search_results: SearchResults,
        stage: int = 1,
        cost: str = "operations",
        train: bool = False,
    ) -> None:
        if cost not in _COSTS:
            raise ValueError(f"cost must be one of {', '.join(_COSTS)}, not {cost!r}.")
        stages = stages_of(search_results)
        if stage not in stages:
            known = ", ".join(map(str, stages)) or "none"
            raise ValueError(f"There is no record of stage {stage}; stages with one: {known}.")
        self.search_results, self.stage = search_results, stage
        self.cost, self.train = cost, train

    @classmethod
    def from_estimator(
        cls,
        estimator: SpectrumInformedMSNNRegressor,
        *,
        stage: int = 1,
        cost: str = "operations",
        train: bool = False,
        ax: Axes | None = None,
    ) -> SelectionDisplay:
        """Draw the selection of a stage of a fitted model.

        Parameters
        ----------
        estimator : SpectrumInformedMSNNRegressor
            Fitted model.
        stage : int, default=1
            Number of the stage.
        cost : {"operations", "seconds"}, default="operations"
            Cost that is drawn, cumulative over the candidates of each family.
        train : bool, default=False
            Whether the error on the training points is drawn as well, as dashed lines.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        SelectionDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        results = getattr(estimator, "search_results_", None)
        if results is None:
            raise ValueError("This model has no search_results_: no families competed.")
        return cls(search_results=results, stage=stage, cost=cost, train=train).plot(ax)

    def plot(self, ax: Axes | None = None) -> SelectionDisplay:
        """Draw.

        Families without any validation error are named in the legend alone. Errors of zero are
        drawn at the machine epsilon.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        SelectionDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        self.ax_, self.figure_ = axes_and_figure(ax)
        self.ax_.set_xscale("log")
        self.ax_.set_yscale("log", nonpositive="clip")
        self.lines_: dict[str, Any] = {}
        families = families_in(self.search_results, self.stage)
        costs = self._cumulative_costs(families)
        unscored = []
        for family, rows in families.items():
            if np.isfinite(self._column("validation_error", rows)).any():
                self._draw_family(family, rows, costs[family])
            else:
                unscored.append((family, str(self.search_results["status"][rows[-1]])))
        self._mark_winner(families, costs)
        if self.train and self.lines_:
            self.ax_.plot([], [], "--", color="0.4", label="on training points")
        for family, status in unscored:
            self.ax_.plot([], [], " ", label=f"{family} ({status})")
        self.ax_.set_xlabel(_COSTS[self.cost], fontsize="large")
        self.ax_.set_ylabel("validation error over spread of y", fontsize="large")
        self.ax_.set_title(f"stage {self.stage}", fontsize="large")
        self.ax_.tick_params(labelsize="large")
        self.ax_.grid(alpha=0.3)
        handles, labels = self.ax_.get_legend_handles_labels()
        # families in the order in which they were tried, then what is said of them
        order = sorted(range(len(labels)), key=lambda k: labels[k] not in self.lines_)
        self.ax_.legend([handles[k] for k in order], [labels[k] for k in order])
        return self

    def _column(self, name: str, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray(self.search_results[name], dtype=np.float64)[rows]

    def _errors(self, name: str, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        errors = self._column(name, rows)
        return np.where(errors == 0, np.finfo(np.float64).eps, errors)

    def _cumulative_costs(
        self, families: dict[str, NDArray[np.intp]]
    ) -> dict[str, NDArray[np.float64]]:
        """Sum the costs of each family up to each candidate; none is zero, for logarithms."""
        costs = {
            name: np.nancumsum(self._column(self.cost, rows)) for name, rows in families.items()
        }
        found = np.concatenate([*costs.values()])
        least = np.min(found[found > 0], initial=np.inf)
        least = least if np.isfinite(least) else 1.0
        return {name: np.maximum(values, least) for name, values in costs.items()}

    def _draw_family(self, family: str, rows: NDArray[np.intp], costs: NDArray[np.float64]) -> None:
        style = self._style(family)
        errors = self._errors("validation_error", rows)
        spread = np.nan_to_num(self._column("standard_error", rows))
        is_scored = np.isfinite(errors)
        drawn = self.ax_.errorbar(
            costs[is_scored],
            errors[is_scored],
            yerr=spread[is_scored],
            label=family,
            linewidth=2,
            markersize=8,
            elinewidth=1,
            **style,
        )
        self.lines_[family] = drawn.lines[0]
        if self.train:
            train = self._errors("train_error", rows)
            self.ax_.plot(
                costs,
                train,
                markersize=5,
                markerfacecolor="none",
                **(style | {"linestyle": "--"}),
            )

    def _style(self, family: str) -> dict[str, Any]:
        """Colour and marker of a family, the same in every figure for those that have a name."""
        others = families_in(self.search_results, self.stage)
        names = [*FAMILIES, *(name for name in others if name not in FAMILIES)]
        round_, at = divmod(names.index(family), len(_COLOURS))
        return {
            "color": _COLOURS[at],
            # of more names than colours, other combinations
            "marker": _MARKERS[(at + round_) % len(_MARKERS)],
            "linestyle": _LINES[round_ % len(_LINES)],
        }

    def _mark_winner(
        self,
        families: dict[str, NDArray[np.intp]],
        costs: dict[str, NDArray[np.float64]],
    ) -> None:
        label = "chosen"
        for family, rows in families.items():
            is_winner = np.asarray(self.search_results["status"])[rows] == "won"
            if is_winner.any():
                self.ax_.plot(
                    costs[family][is_winner],
                    self._errors("validation_error", rows)[is_winner],
                    "o",
                    markersize=18,
                    markerfacecolor="none",
                    markeredgecolor="black",
                    markeredgewidth=2,
                    label=label,
                )
                label = "_another output's"  # outputs may have different winners
