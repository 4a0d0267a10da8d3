"""The code of docstrings, of the README and of the pages runs; examples run alone."""

import ast
import doctest
import importlib
import pkgutil
import re
import runpy
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

import skmsnn
from skmsnn import SpectrumInformedMSNNRegressor

ROOT = Path(__file__).parents[1]
# What a module needs that may not be there.
NEEDS = {"skmsnn.xarray": "xarray", "skmsnn._drawing": "matplotlib"}
MODULES = [
    module.name
    for module in pkgutil.walk_packages(skmsnn.__path__, "skmsnn.")
    if module.name != "skmsnn.__main__"
]


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def blocks_of(page):
    """The Python code of a page."""
    text = (ROOT / page).read_text(encoding="utf-8")
    if page.endswith(".md"):
        return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    found = re.findall(r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)", text, re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/index.rst",
        "docs/getting_started.rst",
        "docs/derivatives.rst",
        "docs/decades.rst",
        "docs/files.rst",
    ],
)
def test_the_code_of_pages_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if page.endswith("files.rst"):
        pytest.importorskip("xarray")
    names = {"np": np, "SpectrumInformedMSNNRegressor": SpectrumInformedMSNNRegressor}
    blocks = blocks_of(page)
    assert blocks
    for block in blocks:
        exec(compile(block, page, "exec"), names)


EXAMPLES = sorted((ROOT / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_need_nothing_of_the_repository(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not {m for m in modules if m and m.split(".")[0] in ("examples", "tests", "conftest")}


@pytest.mark.parametrize(
    ("name", "package", "most"),
    [("plot_option_prices", "QuantLib", 1e-5), ("plot_water", "CoolProp", 1e-6)],
)
def test_derivatives_of_tables_are_those_of_their_makers(name, package, most, monkeypatch, capsys):
    pytest.importorskip(package)
    monkeypatch.setattr(sys, "argv", [name])
    runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    figures = [[float(cell) for cell in row if "e-" in cell] for row in rows if "e-" in row[1]]
    if package == "QuantLib":
        assert all(ours < theirs for ours, theirs in figures)
        assert max(ours for ours, _ in figures) < most
    else:
        ours, theirs = figures[0], [float(cell) for cell in rows[2] if "e-" in cell]
        assert max(ours) < most
        assert min(theirs) > max(ours)


def test_the_version_is_one():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == skmsnn.__version__
