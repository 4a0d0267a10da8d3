"""Rivals for scattered points in any dimension: of SciPy, of scikit-learn, and least squares."""

from __future__ import annotations

from itertools import product

import numpy as np
import scipy.interpolate as si
import scipy.linalg as sla
from sklearn.base import BaseEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel
from sklearn.kernel_approximation import Nystroem
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import Ridge, lars_path
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, StandardScaler

from examples.benchmarks.methods import SCALES, Scaled, StandardTarget, Wrapped, scaled, tuned


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


def fit_local_radial(problem):
    """Of the nearest points; their number and the kernel tuned."""
    kernels = ("linear", "cubic", "thin_plate_spline", "quintic")

    def make(choice, X, y):
        kernel, neighbours = choice
        scaler = MinMaxScaler((-1, 1)).fit(X)
        inner = si.RBFInterpolator(
            scaler.transform(X), y, neighbors=min(neighbours, len(X)), kernel=kernel
        )
        return Wrapped(Scaled(scaler, inner))

    return tuned(make, list(product(kernels, (15, 40))), problem)


def fit_clough_tocher(problem):
    return Wrapped(si.CloughTocher2DInterpolator(problem.X, problem.y, fill_value=0.0))


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
        # by a recurrence, which goes on a little beyond the fitted points
        values = np.polynomial.chebyshev.chebvander(self.scaler_.transform(X), self.degree)
        return products(values, self.degrees_)


def products(values, terms):
    """Of polynomials (n, d, degree + 1) of each feature, for each term (d,) of degrees."""
    columns = np.ones((len(values), len(terms)))
    for j, degrees in enumerate(terms.T):
        columns *= values[:, j, degrees]
    return columns


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


class SparseChaos(BaseEstimator):
    """Products of Legendre polynomials, of which least-angle regression orders the most useful.

    As many are kept as the leave-one-out error of their least squares says, without the shrinkage
    (Blatman & Sudret 2011, Adaptive sparse polynomial chaos expansion based on LARS).
    """

    def __init__(self, norm, degree, most=600):
        self.norm, self.degree, self.most = norm, degree, most

    def fit(self, X, y):
        self.scaler_ = MinMaxScaler((-1, 1)).fit(X)
        self.terms_ = hyperbolic(X.shape[1], self.degree, self.norm)
        design = self._design(X)
        centred = design[:, 1:] - design[:, 1:].mean(axis=0)
        centred /= np.maximum(np.linalg.norm(centred, axis=0), 1e-300)
        _, order, _ = lars_path(
            centred,
            1e10 * (y - y.mean()),  # since it ends where correlations are 1e-7
            Gram=centred.T @ centred,
            max_iter=min(self.most, len(X) // 2),
            alpha_min=0.0,
        )
        order = np.concatenate([[0], 1 + np.asarray(order, dtype=int)])
        Q, R = sla.qr(design[:, order], mode="economic", check_finite=False)
        left = y[:, None] - np.cumsum(Q * (Q.T @ y), axis=1)
        leverage = np.minimum(np.cumsum(Q**2, axis=1), 1 - 1e-9)
        k = 1 + int(np.argmin(np.mean((left / (1 - leverage)) ** 2, axis=0)))
        self.terms_ = self.terms_[order[:k]]
        self.coef_ = sla.solve_triangular(R[:k, :k], Q[:, :k].T @ y)
        return self

    def predict(self, X):
        return self._design(X) @ self.coef_

    def _design(self, X):
        values = np.polynomial.legendre.legvander(self.scaler_.transform(X), self.degree)
        return products(values, self.terms_)


def hyperbolic(d, degree, norm):
    """Degrees whose norm is at most ``degree``, the constant first."""
    rows = np.zeros((1, 0), dtype=int)
    for _ in range(d):
        rows = np.concatenate(
            [np.column_stack([rows, np.full(len(rows), k)]) for k in range(degree + 1)]
        )
        rows = rows[np.sum(rows**norm, axis=1) <= degree**norm * (1 + 1e-12)]
    return rows[np.argsort(rows.sum(axis=1), kind="stable")]


def fit_sparse_chaos(problem):
    """Of each norm the largest set that there is room for, and a smaller one."""
    most = min(2 * problem.n, 1500, int(4e7 / problem.n) + 1)
    choices = []
    for norm in (0.4, 0.6, 0.8, 1.0) if problem.d > 1 else (1.0,):
        degree = 1
        while degree < 150 and len(hyperbolic(problem.d, degree + 1, norm)) <= most:
            degree += 1
        choices += [(norm, k) for k in {degree, max(1, round(0.6 * degree))}]
    return tuned(lambda c, X, y: StandardTarget(SparseChaos(*c)).fit(X, y), choices, problem)


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


def fit_polynomial_ridge(problem):
    """Monomials up to a total degree; that and the penalty tuned."""
    most = min(problem.n // 2, 1500, int(6e7 / problem.n) + 1)
    degrees, degree = [], 1
    while len(total_degrees(problem.d, degree)) <= most and degree <= 30:
        degrees.append(degree)
        degree = max(degree + 1, int(degree * 1.4))

    def make(choice, X, y):
        degree, alpha = choice
        features = PolynomialFeatures(degree, include_bias=False)
        return scaled(make_pipeline(features, Ridge(alpha))).fit(X, y)

    return tuned(make, list(product(degrees, (1e-12, 1e-8, 1e-4, 1.0))), problem)


def fit_kernel_ridge(problem):
    choices = [(1 / (2 * s**2), a) for s in SCALES for a in (1e-14, 1e-9)]
    return tuned(
        lambda c, X, y: scaled(KernelRidge(kernel="rbf", gamma=c[0], alpha=c[1])).fit(X, y),
        choices,
        problem,
        most=3000,
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
    y = StandardScaler().fit_transform(problem.y.reshape(problem.n, -1))
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
