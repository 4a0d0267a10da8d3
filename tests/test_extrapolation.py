"""Outside the box of the points: values, derivatives, integrals, limits, warnings, intervals."""

import io
import pickle
import warnings

import numpy as np
import pytest
import torch
from conftest import tensor_grid

from examples.benchmarks import coverage
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import ExtrapolationWarning
from skmsnn.persistence import TRUSTED_TYPES
from skmsnn.validation.reach import reach_of
from skmsnn.validation.support import Support

pytestmark = pytest.mark.filterwarnings("ignore")

RULES = ["auto", "continue", "linear", "constant"]


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def on_the_box(x):
    return np.clip(x, -1, 1)


def polynomial(X):
    return X[:, 0] ** 2 + X[:, 0] * X[:, 1] - 2 * X[:, 1]


def slopes(X):
    return np.stack([2 * X[:, 0] + X[:, 1], X[:, 0] - 2], axis=1)


@pytest.fixture(scope="module")
def square():
    """Points of [-1, 1]^2, corners among them, and others in and about it."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.uniform(-1, 1, (200, 2)), tensor_grid([-1.0, 1.0], [-1.0, 1.0])])
    return X, rng.uniform(-1.7, 1.7, (60, 2))


def expected(rule, X):
    c = on_the_box(X)
    if rule == "constant":
        return polynomial(c)
    if rule == "linear":
        return polynomial(c) + np.sum(slopes(c) * (X - c), axis=1)
    return polynomial(X)  # degree 2 to round-off: "auto" trusts it much farther than here


@pytest.mark.parametrize("rule", RULES)
def test_values_are_those_of_the_rule(rule, square):
    X, fresh = square
    model = fitted(X, polynomial(X), extrapolation=rule)
    np.testing.assert_allclose(model.predict(fresh), expected(rule, fresh), atol=1e-11)
    np.testing.assert_array_equal(model.to_function()(fresh), model.predict(fresh))
    module = model.to_module()(torch.tensor(fresh))
    np.testing.assert_allclose(module.detach().numpy(), model.predict(fresh), atol=1e-12)
    one = model.to_function()(fresh[0])
    np.testing.assert_allclose(one, expected(rule, fresh[:1])[0], atol=1e-11)


@pytest.mark.parametrize("rule", RULES)
def test_derivatives_are_those_of_the_rule(rule, square):
    X, fresh = square
    model = fitted(X, polynomial(X), extrapolation=rule)
    c, outside = on_the_box(fresh), np.abs(fresh) > 1
    along = slopes(c) if rule in ("constant", "linear") else slopes(fresh)
    if rule == "constant":
        along[outside] = 0
    if rule == "linear":
        # inside along one axis, the slope of the tangent changes with it: by the mixed derivative
        mixed = (fresh - c)[:, ::-1] * np.array([1.0, 1.0])
        own = np.stack([2 * c[:, 0] + c[:, 1], c[:, 0] - 2], axis=1)
        along = own + np.where(outside, 0.0, mixed)
    np.testing.assert_allclose(model.gradient(fresh), along, atol=1e-10)
    points = torch.tensor(fresh, requires_grad=True)
    (found,) = torch.autograd.grad(model.to_module()(points).sum(), points)
    np.testing.assert_allclose(found.numpy(), along, atol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_integrals_are_those_of_the_rule(rule, square):
    """Against Gauss-Legendre quadrature of the values, panel by panel."""
    X, fresh = square
    model = fitted(X, polynomial(X), extrapolation=rule)
    lower, upper = [-1.6, -0.5], [1.2, 1.5]
    nodes, weights = np.polynomial.legendre.leggauss(4)
    total = 0.0
    for a, b in [(-1.6, -1), (-1, 1), (1, 1.2)]:
        for c, d in [(-0.5, 1), (1, 1.5)]:
            points = tensor_grid(
                (a + b) / 2 + (b - a) / 2 * nodes, (c + d) / 2 + (d - c) / 2 * nodes
            )
            area = (b - a) * (d - c) / 4
            total += area * np.outer(weights, weights).ravel() @ expected(rule, points)
    assert model.integral(lower, upper) == pytest.approx(total, abs=1e-10)
    h = 1e-6
    step = np.array([h, 0.0])
    slope = (model.antiderivative(fresh + step, 0) - model.antiderivative(fresh - step, 0)) / (
        2 * h
    )
    np.testing.assert_allclose(slope, model.predict(fresh), atol=1e-7)


def test_nan_and_error(square):
    X, fresh = square
    outside = np.any(np.abs(fresh) > 1, axis=1)
    model = fitted(X, polynomial(X), extrapolation="nan")
    values, std = model.predict(fresh, return_std=True)
    np.testing.assert_array_equal(np.isnan(values), outside)
    np.testing.assert_array_equal(np.isnan(std), outside)
    assert np.isnan(model.to_module()(torch.tensor(fresh)).numpy()).sum() == outside.sum()
    assert np.isnan(model.integral([0, 0], [1, 2]))
    model.set_params(extrapolation="error").fit(X, polynomial(X))
    assert np.isfinite(model.predict(X)).all()
    for call in (model.predict, model.gradient, model.laplacian, model.to_function()):
        with pytest.raises(ValueError, match=f"{outside.sum()} of 60 points"):
            call(fresh)


@pytest.mark.parametrize("offset", [0.0, 1e6, -3e-7])
def test_the_points_themselves_are_not_outside(offset, rng):
    X = offset + rng.uniform(0, 1e-3 + abs(offset) * 1e-6, (50, 2))
    model = fitted(X, np.sum(X - offset, axis=1), extrapolation="error")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isfinite(model.predict(X)).all()


def test_noisy_data_do_not_explode():
    t = np.arange(1499.0)
    rng = np.random.default_rng(3)

    def truth(t):
        return 10 + 0.012 * t + 3 * np.sin(2 * np.pi * t / 365.25)

    model = fitted(t[:, None], truth(t) + 0.3 * rng.standard_normal(len(t)))
    later = np.array([1499.0, 1508, 1523, 1600, 2500])
    values, std = model.predict(later[:, None], return_std=True)
    assert np.all(np.abs(values - truth(later)) <= 1.96 * np.hypot(std, 0.3))
    assert np.all(np.diff(std) > 0)
    assert np.ptp(values) < 3


@pytest.mark.parametrize("seed", range(4))
def test_a_bump_in_noise_stays_in_its_range(seed):
    rng = np.random.default_rng(seed)
    X = rng.uniform(0, 1, (120, 1))
    y = np.exp(-(((X[:, 0] - 0.4) / 0.1) ** 2)) + 0.2 * rng.standard_normal(120)
    values, std = fitted(X, y).predict([[-0.02], [1.02], [1.5]], return_std=True)
    assert np.all(np.abs(values) <= 1.96 * std)
    assert np.abs(values).max() < 1.5


def test_what_is_resolved_continues_to_many_digits(rng):
    X = rng.uniform(-1, 1, (800, 2))

    def truth(X):
        return np.sin(2 * X[:, 0] * X[:, 1]) + np.exp(X[:, 1])

    model = fitted(X, truth(X))
    beyond = X[np.abs(X).max(axis=1) > 0.9] * 1.12
    error = np.abs(model.predict(beyond) - truth(beyond))
    held = fitted(X, truth(X), extrapolation="constant").predict(beyond) - truth(beyond)
    assert error.max() < 1e-6 * np.abs(held).max()


def test_limits_follow_from_the_growth_of_chebyshev_polynomials():
    """The error of a cubic with errors of 1e-3 grows like T_5(1 + t) up to the limit."""
    x = np.linspace(-1, 1, 100)[:, None]

    def cubic(x):
        return x**3

    reach = reach_of(cubic, lambda x: np.full(x.shape, 1e-3), x, np.zeros(1, dtype=bool))
    assert reach.degrees[0, 0] == 5  # degrees 0 to 3 are resolved, and one more for parity
    t = reach.upper[0, 0] - 1
    growth = np.cosh(5 * np.arccosh(1 + t))
    # up to there the error is a tenth of what the cubic changes over the same distance inside
    assert 0 < t < 2
    assert 1e-3 * growth == pytest.approx((1 - (1 - t) ** 3) / 10, rel=0.3)
    assert reach.lower[0, 0] == pytest.approx(-reach.upper[0, 0])


def test_one_warning_says_how_many_how_far_and_where(square):
    pd = pytest.importorskip("pandas")
    X, _ = square
    frame = pd.DataFrame(X, columns=["speed", "load"])
    model = fitted(frame, polynomial(X))
    fresh = pd.DataFrame({"speed": [0.0, 1.5, 0.2], "load": [0.1, 0.0, -1.1]})
    for call in (
        model.predict,
        model.gradient,
        model.laplacian,
        lambda X: model.predict(X, return_std=True),
        lambda X: model.derivative(X, (1, 0)),
        lambda X: model.antiderivative(X, "load"),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(fresh)
        (warning,) = [w for w in caught if issubclass(w.category, ExtrapolationWarning)]
        assert warning.filename == __file__
        message = warning.message
        assert (message.n_points, message.n_outside, message.n_in_holes) == (3, 2, 0)
        assert message.distances == pytest.approx({"speed": 0.25, "load": 0.05})
        assert str(message).startswith("Points lie outside the box of the training points")


def test_inside_and_along_periods_nothing_is_said(square):
    X, _ = square
    axis = np.linspace(0, 1, 32, endpoint=False)
    wave = fitted(axis[:, None], np.cos(2 * np.pi * axis), period=1.0)
    model = fitted(X, polynomial(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(on_the_box(X))
        value = wave.predict([[17.25]])
    assert value[0] == pytest.approx(0, abs=1e-12)


def annulus(rng, n, inner, d=2):
    points = rng.standard_normal((n, d))
    radius = rng.uniform(inner**d, 1, n) ** (1 / d)
    return points / np.linalg.norm(points, axis=1, keepdims=True) * radius[:, None]


@pytest.mark.parametrize(
    ("points", "holes"),
    [
        (lambda rng: annulus(rng, 500, 0.0), [[0.93, 0.93], [-0.93, 0.93]]),
        (lambda rng: annulus(rng, 400, 0.6), [[0.0, 0.0]]),
        (lambda rng: annulus(rng, 1000, 0.0, 3), [[0.9, -0.9, 0.9]]),
        (lambda rng: np.r_[np.linspace(-1, -0.5, 40), np.linspace(0.4, 1, 50)][:, None], [[0.0]]),
    ],
    ids=["disc", "ring", "ball", "two pieces of a line"],
)
def test_holes_are_reported(points, holes, rng):
    X = points(rng)
    model = fitted(X, np.sum(X**2, axis=1))
    with pytest.warns(ExtrapolationWarning, match="hole"):
        model.predict(holes)
    support = Support.of(X, np.zeros(X.shape[1], dtype=bool))
    assert support.is_in_hole(X).mean() < 0.01


@pytest.mark.parametrize(
    "points",
    [
        lambda rng: rng.uniform(-1, 1, (300, 2)),
        lambda rng: rng.uniform(-1, 1, (300, 3)),
        lambda rng: rng.uniform(-1, 1, (300, 1)),
        lambda rng: tensor_grid(np.linspace(-1, 1, 200), np.linspace(-1, 1, 9)),
        lambda rng: 2 * np.geomspace(1e-6, 1, 60)[:, None] - 1,
        lambda rng: np.cos(np.linspace(0, np.pi, 60))[:, None],
    ],
    ids=["square", "cube", "line", "grid", "logarithmic", "Chebyshev"],
)
def test_points_without_holes_leave_none(points, rng):
    X = points(rng)
    assert Support.of(X, np.zeros(X.shape[1], dtype=bool)) is None


def test_they_survive_files_and_copies(square):
    X, fresh = square
    y = np.tanh(3 * X[:, 0]) * X[:, 1] + 1e-3 * np.random.default_rng(0).standard_normal(len(X))
    model = fitted(X, y)
    expected = model.predict(fresh, return_std=True)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(fresh, return_std=True), expected)
    skops = pytest.importorskip("skops.io")
    file = io.BytesIO()
    skops.dump(model, file)
    loaded = skops.loads(file.getvalue(), trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict(fresh, return_std=True), expected)


def test_several_outputs_and_complex_ones(square):
    X, fresh = square
    both = fitted(X, np.column_stack([polynomial(X), X[:, 0]]), extrapolation="linear")
    np.testing.assert_allclose(both.predict(fresh)[:, 0], expected("linear", fresh), atol=1e-11)
    np.testing.assert_allclose(both.predict(fresh)[:, 1], fresh[:, 0], atol=1e-11)
    wave = fitted(X, polynomial(X) + 1j * X[:, 1], extrapolation="constant")
    np.testing.assert_allclose(wave.predict(fresh).imag, on_the_box(fresh)[:, 1], atol=1e-11)


def test_limits_are_those_of_each_output(rng):
    """A kink in one output leaves the other as exact as it is alone."""
    X, fresh = rng.uniform(-1, 1, (800, 2)), rng.uniform(-1.1, 1.1, (500, 2))

    def truth(X):
        return np.stack([np.exp(X[:, 0] * X[:, 1]), np.abs(X[:, 0] - 0.2)], axis=1)

    model = fitted(X, truth(X), families=("polynomial", "fourier", "spline"))
    values, std = model.predict(fresh, return_std=True)
    error = np.abs(values - truth(fresh))
    assert error[:, 0].max() < 1e-4 * error[:, 1].max()
    assert np.median(std[:, 0]) < 1e-3 * np.median(std[:, 1])
    module = model.to_module()(torch.tensor(fresh)).detach().numpy()
    np.testing.assert_allclose(module[:, 0], values[:, 0], atol=1e-11)
    # next to the kink large coefficients cancel, in digits that the fit does not have
    np.testing.assert_allclose(module[:, 1], values[:, 1], atol=1e-3 * np.median(std[:, 1]))
    # the integral along a line that ends outside is that of the values, by many panels
    nodes = np.linspace(-1.1, 1.1, 200_001)
    line = np.column_stack([nodes, np.full(len(nodes), 0.3)])
    area = np.trapezoid(model.predict(line), nodes, axis=0)
    found = model.antiderivative(line[-1:], 0, lower=-1.1)[0]
    np.testing.assert_allclose(found, area, rtol=1e-8)


def test_logarithmic_features_are_held_at_the_nearest_value():
    x = np.geomspace(1e-2, 1e3, 80)
    model = fitted(x[:, None], np.log(x) ** 2, feature_transforms="log", extrapolation="constant")
    values = model.predict([[1e-4], [0.0], [-1.0], [1e5]])
    ends = np.log(np.array([1e-2, 1e-2, 1e-2, 1e3])) ** 2
    np.testing.assert_allclose(values, ends, rtol=1e-9)


@pytest.mark.parametrize("number", [4, 6, 12, 37])
def test_intervals_contain_values_in_all_regions(number):
    """One case of each kind of fit: waves with noise, a polynomial, waves, a quotient."""
    assert min(coverage.run(number).covered) >= 0.85


def test_terms_of_the_size_of_rounding_do_not_explode():
    """Products of degree 1 along one feature that are held by a fit of much higher degrees."""
    X = np.random.default_rng(0).uniform(0, 1, (1000, 4))
    model = fitted(X, X[:, 0] * np.tanh(8 * (X[:, 1] - 0.5)), max_time=10)
    beyond = np.full((4, 4), 0.5)
    beyond[:, 0], beyond[:, 1] = [1.01, 1.05, 1.5, 100], 0.7
    values, std = model.predict(beyond, return_std=True)
    truth = beyond[:, 0] * np.tanh(1.6)
    assert np.all(np.abs(values) < 2)
    assert np.all(np.abs(values - truth) <= 1.96 * std)


def test_a_pole_beyond_the_box_is_not_crossed():
    x = np.linspace(-1, 1, 200)[:, None]
    model = fitted(x, 1 / (1.1 - x[:, 0]) + 0.2 * np.exp(x[:, 0]))
    values = model.predict([[1.05], [1.2], [5.0]])
    assert np.all(np.diff(values) >= -1e-14 * values.max())
    assert values.max() < 1 / 0.04


several = pytest.mark.xfail(strict=False, reason="outputs of several families are cut off apart")


@pytest.mark.parametrize("seed", [0, pytest.param(4, marks=several)])
def test_resolved_outputs_continue_past_faces_where_they_are_flat(seed):
    rng = np.random.default_rng(seed)
    X, fresh = rng.uniform(-1, 1, (50, 2)), rng.uniform(-1, 1, (2000, 2))
    t = 2 * np.pi * np.linspace(0, 1, 25)

    def waves(X):  # slopes at a face are small at some times
        return np.exp(X[:, :1]) * np.sin(t) + np.cos(2 * X[:, 1:]) * np.sin(8 * t)

    auto = fitted(X, waves(X)).predict(fresh) - waves(fresh)
    free = fitted(X, waves(X), extrapolation="continue").predict(fresh) - waves(fresh)
    assert np.linalg.norm(auto) < 5 * np.linalg.norm(free)


def test_a_constant_feature_has_no_width(rng):
    X = np.column_stack([rng.uniform(0, 1, 60), np.full(60, 2.0)])
    model = fitted(X, np.sin(3 * X[:, 0]))
    with pytest.warns(ExtrapolationWarning) as caught:
        model.predict([[0.5, 3.9]])
    assert caught[0].message.distances == {"feature 1": np.inf}
    model.set_params(extrapolation="error").fit(X, np.sin(3 * X[:, 0]))
    assert np.isfinite(model.predict(X)).all()
    with pytest.raises(ValueError, match="1 of 1 points"):
        model.predict([[0.5, 2.1]])


def test_values_far_outside_are_finite(square):
    X, _ = square
    model = fitted(X / 10, polynomial(X))
    with pytest.warns(ExtrapolationWarning), np.errstate(over="ignore"):
        assert np.isfinite(model.predict([[0.05, 1.7e308]])).all()


def test_a_logarithm_ends_a_tenth_below_its_least_value(rng):
    x = 10 ** rng.uniform(-6, 6, (200, 1))
    model = fitted(x, np.log(x[:, 0]), feature_transforms="log")
    with pytest.warns(ExtrapolationWarning) as caught:
        values = model.predict([[0.0], [-1.0]])
    np.testing.assert_allclose(values, np.log(x.min()) - 0.1, atol=1e-6)
    width = x.max() - x.min()
    distance = caught[0].message.distances["feature 0"]
    assert distance == pytest.approx((x.min() + 1) / width, rel=1e-6)


def test_a_warm_start_that_adds_nothing_keeps_its_intervals(square):
    X, fresh = square
    model = fitted(X, polynomial(X), warm_start=True)
    expected = model.predict(fresh, return_std=True)
    again = model.fit(X, polynomial(X)).predict(fresh, return_std=True)
    np.testing.assert_allclose(again, expected, rtol=1e-6, atol=1e-13)


def test_a_tangent_cannot_be_exported(square):
    X, _ = square
    module = fitted(X, polynomial(X), extrapolation="linear").to_module()
    with pytest.raises(Exception, match="cannot be exported"):
        torch.export.export(module, (torch.tensor(X[:3]),))
    assert torch.isfinite(module(torch.tensor(X[:3]))).all()
