"""Displays of a fitted model: residuals by stage, power spectra, convergence.

They have scikit-learn's form: ``from_estimator`` or ``from_predictions`` computes and draws,
``plot`` draws again. matplotlib is needed to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from skmsnn.domain import find_grid
from skmsnn.metrics import angle_averaged_power_spectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from skmsnn._regressor import SpectrumInformedMSNNRegressor

__all__ = ["ConvergenceDisplay", "PowerSpectrumDisplay", "StageResidualDisplay"]

# share of the values that a colour scale spans; single spikes would hide all else
_SHOWN = 0.995


class StageResidualDisplay:
    """Residual after each stage: a curve in one dimension, a map over two features.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Points.
    residuals : list of ndarray of shape (n_samples,)
        True minus predicted values after each stage.
    features : tuple of int
        The one or two columns of X over which to draw.
    feature_names : list of str
        Names of those columns.

    Attributes
    ----------
    ax_ : ndarray of matplotlib Axes
        One panel a stage.
    figure_ : matplotlib Figure
        The figure that contains them.
    """

    def __init__(
        self,
        *,
        X: NDArray[np.float64],
        residuals: list[NDArray[np.float64]],
        features: tuple[int, ...],
        feature_names: list[str],
    ) -> None:
        self.X, self.residuals = X, residuals
        self.features, self.feature_names = features, feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: SpectrumInformedMSNNRegressor,
        X: ArrayLike,
        y: ArrayLike,
        *,
        features: Sequence[int] | None = None,
        output: int = 0,
        ax: Any = None,
    ) -> StageResidualDisplay:
        """Residuals of a fitted model.

        Parameters
        ----------
        estimator : SpectrumInformedMSNNRegressor
            Fitted model.
        X : array-like of shape (n_samples, n_features)
            Points.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        features : sequence of one or two int, default=None
            Columns of X over which to draw; the first two, or the only one, if not given.
        output : int, default=0
            Which of several outputs.
        ax : matplotlib Axes or array of them, default=None
            One a stage; a new figure if not given.

        Returns
        -------
        StageResidualDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        staged = list(estimator.staged_predict(X))
        names = getattr(estimator, "feature_names_in_", None)
        return cls.from_predictions(
            X, y, staged, features=features, feature_names=names, output=output, ax=ax
        )

    @classmethod
    def from_predictions(
        cls,
        X: ArrayLike,
        y_true: ArrayLike,
        y_staged: Sequence[ArrayLike],
        *,
        features: Sequence[int] | None = None,
        feature_names: Sequence[str] | None = None,
        output: int = 0,
        ax: Any = None,
    ) -> StageResidualDisplay:
        """Residuals of predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.
        y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True values.
        y_staged : sequence of array-like in the shape of ``y_true``
            Predictions after each stage, as of ``staged_predict``.
        features : sequence of one or two int, default=None
            Columns of X over which to draw; the first two, or the only one, if not given.
        feature_names : sequence of str, default=None
            Names of the columns of X.
        output : int, default=0
            Which of several outputs.
        ax : matplotlib Axes or array of them, default=None
            One a stage; a new figure if not given.

        Returns
        -------
        StageResidualDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_predictions")
        points = check_array(X, dtype=np.float64)
        true = _column(y_true, output)
        residuals = [true - _column(predicted, output) for predicted in y_staged]
        check_consistent_length(points, *residuals)
        chosen = tuple(range(min(2, points.shape[1]))) if features is None else tuple(features)
        if not 1 <= len(chosen) <= 2 or not all(0 <= j < points.shape[1] for j in chosen):
            raise ValueError(
                f"features={features!r} must name one or two of the {points.shape[1]} columns of X."
            )
        names = feature_names
        if names is None:
            names = [f"x{j}" for j in range(points.shape[1])]
        display = cls(
            X=points,
            residuals=residuals,
            features=chosen,
            feature_names=[str(names[j]) for j in chosen],
        )
        return display.plot(ax)

    def plot(self, ax: Any = None) -> StageResidualDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or array of them, default=None
            One a stage; a new figure if not given.

        Returns
        -------
        StageResidualDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        import matplotlib.pyplot as plt

        n = len(self.residuals)
        if ax is None:
            figure, axes = plt.subplots(
                1, n, figsize=(4.2 * n, 3.6), layout="constrained", squeeze=False
            )
            self.ax_, self.figure_ = axes[0], figure
        else:
            self.ax_ = np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
            if len(self.ax_) != n:
                raise ValueError(f"{len(self.ax_)} axes for {n} stages; give one for each.")
            self.figure_ = self.ax_[0].figure
        for stage, (panel, residual) in enumerate(
            zip(self.ax_, self.residuals, strict=True), start=1
        ):
            draw_values(panel, self.X[:, list(self.features)], residual, self.feature_names)
            panel.set_title(f"stage {stage}: RMS {np.sqrt(np.mean(residual**2)):.1e}")
        return self


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
        true, predicted = _column(y_true, output), _column(y_pred, output)
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
        self.ax_, self.figure_ = _axes(ax)
        for name, (wave_numbers, power) in self.spectra.items():
            # a power of exactly zero has no place on a logarithmic axis
            self.ax_.loglog(wave_numbers, np.where(power > 0, power, np.nan), label=name)
        self.ax_.set_xlabel("wave number, cycles per domain")
        self.ax_.set_ylabel("mean power of a mode")
        self.ax_.legend()
        return self


class ConvergenceDisplay:
    """Residual against iterations, the stages marked.

    Parameters
    ----------
    loss_curves : list of ndarray
        Loss at each iteration of each stage, relative to the size of y.
    train, held_out : ndarray of shape (n_stages,)
        Residual after each stage on the points of the fit and on held-out points, relative to the
        size of y; ``held_out`` is empty where none were held out.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it is drawn.
    figure_ : matplotlib Figure
        The figure that contains it.
    """

    def __init__(
        self,
        *,
        loss_curves: list[NDArray[np.float64]],
        train: NDArray[np.float64],
        held_out: NDArray[np.float64],
    ) -> None:
        self.loss_curves, self.train, self.held_out = loss_curves, train, held_out

    @classmethod
    def from_estimator(
        cls, estimator: SpectrumInformedMSNNRegressor, *, ax: Axes | None = None
    ) -> ConvergenceDisplay:
        """Convergence of a fitted model.

        Parameters
        ----------
        estimator : SpectrumInformedMSNNRegressor
            Fitted model.
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        ConvergenceDisplay
            The display, drawn.
        """
        check_matplotlib_support(f"{cls.__name__}.from_estimator")
        check_is_fitted(estimator)
        sizes = [1.0, *estimator.residual_norms_[:-1]]
        curves = [
            np.asarray(curve) * size
            for curve, size in zip(estimator.loss_curves_, sizes, strict=True)
        ]
        display = cls(
            loss_curves=curves,
            train=np.asarray(estimator.residual_norms_),
            held_out=np.asarray(estimator.validation_norms_),
        )
        return display.plot(ax)

    def plot(self, ax: Axes | None = None) -> ConvergenceDisplay:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; a new figure if not given.

        Returns
        -------
        ConvergenceDisplay
            The display itself.
        """
        check_matplotlib_support(f"{type(self).__name__}.plot")
        self.ax_, self.figure_ = _axes(ax)
        ends = np.cumsum([len(curve) for curve in self.loss_curves])
        loss = np.concatenate(self.loss_curves)
        self.ax_.semilogy(np.arange(1, len(loss) + 1), loss, label="loss")
        self.ax_.semilogy(ends, self.train, "o", label="training, after each stage")
        if len(self.held_out):
            self.ax_.semilogy(ends, self.held_out, "x", label="held-out, after each stage")
        for end in ends[:-1]:
            self.ax_.axvline(end + 0.5, color="0.8", zorder=0)
        self.ax_.set_xlabel("iteration")
        self.ax_.set_ylabel("RMS residual over that of y")
        self.ax_.legend()
        return self


def draw_values(
    ax: Axes, X: NDArray[np.float64], values: NDArray[np.float64], names: Sequence[str]
) -> None:
    """Draw a curve over one column, or a map over two with colours symmetric about zero."""
    ax.set_xlabel(names[0])
    if X.shape[1] == 1:
        order = np.argsort(X[:, 0])
        ax.plot(X[order, 0], values[order], linewidth=1)
        return
    ax.set_ylabel(names[1])
    largest = float(np.quantile(np.abs(values), _SHOWN)) or 1.0
    style: dict[str, Any] = {
        "cmap": "RdBu_r",
        "vmin": -largest,
        "vmax": largest,
        "rasterized": True,
    }
    grid = find_grid(X)
    drawn: Any
    if grid is not None:
        image = np.full(grid.shape, np.nan)
        image.ravel()[grid.index] = values
        drawn = ax.pcolormesh(*grid.nodes, image.T, shading="nearest", **style)
    else:
        drawn = ax.scatter(X[:, 0], X[:, 1], c=values, s=2, **style)
    figure = ax.get_figure()
    assert figure is not None
    figure.colorbar(drawn, ax=ax)


def _axes(ax: Axes | None) -> tuple[Axes, Figure]:
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    figure: Any = ax.get_figure()
    return ax, figure


def _column(y: ArrayLike, output: int) -> NDArray[np.float64]:
    values = np.asarray(y, dtype=np.float64)
    return values if values.ndim == 1 else values[:, output]
