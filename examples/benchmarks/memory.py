"""Memory that a fit of many points takes, and what many fits leave behind.

    python -m examples.benchmarks.memory

fits and predicts 10^6 points in processes that may take no more than a bound for it, beyond the
data and what the libraries take, and prints the peak; then it fits small models in a loop and
prints by how much the process grows. Linux only, where a process can be held to a limit.
"""

import argparse
import resource
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np

from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

TURN = 2 * np.pi
MIB = 2**20


def _waves(X):
    return np.exp(np.sin(X[:, 0])) * np.cos(3 * X[:, 1:].sum(axis=1) - X[:, 0])


def _grid(n, d):
    side = round(n ** (1 / d))
    axis = TURN * np.arange(side) / side
    return np.stack(np.meshgrid(*[axis] * d, indexing="ij"), axis=-1).reshape(-1, d)


def _scattered(n, d):
    return np.random.default_rng(0).uniform(0, TURN, (n, d))


def _holes(n, d):
    X = _grid(n, d)
    return X[np.random.default_rng(0).random(len(X)) < 0.8]


# name, points, dimensions, period
CASES = {
    "grid": (_grid, 2, "auto"),
    "grid with holes": (_holes, 2, "auto"),
    "scattered, periodic": (_scattered, 2, TURN),
    "scattered": (_scattered, 2, None),
    "scattered, 1-D": (_scattered, 1, None),
    "scattered, 3-D, periodic": (_scattered, 3, TURN),
    "scattered, 3-D": (_scattered, 3, None),
    "scattered, 5-D": (_scattered, 5, None),
}


def _status(name):
    """A line of the kernel's account of this process, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name + ":")) / 1024


def fit_within(name, n_points, limit):
    """Fit and predict a case, held to a limit; prints held-out error, end and peak."""
    points, d, period = CASES[name]
    X = points(n_points, d)
    y = _waves(X)
    warnings.simplefilter("ignore")
    # threads and caches of the libraries
    SpectrumInformedMSNNRegressor(random_state=0).fit(X[:500], y[:500])
    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _status("VmRSS")
    most = int((_status("VmData") + limit) * MIB)
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    model = SpectrumInformedMSNNRegressor(random_state=0, period=period).fit(X, y)
    model.predict(X)
    peak = _status("VmHWM") - before
    fresh = np.random.default_rng(1).uniform(0, TURN, (5000, d))
    error = relative_l2_error(_waves(fresh), model.predict(fresh))
    print(len(X), error, model.stop_reason_, peak, sep=",")


def print_peaks(names, n_points, limit):
    print(head(["points", "n", "d", "held-out", "end", "peak, MiB", "bound, MiB"]))
    all_within = True
    for name in names:
        command = [sys.executable, "-m", __spec__.name, "--case", name, "--points", str(n_points)]
        done = subprocess.run([*command, "--bound", str(limit)], capture_output=True, text=True)
        cells = [name, n_points, CASES[name][1]]
        if done.returncode:
            all_within = False
            reason = done.stderr.strip().splitlines()[-1]
            print(row([*cells, "", reason, f"over {limit:.0f}", f"{limit:.0f}"]), flush=True)
            continue
        n, error, reason, peak = done.stdout.strip().split(",")
        all_within &= reason != "memory"
        cells[1] = n
        cells += [figure(float(error)), reason, f"{float(peak):.0f}", f"{limit:.0f}"]
        print(row(cells), flush=True)
    return all_within


def growth(n_fits):
    """MiB by which this process grows over so many fits, after a tenth as many."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (400, 2))
    y = np.exp(X[:, 0]) * X[:, 1]
    settings = [
        {},
        {"n_modes": 4, "hidden_layer_sizes": (4,), "max_iter": 2},
        {"n_modes": 4, "hidden_layer_sizes": (4,), "max_iter": 2, "solver": "adam"},
    ]

    def fits(n):
        for number in range(n):
            parameters = settings[number % len(settings)]
            model = SpectrumInformedMSNNRegressor(random_state=number, tol=1.0, n_stages=2)
            model.set_params(**parameters).fit(X, y).predict(X)
        return _status("VmRSS")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = fits(max(3, n_fits // 10))
        return fits(n_fits) - before


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10**6)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument(
        "--bound", type=float, default=4096, help="MiB beyond the data and the libraries (4096)"
    )
    options = parser.parse_args(arguments)
    if options.case:
        fit_within(options.case, options.points, options.bound)
        return True
    print(f"{heading()}\n")
    all_within = print_peaks(options.cases, options.points, options.bound)
    print(f"\n{options.fits} fits: {growth(options.fits):+.1f} MiB")
    return all_within


if __name__ == "__main__":
    main()
