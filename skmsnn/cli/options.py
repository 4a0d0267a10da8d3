"""The options of the command line, each checked before anything is fitted."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

from skmsnn import __version__
from skmsnn.cli.files import PACKED, TEXT, WRITABLE
from skmsnn.extrapolation import EXTRAPOLATIONS
from skmsnn.families import FAMILIES

COMMANDS = ("demo", "fit", "predict", "evaluate")
_MODEL = ".skops"
_TABLES = (*WRITABLE, *(kind + packed for kind in WRITABLE if kind in TEXT for packed in PACKED))
_PICTURES = (".png", ".pdf", ".svg", ".jpg", ".jpeg", ".eps", ".ps", ".tif", ".tiff", ".webp")


class _Parser(argparse.ArgumentParser):
    """A parser that reports an error in a line, like all others."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; {self.prog} --help tells more.")


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    whole = _Parser(
        prog="skmsnn",
        description="Fit functions to machine precision. Without a command: the demo, a snapshot "
        "of two-dimensional turbulence.",
    )
    whole.add_argument("--version", action="version", version=f"skmsnn {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="command")
    table, model = _table_options(), _model_options()
    _add_demo(commands.add_parser("demo", help="fit turbulence (default)", parents=[table, model]))
    fit = commands.add_parser("fit", help="fit the points of a file", parents=[table, model])
    _add_fit(fit)
    predict = commands.add_parser("predict", help="predict by a saved model", parents=[table])
    _add_saved(predict, "points, in columns of the names that were fitted")
    predict.add_argument(
        "--output", type=_output(_TABLES, "tables"), help="file to write (CSV to standard output)"
    )
    predict.add_argument("--gradient", action="store_true", help="add first derivatives")
    predict.add_argument("--std", action="store_true", help="add how far off values may be")
    predict.add_argument(
        "--grid", action="store_true", help="columns are axes: predict at the points of their grid"
    )
    evaluate = commands.add_parser("evaluate", help="errors of a saved model", parents=[table])
    _add_saved(evaluate, "points and their values")
    return whole


def _add_demo(demo: argparse.ArgumentParser) -> None:
    demo.add_argument("--size", type=_whole(8), default=256, help="grid points a side (256)")
    demo.add_argument("--seed", type=_whole(0), default=0, help="seed of the turbulence (0)")
    demo.add_argument(
        "--data", dest="file", type=Path, help="a file to fit instead, a tenth of it kept for tests"
    )
    demo.add_argument(
        "--output",
        type=_output(_PICTURES, "pictures"),
        help="picture (skmsnn-demo.png)",
        dest="picture",
        default=Path("skmsnn-demo.png"),
    )
    demo.add_argument("--no-output", dest="picture", action="store_const", const=None)
    demo.set_defaults(test_fraction=0.1, save=None, explain=False)


def _add_fit(fit: argparse.ArgumentParser) -> None:
    fit.add_argument("file", type=Path, help="points and values")
    fit.add_argument("--save", type=_output([_MODEL], "models"), help="file for the model, .skops")
    fit.add_argument(
        "--picture", type=_output(_PICTURES, "pictures"), help="file for a picture of the fit"
    )
    fit.add_argument(
        "--explain",
        action="store_true",
        help="print which families were tried for each stage, and why one was chosen",
    )
    fit.add_argument(
        "--test-fraction",
        type=_share,
        default=0.0,
        metavar="SHARE",
        help="share of the points that is not fitted, but predicted (0)",
    )


def _add_saved(command: argparse.ArgumentParser, what: str) -> None:
    command.add_argument("model", type=Path, help="a model that fit --save wrote")
    command.add_argument("file", type=Path, help=what)


def _table_options() -> _Parser:
    options = _Parser(add_help=False)
    group = options.add_argument_group("how files are read")
    group.add_argument(
        "--features",
        type=_names,
        help="names of coordinates, separated by commas (all numbers but the target)",
    )
    group.add_argument(
        "--target",
        type=_names,
        help="names of values, separated by commas (the last column of numbers)",
    )
    group.add_argument("--separator", type=_separator, help="what separates fields of text")
    group.add_argument("--decimal", choices=[".", ","], help="decimal mark of text")
    group.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="whether the first line has names; without, columns are called 1, 2, ...",
    )
    group.add_argument("--sheet", help="sheet of a workbook (the first)")
    group.add_argument(
        "--drop-missing", action="store_true", help="leave out rows in which a value is missing"
    )
    return options


def _model_options() -> _Parser:
    options = _Parser(add_help=False)
    group = options.add_argument_group("how the model is fitted")
    group.add_argument(
        "--period",
        type=_period,
        default="auto",
        help="'auto', 'none', or periods separated by commas, 'none' among them (auto)",
    )
    group.add_argument("--stages", type=_whole(1), default=4, help="most stages (4)")
    group.add_argument(
        "--families",
        type=_families,
        default="auto",
        help=f"what stages may be, of {', '.join(FAMILIES)}, separated by commas (auto)",
    )
    group.add_argument(
        "--extrapolation",
        choices=EXTRAPOLATIONS,
        default="auto",
        help="how to predict outside the box of the training points (auto)",
    )
    group.add_argument("--max-time", type=_positive, help="seconds after which to end (none)")
    group.add_argument("-v", "--verbose", action="count", default=0, help="show progress")
    return options


def _names(text: str) -> list[str]:
    """Names separated by commas; those that hold commas are quoted."""
    return [name.strip() for name in next(csv.reader([text], skipinitialspace=True), [])]


def _whole(least: int) -> Any:
    def whole(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return whole


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not at least 0 and below 1")
    return value


def _separator(text: str) -> str:
    named = {"tab": "\t", "\\t": "\t", "space": r"\s+", " ": r"\s+", r"\s+": r"\s+"}
    separator = named.get(text, text)
    if len(separator) != 1 and separator != r"\s+":
        raise argparse.ArgumentTypeError(f"{text!r} is not one character, 'tab' or 'space'")
    return separator


def _period(text: str) -> Any:
    if text == "auto":
        return text
    parts = [None if part.strip() == "none" else _positive(part) for part in text.split(",")]
    return parts[0] if len(parts) == 1 else parts


def _families(text: str) -> Any:
    if text == "auto":
        return text
    names = tuple(name.strip() for name in text.split(","))
    unknown = [name for name in names if name not in FAMILIES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(FAMILIES)}")
    return names


def _output(kinds: Sequence[str], what: str) -> Any:
    def output(text: str) -> Path:
        path = Path(text)
        if not path.parent.is_dir():
            raise argparse.ArgumentTypeError(f"{path}: there is no folder {path.parent}")
        if path.is_dir():
            raise argparse.ArgumentTypeError(f"{path} is a folder")
        if not path.name.lower().endswith(tuple(kinds)):
            raise argparse.ArgumentTypeError(f"{path}: {what} are saved as {', '.join(kinds)}")
        if path.suffix.lower() == _MODEL and find_spec("skops") is None:
            raise argparse.ArgumentTypeError('saving needs skops; pip install "skmsnn[files]"')
        return path

    return output
