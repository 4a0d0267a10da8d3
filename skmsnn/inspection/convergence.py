"""Residuals against stages and iterations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._optional_dependencies import check_matplotlib_support
from sklearn.utils.validation import check_is_fitted

from skmsnn.inspection.drawing import axes_and_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from skmsnn._regressor import SpectrumInformedMSNNRegressor


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
        sizes = [1.0, *estimator.train_errors_[:-1]]
        curves = [
            np.asarray(curve) * size
            for curve, size in zip(estimator.loss_curves_, sizes, strict=True)
        ]
        display = cls(
            loss_curves=curves,
            train=np.asarray(estimator.train_errors_),
            held_out=np.asarray(estimator.validation_errors_),
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
        self.ax_, self.figure_ = axes_and_figure(ax)
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
