"""
Velocity and vorticity at any zoom
==================================

A model of the stream function is a model of the flow: velocity is its rotated gradient, vorticity
the negative of its Laplacian. Both are exact derivatives of the fit, so that they can be had
between the points of the data, here at a zoom of 16.

    python -m examples.plot_velocity_and_vorticity
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.datasets import simulate_decaying_turbulence
from skmsnn.metrics import relative_l2_error

parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0] or None)
parser.add_argument("--points", type=int, default=256, help="of the data, a side")
parser.add_argument("--output", type=Path, help="picture to write")
options = parser.parse_args()

# %%
# The data are values of the stream function alone.
snapshot = simulate_decaying_turbulence(options.points)
axis = 2 * np.pi * np.arange(options.points) / options.points
X = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, snapshot.on_grid().ravel())

# %%
# The solver knows its own velocity and vorticity, at any point.
fresh = np.random.default_rng(0).uniform(0, 2 * np.pi, (5000, 2))
slope = model.gradient(fresh)
comparisons = {
    "stream function": (snapshot.at(fresh), model.predict(fresh)),
    "velocity, x": (snapshot.at(fresh, "velocity_x"), slope[:, 1]),
    "velocity, y": (snapshot.at(fresh, "velocity_y"), -slope[:, 0]),
    "vorticity": (snapshot.at(fresh, "vorticity"), -model.laplacian(fresh)),
}
for name, (true, found) in comparisons.items():
    print(f"{name}: relative L2 error {relative_l2_error(true, found):.1e} between the points")

# %%
# A window of a sixteenth of the side, in which the data have few points (dots).
low, side, n = np.array([2.5, 2.5]), 2 * np.pi / 16, 120
windows = [(np.zeros(2), 2 * np.pi), (low, side)]
figure, axes = plt.subplots(1, 2, figsize=(12, 5.2), layout="constrained")
for ax, (corner, width) in zip(axes, windows, strict=True):
    x, y = (np.linspace(c, c + width, n) for c in corner)
    points = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    vorticity = -model.laplacian(points).reshape(n, n)
    largest = np.abs(vorticity).max()
    image = ax.pcolormesh(
        x, y, vorticity.T, cmap="RdBu_r", vmin=-largest, vmax=largest, rasterized=True
    )
    figure.colorbar(image, ax=ax, label="vorticity")
    some = points.reshape(n, n, 2)[::8, ::8].reshape(-1, 2)
    slope = model.gradient(some)
    ax.quiver(*some.T, slope[:, 1], -slope[:, 0], color="0.2", width=0.003)
    ax.set_xlabel("x")
    ax.set_ylabel("y")
    ax.set_aspect("equal")
inside = np.all((low <= X) & (low + side >= X), axis=1)
axes[1].plot(*X[inside].T, "k.", markersize=3)
axes[0].add_patch(plt.Rectangle(low, side, side, fill=False, edgecolor="black"))
if options.output:
    figure.savefig(options.output, dpi=130)
    print(f"picture: {options.output}")
    plt.close(figure)
