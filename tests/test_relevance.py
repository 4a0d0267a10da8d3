"""Features without influence: fits do without them, and say how much each of the others has."""

import numpy as np
import pytest
import scipy.integrate
import torch
from problems import stage_problem
from sklearn.feature_selection import RFECV, SelectFromModel
from sklearn.model_selection import KFold

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.relevance import independent_features
from skmsnn.functions.of_features import OfFeatures
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.importance import total_sobol_indices
from skmsnn.modules.of_functions import module_of

pytestmark = pytest.mark.filterwarnings("ignore")


def wave(X):
    return np.sin(3 * X[:, 0]) * np.exp(X[:, 1])


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def error_of(X, function, rng):
    fresh = rng.uniform(X.min(axis=0), X.max(axis=0), (2000, X.shape[1]))
    model = fitted(X, function(X))
    truth = function(fresh)
    return np.sqrt(np.mean((model.predict(fresh) - truth) ** 2)) / truth.std(), model


@pytest.mark.parametrize("n_inert", [1, 4])
def test_inert_features_cost_nothing(rng, n_inert):
    def function(X):
        return np.log(2.5 + X[:, 0] + X[:, 1] ** 2)

    X = rng.uniform(-1, 1, (300, 2 + n_inert))
    alone, _ = error_of(X[:, :2], function, rng)
    error, model = error_of(X, function, rng)
    assert error < 10 * alone + 1e-13
    without = ", ".join(str(j) for j in range(2, 2 + n_inert))
    assert f"without features {without}" in model.stage_summaries_[0]
    assert np.all(model.derivative(X[:5], (0, 0, 1, *[0] * (n_inert - 1))) == 0)


def test_a_duplicated_feature_costs_nothing(rng):
    X = rng.uniform(-1, 1, (200, 2))
    both = np.column_stack([X, 3 * X[:, 0] - 1])
    fresh = rng.uniform(-0.98, 0.98, (1000, 2))
    alone = fitted(X, wave(X)).predict(fresh) - wave(fresh)
    more = np.column_stack([fresh, 3 * fresh[:, 0] - 1])
    error = fitted(both, wave(both)).predict(more) - wave(fresh)
    # degrees of quotients differ by one or two from one draw of folds to the next
    assert np.sqrt(np.mean(error**2)) < 100 * np.sqrt(np.mean(alone**2)) + 1e-13


def test_features_that_depend_on_others_or_are_constant_are_left_out(rng):
    x = rng.uniform(-1, 1, (50, 3))
    more = [np.ones(50), x[:, 0] - 2 * x[:, 1] + 5, x[:, 0] ** 2]
    columns = np.column_stack([x[:, 0], more[0], x[:, 1], more[1], x[:, 2], more[2]])
    assert independent_features(columns) == (0, 2, 4, 5)


def test_the_problem_of_some_features_has_their_points(rng):
    x = rng.uniform(-1, 1, (80, 3))
    problem = stage_problem(x, x[:, 0])
    own = problem.of_features((2, 0))
    np.testing.assert_array_equal(own.x, problem.x[:, [2, 0]])
    np.testing.assert_array_equal(own.scheme.x, own.x)
    np.testing.assert_array_equal(own.target, problem.target)
    assert own.between.shape[1] == own.points.validation_points.x.shape[1] == 2
    assert problem.x.shape[1] == problem.between.shape[1] == 3


class TestFunction:
    @pytest.fixture
    def function(self, rng):
        own = LegendreSeries(rng.integers(0, 4, (5, 2)), rng.standard_normal((5, 2)))
        return OfFeatures(own, (3, 1), 4)

    def test_values_are_those_at_its_features(self, function, rng):
        x = rng.uniform(-1, 1, (7, 4))
        expected = function.function.evaluate(x[:, [3, 1]])
        np.testing.assert_array_equal(function.evaluate(x), expected)
        np.testing.assert_allclose(function.prepared()(x), expected, rtol=1e-13)
        module = module_of(function)(torch.from_numpy(x)).numpy()
        np.testing.assert_allclose(module, expected, rtol=1e-12, atol=1e-14)
        with pytest.raises(ValueError, match="4"):
            function.evaluate(x[:, :3])

    @pytest.mark.parametrize("nu", [(0, 1, 0, 0), (0, 2, 0, 1)])
    def test_derivatives_are_those_along_its_features(self, function, nu, rng):
        x = rng.uniform(-1, 1, (7, 4))
        expected = function.function.derivative((nu[3], nu[1])).evaluate(x[:, [3, 1]])
        np.testing.assert_array_equal(function.derivative(nu).evaluate(x), expected)

    @pytest.mark.parametrize("nu", [(1, 0, 0, 0), (0, 1, 2, 0)])
    def test_along_others_they_are_zero(self, function, nu, rng):
        assert not function.derivative(nu).evaluate(rng.uniform(-1, 1, (7, 4))).any()

    @pytest.mark.parametrize("axes", [{0}, {1}, {1, 2}, {0, 1, 3}])
    def test_integrals_along_others_are_lengths(self, function, axes):
        lower, upper = np.full((1, 4), -0.6), np.array([[0.2, 0.9, 0.4, 0.7]])

        def at(*coordinates):
            x = upper.copy()
            x[0, sorted(axes)] = coordinates[::-1]
            return function.evaluate(x)[0, 0]

        ends = [(lower[0, j], upper[0, j]) for j in sorted(axes, reverse=True)]
        expected = scipy.integrate.nquad(at, ends)[0]
        found = function.closed_integral(lower, upper, frozenset(axes))[0, 0]
        assert found == pytest.approx(expected, abs=1e-9)


class TestImportances:
    def test_they_are_the_total_sobol_indices(self):
        """Of Ishigami's function: section 4 of Ishigami & Homma (1990)."""
        a, b = 7.0, 0.1

        def function(x):
            u, v, w = np.pi * x.T
            return (np.sin(u) + a * np.sin(v) ** 2 + b * w**4 * np.sin(u))[:, None]

        first = (1 + b * np.pi**4 / 5) ** 2 / 2
        second, both = a**2 / 8, b**2 * np.pi**8 * (1 / 18 - 1 / 50)
        expected = np.array([first + both, second, both]) / (first + second + both)
        np.testing.assert_allclose(total_sobol_indices(function, 3), expected, atol=0.01)

    def test_of_a_sum_they_are_shares_of_the_variance(self, rng):
        X = rng.uniform(-1, 1, (100, 3))
        model = fitted(X, 2 * X[:, 0] + X[:, 2])
        np.testing.assert_allclose(model.feature_importances_, [0.8, 0, 0.2], atol=0.02)

    def test_of_several_outputs_and_complex_ones(self, rng):
        X = rng.uniform(-1, 1, (100, 2))
        both = fitted(X, np.column_stack([3 * X[:, 0], X[:, 1]]))
        np.testing.assert_allclose(both.feature_importances_, [0.9, 0.1], atol=0.02)
        turned = fitted(X, 3 * X[:, 0] + 1j * X[:, 1])
        np.testing.assert_allclose(turned.feature_importances_, [0.9, 0.1], atol=0.02)

    def test_there_are_none_before_a_fit_and_of_a_constant(self, rng):
        model = SpectrumInformedMSNNRegressor()
        assert not hasattr(model, "feature_importances_")
        X = rng.uniform(-1, 1, (20, 2))
        assert not model.fit(X, np.ones(20)).feature_importances_.any()

    def test_features_are_selected_by_them(self, rng):
        X = rng.uniform(-1, 1, (120, 5))
        model = SpectrumInformedMSNNRegressor(random_state=0)
        selected = SelectFromModel(model, threshold=1e-3).fit(X, wave(X[:, 2:4]))
        assert list(selected.get_support(indices=True)) == [2, 3]
        search = RFECV(model, cv=KFold(2)).fit(X, X[:, 2] * (1 + X[:, 3]))
        assert set(search.get_support(indices=True)) >= {2, 3}
