"""Whether the residual that a fit reports is its error on fresh points, and its reason is right.

    python -m examples.benchmarks.honesty

Random data of every kind in ``random_cases``, or with ``--kinds difficult`` of those in
``difficult_cases``, whose sampling hides part of the error. It prints for each the reported
residual, the error at fresh points relative to the spread of y, and why the fit ended; then how
many kept to each of three rules, how many fresh values are in intervals of 95 % about predictions,
and how fits of each kind ended.

Both figures have the rounding of y added, below which neither says anything. Cases of which the
data cannot tell the error, as of waves beyond the Nyquist limit, count for the words alone.
"""

import argparse
import time
import warnings
from collections import Counter, defaultdict
from typing import NamedTuple

import numpy as np

from examples.benchmarks import difficult_cases, random_cases
from examples.benchmarks.random_cases import CONVERGED
from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import FewLevelsWarning

CASES = {"basic": random_cases.case, "difficult": difficult_cases.case}
# A fit may report a tenth of its error, and a hundred times of it.
MOST_OPTIMISTIC, MOST_PESSIMISTIC = 10, 100


class Outcome(NamedTuple):
    kind: str
    size: str
    reported: float
    error: float
    reason: str
    warned: bool
    knowable: bool
    right: frozenset
    seconds: float
    rounding: float
    tol: float
    covered: float = np.nan
    number: int = -1

    @property
    def is_optimistic(self):
        return self.error + self.rounding > MOST_OPTIMISTIC * (self.reported + self.rounding)

    @property
    def is_pessimistic(self):
        return self.reported + self.rounding > MOST_PESSIMISTIC * (self.error + self.rounding)

    @property
    def is_silent(self):
        return self.is_optimistic and self.error > self.tol and not self.warned

    @property
    def is_wrong_word(self):
        is_done = self.reason in CONVERGED and self.error <= self.tol
        return bool(self.right) and self.reason not in self.right and not is_done


def relative(rest, y):
    """Root mean square over points and outputs, each relative to the spread of that output."""
    spread = y.std(axis=0)
    return float(np.sqrt(np.mean((rest / np.where(spread > 0, spread, 1)) ** 2)))


def run(number, kinds="basic", **parameters):
    """Fit the case of that number."""
    kind, data = CASES[kinds](number)
    model = SpectrumInformedMSNNRegressor(random_state=0, **{**parameters, **data.parameters})
    start = time.process_time()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(data.X, data.y)
    seconds = time.process_time() - start
    # what is reported is held out from data with noise, and so are these
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fresh points may lie in a hole of the data
        values, std = model.predict(data.fresh, return_std=True)
    rest = values - data.truth(data.fresh)
    rest -= data.noise * np.random.default_rng(number).standard_normal(rest.shape)
    few_levels = any(issubclass(w.category, FewLevelsWarning) for w in told)
    size = np.abs(data.y).max() / (data.y.std() or 1)
    return Outcome(
        kind,
        " x ".join(map(str, data.X.shape)),
        (model.validation_errors_ or model.train_errors_)[-1],
        relative(rest, data.y),
        "few levels" if few_levels else model.stop_reason_,
        bool(told),
        data.knowable,
        data.right,
        seconds,
        4 * np.finfo(float).eps * max(size, 1),
        model.tol,
        float(np.mean(np.abs(rest) <= 1.96 * std)),
        number,
    )


def print_summary(outcomes):
    knowable = [o for o in outcomes if o.knowable]
    total = len(knowable)
    optimistic = sum(o.is_optimistic for o in knowable)
    pessimistic = sum(o.is_pessimistic for o in knowable)
    print(f"\n{sum(o.seconds for o in outcomes):.0f} CPU seconds in all")
    silent = [o for o in outcomes if o.is_silent]
    labelled = [o for o in outcomes if o.right]
    wrong = sum(o.is_wrong_word for o in labelled)
    print(f"\nerror at most {MOST_OPTIMISTIC} times the reported: {total - optimistic} of {total}")
    print(f"reported at most {MOST_PESSIMISTIC} times the error: {total - pessimistic} of {total}")
    print(f"worse than that and than tol without a warning: {len(silent)} of {len(outcomes)}")
    print(f"right reasons: {len(labelled) - wrong} of {len(labelled)}")
    share = (total - optimistic) / max(total, 1)
    print(f"true error at most {MOST_OPTIMISTIC} times the reported one: {share:.1%}")
    print(f"silent cases: {', '.join(f'{o.number} ({o.kind})' for o in silent) or 'none'}\n")
    shares = defaultdict(list)
    for outcome in knowable:
        shares[outcome.kind].append(outcome.covered)
    covered = np.mean([outcome.covered for outcome in knowable])
    print(f"intervals of 95 % hold {covered:.1%} of fresh values; of each kind:\n")
    print(head([*shares]))
    print(row([f"{np.mean(those):.1%}" for those in shares.values()]) + "\n")
    reasons = sorted({o.reason for o in outcomes})
    print(head(["", *reasons, "right"]))
    by_kind = defaultdict(list)
    for outcome in labelled:
        by_kind[outcome.kind].append(outcome)
    for kind, those in by_kind.items():
        counts = Counter(o.reason for o in those)
        right = sum(not o.is_wrong_word for o in those)
        print(row([kind, *(counts[r] or "" for r in reasons), f"{right} of {len(those)}"]))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kinds", choices=CASES, default="basic")
    parser.add_argument("--cases", type=int, default=272)
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument("--max-iter", type=int, default=None, help="of trained networks")
    options = parser.parse_args(arguments)
    titles = ["number", "kind", "points", "reported", "fresh", "end", "warned", "CPU seconds", ""]
    print(f"{heading()}\n\n{head(titles)}")
    outcomes = []
    for number in range(options.first, options.first + options.cases):
        outcome = run(number, options.kinds, max_iter=options.max_iter)
        outcomes.append(outcome)
        marks = [
            name
            for name, is_so in [
                ("optimistic", outcome.knowable and outcome.is_optimistic),
                ("pessimistic", outcome.knowable and outcome.is_pessimistic),
                ("SILENT", outcome.is_silent),
                ("wrong word", outcome.is_wrong_word),
            ]
            if is_so
        ]
        figures = [figure(outcome.reported), figure(outcome.error), outcome.reason]
        cells = [number, outcome.kind, outcome.size, *figures]
        cells += ["yes" if outcome.warned else "no", f"{outcome.seconds:.1f}", ", ".join(marks)]
        print(row(cells), flush=True)
    print_summary(outcomes)
    return outcomes


if __name__ == "__main__":
    main()
