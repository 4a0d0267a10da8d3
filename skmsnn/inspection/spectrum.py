"""Power spectra of what the stages give and leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from skmsnn.domain import find_grid
from skmsnn.inspection.drawing import axes_and_figure, column_of
from skmsnn.metrics import angle_averaged_power_spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skmsnn._regressor import SpectrumInformedMSNNRegressor


class PowerSpectrumDisplay:
    """Angle-averaged power spectra of target, fit and residual on a complete uniform grid.

    Parameters
    ----------
    spectra : dict of str to (ndarray, ndarray)
        Wave numbers, in cycles per domain, and mean power of a mode, by name of the field.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure that contains it.
    """

    def __init__(self, *, spectra: dict[str, tuple[NDArray, NDArray]]) -> None:
        self.spectra = spectra

    @classmethod
    def from_estimator(
        cls,
        estimator: SpectrumInformedMSNNRegressor,
        X: ArrayLike,
        y: ArrayLike,
        *,
        n_bins: int = 200,
        output: int = 0,
        ax: Axes | None = None,
    ) -> PowerSpectrumDisplay:
        """Spectra of a fitted model.

        Parameters
        ----------
        estimator : SpectrumInformedMSNNRegressor
            Fitted model.
        X : array-like of shape (n_samples, n_features)
            All points of a grid, in any order.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        n_bins : int, default=200
            Bins of the wave number.
        output : int, default=0
            Which of several outputs.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        PowerSpectrumDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        return cls.from_predictions(X, y, estimator.predict(X), n_bins=n_bins, output=output, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_pred: ArrayLike,
        *,
        n_bins: int = 200,
        output: int = 0,
        ax: Axes | None = None,
    ) -> PowerSpectrumDisplay:
        """Spectra of predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            All points of a grid, in any order.
        y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True and predicted values.
        n_bins : int, default=200
            Bins of the wave number.
        output : int, default=0
            Which of several outputs.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        PowerSpectrumDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        points = check_array(X, dtype=np.float64)
        true, predicted = column_of(y_true, output), column_of(y_pred, output)
        check_consistent_length(points, true, predicted)
        grid = find_grid(points)
        if grid is None or not grid.is_complete:
            raise ValueError("A power spectrum needs all points of a grid; some are missing.")
        spectra = {}
        for name, values in {
            "target": true,
            "fit": predicted,
            "residual": true - predicted,
        }.items():
            field = np.empty(len(values))
            field[grid.index] = values
            spectra[name] = angle_averaged_power_spectrum(field.reshape(grid.shape), n_bins=n_bins)
        return cls(spectra=spectra).plot(ax)

    def plot(self, ax: Axes | None = None) -> PowerSpectrumDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        PowerSpectrumDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        self.ax_, self.figure_ = axes_and_figure(ax)
        for name, (wave_numbers, power) in self.spectra.items():
            # a power of exactly zero has no place on a logarithmic axis
            self.ax_.loglog(wave_numbers, np.where(power > 0, power, np.nan), label=name)
        self.ax_.set_xlabel("wave number, cycles per domain")
        self.ax_.set_ylabel("mean power of a mode")
        self.ax_.legend()
        return self
