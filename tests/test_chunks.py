"""Dask: fits in chunks, lazy predictions, and searches on a cluster of processes."""

import joblib
import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

da = pytest.importorskip("dask.array")

TURN = 2 * np.pi


def periodic(X):
    return np.exp(np.sin(X[:, 0])) * np.cos(3 * X[:, 1] - X[:, 0])


def open_function(X):
    return np.exp(X[:, 0]) * np.cos(2 * X[:, 0] + 1)


def chunked(*arrays, rows=3000):
    return [da.from_array(a, chunks=(rows, *a.shape[1:])) for a in arrays]


def default(**parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters)


@pytest.fixture
def scattered(rng):
    return rng.uniform(0, TURN, (10_000, 2))


class TestFitInChunks:
    def test_a_periodic_function_as_in_memory(self, scattered, rng):
        y, fresh = periodic(scattered), rng.uniform(0, TURN, (1000, 2))
        inside = default(period=TURN).fit(scattered, y).predict(fresh)
        model = default(period=TURN).fit(*chunked(scattered, y))
        assert relative_l2_error(inside, model.predict(fresh)) < 1e-12
        assert relative_l2_error(periodic(fresh), model.predict(fresh)) < 1e-13
        assert model.validation_errors_[-1] < 1e-13

    def test_other_numbers_of_features_are_refused_before_anything_is_computed(self, scattered):
        X, y = scattered[:500], periodic(scattered[:500])
        model = default(period=TURN).fit(X, y)
        for points in chunked(X[:, :1], np.hstack([X, X])):
            for call in (model.predict, model.gradient):
                with pytest.raises(ValueError, match="2 features"):
                    call(points)

    def test_other_functions_weights_and_outputs_as_in_memory(self, rng):
        X, fresh = rng.uniform(-1, 1, (4000, 1)), rng.uniform(-1, 1, (500, 1))
        y = np.stack([open_function(X), 1e5 * X[:, 0] ** 3], axis=1)
        weight = rng.uniform(0, 2, 4000).round()
        inside = default().fit(X, y, weight).predict(fresh)
        model = default().fit(*chunked(X, y, weight, rows=1100))
        assert relative_l2_error(inside, model.predict(fresh)) < 1e-12

    def test_more_waves_than_a_sample_shows_take_the_sums_of_all_points(self, rng):
        X = rng.uniform(0, TURN, (150_000, 2))
        y = np.cos(101 * X[:, 0] - 4 * X[:, 1])
        fresh = rng.uniform(0, TURN, (500, 2))
        model = default(period=TURN).fit(*chunked(X, y, rows=50_000))
        expected = np.cos(101 * fresh[:, 0] - 4 * fresh[:, 1])
        assert relative_l2_error(expected, model.predict(fresh)) < 1e-12

    def test_chunks_that_do_not_match(self, scattered, rng):
        y = periodic(scattered)
        a = default(period=TURN).fit(*chunked(scattered, y))
        X = da.from_array(scattered, chunks=(3000, 1))
        b = default(period=TURN).fit(X, da.from_array(y, chunks=777))
        np.testing.assert_array_equal(a.predict(scattered), b.predict(scattered))

    def test_noise_is_called_noise(self, scattered, rng):
        y = periodic(scattered) + 1e-3 * rng.standard_normal(len(scattered))
        with pytest.warns(ConvergenceWarning, match="noise"):
            model = default(period=TURN).fit(*chunked(scattered, y))
        assert model.stop_reason_ == "noise"
        assert relative_l2_error(periodic(scattered), model.predict(scattered)) < 1e-3

    def test_points_given_for_validation(self, scattered, rng):
        held = rng.uniform(0, TURN, (300, 2))
        X, y = chunked(scattered, periodic(scattered))
        model = default(period=TURN).fit(X, y, X_val=held, y_val=periodic(held) + 1)
        # one is added to all of them, and the root mean square of y is known
        shift = 1 / np.sqrt(np.mean(periodic(scattered) ** 2))
        assert model.validation_errors_[0] == pytest.approx(shift, rel=1e-3)

    @pytest.mark.parametrize(
        ("change", "match"),
        [
            (lambda X, y: (X, y.compute()), "y is ndarray"),
            (lambda X, y: (X, y[:-1]), "10000 rows and y has 9999"),
            (lambda X, y: (X, da.where(y > 2, np.nan, y)), "y contains NaN"),
            (lambda X, y: (X[:, 0], y), "two dimensions"),
            (lambda X, y: (X[:5], y[:5]), "at least 20"),
        ],
    )
    def test_what_cannot_be_fitted_says_why(self, scattered, change, match):
        X, y = chunked(scattered, periodic(scattered))
        with pytest.raises(ValueError, match=match):
            default(period=TURN).fit(*change(X, y))

    def test_nearly_all_weight_on_points_held_out_is_refused(self, rng):
        """They do not join the fit, which would be of the points that hardly count."""
        X = rng.uniform(-1, 1, (60, 1))
        y = open_function(X)
        messages = []
        for heavy in range(12):
            data = chunked(X, y, np.where(np.arange(60) == heavy, 1.0, 1e-9), rows=25)
            try:
                model = default(validation_fraction=0.5).fit(*data)
            except ValueError as error:
                messages.append(str(error))
                model = default(early_stopping=False).fit(*data)
            assert abs(model.predict(X[[heavy]]) - y[heavy]) < 1e-9
        assert 0 < len(messages) < 12
        assert all("held out have all but" in message for message in messages)

    def test_parameters_of_networks_are_refused(self, scattered):
        with pytest.raises(ValueError, match="spectral stages of least squares alone"):
            default(solver="adam").fit(*chunked(scattered, periodic(scattered)))


class TestPredictInChunks:
    def test_is_lazy_and_equal(self, scattered):
        model = default(period=TURN).fit(scattered, periodic(scattered))
        (X,) = chunked(scattered, rows=999)
        for method in ("predict", "gradient", "laplacian"):
            lazy = getattr(model, method)(X)
            assert isinstance(lazy, da.Array)
            assert lazy.chunks[0] == X.chunks[0]
            expected = getattr(model, method)(scattered)
            np.testing.assert_allclose(lazy.compute(), expected, rtol=0, atol=1e-10)
        np.testing.assert_allclose(
            model.derivative(X, (1, 2)), model.derivative(scattered, (1, 2)), rtol=0, atol=1e-10
        )


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("dask.distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


class TestCluster:
    def test_grid_search_as_without_a_cluster(self, client, rng):
        X = rng.uniform(0, TURN, (600, 1))
        y = np.exp(np.sin(X[:, 0]))
        grid = {"n_stages": [1, 2], "period": [None, TURN]}
        search = GridSearchCV(default(), grid, cv=3, scoring="neg_root_mean_squared_error")
        alone = search.fit(X, y).cv_results_["mean_test_score"]
        with joblib.parallel_config("dask"):
            spread = search.fit(X, y).cv_results_["mean_test_score"]
        np.testing.assert_allclose(spread, alone, rtol=0, atol=1e-12)
        assert search.best_params_["period"] == TURN

    def test_halving_search_as_without_a_cluster(self, client, rng):
        X = rng.uniform(0, TURN, (600, 1))
        y = np.exp(np.sin(X[:, 0]))
        search = HalvingGridSearchCV(
            default(n_stages=1, tol=1.0, hidden_layer_sizes=()),
            {"period": [None, TURN], "validation_fraction": [0.1, 0.2]},
            cv=3,
            scoring="neg_root_mean_squared_error",
            min_resources=150,
            random_state=0,
        )
        alone = search.fit(X, y).cv_results_["mean_test_score"]
        with joblib.parallel_config("dask"):
            spread = search.fit(X, y).cv_results_["mean_test_score"]
        np.testing.assert_allclose(spread, alone, rtol=0, atol=1e-12)

    def test_fit_in_chunks_as_without_a_cluster(self, client, scattered):
        with_client = default(period=TURN).fit(*chunked(scattered, periodic(scattered)))
        predicted = with_client.predict(scattered)
        assert relative_l2_error(periodic(scattered), predicted) < 1e-13

    def test_the_example_of_more_points_than_memory(self, client, capsys):
        from examples import larger_than_memory

        larger_than_memory.main(
            ["--points", "40000", "--chunk", "10000", "--limit", "2GB", "--in-memory", "20000"]
        )
        printed = capsys.readouterr().out
        assert "peak memory of each worker" in printed
        assert "40000 points in chunks: error" in printed
