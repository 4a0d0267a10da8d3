"""
A search with Optuna
====================

Parameters that matter where the default is not meant for the data: here K, the number of modes of a
stage, the number of stages and the order of the norm, for a function of which a compact sum of few
modes is wanted. Optuna weighs error against size, and gives the front of the best for each size.
The usual tool, a grid search, tries all combinations.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import optuna

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import AccuracyWarning

optuna.logging.set_verbosity(optuna.logging.WARNING)

# %%
# 400 scattered points, and as many to judge by.

rng = np.random.default_rng(0)
X, X_val = rng.uniform(-1, 1, (2, 400, 2))


def target(X):
    return np.exp(np.sin(3 * X[:, 0] + X[:, 1])) * np.cos(2 * X[:, 1])


def error_and_size(**parameters):
    """Relative error on points that are not fitted, and modes of all stages."""
    model = SpectrumInformedMSNNRegressor(random_state=0, hidden_layer_sizes=(), **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AccuracyWarning)  # small ones are not exact
        model.fit(X, target(X))
    rest = model.predict(X_val) - target(X_val)
    size = sum(stage.n_modes for stage in model.stages_)
    return np.linalg.norm(rest) / np.linalg.norm(target(X_val)), size


def objective(trial):
    return error_and_size(
        n_modes=trial.suggest_int("n_modes", 2, 30, log=True),
        n_stages=trial.suggest_int("n_stages", 1, 2),
        p=trial.suggest_categorical("p", [2, 10]),
    )


study = optuna.create_study(
    directions=["minimize", "minimize"], sampler=optuna.samplers.TPESampler(seed=0)
)
study.optimize(objective, n_trials=24)

# %%
# The front, and what a grid of as many fits finds.

grid = [
    error_and_size(n_modes=n_modes, n_stages=n_stages, p=p)
    for n_modes in (2, 4, 8, 12, 20, 30)
    for n_stages in (1, 2)
    for p in (2, 10)
]
default, size = error_and_size()
front = {tuple(trial.values): trial for trial in study.best_trials}
for trial in sorted(front.values(), key=lambda trial: trial.values[1]):
    print(f"{trial.values[1]:4.0f} modes leave {trial.values[0]:.0e}: {trial.params}")
print(f"the default: {size} terms leave {default:.0e}")

figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.loglog(*np.array([trial.values[::-1] for trial in study.trials]).T, "o", label="Optuna, 24 fits")
ax.loglog(*np.array(grid)[:, ::-1].T, "x", label=f"grid, {len(grid)} fits")
ax.loglog(size, default, "k*", markersize=10, label="default")
ax.set(xlabel="modes of all stages", ylabel="error, not fitted")
ax.legend()
plt.show()
