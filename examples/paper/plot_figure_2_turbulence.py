"""
Figure 2: a snapshot of turbulence, stage by stage
==================================================

The stream function of two-dimensional decaying turbulence, fitted in four stages by the paper's
recipe (modes fixed beforehand, three hidden layers of 30, Adam) and by the package's default;
the residual after every stage.

    python -m examples.paper.plot_figure_2_turbulence --output pictures

``--size full`` is the paper's 512 x 512 points with thousands of modes; it is meant for
``--device cuda``.
"""

import matplotlib.pyplot as plt
import numpy as np

from examples.paper.common import draw_map, grid, options, paper, print_runs, run, save
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.datasets import simulate_decaying_turbulence

settings = options(__doc__)
n_points, n_modes, max_iter = {
    "tiny": (16, (10, 20, 20, 20), 3),
    "quick": (64, (100, 300, 600, 900), 400),
    "full": (512, (1000, 4000, 7000, 10_000), 10_000),
}[settings.size]

# %%
# The snapshot is a trigonometric polynomial, so its values between the grid's points are known
# to round-off.
snapshot = simulate_decaying_turbulence(n_points, random_state=settings.seed)
axis = 2 * np.pi * np.arange(n_points) / n_points
X = grid(axis, axis)
X_fresh = np.random.default_rng(settings.seed).uniform(0, 2 * np.pi, (5000, 2))
data = X, snapshot.on_grid().ravel(), X_fresh, snapshot.at(X_fresh)

# %%
common = {"n_stages": 4, "random_state": settings.seed, "device": settings.device}
runs = [
    run("paper's recipe", paper(n_modes, max_iter=max_iter, **common), *data),
    run("default", SpectrumInformedMSNNRegressor(**common), *data),
]
print_runs(runs)

# %%
# The field, and what each stage leaves of it on the grid.
figure, axes = plt.subplots(2, 5, figsize=(16, 6), layout="constrained")
for row, one in zip(axes, runs, strict=True):
    draw_map(row[0], (axis, axis), data[1], "stream function")
    for ax in row[1:]:
        ax.set_axis_off()
    staged = one.model.staged_predict(X)
    for stage, (ax, predicted) in enumerate(zip(row[1:], staged, strict=False), start=1):
        ax.set_axis_on()
        residual = data[1] - predicted
        title = f"{one.label}\nstage {stage}: RMS {np.sqrt(np.mean(residual**2)):.1e}"
        draw_map(ax, (axis, axis), residual, title)
save(figure, settings.output, "figure_2")
