"""Derivatives and differential equations as data: against solutions that are known."""

import pickle
import re
import warnings

import numpy as np
import pytest
from conftest import relative
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.conditions import (
    Condition,
    Equation,
    cell_averages,
    divergence_free,
    gradients,
    laplacian,
    normal_derivatives,
    periodicity,
)
from skmsnn.exceptions import AccuracyWarning


def fitted(X, y, conditions, **parameters):
    model = SpectrumInformedMSNNRegressor(random_state=0, **parameters)
    return model.fit(X, y, conditions=conditions)


def field(x):
    return np.exp(x[:, 0]) * np.sin(2 * x[:, 1])


def slope(x):
    wave = 2 * x[:, 1]
    return np.exp(x[:, :1]) * np.column_stack([np.sin(wave), 2 * np.cos(wave)])


def sources(x):
    return -3 * field(x)


@pytest.fixture
def inside(rng):
    return rng.uniform(-1, 1, (600, 2))


@pytest.fixture
def edge(rng):
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    circle = np.column_stack([np.cos(angle), np.sin(angle)])
    return circle / np.abs(circle).max(axis=1, keepdims=True)


@pytest.fixture
def fresh(rng):
    return rng.uniform(-1, 1, (500, 2))


def test_poisson_from_values_on_the_boundary(inside, edge, fresh):
    model = fitted(edge, field(edge), [laplacian(inside, sources(inside))])
    assert relative(model.predict(fresh) - field(fresh), field(fresh)) < 1e-13
    assert relative(model.gradient(fresh) - slope(fresh), slope(fresh)) < 1e-11
    assert relative(model.laplacian(fresh) - sources(fresh), sources(fresh)) < 1e-9
    assert model.validation_errors_[-1] < 1e-11
    assert set(model.condition_residuals_) == {"values", "laplacian"}


def test_an_output_in_two_axes_and_units_far_from_one(inside, edge, fresh):
    scale, shift = np.array([1e3, 1e-4]), np.array([5e4, 2.0])
    X, P, T = (shift + scale * x for x in (edge, inside, fresh))
    y = 1e6 + 300 * field(edge)[:, None] * [1, -2]
    operator = {(2, 0): scale[0] ** 2, (0, 2): scale[1] ** 2}
    values = 300 * sources(inside)[:, None] * [1, -2]
    model = fitted(X, y, [Condition(P, operator, values)])
    true = 300 * field(fresh)[:, None] * [1, -2]
    assert relative(model.predict(T) - 1e6 - true, true) < 1e-9


def test_gradients_are_worth_many_values(rng, fresh):
    X = rng.uniform(-1, 1, (120, 2))
    alone = SpectrumInformedMSNNRegressor(random_state=0).fit(X, field(X))
    model = fitted(X, field(X), gradients(X, slope(X)))
    errors = [relative(m.predict(fresh) - field(fresh), field(fresh)) for m in (alone, model)]
    assert errors[1] < 0.1 * errors[0]
    assert errors[1] < 1e-9


def test_neumann_conditions_and_one_value(inside, edge, fresh):
    normals = np.where(np.abs(edge) > 1 - 1e-12, np.sign(edge), 0)
    values = np.sum(normals * slope(edge), axis=1)
    conditions = [laplacian(inside, sources(inside)), normal_derivatives(edge, normals, values)]
    model = fitted(edge[:1], field(edge[:1]), conditions)
    assert relative(model.predict(fresh) - field(fresh), field(fresh)) < 1e-11


def test_periodic_boundaries_are_differences(rng):
    # u'' + u = -24 cos 5x has, of period 2 pi and beside the values, no other solution
    x = np.linspace(0, 2 * np.pi, 200)[:, None]
    low, high = [[0.0]], [[2 * np.pi]]
    conditions = [
        Condition(x, {2: 1.0, 0: 2.0}, -23 * np.cos(5 * x[:, 0])),
        periodicity(low, high),
        periodicity(low, high, orders=1, name="slope"),
    ]
    model = fitted(low, [1.0], conditions)
    fresh = rng.uniform(0, 2 * np.pi, (100, 1))
    assert np.abs(model.predict(fresh) - np.cos(5 * fresh[:, 0])).max() < 1e-11


def test_averages_over_cells(rng):
    ends = np.linspace(0, 1, 41)[:, None]
    primitive = -np.cos(6 * ends[:, 0]) / 6
    means = np.diff(primitive) / np.diff(ends[:, 0])
    start = np.array([[0.0]])
    model = fitted(start, np.sin(6 * start[:, 0]), [cell_averages(ends[:-1], ends[1:], means)])
    fresh = rng.uniform(0, 1, (100, 1))
    assert np.abs(model.predict(fresh) - np.sin(6 * fresh[:, 0])).max() < 1e-11


def test_coefficients_vary_from_point_to_point(rng):
    # Airy's equation with the solution of one side
    from scipy.special import airy

    x = np.linspace(-6, 1, 300)[:, None]
    model = fitted(x[[0, -1]], airy(x[[0, -1], 0])[0], [Condition(x, {2: 1.0, 0: -x[:, 0]})])
    fresh = rng.uniform(-6, 1, (200, 1))
    assert np.abs(model.predict(fresh) - airy(fresh[:, 0])[0]).max() < 1e-11


def stream(x):
    return np.sin(2 * x[:, 0] + x[:, 1]), np.cos(2 * x[:, 0] + x[:, 1])


def test_a_divergence_free_field(rng, inside, fresh):
    def velocity(x):
        return stream(x)[1][:, None] * [1, -2]

    X = rng.uniform(-1, 1, (400, 2))
    model = fitted(X, velocity(X), [divergence_free(inside)])
    assert relative(model.predict(fresh) - velocity(fresh), velocity(fresh)) < 1e-12
    slopes = model.gradient(fresh)
    assert np.abs(slopes[:, 0, 0] + slopes[:, 1, 1]).max() < 1e-10


def test_one_output_known_through_another(rng, fresh):
    # u_0 is given, and u_1 by its derivatives: that of u_0, and one value
    X = rng.uniform(-1, 1, (300, 2))
    corner = np.array([[0.0, 0.0]])
    conditions = [
        Condition(X, {((0, 0), 0): 1.0}, stream(X)[0], name="first"),
        Condition(X, {((1, 0), 0): 1.0, ((0, 0), 1): -2.0}, name="slope"),
    ]
    model = fitted(corner, np.column_stack(stream(corner)), conditions)
    # between the points: derivatives grow fast beyond the outermost
    among = 0.9 * fresh
    true = np.column_stack(stream(among))
    assert relative(model.predict(among) - true, true) < 1e-11


def test_polynomials_in_ten_features(rng):
    def u(x):
        return np.sum(x[:, ::2] * x[:, 1::2], axis=1)

    edge = rng.uniform(-1, 1, (300, 10))
    edge[np.arange(300), rng.integers(10, size=300)] = 1.0
    inside, fresh = rng.uniform(-1, 1, (2, 300, 10))
    model = fitted(edge, u(edge), [laplacian(inside)])
    assert relative(model.predict(fresh) - u(fresh), u(fresh)) < 1e-13


def test_wrong_sign_of_gradients_is_told(rng):
    X = rng.uniform(-1, 1, (150, 2))
    with pytest.warns(AccuracyWarning, match="contradictions_ names") as told:
        model = fitted(X, field(X), gradients(X, -slope(X)))
    assert model.stop_reason_ == "inconsistent conditions"
    assert told[0].message.error > 0.01
    assert told[0].message.contradictions == model.contradictions_
    assert "the sign is wrong" in model.contradictions_


def test_one_column_of_gradients_in_other_units_is_told(rng):
    X = rng.uniform(-1, 1, (150, 2))
    model = fitted(X, field(X), gradients(X, slope(X) * [1, 10]))
    assert "gradient[1]' 0.1 times its values" in model.contradictions_


def test_right_gradients_are_not_warned_of(rng):
    X = rng.uniform(-1, 1, (150, 2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert fitted(X, field(X), gradients(X, slope(X))).contradictions_ == ""


def test_contradictory_conditions_are_named(inside, edge):
    conditions = [
        laplacian(inside, sources(inside), name="Poisson"),
        laplacian(inside, sources(inside) + 1, name="another"),
    ]
    model = fitted(edge, field(edge), conditions)
    assert re.search("^Without 'Poisson'.* Without 'another'", model.contradictions_)
    assert model.stop_reason_ == "inconsistent conditions"
    assert model.condition_residuals_["Poisson"] > 1e-3


def test_what_is_left_open_is_told(inside, edge):
    with pytest.warns(AccuracyWarning, match="do not determine the solution uniquely"):
        model = fitted(edge[:1], field(edge[:1]), [laplacian(inside, sources(inside))])
    assert model.stop_reason_ == "underdetermined"


@pytest.mark.parametrize("noisy", ["values", "gradients"])
def test_noise_is_told(rng, noisy):
    X = rng.uniform(-1, 1, (500, 2))
    y, slopes = field(X), slope(X)
    if noisy == "values":
        y = y + 1e-3 * rng.standard_normal(len(y))
    else:
        slopes = slopes + 1e-3 * rng.standard_normal(slopes.shape)
    with pytest.warns(AccuracyWarning, match="the data contain noise"):
        fitted(X, y, gradients(X, slopes))


def test_few_points_are_left_out_in_turn(rng):
    x = np.linspace(0, 1, 12)[:, None]
    fresh = rng.uniform(0, 1, (300, 1))
    model = fitted(x, np.exp(np.sin(8 * x[:, 0])), gradients(x, steep(x)[:, None]))
    true = np.exp(np.sin(8 * fresh[:, 0]))
    error = np.sqrt(np.mean((model.predict(fresh) - true) ** 2)) / np.std(true)
    assert error < model.validation_errors_[-1]
    assert model.validation_errors_[-1] == max(model.condition_residuals_.values())


def steep(x):
    return 8 * np.cos(8 * x[:, 0]) * np.exp(np.sin(8 * x[:, 0]))


def test_weights_decide_between_contradictions(inside):
    def left(weight):
        conditions = [
            laplacian(inside, 1.0, name="one", weight=weight),
            laplacian(inside, 2.0, name="two"),
        ]
        return fitted(inside[:1], [0.0], conditions).condition_residuals_

    assert left(1e4)["one"] < 1e-3 * left(1.0)["one"]


def test_points_of_no_weight_do_not_count(inside, edge, fresh):
    wrong, weight = sources(inside), np.ones(len(inside))
    wrong[:20], weight[:20] = 100.0, 0.0
    model = fitted(edge, field(edge), [laplacian(inside, wrong, weight=weight)])
    assert relative(model.predict(fresh) - field(fresh), field(fresh)) < 1e-12


def test_pipelines_clones_and_pickles(inside, edge, fresh):
    conditions = [laplacian(inside, sources(inside))]
    model = SpectrumInformedMSNNRegressor(random_state=0)
    pipe = make_pipeline(FunctionTransformer(), model)
    pipe.fit(edge, field(edge), spectruminformedmsnnregressor__conditions=conditions)
    again = clone(model).fit(edge, field(edge), conditions=conditions)
    loaded = pickle.loads(pickle.dumps(again))
    for other in (again, loaded):
        np.testing.assert_array_equal(pipe.predict(fresh), other.predict(fresh))
    assert loaded.condition_residuals_ == again.condition_residuals_


def test_metadata_routing(inside, edge, fresh):
    conditions = [laplacian(inside, sources(inside))]
    with config_context(enable_metadata_routing=True):
        model = SpectrumInformedMSNNRegressor(random_state=0).set_fit_request(conditions=True)
        pipe = make_pipeline(FunctionTransformer(), model)
        pipe.fit(edge, field(edge), conditions=conditions)
    assert relative(pipe.predict(fresh) - field(fresh), field(fresh)) < 1e-12


def test_skops(tmp_path, inside, edge, fresh):
    pytest.importorskip("skops")
    from skops import io

    from skmsnn.persistence import TRUSTED_TYPES

    model = fitted(edge, field(edge), [laplacian(inside, sources(inside))])
    io.dump(model, tmp_path / "model.skops")
    loaded = io.load(tmp_path / "model.skops", trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict(fresh), model.predict(fresh))


def test_derived_forms_agree(inside, edge, fresh):
    torch = pytest.importorskip("torch")
    model = fitted(edge, field(edge), [laplacian(inside, sources(inside))])
    with torch.no_grad():
        values = model.to_module()(torch.as_tensor(fresh)).numpy().ravel()
    np.testing.assert_allclose(values, model.predict(fresh), atol=1e-12)
    np.testing.assert_allclose(model.to_function()(fresh), model.predict(fresh), atol=1e-12)


def test_a_fit_without_conditions_forgets_those_before(inside, edge):
    model = fitted(edge, field(edge), [laplacian(inside, sources(inside))])
    model.fit(edge, field(edge))
    assert model.condition_residuals_ == {}


def test_a_scaler_before_is_found_out(inside, edge):
    far = laplacian(1000 + inside, 0.0)
    pipe = make_pipeline(StandardScaler(), SpectrumInformedMSNNRegressor())
    with pytest.raises(ValueError, match="units of X as the estimator sees it"):
        pipe.fit(1000 + edge, field(edge), spectruminformedmsnnregressor__conditions=[far])


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (lambda X: Condition(X[:, :1], {(1, 0): 1.0}), "shape"),
        (lambda X: Condition(X, {(1,): 1.0}), "2 non-negative integers"),
        (lambda X: Condition(X, {(1, -1): 1.0}), "2 non-negative integers"),
        (lambda X: Condition(X, {}), "there must be one"),
        (lambda X: Condition(X, {(1, 0): 1.0, ((1, 0), 0): 1.0}), "all of them pairs"),
        (lambda X: Condition(X, {((1, 0), 1): 1.0}), "output 1"),
        (lambda X: Condition(X, {(1, 0): np.ones(3)}), "a number or one a point"),
        (lambda X: Condition(X, {(1, 0): np.nan}), "not all finite"),
        (lambda X: Condition(X, {(1, 0): 1.0}, np.ones(3)), "values have shape"),
        (lambda X: Condition(X, {(1, 0): 1.0}, np.ones((len(X), 2))), "2 columns"),
        (lambda X: Condition(X, {(1, 0): 1.0}, np.inf), "values are not all finite"),
        (lambda X: Condition(X, {(1, 0): 1.0}, weight=-1.0), "none negative"),
        (lambda X: Condition(X, {(1, 0): 1.0}, weight=np.ones(3)), "one a point"),
        (lambda X: Condition(X * np.nan, {(1, 0): 1.0}), "not finite"),
        (lambda X: periodicity(X, X[:3]), "one for each point"),
    ],
)
def test_bad_conditions(edge, condition, told):
    with pytest.raises(ValueError, match=told):
        fitted(edge, field(edge), [condition(edge)])


def test_bad_arguments_of_constructors(edge):
    with pytest.raises(ValueError, match="a derivative for each"):
        gradients(edge, edge[:, 0])
    with pytest.raises(ValueError, match="normals has shape"):
        normal_derivatives(edge, edge[:5])
    with pytest.raises(ValueError, match="give points"):
        laplacian(edge[:, 0])
    with pytest.raises(TypeError, match="list of Condition"):
        fitted(edge, field(edge), [{(1, 0): 1.0}])


@pytest.mark.parametrize(
    "parameters",
    [
        {"n_modes": 5},
        {"p": 4.0},
        {"init": "xavier"},
        {"solver": "adam"},
        {"families": ["network"]},
        {"warm_start": True},
        {"early_stopping": False},
        {"feature_transforms": ["linear", "log"]},
    ],
)
def test_what_does_not_go_with_conditions(edge, parameters):
    with pytest.raises(ValueError, match=r"[Cc]onditions"):
        fitted(edge, field(edge), [laplacian(edge)], **parameters)


def test_polynomials_have_no_period(edge):
    with pytest.raises(ValueError, match="no period"):
        fitted(edge, field(edge), [laplacian(edge)], families=["polynomial"], period=[4.0, None])


def test_conditions_of_the_same_name_are_told_apart(inside, edge):
    conditions = [laplacian(inside[:300], sources(inside[:300]))]
    conditions += [laplacian(inside[300:], sources(inside[300:]))]
    model = fitted(edge, field(edge), conditions)
    assert list(model.condition_residuals_) == ["values", "laplacian", "laplacian (2)"]


@pytest.mark.parametrize("d", [1, 2, 7])
def test_two_numbers_are_enough_for_a_fit(d):
    point = np.ones((1, d))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = fitted(0 * point, [1.0], [Condition(point, {(0,) * d: 1.0}, 2.0)])
    assert np.isfinite(model.predict(point)).all()


def test_a_given_period(rng):
    x = rng.uniform(0, 2 * np.pi, (200, 1))
    fresh = rng.uniform(0, 6 * np.pi, (100, 1))
    equation = Condition(x, {1: 1.0}, -5 * np.sin(5 * x[:, 0]))
    model = fitted([[0.0]], [1.0], [equation], period=2 * np.pi)
    assert np.abs(model.predict(fresh) - np.cos(5 * fresh[:, 0])).max() < 1e-12


def test_complex_values(inside, edge, fresh):
    # a plane wave, by Helmholtz' equation
    def wave(x):
        return np.exp(1j * (3 * x[:, 0] + 4 * x[:, 1]))

    conditions = [
        laplacian(inside, potential=25.0),
        Condition(inside[:50], {(1, 0): 1.0}, 3j * wave(inside[:50])),
    ]
    model = fitted(edge, wave(edge), conditions)
    assert np.abs(model.predict(fresh) - wave(fresh)).max() < 1e-10
    with pytest.raises(ValueError, match="complex"):
        fitted(edge, field(edge), conditions)
    with pytest.raises(ValueError, match="two outputs"):
        fitted(edge, wave(edge), [Equation(inside, lambda X, u: u, {})])


def test_neither_dask_nor_points_to_hold_out(edge):
    model = SpectrumInformedMSNNRegressor()
    with pytest.raises(ValueError, match="X_val"):
        model.fit(edge, field(edge), X_val=edge, y_val=field(edge), conditions=[laplacian(edge)])
    dask = pytest.importorskip("dask.array")
    with pytest.raises(ValueError, match="dask"):
        model.fit(dask.asarray(edge), dask.asarray(field(edge)), conditions=[laplacian(edge)])
