"""
Multistage networks in one dimension
====================================

The regression example of Wang & Lai (2024): log(x + 2) cos(2 x + x^3) at 1501 points of [-1, 1],
four stages of networks whose first layer is scaled by the dominant frequency of the residual. Each
stage gains less than the one before it, and in the end none; the default reaches round-off.

    python -m examples.paper.plot_msnn_1d --output pictures
"""

import matplotlib.pyplot as plt
import numpy as np

from examples.paper.common import options, print_runs, run, save, scale_factor
from skmsnn import SpectrumInformedMSNNRegressor

settings = options(__doc__)
n_points, max_iter = {"tiny": (60, 5), "quick": (1501, 1500), "full": (1501, 20_000)}[settings.size]


def target(X):
    x = X[:, 0]
    return np.log(x + 2) * np.cos(2 * x + x**3)


# %%
# L-BFGS stands for the Adam, then L-BFGS of the paper's example. Three hidden layers of 20.
X = np.linspace(-1, 1, n_points)[:, None]
X_fresh = np.random.default_rng(settings.seed).uniform(-1, 1, (5000, 1))
data = X, target(X), X_fresh, target(X_fresh)
runs = [
    run(
        "scale factor",
        scale_factor(
            20,
            n_stages=4,
            hidden_layer_sizes=(20, 20, 20),
            solver="lbfgs",
            max_iter=max_iter,
            device=settings.device,
            random_state=settings.seed,
        ),
        *data,
    ),
    run("default", SpectrumInformedMSNNRegressor(random_state=settings.seed), *data),
]
print_runs(runs)

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(12, 4.5), layout="constrained")
x_fine = np.linspace(-1, 1, 4001)[:, None]
for stage, predicted in enumerate(runs[0].model.staged_predict(x_fine), start=1):
    residual = np.abs(target(x_fine) - predicted)
    left.semilogy(x_fine, np.maximum(residual, 1e-18), linewidth=0.7, label=f"stage {stage}")
left.set_xlabel("x")
left.set_ylabel("|residual|")
left.legend()
for one in runs:
    stages = np.arange(1, len(one.train) + 1)
    right.semilogy(stages, one.held_out, "o-", label=f"{one.label}, held-out")
    right.semilogy(stages, one.train, "x:", label=f"{one.label}, training")
right.set_xticks([1, 2, 3, 4])
right.set_xlabel("stage")
right.set_ylabel("relative L2 residual")
right.legend()
save(figure, settings.output, "msnn_1d")
