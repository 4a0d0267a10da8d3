"""Data whose error a fit can easily misjudge: true error, reported error, and how a fit ended.

    python -m examples.benchmarks.hard_cases [--rows 1 4 ...] [--quick] [--json FILE]

Every row is one kind of data with several members. Errors are root mean squares over the standard
deviation of y, at fresh points that fall uniformly in the box of the data, and at others near its
faces ("edges"); the reported error is the last of ``validation_errors_``. With noise, the ratio
compares the reported error with that of noisy fresh values. ``--before FILE`` adds the errors of
an earlier run. ``--noise-free`` counts how many fits of twelve standard functions without noise
end with the reason "noise".
"""

import argparse
import json
import time
import warnings
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import qmc

from examples.benchmarks import hard_problems_on_grids as grids
from examples.benchmarks import hard_problems_scattered as clouds
from examples.benchmarks.report import figure, head, heading, row
from examples.benchmarks.standard_functions import STANDARD
from skmsnn import SpectrumInformedMSNNRegressor

KINDS = {
    1: ("few scattered points of an analytic function", clouds.FEW_POINTS),
    2: ("few scattered points, a logarithm or root outside", clouds.NEAR_LOGARITHM),
    3: ("few scattered points, a curve of poles outside", clouds.CURVED_POLES),
    4: ("grid with holes and a narrow feature", grids.HOLES),
    5: ("weak aliased harmonic", grids.WEAK_HARMONICS),
    6: ("singular at a point inside", clouds.POINT_SINGULARITY),
    7: ("table that is a spline", grids.SPLINES),
    8: ("fronts of several widths, few rows", grids.FRONTS),
    9: ("levels with different points each", grids.RAGGED_LEVELS),
    10: ("singular just outside a corner or face", clouds.OUTSIDE_A_CORNER),
    11: ("few uneven levels", grids.UNEVEN_LEVELS),
    12: ("noise with few points, and none", clouds.NOISY + clouds.NOISE_FREE),
}
# A reported error may be a tenth of the true one, and a hundred times it.
MOST_OPTIMISTIC, MOST_PESSIMISTIC = 10, 100
_ROUNDING = 1e-15
SIZES_NOISE_FREE, SEEDS_NOISE_FREE = (50, 100, 200), 3


@dataclass
class Outcome:
    row: int
    member: str
    size: str
    seed: int
    error: float
    edges: float
    reported: float
    ratio: float
    winner: str
    reason: str
    warned: bool
    seconds: float
    marks: list

    @property
    def key(self):
        return f"{self.row} {self.member} {self.seed}"


def near_faces(X, rng):
    """Points of which one feature, by turns, is moved to the outer 2.5 % of its range."""
    X, low, width = X.copy(), X.min(axis=0), np.ptp(X, axis=0)
    rows, which = np.arange(len(X)), np.arange(len(X)) % X.shape[1]
    depth = rng.uniform(0, 0.025, len(X))
    depth = np.where(rng.random(len(X)) < 0.5, depth, 1 - depth)
    X[rows, which] = low[which] + depth * width[which]
    return X


def run(number, problem, seed, **parameters):
    """Fit one draw of a problem of that row."""
    data = problem.draw(np.random.default_rng([number, seed]))
    rng = np.random.default_rng([number, seed, 1])
    model = SpectrumInformedMSNNRegressor(random_state=seed, **parameters)
    start = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(data.X, data.y)
    seconds = time.process_time() - start
    fresh, edges = data.fresh, near_faces(data.fresh, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        errors = [model.predict(at) - data.truth(at) for at in (fresh, edges)]
    inside, at_edges = (float(np.sqrt(np.mean(e**2)) / data.y.std()) for e in errors)
    reported = float((model.validation_errors_ or model.train_errors_)[-1])
    noisy = np.hypot(inside, data.noise / data.y.std())
    ratio = float((noisy + _ROUNDING) / (reported + _ROUNDING))
    winner = model.stage_summaries_[0] if model.stage_summaries_ else "-"
    warned = bool(caught)
    marks = [
        name
        for name, is_so in [
            ("optimistic", ratio > MOST_OPTIMISTIC),
            ("pessimistic", ratio < 1 / MOST_PESSIMISTIC),
            ("SILENT", ratio > MOST_OPTIMISTIC and inside > model.tol and not warned),
            ("wrong reason", problem.is_wrong_reason(model.stop_reason_)),
        ]
        if is_so
    ]
    size = " x ".join(map(str, data.X.shape))
    end = [winner, model.stop_reason_, warned, seconds, marks]
    return Outcome(number, problem.name, size, seed, inside, at_edges, reported, ratio, *end)


def noise_free(max_iter=None, functions=STANDARD, sizes=SIZES_NOISE_FREE, seeds=SEEDS_NOISE_FREE):
    """Print how fits of standard functions without noise end, and count the reasons."""
    print(head(["function", "n", "seed", "error", "reported", "winner", "end", "CPU seconds"]))
    reasons = Counter()
    for name, (function, d) in functions.items():
        for n in sizes:
            for seed in range(seeds):
                design = qmc.LatinHypercube(d, optimization="random-cd", rng=seed)
                X, fresh = design.random(n), np.random.default_rng(seed).random((4000, d))
                y = function(X)
                model = SpectrumInformedMSNNRegressor(random_state=seed, max_iter=max_iter)
                start = time.process_time()
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    rest = model.fit(X, y).predict(fresh) - function(fresh)
                seconds = time.process_time() - start
                reasons[model.stop_reason_] += 1
                reported = (model.validation_errors_ or model.train_errors_)[-1]
                figures = [figure(np.sqrt(np.mean(rest**2)) / y.std()), figure(reported)]
                end = [model.stage_summaries_[0], model.stop_reason_, f"{seconds:.1f}"]
                print(row([name, n, seed, *figures, *end]), flush=True)
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    print(f"\n{reasons['noise']} of {reasons.total()} end with the reason noise; all: {counts}")
    return reasons


def print_summary(outcomes, before):
    titles = ["row", "kind", "fits", "median error", "largest", "edges", "largest ratio"]
    titles += ["least ratio", "optimistic", "SILENT", "wrong reason", "CPU seconds"]
    titles += ["before / now"] * bool(before)
    print("\n" + head(titles))
    by_row = defaultdict(list)
    for outcome in outcomes:
        by_row[outcome.row].append(outcome)
    for number, those in by_row.items():
        errors, ratios = [o.error for o in those], [o.ratio for o in those]
        counts = Counter(mark for o in those for mark in o.marks)
        cells = [number, KINDS[number][0], len(those), figure(np.median(errors))]
        cells += [figure(max(errors)), figure(max(o.edges for o in those))]
        cells += [f"{max(ratios):.2g}", f"{min(ratios):.2g}"]
        cells += [counts["optimistic"], counts["SILENT"], counts["wrong reason"]]
        cells += [f"{sum(o.seconds for o in those):.1f}"]
        if before:
            gains = [
                np.log((before[o.key]["error"] + _ROUNDING) / (o.error + _ROUNDING))
                for o in those
                if o.key in before
            ]
            cells.append(f"{np.exp(np.mean(gains)):.2g}" if gains else "-")
        print(row(cells))
    total = len(outcomes)
    honest = sum(o.ratio <= MOST_OPTIMISTIC for o in outcomes)
    silent = sum("SILENT" in o.marks for o in outcomes)
    print(f"\ntrue error at most {MOST_OPTIMISTIC} times the reported one: {honest / total:.1%}")
    print(f"silent: {silent} of {total}; {sum(o.seconds for o in outcomes):.0f} CPU seconds in all")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="*", choices=KINDS, help="all if none")
    parser.add_argument("--quick", action="store_true", help="the first two members, one draw")
    parser.add_argument("--first-seed", type=int, default=0, help="of other draws")
    parser.add_argument("--json", type=Path, help="file to write the outcomes to")
    parser.add_argument("--before", type=Path, help="file of an earlier run to compare with")
    parser.add_argument("--noise-free", action="store_true", help="count wrong reasons instead")
    parser.add_argument("--max-iter", type=int, default=None, help="of trained networks")
    options = parser.parse_args(arguments)
    print(f"{heading()}\n")
    if options.noise_free:
        return noise_free(options.max_iter)
    before = {}
    if options.before:
        before = {o["key"]: o for o in json.loads(options.before.read_text())}
    titles = ["row", "member", "size", "seed", "error", "edges", "reported", "ratio"]
    titles += ["before"] * bool(before) + ["winner", "end", "warned", "CPU seconds", ""]
    outcomes = []
    for number in options.rows or KINDS:
        kind, problems = KINDS[number]
        print(f"{number}. {kind}\n\n{head(titles)}")
        for problem in problems[:2] if options.quick else problems:
            for seed in range(1 if options.quick else problem.seeds):
                o = run(number, problem, options.first_seed + seed, max_iter=options.max_iter)
                outcomes.append(o)
                cells = [number, o.member, o.size, o.seed, figure(o.error), figure(o.edges)]
                cells += [figure(o.reported), f"{o.ratio:.2g}"]
                if before:
                    cells.append(figure(before.get(o.key, {}).get("error")))
                cells += [o.winner, o.reason, "yes" if o.warned else "no", f"{o.seconds:.1f}"]
                print(row([*cells, ", ".join(o.marks)]), flush=True)
        print()
    print_summary(outcomes, before)
    if options.json:
        kept = [{"key": o.key, **asdict(o)} for o in outcomes]
        options.json.write_text(json.dumps(kept, indent=1))
    return outcomes


if __name__ == "__main__":
    main()
