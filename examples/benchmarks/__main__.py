"""The default estimator against what a user would pick instead.

    python -m examples.benchmarks --output results

measures every method of ``competitors.py`` on every case of ``cases.py``: the same points, the same
5000 fresh points, each in a process of its own that is ended after a minute, or less where the
method says so. It prints one table a case, a summary and what was skipped, and writes them as
Markdown and JSON beside two pictures. Cases, methods and size can be chosen; ``--growth`` adds the
cost against the number of points. What is finished is kept in the folder, and a run that was
interrupted goes on from there. Measurements run side by side, one a core and of one thread each,
unless ``--jobs`` says otherwise.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from examples.benchmarks.cases import CASES
from examples.benchmarks.competitors import COMPETITORS, DEFAULT
from examples.benchmarks.report import count_cores, figure, head, heading, row
from examples.benchmarks.runner import crew

ROUND_OFF, CLOSE = 1e-13, 3.0
GROWTH = {
    "turbulence 256": (0.0156, 0.0625, 0.25, 1.0),
    "curved waves 65536": (0.0156, 0.0625, 0.25, 1.0, 15.26),
    "three waves, scattered": (0.0156, 0.0625, 0.25, 1.0, 15.63),
    "Genz oscillatory, d = 5": (0.2, 1.0, 4.0, 20.0),
}
NAMED_AT_MOST = 6
GROWING = (DEFAULT, "RBF interpolator", "Nystroem + Ridge", "Chebyshev least squares", "grid cubic")


def table(results):
    """All methods on one case, the smallest error first; then those without one."""
    done = sorted((r for r in results if r.error is not None), key=lambda r: r.error)
    lines = [
        head(
            [
                "method",
                "L2 error",
                "max error",
                "gradient error",
                "fit, s",
                "predict 10^5, s",
                "bytes",
            ]
        )
    ]
    for r in done:
        name = f"**{r.competitor}**" if r.competitor == DEFAULT else r.competitor
        numbers = [figure(r.error), figure(r.max_error), figure(r.gradient_error)]
        times = [f"{r.fit_seconds:.2g}", f"{r.predict_seconds:.2g}"]
        name = f"{name}, {r.note}" if r.note else name
        lines.append(row([name, *numbers, *times, r.n_bytes or "-"]))
    lines += [row([r.competitor, r.note, *["-"] * 5]) for r in results if r.error is None]
    return "\n".join(lines)


def is_best(ours, others):
    """Smallest error, or within a factor of the smallest where that is at round-off."""
    least = min((r.error for r in others if r.error is not None), default=np.inf)
    if ours.error is None:
        return False
    return ours.error <= least or (least < ROUND_OFF and ours.error <= CLOSE * least)


def summary(groups):
    """One line a case: the default and the best of the others; then where that is not the best."""
    lines = [head(["case", "points", "default", "fit, s", "best other", "its error", "best?"])]
    worse = []
    for case, results in groups.items():
        ours = next(r for r in results if r.competitor == DEFAULT)
        others = [r for r in results if r.competitor not in (DEFAULT, "single stage")]
        best = min((r for r in others if r.error is not None), key=lambda r: r.error, default=None)
        good = is_best(ours, others)
        seconds = "-" if ours.fit_seconds is None else f"{ours.fit_seconds:.2g}"
        rival = [best.competitor, figure(best.error)] if best else ["-", "-"]
        error = ours.note if ours.error is None else figure(ours.error)
        n = max(r.n for r in results)
        lines.append(row([case, n, error, seconds, *rival, "yes" if good else "NO"]))
        if not good:
            took = f" in {best.fit_seconds:.2g} s" if best else ""
            ratio = f", {ours.error / best.error:.2g} times" if best and ours.error else ""
            worse.append(f"- {case}: {error} against {rival[1]} of {rival[0]}{took}{ratio}")
    won = len(groups) - len(worse)
    lines.append(f"\nbest, or within {CLOSE:g}x at round-off, in {won} of {len(groups)} cases")
    if worse:
        lines += ["\nnot in these:\n", *worse]
    return "\n".join(lines)


def skipped(groups):
    """Methods without a figure, why, and where."""
    places = {}
    for case, results in groups.items():
        for r in results:
            if r.error is None:
                places.setdefault((r.competitor, r.note), []).append(case)
    order = sorted(places, key=lambda key: list(COMPETITORS).index(key[0]))
    lines = [head(["method", "why not", "cases"])]
    for method, why in order:
        cases = places[method, why]
        named = len(cases) <= NAMED_AT_MOST
        lines.append(row([method, why, "; ".join(cases) if named else len(cases)]))
    return "\n".join(lines)


def growth(workers, seed, names):
    """Fit and predict time against the number of points, and the exponent fitted to each."""
    results = []
    lines = [head(["case", "method", "points", "fit, s", "exponents: fit, predict"])]
    for case, sizes in GROWTH.items():
        for name in names:
            runs = list(workers.measure_all([(case, name, seed, size) for size in sizes]))
            results += runs
            done = [r for r in runs if r.error is not None]
            if len(done) < 2:
                continue
            exponents = [
                np.polyfit(np.log([r.n for r in done]), np.log([getattr(r, t) for r in done]), 1)[0]
                for t in ("fit_seconds", "predict_seconds")
            ]
            cells = [
                ", ".join(str(r.n) for r in done),
                ", ".join(f"{r.fit_seconds:.2g}" for r in done),
                ", ".join(f"{e:.2f}" for e in exponents),
            ]
            lines.append(row([case, name, *cells]))
            print(lines[-1], flush=True)
    return results, "\n".join(lines)


def draw_errors(groups, path):
    """Error against fit time, one panel a group of cases."""
    import matplotlib.pyplot as plt

    names = list(dict.fromkeys(CASES[case].group for case in groups))
    figure_, axes = plt.subplots(
        1, len(names), figsize=(3.4 * len(names), 4), layout="constrained", squeeze=False
    )
    colours = plt.get_cmap("tab20")
    methods = list(COMPETITORS)
    for ax, name in zip(axes[0], names, strict=True):
        for case, results in groups.items():
            if CASES[case].group != name:
                continue
            for r in results:
                if r.error is not None:
                    ax.loglog(
                        r.fit_seconds,
                        max(r.error, 1e-17),
                        "*" if r.competitor == DEFAULT else "o",
                        color=colours(methods.index(r.competitor) % 20),
                        markersize=10 if r.competitor == DEFAULT else 5,
                        label=r.competitor,
                    )
        ax.set_title(name)
        ax.set_xlabel("fit, s")
    axes[0][0].set_ylabel("held-out relative L2 error")
    handles = {}
    for ax in axes[0]:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    figure_.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=6, fontsize=8
    )
    figure_.savefig(path, dpi=120)
    plt.close(figure_)


def draw_growth(results, path):
    """Fit time against the number of points, one panel a case."""
    import matplotlib.pyplot as plt

    cases = list(dict.fromkeys(r.case for r in results if r.error is not None))
    figure_, axes = plt.subplots(
        1,
        max(1, len(cases)),
        figsize=(3.8 * max(1, len(cases)), 3.8),
        layout="constrained",
        squeeze=False,
    )
    for ax, case in zip(axes[0], cases, strict=False):
        for name in dict.fromkeys(r.competitor for r in results):
            done = [
                r for r in results if (r.case, r.competitor) == (case, name) and r.error is not None
            ]
            ax.loglog([r.n for r in done], [r.fit_seconds for r in done], "o-", label=name)
        ax.set_title(case)
        ax.set_xlabel("points")
        ax.set_ylabel("fit, s")
    axes[0][-1].legend(fontsize=8)
    figure_.savefig(path, dpi=120)
    plt.close(figure_)


def write(groups, grown, text, folder):
    """Tables as Markdown, figures as JSON."""
    (folder / "benchmark.md").write_text("\n".join(text) + "\n")
    every = [asdict(r) for results in [*groups.values(), grown] for r in results]
    (folder / "benchmark.json").write_text(json.dumps(every, indent=1))


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="*", help="names; all if not given")
    parser.add_argument("--methods", nargs="*", help="names; all if not given")
    parser.add_argument("--size", type=float, default=1.0, help="share of the points")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of one measurement")
    parser.add_argument("--growth", action="store_true", help="also cost against points")
    parser.add_argument("--jobs", type=int, default=count_cores(), help="measured at once")
    parser.add_argument("--again", nargs="*", default=(), help="methods to measure anew")
    parser.add_argument("--output", type=Path, help="folder for tables, JSON and pictures")
    options = parser.parse_args(arguments)
    cases = options.cases or list(CASES)
    methods = options.methods or list(COMPETITORS)
    unknown = [n for n in cases if n not in CASES]
    unknown += [m for m in [*methods, *options.again] if m not in COMPETITORS]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    kept = None
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        kept = options.output / "measurements.jsonl"
    n_threads = None if options.jobs == 1 else max(1, count_cores() // options.jobs)
    again = {(case, method) for case in cases for method in options.again}
    with crew(options.limit, options.jobs, n_threads, kept, again) as workers:
        run(workers, cases, methods, options)


def run(workers, cases, methods, options):
    text = [f"{heading()}; seed {options.seed}, size {options.size:g}, limit {options.limit:g} s"]
    if options.jobs > 1:
        text[0] += f", {options.jobs} at once"
    print(text[0], flush=True)
    tasks = [(case, m, options.seed, options.size) for case in cases for m in methods]
    before = sum(workers.known(*task) for task in tasks)
    print(f"{len(tasks)} measurements, of which {before} were kept from before", flush=True)
    groups, grown, measured = {}, [], workers.measure_all(tasks)
    for case in cases:
        results = [next(measured) for _ in methods]
        n = max(r.n for r in results)
        groups[case] = [replace(r, n=n) for r in results]
        text.append(f"\n### {case}, {n} points\n\n{table(groups[case])}")
        print(text[-1], flush=True)
        if options.output:  # after each case: a long run may be ended
            write(groups, grown, text, options.output)
    text.append(f"\n### Skipped\n\n{skipped(groups)}")
    print(text[-1], flush=True)
    if DEFAULT in methods:
        text.append(f"\n### Summary\n\n{summary(groups)}")
        print(text[-1], flush=True)
    if options.growth:
        print("\n### Growth\n", flush=True)
        grown, lines = growth(workers, options.seed, [m for m in GROWING if m in methods])
        text.append(f"\n### Growth\n\n{lines}")
    if options.output:
        write(groups, grown, text, options.output)
        draw_errors(groups, options.output / "error_against_time.png")
        if grown:
            draw_growth(grown, options.output / "cost_against_points.png")


if __name__ == "__main__":
    main()
