"""Rivals of packages that need not be installed, by the extra ``benchmark``."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from scipy.interpolate import make_interp_spline
from sklearn.preprocessing import MinMaxScaler

from examples.benchmarks.methods import Scaled, StandardTarget, Wrapped, tuned

_CHUNK = 2000  # points that kriging predicts at once: it holds all their distances


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
    with redirect_stderr(io.StringIO()):  # its progress
        model.fit(data, opt="LBFGS", steps=100)

    def predict(points):
        with torch.no_grad():
            return model(torch.tensor(scaler.transform(points))).numpy()[:, 0] * scale + mean

    return Wrapped(predict)


def fit_chaos(problem):
    """Sparse polynomial chaos: Legendre polynomials of a hyperbolic set, chosen by LARS.

    The corrected leave-one-out error ends the choice; the norm of the set is tuned, which is as
    large as 30 seconds allow, since a choice takes a time of n P^2 (Blatman & Sudret 2011).
    """
    import openturns as ot

    ot.Log.Show(ot.Log.NONE)
    most = min(problem.n // 2, int((1e8 / problem.n) ** 0.5))
    sets = {}
    for norm in (0.5, 0.75, 1.0) if problem.d > 1 else (1.0,):
        order = ot.HyperbolicAnisotropicEnumerateFunction(problem.d, norm)
        degree = 1
        while degree < 60 and order.getBasisSizeFromTotalDegree(degree + 1) <= most:
            degree += 1
        sets[norm, degree] = order.getBasisSizeFromTotalDegree(degree)
    choices = list(sets)

    def make(choice, X, y):
        return StandardTarget(Chaos(choice[0], sets[choice])).fit(X, y)

    return tuned(make, choices, problem)


class Chaos:
    """``n_terms`` products of Legendre polynomials, of which LARS keeps some."""

    def __init__(self, norm, n_terms):
        self.norm, self.n_terms = norm, n_terms

    def fit(self, X, y):
        import openturns as ot

        d = X.shape[1]
        self.scaler = MinMaxScaler((-1, 1)).fit(X)
        basis = ot.OrthogonalProductPolynomialFactory(
            [ot.LegendreFactory()] * d, ot.HyperbolicAnisotropicEnumerateFunction(d, self.norm)
        )
        algorithm = ot.FunctionalChaosAlgorithm(
            ot.Sample(self.scaler.transform(X)),
            ot.Sample(y[:, None]),
            ot.JointDistribution([ot.Uniform(-1.0, 1.0)] * d),
            ot.FixedStrategy(basis, self.n_terms),
            ot.LeastSquaresStrategy(
                ot.LeastSquaresMetaModelSelectionFactory(ot.LARS(), ot.CorrectedLeaveOneOut())
            ),
        )
        algorithm.run()
        self.model = algorithm.getResult().getMetaModel()
        return self

    def predict(self, X):
        return np.asarray(self.model(self.scaler.transform(X)))[:, 0]


def fit_tensor_train(problem):
    """Chebyshev coefficients as a tensor train, by alternating least squares; tuned.

    The first guess is that of an analysis of variance, with a little noise for the ranks beyond
    it (Chertkov, Ryzhakov & Oseledets 2023).
    """
    choices = list(product((5, 9, 14), (2, 4), (1e-12, 1e-6)))
    choices = [c for c in choices if problem.d * c[0] * c[1] ** 2 <= problem.n]
    return tuned(partial(tensor_train, problem.seed), choices or [(3, 1, 1e-6)], problem)


def tensor_train(seed, choice, X, y):
    import teneva

    n, rank, penalty = choice
    scaler = MinMaxScaler((-0.98, 0.98)).fit(X)  # fresh points lie a little beyond
    mean, scale = y.mean(), y.std() or 1.0
    x, z = scaler.transform(X), (y - mean) / scale
    start = teneva.anova_func(x, z, n)
    noise = teneva.rand([n] * X.shape[1], rank, -1e-3, 1e-3, seed=seed)
    start = teneva.truncate(teneva.add(start, noise), 0.0, rank)
    cores = teneva.als_func(x, z, start, nswp=30, e=1e-13, lamb=penalty)
    inner = partial(evaluate_tensor_train, cores)
    return Wrapped(Scaled(scaler, lambda x: inner(np.clip(x, -1, 1)) * scale + mean))


def evaluate_tensor_train(cores, x):
    import teneva

    return teneva.func_get(x, cores, -1.0, 1.0)


@dataclass
class SplineTrain:
    """A tensor train whose cores are splines of their own axis."""

    splines: list[Any]

    def __call__(self, X):
        product_ = np.ones((len(X), 1))
        for spline, x in zip(self.splines, X.T, strict=True):
            product_ = np.einsum("ni,inj->nj", product_, spline(x))
        return product_[:, 0]


def fit_tensor_train_on_grid(problem):
    """The truncated singular values of the values, and splines between the nodes.

    The degree is the best of those that are fitted to every other node and judged at the rest.
    """
    values = problem.on_grid()

    def error(k):
        every_other = (slice(None, None, 2),) * problem.d
        axes = [axis[::2] for axis in problem.axes]
        if min(map(len, axes)) <= k:
            return np.inf
        model = spline_train(k, axes, values[every_other])
        last = np.array([axis[-1] for axis in axes])
        inside = (last >= problem.X).all(axis=1)
        return np.linalg.norm(model(problem.X[inside]) - problem.y[inside])

    fitting = [k for k in (1, 3, 5, 7, 9) if k < min(values.shape)]
    best = min(fitting, key=error)
    return Wrapped(spline_train(best, problem.axes, values))


def spline_train(k, axes, values):
    import teneva

    cores = teneva.svd(values, 1e-15)
    pairs = zip(axes, cores, strict=True)
    return SplineTrain([make_interp_spline(axis, core, k=k, axis=1) for axis, core in pairs])


def fit_kriging(problem):
    """A Gaussian kernel; a scale an axis by maximum likelihood on 300 points, then all points.

    The nugget is the least of some with which the kernel's matrix is positive definite.
    """
    from smt.surrogate_models import KRG

    scaler = MinMaxScaler((0, 1)).fit(problem.X)
    x = scaler.transform(problem.X)
    some = np.random.default_rng(problem.seed).permutation(problem.n)[:300]

    def trained(x, y, **options):
        for nugget in (2.3e-14, 1e-12, 1e-10, 1e-8):
            model = KRG(
                print_global=False,
                seed=problem.seed,
                nugget=nugget,
                theta_bounds=[1e-6, 1e4],
                **options,
            )
            model.set_training_values(x, y)
            try:
                with redirect_stdout(io.StringIO()):  # it prints eigenvalues where it fails
                    model.train()
            except (RuntimeError, ValueError) as error:
                failure = error
                continue
            return model
        raise failure

    starts = {"hyper_opt": "Cobyla", "n_start": 2, "theta0": [1e-1] * problem.d}
    first = trained(x[some], problem.y[some], **starts)
    model = trained(x, problem.y, hyper_opt="NoOp", theta0=list(first.optimal_theta))

    def predict(X):
        x = scaler.transform(X)
        chunks = range(0, len(x), _CHUNK)
        return np.concatenate([model.predict_values(x[i : i + _CHUNK])[:, 0] for i in chunks])

    return Wrapped(predict)
