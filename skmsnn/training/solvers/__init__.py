"""Solvers: each trains a module's weights on one share of the points.

A solver is a function ``minimise(module, problem, options) -> SolverResult``. It leaves the
best weights it saw in the module and knows nothing of stages or of scikit-learn.
"""

from skmsnn.training.solvers import adam, gauss_newton, lbfgs
from skmsnn.training.solvers.base import Problem, SolverOptions, SolverResult
from skmsnn.training.solvers.threads import threads_of_torch

__all__ = ["SOLVERS", "Problem", "SolverOptions", "SolverResult", "threads_of_torch"]

SOLVERS = {
    "adam": adam.minimise,
    "lbfgs": lbfgs.minimise,
    "gauss-newton": gauss_newton.minimise,
}
