"""What a user would pick instead, each tuned over a small grid.

A choice is fitted to nine tenths of the points, or of 6000 of them where there are more, and
judged on the rest; the best is then fitted to all. The time of a fit includes its tuning. A method
that does not suit the points says why. The methods themselves are in the files ``rivals_*.py``.
"""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from examples.benchmarks.methods import Competitor, Logarithms, needs
from examples.benchmarks.rivals_in_packages import (
    fit_chaos,
    fit_gpytorch,
    fit_kan,
    fit_kriging,
    fit_tensor_train,
    fit_tensor_train_on_grid,
)
from examples.benchmarks.rivals_of_scattered_points import (
    fit_chebyshev,
    fit_clough_tocher,
    fit_extension,
    fit_gaussian_process,
    fit_kernel_ridge,
    fit_local_radial,
    fit_nystroem,
    fit_perceptron,
    fit_polynomial_ridge,
    fit_radial,
    fit_sparse_chaos,
)
from examples.benchmarks.rivals_on_lines_and_grids import (
    FourierInterpolant,
    fit_aaa,
    fit_grid,
    fit_smoothing_spline,
    fit_spline,
)
from skmsnn import SpectrumInformedMSNNRegressor


def ours(problem, **parameters):
    model = SpectrumInformedMSNNRegressor(
        **problem.parameters, **parameters, random_state=problem.seed
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(problem.X, problem.y)


def as_published(problem, **parameters):
    """Three stages of Adam, as many iterations as a million points a stage allow."""
    return ours(
        problem,
        n_stages=3,
        n_modes=min(50, problem.n // 4),
        solver="adam",
        linear_readout=False,
        early_stopping=False,
        max_iter=int(np.clip(1e6 / problem.n, 50, 1000)),
        **parameters,
    )


DEFAULT = "default"

# Seconds after which one that trains by many steps, or by costly ones, is given up.
_GIVEN_UP = 15.0

COMPETITORS = [
    Competitor(DEFAULT, ours),
    Competitor("single stage", partial(ours, n_stages=1), limit=_GIVEN_UP),
    Competitor("paper's recipe", partial(as_published, init="spectrum", p=10), limit=_GIVEN_UP),
    Competitor("MSNN (scale factor)", partial(as_published, init="scale-factor"), limit=_GIVEN_UP),
    *[Competitor(f"spline, k={k}", partial(fit_spline, k), needs(d=(1,))) for k in (3, 5, 7, 9)],
    Competitor(
        "spline, k=9, of log x",
        Logarithms(partial(fit_spline, 9)),
        needs(d=(1,), decades=True),
    ),
    Competitor("smoothing spline", fit_smoothing_spline, needs(d=(1,)), outputs=False),
    Competitor("AAA", fit_aaa, needs(d=(1,), most=5000, interpolator="AAA"), outputs=False),
    *[
        Competitor(f"grid {m}", partial(fit_grid, m), needs(d=(2, 3), grid=True), outputs=False)
        for m in ("cubic", "quintic")
    ],
    Competitor(
        "grid quintic, of logs",
        Logarithms(partial(fit_grid, "quintic")),
        needs(d=(2, 3), grid=True, decades=True),
        outputs=False,
    ),
    Competitor(
        "FFT + NUFFT",
        FourierInterpolant,
        needs(d=(1, 2, 3), grid=True, periodic=True),
        outputs=False,
    ),
    Competitor("RBF interpolator", fit_radial, needs(least_d=2)),
    Competitor("local RBF", fit_local_radial, needs(d=(2, 3))),
    Competitor("Clough-Tocher", fit_clough_tocher, needs(d=(2,))),
    Competitor("plain Fourier extension", fit_extension, needs(d=(1, 2, 3))),
    Competitor("Chebyshev least squares", fit_chebyshev),
    Competitor("PolynomialFeatures + Ridge", fit_polynomial_ridge),
    Competitor("sparse chaos (LARS)", fit_sparse_chaos, outputs=False),
    Competitor("MLPRegressor", fit_perceptron, limit=_GIVEN_UP),
    Competitor("KernelRidge", fit_kernel_ridge, needs(most=6000)),
    Competitor("Nystroem + Ridge", fit_nystroem, needs(most=200_000)),
    Competitor("GaussianProcess", fit_gaussian_process, needs(most=6000)),
    Competitor(
        "sparse chaos (openturns)",
        fit_chaos,
        needs(package="openturns", most=20_000),
        outputs=False,
    ),
    Competitor(
        "tensor train (teneva)", fit_tensor_train, needs(package="teneva", least_d=2), outputs=False
    ),
    Competitor(
        "tensor train on grid (teneva)",
        fit_tensor_train_on_grid,
        needs(package="teneva", least_d=2, grid=True),
        outputs=False,
    ),
    Competitor(
        "kriging (SMT)",
        fit_kriging,
        needs(package="smt"),
        rows=1000,
        outputs=False,
    ),
    Competitor(
        "gpytorch",
        fit_gpytorch,
        needs(package="gpytorch", most=6000),
        outputs=False,
        limit=_GIVEN_UP,
    ),
    Competitor("pykan", fit_kan, needs(package="kan", most=20_000), outputs=False, limit=_GIVEN_UP),
]
COMPETITORS = {competitor.name: competitor for competitor in COMPETITORS}
