"""Whatever finite data come: a fit predicts no worse than the mean, or says what is wrong."""

import tempfile
import warnings

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from skmsnn import SpectrumInformedMSNNRegressor  # noqa: E402

GRIDS = ("grid", "uneven grid", "holes")
POINTS = (
    *GRIDS,
    *("scattered", "duplicates", "near duplicates", "collinear", "circle", "clusters"),
    *("constant column", "integers", "far away", "heavy tails"),
)
VALUES = ("smooth", "random", "constant", "step", "spike", "outlier", "offset", "two outputs")
WEIGHTS = ("none", "zeros", "extreme", "one")
LAYOUTS = ("C", "F", "read-only", "float32", "backwards", "memory-mapped", "pandas", "polars")
UNITS = (-300, -100, -8, 0, 8, 100, 300)


def points(kind, n, d, rng):
    if kind in GRIDS:
        side = max(2, round(n ** (1 / d)))
        axes = np.linspace(0, 1, side) if kind != "uneven grid" else np.sort(rng.random((d, side)))
        X = np.stack(np.meshgrid(*np.broadcast_to(axes, (d, side)), indexing="ij"), -1)
        X = X.reshape(-1, d)
        return X[rng.permutation(len(X))[: max(1, int(0.7 * len(X)))]] if kind == "holes" else X
    X = rng.uniform(-1, 1, (n, d))
    some = X[rng.integers(0, max(1, n // 2), n)]
    turn = np.pi * X[:, 0]
    return {
        "scattered": X,
        "duplicates": some,
        "near duplicates": some * (1 + 4e-16 * rng.integers(-3, 4, (n, d))),
        "collinear": X[:, :1] * np.arange(1, d + 1) + 0.5,
        "circle": np.column_stack([np.cos(turn), np.sin(turn), X])[:, :d],
        "clusters": 1e-6 * X + rng.integers(0, 2, (n, 1)),
        "constant column": np.where(np.arange(d) == rng.integers(d), 3.25, X),
        "integers": np.round(20 * X),
        "far away": X + 10.0 ** rng.uniform(0, 15),
        "heavy tails": rng.standard_t(1, (n, d)),
    }[kind]


def values(kind, X, rng):
    t = (X - X.mean(axis=0)) @ np.arange(1, X.shape[1] + 1)
    smooth = np.sin(3 * t / (np.abs(t).max() or 1.0))
    one = np.arange(len(X)) == rng.integers(len(X))
    return {
        "smooth": smooth,
        "random": rng.standard_normal(len(X)),
        "constant": np.full(len(X), -7.5),
        "step": (t > 0).astype(float),
        "spike": one.astype(float),
        "outlier": np.where(one, 1e12, smooth),
        "offset": smooth + 1e8,
        "two outputs": np.stack([smooth, np.full(len(X), 2.0)], axis=1),
    }[kind]


def weights(kind, n, rng):
    weight = rng.integers(0, 3, n).astype(float)
    weight[rng.integers(n)] = 1.0
    one = np.arange(n) == rng.integers(n)
    return {
        "none": None,
        "zeros": weight,
        "extreme": 10.0 ** rng.uniform(-300, 300, n),
        "one": one.astype(float),
    }[kind]


def in_units(a, exponent):
    """Times that power of ten, or less where that would take values beyond 1e300."""
    most = 300 - np.ceil(np.log10(max(1.0, np.abs(a).max())))
    return a * 10.0 ** min(exponent, most)


@st.composite
def data(draw):
    """X, y, weights of any such kind, in any units."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = points(
        draw(st.sampled_from(POINTS)), draw(st.integers(1, 60)), draw(st.integers(1, 5)), rng
    )
    y = values(draw(st.sampled_from(VALUES)), X, rng)
    X, y = (in_units(a, draw(st.sampled_from(UNITS))) for a in (X, y))
    return X, y, weights(draw(st.sampled_from(WEIGHTS)), len(X), rng)


# of estimators that are not the default, which train whatever the data are
PARAMETERS = st.fixed_dictionaries(
    {
        "solver": st.sampled_from(["gauss-newton", "lbfgs", "adam"]),
        "init": st.sampled_from(["spectrum", "scale-factor", "random-fourier", "xavier"]),
        "activation": st.sampled_from(["tanh", "sin", "gelu"]),
        "p": st.sampled_from([2.0, 10.0, 100.0]),
        "n_stages": st.integers(1, 3),
        "hidden_layer_sizes": st.sampled_from([4, (3, 3)]),
        "linear_readout": st.booleans(),
        "early_stopping": st.booleans(),
        "validation_fraction": st.sampled_from([0.001, 0.1, 0.5, 0.9]),
    }
)


def laid_out(X, y, layout):
    """The same points and values, in single precision for one layout, in other objects."""
    match layout:
        case "F":
            return np.asfortranarray(X), np.asfortranarray(y)
        case "read-only":
            X.setflags(write=False)
            y.setflags(write=False)
        case "float32" if max(np.abs(X).max(), np.abs(y).max()) < 1e30:
            return X.astype(np.float32), y.astype(np.float32)
        case "backwards":
            return np.ascontiguousarray(X[::-1])[::-1], np.ascontiguousarray(y[::-1])[::-1]
        case "memory-mapped":
            return mapped(X), mapped(y)
        case "pandas" | "polars":
            library = pytest.importorskip(layout)
            columns = library.DataFrame({f"x{j}": column for j, column in enumerate(X.T)})
            if y.ndim == 1:
                return columns, library.Series(y)
            return columns, library.DataFrame({f"y{j}": column for j, column in enumerate(y.T)})
    return X, y


def mapped(a):
    with tempfile.TemporaryFile() as file:
        file.write(a.tobytes())
        file.flush()
        return np.memmap(file, dtype=a.dtype, mode="r", shape=a.shape)


def size(a, weight):
    """Root of the weighted mean square of each output, by a route that cannot overflow."""
    a = np.asarray(a, dtype=float).reshape(len(a), -1)
    largest = np.abs(a).max(axis=0)
    safe = np.where(largest > 0, largest, 1.0)
    return largest * np.sqrt(np.average((a / safe) ** 2, axis=0, weights=weight))


def of_weight(weight, n):
    """Rows whose weight is not negligible beside the largest."""
    return np.arange(n) if weight is None else np.flatnonzero(weight > 1e-31 * weight.max())


def quietly(fit, *arguments, **keywords):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fit(*arguments, **keywords)


def assert_finite_and_no_worse_than_the_mean(model, X, y, weight):
    predicted = model.predict(X)
    assert predicted.shape == y.shape
    assert np.isfinite(predicted).all()
    y = np.asarray(y, dtype=float)
    rows = of_weight(weight, len(y))
    y, predicted, weight = y[rows], predicted[rows], None if weight is None else weight[rows]
    if weight is not None:
        weight = weight / weight.max()
    unit = np.abs(y).max() or 1.0
    mean = unit * np.average(y / unit, axis=0, weights=weight)
    round_off = 1e-6 * size(y, weight)
    assert np.all(size(predicted - y, weight) <= 1.01 * size(y - mean, weight) + round_off)


@given(data(), st.sampled_from(LAYOUTS))
def test_a_fit_is_finite_and_no_worse_than_the_mean(sample, layout):
    X, y = laid_out(*sample[:2], layout)
    model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
    quietly(model.fit, X, y, sample_weight=sample[2])
    assert_finite_and_no_worse_than_the_mean(model, X, y, sample[2])


@given(data(), PARAMETERS)
def test_so_is_one_of_any_parameters(sample, parameters):
    model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5).set_params(**parameters)
    quietly(model.fit, *sample[:2], sample_weight=sample[2])
    assert_finite_and_no_worse_than_the_mean(model, *sample)


@settings(max_examples=25)
@given(data(), st.integers(0, 2**32 - 1))
def test_so_are_predictions_between_the_points(sample, seed):
    """Under the least damping, 1e-14, a solution is at most 5e13 times as large as its data."""
    X, y, weight = sample
    model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
    quietly(model.fit, X, y, sample_weight=weight)
    X = X[of_weight(weight, len(X))]
    predicted = model.predict(between(X, seed))
    assert np.abs(predicted).max() / 5e13 <= np.abs(y).max()


def between(X, seed):
    """Points of the box that others fill."""
    share = np.random.default_rng(seed).random((100, X.shape[1]))
    return X.min(axis=0) * share + X.max(axis=0) * (1 - share)


@pytest.mark.parametrize("kind", ["smooth", "step"])
@pytest.mark.parametrize(("n", "d"), [(19, 3), (20, 3), (25, 2), (40, 5), (60, 3)])
def test_beside_points_on_a_line_a_fit_is_of_their_size(n, d, kind, rng):
    """They show nothing of it, and solutions that only rounding tells apart are not leverage."""
    X = points("collinear", n, d, rng)
    y = values(kind, X, rng)
    model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
    quietly(model.fit, X, y)
    assert np.abs(model.predict(between(X, 0))).max() <= 3 * np.abs(y).max()


@settings(max_examples=15)
@given(data(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(sample, random):
    X, y, weight = sample
    order = list(range(len(X)))
    random.shuffle(order)
    fits = []
    for rows in (slice(None), order):
        model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
        quietly(model.fit, X[rows], y[rows], None if weight is None else weight[rows])
        fits.append(model.predict(X))
    np.testing.assert_array_equal(*fits)
