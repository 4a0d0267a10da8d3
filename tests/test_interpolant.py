"""Small tables that nothing smooth describes end as interpolants of their own rows."""

import numpy as np
import pytest
import torch
from conftest import tensor_grid
from scipy.interpolate import LinearNDInterpolator, PchipInterpolator

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import AccuracyWarning, ExtrapolationWarning

pytestmark = pytest.mark.filterwarnings("ignore")


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def profile():
    """A step profile, as pairs of times a thousandth apart."""
    t = np.sort(np.r_[np.arange(7.0), np.arange(7.0) + 1e-3])
    return t, np.array([0.0, 5, 5, 2, 2, 8, 8, 8.5, 8.5, 1, 1, 3, 3, 0])


TABLES = {
    "steps in pairs": profile(),
    "irregular": (
        np.array([0.1, 0.4, 1.7, 2.0, 2.2, 3.9, 5.0, 5.1, 6.6, 7.0, 8.8, 9.5]),
        np.array([3.0, -1, 4, 1, -5, 9, 2, -6, 5, 3, -5, 8]),
    ),
    "pulses": (np.arange(30.0), (np.arange(30) % 10 == 0) * 1.0),
    "zigzag": (np.arange(15.0), (-1.0) ** np.arange(15)),
    "steps": (np.arange(20.0), np.repeat([1.0, 5, 2, 7, 3], [4, 5, 3, 6, 2])),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_of_one_feature_are_monotone_cubics(name):
    x, y = TABLES[name]
    with pytest.warns(AccuracyWarning, match="interpolant"):
        model = fitted(x[:, None], y)
    assert model.stop_reason_ == "interpolated"
    assert model.stages_[0].family == "interpolant"
    pchip = PchipInterpolator(x, y)
    fresh = np.linspace(x[0], x[-1], 301)
    np.testing.assert_allclose(model.predict(fresh[:, None]), pchip(fresh), atol=1e-9)
    np.testing.assert_allclose(model.predict(x[:, None]), y, atol=1e-13)
    slopes = model.derivative(fresh[:, None], 1)
    np.testing.assert_allclose(slopes, pchip(fresh, 1), atol=1e-6 * np.abs(slopes).max())
    assert model.integral() == pytest.approx(pchip.integrate(x[0], x[-1]), abs=1e-10)
    module = model.to_module()(torch.tensor(fresh[:, None])).numpy()
    np.testing.assert_allclose(module, pchip(fresh), atol=1e-9)
    assert model.validation_errors_[-1] > 0.1


def test_two_features_are_piecewise_linear(rng):
    X = rng.uniform(0, 1, (25, 2))
    y = rng.standard_normal((25, 2))
    model = fitted(X, y)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-13)
    # the corners of the box are corners of triangles, too; away from these both have the same
    corners = tensor_grid(*zip(X.min(axis=0), X.max(axis=0), strict=True))
    nearest = np.argmin(np.linalg.norm(corners[:, None] - X, axis=2), axis=1)
    half = np.ptp(X, axis=0) / 2
    linear = LinearNDInterpolator(np.vstack([X, corners]) / half, np.vstack([y, y[nearest]]))
    fresh = rng.uniform(X.min(axis=0), X.max(axis=0), (500, 2))
    np.testing.assert_allclose(model.predict(fresh), linear(fresh / half), atol=1e-10)
    np.testing.assert_allclose(
        model.to_module()(torch.tensor(fresh)).numpy(), model.predict(fresh), atol=1e-12
    )
    h = 1e-7
    steps = [
        (linear((fresh + h * e) / half) - linear((fresh - h * e) / half)) / (2 * h)
        for e in np.eye(2)
    ]
    error = np.abs(model.gradient(fresh) - np.stack(steps, axis=1))
    assert np.mean(error < 1e-5) > 0.99  # but where a step crosses an edge
    assert not model.derivative(fresh, (1, 1)).any()


@pytest.mark.parametrize("rule", ["auto", "continue", "linear", "constant"])
def test_slopes_and_modules_agree_with_values_outside(rng, rule):
    X = rng.uniform(-1, 1, (120, 2))
    model = fitted(X, np.sign(X[:, 0] * X[:, 1]), extrapolation=rule, families=("interpolant",))
    assert model.stages_[0].family == "interpolant"
    outside = rng.uniform(-1.4, 1.4, (200, 2))
    with pytest.warns(ExtrapolationWarning):
        values, slopes = model.predict(outside), model.gradient(outside)
    module = model.to_module()(torch.tensor(outside)).numpy()
    np.testing.assert_allclose(module, values, atol=1e-11)
    assert np.abs(values).max() <= 1 + 1e-12  # of values of 1 and -1, even by tangents
    h = 1e-7
    function = model.to_function()
    for j, e in enumerate(np.eye(2)):
        step = (function(outside + h * e) - function(outside - h * e)) / (2 * h)
        agrees = np.abs(slopes[:, j] - step) < 1e-4
        assert agrees.mean() > 0.98  # but where a step crosses an edge


def test_a_constant_column_does_not_matter():
    x, y = TABLES["zigzag"]
    model = fitted(np.column_stack([np.full(15, 2.0), x]), y)
    np.testing.assert_allclose(model.predict(np.column_stack([np.full(15, 2.0), x])), y, atol=1e-13)


def test_noise_is_not_interpolated(rng):
    many = fitted(np.arange(150.0)[:, None], rng.standard_normal(150))
    assert many.stages_[0].family != "interpolant"
    # values that differ at the same points show that they are noise
    x = np.repeat(np.arange(10.0), 2)
    repeated = fitted(x[:, None], rng.standard_normal(20))
    assert repeated.stages_[0].family != "interpolant"


def test_what_is_smooth_is_not_interpolated(rng):
    x = np.sort(rng.uniform(-1, 1, 15))
    noisy = fitted(x[:, None], 3 * x + 0.3 * rng.standard_normal(15))
    assert noisy.stages_[0].family != "interpolant"
    smooth = fitted(x[:, None], np.exp(x))
    assert smooth.stages_[0].family != "interpolant"


def test_other_families_by_name_stay_themselves():
    x, y = TABLES["zigzag"]
    model = fitted(x[:, None], y, families=("polynomial",))
    assert model.stages_[0].family == "polynomial"


def test_each_output_gets_its_own(rng):
    x, y = TABLES["steps in pairs"]
    model = fitted(x[:, None], np.column_stack([y, x**2]))
    values = model.predict(x[:, None])
    np.testing.assert_allclose(values[:, 0], y, atol=1e-12)
    np.testing.assert_allclose(values[:, 1], x**2, atol=1e-9)
