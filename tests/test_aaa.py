"""Poles of functions of one feature."""

import numpy as np
import pytest
import scipy.interpolate
from scipy.integrate import solve_ivp
from sklearn.exceptions import ConvergenceWarning

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.aaa import SupportPoints, poles_of
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


def poles_within(tolerance, support, x, values):
    return poles_of([support], [support.n_within(tolerance)], x, values)


class TestSupportPoints:
    def test_a_quotient_has_its_poles(self):
        values = of_poles(X)
        found = poles_within(1e-12, SupportPoints(X, values), X, values[:, None])
        np.testing.assert_array_less(nearest(found, POLES), 1e-8)

    @pytest.mark.parametrize("part", [slice(None, None, 3), slice(1, -1), slice(None, 300)])
    def test_other_points_tell_them_too(self, part):
        """Whichever of the support points are among them."""
        values = of_poles(X)
        support = SupportPoints(X, values)
        found = poles_within(1e-12, support, X[part], values[part, None])
        np.testing.assert_array_less(nearest(found, POLES), 1e-6)

    def test_more_points_tell_them_better(self):
        """Of a function with poles in a row along the points."""
        few, many = X[::8], X

        def function(x):
            return np.tanh(5 * np.sin(7 * x))

        support = SupportPoints(few, function(few))
        once = poles_within(1e-14, support, few, function(few)[:, None])
        anew = poles_within(1e-14, support, many, function(many)[:, None])
        # next to a zero of the sine at 0
        true = np.array([np.arcsin(0.1j * np.pi) / 7])
        assert 20 * nearest(anew, true) < nearest(once, true)

    def test_a_constant_has_none(self):
        values = np.zeros_like(X)
        assert len(poles_within(1e-12, SupportPoints(X, values), X, values[:, None])) == 0

    def test_looser_tolerances_take_fewer_points(self):
        support = SupportPoints(X, np.tanh(20 * X))
        sizes = [support.n_within(tolerance) for tolerance in (1e-2, 1e-6, 1e-10)]
        assert sizes[0] < sizes[1] < sizes[2] <= len(support.errors)
        assert support.errors[sizes[1] - 1] <= 1e-6 < support.errors[sizes[1] - 2]

    def test_poles_are_one_of_each_pair_and_off_the_data(self):
        values = np.abs(X) ** 0.5
        found = poles_within(1e-8, SupportPoints(X, values), X, values[:, None])
        assert np.all(found.imag >= 0)
        assert np.all(np.abs(found - np.clip(found.real, -1, 1)) > 0)

    def test_noise_is_not_followed_to_its_last_point(self, rng):
        x = np.linspace(-1, 1, 1000)
        values = np.sin(3 * x) + 1e-3 * rng.standard_normal(len(x))
        assert len(SupportPoints(x, values).errors) < len(x) // 4

    @pytest.mark.filterwarnings("ignore:AAA failed to converge")
    def test_errors_are_those_after_each_point(self):
        """Where SciPy's first look ends and where the search goes on."""
        values = np.tanh(6 * np.sin(40 * X))
        support = SupportPoints(X, values)
        assert len(support.errors) > 120
        fresh = scipy.interpolate.AAA(X, values, rtol=0, max_terms=30, clean_up=False)
        np.testing.assert_allclose(support.errors[:30], fresh.errors / np.abs(values).max())
        assert support.errors[-1] == support.errors.min()

    @pytest.mark.parametrize(
        "function",
        [
            lambda x: np.where(np.abs(x) < 0.5, np.exp(-1 / np.maximum(0.25 - x**2, 1e-9)), 0),
            lambda x: np.floor(2 * x),
            lambda x: np.maximum(x - 0.1, 0) ** 2,
        ],
    )
    def test_functions_with_flat_parts(self, function):
        support = SupportPoints(X, function(X))
        assert len(support.errors) > 2
        assert np.all(np.isfinite(poles_within(1e-8, support, X, function(X)[:, None])))

    def test_points_that_are_equal_count_once(self):
        x = np.repeat(X, 2)
        once = poles_within(1e-12, SupportPoints(X, of_poles(X)), X, of_poles(X)[:, None])
        twice = poles_within(1e-12, SupportPoints(x, of_poles(x)), x, of_poles(x)[:, None])
        np.testing.assert_array_equal(once, twice)

    @pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
    def test_few_of_its_points(self, n):
        """Of quotients there are half as many support points as points at most."""
        values = of_poles(X)
        support = SupportPoints(X, values)
        few = slice(None, None, len(X) // n)
        assert np.all(np.isfinite(poles_within(1e-12, support, X[few], values[few, None])))


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
    assert error < 10 * model.validation_errors_[-1]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "function", [lambda x: np.abs(x - 0.3), lambda x: np.log(x + 1.0001), lambda x: np.sqrt(x + 1)]
)
def test_a_second_stage_does_not_take_back_what_the_first_is_unsure_of(function, seed):
    rng = np.random.default_rng(seed)
    X, fresh = rng.uniform(-1, 1, (200, 1)), rng.uniform(-1, 1, (20_000, 1))
    y, truth = function(X[:, 0]), function(fresh[:, 0])
    inside = (fresh[:, 0] > X.min()) & (fresh[:, 0] < X.max())
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, y)
    rest = model.predict(fresh[inside]) - truth[inside]
    assert np.sqrt(np.mean(rest**2)) < 10 * model.validation_errors_[-1] * y.std()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_scaled_points_may_coincide():
    """Eighty points over twenty decades, most of which are one next to the largest."""
    x = np.logspace(-20, 0, 81)
    model = SpectrumInformedMSNNRegressor(random_state=0, feature_transforms="linear")
    model.fit(x[:, None], np.sqrt(x) * np.exp(x))
    assert np.all(np.isfinite(model.predict(x[:, None])))


def test_one_point_beside_held_out_ones():
    X = np.linspace(-1, 1, 8)[:, None]
    model = SpectrumInformedMSNNRegressor(random_state=0)
    with pytest.warns(ConvergenceWarning):
        model.fit(X[:1], X[:1, 0], X_val=X[1:], y_val=X[1:, 0])
    assert np.all(np.isfinite(model.predict(X)))
