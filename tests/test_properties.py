"""Whatever finite data come: a fit predicts no worse than the mean, or says what is wrong."""

import tempfile
import warnings

import numpy as np
import pytest

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from skmsnn import SpectrumInformedMSNNRegressor  # noqa: E402

POINTS = ("scattered", "grid", "holes", "duplicates", "collinear", "constant column", "integers")
VALUES = ("smooth", "random", "constant", "step", "two outputs")
LAYOUTS = ("C", "F", "read-only", "float32", "backwards", "memory-mapped", "pandas", "polars")
UNITS = (-300, -100, -8, 0, 8, 100, 300)


def points(kind, n, d, rng):
    if kind in ("grid", "holes"):
        side = max(2, round(n ** (1 / d)))
        X = np.stack(np.meshgrid(*[np.linspace(0, 1, side)] * d, indexing="ij"), -1).reshape(-1, d)
        return X if kind == "grid" else X[rng.permutation(len(X))[: max(1, int(0.7 * len(X)))]]
    X = rng.uniform(-1, 1, (n, d))
    if kind == "duplicates":
        return X[rng.integers(0, max(1, n // 2), n)]
    if kind == "collinear":
        return X[:, :1] * np.arange(1, d + 1) + 0.5
    if kind == "constant column":
        X[:, rng.integers(d)] = 3.25
    return np.round(20 * X) if kind == "integers" else X


def values(kind, X, rng):
    t = X @ np.arange(1, X.shape[1] + 1)
    size = np.abs(t).max() or 1.0
    if kind == "two outputs":
        return np.stack([np.sin(3 * t / size), np.full(len(X), 2.0)], axis=1)
    return {
        "smooth": np.sin(3 * t / size),
        "random": rng.standard_normal(len(X)),
        "constant": np.full(len(X), -7.5),
        "step": (t > 0).astype(float),
    }[kind]


@st.composite
def data(draw):
    """X, y, weights of any such kind, in any units."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    X = points(
        draw(st.sampled_from(POINTS)), draw(st.integers(1, 60)), draw(st.integers(1, 5)), rng
    )
    y = values(draw(st.sampled_from(VALUES)), X, rng)
    X, y = X * 10.0 ** draw(st.sampled_from(UNITS)), y * 10.0 ** draw(st.sampled_from(UNITS))
    weight = None
    if draw(st.booleans()):
        weight = rng.integers(0, 3, len(X)).astype(float)
        weight[0] = 1.0
    return X, y, weight


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


@settings(max_examples=100, deadline=None, derandomize=True)
@given(data(), st.sampled_from(LAYOUTS))
def test_a_fit_is_finite_and_no_worse_than_the_mean(sample, layout):
    X, y = laid_out(*sample[:2], layout)
    weight = sample[2]
    model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y, sample_weight=weight)
    predicted = model.predict(X)
    assert predicted.shape == y.shape
    assert np.isfinite(predicted).all()
    y = np.asarray(y, dtype=float)
    mean = np.average(y, axis=0, weights=weight)
    round_off = 1e-6 * size(y, weight)
    assert np.all(size(predicted - y, weight) <= 1.01 * size(y - mean, weight) + round_off)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(data(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(sample, random):
    X, y, weight = sample
    order = list(range(len(X)))
    random.shuffle(order)
    fits = []
    for rows in (slice(None), order):
        model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X[rows], y[rows], sample_weight=None if weight is None else weight[rows])
        fits.append(model.predict(X))
    np.testing.assert_array_equal(*fits)
