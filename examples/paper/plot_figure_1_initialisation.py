"""
Figure 1: scale factor against spectrum
=======================================

Three stages on a simple function of two variables, with the same iterations for each, from two
kinds of first layer: random cosines and sines times the dominant wave number of the residual
(Wang & Lai 2024), and the dominant Fourier modes of the residual themselves (Ng, Wang & Lai 2024,
algorithm 1). After them, the package's default on the same points.

    python -m examples.paper.plot_figure_1_initialisation --output pictures
"""

import matplotlib.pyplot as plt
import numpy as np

from examples.paper.common import (
    draw_map,
    grid,
    options,
    paper,
    print_runs,
    run,
    save,
    scale_factor,
)
from skmsnn import SpectrumInformedMSNNRegressor

settings = options(__doc__)
n_points, n_modes, max_iter = {
    "tiny": (12, (10, 20, 30), 5),
    "quick": (40, (50, 200, 600), 1500),
    "full": (128, (50, 500, 5000), 20_000),
}[settings.size]

# %%
# The target has several scales. A few dozen modes hold most of it; the rest is what the later
# stages are for.


def target(X):
    x, y = np.pi * X.T
    return np.exp(np.sin(x) * np.cos(y)) * np.sin(2 * x + 3 * y)


axis = np.linspace(-1, 1, n_points)
X = grid(axis, axis)
X_fresh = np.random.default_rng(settings.seed).uniform(-1, 1, (5000, 2))
data = X, target(X), X_fresh, target(X_fresh)

# %%
# Both recipes start from the same random numbers, and have first layers of the same width. Neither
# makes use of a period, as their networks have none; the default finds it.
common = {
    "period": None,
    "n_stages": 3,
    "max_iter": max_iter,
    "device": settings.device,
    "random_state": settings.seed,
}
runs = [
    run("scale factor", scale_factor(n_modes, **common), *data),
    run("spectrum-informed", paper(n_modes, **common), *data),
    run("default", SpectrumInformedMSNNRegressor(random_state=settings.seed), *data),
]
print_runs(runs)

# %%
# Residuals on points between those of the fit, where a fit that merely interpolates shows.
fine = np.linspace(-1, 1, 201)
X_fine = grid(fine, fine)
figure, axes = plt.subplots(len(runs), 3, figsize=(10, 8.5), layout="constrained")
for row, one in zip(axes, runs, strict=True):
    for ax in row:
        ax.set_axis_off()
    staged = one.model.staged_predict(X_fine)
    for stage, (ax, predicted) in enumerate(zip(row, staged, strict=False), start=1):
        ax.set_axis_on()
        residual = target(X_fine) - predicted
        rms = np.sqrt(np.mean(residual**2))
        draw_map(ax, (fine, fine), residual, f"{one.label}\nstage {stage}: RMS {rms:.1e}")
save(figure, settings.output, "figure_1")
