"""Integrals in closed form, against those of mathematics and against derivatives."""

import numpy as np
import pandas as pd
import pytest
from conftest import relative, tensor_grid
from numpy.polynomial.legendre import leggauss

from skmsnn import SpectrumInformedMSNNRegressor

PARAMETERS = {"random_state": 0}


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(**PARAMETERS, **parameters).fit(X, y)


def runge(x):
    return 1 / (1 + 25 * x**2)


def quadrature(model, lower, upper, n=60):
    """Gauss-Legendre quadrature of the prediction over a box."""
    nodes, weights = leggauss(n)
    axes = [(a + b) / 2 + (b - a) / 2 * nodes for a, b in zip(lower, upper, strict=True)]
    volume = np.prod([(b - a) / 2 for a, b in zip(lower, upper, strict=True)])
    products = tensor_grid(*[weights] * len(axes)).prod(axis=1)
    return volume * products @ model.predict(tensor_grid(*axes))


def of_kind(kind, rng):
    """A model of functions of that family, and its true integral over a box."""
    scattered = rng.uniform(-1, 2, (900, 2))
    even = np.linspace(-1, 2, 50)
    match kind:
        case "fourier":
            X = scattered
            y, families = np.sin(4 * X[:, 0]) * np.exp(X[:, 1] / 2), ("fourier",)
        case "polynomial":
            X = scattered
            y, families = X[:, 0] ** 5 * X[:, 1] - X[:, 1], ("polynomial",)
        case "polynomial x spline":
            X = tensor_grid(even, np.linspace(0, 1, 40))
            y, families = np.exp(X[:, 0]) * np.abs(X[:, 1] - 0.5), ("polynomial", "spline")
        case "rational":
            X = np.linspace(-1, 2, 300)[:, None]
            y, families = runge(X[:, 0]), ("rational",)
        case "separable":
            X = rng.uniform(0, 1, (2000, 5))
            y, families = np.exp(-((X - 0.4) ** 2).sum(axis=1)), ("separable",)
        case "sinusoids":
            X = scattered
            y, families = np.cos(3.3 * X[:, 0] - 1.7 * X[:, 1]), ("sinusoids",)
        case "lattice and waves":
            X = rng.uniform(-1, 2, (2500, 2))
            y = np.sin(2 * X[:, 0]) + 1e-2 * np.cos(30 * X[:, 0] - 21 * X[:, 1])
            families = ("fourier",)
        case "polynomial and waves":
            X = np.linspace(-1, 2, 400)[:, None]
            y = np.exp(X[:, 0]) + 1e-3 * np.cos(170.3 * X[:, 0] + 1)
            families = ("fourier", "sinusoids")
    return fitted(X, y, families=families), X


KINDS = ("fourier", "polynomial", "polynomial x spline", "rational", "separable", "sinusoids")
KINDS += ("lattice and waves", "polynomial and waves")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_integrals_of_every_family_agree_with_the_prediction(kind, rng):
    model, X = of_kind(kind, rng)
    d = X.shape[1]
    low, high = np.quantile(X, 0.1, axis=0), np.quantile(X, 0.9, axis=0)
    if kind == "polynomial x spline":  # quadrature is exact between knots only
        low[1], high[1] = 0.2, 0.8
    points = rng.uniform(low, high, (20, d))
    for j in range(d):
        # the derivative of the antiderivative, by central differences
        h = 1e-4 * (high[j] - low[j])
        step = h * np.eye(d)[j]
        slope = model.antiderivative(points + step, j) - model.antiderivative(points - step, j)
        np.testing.assert_allclose(slope / (2 * h), model.predict(points), rtol=0, atol=1e-6)
    n = {1: 400, 2: 60, 5: 8}[d]
    if kind != "polynomial x spline":
        expected = quadrature(model, low, high, n)
        assert model.integral(low, high) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    halves = model.integral(low, np.r_[(low[0] + high[0]) / 2, high[1:]])
    rest = model.integral(np.r_[(low[0] + high[0]) / 2, low[1:]], high)
    assert halves + rest == pytest.approx(model.integral(low, high), abs=1e-13)


def test_known_integrals(rng):
    X = tensor_grid(np.linspace(0, 2, 40), np.linspace(1, 4, 45))
    model = fitted(X, np.exp(X[:, 0]) * X[:, 1] ** 2)
    assert model.integral() == pytest.approx(21 * (np.e**2 - 1), rel=1e-13)
    boxes = rng.uniform(0.2, 1, (7, 2))
    expected = (np.exp(boxes[:, 0]) - 1) * ((1 + boxes[:, 1]) ** 3 - 1) / 3
    found = model.integral([[0, 1]] * 7, boxes + np.array([0, 1]))
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    along = model.antiderivative(boxes + np.array([0, 1]), 0, lower=0.0)
    np.testing.assert_allclose(
        along, (np.exp(boxes[:, 0]) - 1) * (boxes[:, 1] + 1) ** 2, rtol=1e-12
    )


def test_fractions_are_integrated_beyond_round_numbers():
    X = np.linspace(-1, 1, 400)[:, None]
    model = fitted(X, runge(X[:, 0]), families=("rational",))
    assert model.integral([-0.3], [0.9]) == pytest.approx(
        (np.arctan(4.5) + np.arctan(1.5)) / 5, rel=1e-12
    )


def test_periods_count_as_often_as_they_are_passed():
    axis = 2 * np.pi * np.arange(32) / 32
    X = tensor_grid(axis, axis)
    model = fitted(X, 1 + np.sin(X[:, 0]) ** 2 * np.cos(X[:, 1]))
    assert model.integral() == pytest.approx((2 * np.pi) ** 2, rel=1e-13)
    box = [1.0, 2.0], [1 + 5 * np.pi, 2.0 + 0.5]
    over_x = 5 * np.pi / 2 * (np.sin(2.5) - np.sin(2.0)) + 5 * np.pi * 0.5
    assert model.integral(*box) == pytest.approx(over_x, rel=1e-13)
    ahead = model.antiderivative([[0.3 + 4 * np.pi, 1.0]], 0) - model.antiderivative(
        [[0.3, 1.0]], 0
    )
    assert ahead[0] == pytest.approx(4 * np.pi + 2 * np.pi * np.cos(1.0), rel=1e-13)


def test_several_outputs_names_and_units(rng):
    X = pd.DataFrame(rng.uniform(0, 1e-6, (500, 2)), columns=["a", "b"])
    y = np.column_stack([X["a"] * 1e6, 5 + X["b"] * X["a"] * 1e12])
    model = fitted(X, y)
    assert model.integral([0, 0], [1e-6, 1e-6]) == pytest.approx([0.5e-12, 5.25e-12], rel=1e-12)
    slope = model.antiderivative(X, "b", lower=0.0)
    np.testing.assert_allclose(slope[:, 0], X["a"] * 1e6 * X["b"], rtol=1e-9)
    assert relative(slope[:, 1] - model.antiderivative(X, 1, lower=0.0)[:, 1], slope[:, 1]) == 0


@pytest.mark.filterwarnings("ignore")
def test_networks_and_quotients_are_integrated_by_quadrature(rng):
    X = rng.uniform(-1, 1, (400, 2))
    small = {"solver": "gauss-newton", "n_modes": 2, "max_iter": 30, "hidden_layer_sizes": (4,)}
    small["n_stages"] = 1  # later ones are small and sharp
    network = fitted(X, 2 + np.tanh(X[:, 0]), **small)
    assert network.integral() == pytest.approx(quadrature(network, *ends(network), 80), rel=1e-9)
    points = rng.uniform(-0.9, 0.9, (9, 2))
    step = np.array([0.0, 1e-4])
    rise = network.antiderivative(points + step, 1) - network.antiderivative(points - step, 1)
    np.testing.assert_allclose(rise / 2e-4, network.predict(points), rtol=0, atol=1e-6)
    quotient = fitted(X, 1 / (3 + X[:, 0] + X[:, 1]), families=("rational",))
    assert quotient.stages_[0].family == "rational"
    one, other = rng.uniform(-0.9, 0.9, (2, 2))
    expected = 0.0  # (s log s - s) at the four corners, with s = 3 + x + y
    for x, y, sign in ((1, 1, 1), (0, 0, 1), (0, 1, -1), (1, 0, -1)):
        s = 3 + [one, other][x][0] + [one, other][y][1]
        expected += sign * (s * np.log(s) - s)
    assert quotient.integral(one, other) == pytest.approx(expected, rel=1e-10)


def ends(model):
    """Corners of the box of the points."""
    domain = model.domain_
    return domain.centre - domain.half_width, domain.centre + domain.half_width


def test_what_cannot_be_integrated_is_told(rng):
    network = {"solver": "gauss-newton", "n_modes": 2, "max_iter": 2, "hidden_layer_sizes": (3,)}
    X = rng.uniform(-1, 1, (60, 4))
    with pytest.raises(ValueError, match="Stage 1 is of the family network"):
        fitted(X, X[:, 0], **network).integral()
    X = rng.uniform(-1, 1, (60, 2))
    y = X[:, 0]
    model = fitted(X, y)
    with pytest.raises(ValueError, match="3 coordinates"):
        model.integral([0, 0, 0], [1, 1, 1])
    with pytest.raises(ValueError, match="feature=2"):
        model.antiderivative(X, 2)
    with pytest.raises(ValueError, match="NaN"):
        model.integral([0, np.nan], [1, 1])
