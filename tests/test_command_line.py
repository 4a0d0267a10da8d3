"""Files as people have them, fitted, saved, predicted and evaluated from the command line."""

import gzip
import inspect
import io
import re
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import skops.io

import skmsnn
from skmsnn.cli import main
from skmsnn.cli.files import WRITABLE, read_table
from skmsnn.cli.table import TableOptions
from skmsnn.persistence import TRUSTED_TYPES
from skmsnn.sources.arrays import ArraySource

X = np.random.default_rng(0).uniform(-1, 1, (80, 2))
TABLE = pd.DataFrame({"x": X[:, 0], "y": X[:, 1], "u": 1 + X[:, 0] * X[:, 1] ** 2})
WITH_TEXT = TABLE.assign(station=["north"] * len(X))[["x", "station", "y", "u"]]


pytestmark = pytest.mark.filterwarnings("ignore:X does not have valid feature names")


def run(*arguments):
    return main([str(argument) for argument in arguments])


def is_exact(path, *options, tmp_path, capsys):
    """Whether the function that the table is of is found in a file."""
    model = tmp_path / "model.skops"
    assert run("fit", path, "--save", model, *options) == 0
    capsys.readouterr()
    read = skops.io.load(model, trusted=TRUSTED_TYPES)
    return np.allclose(read.predict(X), TABLE["u"], rtol=0, atol=1e-13)


WRITERS = {
    "plain.csv": lambda p: TABLE.to_csv(p, index=False),
    "with an index.csv": lambda p: WITH_TEXT.to_csv(p),
    "shuffled.csv": lambda p: WITH_TEXT.sample(frac=1, random_state=0).to_csv(p),
    "decimal commas.CSV": lambda p: WITH_TEXT.to_csv(p, sep=";", decimal=",", index=False),
    "tabs.tsv": lambda p: WITH_TEXT.to_csv(p, sep="\t", index=False),
    "pipes.txt": lambda p: TABLE.to_csv(p, sep="|", index=False),
    "packed.csv.gz": lambda p: TABLE.to_csv(p, index=False),
    "packed.tsv.xz": lambda p: TABLE.to_csv(p, index=False, sep="\t"),
    "by numpy.txt": lambda p: np.savetxt(p, TABLE.to_numpy(), header="x y u", fmt="%.17g"),
    "utf16.txt": lambda p: TABLE.to_csv(p, sep="\t", index=False, encoding="utf-16"),
    "windows.csv": lambda p: TABLE.to_csv(p, index=False, lineterminator="\r\n\r\n"),
    "table.parquet": lambda p: WITH_TEXT.to_parquet(p),
    "book.xlsx": lambda p: WITH_TEXT.to_excel(p),
    "array.npy": lambda p: np.save(p, TABLE.to_numpy()),
    "named.npy": lambda p: np.save(p, TABLE.to_records(index=False)),
    "columns.npz": lambda p: np.savez(p, **{name: TABLE[name] for name in TABLE}),
    "matrix.npz": lambda p: np.savez(p, X=X, u=TABLE["u"]),
}


@pytest.mark.parametrize("name", WRITERS)
def test_files_as_people_have_them(name, tmp_path, capsys):
    WRITERS[name](tmp_path / name)
    assert is_exact(tmp_path / name, tmp_path=tmp_path, capsys=capsys)


def test_no_header_is_an_option_and_no_row_is_lost(tmp_path, capsys):
    path = tmp_path / "a.csv"
    TABLE.to_csv(path, index=False, header=False)
    assert run("fit", path) == 2
    assert "line 1" in capsys.readouterr().err
    assert run("fit", path, "--no-header") == 0
    assert f"{len(TABLE)} points" in capsys.readouterr().out


def test_names_may_have_spaces_and_commas(tmp_path, capsys):
    path = tmp_path / "a.csv"
    TABLE.rename(columns={"x": "x, in m", "y": "y 2"}).to_csv(path, index=False)
    options = ["--features", ' y 2, "x, in m"', "--save", tmp_path / "m.skops"]
    assert run("fit", path, *options) == 0
    model = skops.io.load(tmp_path / "m.skops", trusted=TRUSTED_TYPES)
    assert list(model.feature_names_in_) == ["y 2", "x, in m"]


class TestColumns:
    """What a fit says of the columns that it takes."""

    def fitted(self, table, capsys, tmp_path, *options):
        table.to_csv(tmp_path / "a.csv", index=False)
        assert run("fit", tmp_path / "a.csv", "--families", "polynomial", *options) == 0
        said = capsys.readouterr()
        return said.out.splitlines()[0], [
            line for line in said.err.splitlines() if "--" in line or "influence" in line
        ]

    def test_targets_and_features_are_named_first(self, capsys, tmp_path):
        said = self.fitted(TABLE, capsys, tmp_path)
        assert said == ("target: u; features: x, y", [])
        said = self.fitted(TABLE, capsys, tmp_path, "--target", "x,u")
        assert said == ("targets: x, u; feature: y", [])
        many = pd.DataFrame({f"x{j}": X[:, 0] * j for j in range(1, 31)}).assign(u=TABLE["u"])
        first, _ = self.fitted(many, capsys, tmp_path)
        assert first.startswith("target: u; features: x1, x2, ")
        assert first.endswith(" and 10 more")

    def test_constant_targets(self, capsys, tmp_path):
        first, doubts = self.fitted(TABLE.assign(quality=1), capsys, tmp_path)
        assert first == "target: quality; features: x, y, u"
        (doubt,) = doubts
        assert "target quality is constant, 1 in each row" in doubt
        assert "--target" in doubt
        table = TABLE.assign(a=1, b=2)
        _, (doubt,) = self.fitted(table, capsys, tmp_path, "--target", "a,u,b")
        assert "targets a, b are constant" in doubt

    def test_constant_features(self, capsys, tmp_path):
        table = TABLE.assign(z=3.5)[["x", "z", "y", "u"]]
        _, (doubt,) = self.fitted(table, capsys, tmp_path)
        assert "feature z is constant and without influence" in doubt

    def test_counts_of_the_rows(self, capsys, tmp_path):
        numbers = np.arange(1, len(TABLE) + 1)
        _, (doubt,) = self.fitted(TABLE.assign(row=numbers), capsys, tmp_path)
        assert "target row is a count of the rows" in doubt
        table = TABLE.assign(row=numbers)[["row", "x", "y", "u"]]
        _, (doubt,) = self.fitted(table, capsys, tmp_path)
        assert "feature row is a count of the rows" in doubt
        named = ["--features", "row,x,y", "--target", "u"]
        assert self.fitted(table, capsys, tmp_path, *named)[1] == []
        alone = ["--features", "x,y", "--target", "row"]
        assert self.fitted(table, capsys, tmp_path, *alone)[1] == []
        # a count that is the only coordinate is one
        assert self.fitted(table[["row", "u"]], capsys, tmp_path)[1] == []


def test_the_axes_of_a_grid_and_several_targets(tmp_path, capsys):
    x, y = np.linspace(-1, 1, 20), np.linspace(0, 2, 30)
    u, v = np.add.outer(x**2, y), np.multiply.outer(x, y**3)
    np.savez(tmp_path / "grid.npz", x=x, y=y, u=u, v=v)
    model, out = tmp_path / "m.skops", tmp_path / "out.npz"
    assert run("fit", tmp_path / "grid.npz", "--save", model) == 0
    assert "600 points in 2 dimensions" in capsys.readouterr().out
    np.savez(tmp_path / "fresh.npz", x=[0.1, 0.2, 0.3], y=[1.1, 1.3])
    assert run("predict", model, tmp_path / "fresh.npz", "--grid", "--output", out) == 0
    with np.load(out) as found:
        np.testing.assert_allclose(found["u"], found["x"] ** 2 + found["y"], atol=1e-12)
        np.testing.assert_allclose(found["v"], found["x"] * found["y"] ** 3, atol=1e-12)
    short = pd.DataFrame({"x": [0.1, 0.2, 0.3], "y": [1.1, 1.3, np.nan]})
    short.to_csv(tmp_path / "fresh.csv", index=False)
    assert run("predict", model, tmp_path / "fresh.csv", "--grid", "--output", out) == 0
    assert len(np.load(out)["u"]) == 6
    capsys.readouterr()
    assert run("fit", tmp_path / "grid.npz", "--target", "v") == 0
    assert "target: v; features: x, y" in capsys.readouterr().out
    np.savez(tmp_path / "turned.npz", x=x, y=y, u=u.T)
    assert run("fit", tmp_path / "turned.npz") == 2
    assert "--features 'y,x'" in capsys.readouterr().err


def test_a_matrix_of_an_npz_file_is_several_columns(tmp_path, capsys):
    path, model = tmp_path / "a.npz", tmp_path / "m.skops"
    np.savez(path, X=X, u=np.column_stack([X[:, 0], X.prod(axis=1)]), note="of 2024")
    assert run("fit", path, "--features", "X", "--save", model) == 0
    said = capsys.readouterr()
    assert said.out.startswith("targets: u[0], u[1]; features: X[0], X[1]\n")
    assert "not used, as it is not of numbers: note" in said.err
    assert run("evaluate", model, path) == 0


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx", ".npz", ".npy"])
def test_predictions_are_written_exactly_and_evaluated(suffix, tmp_path, capsys):
    path, model, out = tmp_path / "a.csv", tmp_path / "m.skops", tmp_path / f"out{suffix}"
    TABLE.to_csv(path, index=False)
    assert run("fit", path, "--save", model, "--test-fraction", "0.2") == 0
    assert "64 points" in capsys.readouterr().out
    WITH_TEXT.drop(columns="u").to_csv(tmp_path / "points.csv")
    assert run("predict", model, tmp_path / "points.csv", "--output", out, "--gradient") == 0
    if suffix != ".npy":
        assert run("evaluate", model, out) == 0
        printed = capsys.readouterr().out.splitlines()
        # a workbook keeps 16 digits
        assert float(printed[-1].split()[0]) <= (1e-15 if suffix == ".xlsx" else 0)
        assert run("evaluate", model, path) == 0
        assert float(capsys.readouterr().out.splitlines()[-1].split()[0]) < 1e-13
    else:
        np.testing.assert_allclose(np.load(out)[:, 4], 2 * X[:, 0] * X[:, 1], atol=1e-12)


# of each case the targets, and their slopes along each feature in turn
SLOPES = {
    "three features, two targets": (
        lambda x, y, z: {"u": 2 * x + 5 * y - z, "w": y**2 + x * z},
        lambda x, y, z: [2 + 0 * x, 5 + 0 * x, -1 + 0 * x, z, 2 * y, x],
    ),
    "two of each": (
        lambda x, y: {"u": 2 * x + 5 * y, "w": y**2},
        lambda x, y: [2 + 0 * x, 5 + 0 * x, 0 * x, 2 * y],
    ),
    "one feature, two targets": (lambda x: {"u": x**2, "w": 3 * x}, lambda x: [2 * x, 3 + 0 * x]),
    "two features, one target": (lambda x, y: {"u": x * y**2}, lambda x, y: [y**2, 2 * x * y]),
}


@pytest.mark.parametrize("suffix", WRITABLE)
@pytest.mark.parametrize("case", SLOPES)
def test_slopes_of_each_target_along_each_feature(case, suffix, tmp_path, capsys):
    targets, slopes = SLOPES[case]
    names = list(inspect.signature(targets).parameters)
    points = dict(
        zip(names, np.random.default_rng(1).uniform(-1, 1, (len(names), 60)), strict=True)
    )
    values = targets(**points)
    path, model, out = tmp_path / "a.csv", tmp_path / "m.skops", tmp_path / f"out{suffix}"
    pd.DataFrame(points | values).to_csv(path, index=False)
    chosen = ["--features", ",".join(names), "--target", ",".join(values)]
    assert run("fit", path, "--save", model, *chosen, "--families", "polynomial") == 0
    assert run("predict", model, path, "--output", out, "--gradient") == 0
    slope_names = [f"d{target}/d{name}" for target in values for name in names]
    if suffix == ".npy":  # it has no names
        found = np.load(out)[:, len(names) + len(values) :]
    else:
        table = read_table(out, TableOptions())
        assert list(table.frame) == [*names, *values, *slope_names]
        found = table.rows(slope_names)
    np.testing.assert_allclose(found, np.transpose(slopes(**points)), atol=1e-11)


def test_predictions_go_to_standard_output(tmp_path, capsys):
    TABLE.to_csv(tmp_path / "a.csv", index=False)
    assert run("fit", tmp_path / "a.csv", "--save", tmp_path / "m.skops") == 0
    capsys.readouterr()
    assert run("predict", tmp_path / "m.skops", tmp_path / "a.csv", "--std") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "x,y,u,std of u"
    assert all(0 < float(line.split(",")[3]) < 1e-10 for line in lines[1:])
    assert len(lines) == len(TABLE) + 1
    values = np.array([float(line.split(",")[2]) for line in lines[1:]])
    np.testing.assert_allclose(values, TABLE["u"], atol=1e-13)


def test_missing_values_are_told_or_dropped(tmp_path, capsys):
    path = tmp_path / "a.csv"
    holes = TABLE.copy()
    holes.loc[[4, 7], "y"] = np.nan
    holes.to_csv(path, index=False)
    assert run("fit", path) == 2
    assert "line 6, column y: the value is missing (1 more)" in capsys.readouterr().err
    assert run("fit", path, "--drop-missing") == 0
    assert "78 points" in capsys.readouterr().out


LINES = TABLE.to_csv(index=False).splitlines()
ILL_MADE = {
    "word.csv": ([*LINES[:6], "0.1,abc,2", *LINES[6:]], "line 7, column y: 'abc' is not a number"),
    "wide.csv": ([*LINES[:6], "0.1,2,3,4", *LINES[6:]], "line 7: 4 fields"),
    "short.csv": ([*LINES[:6], "0.1,2", *LINES[6:]], "line 7, column u: the value is missing"),
    "blank lines.csv": (["", *LINES[:6], "", "a,2,3"], "line 9, column x: 'a' is not"),
    "units.csv": ([LINES[0], "m,m,K", *LINES[1:]], "line 2, column x: 'm' is not"),
    "twice.csv": (["x,x,u", *LINES[1:]], "column 2: the name x comes twice"),
    "no name.csv": (["x,,u", *LINES[1:]], "column 2: it has no name"),
    "quote.csv": ([*LINES[:6], '0.1,"0.2,3', *LINES[6:]], "line 7: a quotation mark"),
    "infinite.csv": ([*LINES[:6], "0.1,inf,2", *LINES[6:]], "line 7, column y: infinite"),
    "thousands.csv": (["x;u", "1.234,5;2,0", *["2,0;3,0"] * 20], "line 2, column x: '1.234,5'"),
    "text.csv": (["name,town", *["a,b"] * 20], "at least two columns of numbers"),
    "header.csv": (LINES[:1], "no rows"),
    "nothing.csv": ([], "it is empty"),
}


@pytest.mark.parametrize("name", ILL_MADE)
def test_an_ill_made_file_is_told_in_one_line(name, tmp_path, capsys):
    content, message = ILL_MADE[name]
    path = tmp_path / name
    path.write_text("\n".join(content))
    assert run("fit", path) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert str(path) in told.err
    assert message in told.err


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_files_need_pandas(name, tmp_path, capsys, monkeypatch):
    WRITERS["plain.csv" if name == "a.csv" else "columns.npz"](tmp_path / name)
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert run("fit", tmp_path / name) == 2
    assert 'needs pandas; pip install "skmsnn[files]"' in capsys.readouterr().err


def test_a_cut_archive_is_told(tmp_path, capsys):
    packed = gzip.compress("\n".join(LINES).encode())
    (tmp_path / "cut.csv.gz").write_bytes(packed[: len(packed) // 2])
    assert run("fit", tmp_path / "cut.csv.gz") == 2
    assert "cannot be unpacked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--save", "m.pickle"], ".skops"),
        (["--save", "/nowhere/m.skops"], "no folder"),
        (["--picture", "a.doc"], "pictures"),
        (["--stages", "0"], "less than 1"),
        (["--period", "-1"], "not a positive"),
        (["--families", "wavelets"], "is none of"),
        (["--test-fraction", "1.5"], "below 1"),
        (["--separator", "ab"], "one character"),
    ],
)
def test_options_are_checked_before_the_file_is_read(options, message, capsys):
    assert run("fit", "never read.csv", *options) == 2
    told = capsys.readouterr().err
    assert message in told
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--features", "x,z"], "no column 'z'"),
        (["--features", "x,u", "--target", "u"], "both feature and target"),
        (["--target", "station"], "line 2, column station: 'north' is not a number (79 more"),
        (["--period", "1,2,3"], "3 periods for the 2 features"),
    ],
)
def test_options_that_do_not_suit_the_file(options, message, tmp_path, capsys):
    WITH_TEXT.to_csv(tmp_path / "a.csv")
    assert run("fit", tmp_path / "a.csv", *options) == 2
    assert message in capsys.readouterr().err


class TestCtrlC:
    def test_a_fit_ends_with_the_model_so_far(self, tmp_path, capsys, monkeypatch):
        path, model = tmp_path / "a.csv", tmp_path / "m.skops"
        TABLE.assign(u=np.tanh(9 * TABLE["x"] * TABLE["y"])).to_csv(path, index=False)
        original = ArraySource.best_stage

        def best_stage(*args):
            signal.raise_signal(signal.SIGINT)
            return original(*args)

        monkeypatch.setattr(ArraySource, "best_stage", best_stage)
        assert run("fit", path, "--save", model) == 0
        said = capsys.readouterr()
        assert said.err.startswith("skmsnn: warning: Training interrupted by user. ")
        assert len(said.err.splitlines()) == 1
        assert "stopped: interrupted" in said.out
        assert f"model: {model}" in said.out
        saved = skops.io.load(model, trusted=TRUSTED_TYPES)
        assert np.isfinite(saved.predict(X)).all()

    def test_anything_else_ends_in_a_line(self, tmp_path, capsys, monkeypatch):
        command = sys.modules["skmsnn.cli.main"]
        monkeypatch.setattr(command, "read_table", lambda *_: signal.raise_signal(signal.SIGINT))
        assert run("fit", tmp_path / "a.csv") == 130
        assert capsys.readouterr() == ("", "skmsnn: interrupted\n")


def test_other_files_than_models_are_told(tmp_path, capsys):
    TABLE.to_csv(tmp_path / "a.csv")
    skops.io.dump({"a": 1}, tmp_path / "other.skops")
    assert run("predict", tmp_path / "a.csv", tmp_path / "a.csv") == 2
    assert "not a saved model" in capsys.readouterr().err
    assert run("predict", tmp_path / "other.skops", tmp_path / "a.csv") == 2
    assert "it holds a dict" in capsys.readouterr().err
    assert run("predict", tmp_path / "none.skops", tmp_path / "a.csv") == 2
    assert "No such file" in capsys.readouterr().err


def test_the_version():
    done = subprocess.run(
        [sys.executable, "-m", "skmsnn", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"skmsnn {skmsnn.__version__}"


def test_points_outside_follow_the_rule_that_was_fitted(tmp_path, capsys):
    path, model, points = tmp_path / "t.csv", tmp_path / "m.skops", tmp_path / "p.csv"
    TABLE.to_csv(path, index=False)
    pd.DataFrame({"x": [0.0, 3.0], "y": [0.5, 0.5]}).to_csv(points, index=False)
    assert run("fit", path, "--save", model, "--extrapolation", "constant") == 0
    capsys.readouterr()
    assert run("predict", model, points) == 0
    told = capsys.readouterr()
    values = pd.read_csv(io.StringIO(told.out))["u"]
    np.testing.assert_allclose(values, [1.0, 1 + TABLE["x"].max() * 0.25], rtol=1e-12)
    assert "(1 of 2 points outside; x by up to" in told.err


@pytest.mark.filterwarnings("default::skmsnn.exceptions.AccuracyWarning")
@pytest.mark.parametrize(
    ("table", "figures"),
    [
        (
            TABLE.assign(u=np.sign(TABLE["x"] - 0.51)),
            "error .* of the spread of y, above tol=1e-08",
        ),
        (TABLE.assign(y=TABLE["y"].round()), "error .* tol=1e-08; y: -1, 0, 1"),
        (TABLE.iloc[::60], r"error .*; distinct points: \d"),
    ],
    ids=["accuracy", "few levels", "few points"],
)
def test_warnings_are_followed_by_their_figures(table, figures, tmp_path, capsys):
    table.to_csv(tmp_path / "t.csv", index=False)
    assert run("fit", tmp_path / "t.csv", "--test-fraction", 0) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(rf"See the page on warnings in the documentation\. \({figures}.*\)$", line)
