"""
Stages, modes and the norm in a search
======================================

The number of stages, the number of modes K of each, and the order p of the norm are parameters like
any others. Here scikit-learn's grid search tries 27 combinations of them on 400 points of a smooth
function, each on three folds.

With ``n_modes`` a number, a stage is the sum of the K dominant modes of what the stages before it
leave, and a fit takes a fraction of a second.
"""

import argparse
import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, KFold

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import AccuracyWarning

parser = argparse.ArgumentParser()
parser.add_argument("--size", choices=["tiny", "full"], default="full")
size = parser.parse_known_args()[0].size

# %%
# A grid of 20 x 20 points.

axis = np.linspace(-1, 1, 20)
X = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
y = np.sin(4 * X[:, 0] + X[:, 1] ** 2) * np.exp(X[:, 1])

grid = {"n_stages": [1, 2, 3], "n_modes": [10, 20, 50], "p": [2, 4, 10]}
if size == "tiny":
    grid = {"n_stages": [1, 2], "n_modes": [4, 8], "p": [2, 10]}

search = GridSearchCV(
    SpectrumInformedMSNNRegressor(random_state=0),
    grid,
    scoring="neg_root_mean_squared_error",
    cv=KFold(3, shuffle=True, random_state=0),
)
with warnings.catch_warnings():
    # each says that some fit ended above tol: that is what the scores are for
    warnings.simplefilter("ignore", AccuracyWarning)
    search.fit(X, y)
print(f"best: {search.best_params_}, error {-search.best_score_:.1e}")

# %%
# Error on the points left out, against K. A second stage helps as long as the first has too few
# modes; where the points are the limit, it is not kept, and the score stays the same.

results = search.cv_results_
fig, axes = plt.subplots(
    1, len(grid["p"]), figsize=(3.2 * len(grid["p"]), 3), sharey=True, layout="constrained"
)
for ax, p in zip(axes, grid["p"], strict=True):
    for n_stages, marker in zip(grid["n_stages"], "osv", strict=False):
        chosen = (results["param_p"] == p) & (results["param_n_stages"] == n_stages)
        modes = np.asarray(results["param_n_modes"][chosen], dtype=float)
        error = -results["mean_test_score"][chosen]
        ax.loglog(modes, error, f"{marker}-", alpha=0.7, label=f"{n_stages}")
    ax.set(title=f"p = {p}", xlabel="modes K")
axes[0].set_ylabel("error on points left out")
axes[-1].legend(title="stages")

# %%
# What the norm does: a larger p lowers the largest residual on the points, at the price of the
# typical one. On a function with a kink, for which no number of modes suffices, it evens them out.

kinked = np.abs(X[:, 0] - 0.3) + X[:, 1] ** 2
print("p    largest    typical residual, smooth | with a kink")
for p in grid["p"]:
    told = []
    for values in (y, kinked):
        model = SpectrumInformedMSNNRegressor(n_stages=1, n_modes=grid["n_modes"][0], p=p)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            rest = model.set_params(random_state=0).fit(X, values).predict(X) - values
        told.append(f"{np.abs(rest).max():.1e}    {np.sqrt(np.mean(rest**2)):.1e}")
    print(f"{p:<4} {'    |    '.join(told)}")

plt.show()
