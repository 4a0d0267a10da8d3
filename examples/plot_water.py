"""
Water, with heat capacity as a slope
====================================

Equations of state are exact and slow; process simulators tabulate them. Here CoolProp gives the
enthalpy of compressed water. The fit sees enthalpies alone, over temperature and the logarithm of
pressure, and its slope by temperature is the heat capacity, which CoolProp knows too.

The usual tool is a cubic spline on the grid, as in tabular backends.
"""

import matplotlib.pyplot as plt
import numpy as np
from CoolProp.CoolProp import PropsSI
from scipy.interpolate import RectBivariateSpline

from skmsnn import SpectrumInformedMSNNRegressor

# %%
# 45 temperatures from 280 to 600 K, and 30 pressures from 200 to 1000 bar.

temperatures, logs = np.linspace(280, 600, 45), np.linspace(np.log(2e7), np.log(1e8), 30)
X = np.stack(np.meshgrid(temperatures, logs, indexing="ij"), axis=-1).reshape(-1, 2)


def water(name, X):
    return PropsSI(name, "T", X[:, 0], "P", np.exp(X[:, 1]), "Water")


enthalpy = water("H", X)
fresh = np.random.default_rng(0).uniform([280, logs[0]], [600, logs[-1]], (3000, 2))
capacity = water("C", fresh)

# %%

model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, enthalpy)
spline = RectBivariateSpline(temperatures, logs, enthalpy.reshape(45, 30))
slopes = {
    "skmsnn": model.derivative(fresh, (1, 0)),
    "cubic spline": spline(*fresh.T, dx=1, grid=False),
}
values = {"skmsnn": model.predict(fresh), "cubic spline": spline(*fresh.T, grid=False)}
true = water("H", fresh)
print("               enthalpy   heat capacity   (largest relative error)")
for name, found in values.items():
    of_values = np.abs(found / true - 1).max()
    print(f"{name:14s} {of_values:.0e}      {np.abs(slopes[name] / capacity - 1).max():.0e}")
print(f"on unseen points {model.validation_errors_[-1]:.0e} of the spread")

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
order = np.argsort(fresh[:, 0])
drawn = left.scatter(fresh[:, 0], np.exp(fresh[:, 1]) / 1e5, c=slopes["skmsnn"] / 1e3, s=4)
figure.colorbar(drawn, ax=left, label="heat capacity, kJ/(kg K)")
left.set(xlabel="temperature, K", ylabel="pressure, bar", yscale="log")
for name, found in slopes.items():
    error = np.abs(found / capacity - 1)[order]
    right.semilogy(fresh[order, 0], error, ".", markersize=2, label=name)
right.set(xlabel="temperature, K", ylabel="error of the heat capacity, relative")
right.legend(markerscale=5)
plt.show()
