"""The picture of a fit: target, fit, residual, and the spectra of all three."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from skmsnn._regressor import SpectrumInformedMSNNRegressor
from skmsnn.domain import find_grid
from skmsnn.inspection import PowerSpectrumDisplay
from skmsnn.inspection.drawing import column_of, draw_values


def draw_fit(
    model: SpectrumInformedMSNNRegressor,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    features: list[str],
    target: str,
    path: Path,
) -> Figure:
    """Draw target, fit and residual over the first two features, and their spectra, to a file.

    Of several outputs it is the first.
    """
    y, predicted = column_of(y, 0), column_of(model.predict(X), 0)
    # a figure of its own, not pyplot's: no window, and nothing left open
    figure = Figure(figsize=(12, 9), layout="constrained")
    axes = figure.subplots(2, 2).ravel()
    panels = [
        (y, target),
        (predicted, f"fit, {model.n_stages_} stages"),
        (y - predicted, "residual"),
    ]
    for ax, (values, title) in zip(axes, panels, strict=False):
        draw_values(ax, X[:, :2], values, features)
        ax.set_title(f"{title} (RMS {np.sqrt(np.mean(values**2)):.1e})")
    axes[3].set_title("angle-averaged power spectrum")
    grid = find_grid(X)
    if grid is not None and grid.is_complete:
        PowerSpectrumDisplay.from_predictions(X, y, predicted, ax=axes[3])
    else:
        axes[3].text(0.5, 0.5, "needs a complete grid", ha="center", transform=axes[3].transAxes)
        axes[3].set_axis_off()
    figure.savefig(path, dpi=120)
    return figure
