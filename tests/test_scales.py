"""Features of which the logarithm is taken."""

import pickle

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.domain import Domain
from skmsnn.exceptions import AccuracyWarning
from skmsnn.metrics import relative_l2_error
from skmsnn.sources.arrays import Choices
from skmsnn.sources.scales import _worth_a_look

N_STAGES = {"families": ("polynomial",), "n_stages": 1}


def of_logarithm(x):
    return np.sin(2 * np.log(x)) + np.log(x)


def table(rng, n):
    """Of a feature that spans three decades and one that does not."""
    X = np.column_stack([10 ** rng.uniform(1, 4, n), rng.uniform(-1, 1, n)])
    return X, np.exp(-100 / X[:, 0]) * np.cos(2 * X[:, 1])


@pytest.mark.parametrize("order", range(5))
def test_derivatives_by_the_feature_itself(rng, order):
    """Of u(s) = exp(a s), with s the scaled logarithm, they are powers of the feature."""
    low, high, a = 0.5, 50.0, 0.7
    domain = Domain.of(np.log([[low], [high]]), [None]).of_logarithms(np.array([True]))
    X = rng.uniform(low, high, (30, 1))
    x = domain.scale(X)
    terms = domain.derivative_terms(x, (order,))
    found = sum(factor * a**k * np.exp(a * x[:, 0]) for (k,), factor in terms)
    power = a / domain.half_width[0]
    front = np.exp(-power * domain.centre[0]) * np.prod([power - j for j in range(order)])
    np.testing.assert_allclose(found, front * X[:, 0] ** (power - order), rtol=1e-11)


def test_mixed_derivatives_take_the_other_feature_as_it_is(rng):
    box = np.array([[0.0, -1.0], [3.0, 5.0]])
    domain = Domain.of(box, [None, None]).of_logarithms(np.array([True, False]))
    terms = domain.derivative_terms(np.zeros((4, 2)), (1, 2))
    assert [orders for orders, _ in terms] == [(1, 2)]
    # at s = 0 the feature is exp(1.5); half widths are 1.5 and 3
    np.testing.assert_allclose(terms[0][1], 1 / (1.5 * np.exp(1.5)) / 9)


def test_below_the_points_the_map_goes_on_along_its_tangent():
    domain = Domain.of(np.log([[2.0], [200.0]]), [None]).of_logarithms(np.array([True]))
    slope = 1 / (2.0 * domain.half_width[0])
    X = np.array([[2.0], [1.0], [0.0], [-5.0]])
    np.testing.assert_allclose(domain.scale(X)[:, 0], -1 + slope * (X[:, 0] - 2), atol=1e-14)
    ((_, factor),) = domain.derivative_terms(domain.scale(X[1:]), (1,))
    np.testing.assert_allclose(factor, slope)


def test_a_function_of_the_logarithm_is_found_on_a_line(rng):
    X, fresh = np.geomspace(0.01, 100, 60)[:, None], 10 ** rng.uniform(-2, 2, (2000, 1))
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, of_logarithm(X[:, 0]))
    assert model.domain_.logarithmic.all()
    assert relative_l2_error(of_logarithm(fresh[:, 0]), model.predict(fresh)) < 1e-12
    slope = (2 * np.cos(2 * np.log(fresh[:, 0])) + 1) / fresh[:, 0]
    assert relative_l2_error(slope, model.derivative(fresh, 1)) < 1e-10
    assert relative_l2_error(slope, model.gradient(fresh)[:, 0]) < 1e-10


def test_only_the_feature_that_needs_it_is_taken_so(rng):
    X, y = table(rng, 800)
    fresh, truth = table(rng, 2000)
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, y)
    assert list(model.domain_.logarithmic) == [True, False]
    linear = SpectrumInformedMSNNRegressor(random_state=0, feature_transforms="linear").fit(X, y)
    assert linear.domain_.logarithmic is None
    left = relative_l2_error(truth, model.predict(fresh))
    assert left < 1e-2 * relative_l2_error(truth, linear.predict(fresh))


@pytest.mark.parametrize(
    ("low", "high", "looked_at"), [(0.0, 1.0, []), (1.0, 60.0, [0]), (1.0, 5.0, [])]
)
def test_a_look_is_at_features_that_span_a_decade_and_do_not_reach_zero(rng, low, high, looked_at):
    X = np.column_stack([rng.uniform(low, high, 2000), rng.uniform(-1, 1, 2000)])
    assert _worth_a_look(X, Choices("auto", True, 0.1, True)) == looked_at
    spread = np.exp(rng.uniform(np.log(0.1), np.log(10), 2000))
    X = np.column_stack([X, spread])
    assert 2 in _worth_a_look(X, Choices("auto", True, 0.1, True))
    assert 2 not in _worth_a_look(X, Choices((None, None, 20.0), True, 0.1, True))


def test_a_function_of_the_feature_itself_stays_so(rng):
    X = np.column_stack([rng.uniform(1, 50, 500), rng.uniform(-1, 1, 500)])
    y = np.sin(X[:, 0] / 8) * X[:, 1]
    model = SpectrumInformedMSNNRegressor(random_state=0, families=("fourier",)).fit(X, y)
    assert model.domain_.logarithmic is None


def test_module_function_and_copies_agree(rng):
    X, y = table(rng, 400)
    model = SpectrumInformedMSNNRegressor(feature_transforms=("log", "linear"), **N_STAGES)
    with pytest.warns(AccuracyWarning):
        model.fit(X, y)
    asked = np.vstack([X[:20], [[1.0, 0.0], [-3.0, 0.5], [5e4, 0.0]]])
    expected = model.predict(asked)
    np.testing.assert_allclose(
        model.to_module()(torch.from_numpy(asked)).numpy(), expected, rtol=1e-9
    )
    np.testing.assert_array_equal(model.to_function()(asked), expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(asked), expected)


def test_a_warm_start_keeps_the_scales(rng):
    X, y = table(rng, 400)
    model = SpectrumInformedMSNNRegressor(
        feature_transforms="auto", warm_start=True, random_state=0, n_stages=1
    )
    model.fit(X, y)
    before = model.domain_
    model.set_params(n_stages=3).fit(X, y)
    assert model.domain_.logarithmic is before.logarithmic


@pytest.mark.parametrize(
    ("scales", "words"),
    [
        (("log",), "for each of the 2 features"),
        (("log", "cubic"), "'linear' or 'log'"),
        (("linear", "log"), "feature 1"),
    ],
)
def test_scales_that_cannot_be_are_errors(rng, scales, words):
    X, y = table(rng, 50)
    with pytest.raises(ValueError, match=words):
        SpectrumInformedMSNNRegressor(feature_transforms=scales).fit(X, y)


def test_a_period_and_a_logarithm_exclude_each_other(rng):
    X, y = table(rng, 50)
    model = SpectrumInformedMSNNRegressor(feature_transforms=("log", "linear"), period=(1e5, None))
    with pytest.raises(ValueError, match="period"):
        model.fit(X, y)


def test_integrals_along_a_logarithm_are_declined_with_what_to_do(rng):
    X, y = table(rng, 400)
    model = SpectrumInformedMSNNRegressor(
        feature_transforms=("log", "linear"), families=("polynomial",), n_stages=1
    )
    with pytest.warns(AccuracyWarning):
        model.fit(X, y)
    with pytest.raises(ValueError, match="feature_transforms='linear'"):
        model.integral()
    with pytest.raises(ValueError, match="feature_transforms='linear'"):
        model.antiderivative(X, 0)
    lower, upper = model.antiderivative([[100.0, -0.5], [100.0, 0.5]], 1)
    grid = np.linspace(-0.5, 0.5, 401)
    values = model.predict(np.column_stack([np.full(401, 100.0), grid]))
    assert upper - lower == pytest.approx(np.trapezoid(values, grid), rel=1e-4)
