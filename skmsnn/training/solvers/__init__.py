"""Solvers: each trains a module's weights on one share of the points.

A solver is a function ``minimise(module, problem, options) -> SolverResult``. It leaves the
best weights it saw in the module and knows nothing of stages or of scikit-learn.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from skmsnn.training.solvers.base import Problem, SolverOptions, SolverResult
from skmsnn.training.solvers.threads import threads_of_torch

if TYPE_CHECKING:
    from torch import nn

__all__ = ["SERVED_BY", "SOLVERS", "Problem", "SolverOptions", "SolverResult", "threads_of_torch"]

Solver = Callable[["nn.Module", Problem, SolverOptions], SolverResult]


def _in_module(name: str) -> Solver:
    """The solver of a module that is imported, and torch with it, when it is first called."""

    def minimise(module: nn.Module, problem: Problem, options: SolverOptions) -> SolverResult:
        solver: Solver = import_module(f"skmsnn.training.solvers.{name}").minimise
        return solver(module, problem, options)

    return minimise


#: Parameters of the estimator that not all solvers have a use for, and those that do.
SERVED_BY: dict[str, tuple[str, ...]] = {"learning_rate_init": ("adam",)}

SOLVERS: dict[str, Solver] = {
    "adam": _in_module("adam"),
    "lbfgs": _in_module("lbfgs"),
    "gauss-newton": _in_module("gauss_newton"),
}
