"""Poles of functions of one feature."""

import numpy as np
import pytest
import scipy.interpolate
from scipy.integrate import solve_ivp

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.aaa import Fraction, poles_of
from skmsnn.metrics import relative_l2_error

pytestmark = pytest.mark.skipif(
    not hasattr(scipy.interpolate, "AAA"), reason="SciPy has no AAA before 1.15"
)
X = np.linspace(-1, 1, 400)
POLES = np.array([-0.5 + 0.01j, 0.2 + 0.05j, 1.3 + 0j])


def of_poles(x):
    values = (1 / (x[:, None] - POLES)).real
    return values @ np.array([0.01, 0.3, 1.0])


def nearest(found, wanted):
    return np.abs(found[:, None] - wanted).min(axis=0)


class TestFractions:
    def test_a_quotient_has_its_poles(self):
        values = of_poles(X)
        found = poles_of([Fraction(X, values)], 1e-12, X, values[:, None])
        np.testing.assert_array_less(nearest(found, POLES), 1e-8)

    @pytest.mark.parametrize("part", [slice(None, None, 3), slice(1, -1), slice(None, 300)])
    def test_other_points_tell_them_too(self, part):
        """Whichever of the support points are among them."""
        values = of_poles(X)
        fraction = Fraction(X, values)
        found = poles_of([fraction], 1e-12, X[part], values[part, None])
        np.testing.assert_array_less(nearest(found, POLES), 1e-6)

    def test_more_points_tell_them_better(self):
        """Of a function with poles in a row along the points."""
        few, many = X[::8], X

        def function(x):
            return np.tanh(5 * np.sin(7 * x))

        fraction = Fraction(few, function(few))
        once = poles_of([fraction], 1e-14, few, function(few)[:, None])
        anew = poles_of([fraction], 1e-14, many, function(many)[:, None])
        # next to a zero of the sine at 0
        true = np.array([np.arcsin(0.1j * np.pi) / 7])
        assert nearest(anew, true) < 1e-8 < nearest(once, true)

    def test_a_constant_has_none(self):
        values = np.zeros_like(X)
        assert len(poles_of([Fraction(X, values)], 1e-12, X, values[:, None])) == 0

    def test_looser_tolerances_take_fewer_points(self):
        fraction = Fraction(X, np.tanh(20 * X))
        sizes = [fraction.n_support(tolerance) for tolerance in (1e-2, 1e-6, 1e-10)]
        assert sizes[0] < sizes[1] < sizes[2] <= len(fraction.errors)
        assert fraction.errors[sizes[1] - 1] <= 1e-6 < fraction.errors[sizes[1] - 2]

    def test_poles_are_one_of_each_pair_and_off_the_data(self):
        values = np.abs(X) ** 0.5
        found = poles_of([Fraction(X, values)], 1e-8, X, values[:, None])
        assert np.all(found.imag >= 0)
        assert np.all(np.abs(found - np.clip(found.real, -1, 1)) > 0)

    def test_noise_is_not_followed_to_its_last_point(self, rng):
        values = np.sin(3 * X) + 1e-3 * rng.standard_normal(len(X))
        assert len(Fraction(X, values).errors) < len(X) // 2 - 1


def van_der_pol(t, state):
    position, speed = state
    return [speed, 3 * (1 - position**2) * speed - position]


def test_a_relaxation_oscillation_at_the_steps_of_a_solver(rng):
    """Some hundred poles beside the jumps; splines of degree 7 leave 5e-10."""
    span, start = (0, 40), [2.0, 0.0]
    steps = solve_ivp(van_der_pol, span, start, "DOP853", rtol=1e-11, atol=1e-11).t
    fresh = np.sort(rng.uniform(*span, 1000))
    times = np.unique(np.concatenate([steps, fresh]))
    tight = {"rtol": 3e-14, "atol": 1e-14, "max_step": 5e-3}
    solution = solve_ivp(van_der_pol, span, start, "DOP853", t_eval=times, **tight).y[0]
    at_steps, truth = (solution[np.searchsorted(times, t)] for t in (steps, fresh))
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(steps[:, None], at_steps)
    error = relative_l2_error(truth, model.predict(fresh[:, None]))
    assert error < 1e-11
    assert error < 10 * model.validation_norms_[-1]
