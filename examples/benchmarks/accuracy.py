"""Held-out error of the default estimator against its goals.

    python -m examples.benchmarks.accuracy

prints three tables: the cases that have a goal, other functions in other units, and
cross-validation. Every error is that of 5000 random points of the domain that were not fitted,
against the noise-free function, in the relative L2 norm.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from sklearn.model_selection import KFold, cross_val_predict

from examples.benchmarks.cases import CASES, PERIODIC, Case
from examples.benchmarks.points import Disc, Scattered, TensorGrid
from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

# name of the case, largest error, longest fit in seconds; "as spline" is measured in the same run
GOALS = {
    "turbulence 256": (5e-15, 5),
    "turbulence 256, 67 %": (1e-14, 20),
    "turbulence, scattered": (1e-14, 20),
    "waves": (1e-14, 20),
    "bump and ridge": (1e-11, 10),
    "curved front": (1e-6, 60),
    "curved waves 4000": (1e-8, 20),
    "curved waves 65536": (1e-12, 60),
    "log-cosine": (1e-14, 3),
    "three scales": (1e-14, 3),
    "three waves": (1e-14, 20),
    "three waves, scattered": (1e-14, 20),
    "oblique wave": (1e-12, 60),
    "borehole, d = 8": (1e-5, 60),
    "cubed kink": ("as spline", 20),
    "bump and ridge, noise 1e-3": (1e-3, 60),
}
VALIDATED = ("turbulence 256", "turbulence 256, 67 %", "waves", "bump and ridge")
WORSE_AT_MOST = 10  # a fold against the figure of the whole

NOISY = replace(CASES["bump and ridge"], name="bump and ridge, noise 1e-3", noise=1e-3)


def _nanometres(X):
    """A lens-like phase of points in metres, some hundred nanometres across; values near 1e200."""
    x, y = X.T / 1e-9
    return 1e200 * np.cos(x**2 / 2e4 + y / 90) * np.exp(-((y - 20) ** 2) / 1e5)


def _far_away(X):
    """Waves on a patch a million units from the origin, values near 1e-200."""
    x, y = (X - 1e6).T
    return 1e-200 * (np.sin(x * y / 30) + np.cos(x))


def _mixed(X):
    """Periodic in the angle, not in the radius."""
    angle, r = X.T
    return np.cos(3 * angle + 2 * r) / (1.5 + np.sin(angle)) * np.exp(-r)


def _disc(X):
    """Entire, on a disc."""
    x, y = X.T
    return np.exp(1.5 * x) * np.sin(4 * x * y) + np.cos(5 * y)


def _ellipse(X):
    """Periodic in one dimension with a pole near the real axis."""
    return 1 / (1.3 + np.cos(X[:, 0] - 0.4)) + np.sin(7 * X[:, 0])


def _ripple(X):
    """Four dimensions, of which every pair acts together."""
    return np.sin(X.sum(axis=1)) * np.exp(-0.3 * (X[:, 0] * X[:, 1] - X[:, 2] * X[:, 3]))


def _shell(X):
    """Three dimensions, smooth, scattered."""
    return np.cos(2 * np.sqrt(1 + np.sum(X**2, axis=1)) + X[:, 2])


OTHERS = [
    Case("nanometres", "", _nanometres, TensorGrid((120, 60), [-2e-7, 0.0], [3e-7, 1e-7])),
    Case("a million units away", "", _far_away, Scattered(6000, 2, 1e6 - 8, 1e6 + 8)),
    Case(
        "angle and radius, 75 % of the grid",
        "",
        _mixed,
        TensorGrid((96, 40), [0.0, 1.0], [2 * np.pi, 3.0], end_points=(False, True), keep=0.75),
    ),
    Case("disc", "", _disc, Disc(5000)),
    Case("pole, periodic", "", _ellipse, Scattered(2000, 1, 0.0, 2 * np.pi), PERIODIC),
    Case(
        "pole, whole turn with both ends",
        "",
        _ellipse,
        TensorGrid((181,), 0.0, 2 * np.pi),
        MappingProxyType({}),
    ),
    Case("four dimensions", "", _ripple, Scattered(6000, 4)),
    Case("shell", "", _shell, Scattered(8000, 3)),
]


def measure(case, seed, size):
    """Held-out error, seconds of the fit, and the fitted model."""
    X, y, X_fresh, y_fresh = case.data(seed, size)
    model = SpectrumInformedMSNNRegressor(**case.parameters, random_state=seed)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the last column tells how the fit ended
        model.fit(X, y)
    seconds = time.perf_counter() - start
    return relative_l2_error(y_fresh, model.predict(X_fresh)), seconds, model


def spline_error(case, seed, size):
    """Held-out error of a quintic spline on the same grid."""
    from scipy.interpolate import RegularGridInterpolator

    X, y, X_fresh, y_fresh = case.data(seed, size)
    axes = [np.unique(column) for column in X.T]
    spline = RegularGridInterpolator(axes, y.reshape([len(a) for a in axes]), method="quintic")
    return relative_l2_error(y_fresh, spline(X_fresh))


def print_goals(names, seed, size):
    names_of_columns = ["case", "goal", "held-out", "met", "goal, s", "fit, s", "stages", "end"]
    print(head(names_of_columns))
    cases = {**CASES, NOISY.name: NOISY}
    for name, (goal, longest) in GOALS.items():
        if names and name not in names:
            continue
        if goal == "as spline":
            goal = spline_error(cases[name], seed, size)
        error, seconds, model = measure(cases[name], seed, size)
        met = "yes" if error <= goal and seconds <= longest else "NO"
        end = f"{model.n_stages_} | {model.stop_reason_}"
        print(row([name, figure(goal), figure(error), met, longest, f"{seconds:.1f}", end]))


def print_others(names, seed, size):
    print(head(["case", "held-out", "fit, s", "stages", "end"]))
    for case in OTHERS:
        if names and case.name not in names:
            continue
        error, seconds, model = measure(case, seed, size)
        end = f"{model.n_stages_} | {model.stop_reason_}"
        print(row([case.name, figure(error), f"{seconds:.1f}", end]))


def print_folds(names, seed, size):
    """Five folds: each is predicted from the other four."""
    print(head(["case", "whole", "fold 1", "2", "3", "4", "5", f"all within {WORSE_AT_MOST}x"]))
    for name in VALIDATED:
        if names and name not in names:
            continue
        case = CASES[name]
        X, y, *_ = case.data(seed, size)
        whole, *_ = measure(case, seed, size)
        folds = KFold(5, shuffle=True, random_state=seed)
        model = SpectrumInformedMSNNRegressor(**case.parameters, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            predicted = cross_val_predict(model, X, y, cv=folds)
        errors = [relative_l2_error(y[test], predicted[test]) for _, test in folds.split(X)]
        verdict = "yes" if max(errors) <= WORSE_AT_MOST * whole else "NO"
        print(row([name, figure(whole), *map(figure, errors), verdict]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", default=(), help="names; all if not given")
    parser.add_argument("--size", type=float, default=1.0, help="share of the points")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    print(f"{heading()}; seed {options.seed}, size {options.size:g}\n")
    for table in (print_goals, print_others, print_folds):
        table(options.cases, options.seed, options.size)
        print()


if __name__ == "__main__":
    main()
