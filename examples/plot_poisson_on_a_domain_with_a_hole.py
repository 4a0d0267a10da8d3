"""
Poisson's equation on a domain with a hole
==========================================

Scattered points inside, scattered points on the boundary, no mesh: the equation is a condition
beside the boundary values, and one least squares problem has a row for each point of both.

    python -m examples.plot_poisson_on_a_domain_with_a_hole
"""

import argparse
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.conditions import laplacian
from skmsnn.metrics import relative_l2_error

parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0] or None)
parser.add_argument("--points", type=int, default=3000, help="inside the domain")
parser.add_argument("--output", type=Path, help="picture to write")
options = parser.parse_args()

# %%
# A disc without a smaller one off its centre, and a function whose Laplacian is known.


def solution(x):
    return np.exp(x[:, 0]) * np.sin(4 * x[:, 1]) + np.cos(7 * x[:, 0] * x[:, 1])


def right_hand_side(x):
    wave = np.exp(x[:, 0]) * np.sin(4 * x[:, 1])
    return -15 * wave - 49 * np.sum(x**2, axis=1) * np.cos(7 * x[:, 0] * x[:, 1])


def inside(x):
    return (np.hypot(*x.T) < 1) & (np.hypot(x[:, 0] - 0.3, x[:, 1]) > 0.25)


rng = np.random.default_rng(0)
points = rng.uniform(-1, 1, (2 * options.points, 2))
points = points[inside(points)][: options.points]
n_edge = max(100, options.points // 7)
angle = rng.uniform(0, 2 * np.pi, n_edge)
is_outer = np.arange(n_edge) < 3 * n_edge // 4
radius, centre = np.where(is_outer, 1, 0.25), np.where(is_outer, 0, 0.3)
edge = np.column_stack([centre + radius * np.cos(angle), radius * np.sin(angle)])

# %%
# Boundary values are the data; the equation is a condition at the points inside.
begin = time.perf_counter()
model = SpectrumInformedMSNNRegressor(random_state=0).fit(
    edge, solution(edge), conditions=[laplacian(points, right_hand_side(points))]
)
seconds = time.perf_counter() - begin
fresh = rng.uniform(-1, 1, (8000, 2))
fresh = fresh[inside(fresh)]
print(f"{model.stage_summaries_[0]}, {seconds:.1f} s")
error = relative_l2_error(solution(fresh), model.predict(fresh))
print(f"relative L2 error at fresh points: {error:.1e}")
for name, left in model.condition_residuals_.items():
    print(f"left of the {name} at rows held out: {left:.1e}")

# %%
# The solution with the points, and its error.
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
side = np.linspace(-1, 1, 300)
grid = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
kept = inside(grid)
for ax, values, label in zip(
    axes,
    (model.predict(grid), np.log10(np.abs(model.predict(grid) - solution(grid)) + 1e-17)),
    ("solution", "log10 of the error"),
    strict=True,
):
    picture = np.where(kept, values, np.nan).reshape(len(side), len(side)).T
    image = ax.pcolormesh(side, side, picture, rasterized=True)
    figure.colorbar(image, ax=ax, label=label)
    ax.set_aspect("equal")
axes[0].plot(*points[::4].T, "k.", markersize=1)
axes[0].plot(*edge.T, "r.", markersize=2)
if options.output:
    figure.savefig(options.output, dpi=130)
    print(f"picture: {options.output}")
    plt.close(figure)
