"""Feeds broken files to everything that reads one, and ends badly if a reader does.

    python tests/fuzz.py --files 10000

Valid files are cut, overwritten, spliced, and rewritten from inside with checksums that are right
again. Whatever a reader makes of them, it raises an error or returns: it does not crash, hang, take
memory without bound, or do for the file what a program does (start others, write, connect). It
prints how many files of each kind were read and how many refused.
"""

import argparse
import faulthandler
import io
import json
import os
import resource
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import safetensors.torch
import skops.io
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.cli.data import data_of
from skmsnn.cli.files import read_table
from skmsnn.cli.table import TableOptions
from skmsnn.persistence import TRUSTED_TYPES

X = np.random.default_rng(0).uniform(-1, 1, (60, 2))
SECONDS_A_FILE, MOST_MEMORY = 60, 8 * 2**30
# what a file must not make a reader do, as auditing of the interpreter names it
FORBIDDEN = ("os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "subprocess.Popen")
FORBIDDEN += ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.putenv", "shutil.")
FORBIDDEN += ("socket.", "ctypes.", "pty.", "webbrowser.", "ftplib.", "urllib.", "code.__new__")
NAMES = ("os", "system", "builtins", "eval", "exec", "subprocess", "Popen", "operator", "functools")
NAMES += ("partial", "methodcaller", "numpy", "ndarray", "FunctionNode", "TypeNode", "MethodNode")
NAMES += ("ObjectNode", "PartialNode", "JsonNode", "BytesNode", "CachedNode", "../../x", "")


def models():
    """One of modes on a lattice, one of networks, one of a list of modes."""
    y = np.cos(2 * X[:, 0] + X[:, 1])
    wide = np.random.default_rng(1).uniform(-1, 1, (60, 4))
    network = {"solver": "gauss-newton", "n_modes": 3, "n_stages": 1}
    network |= {"hidden_layer_sizes": (3,), "max_iter": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield SpectrumInformedMSNNRegressor(random_state=0, n_stages=1).fit(X, y), X
        yield SpectrumInformedMSNNRegressor(random_state=0, **network).fit(X, y), X
        yield SpectrumInformedMSNNRegressor(random_state=0, n_stages=1).fit(wide, y), wide


class Skops:
    refusals = Exception

    def __init__(self):
        pairs = list(models())
        self.files = [skops.io.dumps(model) for model, _ in pairs]
        self._points = [points for _, points in pairs]

    def read(self, data):
        model = skops.io.loads(data, trusted=TRUSTED_TYPES)
        for points in self._points:
            if getattr(model, "n_features_in_", None) == points.shape[1]:
                model.predict(points)
                model.gradient(points)


class Safetensors:
    refusals = Exception

    def __init__(self):
        self._modules = [(m.to_module(), torch.tensor(points)) for m, points in models()]
        self.files = [safetensors.torch.save(m.state_dict()) for m, _ in self._modules]

    def read(self, data):
        tensors = safetensors.torch.load(data)
        for module, points in self._modules:
            own = module.state_dict()
            if {k: v.shape for k, v in tensors.items()} == {k: v.shape for k, v in own.items()}:
                module.load_state_dict(tensors)
                with torch.no_grad():
                    module(points)


class Table:
    """The command line's own readers: nothing but a ValueError or OSError may come of a file."""

    refusals = (ValueError, OSError)

    def __init__(self, suffix):
        self._path = Path(tempfile.mkdtemp()) / f"points{suffix}"
        columns = {"x": X[:, 0], "y": X[:, 1], "u": X.prod(axis=1)}
        file = io.BytesIO()
        if suffix == ".npz":
            np.savez(file, **columns)
            packed = io.BytesIO()
            np.savez_compressed(packed, **columns, n=np.arange(60))
            self.files = [file.getvalue(), packed.getvalue()]
        else:
            table = np.column_stack(list(columns.values()))
            np.savetxt(file, table, delimiter=",", header=",".join(columns), comments="")
            self.files = [file.getvalue()]

    def read(self, data):
        with open(os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), "wb") as file:
            file.write(data)
        data = data_of(read_table(self._path, TableOptions()))
        assert np.isfinite(data.X).all()
        assert np.isfinite(data.y).all()
        assert len(data.X) == len(data.y)


READERS = {
    "skops": Skops,
    "safetensors": Safetensors,
    "csv": lambda: Table(".csv"),
    "npz": lambda: Table(".npz"),
}


def broken(data, rng):
    """The file, cut, overwritten or spliced in a few places."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        at, to = np.sort(rng.integers(0, len(data) + 1, 2))
        to = min(to, at + int(10 ** rng.uniform(0, 3)))
        match rng.integers(6):
            case 0:
                data = data[:at]
            case 1:
                data[at:to] = rng.bytes(to - at)
            case 2:
                data[at:to] = b""
            case 3:
                data[at:at] = data[at:to]
            case 4:
                data[at : at + 8] = rng.choice([b"\xff" * 8, b"\0" * 8, b"99999999", b"\xff" * 4])
            case 5 if at < len(data):
                data[at] ^= 1 << rng.integers(8)
        if not data:
            break
    return bytes(data)


def broken_inside(data, rng):
    """A zip file with one broken member, and checksums that are right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        victim = rng.choice(old.namelist())
        for name in old.namelist():
            content = old.read(name)
            if name == victim:
                is_tree = name.endswith(".json") and rng.random() < 0.8
                content = broken_tree(content, rng) if is_tree else broken(content, rng)
            new.writestr(name, content)
    return out.getvalue()


def broken_tree(content, rng):
    """JSON with a few entries replaced, deleted, or exchanged for others of it."""
    tree = json.loads(content)
    places = []

    def walk(node):
        for key in node if isinstance(node, dict) else range(len(node)):
            places.append((node, key))
            if isinstance(node[key], (dict, list)):
                walk(node[key])

    walk(tree)
    for _ in range(rng.integers(1, 4)):
        node, key = places[rng.integers(len(places))]
        other, other_key = places[rng.integers(len(places))]
        new = [str(rng.choice(NAMES)), -1, 2**63, 1e308, None, [], {}, True, "x" * 10**5]
        new.append(json.loads(json.dumps(other[other_key])) if other_key in keys(other) else 0)
        if key not in keys(node):
            continue
        if isinstance(node, dict) and rng.random() < 0.2:
            del node[key]
        else:
            node[key] = new[rng.integers(len(new))]
    return json.dumps(tree).encode()


def keys(node):
    return node if isinstance(node, dict) else range(len(node))


def forbid_all_but_reading():
    """From now on, end the process at anything that a reader has no reason to do."""

    def audit(event, arguments):
        writes = (
            event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1])
        )
        # an int stands for a file that this program opened itself
        writes = writes and not isinstance(arguments[0], int)
        runs = event == "exec" and arguments[0].co_filename.startswith("<string")
        if writes or runs or event.startswith(FORBIDDEN):
            print(f"a file made its reader do {event} {arguments}", flush=True)
            os._exit(3)

    sys.addaudithook(audit)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10000, help="of each kind (10000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", choices=READERS, default=list(READERS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    faulthandler.enable()
    readers = {kind: READERS[kind]() for kind in options.kinds}
    for reader in readers.values():  # everything that is imported is imported now
        for file in reader.files:
            reader.read(file)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    forbid_all_but_reading()
    for kind, reader in readers.items():
        rng = np.random.default_rng(options.seed)
        counts = Counter()
        for _ in range(options.files):
            data = reader.files[rng.integers(len(reader.files))]
            is_zip = data.startswith(b"PK")
            data = (broken_inside if is_zip and rng.random() < 0.7 else broken)(data, rng)
            faulthandler.dump_traceback_later(SECONDS_A_FILE, exit=True)
            try:
                reader.read(data)
                counts["read"] += 1
            except reader.refusals:
                counts["refused"] += 1
        print(f"{kind}: {counts['read']} read, {counts['refused']} refused", flush=True)
    faulthandler.cancel_dump_traceback_later()


if __name__ == "__main__":
    main()
