"""
Long runs of the papers' recipes: figures 1 to 3 with as many iterations as the papers have.

    python -m examples.paper.at_length --device cuda --output at_length
    python -m examples.paper.at_length --table --output at_length
    python -m examples.paper.at_length --speed --device cuda

Each run keeps its model after every stage in ``--output``, and the same command goes on from there.
EdgePoints it is a JSON file of the errors after each stage, the times and the losses.
"""

import argparse
import json
import pickle
import platform
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from examples.benchmarks.report import head, row
from examples.paper.common import SIZES, grid, paper, save, scale_factor
from examples.paper.speed import print_speeds
from skmsnn.datasets import simulate_decaying_turbulence
from skmsnn.metrics import relative_l2_error

N_FRESH = 5000
N_LOSSES = 400


@dataclass(frozen=True)
class Plan:
    """A recipe on the points of a grid, and the modes of each of its stages."""

    label: str
    recipe: object
    target: str
    n_points: int
    n_modes: tuple
    times: int = 1  # as many iterations a stage as others have


PLANS = {
    "figure-1-scale-factor": Plan("1, scale factor", scale_factor, "waves", 40, (50, 200, 600)),
    "figure-1-spectrum": Plan("1, spectrum-informed", paper, "waves", 40, (50, 200, 600)),
    "figure-2-64": Plan("2, 64 x 64", paper, "turbulence", 64, (100, 300, 600, 900)),
    "figure-3-single": Plan("3, one stage", paper, "turbulence", 48, (100,), times=4),
    "figure-3-stages": Plan("3, four stages", paper, "turbulence", 48, (100, 200, 300, 400)),
    "figure-2-128": Plan("2, 128 x 128", paper, "turbulence", 128, (400, 1200, 2400, 3600)),
}
# so many iterations that every stage is of help
TINY_POINTS, TINY_MODES, TINY_ITERATIONS = 12, 8, 200


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0])
    parser.add_argument("--run", nargs="+", choices=PLANS, default=list(PLANS), metavar="NAME")
    parser.add_argument("--device", default="cpu", help="torch device of the trained networks")
    parser.add_argument("--iterations", type=int, default=50_000, help="of Adam, a stage")
    parser.add_argument("--output", type=Path, default=Path("at_length"))
    parser.add_argument("--seconds", type=float, help="begin no stage that would end later")
    parser.add_argument("--size", choices=(SIZES[0], SIZES[-1]), default=SIZES[-1])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", action="store_true", help="compare with plain torch instead")
    parser.add_argument("--table", action="store_true", help="show what the files hold instead")
    settings = parser.parse_args(arguments)
    if settings.table:
        show(settings.output)
        return
    if settings.speed:
        cases = {name: PLANS[name] for name in ("figure-1-spectrum", "figure-2-64")}
        sizes = {one.label: sizes_of(one, settings)[:2] for one in cases.values()}
        print_speeds({label: (n**2, k[-1]) for label, (n, k) in sizes.items()}, settings)
        return
    settings.output.mkdir(parents=True, exist_ok=True)
    ends = np.inf if settings.seconds is None else time.monotonic() + settings.seconds
    for name in settings.run:
        go_on(name, settings, ends)


def sizes_of(plan, settings):
    """Points along an axis, modes of each stage, iterations of a stage."""
    if settings.size == "tiny":
        n_modes = tuple(TINY_MODES * (k + 1) for k in range(len(plan.n_modes)))
        return TINY_POINTS, n_modes, TINY_ITERATIONS * plan.times
    return plan.n_points, plan.n_modes, settings.iterations * plan.times


# %%
# The targets are those of the figures, and so are the points beside those of the fit.


def waves(X):
    x, y = np.pi * X.T
    return np.exp(np.sin(x) * np.cos(y)) * np.sin(2 * x + 3 * y)


def data_of(target, n_points, seed):
    """Points and values of the fit, and others that it does not see."""
    rng = np.random.default_rng(seed)
    if target == "waves":
        axis = np.linspace(-1, 1, n_points)
        X, X_fresh = grid(axis, axis), rng.uniform(-1, 1, (N_FRESH, 2))
        return X, waves(X), X_fresh, waves(X_fresh)
    snapshot = simulate_decaying_turbulence(n_points, random_state=seed)
    axis = 2 * np.pi * np.arange(n_points) / n_points
    X, X_fresh = grid(axis, axis), rng.uniform(0, 2 * np.pi, (N_FRESH, 2))
    return X, snapshot.on_grid().ravel(), X_fresh, snapshot.at(X_fresh)


# %%
# One run: stage after stage, each kept as soon as it is there.


def go_on(name, settings, ends):
    """Fit the stages that a run still lacks, as long as they can end in time."""
    plan = PLANS[name]
    n_points, n_modes, iterations = sizes_of(plan, settings)
    about = {
        "run": name,
        "recipe": plan.label,
        "n_points": n_points,
        "n_modes": list(n_modes),
        "iterations": iterations,
        "seed": settings.seed,
    }
    path = settings.output / f"{name}.pickle"
    model, stages = None, []
    if path.exists():
        kept_about, model, stages = pickle.loads(path.read_bytes())
        if kept_about != about:
            raise SystemExit(f"{path} is of other settings: {kept_about}; remove it or name others")
    X, y, X_fresh, y_fresh = data_of(plan.target, n_points, settings.seed)
    for k in range(len(stages) + 1, len(n_modes) + 1):
        if stages and stages[-1]["train"] is None:
            break  # the last was of no help, nor would it be again
        if model is None:
            model = plan.recipe(n_modes[:1], **({"period": None} if plan.target == "waves" else {}))
        model.set_params(
            n_modes=n_modes[:k],
            n_stages=k,
            max_iter=iterations,
            warm_start=True,
            device=settings.device,
            random_state=settings.seed + k - 1,  # else each stage starts from the same numbers
        )
        if not np.isinf(ends):
            expected = seconds_expected(model, stages, X, y)
            if time.monotonic() + expected > ends:
                print(f"{name}: stage {k} would take {expected:.0f} s; not begun")
                return
        stages.append(stage_of(model, k, (X, y, X_fresh, y_fresh)))
        stages[-1]["device"] = device_name(settings.device)
        keep(path, about, model, stages)
        print(f"{name}: {as_text(stages[-1])}", flush=True)


def stage_of(model, k, data):
    """Fit the k-th stage; what it leaves, its time, and its losses in units of the target."""
    X, y, X_fresh, y_fresh = data
    size = 1.0 if k == 1 else model.train_errors_[-1]
    seconds = timed_fit(model, X, y)
    about = {"stage": k, "n_modes": model.n_modes[-1], "seconds": seconds}
    if model.n_stages_ < k:
        return about | {"train": None, "stop": model.stop_reason_}
    curve = model.loss_curves_[-1]
    shown = np.unique(np.geomspace(1, len(curve), N_LOSSES).astype(int)) - 1
    return about | {
        "iterations_per_second": model.n_iter_[-1] / seconds,
        "train": float(relative_l2_error(y, model.predict(X))),
        "held_out": float(relative_l2_error(y_fresh, model.predict(X_fresh))),
        "stop": model.stage_summaries_[-1],
        "loss": [[int(i), curve[i] * size] for i in shown],
    }


def timed_fit(model, X, y):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the table says how it ended
        model.fit(X, y)
    return time.perf_counter() - start


def seconds_expected(model, stages, X, y):
    """Of the next stage: in proportion to its modes, or from short trials where it is the first."""
    if stages:
        last = stages[-1]
        return last["seconds"] * model.n_modes[-1] / last["n_modes"]
    few, more = max(1, model.max_iter // 200), max(2, model.max_iter // 50)
    trials = (clone(model).set_params(max_iter=n) for n in (1, few, more))
    _, short, long = (timed_fit(trial, X, y) for trial in trials)
    # of so few iterations the longer trial may by chance take less time
    return max(long, short + (long - short) / (more - few) * (model.max_iter - few))


def keep(path, about, model, stages):
    """The model and the JSON file, whole whenever the process ends."""
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    report = about | {"torch": torch.__version__, **versions, "stages": stages}
    for file, content in (
        (path, pickle.dumps((about, model, stages))),
        (path.with_suffix(".json"), json.dumps(report, indent=1).encode()),
    ):
        part = file.with_suffix(".part")
        part.write_bytes(content)
        part.replace(file)


def device_name(device):
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def as_text(stage):
    if stage["train"] is None:
        return f"stage {stage['stage']}: {stage['stop']}, after {stage['seconds']:.1f} s"
    return (
        f"stage {stage['stage']}: training {stage['train']:.1e}, held-out {stage['held_out']:.1e}, "
        f"{stage['seconds']:.1f} s, {stage['iterations_per_second']:.0f} iterations/s"
    )


# %%
# What the files hold: a table, and the losses against iterations.


COLUMNS = (
    "figure",
    "points",
    "iterations a stage",
    "device",
    "stage",
    "modes",
    "iterations/s",
    "training",
    "held-out",
)


def show(folder):
    files = [folder / f"{name}.json" for name in PLANS]
    reports = [json.loads(file.read_text()) for file in files if file.exists()]
    if not reports:
        raise SystemExit(f"no JSON files in {folder}")
    print(head(COLUMNS))
    figure, axes = plt.subplots(2, 3, figsize=(14, 7.5), layout="constrained", sharey=True)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, report in zip(axes.flat, reports, strict=False):
        points = f"{report['n_points']} x {report['n_points']}"
        for stage in report["stages"]:
            about = [report["recipe"], points, report["iterations"], stage["device"]]
            print(row([*about, stage["stage"], stage["n_modes"], *errors_of(stage)]))
        draw_losses(ax, report)
    save(figure, folder, "at_length")


def errors_of(stage):
    if stage["train"] is None:
        return "-", stage["stop"], "-"
    rate, train, held_out = (stage[k] for k in ("iterations_per_second", "train", "held_out"))
    return f"{rate:.0f}", f"{train:.1e}", f"{held_out:.1e}"


def draw_losses(ax, report):
    """Losses of the stages one after another."""
    begun = 0
    for stage in report["stages"]:
        if "loss" in stage:
            iterations, losses = np.transpose(stage["loss"])
            ax.semilogy((begun + iterations) / 1000, losses, label=f"stage {stage['stage']}")
            begun += iterations[-1]
    ax.set_axis_on()
    ax.set_title(report["recipe"], fontsize=9)
    ax.set_xlabel("thousands of iterations")
    ax.set_ylabel("loss, in units of the RMS of the target", fontsize=8)
    ax.legend(fontsize=8)


if __name__ == "__main__":
    main()
