"""How long a prediction of one point takes, and of a million.

    python -m examples.benchmarks.latency

Each figure is the least of several runs. scikit-learn's own checks of the input are measured beside
it, as are a spline of SciPy, its local radial basis functions, and scikit-learn's network.
"""

import argparse
import time
import warnings
from itertools import product

import numpy as np
from scipy.interpolate import CubicSpline, RBFInterpolator
from sklearn.neural_network import MLPRegressor
from sklearn.utils.validation import validate_data

from examples.benchmarks.report import head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor


def _grid(*sizes):
    axes = [np.linspace(-1, 1, n) for n in sizes]
    return np.array(list(product(*axes)))


def _smooth(X):
    return np.exp(np.sin(3 * X[:, 0]) * X[:, -1])


def _cases(rng):
    scattered = rng.uniform(-1, 1, (1500, 2))
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    six = rng.uniform(-1, 1, (600, 6))
    line = np.linspace(-1, 1, 300)[:, None]
    return {
        "line, smooth": (line, np.exp(np.sin(5 * line[:, 0])), {}),
        "line, a kink: a spline": (line, np.abs(line[:, 0] - 0.1), {}),
        "periodic grid 64 x 64": (
            np.array(list(product(turn, turn))),
            np.exp(np.sin(np.add.outer(turn, 2 * turn))).ravel(),
            {},
        ),
        "grid 40 x 40": (_grid(40, 40), _smooth(_grid(40, 40)), {}),
        "grid 16 x 16 x 16": (_grid(16, 16, 16), _smooth(_grid(16, 16, 16)), {}),
        "scattered in 2-D": (scattered, _smooth(scattered), {}),
        "scattered in 6-D": (six, 1 + six[:, 0] * six[:, 1] + six.sum(axis=1), {}),
        "20 modes": (scattered[:400], _smooth(scattered[:400]), {"n_modes": 20}),
        "a network": (
            scattered[:400],
            _smooth(scattered[:400]),
            {"init": "xavier", "hidden_layer_sizes": (20, 20), "max_iter": 20, "n_stages": 1},
        ),
    }


def least(function, *arguments, least_seconds=0.2):
    """Seconds of the fastest of many calls."""
    best, spent = np.inf, 0.0
    while spent < least_seconds:
        start = time.perf_counter()
        function(*arguments)
        taken = time.perf_counter() - start
        best, spent = min(best, taken), spent + taken
    return best


def _microseconds(seconds):
    return f"{1e6 * seconds:.0f}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=1_000_000, help="of the last column")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    print(f"{heading()}\n\nOne point, in microseconds, and {options.points} in seconds.\n")
    titles = ["model", "predict", "of that checks", "gradient", "to_function", "its gradient"]
    print(head([*titles, "all points, s"]))
    for name, (X, y, parameters) in _cases(rng).items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)
        one = X[:1] + 1e-3
        function = model.to_function()
        times = [
            least(model.predict, one),
            least(lambda p, m=model: validate_data(m, p, dtype=np.float64, reset=False), one),
            least(model.gradient, one),
            least(function, one[0]),
            least(function.gradient, one[0]),
        ]
        many = rng.uniform(X.min(axis=0), X.max(axis=0), (options.points, X.shape[1]))
        cells = [name, *map(_microseconds, times), f"{least(model.predict, many):.2f}"]
        print(row(cells), flush=True)
    x = np.linspace(-1, 1, 300)
    spline = CubicSpline(x, np.exp(np.sin(5 * x)))
    X = rng.uniform(-1, 1, (1500, 2))
    local = RBFInterpolator(X, _smooth(X), neighbors=30)
    network = MLPRegressor(max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(X, _smooth(X))
    print("\nOthers, one point, in microseconds\n")
    print(head(["spline", "local RBF", "MLPRegressor"]))
    others = [least(spline, 0.123), least(local, X[:1]), least(network.predict, X[:1])]
    print(row(map(_microseconds, others)))


if __name__ == "__main__":
    main()
