"""What displays have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmsnn.domain import find_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    # single spikes would hide all else
    largest = float(np.quantile(np.abs(values), 0.995)) or 1.0
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


def axes_and_figure(ax: Axes | None) -> tuple[Axes, Figure]:
    """Those given, or new ones."""
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(layout="constrained")
    figure: Any = ax.get_figure()
    return ax, figure


def column_of(y: ArrayLike, output: int) -> NDArray[np.float64]:
    """One output, as a vector."""
    values = np.asarray(y, dtype=np.float64)
    return values if values.ndim == 1 else values[:, output]
