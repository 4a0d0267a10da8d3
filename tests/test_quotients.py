"""Quotients of polynomials in several features."""

import pickle

import numpy as np
import pytest
from problems import best_of, stage_problem
from scipy.optimize import least_squares

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.quotients import quotients
from skmsnn.functions.polynomial import LegendreSeries, columns_of, total_degree_terms
from skmsnn.functions.quotient import RationalFunction
from skmsnn.metrics import relative_l2_error
from skmsnn.modules.evaluation import evaluate
from skmsnn.modules.of_functions import module_of
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import QuotientFrame


def of_three(X):
    """A quotient of degree 2 over degree 2."""
    a, b, c = X.T
    return (1 + a * b - c**2) / (2 + 0.5 * a - 0.4 * b * c + 0.3 * a**2)


def simple():
    """``(1 + x) / (3 + x + y)``, in Legendre polynomials."""
    denominator = LegendreSeries(np.array([[0, 0], [1, 0], [0, 1]]), np.array([[3.0], [1], [1]]))
    return RationalFunction(np.array([[0, 0], [1, 0]]), np.array([[1.0], [1.0]]), denominator)


@pytest.mark.parametrize(
    ("nu", "formula"),
    [
        ((0, 0), lambda x, y: (1 + x) / (3 + x + y)),
        ((1, 0), lambda x, y: (2 + y) / (3 + x + y) ** 2),
        ((0, 1), lambda x, y: -(1 + x) / (3 + x + y) ** 2),
        ((0, 3), lambda x, y: -6 * (1 + x) / (3 + x + y) ** 4),
        ((1, 1), lambda x, y: (x - y - 1) / (3 + x + y) ** 3),
        ((2, 1), lambda x, y: -2 / (3 + x + y) ** 3 + 6 * (2 + y) / (3 + x + y) ** 4),
    ],
)
def test_derivatives_follow_leibniz(rng, nu, formula):
    x = rng.uniform(-1, 1, (40, 2))
    found = simple().derivative(nu).evaluate(x)[:, 0]
    np.testing.assert_allclose(found, formula(*x.T), rtol=1e-13, atol=1e-14)


def test_the_quotient_that_made_the_data_is_found(rng):
    X, fresh = rng.uniform(-1, 1, (800, 3)), rng.uniform(-1, 1, (4000, 3))
    model = SpectrumInformedMSNNRegressor(families=("rational",), random_state=0)
    model.fit(X, of_three(X))
    assert relative_l2_error(of_three(fresh), model.predict(fresh)) < 1e-14
    assert model.stages_[0].family == "rational"
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(fresh), model.predict(fresh))


def test_outputs_share_a_denominator(rng):
    X, fresh = rng.uniform(-1, 1, (800, 3)), rng.uniform(-1, 1, (2000, 3))

    def both(X):
        return np.stack([of_three(X), 1 / (2 + 0.5 * X[:, 0] - 0.4 * X[:, 1] * X[:, 2])], axis=1)

    model = SpectrumInformedMSNNRegressor(families=("rational",), random_state=0)
    model.fit(X, both(X))
    assert relative_l2_error(both(fresh), model.predict(fresh)) < 1e-13


@pytest.mark.parametrize("in_folds", [False, True])
def test_a_denominator_that_vanishes_in_the_box_is_declined(rng, in_folds):
    """All points are on one side of the pole, and the box reaches beyond it."""
    x = rng.uniform(-1, 1, (600, 2))
    x = x[x.sum(axis=1) < 1]
    y = 1 / (1.2 - x.sum(axis=1, keepdims=True))
    problem = stage_problem(x, y, held=np.arange(0, len(x), 10), in_folds=in_folds)
    ladder = quotients(problem)
    constant, simple = next(ladder), next(ladder)
    assert np.isfinite(problem.scheme.score(constant).score.error)
    assert problem.scheme.score(simple).score.error == np.inf
    assert best_of(problem, quotients(problem)).fit.function.n_terms != simple.n_terms


def test_a_denominator_without_zero_in_the_box_is_not(rng):
    x = rng.uniform(-1, 1, (600, 2))
    problem = stage_problem(x, 1 / (2.1 - x.sum(axis=1, keepdims=True)), held=np.arange(0, 600, 10))
    assert best_of(problem, quotients(problem)).score.error < 1e-13


@pytest.mark.parametrize("n", [4, 15, 100])
def test_there_are_fewer_unknowns_than_points(rng, n):
    x = rng.uniform(-1, 1, (n, 3))
    problem = stage_problem(x, of_three(x)[:, None], held=np.array([0]))
    sizes = [candidate.n_terms for candidate in quotients(problem)]
    # 1, 4, 10, 20, ... coefficients of the numerator, and of the denominator all but one
    assert sizes == [k for k in (1, 7, 19, 39, 69, 111) if k < n - 1]


def test_the_torch_module_agrees(rng):
    x = rng.uniform(-1, 1, (50, 2))
    np.testing.assert_allclose(evaluate(module_of(simple()), x), simple().evaluate(x), rtol=1e-14)


@pytest.mark.parametrize("nu", [(0, 0, 0), (1, 0, 0), (0, 2, 1)])
def test_few_points_agree_with_many(rng, nu):
    terms = total_degree_terms(np.full(3, 2), 2)
    X = rng.uniform(-1, 1, (700, 3))
    model = SpectrumInformedMSNNRegressor(families=("rational",), random_state=0)
    model.fit(X, of_three(X))
    assert model.stages_[0].function.degrees.shape == terms.shape
    few, many = model.derivative(X[:3], nu), np.zeros(3)
    for stage in model.stages_:
        many += stage.derivative(model.domain_.scale(X[:3]), nu)[:, 0]
    many = many * model.to_function().scale / np.prod(model.domain_.half_width ** np.array(nu))
    many += 0 if any(nu) else model.to_function().offset
    np.testing.assert_allclose(few, many, rtol=1e-12)


def test_leaving_out_refits_the_denominator_too(rng):
    """Against refits of numerator and denominator without tenths of the points, by Gauss-Newton."""
    x = rng.uniform(-1, 1, (40, 2))
    terms = total_degree_terms(np.array([1, 1]), 1)
    y = (1 + 0.5 * x[:, 0]) / (1.5 + 0.6 * x[:, 1]) + 1e-3 * rng.standard_normal(40)

    def quotient(c, x):
        columns = columns_of(x, terms)
        return columns @ c[:3] / (columns @ np.r_[1.0, c[3:]])

    def refitted(rows, start):
        return least_squares(lambda c: quotient(c, x[rows]) - y[rows], start, xtol=1e-15).x

    best = refitted(np.arange(40), np.array([1.0, 0, 0, 0, 0]))
    left = [
        y[i] - quotient(refitted(np.flatnonzero(np.arange(40) % 10 != i % 10), best), x[[i]])[0]
        for i in range(40)
    ]
    problem = stage_problem(x, y[:, None], held=np.array([0]), in_folds=True)
    ladder = quotients(problem)
    next(ladder)
    scored = problem.scheme.score(next(ladder))
    found = problem.scale * scored.score.residual[:, 0]
    np.testing.assert_array_equal(scored.score.rows, np.arange(40))
    np.testing.assert_allclose(found, left, rtol=0.05, atol=2e-5)
    # with the denominator held they are too small
    denominator = LegendreSeries(terms, np.r_[1.0, best[3:]][:, None])
    fit = DenseFit(x, np.ones(40), QuotientFrame(terms, denominator))
    rest = (y - quotient(best, x))[:, None]
    folds = [np.arange(k, 40, 10) for k in range(10)]
    held = fit.left_out(rest, folds, 0.0).residual[:, 0]
    assert np.linalg.norm(held) < np.linalg.norm(left) < 1.02 * np.linalg.norm(found)
