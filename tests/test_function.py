"""The plain function of a model, against what the model's stages give."""

import pickle

import numpy as np
import pytest
from conftest import tensor_grid

from skmsnn import SpectrumInformedMSNNRegressor


def line(n=80):
    return np.linspace(-1, 1, n)[:, None]


def turn(n):
    return np.linspace(0, 2 * np.pi, n, endpoint=False)


RNG = np.random.default_rng(3)
SCATTERED = RNG.uniform(-1, 1, (150, 2))
NETWORK = {"solver": "gauss-newton", "n_modes": 3, "hidden_layer_sizes": (4, 3), "max_iter": 3}


def wavy(X):
    return np.exp(np.sin(2 * X[:, 0]) * X[:, -1])


CASES = {
    "polynomials": (SCATTERED, 1 + SCATTERED[:, 0] * SCATTERED[:, 1] ** 2, {}),
    "scattered": (SCATTERED, wavy(SCATTERED), {}),
    "spline": (line(), np.abs(line()[:, 0] - 0.1), {}),
    "line": (line(), wavy(line()), {}),
    "periodic": (turn(30)[:, None], np.exp(np.sin(turn(30))), {}),
    "products": (tensor_grid(turn(24), np.linspace(0, 1, 5)), None, {}),
    "grid": (tensor_grid(np.linspace(-1, 1, 20), np.linspace(0, 1, 25)), None, {}),
    "three axes": (tensor_grid(*[np.linspace(-1, 1, 9)] * 3), None, {}),
    "modes": (SCATTERED, wavy(SCATTERED), {"n_modes": 5}),
    "outputs": (SCATTERED, np.c_[wavy(SCATTERED), SCATTERED[:, 0]], {}),
    "tanh": (SCATTERED, wavy(SCATTERED), NETWORK),
    "sin": (SCATTERED, np.c_[wavy(SCATTERED), SCATTERED], {**NETWORK, "activation": "sin"}),
    "gelu": (SCATTERED, wavy(SCATTERED), {**NETWORK, "activation": "gelu", "init": "xavier"}),
    "one layer": (SCATTERED, wavy(SCATTERED), {**NETWORK, "hidden_layer_sizes": ()}),
}


@pytest.fixture(scope="module", params=CASES)
def case(request):
    X, y, parameters = CASES[request.param]
    y = wavy(X) if y is None else y
    model = SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)
    low, high = X.min(axis=0), X.max(axis=0)
    return model, np.random.default_rng(1).uniform(low, high, (400, X.shape[1]))


def test_it_is_the_sum_of_the_stages(case):
    model, X = case
    *_, expected = model.staged_predict(X)
    size = np.abs(expected).max()
    function = model.to_function()
    np.testing.assert_allclose(function(X), expected, atol=1e-13 * size)
    np.testing.assert_allclose(function(X[:3]), expected[:3], atol=1e-13 * size)
    np.testing.assert_allclose(model.predict(X), expected, atol=1e-13 * size)
    np.testing.assert_allclose(model.predict(X[:2]), expected[:2], atol=1e-13 * size)
    one = function(X[0])
    assert np.shape(one) == expected.shape[1:]
    np.testing.assert_allclose(one, expected[0], atol=1e-13 * size)


def test_its_gradient_is_that_of_stages_and_of_differences(case):
    model, X = case
    function = model.to_function()
    x = model.domain_.scale(X)
    for j, half_width in enumerate(model.domain_.half_width):
        nu = [int(i == j) for i in range(X.shape[1])]
        slopes = sum(stage.derivative(x, nu) for stage in model.stages_)
        slopes = slopes * function.scale / half_width
        slopes = slopes[:, 0] if np.ndim(function(X)) == 1 else slopes
        size = np.abs(slopes).max()
        np.testing.assert_allclose(function.gradient(X)[:, j], slopes, atol=1e-11 * size)
        np.testing.assert_allclose(function.gradient(X[:2])[:, j], slopes[:2], atol=1e-11 * size)
        np.testing.assert_allclose(function.gradient(X[5])[j], slopes[5], atol=1e-11 * size)
        np.testing.assert_allclose(model.gradient(X)[:, j], slopes, atol=1e-11 * size)


def test_fewer_stages_are_another_function(case):
    model, X = case
    first = next(iter(model.staged_predict(X)))
    copy = pickle.loads(pickle.dumps(model))
    copy.stages_ = copy.stages_[:1]
    np.testing.assert_allclose(copy.predict(X), first, atol=1e-12 * np.abs(first).max())


def test_what_is_prepared_is_not_saved(case):
    model, X = case
    copy = pickle.loads(pickle.dumps(model))
    before = len(pickle.dumps(copy))
    copy.gradient(X)
    assert len(pickle.dumps(copy)) == before


def test_no_points_have_no_values(case):
    model, X = case
    assert model.to_function()(X[:0]).shape[0] == 0


def of_other_shapes(X):
    """Points that a function of the features of X cannot be evaluated at, which NumPy would."""
    d = X.shape[1]
    shapes = [X[:, :1].repeat(d + 1, axis=1), X[None], X[:, :0], np.zeros((2, 0))]
    return [*shapes, X[:, :1], X[:1, :1], np.float64(0.1)] if d > 1 else [*shapes, X[:, 0], X[0, 0]]


def test_other_numbers_of_features_are_refused(case):
    model, X = case
    d = X.shape[1]
    function = model.to_function()
    singles = [X[0, :1].repeat(d + 1), X[0, :0], *([X[0, :1]] if d > 1 else [])]
    for call in (function, function.gradient):
        for points in [*of_other_shapes(X), *singles]:
            if d == 1 and np.ndim(points) == 0:
                np.testing.assert_array_equal(call(points), call(np.reshape(points, 1)))
                continue
            with pytest.raises(
                ValueError, match=rf"{d} feature.*\({d},\).*\(n, {d}\)|shape \(n, {d}"
            ):
                call(points)
    for call in (model.predict, model.gradient, model.domain_.scale):
        for points in of_other_shapes(X):
            with pytest.raises(ValueError, match=r"features|1 feature|dim|array"):
                call(points)


def test_stages_and_modules_refuse_other_numbers_of_features(case):
    torch = pytest.importorskip("torch")
    model, X = case
    d = X.shape[1]
    stages = [call for stage in model.stages_ for call in (stage.predict, stage.function.evaluate)]
    modules = [model.to_module(), *(stage.to_module() for stage in model.stages_)]
    for points in of_other_shapes(X):
        for call in stages:
            with pytest.raises(ValueError, match=rf"shape \(n, {d}\)"):
                call(points)
        for module in modules:
            with pytest.raises(ValueError, match=rf"shape \(n, {d}\)"):
                module(torch.as_tensor(points))
    for orders in ([1] * (d + 1), []):
        for stage in model.stages_:
            with pytest.raises(ValueError, match=f"{len(orders)} orders of a derivative for {d}"):
                stage.derivative(X, orders)


def test_corners_and_antiderivatives_of_other_numbers_of_features_are_refused():
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(SCATTERED, wavy(SCATTERED))
    with pytest.raises(ValueError, match="1 coordinates, but the model 2"):
        model.integral([0.0], [1.0])
    with pytest.raises(ValueError, match="3 coordinates, but the model 2"):
        model.integral([0.0, 0.0], [1.0, 1.0, 1.0])
    with pytest.raises(ValueError, match="dim"):
        model.integral(np.zeros((1, 1, 2)), np.ones((1, 1, 2)))
    for points in of_other_shapes(SCATTERED):
        with pytest.raises(ValueError, match=r"features|dim|array"):
            model.antiderivative(points, 0)


def test_exported_modules_keep_the_check():
    torch = pytest.importorskip("torch")
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(SCATTERED, wavy(SCATTERED))
    points = torch.tensor(SCATTERED)
    rows = ({0: torch.export.Dim("n")},)
    program = torch.export.export(model.to_module(), (points[:2],), dynamic_shapes=rows)
    np.testing.assert_allclose(
        program.module()(points).detach(), model.predict(SCATTERED), rtol=1e-13
    )
    compiled = torch.compile(model.to_module(), backend="eager")
    np.testing.assert_allclose(compiled(points).detach(), model.predict(SCATTERED), rtol=1e-13)
    with pytest.raises((ValueError, RuntimeError, AssertionError)):
        program.module()(points[:, :1])
