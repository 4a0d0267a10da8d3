"""Derivatives against those of known functions, and of the torch module."""

import numpy as np
import pytest
import torch
from conftest import relative, tensor_grid
from sklearn.exceptions import NotFittedError

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.datasets import simulate_decaying_turbulence

# derivatives (d/dx)^a (d/dy)^b of sin(2 x) exp(y / 2) are known by heart
TRIGONOMETRIC = [np.sin, np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t)]


def known(X, nu=(0, 0)):
    a, b = nu
    return 2.0**a * TRIGONOMETRIC[a % 4](2 * X[:, 0]) * 0.5**b * np.exp(X[:, 1] / 2)


@pytest.fixture(scope="module")
def spectral():
    X = tensor_grid(np.linspace(-1, 1, 40), np.linspace(0, 3, 40))
    return SpectrumInformedMSNNRegressor(random_state=0).fit(X, known(X))


@pytest.fixture(scope="module")
def network():
    X = tensor_grid(np.linspace(-1, 1, 12), np.linspace(0, 3, 12))
    parameters = {"n_modes": 4, "hidden_layer_sizes": (6,), "max_iter": 10, "n_stages": 2}
    model = SpectrumInformedMSNNRegressor(random_state=0, period=None, **parameters)
    return model.fit(X, np.stack([known(X), known(X, (0, 1)) + X[:, 0] ** 2], axis=1))


@pytest.fixture
def points(rng):
    return rng.uniform([-1, 0], [1, 3], (200, 2))


@pytest.mark.parametrize("nu", [(0, 0), (1, 0), (0, 1), (1, 1), (2, 0), (3, 1)])
def test_spectral_stages(spectral, points, nu):
    # each order takes digits, about a factor of the highest wave number
    tolerance = 1e-13 * 40 ** sum(nu)
    assert relative(spectral.derivative(points, nu) - known(points, nu), known(points)) < tolerance


def test_gradient_and_laplacian_are_made_of_derivatives(spectral, points):
    gradient = spectral.gradient(points)
    assert gradient.shape == (200, 2)
    for j, nu in enumerate([(1, 0), (0, 1)]):
        np.testing.assert_array_equal(gradient[:, j], spectral.derivative(points, nu))
    laplacian = known(points, (2, 0)) + known(points, (0, 2))
    assert relative(spectral.laplacian(points) - laplacian, laplacian) < 1e-10


@pytest.mark.parametrize("nu", [(0, 0), (1, 0), (0, 2), (2, 1)])
def test_networks_have_the_derivatives_of_their_module(network, points, nu):
    x = torch.tensor(points, requires_grad=True)
    value = network.to_module()(x)
    for output in range(2):
        slope = value[:, output]
        for axis in [0] * nu[0] + [1] * nu[1]:
            slope = torch.autograd.grad(slope.sum(), x, create_graph=True)[0][:, axis]
        expected = slope.detach().numpy()
        found = network.derivative(points, nu)[:, output]
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_shapes_with_several_outputs(network, points):
    assert network.gradient(points).shape == (200, 2, 2)
    assert network.laplacian(points).shape == (200, 2)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_derivatives_are_in_the_units_of_the_data(unit, points):
    X = tensor_grid(np.linspace(-1, 1, 30), np.linspace(0, 3, 30))
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(unit * X, 7e50 * known(X))
    expected = 7e50 * known(points, (1, 1)) / unit**2
    assert relative(model.derivative(unit * points, (1, 1)) - expected, expected) < 1e-8


def test_one_feature_takes_one_number():
    x = np.linspace(-1, 1, 60)[:, None]
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(x, np.exp(x[:, 0]))
    np.testing.assert_allclose(model.derivative(x, 2), np.exp(x[:, 0]), rtol=1e-7)


def test_vorticity_is_the_laplacian_of_the_stream_function(rng):
    """Against the solver's own, off its grid: laplacian(psi) = -vorticity."""
    snapshot = simulate_decaying_turbulence(128)
    axis = 2 * np.pi * np.arange(128) / 128
    model = SpectrumInformedMSNNRegressor(random_state=0)
    model.fit(tensor_grid(axis, axis), snapshot.on_grid().ravel())
    X = rng.uniform(0, 2 * np.pi, (1000, 2))
    vorticity = snapshot.at(X, "vorticity")
    assert relative(-model.laplacian(X) - vorticity, vorticity) < 1e-11


def test_predictions_and_module_repeat_with_the_period(rng):
    X = rng.uniform(0, 3, (400, 1))
    model = SpectrumInformedMSNNRegressor(period=3.0, n_modes=3, max_iter=10, random_state=0)
    model.fit(X, np.exp(np.sin(2 * np.pi * X[:, 0] / 3)))
    np.testing.assert_allclose(model.predict(X + 6), model.predict(X), atol=1e-12)
    moved = model.to_module()(torch.tensor(X - 3)).detach().numpy()
    np.testing.assert_allclose(moved, model.predict(X), atol=1e-12)


@pytest.mark.parametrize("nu", [1, (1, 0, 0), (-1, 0), (0.5, 1)])
def test_wrong_orders_are_told(spectral, points, nu):
    with pytest.raises(ValueError, match="each of the 2 features"):
        spectral.derivative(points, nu)


def test_an_unfitted_model_has_no_derivatives(points):
    for method in ("gradient", "laplacian"):
        with pytest.raises(NotFittedError):
            getattr(SpectrumInformedMSNNRegressor(), method)(points)
