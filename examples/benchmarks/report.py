"""Tables and their heading, as every benchmark prints them."""

import os
import platform
from datetime import date
from importlib.metadata import version


def heading():
    """Date, machine and versions, under which figures can be told apart."""
    versions = [f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "torch")]
    try:
        n_cores = len(os.sched_getaffinity(0))
    except AttributeError:
        n_cores = os.cpu_count()
    return f"{date.today()}, {n_cores} cores, {platform.machine()}; {', '.join(versions)}"


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(names):
    return row(names) + "\n" + row(["---"] * len(names))


def figure(value):
    """A number to two digits, and nothing else than a dash where there is none."""
    return "-" if value is None else f"{value:.1e}"
