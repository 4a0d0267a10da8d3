"""What a user would pick instead, each tuned over a small grid.

A choice is fitted to nine tenths of the points, or of 6000 of them where there are more, and
judged on the rest; the best is then fitted to all. The time of a fit includes its tuning. A method
that does not suit the points says why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import product
from typing import Any

import finufft
import numpy as np
import scipy.interpolate as si
import scipy.linalg as sla
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skmsnn import SpectrumInformedMSNNRegressor

TUNED_ON = 6000
SCALES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Problem:
    """Points and values to fit, and what is known of how they lie.

    ``axes`` are the nodes of a complete grid, None elsewhere; ``period`` that of every axis, None
    where the function has none.
    """

    X: np.ndarray
    y: np.ndarray
    axes: list[np.ndarray] | None
    period: float | None
    parameters: dict[str, Any]
    seed: int = 0

    @property
    def n(self):
        return len(self.X)

    @property
    def d(self):
        return self.X.shape[1]

    def on_grid(self):
        """Values indexed by node, of points in any order."""
        index = [
            np.searchsorted(axis, column) for axis, column in zip(self.axes, self.X.T, strict=True)
        ]
        values = np.empty([len(axis) for axis in self.axes])
        values[tuple(index)] = self.y
        return values


@dataclass(frozen=True)
class Competitor:
    """A method: ``fit`` gives an object with ``predict``, ``unsuited`` a reason or None."""

    name: str
    fit: Callable[[Problem], Any]
    unsuited: Callable[[Problem], str | None] = lambda problem: None


# --- what suits what


def needs(
    *, d=None, grid=False, periodic=False, most=None, least_d=None, package=None, interpolator=None
):
    """Reason why a problem does not suit a method, or None."""

    def unsuited(problem):
        if package is not None and find_spec(package) is None:
            return f"{package} is not installed"
        if interpolator is not None and not hasattr(si, interpolator):
            return f"this SciPy has no {interpolator}"
        if d is not None and problem.d not in d:
            return f"not in {problem.d} dimensions"
        if least_d is not None and problem.d < least_d:
            return f"not in {problem.d} dimensions"
        if grid and problem.axes is None:
            return "needs a complete grid"
        if periodic and problem.period is None:
            return "needs a period"
        if most is not None and problem.n > most:
            return f"not of more than {most} points"
        return None

    return unsuited


def tuned(make, choices, problem):
    """Fit every choice to nine tenths of some points, the best of them to all."""
    order = np.random.default_rng(problem.seed).permutation(problem.n)[:TUNED_ON]
    held, rest = np.split(order, [max(1, len(order) // 10)])
    best, least, failure = None, np.inf, None
    for choice in choices:
        try:
            model = make(choice, problem.X[rest], problem.y[rest])
            error = np.linalg.norm(model.predict(problem.X[held]) - problem.y[held])
        except (np.linalg.LinAlgError, ValueError) as error:
            failure = error
            continue
        if error < least:
            best, least = choice, error
    if best is None:
        raise ValueError(f"no choice could be fitted: {failure}")
    return make(best, problem.X, problem.y)


# --- interpolation


@dataclass
class Wrapped:
    """A callable of points as a model; ``derivative`` gives its gradient where there is one."""

    function: Any
    one_dimensional: bool = False
    derivative: Any = None

    def predict(self, X):
        return np.asarray(self.function(X[:, 0] if self.one_dimensional else X)).real

    def gradient(self, X):
        return self.derivative(X)


@dataclass
class SplineGradient:
    spline: Any

    def __call__(self, X):
        return self.spline(X[:, 0], nu=1)[:, None]


@dataclass
class GridGradient:
    interpolator: Any

    def __call__(self, X):
        return np.stack([self.interpolator(X, nu=nu) for nu in np.eye(X.shape[1], dtype=int)], 1)


def fit_spline(k, problem):
    order = np.argsort(problem.X[:, 0])
    spline = si.make_interp_spline(problem.X[order, 0], problem.y[order], k=k)
    return Wrapped(spline, True, SplineGradient(spline))


def fit_aaa(problem):
    return Wrapped(si.AAA(problem.X[:, 0], problem.y), True)


def fit_grid(method, problem):
    interpolator = si.RegularGridInterpolator(
        problem.axes, problem.on_grid(), method=method, bounds_error=False, fill_value=None
    )
    return Wrapped(interpolator, derivative=GridGradient(interpolator))


class FourierInterpolant:
    """The FFT of the values, summed anywhere by a non-uniform FFT."""

    def __init__(self, problem):
        self.low = np.array([axis[0] for axis in problem.axes])
        self.period = problem.period
        values = problem.on_grid()
        c = np.fft.fftn(values) / values.size
        for axis, n in enumerate(values.shape):
            if n % 2 == 0:  # the mode at Nyquist is half of each sign
                c = np.fft.fftshift(c, axes=axis)
                c = np.concatenate([c, np.take(c, [0], axis=axis)], axis=axis)
                edges = [slice(None)] * c.ndim
                for edge in (0, -1):
                    edges[axis] = edge
                    c[tuple(edges)] /= 2
            else:
                c = np.fft.fftshift(c, axes=axis)
        self.c = np.ascontiguousarray(c)

    def predict(self, X):
        return self._sum(self.c, X)

    def gradient(self, X):
        columns = []
        for j, n in enumerate(self.c.shape):
            k = np.arange(n) - n // 2
            factor = (2j * np.pi / self.period * k).reshape(
                [-1 if i == j else 1 for i in range(X.shape[1])]
            )
            columns.append(self._sum(self.c * factor, X))
        return np.stack(columns, axis=1)

    def _sum(self, c, X):
        angles = 2 * np.pi * (X - self.low) / self.period
        transform = {1: finufft.nufft1d2, 2: finufft.nufft2d2, 3: finufft.nufft3d2}[X.shape[1]]
        columns = [
            np.ascontiguousarray(np.remainder(a + np.pi, 2 * np.pi) - np.pi) for a in angles.T
        ]
        return transform(*columns, c, isign=1, eps=2e-15).real


def fit_radial(problem):
    """Global up to 5000 points, of the 50 nearest beyond; kernel and scale tuned."""
    neighbours = None if problem.n <= 5000 else 50
    smooth = [("gaussian", 1 / s) for s in SCALES[1:5]]
    choices = [("thin_plate_spline", 1), ("quintic", 1), *smooth]
    if neighbours:
        choices = choices[:2]

    def make(choice, X, y):
        kernel, epsilon = choice
        scaler = MinMaxScaler((-1, 1)).fit(X)
        inner = si.RBFInterpolator(
            scaler.transform(X), y, neighbors=neighbours, kernel=kernel, epsilon=epsilon
        )
        return Wrapped(Scaled(scaler, inner))

    return tuned(make, choices, problem)


@dataclass
class Scaled:
    scaler: Any
    inner: Any

    def __call__(self, X):
        return self.inner(self.scaler.transform(X))


def fit_clough_tocher(problem):
    return Wrapped(si.CloughTocher2DInterpolator(problem.X, problem.y, fill_value=0.0))


# --- least squares on fixed bases


class ChebyshevLeastSquares(BaseEstimator):
    """Products of Chebyshev polynomials of bounded total degree."""

    def __init__(self, degree):
        self.degree = degree

    def fit(self, X, y):
        self.scaler_ = MinMaxScaler((-1, 1)).fit(X)
        self.degrees_ = total_degrees(X.shape[1], self.degree)
        self.coef_ = sla.lstsq(self._design(X), y, lapack_driver="gelsy", check_finite=False)[0]
        return self

    def predict(self, X):
        return self._design(X) @ self.coef_

    def _design(self, X):
        x = np.clip(self.scaler_.transform(X), -1, 1)
        values = np.cos(np.arccos(x)[:, None, :] * np.arange(self.degree + 1)[:, None])
        design = np.ones((len(X), len(self.degrees_)))
        for j, degrees in enumerate(self.degrees_.T):
            design *= values[:, degrees, j]
        return design


def total_degrees(d, degree):
    rows = np.zeros((1, 0), dtype=int)
    for _ in range(d):
        rows = np.concatenate(
            [np.column_stack([rows, np.full(len(rows), k)]) for k in range(degree + 1)]
        )
        rows = rows[rows.sum(axis=1) <= degree]
    return rows


def fit_chebyshev(problem):
    most = min(problem.n // 2, 2000, int(1.2e8 / problem.n) + 1)
    degrees, degree = [], 1
    while len(total_degrees(problem.d, degree)) <= most and degree <= 200:
        degrees.append(degree)
        degree = max(degree + 1, int(degree * 1.4))
    return tuned(lambda k, X, y: ChebyshevLeastSquares(k).fit(X, y), degrees, problem)


class PlainFourierExtension(BaseEstimator):
    """Cosines and sines of a box twice as wide, by a truncated SVD of the whole frame."""

    def __init__(self, order):
        self.order = order

    def fit(self, X, y):
        self.scaler_ = MinMaxScaler((-1, 1)).fit(X)
        d = X.shape[1]
        k = np.array(list(product(range(-self.order, self.order + 1), repeat=d)))
        self.k_ = k[len(k) // 2 :]
        self.coef_ = sla.lstsq(self._design(X), y, cond=1e-14, check_finite=False)[0]
        return self

    def predict(self, X):
        return self._design(X) @ self.coef_

    def _design(self, X):
        phase = self.scaler_.transform(X) @ self.k_.T * (np.pi / 2)
        return np.concatenate([np.cos(phase), np.sin(phase[:, 1:])], axis=1)


def fit_extension(problem):
    """As many unknowns as half of the points, and fewer; no more than 1200."""
    most = min(problem.n // 2, 1200, int(2e7 / problem.n) + 1)
    largest = int((most ** (1 / problem.d) - 1) / 2)
    orders = sorted({max(1, int(largest * share)) for share in (0.3, 0.5, 0.7, 1.0)})
    return tuned(lambda m, X, y: PlainFourierExtension(m).fit(X, y), orders, problem)


# --- scikit-learn


class StandardTarget(BaseEstimator):
    """A model of y with mean 0 and standard deviation 1."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.mean_, self.scale_ = y.mean(), y.std() or 1.0
        self.model.fit(X, (y - self.mean_) / self.scale_)
        return self

    def predict(self, X):
        return self.model.predict(X) * self.scale_ + self.mean_


def scaled(model):
    return StandardTarget(make_pipeline(MinMaxScaler((-1, 1)), model))


def fit_kernel_ridge(problem):
    choices = [(1 / (2 * s**2), a) for s in SCALES for a in (1e-14, 1e-9)]
    return tuned(
        lambda c, X, y: scaled(KernelRidge(kernel="rbf", gamma=c[0], alpha=c[1])).fit(X, y),
        choices,
        problem,
    )


def fit_nystroem(problem):
    def make(scale, X, y):
        features = Nystroem(
            gamma=1 / (2 * scale**2), n_components=min(1000, len(X) // 2), random_state=problem.seed
        )
        return scaled(make_pipeline(features, Ridge(alpha=1e-12, solver="svd"))).fit(X, y)

    return tuned(make, SCALES, problem)


def fit_gaussian_process(problem):
    """Scales by maximum likelihood on 400 points, one an axis; then all points."""
    some = np.random.default_rng(problem.seed).permutation(problem.n)[:400]
    kernel = ConstantKernel(1.0, (1e-3, 1e6)) * RBF(np.ones(problem.d), (1e-2, 1e2))
    scaler = MinMaxScaler((-1, 1)).fit(problem.X)
    y = StandardScaler().fit_transform(problem.y[:, None])[:, 0]
    first = GaussianProcessRegressor(kernel, alpha=1e-10, n_restarts_optimizer=1, random_state=0)
    first.fit(scaler.transform(problem.X[some]), y[some])

    def make(alpha, X, y):
        model = GaussianProcessRegressor(first.kernel_, alpha=alpha, optimizer=None)
        return scaled(model).fit(X, y)

    return tuned(make, (1e-13, 1e-11, 1e-9), problem)


def fit_perceptron(problem):
    """Three layers of 50 tanh; L-BFGS while the points are few, Adam beyond."""
    few = problem.n <= 10_000
    model = MLPRegressor(
        hidden_layer_sizes=(50, 50, 50),
        activation="tanh",
        alpha=0.0,
        solver="lbfgs" if few else "adam",
        max_iter=600 if few else max(5, int(1e6 / problem.n)),
        tol=1e-12,
        random_state=problem.seed,
    )
    return scaled(model).fit(problem.X, problem.y)


# --- optional packages


def fit_gpytorch(problem):
    import gpytorch
    import torch

    scaler = MinMaxScaler((-1, 1)).fit(problem.X)
    mean, scale = problem.y.mean(), problem.y.std() or 1.0
    x = torch.tensor(scaler.transform(problem.X))
    y = torch.tensor((problem.y - mean) / scale)

    class Exact(gpytorch.models.ExactGP):
        def __init__(self, x, y, likelihood):
            super().__init__(x, y, likelihood)
            self.mean = gpytorch.means.ConstantMean()
            kernel = gpytorch.kernels.RBFKernel(ard_num_dims=x.shape[1])
            self.kernel = gpytorch.kernels.ScaleKernel(kernel)

        def forward(self, x):
            return gpytorch.distributions.MultivariateNormal(self.mean(x), self.kernel(x))

    likelihood = gpytorch.likelihoods.GaussianLikelihood(
        noise_constraint=gpytorch.constraints.GreaterThan(1e-9)
    )
    model = Exact(x, y, likelihood).double()
    likelihood.double()
    objective = gpytorch.mlls.ExactMarginalLogLikelihood(likelihood, model)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(100):
        optimiser.zero_grad()
        loss = -objective(model(x), y)
        loss.backward()
        optimiser.step()
    model.eval()

    def predict(points):
        with torch.no_grad():
            return model(torch.tensor(scaler.transform(points))).mean.numpy() * scale + mean

    return Wrapped(predict)


def fit_kan(problem):
    import torch
    from kan import KAN

    scaler = MinMaxScaler((-1, 1)).fit(problem.X)
    mean, scale = problem.y.mean(), problem.y.std() or 1.0
    x = torch.tensor(scaler.transform(problem.X))
    y = torch.tensor((problem.y - mean) / scale)[:, None]
    model = KAN(width=[problem.d, 5, 1], grid=10, k=3, seed=problem.seed, auto_save=False).double()
    data = {"train_input": x, "train_label": y, "test_input": x[:1], "test_label": y[:1]}
    model.fit(data, opt="LBFGS", steps=100)

    def predict(points):
        with torch.no_grad():
            return model(torch.tensor(scaler.transform(points))).numpy()[:, 0] * scale + mean

    return Wrapped(predict)


# --- our own


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
        spectral_readout=False,
        early_stopping=False,
        max_iter=int(np.clip(1e6 / problem.n, 50, 1000)),
        **parameters,
    )


DEFAULT = "default"

COMPETITORS = [
    Competitor(DEFAULT, ours),
    Competitor("single stage", partial(ours, n_stages=1)),
    Competitor("paper's recipe", partial(as_published, init="spectrum", p=10)),
    Competitor("MSNN (scale factor)", partial(as_published, init="scale-factor")),
    *[Competitor(f"spline, k={k}", partial(fit_spline, k), needs(d=(1,))) for k in (3, 5, 9)],
    Competitor("AAA", fit_aaa, needs(d=(1,), most=5000, interpolator="AAA")),
    *[
        Competitor(f"grid {m}", partial(fit_grid, m), needs(d=(2, 3), grid=True))
        for m in ("cubic", "quintic")
    ],
    Competitor("FFT + NUFFT", FourierInterpolant, needs(d=(1, 2, 3), grid=True, periodic=True)),
    Competitor("RBF interpolator", fit_radial, needs(least_d=2)),
    Competitor("Clough-Tocher", fit_clough_tocher, needs(d=(2,))),
    Competitor("plain Fourier extension", fit_extension, needs(d=(1, 2, 3))),
    Competitor("Chebyshev least squares", fit_chebyshev),
    Competitor("MLPRegressor", fit_perceptron),
    Competitor("KernelRidge", fit_kernel_ridge, needs(most=6000)),
    Competitor("Nystroem + Ridge", fit_nystroem, needs(most=200_000)),
    Competitor("GaussianProcess", fit_gaussian_process, needs(most=6000)),
    Competitor("gpytorch", fit_gpytorch, needs(package="gpytorch", most=6000)),
    Competitor("pykan", fit_kan, needs(package="kan", most=20_000)),
]
COMPETITORS = {competitor.name: competitor for competitor in COMPETITORS}
