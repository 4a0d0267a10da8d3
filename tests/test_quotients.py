"""Quotients of polynomials in several features."""

import pickle

import numpy as np
import pytest
from scipy.optimize import least_squares
from skmsnn.families.base import HeldOut, Split, leave_one_out

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.quotients import select_quotient
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


def split_of(function, rng, d, n=600):
    x = rng.uniform(-1, 1, (n, d))
    y = function(x)[:, None]
    y = (y - y.mean()) / y.std()
    weight = np.ones(n)
    weight[::10] = 0
    return Split(x, y, weight, HeldOut(x[::10], y[::10], np.ones(len(x[::10]))))


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


def test_a_denominator_that_vanishes_in_the_box_is_declined(rng):
    """All points are on one side of the pole, and the box reaches beyond it."""

    def with_pole(X):
        return 1 / (1.2 - X[:, 0] - X[:, 1])

    data = split_of(with_pole, rng, 2, 3000)
    inside = data.x.sum(axis=1) < 1
    weight = data.train * inside
    asked = HeldOut(
        data.x[inside][::10], data.target[inside][::10], np.ones(len(data.x[inside][::10]))
    )
    assert select_quotient(data._replace(train=weight, held_out=asked), rng) is None


def test_without_enough_points_there_is_none(rng):
    assert select_quotient(split_of(of_three, rng, 3, 15), rng) is None


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
    """Against refits of numerator and denominator without each point, by Gauss-Newton."""
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
        y[i] - quotient(refitted(np.delete(np.arange(40), i), best), x[[i]])[0] for i in range(40)
    ]
    denominator = LegendreSeries(terms, np.r_[1.0, best[3:]][:, None])
    modes = RationalFunction(terms, best[:3, None], denominator)
    fit = DenseFit(x, np.ones(40), QuotientFrame(terms, denominator))
    (whole,) = fit.linearised(modes)
    rest = (y - quotient(best, x))[:, None]
    found = leave_one_out(whole, np.ones(40))(rest, rest, 0.0).residual[:, 0]
    np.testing.assert_allclose(found, left, rtol=0.05, atol=2e-5)
    # with the denominator held they are too small
    held = leave_one_out(fit, np.ones(40))(rest, rest, 0.0).residual[:, 0]
    assert np.linalg.norm(held) < np.linalg.norm(left) < 1.02 * np.linalg.norm(found)
