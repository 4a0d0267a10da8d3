"""
A nonlinear equation: the pendulum
==================================

An equation is a function of the points, the solution and its derivatives, in torch operations.
Newton's iteration solves it, each step a least squares problem with the initial values beside it.
No time steps: the solution is one function of time.

    python -m examples.plot_nonlinear_equation
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.integrate import solve_ivp

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.conditions import Condition, Equation

parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0] or None)
parser.add_argument("--output", type=Path, help="picture to write")
options = parser.parse_args()

# %%
# ``u'' + sin u = 0`` from an angle of 2.5, nearly upright, and no velocity.


def residual(X, u, u_tt):
    return u_tt + torch.sin(u)


end, angle = 8.0, 2.5
t = end * (1 - np.cos(np.pi * np.arange(401) / 400)) / 2
conditions = [
    Equation(t[:, None], residual, {"u_tt": 2}, name="pendulum"),
    Condition([[0.0]], {1: 1.0}, 0.0, name="velocity at the start"),
]
model = SpectrumInformedMSNNRegressor(random_state=0).fit([[0.0]], [angle], conditions=conditions)
print(f"{model.stage_summaries_[0]}, {model.n_iter_[0]} steps of Newton's iteration in all")

# %%
# An independent solver, and the energy, which stays the same.
fresh = np.linspace(0, end, 500)
other = solve_ivp(
    lambda t, s: [s[1], -np.sin(s[0])],
    (0, end),
    [angle, 0],
    "DOP853",
    fresh,
    rtol=1e-13,
    atol=1e-13,
).y[0]
found, velocity = model.predict(fresh[:, None]), model.gradient(fresh[:, None])[:, 0]
energy = velocity**2 / 2 - np.cos(found)
print(f"from a Runge-Kutta method of order 8: at most {np.abs(found - other).max():.1e}")
print(f"energy changes by at most {np.ptp(energy):.1e}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
axes[0].plot(fresh, found, label="angle")
axes[0].plot(fresh, velocity, label="velocity")
axes[0].set_xlabel("time")
axes[0].legend()
axes[1].semilogy(fresh, np.abs(found - other) + 1e-17, label="from Runge-Kutta")
axes[1].semilogy(fresh, np.abs(energy - energy[0]) + 1e-17, label="energy")
axes[1].set_xlabel("time")
axes[1].legend()
if options.output:
    figure.savefig(options.output, dpi=130)
    print(f"picture: {options.output}")
    plt.close(figure)
