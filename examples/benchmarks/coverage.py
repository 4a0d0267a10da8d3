"""How many fresh values lie in the reported intervals: inside the box, near its faces, outside it.

    python -m examples.benchmarks.coverage [--first NUMBER] [--cases N]

Each numbered case draws a smooth function of one to six features, 90 to 2000 uniform points, and
in one of three cases noise. Points to predict fall uniformly in three regions: in the inner part of
the box of the data, in its outer 5 % (within a twentieth of its width from a face), and outside, in
a box 1.15 times as wide. It prints the share of values, noise included, within 1.96 standard
deviations of the prediction, for each region; then the means, by family and by number of features.
"""

import argparse
import time
import warnings
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from examples.benchmarks.report import head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor

SIZES = (90, 220, 420, 1000, 2000)
# Shares of the width of the box: the outer part on each side, and how much wider it is outside.
OUTER, WIDER = 0.05, 1.15
N_FRESH = 2000


def waves(rng, d):
    """A wave times an exponential, and another wave."""
    w, v, u = rng.standard_normal((3, d)) * np.array([[2.5], [0.8], [1.5]]) / np.sqrt(d)
    phase = rng.uniform(0, 6, 2)
    return lambda X: np.sin(X @ w * 2 + phase[0]) * np.exp(X @ v) + 0.3 * np.cos(X @ u + phase[1])


def logarithm(rng, d):
    """A logarithm whose singularity is outside a corner."""
    a, distance = rng.uniform(0.3, 1, d), rng.uniform(1.2, 1.6)
    return lambda X: np.log(distance * a.sum() + X @ a)


def quotient(rng, d):
    """A peak of random width and place."""
    at, w = rng.uniform(-0.6, 0.6, d), rng.uniform(0.5, 2, d) / d
    return lambda X: 1 / (0.3 + ((X - at) ** 2) @ w)


def bump(rng, d):
    """A Gaussian, times a coordinate."""
    at, sharp = rng.uniform(-0.3, 0.3, d), rng.uniform(2, 5) / d
    return lambda X: (1 + X[:, 0]) * np.exp(-sharp * ((X - at) ** 2).sum(axis=1))


def interactions(rng, d):
    """Sums of functions of one or two features, as Friedman's."""
    i, j = rng.integers(0, d, 2)
    a = rng.uniform(0.5, 2, 4)
    return lambda X: (
        np.sin(a[0] * np.pi * X[:, i] * X[:, j]) + a[1] * (X[:, 0] - 0.2) ** 2 + a[2] * X[:, -1]
    )


def front(rng, d):
    """A smooth step across a random direction."""
    normal = rng.standard_normal(d)
    normal *= rng.uniform(2, 4) / np.linalg.norm(normal)
    return lambda X: np.tanh(X @ normal - 0.3) + 0.2 * X[:, 0]


KINDS = (waves, logarithm, quotient, bump, interactions, front)


class Case(NamedTuple):
    """A function, and points with values of it."""

    kind: str
    function: object
    X: np.ndarray
    y: np.ndarray
    noise: float


def case(number):
    """The case of that number."""
    rng = np.random.default_rng([number, 33])
    draw = KINDS[number % len(KINDS)]
    d = 1 + int(rng.integers(6))
    n = int(rng.choice(SIZES))
    function = draw(rng, d)
    X = rng.uniform(-1, 1, (n, d))
    values = function(X)
    noise = 0.0
    if rng.random() < 1 / 3:
        noise = float(values.std() * 10 ** rng.uniform(-3, -0.5))
    return Case(draw.__name__, function, X, values + noise * rng.standard_normal(n), noise)


def regions(X, rng):
    """Uniform points in the inner part of the box of X, in its outer part, and outside it."""
    low, high = X.min(axis=0), X.max(axis=0)
    d = X.shape[1]
    inside = rng.uniform(-1, 1, (N_FRESH, d)) * (1 - 2 * OUTER)
    outer = rng.uniform(-1, 1, (50 * N_FRESH, d))
    outer = outer[np.abs(outer).max(axis=1) > 1 - 2 * OUTER][:N_FRESH]
    outside = rng.uniform(-WIDER, WIDER, (50 * N_FRESH, d))
    outside = outside[np.abs(outside).max(axis=1) > 1][:N_FRESH]
    return [(low + high) / 2 + x * (high - low) / 2 for x in (inside, outer, outside)]


class Outcome(NamedTuple):
    family: str
    n_features: int
    covered: tuple[float, ...]
    ratios: tuple[float, ...]
    seconds: float


def run(number):
    """Fit the case of that number; shares of values in intervals, by region."""
    data = case(number)
    rng = np.random.default_rng([number, 34])
    model = SpectrumInformedMSNNRegressor(random_state=0)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data.X, data.y)
        seconds = time.perf_counter() - start
        covered, ratios = [], []
        for points in regions(data.X, rng):
            values, std = model.predict(points, return_std=True)
            error = values - data.function(points) + data.noise * rng.standard_normal(len(points))
            covered.append(float(np.mean(np.abs(error) <= 1.96 * std)))
            ratios.append(float(np.sqrt(np.mean(std**2)) / np.sqrt(np.mean(error**2))))
    family = model.stages_[0].family
    return Outcome(family, data.X.shape[1], tuple(covered), tuple(ratios), seconds)


def print_means(title, groups):
    print(f"\n{head([title, 'cases', 'inside', 'outer 5 %', 'outside'])}")
    for name, outcomes in sorted(groups.items(), key=lambda pair: str(pair[0])):
        means = np.mean([o.covered for o in outcomes], axis=0)
        print(row([name, len(outcomes), *(f"{mean:.1%}" for mean in means)]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--cases", type=int, default=60)
    options = parser.parse_args(arguments)
    print(f"{heading()}\n")
    titles = ["number", "kind", "points", "noise", "family", "inside", "outer 5 %", "outside"]
    print(head([*titles, "std over RMS error, by region", "s"]))
    groups = {"all": defaultdict(list), "family": defaultdict(list), "features": defaultdict(list)}
    for number in range(options.first, options.first + options.cases):
        outcome, data = run(number), case(number)
        groups["all"]["all"].append(outcome)
        groups["family"][outcome.family].append(outcome)
        groups["features"][outcome.n_features].append(outcome)
        size = " x ".join(map(str, data.X.shape))
        ratios = ", ".join(f"{ratio:.2g}" for ratio in outcome.ratios)
        cells = [number, data.kind, size, f"{data.noise:.0e}", outcome.family]
        cells += [f"{share:.1%}" for share in outcome.covered]
        print(row([*cells, ratios, f"{outcome.seconds:.1f}"]), flush=True)
    for title, group in groups.items():
        print_means(title, group)


if __name__ == "__main__":
    main()
