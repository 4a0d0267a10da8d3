"""
Option prices and their Greeks
==============================

A desk that reprices a book at every tick does not call its pricer each time: it fits a table of
prices, and the Greeks are derivatives of the fit. Here QuantLib prices European calls by Black and
Scholes, so that every Greek is known; the fit sees prices alone.

The usual tool is a cubic spline on the grid.
"""

import matplotlib.pyplot as plt
import numpy as np
import QuantLib as ql  # noqa: N813
from scipy.interpolate import RectBivariateSpline

from skmsnn import SpectrumInformedMSNNRegressor

STRIKE, RATE = 100.0, 0.03  # one year to expiry


def priced(spot, volatility):
    """Price, delta, vega and gamma of one call."""
    payoff = ql.PlainVanillaPayoff(ql.Option.Call, STRIKE)
    call = ql.BlackCalculator(payoff, spot * np.exp(RATE), volatility, np.exp(-RATE))
    return call.value(), call.delta(spot), call.vega(1.0), call.gamma(spot)


# %%
# A table of 50 spots and 40 volatilities, and 2000 places between.

spots, volatilities = np.linspace(60, 140, 50), np.linspace(0.1, 0.5, 40)
X = np.stack(np.meshgrid(spots, volatilities, indexing="ij"), axis=-1).reshape(-1, 2)
prices = np.array([priced(*point)[0] for point in X.tolist()])
fresh = np.random.default_rng(0).uniform([60, 0.1], [140, 0.5], (2000, 2))
known = np.array([priced(*point) for point in fresh.tolist()]).T

# %%
# Both are fitted to the prices, and then evaluated for the Greeks.

model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, prices)
spline = RectBivariateSpline(spots, volatilities, prices.reshape(50, 40))
orders = {"price": (0, 0), "delta": (1, 0), "vega": (0, 1), "gamma": (2, 0)}
errors = {"skmsnn": [], "cubic spline": []}
print("          skmsnn   cubic spline   (largest error over largest value)")
for (name, nu), true in zip(orders.items(), known, strict=True):
    by_spline = spline(*fresh.T, dx=nu[0], dy=nu[1], grid=False)
    for label, found in (("skmsnn", model.derivative(fresh, nu)), ("cubic spline", by_spline)):
        errors[label].append(np.abs(found - true).max() / np.abs(true).max())
    print(f"{name:8s}  {errors['skmsnn'][-1]:.0e}    {errors['cubic spline'][-1]:.0e}")
print(f"{model.stop_reason_}; on unseen points {model.validation_errors_[-1]:.0e} of the spread")

# %%
# Gamma, the second derivative by the spot, is where a spline shows.

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
line = np.column_stack([np.linspace(60, 140, 400), np.full(400, 0.12)])
left.plot(line[:, 0], model.derivative(line, (2, 0)), label="skmsnn")
left.plot(line[:, 0], spline(*line.T, dx=2, grid=False), "--", label="cubic spline")
left.set(xlabel="spot", ylabel="gamma", title="volatility 12 %")
left.legend()
places = np.arange(len(orders))
right.bar(places - 0.2, errors["skmsnn"], 0.4, label="skmsnn")
right.bar(places + 0.2, errors["cubic spline"], 0.4, label="cubic spline")
right.set_xticks(places, list(orders))
right.set(yscale="log", ylabel="largest error, relative", ylim=(1e-12, 1))
right.legend()
plt.show()
