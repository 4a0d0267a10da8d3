"""
Gradients as data
=================

Adjoint solvers and automatic differentiation give the gradient of a simulation for the price of a
few more. A gradient at n points in d dimensions is d n numbers more than their values, and rows of
the same least squares.

    python -m examples.plot_gradients_as_data
"""

import argparse
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.conditions import gradients
from skmsnn.exceptions import AccuracyWarning
from skmsnn.metrics import relative_l2_error

parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0] or None)
parser.add_argument("--most", type=int, default=800, help="points of the largest fit")
parser.add_argument("--output", type=Path, help="picture to write")
options = parser.parse_args()


def function(x):
    return np.exp(np.sin(3 * x[:, 0]) * x[:, 1])


def slope(x):
    inner = np.column_stack([3 * np.cos(3 * x[:, 0]) * x[:, 1], np.sin(3 * x[:, 0])])
    return inner * function(x)[:, None]


# %%
# The same points with and without the gradient, judged at fresh points.
rng = np.random.default_rng(0)
fresh = rng.uniform(-1, 1, (3000, 2))
numbers = [options.most // 8, options.most // 4, options.most // 2, options.most]
errors = {"values": [], "values and gradients": []}
for n in numbers:
    X = rng.uniform(-1, 1, (n, 2))
    known = {"values": None, "values and gradients": gradients(X, slope(X))}
    for name, conditions in known.items():
        model = SpectrumInformedMSNNRegressor(random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)  # few points do not reach tol
            model.fit(X, function(X), conditions=conditions)
        errors[name].append(relative_l2_error(function(fresh), model.predict(fresh)))
        print(f"{n} points, {name}: relative L2 error {errors[name][-1]:.1e}")

# %%
# The classic mistake is a sign. Values and gradients then contradict each other, and the fit says
# so.
model = SpectrumInformedMSNNRegressor(random_state=0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", AccuracyWarning)
    model.fit(X, function(X), conditions=gradients(X, -slope(X)))
print(f"{model.stop_reason_}: {model.contradictions_}")

# %%
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
for name, of_name in errors.items():
    ax.loglog(numbers, of_name, "o-", label=name)
ax.set_xlabel("points")
ax.set_ylabel("relative L2 error at fresh points")
ax.legend()
if options.output:
    figure.savefig(options.output, dpi=130)
    print(f"picture: {options.output}")
    plt.close(figure)
