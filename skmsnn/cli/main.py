"""The commands: demo, fit, predict, evaluate."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn._comparison import ENOUGH, FEW
from skmsnn.cli.data import Data, data_of
from skmsnn.cli.figures import figures_of
from skmsnn.cli.files import read_table, write_table
from skmsnn.cli.hints import columns_of, doubts_of
from skmsnn.cli.options import COMMANDS, parser
from skmsnn.cli.saved import load, save
from skmsnn.cli.table import FileError, Table, TableOptions
from skmsnn.datasets import simulate_decaying_turbulence
from skmsnn.exceptions import ExtrapolationWarning
from skmsnn.selection.summary import summary_lines


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    argv = list(sys.argv[1:] if argv is None else argv)
    first = argv[0] if argv else "--size=256"
    if (
        first not in COMMANDS
        and first.startswith("-")
        and first not in ("-h", "--help", "--version")
    ):
        argv = ["demo", *argv]
    commands = {"demo": _demo, "fit": _fit, "predict": _predict, "evaluate": _evaluate}
    try:
        arguments = parser().parse_args(argv)
        with _warnings_in_a_line():
            commands[arguments.command](arguments)
    except BrokenPipeError:  # as of "| head"
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
        return 0
    except KeyboardInterrupt:
        print("skmsnn: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except OSError as error:
        place = f"{error.filename}: {error.strerror}" if error.filename else error
        return _fail(place)
    except (ValueError, MemoryError) as error:
        return _fail(error)
    return 0


def _fail(message: object) -> int:
    print(f"skmsnn: {' '.join(str(message).split()) or 'memory ran out'}", file=sys.stderr)
    return 2


@contextmanager
def _warnings_in_a_line() -> Iterator[None]:
    """Print warnings with their figures, without the line of code that they come from."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        print(f"skmsnn: warning: {message}{figures_of(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _demo(arguments: argparse.Namespace) -> None:
    if arguments.file:
        _fit(arguments)
        return
    size = arguments.size
    snapshot = simulate_decaying_turbulence(size, random_state=arguments.seed)
    axis = 2 * np.pi * np.arange(size) / size
    X = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    y = snapshot.on_grid().ravel()
    # off the grid the snapshot is known exactly: it is a trigonometric polynomial
    X_test = np.random.default_rng(arguments.seed).uniform(0, 2 * np.pi, (ENOUGH, 2))
    data = Data(X, y, ["x", "y"], ["stream function"], [])
    print(columns_of(data))
    model = _fitted(arguments, X, y, data.features)
    _print_stages(model, data.X, data.y, X_test, snapshot.at(X_test))
    _draw(model, data, arguments)


def _fit(arguments: argparse.Namespace) -> None:
    data = _read(arguments)
    n_test = round(arguments.test_fraction * len(data.X))
    if arguments.test_fraction:
        n_test = max(1, min(ENOUGH, n_test))
    least = FEW if n_test else 2
    if len(data.X) < least:
        what = f"it has {len(data.X)} rows; at least {least} are needed."
        raise FileError(arguments.file, "", what)
    print(columns_of(data))
    doubts = doubts_of(data, arguments.target is not None, arguments.features is not None)
    for doubt in doubts:
        print(f"skmsnn: warning: {doubt}", file=sys.stderr)
    order = np.random.default_rng(0).permutation(len(data.X))
    test, rest = np.sort(order[:n_test]), np.sort(order[n_test:])
    model = _fitted(arguments, data.X[rest], data.y[rest], data.features)
    _print_stages(model, data.X[rest], data.y[rest], data.X[test], data.y[test])
    if arguments.explain:
        _print_selection(model)
    if arguments.save:
        save(model, data.features, data.targets, arguments.save)
        print(f"model: {arguments.save}")
    if arguments.picture:
        _draw(model, data, arguments)


def _fitted(
    arguments: argparse.Namespace,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    features: list[str],
) -> SpectrumInformedMSNNRegressor:
    model = SpectrumInformedMSNNRegressor(
        n_stages=arguments.stages,
        period=arguments.period,
        families=arguments.families,
        extrapolation=arguments.extrapolation,
        max_time=arguments.max_time,
        verbose=arguments.verbose,
        random_state=0,
    )
    model._shown_names = features
    start = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - start
    print(f"{len(X)} points in {X.shape[1]} dimensions, fitted in {seconds:.1f} s")
    return model


def _predict(arguments: argparse.Namespace) -> None:
    model, features, targets = load(arguments.model)
    table = _table(arguments, features)
    names = list(table.features or [])
    if len(names) != len(features):
        what = f"{len(names)} features, but the model has {', '.join(features)}."
        raise FileError(table.path, "", what)
    X = table.rows(names, arguments.drop_missing)
    columns = dict(zip(names, X.T, strict=True))
    found = model.predict(X, return_std=True) if arguments.std else (model.predict(X),)
    values, *deviations = (a.reshape(len(X), -1) for a in found)
    columns |= dict(zip(targets, values.T, strict=True))
    for std in deviations:
        columns |= {f"std of {target}": std[:, k] for k, target in enumerate(targets)}
    if arguments.gradient:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExtrapolationWarning)  # given once, for the values
            slopes = model.gradient(X).reshape(len(X), len(features), len(targets))
        for k, target in enumerate(targets):
            columns |= {f"d{target}/d{name}": slopes[:, j, k] for j, name in enumerate(features)}
    write_table(arguments.output, columns)


def _evaluate(arguments: argparse.Namespace) -> None:
    model, features, targets = load(arguments.model)
    table = _table(arguments, features, targets)
    data = data_of(table, arguments.drop_missing)
    if data.X.shape[1] != len(features) or len(data.targets) != len(targets):
        what = f"the model is of {', '.join(features)} and gives {', '.join(targets)}."
        raise FileError(table.path, "", f"{data.X.shape[1]} features, but {what}")
    y = data.y.reshape(len(data.y), -1)
    errors = y - model.predict(data.X).reshape(y.shape)
    print(f"{len(y)} points")
    print("relative L2      RMS   largest       R2   target")
    for name, error, values in zip(data.targets, errors.T, y.T, strict=True):
        rms = float(np.sqrt(np.mean(error**2)))
        spread = float(np.std(values))
        score = 1 - (rms / spread) ** 2 if spread else float("nan")
        largest = float(np.max(np.abs(error)))
        print(
            f"{_relative(error, values):11.1e}  {rms:7.1e}   {largest:7.1e}  {score:7.5f}   {name}"
        )


def _table(
    arguments: argparse.Namespace,
    features: list[str] | None = None,
    targets: list[str] | None = None,
) -> Table:
    options = TableOptions(
        arguments.separator,
        arguments.decimal,
        arguments.header,
        arguments.sheet,
        arguments.features or features,
        arguments.target or targets,
        is_grid=getattr(arguments, "grid", False),
    )
    return read_table(arguments.file, options)


def _read(arguments: argparse.Namespace) -> Data:
    data = data_of(_table(arguments), arguments.drop_missing)
    if data.ignored:
        print(
            f"skmsnn: not used, as it is not of numbers: {', '.join(data.ignored)}", file=sys.stderr
        )
    if isinstance(arguments.period, list) and len(arguments.period) != data.X.shape[1]:
        raise ValueError(
            f"--period gives {len(arguments.period)} periods for the {data.X.shape[1]} features "
            f"{', '.join(data.features)}; give one for each, or one for all."
        )
    return data


def _relative(error: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    return float(np.linalg.norm(error) / (np.linalg.norm(y) or 1.0))


def _print_stages(
    model: SpectrumInformedMSNNRegressor,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    X_test: NDArray[np.float64],
    y_test: NDArray[np.float64],
) -> None:
    """One line a stage: what it leaves on points of the fit, and on others."""
    if len(X_test):
        seen = [_relative(y - values, y) for values in model.staged_predict(X)]
        unseen = [_relative(y_test - v, y_test) for v in model.staged_predict(X_test)]
        footnote = f"held-out residuals are on {len(X_test)} points that were not fitted"
    else:
        seen, unseen = model.train_errors_, model.validation_errors_
        unseen = unseen or [float("nan")] * len(seen)
        footnote = "held-out residuals are the model's own, by fits without some of the points"
    print("stage    modes    training   held-out   how")
    staged = zip(model.stages_, seen, unseen, model.stage_summaries_, strict=True)
    for number, (stage, train, held_out, reason) in enumerate(staged, start=1):
        print(f"{number:5d} {stage.n_modes:8d}    {train:8.1e}   {held_out:8.1e}   {reason}")
    print(f"stopped: {model.stop_reason_}; {footnote}")


def _print_selection(model: SpectrumInformedMSNNRegressor) -> None:
    """One line per family and stage: what it achieved, and how it ended."""
    results = getattr(model, "search_results_", None)
    lines = [] if results is None else summary_lines(results)
    print("\n".join(lines or ["no record of the selection: no families competed"]))


def _draw(model: SpectrumInformedMSNNRegressor, data: Data, arguments: argparse.Namespace) -> None:
    if arguments.picture is None:
        return
    try:
        from skmsnn._drawing import draw_fit
    except ImportError:
        print('No picture: matplotlib is not installed (pip install "skmsnn[plot]").')
        return
    draw_fit(model, data.X, data.y, data.features, data.targets[0], arguments.picture)
    print(f"picture: {arguments.picture}")
