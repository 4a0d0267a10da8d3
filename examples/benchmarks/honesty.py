"""Whether the held-out residual that a fit reports is its error on fresh points.

    python -m examples.benchmarks.honesty

Random functions on a grid, a grid with holes, or random points of a box: waves that the points
resolve or not, jumps, kinks, noise. It prints the reported residual, the error at fresh points of
the data's box, why the fit ended, and in how many cases the two are within a factor of ten; then
how fits of each kind ended. Waves beyond Nyquist on a grid look like slower ones: of those no
method can know more than that they may be there.
"""

import argparse
import warnings
from collections import Counter

import numpy as np

from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor

KINDS = ("smooth", "undersampled", "jump", "kink", "noise")
PLACES = ("grid", "holes", "scattered")


def function_of(kind, d, n, rng):
    """A random function on [-1, 1]^d, and the standard deviation of the noise."""
    fast = {"undersampled": 0.8}.get(kind, 0.15) * np.pi * n ** (1 / d)
    waves = rng.uniform(-1, 1, (4, d)) * fast / np.sqrt(d)
    phases, amplitudes = rng.uniform(0, 6, 4), rng.uniform(0.2, 1, 4)
    normal, at = rng.standard_normal(d), rng.uniform(-0.5, 0.5)

    def function(X):
        value = np.cos(X @ waves.T + phases) @ amplitudes
        if kind == "jump":
            value = value + (X @ normal > at)
        if kind == "kink":
            value = value + np.abs(X @ normal - at) ** 3
        return value

    return function, 10.0 ** rng.uniform(-6, -1) if kind == "noise" else 0.0


def points_of(place, n, d, rng):
    if place == "scattered":
        return rng.uniform(-1, 1, (n, d))
    side = round(n ** (1 / d))
    X = np.stack(np.meshgrid(*[np.linspace(-1, 1, side)] * d, indexing="ij"), -1).reshape(-1, d)
    return X if place == "grid" else X[rng.permutation(len(X))[: int(0.75 * len(X))]]


def run(number, max_iter):
    """Kind, place, n, d, reported residual, error on fresh points, reason."""
    rng = np.random.default_rng(number)
    kind, place = KINDS[number % len(KINDS)], PLACES[number % len(PLACES)]
    d = int(rng.integers(1, 4))
    n = int(rng.integers(200, 1500))
    function, noise = function_of(kind, d, n, rng)
    X = points_of(place, n, d, rng)
    fresh = rng.uniform(X.min(axis=0), X.max(axis=0), (2000, d))
    y = function(X) + noise * rng.standard_normal(len(X))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=max_iter).fit(X, y)
    # what is reported is held out from data with noise, and so are these
    rest = model.predict(fresh) - function(fresh) - noise * rng.standard_normal(len(fresh))
    error = np.sqrt(np.mean(rest**2) / np.mean(y**2))
    return kind, place, len(X), d, model.validation_norms_[-1], error, model.stop_reason_, len(told)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=50)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--max-iter", type=int, default=None, help="of trained networks")
    options = parser.parse_args(arguments)
    titles = ["function", "points", "n", "d", "reported", "fresh", "end", "within 10x"]
    print(f"{heading()}\n\n{head(titles)}")
    close = silent = 0
    ends = {kind: Counter() for kind in KINDS}
    for number in range(options.first, options.first + options.cases):
        *what, reported, error, reason, n_told = run(number, options.max_iter)
        good = 0.1 <= (error + 1e-16) / (reported + 1e-16) <= 10
        close += good
        ends[what[0]][reason] += 1
        silent += error > 1e-7 and n_told == 0
        cells = [*what, figure(reported), figure(error), reason, "yes" if good else "NO"]
        print(row(cells), flush=True)
    print(f"\nwithin 10x in {close} of {options.cases} cases; {silent} poor fits without a warning")
    for kind, counts in ends.items():
        print(f"{kind}: " + ", ".join(f"{reason} {n}" for reason, n in counts.most_common()))
    return close, silent


if __name__ == "__main__":
    main()
