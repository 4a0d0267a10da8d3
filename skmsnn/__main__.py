"""Command line: fit a turbulence snapshot, or a user's own file, and draw the result."""

from __future__ import annotations

import argparse
import io
import itertools
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn._comparison import ENOUGH
from skmsnn.datasets import simulate_decaying_turbulence


@dataclass(frozen=True)
class Data:
    """Points to fit, points to test, and the names of the columns."""

    X: NDArray[np.float64]
    y: NDArray[np.float64]
    X_test: NDArray[np.float64]
    y_test: NDArray[np.float64]
    features: list[str]
    target: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    arguments = _parser().parse_args(argv)
    try:
        _run(arguments)
    except (ValueError, OSError, MemoryError) as error:
        print(f"skmsnn: {error or 'memory ran out'}", file=sys.stderr)
        return 2
    return 0


def _run(arguments: argparse.Namespace) -> None:
    data = _read(arguments) if arguments.data else _turbulence(arguments)
    model = SpectrumInformedMSNNRegressor(
        n_stages=arguments.stages,
        period=cast(Any, _period(arguments.period)),
        verbose=arguments.verbose,
        random_state=0,
    )
    start = time.perf_counter()
    model.fit(data.X, data.y)
    seconds = time.perf_counter() - start
    print(f"{len(data.X)} points in {data.X.shape[1]} dimensions, fitted in {seconds:.1f} s")
    _print_table(model, data)
    if arguments.output:
        _draw(model, data, arguments.output)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skmsnn",
        description="Fit a snapshot of two-dimensional turbulence, or the points of a file, and "
        "print the residual after each stage on points of the fit and on others.",
    )
    parser.add_argument(
        "command", nargs="?", choices=["demo"], help="the default, and only, command"
    )
    parser.add_argument(
        "--size", type=int, default=256, help="grid points a side of the turbulence (256)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the turbulence (0)")
    parser.add_argument("--data", type=Path, help="a .npz or .csv file to fit instead")
    parser.add_argument(
        "--features",
        help="names of the coordinate columns (csv) or arrays (npz), separated by commas; "
        "by default all but the target",
    )
    parser.add_argument("--target", help="name of the values; by default the last column or array")
    parser.add_argument(
        "--period",
        default="auto",
        help="'auto', 'none', or periods separated by commas, 'none' among them (auto)",
    )
    parser.add_argument("--stages", type=int, default=4, help="most stages (4)")
    parser.add_argument(
        "--output", type=Path, default=Path("skmsnn-demo.png"), help="picture (skmsnn-demo.png)"
    )
    parser.add_argument("--no-output", dest="output", action="store_const", const=None)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="show progress")
    return parser


def _turbulence(arguments: argparse.Namespace) -> Data:
    snapshot = simulate_decaying_turbulence(arguments.size, random_state=arguments.seed)
    axis = 2 * np.pi * np.arange(arguments.size) / arguments.size
    X = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    # off the grid the snapshot is known exactly: it is a trigonometric polynomial
    X_test = np.random.default_rng(arguments.seed).uniform(0, 2 * np.pi, (ENOUGH, 2))
    y = snapshot.on_grid().ravel()
    return Data(X, y, X_test, snapshot.at(X_test), ["x", "y"], "stream function")


def _read(arguments: argparse.Namespace) -> Data:
    columns = _read_columns(arguments.data)
    if len(columns) < 2:
        raise ValueError(f"{arguments.data} needs at least two columns, coordinates and values.")
    target = arguments.target or list(columns)[-1]
    features = (
        arguments.features.split(",")
        if arguments.features
        else [name for name in columns if name != target]
    )
    missing = [name for name in [*features, target] if name not in columns]
    if missing:
        raise ValueError(f"{arguments.data} has no {missing}; it has {list(columns)}.")
    y = columns[target].ravel()
    blocks = [columns[name].reshape(len(columns[name]), -1) for name in features]
    if len(blocks) > 1:
        blocks = [block.reshape(-1, 1) for block in blocks]
    if any(len(block) != len(y) for block in blocks):
        sizes = {name: columns[name].shape for name in [*features, target]}
        raise ValueError(f"The columns of {arguments.data} differ in length: {sizes}.")
    if len(y) < 20:
        raise ValueError(f"{arguments.data} has {len(y)} rows; at least 20 are needed.")
    X = np.hstack(blocks)
    bad = ~(np.isfinite(X).all(axis=1) & np.isfinite(y))
    if bad.any():
        raise ValueError(f"{arguments.data} has {bad.sum()} rows that are not finite numbers.")
    test = np.random.default_rng(0).permutation(len(y))[: max(1, min(ENOUGH, len(y) // 10))]
    rest = np.setdiff1d(np.arange(len(y)), test)
    return Data(X[rest], y[rest], X[test], y[test], features, target)


def _read_columns(path: Path) -> dict[str, NDArray[np.float64]]:
    """The columns of a file by their names, in its order.

    Raises
    ------
    ValueError
        Whatever is wrong with the file's contents: readers raise errors of a dozen types.
    OSError
        If it cannot be opened.
    """
    readers = {".csv": _read_csv, ".npz": _read_npz}
    if path.suffix not in readers:
        raise ValueError(f"{path} is neither .npz nor .csv.")
    with path.open("rb") as file:
        try:
            return readers[path.suffix](file)
        except Exception as error:
            reason = str(error) or type(error).__name__
            raise ValueError(f"{path} is not a usable {path.suffix} file: {reason}") from error


def _read_csv(file: IO[bytes]) -> dict[str, NDArray[np.float64]]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig")
    names = [name.strip().strip('"') for name in text.readline().split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise ValueError(f"its first line must give each column a name of its own, got {names}")
    lines = (line for line in text if line.strip())
    first = next(lines, None)
    if first is None:
        raise ValueError("it has no rows")
    table = np.loadtxt(itertools.chain([first], lines), delimiter=",", ndmin=2)
    if table.shape[1] != len(names):
        raise ValueError(f"its first line names {len(names)} columns, but it has {table.shape[1]}")
    return dict(zip(names, table.T, strict=True))


def _read_npz(file: IO[bytes]) -> dict[str, NDArray[np.float64]]:
    columns = {}
    with np.load(file, allow_pickle=False) as arrays:
        for name in arrays.files:
            array = arrays[name]
            if array.dtype.kind not in "biuf" or array.ndim == 0:
                raise ValueError(f"{name} is not an array of real numbers")
            columns[name] = array.astype(np.float64)
    return columns


def _period(text: str) -> str | float | list[float | None] | None:
    if text == "auto":
        return text
    parts = [None if part == "none" else float(part) for part in text.split(",")]
    return parts[0] if len(parts) == 1 else parts


def _print_table(model: SpectrumInformedMSNNRegressor, data: Data) -> None:
    def relative(error: NDArray[np.float64], y: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(error) / (np.linalg.norm(y) or 1.0))

    print("stage    modes    training   held-out   how")
    staged = zip(
        model.stages_,
        model.staged_predict(data.X),
        model.staged_predict(data.X_test),
        model.stop_reasons_,
        strict=True,
    )
    for number, (stage, on_train, on_test, reason) in enumerate(staged, start=1):
        print(
            f"{number:5d} {stage.n_modes:8d}    {relative(data.y - on_train, data.y):8.1e}   "
            f"{relative(data.y_test - on_test, data.y_test):8.1e}   {reason}"
        )
    print(
        f"stopped: {model.stop_reason_}; held-out residuals are on {len(data.X_test)} points "
        "that were not fitted"
    )


def _draw(model: SpectrumInformedMSNNRegressor, data: Data, path: Path) -> None:
    try:
        from skmsnn._drawing import draw_fit
    except ImportError:
        print("No picture: matplotlib is not installed (pip install 'skmsnn[plot]').")
        return
    draw_fit(model, data.X, data.y, data.features, data.target, path)
    print(f"picture: {path}")


if __name__ == "__main__":
    sys.exit(main())
