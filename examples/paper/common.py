"""What the scripts share: the two recipes, a table of errors, options, pictures."""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

SIZES = ("tiny", "quick", "full")


def options(text):
    """Options of a script; also under a documentation builder, which gives none."""
    first_line = text.strip().partition("\n")[0]
    parser = argparse.ArgumentParser(description=first_line or None)
    parser.add_argument("--size", choices=SIZES, default="quick")
    parser.add_argument("--device", default="cpu", help="torch device of the trained networks")
    parser.add_argument("--output", type=Path, help="folder for the picture")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def paper(n_modes, **parameters):
    """Algorithm 1 of the paper: fixed modes, Adam on the 10-norm, no held-out points."""
    return SpectrumInformedMSNNRegressor(
        init="spectrum", n_modes=n_modes, **_as_published(p=10, **parameters)
    )


def scale_factor(n_features, **parameters):
    """Multistage networks before it: a random first layer times the dominant wave number."""
    return SpectrumInformedMSNNRegressor(
        init="scale-factor", n_modes=n_features, **_as_published(p=2, **parameters)
    )


def _as_published(**parameters):
    return {
        "solver": "adam",
        "linear_readout": False,
        "early_stopping": False,
        "tol": 0.0,
    } | parameters


@dataclass(frozen=True)
class Run:
    """A fitted model, the seconds its fit took, and its errors after each stage."""

    label: str
    model: SpectrumInformedMSNNRegressor
    seconds: float
    train: list[float]
    held_out: list[float]


def run(label, model, X, y, X_fresh, y_fresh):
    """Fit, and compare with the known values after every stage."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the table says how it ended
        model.fit(X, y)
    seconds = time.perf_counter() - start
    train = [relative_l2_error(y, staged) for staged in model.staged_predict(X)]
    held_out = [relative_l2_error(y_fresh, staged) for staged in model.staged_predict(X_fresh)]
    return Run(label, model, seconds, train, held_out)


def print_runs(runs):
    """Errors after each stage, and times as ratios to the last run's."""
    print("| recipe | stage | training | held-out | end |")
    print("| --- | --- | --- | --- | --- |")
    for one in runs:
        rows = zip(one.train, one.held_out, one.model.stage_summaries_, strict=True)
        for stage, (train, held_out, reason) in enumerate(rows, start=1):
            print(f"| {one.label} | {stage} | {train:.1e} | {held_out:.1e} | {reason} |")
    last = runs[-1]
    for one in runs[:-1]:
        print(
            f"time of {one.label} over that of {last.label}: {one.seconds / last.seconds:.3g} "
            f"({one.seconds:.1f} s and {last.seconds:.1f} s)"
        )


def grid(*axes):
    """Points of a tensor grid, one a row."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def draw_map(ax, axes, values, title):
    """A field on a grid, its colours symmetric about zero; the last percent may be off scale."""
    largest = float(np.quantile(np.abs(values), 0.99)) or 1.0
    image = ax.imshow(
        values.reshape([len(a) for a in axes]).T,
        origin="lower",
        extent=(axes[0][0], axes[0][-1], axes[1][0], axes[1][-1]),
        cmap="RdBu_r",
        vmin=-largest,
        vmax=largest,
        interpolation="nearest",
        aspect="equal",
    )
    ax.set_title(title, fontsize=9)
    ax.tick_params(labelsize=7)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.85)
    bar.ax.tick_params(labelsize=7)
    bar.ax.yaxis.get_offset_text().set_fontsize(7)


def save(figure, folder, name):
    """Write a figure to a path, if there is one."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        figure.savefig(folder / f"{name}.png", dpi=150)
        print(f"picture: {folder / name}.png")
        plt.close(figure)
