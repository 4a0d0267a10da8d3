"""Tables and their heading, as every benchmark prints them."""

import os
import platform
from datetime import date
from importlib.metadata import version


def heading():
    """Date, machine and versions, under which figures can be told apart."""
    versions = [f"{name} {version(name)}" for name in ("numpy", "scipy", "scikit-learn", "torch")]
    return f"{date.today()}, {count_cores()} cores, {platform.machine()}; {', '.join(versions)}"


def count_cores():
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count()


def row(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(names):
    return row(names) + "\n" + row(["---"] * len(names))


def figure(value):
    """A number to two digits, and nothing else than a dash where there is none."""
    return "-" if value is None else f"{value:.1e}"
