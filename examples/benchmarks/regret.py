"""The error of the default over that of the best of its own sets of functions.

    python -m examples.benchmarks.regret

Random functions of several scales: a smooth one, and up to three plane waves of any amplitude from
1e-6 to 1 and up to 0.45 of the mean Nyquist wave number. For each it prints the relative error of
the default at fresh points, that of the best of the sets that it chooses from, which is known only
with the truth, and the ratio of both; then how many ratios are small, and the largest ones. All
errors have the rounding of y added, below which they say nothing.
"""

import argparse
import time
import warnings
from typing import NamedTuple

import numpy as np

from examples.benchmarks.random_cases import points
from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn._arguments import stage_options_of
from skmsnn.domain import Points, find_grid, scaled_nodes
from skmsnn.families.ladders import WIDTH, ball_frames, growing
from skmsnn.families.lattices import BallSet, FittedWaves, lattice_ladders, radii_of
from skmsnn.families.waves import ROWS_AN_UNKNOWN, Look
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.polynomial import total_degree_terms
from skmsnn.metrics import relative_l2_error
from skmsnn.selection.problem import StageProblem, unwatched
from skmsnn.selection.trace import Trace
from skmsnn.spaces.axes import BasisAxis, SplineAxis
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import PolynomialFrame
from skmsnn.spaces.tensor import TensorFit
from skmsnn.validation.split import DataSplit, Residuals

# Points in one, two and three dimensions, at least and at most.
N_POINTS = {1: (200, 1500), 2: (400, 2000), 3: (600, 2000)}
# Required shares of cases within each ratio.
GOALS = {10: 0.95, 100: 1.0}
_FRESH, _MOST_TERMS, _MOST_DEGREE, _PLACES = 2000, 700, 8, ("grid", "holes", "scattered")


class Outcome(NamedTuple):
    number: int
    size: str
    place: str
    n_waves: int
    error: float
    best: float
    label: str
    family: str
    seconds: float

    @property
    def ratio(self):
        return self.error / min(self.best, self.error)


def smooth(rng, d):
    """A function without fast waves: exponential, front, peak or product."""
    direction = rng.standard_normal(d)
    direction *= rng.uniform(0.5, 3) / np.linalg.norm(direction)
    other, centre = rng.uniform(-2, 2, d), rng.uniform(-0.5, 0.5, d)
    kinds = (
        lambda X: np.exp(np.sin(X @ direction) * (X @ other)),
        lambda X: np.tanh(X @ direction + 0.5 * np.sin(X @ other)),
        lambda X: 1 / (1 + np.sum((X - centre) ** 2, axis=1)),
        lambda X: np.cos(X @ direction) * np.exp(X @ other / 2),
    )
    return kinds[rng.integers(len(kinds))]


def plane_waves(rng, d, n, nyquist):
    """The sum of n waves up to 0.45 of a wave number."""
    vectors = rng.standard_normal((n, d))
    vectors *= rng.uniform(0.05, 0.45, (n, 1)) * nyquist / np.linalg.norm(vectors, axis=1)[:, None]
    phases, amplitudes = rng.uniform(0, 6, n), 10 ** rng.uniform(-6, 0, n)
    return lambda X: np.cos(X @ vectors.T + phases) @ amplitudes


def case(number):
    """Points, fresh points, the function, and what they are."""
    rng = np.random.default_rng(number)
    d, place = 1 + number % 3, _PLACES[number // 3 % 3]
    n = int(np.exp(rng.uniform(*np.log(N_POINTS[d]))))
    X = points(rng, n, d, place)
    n_waves = int(rng.integers(4))
    gentle, fast = smooth(rng, d), plane_waves(rng, d, n_waves, np.pi / 2 * n ** (1 / d))
    return X, rng.uniform(-1, 1, (_FRESH, d)), lambda X: gentle(X) + fast(X), place, n_waves


def problem_of(domain, grid, x, y):
    """The problem of a first stage, of which all points are fitted and asked."""
    weight = np.ones(len(x))
    points = DataSplit(
        domain, grid, x, weight, weight, Points(x, weight), levels={}, leaves_out=False
    )
    (options, *_) = stage_options_of(SpectrumInformedMSNNRegressor())
    return StageProblem(options, points, Residuals(y, y, y), 0, unwatched, Trace())


def sets(domain, X, y):
    """Fits of all points, prepared, and their names."""
    x, weight, d = domain.scale(X), np.ones(len(X)), X.shape[1]
    grid = find_grid(X)
    problem = problem_of(domain, grid, x, y)
    look = Look(x, problem.target, weight, domain.periodic, np.random.RandomState(0))
    most = min(len(x) // ROWS_AN_UNKNOWN, _MOST_TERMS)
    waves, _ = look.past(ball_frames(domain.periodic, most))
    ladder = [candidate for ladder in lattice_ladders(problem) for candidate in ladder]
    if len(waves) and not (grid is not None and grid.is_complete):
        scattered = problem_of(domain, None, x, y)
        radii, fixed = radii_of(scattered), FittedWaves(waves, look)
        sets = (BallSet(scattered, radii, at, WIDTH, waves=fixed) for at in range(len(radii)))
        more = (one.candidate() for one in sets)
        ladder += [candidate for candidate in more if candidate.n_terms < len(x)]
    for candidate in ladder:
        yield candidate.label, candidate.fit(problem.target, weight).linear
    if grid is not None and grid.is_complete:
        nodes = scaled_nodes(domain, grid)
        least = min(grid.shape)
        axes = [[BasisAxis(a, LegendreBasis(k)) for a in nodes] for k in growing(least - 1)]
        axes += [[SplineAxis(a, k) for a in nodes] for k in (1, 3, 5, 7) if k < least - 2]
        for one in axes:
            yield one[0].label, TensorFit(one, grid.shape, grid.index, weight)
    for degree in range(_MOST_DEGREE + 1):
        terms = total_degree_terms(np.full(d, degree), degree)
        if len(terms) <= len(x) / 2:
            yield f"total degree {degree}", DenseFit(x, weight, PolynomialFrame(terms))


def run(number, **parameters):
    """Fit the case of that number, and the sets."""
    X, fresh, function, place, n_waves = case(number)
    y, truth = function(X), function(fresh)
    start = time.process_time()
    model = SpectrumInformedMSNNRegressor(random_state=0, **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    seconds = time.process_time() - start
    rounding = 4 * np.finfo(float).eps * np.abs(y).max() / np.sqrt(np.mean(truth**2))
    error = relative_l2_error(truth, model.predict(fresh)) + rounding
    best, label = error, "the default"
    x, asked, target = model.domain_.scale(X), model.domain_.scale(fresh), y[:, None]
    for name, fit in sets(model.domain_, X, target):
        # what a first stage leaves is the target of a second one
        one = fit.solve(target)
        two = fit.solve(target - one.evaluate(x))
        values = one.evaluate(asked) + two.evaluate(asked)
        other = relative_l2_error(truth, values[:, 0]) + rounding
        best, label = min((best, label), (other, name))
    size = " x ".join(map(str, X.shape))
    family = model.stages_[0].family if model.stages_ else "-"
    return Outcome(number, size, place, n_waves, error, best, label, family, seconds)


def print_summary(outcomes):
    print()
    for most, goal in GOALS.items():
        share = np.mean([outcome.ratio <= most for outcome in outcomes])
        print(f"at most {most} times the best: {share:.1%} (goal {goal:.0%})")
    worst = sorted(outcomes, key=lambda outcome: -outcome.ratio)[:5]
    print("the largest:", ", ".join(f"{o.ratio:.2g} (number {o.number})" for o in worst))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--max-iter", type=int, default=None, help="of trained networks")
    options = parser.parse_args(arguments)
    titles = ["number", "points", "place", "waves", "default", "family", "CPU seconds", "best"]
    print(f"{heading()}\n\n{head([*titles, 'set', 'ratio'])}")
    outcomes = []
    for number in range(options.first, options.first + options.cases):
        o = run(number, max_iter=options.max_iter)
        outcomes.append(o)
        cells = [o.number, o.size, o.place, o.n_waves, figure(o.error), o.family]
        cells += [f"{o.seconds:.1f}", figure(o.best), o.label, f"{o.ratio:.2g}"]
        print(row(cells), flush=True)
    print_summary(outcomes)
    return outcomes


if __name__ == "__main__":
    main()
