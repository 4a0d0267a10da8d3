"""Few points of several features: the default against what surrogates are usually made of.

    python -m examples.benchmarks.few_points [--sizes 50 100 200] [--functions NAME ...]

Twelve standard functions at optimised Latin hypercubes. Errors are root mean squares at 4000 random
points of the box over the standard deviation there, the median over designs. Rivals are two
Gaussian processes of scikit-learn, of anisotropic squared exponential and Matern 5/2 kernels with
three restarts, cubic radial functions with a linear tail, sparse polynomials by least angles, and
where SMT and OpenTURNS are installed the kriging of the one and the polynomial chaos of the other.
The best of them is chosen with the truth, for each function and size. Errors at edges are those of
the tenth of the fresh points that is nearest to a face; intervals are those of
``predict(X, return_std=True)``.
"""

import argparse
import time
import warnings
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.stats import gmean, qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern

from examples.benchmarks.methods import Problem
from examples.benchmarks.report import figure, head, heading, row
from examples.benchmarks.rivals_in_packages import fit_chaos, fit_kriging
from examples.benchmarks.rivals_of_scattered_points import fit_sparse_chaos
from examples.benchmarks.standard_functions import STANDARD
from skmsnn import SpectrumInformedMSNNRegressor

SIZES, DESIGNS, N_FRESH = (50, 100, 200), 3, 4000


def _process(kernel):
    def fit(X, y):
        whole = ConstantKernel(1.0, (1e-3, 1e5)) * kernel(np.ones(X.shape[1]))
        model = GaussianProcessRegressor(
            whole, alpha=1e-10, normalize_y=True, n_restarts_optimizer=3, random_state=0
        )
        return model.fit(X, y).predict

    return fit


def _squared_exponential(scales):
    return RBF(scales, (1e-2, 1e3))


def _matern(scales):
    return Matern(scales, (1e-2, 1e3), nu=2.5)


def _radial(X, y):
    return RBFInterpolator(X, y, kernel="cubic", degree=1)


def _of_problem(fit):
    return lambda X, y: fit(Problem(X, y, None, None, {})).predict


RIVALS = {
    "GP, squared exponential": _process(_squared_exponential),
    "GP, Matern 5/2": _process(_matern),
    "cubic RBF": _radial,
    "sparse chaos": _of_problem(fit_sparse_chaos),
    "KRG (SMT)": _of_problem(fit_kriging),
    "chaos (OpenTURNS)": _of_problem(fit_chaos),
}


class Outcome(NamedTuple):
    """Medians over the designs of one function and size."""

    error: float
    reported: float
    seconds: float
    best: float
    best_name: str
    process: float
    inside: float
    at_edge: float
    family: str


def _error(values, truth):
    return float(np.sqrt(np.mean((values - truth) ** 2)) / truth.std())


def _default(X, y, fresh, truth):
    model = SpectrumInformedMSNNRegressor(random_state=0)
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    values, std = model.predict(fresh, return_std=True)
    is_in = np.abs(values - truth) <= 1.96 * std
    to_face = np.minimum(fresh, 1 - fresh).min(axis=1)
    is_edge = to_face <= np.quantile(to_face, 0.1)
    reported = float(model.validation_errors_[-1])
    coverage = float(is_in[~is_edge].mean()), float(is_in[is_edge].mean())
    return _error(values, truth), reported, seconds, *coverage, model.stages_[0].family


def run(name, n, designs=DESIGNS, rivals=RIVALS):
    """The default and its rivals on a function, from so many points."""
    function, d = STANDARD[name]
    own, others = [], defaultdict(list)
    for seed in range(designs):
        rng = np.random.default_rng(seed)
        X = qmc.LatinHypercube(d, optimization="random-cd", rng=rng).random(n)
        fresh = np.random.default_rng(1000 + seed).random((N_FRESH, d))
        y, truth = function(X), function(fresh)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            own.append(_default(X, y, fresh, truth))
            for rival, fit in rivals.items():
                try:
                    found = _error(fit(X, y)(fresh), truth)
                except ImportError:
                    continue
                others[rival].append(found)
    errors = {rival: float(np.median(found)) for rival, found in others.items()}
    best = min(errors, key=errors.__getitem__)
    *figures, _ = zip(*own, strict=True)
    error, reported, seconds, inside, at_edge = map(float, map(np.median, figures))
    family = max({o[-1] for o in own}, key=[o[-1] for o in own].count)
    process = errors["GP, squared exponential"]
    return Outcome(error, reported, seconds, errors[best], best, process, inside, at_edge, family)


def print_summary(n, outcomes):
    """Medians and means over the functions."""
    ratios = [o.error / max(o.best, 1e-15) for o in outcomes]
    to_process = [o.error / o.process for o in outcomes]
    print(
        f"\nn = {n}: ours / best, median {np.median(ratios):.2g}, above 2 in "
        f"{sum(r > 2 for r in ratios)} of {len(ratios)}; ours / squared exponential GP, geometric "
        f"mean {gmean(to_process):.2g}; intervals of 95 % hold "
        f"{np.mean([o.inside for o in outcomes]):.3f} inside and "
        f"{np.mean([o.at_edge for o in outcomes]):.3f} at edges; "
        f"median {np.median([o.seconds for o in outcomes]):.2g} s, at most "
        f"{max(o.seconds for o in outcomes):.2g} s\n"
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--designs", type=int, default=DESIGNS)
    parser.add_argument("--functions", nargs="+", choices=list(STANDARD), default=list(STANDARD))
    options = parser.parse_args(arguments)
    print(heading(), end="\n\n")
    columns = ["function", "error", "reported", "family", "seconds", "best rival", "its error"]
    found = {}
    for n in options.sizes:
        print(head([*columns, "ratio"]))
        for name in options.functions:
            one = found[name, n] = run(name, n, options.designs)
            numbers = [figure(one.error), figure(one.reported), one.family, f"{one.seconds:.1f}"]
            ratio = f"{one.error / max(one.best, 1e-15):.2g}"
            print(row([name, *numbers, one.best_name, figure(one.best), ratio]), flush=True)
        print_summary(n, [one for (_, size), one in found.items() if size == n])
    return found


if __name__ == "__main__":
    main()
