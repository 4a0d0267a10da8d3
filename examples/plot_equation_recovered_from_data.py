"""
An equation recovered from data
===============================

Which equation does a flow obey? A model of snapshots of its stream function has all derivatives to
many digits, and least squares over a library of terms, as in Rudy et al. (2017), finds the
vorticity equation and its viscosity. Derivatives are where such searches fail: by finite
differences on the same grid the small terms drown in their error.

    python -m examples.plot_equation_recovered_from_data
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.datasets import simulate_decaying_turbulence

parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0] or None)
parser.add_argument("--points", type=int, default=64, help="of a snapshot, a side")
parser.add_argument("--output", type=Path, help="picture to write")
options = parser.parse_args()

# %%
# Large eddies at random decay and break up; seven snapshots, a short time apart, are seven outputs
# of one model.
n, step, viscosity = options.points, 0.01, 0.03
axis = 2 * np.pi * np.arange(n) / n
X = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
rng = np.random.default_rng(0)
waves = rng.integers(-3, 4, (12, 2))
eddies = np.cos(X @ waves.T + rng.uniform(0, 2 * np.pi, 12)) @ rng.standard_normal(12)
vorticity_now, snapshots = (eddies - eddies.mean()).reshape(n, n), []
for duration in [0.5] + 6 * [step]:
    snapshot = simulate_decaying_turbulence(
        n, viscosity=viscosity, duration=duration, time_step=step / 20, vorticity=vorticity_now
    )
    snapshots.append(snapshot)
    vorticity_now = snapshot.on_grid("vorticity")
y = np.column_stack([each.on_grid().ravel() for each in snapshots])
model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, y)

# %%
# Vorticity is minus the Laplacian of the stream function. Its derivative in time is a difference of
# order six over the snapshots; all others are those of the model, at points between the nodes.
points = rng.uniform(0, 2 * np.pi, (3000, 2))
middle = 3


def vorticity(*orders):
    """A derivative of the vorticity at the middle snapshot, or without orders of all."""
    along, across = orders or (0, 0)
    values = -(
        model.derivative(points, (along + 2, across))
        + model.derivative(points, (along, across + 2))
    )
    return values[:, middle] if orders else values


weights = np.array([-1, 9, -45, 0, 45, -9, 1]) / (60 * step)
in_time = vorticity() @ weights
u = model.derivative(points, (0, 1))[:, middle]
v = -model.derivative(points, (1, 0))[:, middle]
w, w_x, w_y = vorticity(0, 0), vorticity(1, 0), vorticity(0, 1)
library = {
    "u w_x": u * w_x,
    "v w_y": v * w_y,
    "w_xx": vorticity(2, 0),
    "w_yy": vorticity(0, 2),
    "w_xy": vorticity(1, 1),
    "u w_y": u * w_y,
    "v w_x": v * w_x,
    "w": w,
    "w^2": w**2,
    "w_x": w_x,
    "w_y": w_y,
    "u": u,
    "v": v,
}

# %%
# Columns of the library, scaled, and the coefficients of least squares. What is left is what the
# solver cuts off beyond its highest wave number: with more points a side there is less.
columns = np.column_stack(list(library.values()))
size = np.linalg.norm(columns, axis=0)
coefficients = np.linalg.lstsq(columns / size, in_time, rcond=None)[0] / size
expected = {"u w_x": -1.0, "v w_y": -1.0, "w_xx": viscosity, "w_yy": viscosity}
for name, found in zip(library, coefficients, strict=True):
    print(f"{name:>6}: {found: .12f}, error {abs(found - expected.get(name, 0)):.1e}")
rest = in_time - columns @ coefficients
print(f"left of the derivative in time: {np.linalg.norm(rest) / np.linalg.norm(in_time):.1e}")

# %%
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
colours = ["C0" if name in expected else "0.7" for name in library]
ax.bar(list(library), np.abs(coefficients), color=colours)
ax.set_yscale("log")
ax.set_ylabel("size of the coefficient")
ax.tick_params(axis="x", rotation=45)
if options.output:
    figure.savefig(options.output, dpi=130)
    print(f"picture: {options.output}")
    plt.close(figure)
