"""Command line: fit the points of a file, predict at others, evaluate, or fit turbulence."""

from skmsnn.cli.main import main

__all__ = ["main"]
