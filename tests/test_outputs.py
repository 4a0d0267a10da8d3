"""Outputs that need different families."""

import io
import pickle

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error
from skmsnn.modules.trained import TrainedNetwork
from skmsnn.persistence import TRUSTED_TYPES

pytestmark = pytest.mark.filterwarnings("ignore")


def both(X):
    """A sine, and a step or a kink."""
    return np.stack([np.sin(5 * X[:, 0]), np.abs(X[:, 0] - 0.2)], axis=1)


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


@pytest.fixture
def line():
    return np.linspace(-1, 1, 301)[:, None]


def test_a_kink_in_one_output_costs_the_other_no_digits(line, rng):
    fresh = rng.uniform(-1, 1, (2000, 1))
    model = fitted(line, both(line))
    found = model.predict(fresh)
    assert relative_l2_error(both(fresh)[:, 0], found[:, 0]) < 1e-14
    assert "|" in model.stages_[0].family
    alone = fitted(line, both(line)[:, 1]).predict(fresh)
    error = relative_l2_error(both(fresh)[:, 1], found[:, 1])
    assert error < 2 * relative_l2_error(both(fresh)[:, 1], alone)
    slope = model.gradient(fresh)[:, 0, 0]
    assert relative_l2_error(5 * np.cos(5 * fresh[:, 0]), slope) < 1e-12


def test_outputs_that_are_alike_stay_together(line):
    model = fitted(line, np.stack([np.sin(5 * line[:, 0]), np.exp(line[:, 0])], axis=1))
    assert "|" not in model.stages_[0].family


def test_at_scattered_points_too(rng):
    X, fresh = rng.uniform(-1, 1, (400, 2)), rng.uniform(-1, 1, (2000, 2))

    def values(X):
        return np.stack([np.exp(X[:, 0] * X[:, 1]), np.abs(X[:, 0] - 0.2)], axis=1)

    families = ("polynomial", "fourier", "spline")
    truth, found = values(fresh), fitted(X, values(X), families=families).predict(fresh)
    for j in range(2):
        alone = fitted(X, values(X)[:, j], families=families).predict(fresh)
        error = relative_l2_error(truth[:, j], found[:, j])
        assert error < 2 * relative_l2_error(truth[:, j], alone)


def test_module_integral_and_copies_agree(line):
    skops = pytest.importorskip("skops.io")
    model = fitted(line, both(line))
    expected = model.predict(line)
    module = model.to_module()(torch.from_numpy(line)).detach().numpy()
    # fractions of poles next to the kink cancel, in digits that the fit does not have
    size = np.sqrt(np.mean(expected**2, axis=0))
    allowed = 1e-14 + 1e-3 * model.validation_errors_[-1]
    assert np.all(np.abs(module - expected) < allowed * size)
    np.testing.assert_allclose(module[:, 0], expected[:, 0], rtol=0, atol=1e-14)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(line), expected)
    file = io.BytesIO()
    skops.dump(model, file)
    file.seek(0)
    again = skops.load(file, trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(again.predict(line), expected)
    # of the sine by hand; the kink is (1.2^2 + 0.8^2) / 2
    np.testing.assert_allclose(model.integral([-1.0], [1.0]), [0, 1.04], atol=1e-5)


def test_an_output_that_is_constant_takes_no_stage(line, rng):
    y = np.column_stack([both(line), np.full(len(line), 3.0)])
    model = fitted(line, y)
    fresh = rng.uniform(-1, 1, (100, 1))
    np.testing.assert_allclose(model.predict(fresh)[:, 2], 3.0, rtol=1e-14)
    assert relative_l2_error(both(fresh)[:, 0], model.predict(fresh)[:, 0]) < 1e-13


def test_networks_of_single_outputs():
    skops = pytest.importorskip("skops.io")
    X = np.random.default_rng(0).uniform(-1, 1, (80, 1))
    y = np.stack([np.sin(3 * X[:, 0]), X[:, 0] > 0.1], axis=1)
    parameters = {"hidden_layer_sizes": (3,), "max_iter": 5, "n_stages": 1, "early_stopping": False}
    model = fitted(X, y, families=("network",), **parameters)
    assert isinstance(model.stages_[0].function, TrainedNetwork)
    # a stage evaluates its function as it is, and the function of the model one that is prepared
    *_, expected = model.staged_predict(X)
    stage = model.stages_[0].predict(model.domain_.scale(X))
    np.testing.assert_allclose(y.mean(axis=0) + y.std(axis=0) * stage, expected, atol=1e-13)
    size = np.abs(expected).max()
    for found in (model.predict(X), model.to_function()(X)):
        np.testing.assert_allclose(found, expected, atol=1e-13 * size)
    np.testing.assert_allclose(model.to_function()(X[:2]), expected[:2], atol=1e-13 * size)
    module = model.to_module()
    points = torch.tensor(X, requires_grad=True)
    values = module(points)
    np.testing.assert_allclose(values.detach(), expected, atol=1e-13 * size)
    for j in range(2):
        (slope,) = torch.autograd.grad(values[:, j].sum(), points, retain_graph=True)
        np.testing.assert_allclose(model.gradient(X)[:, 0, j], slope[:, 0], rtol=1e-10, atol=1e-12)
    copied = pickle.loads(pickle.dumps(model))
    loaded = skops.loads(skops.dumps(model), trusted=TRUSTED_TYPES)
    for other in (copied, loaded):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
