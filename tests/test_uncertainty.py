"""Standard deviations of predictions: their coverage, where they are large, and their shapes."""

import io
import pickle

import numpy as np
import pytest
from conftest import tensor_grid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from examples.benchmarks.random_cases import KINDS, case
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.persistence import TRUSTED_TYPES

pytestmark = pytest.mark.filterwarnings("ignore")


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def coverage(number):
    """Share of fresh values in intervals of 95 %, of the random case of that number."""
    _, data = case(number)
    model = fitted(data.X, data.y, **{"hidden_layer_sizes": (), **data.parameters})
    values, std = model.predict(data.fresh, return_std=True)
    noise = data.noise * np.random.default_rng(number).standard_normal(values.shape)
    return np.mean(np.abs(values - data.truth(data.fresh) - noise) <= 1.96 * std)


NAMES = [draw.__name__ for draw in KINDS]
# Of aliased data nothing tells the error, and rounded ones have local errors of their own.
TOLD = [name for name in NAMES if name not in ("aliased", "rounded")]


@pytest.mark.parametrize("kind", TOLD)
def test_intervals_hold_fresh_values_of_every_kind(kind):
    """Nearly: of all kinds together the benchmark of honesty tells how many they hold."""
    numbers = range(NAMES.index(kind), 2 * len(NAMES), len(NAMES))
    shares = [coverage(number) for number in numbers if case(number)[1].knowable]
    assert 0.8 <= np.mean(shares) <= 1


def test_intervals_of_noise_are_as_wide_as_they_should_be(rng):
    X = rng.uniform(-1, 1, (2000, 2))
    y = np.sin(3 * X[:, 0]) + 0.01 * rng.standard_normal(len(X))
    fresh = rng.uniform(-1, 1, (2000, 2))
    values, std = fitted(X, y).predict(fresh, return_std=True)
    off = np.sin(3 * fresh[:, 0]) + 0.01 * rng.standard_normal(len(fresh)) - values
    assert 0.93 <= np.mean(np.abs(off) <= 1.96 * std) <= 0.97


def test_they_are_large_where_the_error_is():
    X = tensor_grid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 40))
    model = fitted(X, np.tanh(60 * (X[:, 0] - 0.3)), hidden_layer_sizes=())
    _, std = model.predict([[0.3, 0.1], [-0.8, 0.1]], return_std=True)
    assert std[0] > 3 * std[1]


def test_a_period_has_no_far_ends():
    axis = np.linspace(0, 1, 64, endpoint=False)
    y = np.abs(np.sin(np.pi * axis))  # a kink at the seam
    model = fitted(axis[:, None], y, period=1.0, hidden_layer_sizes=())
    _, std = model.predict([[0.01], [0.99], [0.5], [1.01], [7.01]], return_std=True)
    assert std[:2].min() > 2 * std[2]
    np.testing.assert_allclose(std[[3, 4]], std[0], rtol=1e-9)


def test_noise_of_one_output_is_not_that_of_others(rng):
    X = rng.uniform(-1, 1, (800, 1))
    y = np.column_stack([X[:, 0] ** 2, 1e6 * X[:, 0] + 100 * rng.standard_normal(800)])
    values, std = fitted(X, y).predict(X[:50], return_std=True)
    assert std.shape == values.shape == (50, 2)
    assert np.all((std[:, 1] > 50) & (std[:, 1] < 200))


def test_complex_values_have_real_ones(rng):
    X = rng.uniform(-1, 1, (300, 1))
    noise = rng.standard_normal((2, 300))
    values, std = fitted(X, np.exp(2j * X[:, 0]) + 0.01 * (noise[0] + 1j * noise[1])).predict(
        X, return_std=True
    )
    assert values.dtype == complex
    assert std.dtype == float
    assert np.median(std) == pytest.approx(0.01 * np.sqrt(2), rel=0.2)


def test_they_go_through_pipelines_and_files(rng):
    X = rng.uniform(-1, 1, (300, 2))
    pipeline = make_pipeline(StandardScaler(), SpectrumInformedMSNNRegressor(random_state=0))
    pipeline.fit(X, np.abs(X[:, 0]))
    values, std = pipeline.predict(X, return_std=True)
    np.testing.assert_array_equal(values, pipeline.predict(X))
    again = pickle.loads(pickle.dumps(pipeline)).predict(X, return_std=True)[1]
    np.testing.assert_array_equal(again, std)
    skops = pytest.importorskip("skops.io")
    model = pipeline[-1]
    file = io.BytesIO()
    skops.dump(model, file)
    loaded = skops.loads(file.getvalue(), trusted=TRUSTED_TYPES)
    np.testing.assert_array_equal(
        loaded.predict(X, return_std=True)[1], model.predict(X, return_std=True)[1]
    )


def test_dask_arrays_stay_lazy(rng):
    da = pytest.importorskip("dask.array")
    X = rng.uniform(-1, 1, (600, 1))
    chunks = da.from_array(X, chunks=(200, 1))
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(chunks, da.sin(chunks[:, 0]))
    values, std = model.predict(chunks, return_std=True)
    expected = model.predict(X, return_std=True)
    np.testing.assert_array_equal(values.compute(), expected[0])
    np.testing.assert_array_equal(std.compute(), expected[1])


def test_without_unseen_points_there_are_none(rng):
    X = rng.uniform(-1, 1, (100, 1))
    model = fitted(X, X[:, 0] ** 3, early_stopping=False)
    with pytest.raises(ValueError, match="not seen"):
        model.predict(X, return_std=True)
