"""Sums of few products of functions of one feature each."""

import numpy as np
import pytest

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.functions.separable import CanonicalDecomposition
from skmsnn.metrics import relative_l2_error


def one_product(x):
    return np.exp(-np.sum((x - 0.3) ** 2 * np.arange(1, x.shape[1] + 1), axis=1))


def two_products(x):
    return 3.0 + np.exp(x[:, 0] + x[:, 1]) * np.cos(x[:, 2] - 0.4) - x[:, 1] * x[:, 3] ** 2


@pytest.mark.parametrize("function", [one_product, two_products])
def test_products_are_found_to_round_off(rng, function):
    X, fresh = rng.uniform(-1, 1, (1500, 4)), rng.uniform(-1, 1, (1000, 4))
    model = SpectrumInformedMSNNRegressor(families=("separable",), random_state=0)
    model.fit(X, function(X))
    assert model.stages_[0].family == "separable"
    assert relative_l2_error(function(fresh), model.predict(fresh)) < 1e-11


def test_outputs_have_products_of_their_own(rng):
    def function(x):
        return np.stack([one_product(x), two_products(x)], axis=1)

    X, fresh = rng.uniform(-1, 1, (1500, 4)), rng.uniform(-1, 1, (1000, 4))
    model = SpectrumInformedMSNNRegressor(families=("separable",), random_state=0)
    model.fit(X, function(X))
    assert relative_l2_error(function(fresh), model.predict(fresh)) < 1e-9


def test_derivatives_are_those_of_the_factors(rng):
    """Of x^2 y + 4, whose factors are known: x^2 = (2 P_2 + P_0) / 3, and y = P_1."""
    factors = np.zeros((1, 1, 2, 3))
    factors[0, 0] = [[1 / 3, 0, 2 / 3], [0, 1, 0]]
    modes = CanonicalDecomposition(factors, np.array([4.0])).scaled(np.array([2.0]))
    x = rng.uniform(-1, 1, (20, 2))
    for nu, expected in {
        (0, 0): 2 * x[:, 0] ** 2 * x[:, 1] + 8,
        (1, 0): 4 * x[:, 0] * x[:, 1],
        (1, 1): 4 * x[:, 0],
        (2, 1): np.full(20, 4.0),
        (0, 2): np.zeros(20),
    }.items():
        found = modes.derivative(nu).evaluate(x)[:, 0]
        np.testing.assert_allclose(found, expected, atol=1e-14)
