"""Rational functions of one feature."""

import numpy as np
import pytest
import scipy.interpolate
from sklearn.exceptions import ConvergenceWarning

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import AccuracyWarning
from skmsnn.functions.rational import PartialFractions
from skmsnn.metrics import relative_l2_error

needs_aaa = pytest.mark.skipif(
    not hasattr(scipy.interpolate, "AAA"), reason="SciPy has no AAA before 1.15"
)


def lorentzians(x):
    """Three peaks of two to ten steps of a thousand points."""
    step = 2 / 999
    return sum(1 / (1 + ((x - c) / (w * step)) ** 2) for c, w in ((-0.5, 2), (0.1, 5), (0.6, 10)))


@pytest.mark.parametrize("nu", range(4))
def test_derivatives_are_those_of_the_fractions(rng, nu):
    """By Cauchy's integral over circles that no pole is in."""
    poles = np.array([0.3 + 0.4j, -1.5 + 0j])
    modes = PartialFractions(poles, rng.standard_normal((5, 2)))
    x = rng.uniform(-1, 1, (20, 1))
    # the trapezoidal rule, which is exact to round-off on a circle
    angles = np.exp(2j * np.pi * np.arange(64) / 64)
    radius = 0.2
    found = modes.derivative((nu,)).evaluate(x)
    factor = [1, 1, 2, 6][nu] / radius**nu
    values = np.array([complex_values(modes, x[:, 0] + radius * a) * a**-nu for a in angles])
    np.testing.assert_allclose(found, factor * values.mean(axis=0).real, rtol=1e-9, atol=1e-9)


def complex_values(modes, z):
    """The same sum at complex points, term by term."""
    size = np.abs(modes.poles - np.clip(modes.poles.real, -1, 1))
    total = modes.coefficients[0] + modes.coefficients[1] * z[:, None]
    pairs = 2 + len(modes.poles)
    for k, (pole, s) in enumerate(zip(modes.poles, size, strict=True)):
        one, other = s / (z - pole), s / (z - pole.conjugate())
        total = total + modes.coefficients[2 + k] * ((one + other) / 2)[:, None]
        if pole.imag > 0:
            total = total + modes.coefficients[pairs] * ((one - other) / 2j)[:, None]
            pairs += 1
    return total


@needs_aaa
class TestFits:
    def fitted(self, x, function):
        return SpectrumInformedMSNNRegressor(random_state=0).fit(x[:, None], function(x))

    def test_resonances_have_their_poles(self, rng):
        model = self.fitted(np.linspace(-1, 1, 1000), lorentzians)
        fresh = rng.uniform(-1, 1, 5000)
        assert relative_l2_error(lorentzians(fresh), model.predict(fresh[:, None])) < 1e-12
        assert model.stages_[0].family == "rational"
        widths = np.sort(model.stages_[0].function.poles.imag) * 999 / 2
        np.testing.assert_allclose(widths, [2, 5, 10], rtol=1e-8)

    def test_points_over_decades(self, rng):
        model = self.fitted(np.geomspace(1e-3, 1e3, 200), lambda x: 1 / (1 + x))
        fresh = 10 ** rng.uniform(-3, 3, 5000)
        assert np.abs(model.predict(fresh[:, None]) - 1 / (1 + fresh)).max() < 1e-11

    def test_slopes_are_exact(self, rng):
        model = self.fitted(np.linspace(-1, 1, 400), lambda x: np.tan(1.5 * x))
        fresh = rng.uniform(-1, 1, 1000)
        slope = 1.5 / np.cos(1.5 * fresh) ** 2
        assert relative_l2_error(slope, model.gradient(fresh[:, None])[:, 0]) < 1e-9

    @pytest.mark.parametrize("function", [lambda x: np.sign(x - 0.1), lambda x: np.sqrt(x + 1)])
    def test_between_points_that_do_not_tell_it_is_honest(self, rng, function):
        with pytest.warns(ConvergenceWarning):
            model = self.fitted(np.linspace(-1, 1, 1000), function)
        fresh = rng.uniform(-1, 1, 20_000)
        rest = model.predict(fresh[:, None]) - function(fresh)
        assert np.sqrt(np.mean(rest**2)) / function(fresh).std() < 10 * model.validation_errors_[-1]

    def test_noise_is_not_given_poles(self, rng):
        x = np.linspace(-1, 1, 500)
        y = np.sin(3 * x) + 0.1 * rng.standard_normal(500)
        model = SpectrumInformedMSNNRegressor(random_state=0).fit(x[:, None], y)
        assert model.stages_[0].family != "rational"
        assert model.stop_reason_ == "noise"

    def test_two_outputs_share_their_poles(self, rng):
        x = np.linspace(-1, 1, 600)

        def function(x):
            return np.stack([1 / (1 + (30 * x) ** 2), x / (1 + (40 * (x - 0.3)) ** 2)], axis=1)

        model = SpectrumInformedMSNNRegressor(random_state=0).fit(x[:, None], function(x))
        fresh = rng.uniform(-1, 1, 2000)
        assert relative_l2_error(function(fresh), model.predict(fresh[:, None])) < 1e-12


@pytest.mark.parametrize("place", [-0.3257, 0.4113])
def test_a_front_between_two_points_is_not_reported_as_resolved(place):
    """Its poles are nearer to the line than points are to each other: a second stage knows less."""
    X = np.linspace(-1, 1, 1426)[:, None]
    X_fresh = np.linspace(-0.999, 0.999, 20_011)[:, None]

    def front(x):
        return np.tanh((x[:, 0] - place) / 4e-4) + 0.3 * np.sin(3 * x[:, 0])

    model = SpectrumInformedMSNNRegressor(random_state=0)
    with pytest.warns(AccuracyWarning):
        model.fit(X, front(X))
    error = relative_l2_error(front(X_fresh), model.predict(X_fresh))
    assert error < 10 * model.validation_errors_[-1]
