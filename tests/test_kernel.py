"""Gaussian processes: correlations, their likelihood, and fits to few points."""

import numpy as np
import pytest
import scipy.integrate
from problems import stage_problem
from scipy.stats import qmc
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Matern, RationalQuadratic

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.kernel import MOST_CENTRES, Kernel
from skmsnn.functions.kernel import CORRELATIONS, KernelExpansion, warped
from skmsnn.functions.polynomial import LegendreSeries, columns_of
from skmsnn.spaces.covariance import Form, GaussianProcess

pytestmark = pytest.mark.filterwarnings("ignore")
PEERS = {
    "squared exponential": RBF(),
    "rational quadratic": RationalQuadratic(alpha=1.0),
    "Matern 5/2": Matern(nu=2.5),
    "Matern 7/2": Matern(nu=3.5),
}
FORMS = [
    Form("squared exponential"),
    Form("Matern 5/2", has_sum=True),
    Form("rational quadratic", is_warped=True, degree=1),
    Form("Matern 7/2", has_sum=True, is_warped=True, degree=2),
]


@pytest.fixture
def values(rng):
    """Points, two outputs, and weights."""
    x = rng.uniform(-1, 1, (30, 3))
    y = np.stack([np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2], np.exp(x[:, 0])], axis=1)
    return x, y, rng.uniform(0.5, 2, 30)


def hyperparameters(form, d, rng):
    v = form.start(d, rng)
    return v + 0.3 * rng.standard_normal(len(v)) + (np.arange(len(v)) == len(v) - 1) * 8


# --- functions


@pytest.mark.parametrize("name", CORRELATIONS)
def test_correlations_are_those_of_scikit_learn(name):
    distance = np.linspace(0, 6, 50)
    found, fall = CORRELATIONS[name].with_fall(distance)
    expected = PEERS[name](distance[:, None], [[0.0]])[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    slope = CORRELATIONS[name].derivative(distance, 1)
    np.testing.assert_allclose(-distance * slope / found, fall, atol=1e-12)


def expansion(name, rng, is_warped=True, n=4):
    return KernelExpansion(
        name,
        rng.uniform(-1, 1, (n, 2)),
        rng.standard_normal((n, 2)),
        LegendreSeries(np.array([[0, 0], [1, 0], [0, 2]]), rng.standard_normal((3, 2))),
        np.array([0.8, 0.0]) if is_warped else np.zeros(2),
        np.array([0.7, 1.3]),
        np.array([0.9, 2.0]),
        np.array([0.5, 0.0]),
    )


@pytest.mark.parametrize("name", CORRELATIONS)
def test_values_are_sums_of_covariances(name, rng):
    function = expansion(name, rng)
    x = rng.uniform(-1.5, 1.5, (20, 2))
    u, centres = (
        np.stack([np.expm1(0.8 * a[:, 0]) / 0.8, a[:, 1]], 1) for a in (x, function.centres)
    )
    peer = PEERS[name]
    own = 0.5 * peer(u[:, :1] / 0.9, centres[:, :1] / 0.9)
    product = peer(u[:, :1] / 0.7, centres[:, :1] / 0.7) * peer(
        u[:, 1:] / 1.3, centres[:, 1:] / 1.3
    )
    expected = function.trend.evaluate(x) + (own + product) @ function.coefficients
    np.testing.assert_allclose(function.evaluate(x), expected, atol=1e-12)


@pytest.mark.parametrize("nu", [(1, 0), (0, 1), (2, 0), (1, 1), (0, 3), (4, 0), (3, 2)])
@pytest.mark.parametrize("name", CORRELATIONS)
def test_derivatives_are_slopes_of_those_of_lower_order(name, nu, rng):
    function, h = expansion(name, rng), 1e-4
    # next to centres, too, where the absolute value of a distance has its corner
    x = np.concatenate([rng.uniform(-1, 1, (20, 2)), function.centres + 1e-3])
    j = int(np.argmax(nu))
    lower = function.derivative(tuple(n - (i == j) for i, n in enumerate(nu)))
    step = h * np.eye(2)[j]
    slope = (lower.evaluate(x + step) - lower.evaluate(x - step)) / (2 * h)
    found = function.derivative(nu).evaluate(x)
    np.testing.assert_allclose(found, slope, atol=1e-4 * np.abs(found).max())


@pytest.mark.parametrize(("name", "most"), [("Matern 5/2", 4), ("Matern 7/2", 6)])
def test_derivatives_end_where_the_correlation_has_no_more(name, most, rng):
    function = expansion(name, rng)
    function.derivative((most, 0))
    with pytest.raises(ValueError, match=f"has {most} derivatives along a feature"):
        function.derivative((most, 0)).derivative((1, 0))


@pytest.mark.parametrize("axes", [{0}, {1}, {0, 1}])
@pytest.mark.parametrize("name", CORRELATIONS)
def test_integrals_are_those_of_quadrature(name, axes, rng):
    function = expansion(name, rng)
    lower, upper = np.array([[-0.7, -0.4]]), np.array([[0.9, 0.8]])

    def at(*coordinates):
        x = upper.copy()
        x[0, sorted(axes)] = coordinates[::-1]
        return function.evaluate(x)[0, 1]

    ends = [(lower[0, j], upper[0, j]) for j in sorted(axes, reverse=True)]
    expected = scipy.integrate.nquad(at, ends, opts={"epsabs": 1e-9, "limit": 100})[0]
    found = function.closed_integral(lower, upper, frozenset(axes))[0, 1]
    assert found == pytest.approx(expected, abs=1e-7)


def test_outputs_and_factors(rng):
    function, x = expansion("Matern 5/2", rng), rng.uniform(-1, 1, (5, 2))
    whole = function.evaluate(x)
    of_one = function.of_outputs(slice(1, 2)).evaluate(x)
    np.testing.assert_allclose(of_one, whole[:, 1:], rtol=1e-13)
    factors = np.array([2.0, -3.0])
    np.testing.assert_allclose(function.scaled(factors).evaluate(x), factors * whole, rtol=1e-13)


# --- the process


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_gradient_is_that_of_the_likelihood(form, values, rng):
    x, y, weight = values
    process = GaussianProcess(form, x, weight)
    v = hyperparameters(form, 3, rng)
    gradient = process.minus_log_posterior(v, y)[1]
    h = 1e-5
    steps = h * np.eye(len(v))
    found = [
        (process.minus_log_posterior(v + s, y)[0] - process.minus_log_posterior(v - s, y)[0])
        / (2 * h)
        for s in steps
    ]
    np.testing.assert_allclose(gradient, found, atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_likelihood_is_that_of_contrasts(form, values, rng):
    """It takes combinations of values that no polynomial mean changes, and profiles variances."""
    x, y, weight = values
    process = GaussianProcess(form, x, weight)
    contrasts = np.linalg.svd(process.mean)[0][:, process.mean.shape[1] :]

    def expected(v):
        covariance = process.covariance(v)
        noise = np.exp(v[-1]) * process.spread * covariance[0, 0]
        covariance = contrasts.T @ (covariance + np.diag(noise)) @ contrasts
        own = contrasts.T @ y
        square = np.einsum("io,io->o", own, np.linalg.solve(covariance, own))
        return 0.5 * (np.linalg.slogdet(covariance)[1] + len(own) * np.log(square).mean())

    def found(v):
        return process.minus_log_posterior(v, y)[0] - process._minus_log_prior(v)[0]

    one, other = hyperparameters(form, 3, rng), hyperparameters(form, 3, rng)
    assert found(one) - found(other) == pytest.approx(expected(one) - expected(other), rel=1e-7)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_the_mean_is_that_of_universal_kriging(form, values, rng):
    x, y, weight = values
    process = GaussianProcess(form, x, weight)
    v = hyperparameters(form, 3, rng)
    function, leverage = process.given_with_leverage(v, y)
    covariance = process.covariance(v)
    noise = np.exp(v[-1]) * process.spread * covariance[0, 0]
    n_terms = process.mean.shape[1]
    system = np.block(
        [
            [covariance + np.diag(noise), process.mean],
            [process.mean.T, np.zeros((n_terms, n_terms))],
        ]
    )
    solved = np.linalg.solve(system, np.vstack([y, np.zeros((n_terms, 2))]))
    np.testing.assert_allclose(function.coefficients, solved[:30], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(function.trend.coefficients, solved[30:], rtol=1e-6, atol=1e-8)
    # noise that it follows: the trace of what takes values to the process alone
    share = np.trace(covariance @ np.linalg.inv(covariance + np.diag(noise))) / 30
    assert leverage == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_points_left_out_are_those_of_processes_without_them(form, values, rng):
    x, y, _ = values
    v = hyperparameters(form, 3, rng)
    found = GaussianProcess(form, x, np.ones(30)).left_out(v, y)
    for i in (0, 7, 29):
        others = np.arange(30) != i
        function = GaussianProcess(form, x[others], np.ones(29)).given(v, y[others])
        np.testing.assert_allclose(y[[i]] - function.evaluate(x[[i]]), found[[i]], rtol=1e-5)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_variances_are_those_of_universal_kriging(form, values, rng):
    """From the bordered system of values and coefficients of the mean, for a fresh noisy value."""
    x, y, _ = values
    v = hyperparameters(form, 3, rng)
    fresh = rng.uniform(-1, 1, (20, 3))

    def expected(x, fresh):
        process = GaussianProcess(form, x, np.ones(len(x)))
        function = process.given(v, y[: len(x)])
        own, noise = process.covariance(v), np.exp(v[-1])
        total, n_terms = own[0, 0], process.mean.shape[1]
        system = np.block(
            [
                [own + noise * total * np.eye(len(x)), process.mean],
                [process.mean.T, np.zeros((n_terms, n_terms))],
            ]
        )
        terms = columns_of(fresh, process.terms)
        right = np.concatenate([function.covariance(fresh), terms], axis=1).T
        return 1 + noise - np.sum(right * np.linalg.solve(system, right), axis=0) / total

    own, variance = GaussianProcess(form, x, np.ones(30)).exposures(v)
    np.testing.assert_allclose(variance(fresh), expected(x, fresh), rtol=1e-5, atol=1e-9)
    for i in (0, 7, 29):
        others = np.arange(30) != i
        assert own[i] == pytest.approx(expected(x[others], x[[i]])[0], rel=1e-4)


# --- the family


def nearly_a_sum(X):
    """A sum of functions of one feature each, and a weak product; on [0, 1]^6."""
    own = np.sin(4 * X[:, 0]) + np.sqrt(X[:, 1] + 0.2) + np.exp(-3 * X[:, 2]) + X[:, 3]
    return own + 0.1 * X[:, 0] * X[:, 4]


@pytest.mark.parametrize("n", [40, 80])
def test_few_points_are_worth_more_than_to_the_process_of_scikit_learn(n):
    X = qmc.LatinHypercube(6, rng=np.random.default_rng(0)).random(n)
    fresh = np.random.default_rng(1).random((2000, 6))
    y, truth = nearly_a_sum(X), nearly_a_sum(fresh)
    kernel = ConstantKernel(1.0, (1e-3, 1e5)) * RBF(np.ones(6), (1e-2, 1e3))
    peer = GaussianProcessRegressor(kernel, normalize_y=True, n_restarts_optimizer=2, alpha=1e-10)
    peer.set_params(random_state=0).fit(X, y)
    model = SpectrumInformedMSNNRegressor(random_state=0, families=("kernel",)).fit(X, y)
    errors = [np.sqrt(np.mean((m.predict(fresh) - truth) ** 2)) for m in (model, peer)]
    assert errors[0] < errors[1] / 2
    assert errors[0] < 5 * model.validation_errors_[-1] * truth.std()
    assert "with a sum over features" in model.stage_summaries_[0]


def test_intervals_widen_where_the_process_knows_less():
    """At the edges of six features most of the volume has no point near it."""
    inside, at_edges = [], []
    for seed in range(2):
        X = qmc.LatinHypercube(6, rng=np.random.default_rng(seed)).random(40)
        fresh = np.random.default_rng(seed + 10).random((2000, 6))
        model = SpectrumInformedMSNNRegressor(random_state=0, families=("kernel",))
        values, std = model.fit(X, nearly_a_sum(X)).predict(fresh, return_std=True)
        is_in = np.abs(values - nearly_a_sum(fresh)) <= 1.96 * std
        to_face = np.minimum(fresh, 1 - fresh).min(axis=1)
        is_edge = to_face <= np.quantile(to_face, 0.1)
        inside.append(is_in[~is_edge].mean())
        at_edges.append(is_in[is_edge].mean())
        assert std[is_edge].mean() > 1.2 * std[~is_edge].mean()
    assert np.mean(inside) > 0.9
    assert np.mean(at_edges) > 0.85


def test_noise_is_a_hyperparameter(rng):
    X = rng.uniform(0, 1, (150, 2))
    y = np.sin(5 * X[:, 0]) * X[:, 1]
    model = SpectrumInformedMSNNRegressor(random_state=0, families=("kernel",))
    model.fit(X, y + 0.1 * rng.standard_normal(150))
    fresh = rng.uniform(0.05, 0.95, (1000, 2))
    error = model.predict(fresh) - np.sin(5 * fresh[:, 0]) * fresh[:, 1]
    assert np.sqrt(np.mean(error**2)) < 0.05
    assert 0.7 < model.validation_errors_[-1] * y.std() / 0.1 < 1.5


def test_a_seed_reproduces_a_fit_and_the_order_of_rows_does_not_matter(rng):
    X = rng.uniform(-1, 1, (50, 2))
    y = np.exp(X[:, 0]) / (1.5 + X[:, 1])
    order = rng.permutation(50)
    rows = (slice(None), slice(None), order)
    models = [
        SpectrumInformedMSNNRegressor(random_state=0, families=("kernel",)).fit(X[o], y[o])
        for o in rows
    ]
    fresh = rng.uniform(-1, 1, (100, 2))
    one, again, shuffled = (model.predict(fresh) for model in models)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_allclose(shuffled, one, atol=10 * models[0].validation_errors_[-1])


def test_a_weight_counts_as_so_many_rows_in_the_noise(rng):
    x = np.linspace(-1, 1, 21)[:, None]
    y = x**2
    y[10] = 1.0
    form = Form("squared exponential")
    v = np.array([0.0, np.log(0.1)])
    weights = np.ones((2, 21))
    weights[1, 10] = 1e-6
    pulled, ignored = (
        GaussianProcess(form, x, w).given(v, y).evaluate(x[[10]])[0, 0] for w in weights
    )
    assert ignored < 0.1 * pulled


def test_it_says_where_it_cannot_be_fitted(rng):
    turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)[:, None]
    model = SpectrumInformedMSNNRegressor(families=("kernel",), period=2 * np.pi)
    with pytest.raises(ValueError, match="kernels have no period"):
        model.fit(turn, np.sin(turn[:, 0]))
    X = rng.uniform(-1, 1, (30, 2))
    with pytest.raises(ValueError, match="p must be 2"):
        model.set_params(period=None, p=4).fit(X, X[:, 0])


def test_many_points_have_other_families(rng):
    x = rng.uniform(-1, 1, (MOST_CENTRES + 600, 2))
    problem = stage_problem(x, np.sin(3 * x[:, 0]))
    assert "at most" in Kernel().supports(problem)


@pytest.mark.parametrize("rate", [0.0, 1e-3, -2.0])
def test_warping_has_slope_one_in_the_middle(rate):
    h = 1e-6
    assert warped(np.zeros(1), rate)[0] == 0
    slope = (warped(np.array([h]), rate) - warped(np.array([-h]), rate)) / (2 * h)
    assert slope[0] == pytest.approx(1.0, rel=1e-6)
