"""The residual after each stage, as a curve or a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, check_consistent_length
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from skmsnn.inspection.drawing import column_of, draw_values

if TYPE_CHECKING:
    from skmsnn._regressor import SpectrumInformedMSNNRegressor


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
        true = column_of(y_true, output)
        residuals = [true - column_of(predicted, output) for predicted in y_staged]
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
