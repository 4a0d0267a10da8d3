"""
Figure 3: loss against iterations, and the spectrum of each stage
=================================================================

Left: the loss of one network trained for as long as four stages together, against that of the
stages; each stage starts where the one before it has stalled. Right: the angle-averaged power
spectrum in 200 bins (Ng, Wang & Lai 2024, equation 13) of the target and of what each stage
adds.

    python -m examples.paper.plot_figure_3_loss_and_spectrum --output pictures
"""

import matplotlib.pyplot as plt
import numpy as np

from examples.paper.common import grid, options, paper, print_runs, run, save
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.datasets import simulate_decaying_turbulence
from skmsnn.metrics import angle_averaged_power_spectrum

settings = options(__doc__)
n_points, n_modes, max_iter = {
    "tiny": (16, (10, 20, 20, 20), 3),
    "quick": (48, (100, 200, 300, 400), 500),
    "full": (512, (1000, 4000, 7000, 10_000), 10_000),
}[settings.size]

# %%
# The single stage has the modes of the first of four, and their iterations together.
snapshot = simulate_decaying_turbulence(n_points, random_state=settings.seed)
axis = 2 * np.pi * np.arange(n_points) / n_points
X = grid(axis, axis)
X_fresh = np.random.default_rng(settings.seed).uniform(0, 2 * np.pi, (5000, 2))
data = X, snapshot.on_grid().ravel(), X_fresh, snapshot.at(X_fresh)
common = {"random_state": settings.seed, "device": settings.device}
single = run(
    "single stage",
    paper(n_modes[0], n_stages=1, max_iter=4 * max_iter, **common),
    *data,
)
multistage = run(
    "multistage",
    paper(n_modes, n_stages=4, max_iter=max_iter, **common),
    *data,
)
default = run("default", SpectrumInformedMSNNRegressor(**common), *data)
print_runs([single, multistage, default])

# %%
# The loss of a stage is that of its normalised residual; times the residual's size it is
# comparable between stages. The default's stages are one linear solve each: two points a stage.


def loss_in_units_of_y(model):
    sizes = [1.0, *model.train_errors_]
    curves = [np.asarray(c) * size for c, size in zip(model.loss_curves_, sizes, strict=False)]
    return np.concatenate(curves), np.cumsum([len(curve) for curve in curves])


figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
for one in (single, multistage, default):
    loss, ends = loss_in_units_of_y(one.model)
    left.semilogy(
        np.arange(1, len(loss) + 1), loss, label=one.label, marker="." if one is default else None
    )
    if one is multistage:
        for end in ends[:-1]:
            left.axvline(end, color="0.8", zorder=0)
left.set_xscale("log")
left.set_xlabel("iteration")
left.set_ylabel("loss, in units of the RMS of the target")
left.legend()

# %%
# A stage's own contribution is the difference of two predictions. The spectrum of the default's
# first stage lies on that of the target down to round-off.


def draw_spectrum(values, label, **style):
    numbers, power = angle_averaged_power_spectrum(values.reshape(n_points, n_points), n_bins=200)
    # the first bin holds the mean alone, which is zero
    right.loglog(numbers[1:], np.maximum(power[1:], 1e-40), label=label, **style)


draw_spectrum(data[1], "target", color="black", linewidth=2)
before = np.zeros(len(X))
for stage, predicted in enumerate(multistage.model.staged_predict(X), start=1):
    draw_spectrum(predicted - before, f"paper's recipe, stage {stage}")
    before = predicted
before = np.zeros(len(X))
for stage, predicted in enumerate(default.model.staged_predict(X), start=1):
    draw_spectrum(predicted - before, f"default, stage {stage}", linestyle="--")
    before = predicted
right.set_xlabel("wave number, cycles per domain")
right.set_ylabel("mean power of a mode")
right.legend(fontsize=8)
save(figure, settings.output, "figure_3")
