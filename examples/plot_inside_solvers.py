"""
Inside an ODE solver and an optimiser
=====================================

Solvers call a function thousands of times, one point at a time. ``to_function`` gives the fitted
model as a plain callable for that: no checks, some ten microseconds a point, and its gradient.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import minimize

from skmsnn import SpectrumInformedMSNNRegressor

# %%
# A potential, known on a grid: the force is its gradient. The energy of a particle in it stays what
# it is, as far as solver and force are exact.

n = 64
axis = np.linspace(-2, 2, n)
X = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)


def potential(X):
    return 0.5 * (X**2).sum(axis=-1) + 0.3 * np.exp(-4 * ((X - 0.5) ** 2).sum(axis=-1))


fitted = SpectrumInformedMSNNRegressor(random_state=0).fit(X, potential(X))
surface = fitted.to_function()


def motion(_, state):
    return np.concatenate([state[2:], -surface.gradient(state[:2])])


start = np.array([1.2, 0.0, 0.0, 0.7])
path = solve_ivp(motion, (0, 20), start, method="DOP853", rtol=1e-11, atol=1e-11)
place, speed = path.y[:2].T, path.y[2:].T
energy = 0.5 * (speed**2).sum(axis=1) + potential(place)
drift = np.abs(energy - energy[0]).max()
print(f"{path.nfev} evaluations; energy changes by at most {drift:.1e}")

# %%
# Its lowest place, by a quasi-Newton method with the exact gradient.

lowest = minimize(surface, [1.0, 0.5], jac=surface.gradient, method="BFGS", options={"gtol": 1e-9})
slope = np.abs(surface.gradient(lowest.x)).max()
print(f"{lowest.nfev} evaluations; slope {slope:.1e} at {lowest.x}")

fig, ax = plt.subplots(figsize=(4, 4), layout="constrained")
ax.contour(axis, axis, potential(X).reshape(n, n).T, 20, linewidths=0.6)
ax.plot(*path.y[:2], lw=0.8)
ax.plot(*lowest.x, "kv")
ax.set_aspect("equal")
plt.show()
