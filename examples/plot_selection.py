"""
Why this family?
================

For every stage of a fit families of functions compete, and the error at unseen points decides. The
model keeps the record of the competition in ``search_results_``. Here are three records: of a
periodic wave field, of Friedman's first function, which is smooth and has ten features of which
five count, and of the borehole function, a quotient of eight features.
"""

import argparse
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_friedman1

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import AccuracyWarning
from skmsnn.inspection import SelectionDisplay
from skmsnn.selection.summary import summary_lines

parser = argparse.ArgumentParser()
parser.add_argument("--size", choices=["tiny", "full"], default="full")
size = parser.parse_known_args()[0].size
n, side, seconds = (600, 48, 8.0) if size == "full" else (200, 24, 2.0)
rng = np.random.default_rng(0)

# %%
# Twenty waves of random direction and phase, on a periodic grid.

axis = np.arange(side) / side
grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
waves, phases = rng.integers(-6, 7, (20, 2)), rng.uniform(0, 2 * np.pi, 20)
field = np.cos(2 * np.pi * grid @ waves.T + phases).sum(axis=1)

# %%
# Flow of water through a borehole (Harper & Gupta 1983), from the radii, the transmissivities and
# heads of two aquifers, the length and the conductivity.

lower = np.array([0.05, 100, 63070, 990, 63.1, 700, 1120, 9855])
upper = np.array([0.15, 50000, 115600, 1110, 116, 820, 1680, 12045])


def borehole(X):
    radius, influence, above, head_above, below, head_below, length, conductivity = X.T
    log = np.log(influence / radius)
    resistance = 1 + 2 * length * above / (log * radius**2 * conductivity) + above / below
    return 2 * np.pi * above * (head_above - head_below) / (log * resistance)


points = rng.uniform(lower, upper, (n, 8))
records = {
    "wave field": (grid, field),
    "Friedman 1": make_friedman1(n, n_features=10, random_state=0),
    "borehole": (points, borehole(points)),
}

# %%
# Each fit prints, for every stage, which family won, and how the ladder of every other one ended.

models = {}
for name, (X, y) in records.items():
    model = SpectrumInformedMSNNRegressor(max_time=seconds, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # the lines below have the errors
        models[name] = model.fit(X, y)
    print(f"{name}: {model.validation_errors_[-1]:.1e} on unseen points, {model.stop_reason_}")
    print("\n".join(summary_lines(model.search_results_)))

# %%
# The first stage of each: the error of every candidate against the operations of its family up to
# it. Bars are standard errors, and a family has the same colour in all three.

figure, axes = plt.subplots(1, 3, figsize=(16, 5), layout="constrained")
for ax, (name, model) in zip(axes, models.items(), strict=True):
    SelectionDisplay.from_estimator(model, ax=ax)
    ax.set_title(name)

# %%
# With the errors on the training points as dashed lines: where they part from those on unseen
# points, more terms fit what is peculiar to the sample.

SelectionDisplay.from_estimator(models["borehole"], cost="seconds", train=True)
plt.show()
