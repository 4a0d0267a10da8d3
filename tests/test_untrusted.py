"""Files from others: no code of theirs runs, and broken ones are refused."""

import copy
import io
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.__main__ import main
from skmsnn.persistence import TRUSTED_TYPES

CANARY = """
from pathlib import Path
Path(__file__).with_name("it_ran").touch()
class Model:
    def __init__(self, *_, **__): Path(__file__).with_name("it_ran").touch()
    __setstate__ = __call__ = __init__
def function(*_, **__): Path(__file__).with_name("it_ran").touch()
"""


def test_broken_files_do_no_harm():
    pytest.importorskip("skops.io")
    pytest.importorskip("safetensors")
    program = Path(__file__).with_name("fuzz.py")
    done = subprocess.run(
        [sys.executable, program, "--files", "300", "--seed", "1"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    for line in lines:
        read, refused = (int(word) for word in line.split() if word.isdigit())
        assert read + refused == 300
        assert refused > 100


@pytest.fixture
def schema(rng):
    """The schema of a saved model, and a function that saves it with another."""
    sio = pytest.importorskip("skops.io")
    X = rng.uniform(-1, 1, (60, 2))
    model = SpectrumInformedMSNNRegressor(random_state=0, n_stages=1).fit(X, X.sum(axis=1))
    data = sio.dumps(model)

    def saved(tree):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
            for name in old.namelist():
                is_tree = name == "schema.json"
                new.writestr(name, json.dumps(tree) if is_tree else old.read(name))
        return out.getvalue()

    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return json.loads(file.read("schema.json")), saved


@pytest.fixture
def canary(tmp_path, monkeypatch):
    """A module that leaves a file behind when it is imported or anything of it is called."""
    (tmp_path / "canary.py").write_text(CANARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "it_ran"
    sys.modules.pop("canary", None)


NODES = [
    {"__class__": "Model", "__module__": "canary", "__loader__": "ObjectNode"},
    {"__class__": "function", "__module__": "canary", "__loader__": "FunctionNode"},
    {"__class__": "Model", "__module__": "canary", "__loader__": "TypeNode"},
    {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"},
    {"__class__": "eval", "__module__": "builtins", "__loader__": "FunctionNode"},
    {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"},
    {"__class__": "run_path", "__module__": "runpy", "__loader__": "FunctionNode"},
]


@pytest.mark.parametrize(
    "node", NODES, ids=lambda node: f"{node['__class__']}-{node['__loader__']}"
)
@pytest.mark.parametrize("place", ["model", "attribute"])
def test_types_and_functions_of_a_file_are_refused(schema, canary, node, place):
    sio = pytest.importorskip("skops.io")
    tree, saved = schema
    content = tree["content"]["content"]
    if place == "attribute":
        content["random_state"] = {**copy.deepcopy(tree), **node, "__id__": 1}
    else:
        tree.update(node)
    with pytest.raises(Exception, match=node["__module__"]):
        sio.loads(saved(tree), trusted=TRUSTED_TYPES)
    assert not canary.exists()


def test_the_canary_sings(canary):
    import canary as module

    module.function()
    assert canary.exists()


HEADER = "{'descr': '%s', 'fortran_order': False, 'shape': %s}"


def npz_of(header):
    """A file of two arrays, the second of which claims what the header says."""
    out = io.BytesIO()
    np.savez(out, x=np.arange(30.0))
    with zipfile.ZipFile(out, "a") as file:
        text = header.encode().ljust(117) + b"\n"
        file.writestr("u.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npz", npz_of("{'descr': '<f8', 'fortran_order': False, 'shape': (10**13,)}"), "u"),
        (
            "a.npz",
            npz_of("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999,)}"),
            "",
        ),
        ("a.npz", npz_of("{'descr': '<f8', 'fortran_order': False, 'shape': (30,)}"), ""),
        ("a.npz", npz_of("{'descr': '|O', 'fortran_order': False, 'shape': (30,)}"), "column u"),
        (
            "a.npz",
            npz_of("{'descr': '<c16', 'fortran_order': False, 'shape': (0,)}"),
            "complex numbers",
        ),
        ("a.npz", npz_of("__import__('os').system('exit')"), ""),
        ("a.npz", b"", "No data"),
        ("a.npz", b"PK\x03\x04", ""),
        ("a.npz", b"\x80\x04cos\nsystem\n", ""),
        ("a.csv", b"", "it is empty"),
        ("a.csv", b"x,u", "no rows"),
        ("a.csv", b"x,x\n" + b"1,2\n" * 30, "a name of its own"),
        ("a.csv", b"x,u\n" + b"1,2\n" * 30 + b"1,2,3\n", "line 32: 3 fields"),
        ("a.csv", b"x,u\n1,2\n3,4\n1,\xff\n", "line 4, column u"),
        ("a.csv", b"x,u\n" + b"1," + b"9" * 10**6 + b"\n" + b"1,2\n" * 30, "larger"),
        ("a.csv", b"\0" * 10**6, ""),
        ("a.xlsx", b"PK", "not a usable .xlsx"),
        ("a.doc", b"PK", "unknown kind"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_told(tmp_path, capsys, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["--data", str(path), "--no-output"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert name in told.err
    assert message in told.err
    assert "Traceback" not in told.err


def test_a_picture_that_cannot_be_written_is_told(capsys):
    assert main(["--size", "16", "--output", "/nowhere/fit.png"]) == 2
    assert "/nowhere/fit.png" in capsys.readouterr().err


@pytest.mark.parametrize("claimed", [2**63, 2**40, 10**6])
def test_safetensors_of_an_oversized_header_are_refused(rng, claimed):
    safetensors = pytest.importorskip("safetensors.torch")
    X = rng.uniform(-1, 1, (60, 2))
    model = SpectrumInformedMSNNRegressor(random_state=0, n_stages=1).fit(X, X.sum(axis=1))
    data = safetensors.save(model.to_module().state_dict())
    assert safetensors.load(data)
    with pytest.raises(Exception, match=r"(?i)header"):
        safetensors.load(struct.pack("<Q", claimed) + data[8:])
