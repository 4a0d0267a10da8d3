"""The packages import one way, and no file is too long."""

import ast
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "skmsnn"
FILES = sorted(ROOT.rglob("*.py"))
LONGEST, LONGEST_ESTIMATOR = 400, 350
# Numbers that modules decide by: each is a debt, and one more needs one fewer.
MOST_NUMBERS = 50
# Where networks are, and modules made of functions.
WITH_TORCH = {"modules", "training", "stage.py", "families/network.py"}


def part(module):
    """The package, or the file beside the packages, that a module is in."""
    return module.split(".")[1] if "." in module else "__init__"


def imports_of(path):
    """Modules of the package that a file imports, but for its types."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for_types = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and getattr(block.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    return [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in for_types
    ]


def test_packages_import_one_way():
    graph = defaultdict(set)
    for path in FILES:
        own = part(".".join(("skmsnn", *path.relative_to(ROOT).with_suffix("").parts)))
        for module in imports_of(path):
            if module.startswith("skmsnn") and part(module) != own:
                graph[own].add(part(module))

    def below(name, path=()):
        assert name not in path, f"a cycle: {' -> '.join((*path, name))}"
        for other in graph[name]:
            below(other, (*path, name))

    for name in list(graph):
        below(name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_short_and_torch_is_where_networks_are(path):
    source = path.read_text(encoding="utf-8")
    most = LONGEST_ESTIMATOR if path.name == "_regressor.py" else LONGEST
    assert len(source.splitlines()) <= most
    name = path.relative_to(ROOT).as_posix()
    if any(module.split(".")[0] == "torch" for module in imports_of(path)) or (
        "import torch" in source
    ):
        assert name in WITH_TORCH or name.split("/")[0] in WITH_TORCH


def numbers_of(path):
    """Names at the top of a module that a number is given to; tables of options are none."""
    for statement in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(statement, ast.Assign) or isinstance(statement.value, ast.Dict):
            continue
        literals = (getattr(node, "value", None) for node in ast.walk(statement.value))
        if any(type(value) in (int, float) for value in literals):
            for node in ast.walk(statement.targets[0]):
                if isinstance(node, ast.Name):
                    yield f"{path.relative_to(ROOT)}: {node.id}"


def test_numbers_that_decide_are_few():
    numbers = [number for path in FILES for number in numbers_of(path)]
    assert numbers
    assert len(numbers) <= MOST_NUMBERS, "\n".join(numbers)


def test_torch_is_imported_when_a_network_is_first_needed():
    program = """
import sys, warnings
import numpy as np
import skmsnn
warnings.simplefilter("ignore")
X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
model = skmsnn.SpectrumInformedMSNNRegressor(random_state=0).fit(X, X[:, 0] * X[:, 1])
model.predict(X), model.laplacian(X), model.to_function()(X)
assert "torch" not in sys.modules
model.set_params(solver="gauss-newton", n_modes=2, max_iter=2, hidden_layer_sizes=3)
model.fit(X, X[:, 0] * X[:, 1])
assert "torch" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
