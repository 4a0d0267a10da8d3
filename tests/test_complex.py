"""Complex values: two real outputs inside, complex ones outside."""

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor


def wave(X):
    return np.exp(1j * (3 * X[:, 0] + X[:, 1])) * X[:, 1]


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).uniform(-1, 1, (900, 2))


@pytest.fixture(scope="module")
def model(points):
    return SpectrumInformedMSNNRegressor(random_state=0).fit(points, wave(points))


def test_values_and_derivatives(model, rng):
    X = rng.uniform(-0.9, 0.9, (50, 2))
    assert model.n_outputs_ == 1
    reported = model.validation_errors_[-1]
    assert reported < 1e-11
    np.testing.assert_allclose(model.predict(X), wave(X), rtol=0, atol=5 * reported)
    np.testing.assert_allclose(model.gradient(X)[:, 0], 3j * wave(X), rtol=0, atol=1e-9)
    by_y = np.exp(1j * (3 * X[:, 0] + X[:, 1])) * (1 + 1j * X[:, 1])
    np.testing.assert_allclose(model.derivative(X, (0, 1)), by_y, rtol=0, atol=1e-9)
    second = model.derivative(X, (2, 0)) + model.derivative(X, (0, 2))
    np.testing.assert_array_equal(model.laplacian(X), second)
    *_, last = model.staged_predict(X)
    np.testing.assert_array_equal(last, model.predict(X))


def test_function_module_and_integral(model, rng):
    X = rng.uniform(-0.9, 0.9, (50, 2))
    function = model.to_function()
    np.testing.assert_allclose(function(X), model.predict(X), rtol=0, atol=1e-13)
    assert function(X[0]) == pytest.approx(wave(X[:1])[0], abs=1e-11)
    values = model.to_module()(torch.tensor(X)).detach().numpy()
    # coefficients of waves that are close to each other cancel
    np.testing.assert_allclose(values, wave(X), rtol=0, atol=5 * model.validation_errors_[-1])
    along = (np.exp(3j) - np.exp(-3j)) / 3j * np.exp(0.5j) * 0.5
    found = model.antiderivative([[1.0, 0.5]], 0, lower=-1.0)[0]
    assert found == pytest.approx(along, abs=1e-11)


def test_it_is_the_fit_of_both_parts(model, points):
    parts = np.column_stack([wave(points).real, wave(points).imag])
    both = SpectrumInformedMSNNRegressor(random_state=0).fit(points, parts).predict(points)
    np.testing.assert_array_equal(model.predict(points), both[:, 0] + 1j * both[:, 1])


def test_several_outputs_and_points_to_judge_by(points):
    y = np.column_stack([wave(points), points[:, 0]])
    model = SpectrumInformedMSNNRegressor(random_state=0)
    model.fit(points[:800], y[:800], X_val=points[800:], y_val=y[800:])
    assert model.n_outputs_ == 2
    assert model.gradient(points[:3]).shape == (3, 2, 2)
    np.testing.assert_allclose(model.predict(points[800:]), y[800:], rtol=0, atol=1e-9)


def test_stages_that_were_fitted_to_real_values_go_on_with_such(points):
    model = SpectrumInformedMSNNRegressor(random_state=0, warm_start=True, n_stages=1)
    model.fit(points, wave(points).real)
    with pytest.raises(ValueError, match="real or complex"):
        model.set_params(n_stages=2).fit(points, wave(points))
