"""
Flame temperature of methane
============================

A flow solver needs the temperature of burnt gas in every cell and at every step, and its slope by
the mixture. cantera's equilibrium takes a millisecond for one state, and the solver asks by the
million. Here it is tabulated over equivalence ratio and initial temperature.

The usual tools are a cubic interpolator on the grid, and a Gaussian process.
"""

import time

import cantera as ct
import matplotlib.pyplot as plt
import numpy as np
from scipy.interpolate import RegularGridInterpolator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.preprocessing import StandardScaler

from skmsnn import SpectrumInformedMSNNRegressor

gas = ct.Solution("gri30.yaml")


def flame_temperature(ratio, start):
    """Of methane in air, adiabatic, at constant pressure, in kelvin."""
    gas.TP = start, ct.one_atm
    gas.set_equivalence_ratio(ratio, "CH4", "O2:1, N2:3.76")
    gas.equilibrate("HP", rtol=1e-12)
    return gas.T


# %%
# 41 equivalence ratios by 9 initial temperatures: 369 states.

ratios, starts = np.linspace(0.5, 1.5, 41), np.linspace(300, 600, 9)
X = np.stack(np.meshgrid(ratios, starts, indexing="ij"), axis=-1).reshape(-1, 2)
clock = time.perf_counter()
y = np.array([flame_temperature(*point) for point in X])
each = (time.perf_counter() - clock) / len(X)
fresh = np.random.default_rng(0).uniform([0.5, 300], [1.5, 600], (300, 2))
true = np.array([flame_temperature(*point) for point in fresh])

# %%
# The maximum lies on a bend just above a ratio of one, where the error is.

model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, y)
cubic = RegularGridInterpolator((ratios, starts), y.reshape(41, 9), method="cubic")
scaler = StandardScaler().fit(X)
process = GaussianProcessRegressor(RBF([1.0, 1.0]), normalize_y=True, alpha=1e-10)
process.fit(scaler.transform(X), y)
found = {
    "skmsnn": model.predict(fresh),
    "cubic interpolator": cubic(fresh),
    "Gaussian process": process.predict(scaler.transform(fresh)),
}
for name, values in found.items():
    print(f"{name:18s} largest error {np.abs(values - true).max():.0e} K")
function = model.to_function()
clock = time.perf_counter()
for point in fresh:
    function(point)
once = (time.perf_counter() - clock) / len(fresh)
print(f"one state: cantera {each * 1e6:.0f} microseconds, the fit {once * 1e6:.0f}")
print(f"why not to round-off: {model.stop_reason_}")

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
line = np.column_stack([np.linspace(0.5, 1.5, 300), np.full(300, 300.0)])
left.plot(line[:, 0], model.predict(line))
left.set(xlabel="equivalence ratio", ylabel="flame temperature, K", title="from 300 K")
slope = left.twinx()
slope.plot(line[:, 0], model.gradient(line)[:, 0], "C1--")
slope.set_ylabel("its slope, K", color="C1")
for name, values in found.items():
    error = np.maximum(np.abs(values - true), 1e-8)
    right.semilogy(fresh[:, 0], error, ".", markersize=3, label=name)
right.set(xlabel="equivalence ratio", ylabel="error, K")
right.legend()
plt.show()
