import subprocess
import sys

import numpy as np
import pytest

from skmsnn.__main__ import main


def test_turbulence(tmp_path, capsys):
    picture = tmp_path / "fit.png"
    assert main(["--size", "32", "--output", str(picture)]) == 0
    table = capsys.readouterr().out
    last = [line for line in table.splitlines() if "least squares" in line][-1].split()
    assert float(last[2]) < 1e-14
    assert float(last[3]) < 1e-14
    assert picture.read_bytes().startswith(b"\x89PNG")


def write(path, X, y):
    if path.suffix == ".csv":
        header = ",".join([f"x{j}" for j in range(X.shape[1])] + ["u"])
        np.savetxt(
            path, np.column_stack([X, y]), delimiter=",", header=header, comments="", fmt="%.17g"
        )
    else:
        np.savez(path, **{f"x{j}": column for j, column in enumerate(X.T)}, u=y)


@pytest.mark.parametrize("suffix", [".csv", ".npz"])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_a_file(tmp_path, capsys, suffix, d):
    X = np.random.default_rng(0).uniform(-1, 1, (300, d))
    path = tmp_path / f"points{suffix}"
    write(path, X, np.exp(X.sum(axis=1) / 2))
    names = ",".join(f"x{j}" for j in range(d))
    arguments = ["--data", str(path), "--features", names, "--target", "u"]
    assert main([*arguments, "--output", str(tmp_path / "fit.png")]) == 0
    assert "270 points in" in capsys.readouterr().out
    assert (tmp_path / "fit.png").exists()


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("a,b\n1,2\n", [], "at least 20"),
        ("a,b\n1,2,3\n", [], "line 2: 3 fields"),
        ("a,b\n1,2\n3,4\n1,x\n", [], "line 4, column b: 'x' is not"),
        ("a,b\n1,2\n" + "1,nan\n1,3\n" * 30, [], "line 3, column b: the value is missing"),
        ("a,b\n" + "1,2\n" * 30, ["--target", "c"], "has no column 'c'"),
        ("a\n" + "1\n" * 30, [], "at least two columns"),
    ],
)
def test_a_bad_file_is_told(tmp_path, capsys, content, arguments, message):
    path = tmp_path / "bad.csv"
    path.write_text(content)
    assert main(["--data", str(path), "--no-output", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_is_told(capsys):
    assert main(["--data", "nowhere.csv"]) == 2
    assert "nowhere.csv" in capsys.readouterr().err


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "skmsnn", "demo", "--size", "16", "--no-output"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "held-out" in done.stdout
