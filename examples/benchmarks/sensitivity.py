"""What half and twice each number that decides does to errors and times.

    python -m examples.benchmarks.sensitivity [--numbers NAME ...] [--cases 17] [--output FOLDER]

The numbers are those that have a name at the top of a module of the package; of ratios next to one,
and of shares, the distance from one is halved and doubled. Each setting fits the same random data
of every kind of ``random_cases`` and some cases of the benchmark, in a process of its own. Printed
are, over the package as it is, the geometric mean and the largest of the ratios of the true errors
at fresh points, the ratio of the times, and how many fits were more than ten times worse than they
told without a warning. A number from which others are computed on import is changed without those.
Finished settings are kept in the folder.
"""

import argparse
import ast
import importlib
import json
import multiprocessing
import pkgutil
import sys
import warnings
from pathlib import Path

import numpy as np

import skmsnn
from examples.benchmarks import honesty
from examples.benchmarks.accuracy import measure
from examples.benchmarks.cases import CASES
from examples.benchmarks.report import head, heading, row

OF_THE_BENCHMARK = (
    "front and wave, 1e-3",
    "three resonances",
    "van der Pol",
    "waves, 80 %",
    "growth and switch",
    "curved waves 4000",
    "bump and ripple",
    "OTL circuit, d = 6",
    "Genz product peak, d = 5",
)
# Rounding of values: errors below differ by chance.
ROUNDING = 1e-14


def modules():
    """The modules of the package that need no optional dependency."""
    for found in pkgutil.walk_packages(skmsnn.__path__, "skmsnn."):
        if found.name.split(".")[1] not in ("xarray", "cli", "__main__"):
            yield importlib.import_module(found.name)


def numbers():
    """Name of each number, as ``module.NAME``, and its value."""
    found = {}
    for module in modules():
        for statement in ast.parse(Path(module.__file__).read_text(encoding="utf-8")).body:
            if isinstance(statement, ast.Assign):
                for node in ast.walk(statement.targets[0]):
                    value = getattr(module, node.id, None) if isinstance(node, ast.Name) else None
                    if type(value) in (int, float):
                        found[f"{module.__name__}.{node.id}"] = value
    return found


def changed(value, factor):
    """A number times a factor; of ratios next to one, and of shares, the distance from one."""
    if isinstance(value, int):
        return max(1, round(value * factor))
    if 1 < value < 3:
        return 1 + (value - 1) * factor
    if 0.5 < value < 1:
        return 1 - (1 - value) / factor
    return value * factor


def put(name, factor):
    """Change a number in all modules that have it."""
    module, _, short = name.rpartition(".")
    value = getattr(importlib.import_module(module), short)
    new = changed(value, factor)
    for other in modules():
        if getattr(other, short, None) == value:
            setattr(other, short, new)


def errors_and_seconds(setting):
    """Of all cases with one number changed: errors, seconds, and how many told too little.

    Infinite errors where a fit fails.
    """
    name, factor, n_cases, first = setting
    warnings.simplefilter("ignore")
    if name:
        put(name, factor)
    errors, seconds, silent = [], [], 0
    for number in range(first, first + n_cases):
        outcome = _or_none(honesty.run, number)
        errors.append(outcome.error if outcome else np.inf)
        seconds.append(outcome.seconds if outcome else 0.0)
        silent += bool(outcome and outcome.is_silent)
    for case in OF_THE_BENCHMARK:
        error, took, _ = _or_none(measure, CASES[case], 0, 1.0) or (np.inf, 0.0, None)
        errors.append(error)
        seconds.append(took)
    return [name, factor, errors, seconds, silent]


def _or_none(function, *arguments):
    try:
        return function(*arguments)
    except Exception as error:  # a fit for which the number is out of the question
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return None


def compared(result, reference):
    """Cells of a row: ratios to the package as it is."""
    ratios = np.add(result[2], ROUNDING) / np.add(reference[2], ROUNDING)
    typical, worst = np.exp(np.mean(np.log(ratios))), ratios.max()
    time = sum(result[3]) / sum(reference[3])
    return [f"{typical:.2f}", f"{worst:.2g}", f"{time:.2f}", result[4] - reference[4]]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--numbers", nargs="*", help="ends of names (all)")
    parser.add_argument("--cases", type=int, default=17, help="random data (17, one of each kind)")
    parser.add_argument("--first", type=int, default=6000, help="number of the first (6000)")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--output", type=Path, help="folder in which finished settings are kept")
    options = parser.parse_args(arguments)
    values = numbers()
    if options.numbers is not None:
        values = {k: v for k, v in values.items() if k.endswith(tuple(options.numbers))}
        if not values:
            sys.exit("no number has such a name")
    settings = [("", 1.0), *((name, factor) for name in values for factor in (0.5, 2.0))]
    kept = options.output / "sensitivity.jsonl" if options.output else None
    done = {}
    if kept and kept.exists():
        for line in kept.read_text().splitlines():
            result = json.loads(line)
            done[tuple(result[:2])] = result
    left = [(*s, options.cases, options.first) for s in settings if s not in done]
    context = multiprocessing.get_context("spawn")
    with context.Pool(options.jobs, maxtasksperchild=1) as pool:
        for result in pool.imap_unordered(errors_and_seconds, left):
            done[tuple(result[:2])] = result
            if kept:
                kept.parent.mkdir(parents=True, exist_ok=True)
                with kept.open("a") as file:
                    file.write(json.dumps(result) + "\n")
    told = ("error", "worst", "time", "silent")
    titles = [f"{title}, {by}" for by in ("half", "twice") for title in told]
    print(f"{heading()}\n\n{head(['number', 'value', *titles])}")
    for name, value in values.items():
        cells = [compared(done[name, factor], done["", 1.0]) for factor in (0.5, 2.0)]
        print(row([name.removeprefix("skmsnn."), f"{value:g}", *cells[0], *cells[1]]))


if __name__ == "__main__":
    main()
