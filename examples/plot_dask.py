"""
More points than memory
=======================

Dask arrays are not loaded: one pass over their chunks finds the scaling, and each stage is one
more. Here 400 000 points in 20 chunks, made when they are needed, of a periodic function; a
machine with little memory takes as many as a disk holds. The usual tools for as much are gradient
descent in mini-batches, and a sample that fits in memory.
"""

import time

import dask.array as da
import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import SGDRegressor
from sklearn.preprocessing import SplineTransformer

from skmsnn import SpectrumInformedMSNNRegressor

# %%
# Points at random in a box that is one period.

N_POINTS, N_CHUNKS = 400_000, 20
X = da.random.default_rng(0).uniform(0, 2 * np.pi, (N_POINTS, 2), chunks=(N_POINTS // N_CHUNKS, 2))


def target(x, y, xp=np):
    return xp.exp(xp.sin(3 * x) + 0.5 * xp.cos(2 * x - y)) + xp.sin(5 * y)


y = target(X[:, 0], X[:, 1], da)
fresh = np.random.default_rng(1).uniform(0, 2 * np.pi, (5000, 2))
true = target(*fresh.T)


def error_of(predicted):
    return np.linalg.norm(predicted - true) / np.linalg.norm(true)


# %%

start = time.perf_counter()
model = SpectrumInformedMSNNRegressor(period=2 * np.pi, random_state=0).fit(X, y)
seconds = {"skmsnn": time.perf_counter() - start}
errors = {"skmsnn": error_of(model.predict(fresh))}

start = time.perf_counter()
splines = SplineTransformer(24, extrapolation="periodic").fit([[0.0, 0.0], [2 * np.pi, 2 * np.pi]])


def products(X):
    """Products of periodic splines of both features."""
    one, other = np.split(splines.transform(X), 2, axis=1)
    return (one[:, :, None] * other[:, None, :]).reshape(len(X), -1)


descent = SGDRegressor(alpha=0, learning_rate="constant", eta0=0.5, random_state=0)
for chunk, values in zip(X.to_delayed().ravel(), y.to_delayed().ravel(), strict=True):
    descent.partial_fit(products(chunk.compute()), values.compute())
seconds["mini-batches"] = time.perf_counter() - start
errors["mini-batches"] = error_of(descent.predict(products(fresh)))

start = time.perf_counter()
sample = SpectrumInformedMSNNRegressor(period=2 * np.pi, hidden_layer_sizes=(), random_state=0).fit(
    X[:1000].compute(), y[:1000].compute()
)
seconds["a sample of 1000"] = time.perf_counter() - start
errors["a sample of 1000"] = error_of(sample.predict(fresh))
for name, error in errors.items():
    print(f"{name:17s} error {error:.0e} in {seconds[name]:.1f} s")

# %%
# Predictions of dask arrays are dask arrays, not computed yet.

lazy = model.predict(X)
print(lazy)
figure, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.bar(list(errors), list(errors.values()))
ax.set(yscale="log", ylabel="relative error on fresh points")
plt.show()
