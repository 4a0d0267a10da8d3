"""How long default fits take of data of which much cannot be had.

    python -m examples.benchmarks.cost [--cases NAME ...]

Each is fitted with default parameters; the error is that on fresh points without noise, over the
spread of y. Times depend on the machine that is named, and are comparable with each other; CPU
seconds hardly depend on what else it runs.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.datasets import load_digits

from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor


def _line(n, function, noise=0.0, low=0.0, high=1.0):
    def data(rng):
        x, fresh = np.linspace(low, high, n), rng.uniform(low, high, 2000)
        y = function(x) + noise * rng.standard_normal(n)
        return x[:, None], y, fresh[:, None], function(fresh)

    return data


def _scattered(n, d, function, noise=0.0, low=-1.0, high=1.0):
    def data(rng):
        X, fresh = (rng.uniform(low, high, (m, d)) for m in (n, 2000))
        return X, function(X) + noise * rng.standard_normal(n), fresh, function(fresh)

    return data


def _one_hot(rng):
    """2400 rows of 95 columns, of which each row has five."""
    weights = rng.standard_normal(95)

    def rows(n):
        X = np.zeros((n, 95))
        for block in range(5):
            X[np.arange(n), 19 * block + rng.integers(0, 19, n)] = 1
        return X

    X, fresh = rows(2400), rows(1000)
    return X, X @ weights + rng.standard_normal(2400), fresh, fresh @ weights


def _table(rng):
    """20 000 rows of 8 columns: a rough table with noise."""

    def truth(X):
        return np.sin(3 * X[:, 0]) * X[:, 1] + np.abs(X[:, 2]) + np.where(X[:, 3] > 0.3, 1.0, 0.0)

    X, fresh = rng.uniform(-1, 1, (20_000, 8)), rng.uniform(-1, 1, (2000, 8))
    return X, truth(X) + 0.3 * rng.standard_normal(20_000), fresh, truth(fresh)


def _many_outputs(rng):
    """50 parameters of 200 outputs ``a sin t + b sin 30 t``."""
    t = np.linspace(0, 1, 200)

    def truth(X):
        waves = np.stack([np.sin(2 * np.pi * t), np.sin(60 * np.pi * t)])
        return np.stack([np.exp(X[:, 0]), np.cos(2 * X[:, 1])], axis=1) @ waves

    X, fresh = rng.uniform(-1, 1, (50, 2)), rng.uniform(-1, 1, (500, 2))
    return X, truth(X), fresh, truth(fresh)


def _mixed(n, d, levels, function, noise=0.0):
    """Continuous features and codes of so many levels each; noise over the spread of y."""

    def data(rng):
        def rows(m):
            codes = [rng.integers(0, n_levels, m) for n_levels in levels]
            return np.column_stack([rng.uniform(-1, 1, (m, d)), *codes])

        X, fresh = rows(n), rows(2000)
        y = function(X)
        return X, y + noise * y.std() * rng.standard_normal(n), fresh, function(fresh)

    return data


def _three_and_codes(X):
    smooth = np.sin(3 * X[:, 0]) * X[:, 1] + np.exp(X[:, 2])
    return smooth + 0.3 * X[:, 3] + (X[:, 4] == 2) + 0.5 * X[:, 6] * X[:, 0]


def _smooth_of_codes(X):
    smooth = np.sin(2 * X[:, 0] + X[:, 1]) * np.exp(X[:, 2])
    return smooth + 0.3 * X[:, 3] + 0.1 * X[:, 3] * X[:, 0]


def _sine_and_product(X):
    return np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2] * X[:, -1]


def _skewed(rng):
    """Heavy tails, a count, duplicated and constant columns, and one-hot columns."""

    def rows(m):
        income, code = rng.lognormal(0, 1, m), rng.integers(0, 5, m)
        one_hot = code[:, None] == np.arange(5)
        columns = [income, rng.standard_t(3, m), rng.poisson(3, m), income, np.ones(m), one_hot]
        return np.column_stack(columns)

    def truth(X):
        return np.log(X[:, 0]) * (1 + X[:, 6]) + np.tanh(X[:, 1]) + 0.1 * X[:, 2]

    X, fresh = rows(2000), rows(2000)
    return X, truth(X) + 0.3 * rng.standard_normal(2000), fresh, truth(fresh)


def _pixels(rng):
    """Digits enlarged to 28 x 28, of which many pixels never change."""
    images, y = load_digits(return_X_y=True)
    images = np.repeat(np.repeat(images.reshape(-1, 8, 8), 3, axis=1), 3, axis=2)
    X = np.zeros((len(y), 28, 28))
    X[:, 2:26, 2:26] = images
    X = X.reshape(len(y), -1)
    order = rng.permutation(len(y))
    return X[order[:1437]], y[order[:1437]] * 1.0, X[order[1437:]], y[order[1437:]] * 1.0


def _wide(n, d, n_outputs):
    def data(rng):
        mixing = rng.standard_normal((d, n_outputs)) / np.sqrt(d)
        X, fresh = rng.standard_normal((n, d)), rng.standard_normal((1000, d))
        noise = 0.3 * rng.standard_normal((n, n_outputs))
        return X, np.tanh(X @ mixing) + noise, fresh, np.tanh(fresh @ mixing)

    return data


def _resonances(x):
    """Some hundred peaks of widths from 1e-4 to 1e-1, as in scattering by a sphere."""
    rng = np.random.default_rng(5)
    centres, widths = rng.uniform(0, 1, 150), 10 ** rng.uniform(-4, -1, 150)
    return np.sum(widths**2 / ((x[:, None] - centres) ** 2 + widths**2), axis=1)


def _fermi(x):
    return 1 / (1 + np.exp(np.clip((x - 0.5) / 1e-4, -700, 700)))


def _periods(rng):
    X, fresh = (rng.uniform(0, 2 * np.pi, (n, 3)) for n in (2500, 2000))

    def truth(X):
        return np.exp(np.sin(X[:, 0]) + np.cos(X[:, 1] + X[:, 2])) * np.sin(2 * X[:, 2])

    return X, truth(X), fresh, truth(fresh)


def _sine(x):
    return np.sin(12 * x)


CASES = {
    "noisy sine, n = 1000": (_line(1000, _sine, 0.1), {}),
    "noisy sine, n = 4000": (_line(4000, _sine, 0.1), {}),
    "noisy sine, n = 16000": (_line(16_000, _sine, 0.1), {}),
    "Fermi function, n = 1001": (_line(1001, _fermi), {}),
    "Fermi function, n = 2001": (_line(2001, _fermi), {}),
    "resonances, n = 4000": (_line(4000, _resonances), {}),
    "one-hot columns, 2400 x 95": (_one_hot, {}),
    "noisy table, 20000 x 8": (_table, {}),
    "50 points, 200 outputs": (_many_outputs, {}),
    "scattered, 3-D, two periods": (_periods, {"period": [2 * np.pi, 2 * np.pi, None]}),
    "sin 60x exp y, n = 3000": (
        _scattered(3000, 2, lambda X: np.sin(60 * X[:, 0]) * np.exp(X[:, 1])),
        {},
    ),
    "mixed, 3 and 6 codes, n = 2000": (
        _mixed(2000, 3, (6, 6, 3, 2, 2, 2), _three_and_codes, 0.3),
        {},
    ),
    "mixed, 3 and 6 codes, n = 20000": (
        _mixed(20_000, 3, (6, 6, 3, 2, 2, 2), _three_and_codes, 0.3),
        {},
    ),
    "mixed, 3 and 2 codes, exact": (_mixed(2000, 3, (4, 2), _smooth_of_codes), {}),
    "mixed, 2 and 4 codes, n = 2000": (
        _mixed(2000, 2, (6, 5, 2, 2), _sine_and_product, 0.3),
        {},
    ),
    "mixed, 15 and 4 codes, n = 20000": (
        _mixed(20_000, 15, (5, 5, 5, 5), _sine_and_product, 0.3),
        {},
    ),
    "mixed, 20 and 20 codes, n = 10000": (
        _mixed(10_000, 20, (5,) * 20, _sine_and_product, 0.3),
        {},
    ),
    "mixed, 80 and 20 codes, n = 20000": (
        _mixed(20_000, 80, (2,) * 20, _sine_and_product, 0.3),
        {},
    ),
    "mixed, skewed and one-hot": (_skewed, {}),
    "pixels, 1437 x 784": (_pixels, {}),
    "wide table, 20000 x 100, 50 outputs": (_wide(20_000, 100, 50), {}),
    "tall table, 100000 x 10": (_wide(100_000, 10, 1), {}),
    "458 points, 19 outputs": (_wide(458, 4, 19), {}),
    "scattered, 4000 points, 2-D": (
        _scattered(4000, 2, lambda X: np.sin(8 * X[:, 0] ** 2 * X[:, 1]) + np.cos(12 * X[:, 1])),
        {},
    ),
    "scattered, 20000 points, 3-D": (
        _scattered(
            20_000,
            3,
            lambda X: (
                np.sin(2 * X[:, 0] + X[:, 1]) * np.exp(X[:, 2])
                + 0.1 * np.cos(4 * X[:, 0] * X[:, 2])
            ),
        ),
        {},
    ),
}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", default=(), help="beginnings of names; all if none")
    options = parser.parse_args(arguments)
    print(
        f"{heading()}\n\n{head(['data', 'fit, s', 'CPU, s', 'reported', 'fresh', 'stages', 'end'])}"
    )
    total = 0.0
    for name, (make, parameters) in CASES.items():
        if options.cases and not name.startswith(tuple(options.cases)):
            continue
        X, y, fresh, truth = make(np.random.default_rng(0))
        model = SpectrumInformedMSNNRegressor(random_state=0, **parameters)
        start, cpu = time.perf_counter(), time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y)
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        total += cpu
        spread = np.where(y.std(axis=0) > 0, y.std(axis=0), 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            error = np.sqrt(np.mean(((model.predict(fresh) - truth) / spread) ** 2))
        reported = (model.validation_errors_ or model.train_errors_)[-1]
        end = f"{model.stage_summaries_[-1]}: {model.stop_reason_}"
        cells = [
            name,
            f"{seconds:.1f}",
            f"{cpu:.1f}",
            figure(reported),
            figure(error),
            model.n_stages_,
            end,
        ]
        print(row(cells), flush=True)
    print(f"\n{total:.0f} CPU seconds in all")


if __name__ == "__main__":
    main()
