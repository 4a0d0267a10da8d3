"""Neighbouring problems have errors of the same size, and a named family serves or says why not.

A neighbour has one row more or fewer, an inert feature, an independent output or another seed.
"""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from conftest import tensor_grid

from skmsnn import SpectrumInformedMSNNRegressor

MOST = 10  # how often the error of a neighbour
FLOOR = 1e-13  # errors below are rounding
# Neighbours may differ in the last digits of functions that are resolved to ten of them.
last_digits = pytest.mark.xfail(strict=False, reason="the last digits depend on the size that wins")
WITHOUT_NETWORKS = ("polynomial", "spline", "fourier", "rational", "separable", "sinusoids")


def exponential_wave(X):
    return np.exp(X[:, 0]) * np.cos(2 * X[:, 1])


def product_wave(X):
    return np.sin(3 * X[:, 0] * X[:, 1]) + np.exp(X[:, 1])


def wave_of_sine(X):
    return np.exp(np.sin(4 * X[:, 0]))


def curved_poles(X):
    return 1 / (1.2 + X[:, 1] * np.cos(2 * X[:, 0]))


def three_features(X):
    return np.cos(2 * X[:, 0]) + np.exp(X[:, 1] * X[:, 2])


def chirp(X):
    return np.sin(3 * X[:, 0] + 2 * X[:, 1] ** 2) * np.exp(X[:, 1])


def front(X):
    return np.tanh(4 * X[:, 0]) + 0.5 * X[:, -1]


def scattered(n, d, seed=0):
    """Points of [-1, 1]^d, of which fewer are the first ones of more."""
    return np.random.default_rng(seed).uniform(-1, 1, (n, d))


def fitted(X, y, **parameters):
    model = SpectrumInformedMSNNRegressor(**{"random_state": 0, **parameters})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X, y)


def error_of(X, function, **parameters):
    """Over the spread of y, at fresh points of the box of the data."""
    y = function(X)
    fresh = np.random.default_rng(99).uniform(X.min(axis=0), X.max(axis=0), (2000, X.shape[1]))
    rest = fitted(X, y, **parameters).predict(fresh) - function(fresh)
    return np.sqrt(np.mean(rest**2, axis=0)) / y.std(axis=0)


def assert_alike(*errors):
    errors = np.maximum(errors, FLOOR)
    assert errors.max() < MOST * errors.min(), errors


@pytest.mark.parametrize(
    ("function", "d", "n", "seed"),
    [
        (exponential_wave, 2, 195, 0),
        (exponential_wave, 2, 195, 1),
        (exponential_wave, 2, 195, 2),
        (product_wave, 2, 200, 0),
        (curved_poles, 2, 220, 0),
        pytest.param(wave_of_sine, 1, 60, 0, marks=last_digits),
        (three_features, 3, 120, 0),
    ],
)
def test_one_point_more_or_fewer(function, d, n, seed):
    X = scattered(n, d, seed)
    assert_alike(*(error_of(X[:m], function) for m in (n - 1, n)))


@last_digits
def test_one_point_more_where_many_are_held_out():
    X = scattered(3000, 2)
    assert_alike(*(error_of(X[:n], chirp, families=("fourier",)) for n in (2999, 3000)))


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (front, (40,)),
        pytest.param(wave_of_sine, (40,), marks=last_digits),
        pytest.param(front, (20, 20), marks=last_digits),
        pytest.param(product_wave, (20, 20), marks=last_digits),
    ],
)
def test_one_node_of_a_grid_fewer(function, shape):
    X = tensor_grid(*(np.linspace(-1, 1, n) for n in shape))
    inner = len(X) // 2 + 3
    assert_alike(error_of(X, function), error_of(np.delete(X, inner, axis=0), function))


FAMILIES = ("sinusoids", "rational", "fourier", "polynomial")


@pytest.mark.parametrize("n", [120, 190])
@pytest.mark.parametrize("family", FAMILIES)
def test_one_point_more_for_a_named_family(family, n):
    X = scattered(n + 1, 2)
    errors = [error_of(X[:m], exponential_wave, families=(family,)) for m in (n, n + 1)]
    assert_alike(*errors)


@pytest.mark.parametrize("family", FAMILIES)
def test_many_points_more_are_not_worse_for_a_named_family(family):
    X = scattered(210, 2)
    errors = [error_of(X[:n], exponential_wave, families=(family,)) for n in (120, 190, 210)]
    for fewer, more in pairwise(errors):
        assert max(more, FLOOR) < MOST * max(fewer, FLOOR)


@pytest.mark.parametrize(("n", "d"), [(300, 3), (300, 5), (700, 19), (700, 20)])
def test_one_inert_feature_more(n, d):
    X = scattered(n, d + 1)
    errors = [error_of(X[:, :k], three_features, families=("polynomial",)) for k in (d, d + 1)]
    assert_alike(*errors)


def test_one_inert_feature_more_for_all_families():
    X = scattered(200, 3)
    assert_alike(*(error_of(X[:, :d], exponential_wave) for d in (2, 3)))


def outputs(n):
    """n smooth outputs and a kinked one, of which the smooth ones are to be fitted as alone."""
    rates = 1 + np.arange(n) / 2
    return lambda X: np.column_stack([np.cos(X * rates + 1), np.abs(X[:, 0] - 0.1234)])


@pytest.mark.parametrize("n", [1, 5])
def test_one_independent_output_more(n):
    X = np.linspace(-1, 1, 160)[:, None]
    fewer, more = (error_of(X, outputs(k)) for k in (n, n + 1))
    for a, b in zip(fewer[:-1], more[:n], strict=True):
        assert_alike(a, b)
    assert_alike(fewer[-1], more[-1])


@pytest.mark.parametrize("n", [2, 6])
def test_a_kinked_output_leaves_smooth_ones_as_they_are(n):
    X = np.linspace(-1, 1, 160)[:, None]
    both = error_of(X, outputs(n))
    alone = error_of(X, lambda X: outputs(n)(X)[:, :n])
    for a, b in zip(alone, both[:n], strict=True):
        assert_alike(a, b)


@pytest.mark.parametrize(
    ("function", "d", "n"),
    [
        (exponential_wave, 2, 195),
        (product_wave, 2, 200),
        (product_wave, 2, 400),
        (wave_of_sine, 1, 60),
        pytest.param(
            three_features,
            3,
            300,
            marks=pytest.mark.xfail(strict=False, reason="folds of another seed, another family"),
        ),
    ],
)
def test_another_seed(function, d, n):
    X = scattered(n, d)
    assert_alike(*(error_of(X, function, random_state=seed) for seed in (0, 1, 2)))


# --- families by name


@pytest.mark.parametrize(("n", "d"), [(5, 1), (12, 1), (30, 2), (120, 2), (190, 2), (120, 5)])
@pytest.mark.parametrize("family", WITHOUT_NETWORKS)
def test_a_named_family_is_fitted_or_says_why_not(family, n, d):
    X = scattered(n, d)
    y = np.sin(2 * X[:, 0]) + X[:, -1] ** 2
    reason, found = "", {family}
    try:
        found = {stage.family for stage in fitted(X, y, families=(family,)).stages_}
    except ValueError as error:
        reason = str(error)
    assert family in reason if reason else found == {family}


@pytest.mark.parametrize("n", [60, 120, 190])
@pytest.mark.parametrize("family", ["rational", "fourier", "sinusoids", "network"])
def test_few_points_are_no_reason_against_a_family(family, n):
    parameters = {"max_iter": 20} if family == "network" else {}
    X = scattered(n, 2)
    model = fitted(X, exponential_wave(X), families=(family,), **parameters)
    assert {stage.family for stage in model.stages_} == {family}
    assert error_of(X, exponential_wave, families=(family,), **parameters) < 0.3


@pytest.mark.parametrize(
    ("family", "n", "d"),
    [("separable", 100, 1), ("spline", 100, 12), ("rational", 2, 1), ("sinusoids", 2, 1)],
)
def test_an_unsuitable_family_is_an_error_that_names_the_reason(family, n, d):
    X = scattered(n, d)
    with pytest.raises(ValueError, match=family):
        fitted(X, X[:, 0] ** 2, families=(family,))


@pytest.mark.parametrize("families", [("separable", "polynomial"), ("polynomial", "spline")])
def test_of_several_families_those_that_are_suitable_compete(families):
    X = scattered(80, 1)
    model = fitted(X, np.sin(3 * X[:, 0]), families=families)
    assert {stage.family for stage in model.stages_} <= set(families)
