import inspect
import io
import pickle
import warnings
from itertools import count
from types import SimpleNamespace

import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import sklearn
import torch
from conftest import relative, tensor_grid
from sklearn.base import BaseEstimator, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.utils import get_tags

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.sources.arrays import ArraySource

FAST = {"hidden_layer_sizes": (8,), "max_iter": 20, "random_state": 0}


def smooth(X):
    return np.sin(2 * X[:, 0]) * np.exp(X[:, -1]) + 0.3 * np.cos(3 * X[:, 0] + X[:, -1])


def periodic(X):
    return np.sin(X[:, 0]) * np.cos(2 * X[:, 1]) + 0.1 * np.cos(5 * X[:, 0] - 3 * X[:, 1])


def gentle(X):
    """Resolved to round-off by few points."""
    return np.exp(0.5 * X[:, 0]) * np.cos(X[:, -1])


def default(**parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters)


@pytest.fixture(scope="module")
def grid():
    return tensor_grid(np.linspace(-1, 1, 32), np.linspace(-1, 1, 32))


class TestAccuracyOnHeldOutPoints:
    """Known functions on points that the fit has not seen."""

    def test_periodic_grid(self, rng):
        X = tensor_grid(*[2 * np.pi * np.arange(24) / 24] * 2)
        model = default().fit(X, periodic(X))
        new = rng.uniform(0, 2 * np.pi, (500, 2))
        assert model.domain_.periodic.all()
        assert relative(model.predict(new) - periodic(new), periodic(new)) < 5e-15

    def test_periodic_grid_with_holes_in_any_order(self, rng):
        X = tensor_grid(*[2 * np.pi * np.arange(24) / 24] * 2)[rng.permutation(576)[:400]]
        model = default().fit(X, periodic(X))
        new = rng.uniform(0, 2 * np.pi, (500, 2))
        assert relative(model.predict(new) - periodic(new), periodic(new)) < 1e-14

    def test_scattered_periodic_points(self, rng):
        X = rng.uniform(0, 2 * np.pi, (1200, 2))
        model = default(period=2 * np.pi).fit(X, periodic(X))
        new = rng.uniform(-10, 10, (500, 2))  # a period away as well
        assert relative(model.predict(new) - periodic(new), periodic(new)) < 1e-13

    def test_grid_with_end_points(self, grid, rng):
        model = default().fit(grid, smooth(grid))
        new = rng.uniform(-1, 1, (500, 2))
        assert not model.domain_.periodic.any()
        assert relative(model.predict(new) - smooth(new), smooth(new)) < 1e-11

    def test_fold_of_a_grid_with_end_points(self, grid, rng):
        kept = rng.permutation(1024)[:900]
        model = default().fit(grid[kept], smooth(grid[kept]))
        new = rng.uniform(-0.95, 0.95, (500, 2))
        assert relative(model.predict(new) - smooth(new), smooth(new)) < 1e-10

    def test_scattered_points_that_are_not_periodic(self, rng):
        X = rng.uniform(-1, 1, (1500, 2))
        model = default().fit(X, smooth(X))
        new = rng.uniform(-0.95, 0.95, (500, 2))
        assert relative(model.predict(new) - smooth(new), smooth(new)) < 1e-9

    def test_one_wave_in_five_dimensions(self, rng):
        def wave(X):
            return np.cos(1 + X @ np.array([1.5, 1.1, 0.9, 0.7, 0.5]))

        X, new = rng.uniform(-1, 1, (800, 5)), rng.uniform(-1, 1, (500, 5))
        model = default().fit(X, wave(X))
        assert relative(model.predict(new) - wave(new), wave(new)) < 1e-13

    def test_several_outputs_of_different_size(self, grid, rng):
        def both(X):
            return np.column_stack([1e-6 * smooth(X), 1e9 * np.cos(X[:, 0] * X[:, 1])])

        model = default().fit(grid, both(grid))
        new = rng.uniform(-1, 1, (500, 2))
        for predicted, true in zip(model.predict(new).T, both(new).T, strict=True):
            assert relative(predicted - true, true) < 1e-11

    @pytest.mark.parametrize(("shift", "size"), [(0, 1e-9), (0, 1e9), (1e3, 1.0)])
    @pytest.mark.parametrize("unit", [1e-200, 1e200])
    def test_units_do_not_matter(self, grid, rng, shift, size, unit):
        X = shift + size * grid
        u = (X - shift) / size  # what rounding has left of the coordinates
        model = default().fit(X, unit * smooth(u))
        new = rng.uniform(-1, 1, (500, 2))
        X_new = shift + size * new
        true = smooth((X_new - shift) / size)
        assert relative(model.predict(X_new) / unit - true, true) < 1e-10


class TestStages:
    def test_residual_norms_fall_from_stage_to_stage(self, rng):
        X = rng.uniform(-1, 1, (600, 2))
        model = default(n_modes=4, n_stages=3).fit(X, np.exp(-3 * (X**2).sum(axis=1)))
        assert len(model.train_errors_) == model.n_stages_ >= 2
        assert np.all(np.diff(model.train_errors_) < 0)
        assert np.all(np.diff(model.validation_errors_) < 0)

    def test_residual_norms_are_those_of_staged_predictions(self, grid):
        model = default().fit(grid, smooth(grid))
        y = smooth(grid)
        for norm, predicted in zip(model.train_errors_, model.staged_predict(grid), strict=True):
            assert relative(y - predicted, y) == pytest.approx(norm, rel=0.2)

    def test_last_staged_prediction_is_the_prediction(self, grid):
        model = default().fit(grid, smooth(grid))
        *_, last = model.staged_predict(grid)
        np.testing.assert_array_equal(last, model.predict(grid))

    def test_networks_fit_the_residual_of_those_before(self, grid):
        model = SpectrumInformedMSNNRegressor(
            solver="gauss-newton", n_modes=6, n_stages=2, early_stopping=False, **FAST
        ).fit(grid, smooth(grid))
        assert model.n_stages_ == 2
        assert model.train_errors_[1] < 0.8 * model.train_errors_[0]
        assert model.validation_errors_ == []

    @pytest.mark.parametrize(
        ("solver", "p", "max_iter"),
        [("gauss-newton", 2, 40), ("gauss-newton", 4, 40), ("lbfgs", 2, 1000)],
    )
    def test_trained_stages_leave_on_fresh_points_what_they_report(self, solver, p, max_iter, rng):
        """The model of all points is not the one that was judged, but is as good."""
        X, fresh = rng.uniform(-1, 1, (2, 600, 2))
        model = default(
            solver=solver, p=p, n_modes=8, hidden_layer_sizes=(8,), max_iter=max_iter, n_stages=2
        ).fit(X, gentle(X))
        error = relative(model.predict(fresh) - gentle(fresh), gentle(fresh))
        assert error < 1e-3
        assert error < 3 * model.validation_errors_[-1]
        assert model.train_errors_[-1] < 3 * model.validation_errors_[-1]

    @pytest.mark.parametrize("early_stopping", [True, False])
    @pytest.mark.parametrize("solver", ["gauss-newton", "lbfgs", "adam"])
    def test_training_that_has_hardly_begun_leaves_the_mean(self, solver, early_stopping, rng):
        X = rng.uniform(-1, 1, (100, 2))
        y = np.stack([np.full(100, 5.0), 1e9 + rng.standard_normal(100)], axis=1)
        model = default(
            solver=solver, init="xavier", max_iter=1, n_stages=1, early_stopping=early_stopping
        ).fit(X, y)
        np.testing.assert_allclose(model.predict(X)[:, 0], 5.0, rtol=1e-14)
        left = np.sqrt(np.mean((model.predict(X) - y)[:, 1] ** 2))
        assert left <= y[:, 1].std() * (1 + 1e-6)

    def test_warm_start_adds_stages(self, grid):
        parameters = dict(solver="gauss-newton", n_modes=6, early_stopping=False, **FAST)
        model = SpectrumInformedMSNNRegressor(warm_start=True, n_stages=1, **parameters)
        model.fit(grid, smooth(grid))
        first = model.stages_[0]
        model.set_params(n_stages=3).fit(grid, smooth(grid))
        assert model.n_stages_ == 3
        assert model.stages_[0] is first
        assert np.all(np.diff(model.train_errors_) < 0)
        with pytest.raises(ValueError, match="n_stages=2"):
            model.set_params(n_stages=2).fit(grid, smooth(grid))

    def test_warm_start_goes_on_after_pickling(self, grid):
        parameters = dict(solver="gauss-newton", n_modes=6, early_stopping=False, **FAST)
        model = SpectrumInformedMSNNRegressor(warm_start=True, n_stages=1, **parameters)
        copy = pickle.loads(pickle.dumps(model.fit(grid, smooth(grid))))
        copy.set_params(n_stages=2).fit(grid, smooth(grid))
        assert copy.n_stages_ == 2

    def test_number_of_modes_of_each_stage(self, grid):
        model = SpectrumInformedMSNNRegressor(
            n_stages=2, n_modes=[3, 7], solver="lbfgs", early_stopping=False, **FAST
        ).fit(grid, smooth(grid))
        assert [stage.n_modes for stage in model.stages_] == [3, 7]

    @pytest.mark.parametrize("init", ["spectrum", "scale-factor", "random-fourier", "xavier"])
    @pytest.mark.parametrize("p", [2, 10])
    def test_every_init_fits(self, grid, init, p):
        model = SpectrumInformedMSNNRegressor(
            init=init, n_modes=10, p=p, solver="gauss-newton", n_stages=2, **FAST
        ).fit(grid, smooth(grid))
        assert model.score(grid, smooth(grid)) > 0.7

    def test_the_paper_s_recipe_has_no_readout_and_uses_all_points(self, grid):
        model = SpectrumInformedMSNNRegressor(
            solver="adam",
            p=10,
            n_modes=8,
            linear_readout=False,
            early_stopping=False,
            n_stages=1,
            **FAST,
        ).fit(grid, smooth(grid))
        assert model.n_iter_ == [20]
        assert "readout.weight" not in model.stages_[0].function.arrays

    def test_noise_is_named_and_not_followed(self, grid, rng):
        y = smooth(grid) + 1e-3 * rng.standard_normal(len(grid))
        with pytest.warns(ConvergenceWarning, match="the data contain noise"):
            model = default().fit(grid, y)
        assert model.stop_reason_ == "noise"
        new = rng.uniform(-1, 1, (500, 2))
        assert np.sqrt(np.mean((model.predict(new) - smooth(new)) ** 2)) < 1e-3

    def test_validation_points_of_the_user_decide(self, grid, rng):
        new = rng.uniform(-1, 1, (200, 2))
        model = default().fit(grid, smooth(grid), X_val=new, y_val=smooth(new))
        first = next(model.staged_predict(new))
        assert relative(first - smooth(new), smooth(new)) == pytest.approx(
            model.validation_errors_[0], rel=1e-3
        )


class TestInvariance:
    def test_order_of_rows(self, grid, rng):
        order = rng.permutation(len(grid))
        one, other = (
            default().fit(grid, smooth(grid)),
            default().fit(grid[order], smooth(grid)[order]),
        )
        np.testing.assert_array_equal(one.predict(grid), other.predict(grid))

    def test_weights_equal_repetition(self, rng):
        X = rng.uniform(-1, 1, (60, 2))
        y, weight = smooth(X), rng.integers(0, 3, 60)
        repeated = np.repeat(np.arange(60), weight)
        one = default().fit(X, y, sample_weight=weight)
        other = default().fit(X[repeated], y[repeated])
        np.testing.assert_array_equal(one.predict(X), other.predict(X))

    def test_scaling_y_by_a_power_of_two_is_exact(self, grid):
        one, other = default().fit(grid, smooth(grid)), default().fit(grid, 2.0**40 * smooth(grid))
        np.testing.assert_array_equal(2.0**40 * one.predict(grid), other.predict(grid))

    def test_scaling_x_by_a_power_of_two_is_exact(self, grid):
        one, other = default().fit(grid, smooth(grid)), default().fit(2.0**20 * grid, smooth(grid))
        np.testing.assert_array_equal(one.predict(grid), other.predict(2.0**20 * grid))

    @pytest.mark.parametrize("solver", ["auto", "gauss-newton", "adam"])
    def test_same_seed_same_model(self, grid, solver):
        parameters = dict(FAST, solver=solver, n_stages=1, random_state=7)
        one, other = (
            SpectrumInformedMSNNRegressor(**parameters).fit(grid, np.abs(smooth(grid)))
            for _ in range(2)
        )
        np.testing.assert_array_equal(one.predict(grid), other.predict(grid))

    def test_global_state_of_torch_and_numpy_is_left_alone(self, grid):
        torch.manual_seed(3)
        np.random.seed(3)  # noqa: NPY002
        before = (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
        )
        SpectrumInformedMSNNRegressor(solver="adam", **FAST).fit(grid, smooth(grid))
        after = (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.get_num_threads(),
            torch.get_rng_state().tolist(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002
        )
        assert before == after

    @pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
    @pytest.mark.parametrize("solver", ["auto", "gauss-newton", "lbfgs", "adam"])
    def test_where_torch_records_no_derivatives_fits_and_derivatives_are_the_same(
        self, grid, solver, mode
    ):
        parameters = dict(FAST, solver=solver, n_stages=1, random_state=7)
        y = np.abs(smooth(grid))
        with mode():
            model = SpectrumInformedMSNNRegressor(**parameters).fit(grid, y)
            gradient = model.gradient(grid)
            assert not torch.is_grad_enabled()
        expected = SpectrumInformedMSNNRegressor(**parameters).fit(grid, y)
        np.testing.assert_array_equal(model.predict(grid), expected.predict(grid))
        np.testing.assert_array_equal(gradient, expected.gradient(grid))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_default_dtype_of_torch_does_not_matter(self, grid, dtype):
        torch.set_default_dtype(dtype)
        try:
            model = SpectrumInformedMSNNRegressor(
                solver="gauss-newton", n_modes=4, n_stages=1, **FAST
            ).fit(grid, smooth(grid))
        finally:
            torch.set_default_dtype(torch.float32)
        assert all(w.dtype == np.float64 for w in model.stages_[0].function.arrays.values())


class TestModule:
    @pytest.mark.parametrize("solver", ["auto", "gauss-newton"])
    @pytest.mark.parametrize("n_outputs", [None, 2])
    def test_it_agrees_with_predict_and_has_derivatives(self, grid, rng, solver, n_outputs):
        y = smooth(grid) if n_outputs is None else np.column_stack([smooth(grid), grid[:, 0]])
        model = SpectrumInformedMSNNRegressor(solver=solver, n_stages=2, **FAST)
        module = model.fit(3 + 5 * grid, 7 * y).to_module()
        X = torch.from_numpy(3 + 5 * rng.uniform(-1, 1, (50, 2))).requires_grad_()
        value = module(X)
        assert value.shape == model.predict(X.detach().numpy()).shape
        np.testing.assert_allclose(
            value.detach().numpy(), model.predict(X.detach().numpy()), rtol=0, atol=1e-12 * 7
        )
        (slope,) = torch.autograd.grad(value.sum(), X)
        change = torch.zeros_like(X)
        change[:, 0] = 1e-5
        with torch.no_grad():
            difference = (module(X + change) - module(X - change)) / 2e-5
        difference = difference if n_outputs is None else difference.sum(1)
        torch.testing.assert_close(slope[:, 0], difference, rtol=1e-6, atol=1e-7)

    def test_its_state_saves_and_loads(self, grid):
        model = default().fit(grid, smooth(grid))
        module, buffer = model.to_module(), io.BytesIO()
        torch.save(module.state_dict(), buffer)
        buffer.seek(0)
        other = model.to_module()
        other.load_state_dict(torch.load(buffer, weights_only=True))
        X = torch.from_numpy(grid)
        torch.testing.assert_close(module(X), other(X), rtol=0, atol=0)


class TestInScikitLearn:
    def test_pipeline_and_transformed_target(self, grid):
        model = TransformedTargetRegressor(
            make_pipeline(StandardScaler(), default()), transformer=StandardScaler()
        )
        assert model.fit(grid, smooth(grid)).score(grid, smooth(grid)) > 1 - 1e-12

    @pytest.mark.filterwarnings("ignore:A worker stopped")
    def test_grid_search(self, grid):
        search = GridSearchCV(
            SpectrumInformedMSNNRegressor(solver="gauss-newton", **FAST),
            {"init": ["spectrum", "xavier"], "n_stages": [1, 2], "n_modes": [4], "p": [2, 4]},
            cv=KFold(3, shuffle=True, random_state=0),
            n_jobs=2,
        ).fit(grid, smooth(grid))
        assert search.best_score_ > 0.9
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()

    def test_halving_search(self, grid):
        folds = KFold(2, shuffle=True, random_state=0)
        search = HalvingGridSearchCV(
            default(), {"n_stages": [1, 2]}, cv=folds, random_state=0, min_resources=400
        ).fit(grid, gentle(grid))
        assert search.best_score_ > 0.9999

    def test_cross_validation_in_processes_gives_the_scores_of_one(self, grid):
        folds = KFold(3, shuffle=True, random_state=0)
        scores = [
            cross_val_score(default(), grid, gentle(grid), cv=folds, n_jobs=n) for n in (1, 2)
        ]
        np.testing.assert_allclose(scores[0], scores[1], rtol=1e-12)
        assert scores[0].min() > 1 - 1e-15

    def test_sample_weight_is_routed(self, grid):
        with sklearn.config_context(enable_metadata_routing=True):
            model = (
                default().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
            )
            weight = np.ones(len(grid))
            weight[:300] = 0
            y = gentle(grid)
            y[:300] += 1  # nobody is to see these
            result = cross_validate(
                model,
                grid,
                y,
                params={"sample_weight": weight},
                cv=KFold(3, shuffle=True, random_state=0),
                error_score="raise",
            )
        assert result["test_score"].min() > 0.999

    def test_bagging(self, grid):
        model = BaggingRegressor(default(), n_estimators=2, random_state=0)
        assert model.fit(grid, gentle(grid)).score(grid, gentle(grid)) > 0.999

    def test_frames(self, grid):
        frame = pd.DataFrame(grid, columns=["u", "v"])
        model = default().fit(frame, smooth(grid))
        assert list(model.feature_names_in_) == ["u", "v"]
        np.testing.assert_array_equal(
            model.predict(frame), default().fit(grid, smooth(grid)).predict(grid)
        )
        with pytest.raises(ValueError, match="feature names"):
            model.predict(frame[["v", "u"]])

    @pytest.mark.parametrize("solver", ["auto", "gauss-newton"])
    def test_pickle_and_joblib_predict_the_same_bits(self, grid, tmp_path, solver):
        model = SpectrumInformedMSNNRegressor(solver=solver, n_stages=2, **FAST).fit(
            grid, smooth(grid)
        )
        joblib.dump(model, tmp_path / "model")
        for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model")):
            np.testing.assert_array_equal(copy.predict(grid), model.predict(grid))

    def test_fitted_state_holds_no_tensor(self, grid):
        model = SpectrumInformedMSNNRegressor(solver="adam", n_stages=1, **FAST).fit(
            grid, smooth(grid)
        )
        assert b"torch" not in pickle.dumps(model)

    def test_clone_has_the_parameters_and_nothing_else(self, grid):
        model = SpectrumInformedMSNNRegressor(
            n_modes=[1, 2, 3, 4], period=[None, 7.0], solver="adam", **FAST
        ).fit(grid, smooth(grid))
        copy = clone(model)
        assert copy.get_params() == model.get_params()
        assert not hasattr(copy, "stages_")
        with pytest.raises(NotFittedError):
            copy.predict(grid)

    @pytest.mark.skipif(
        not hasattr(BaseEstimator, "_html_repr"), reason="scikit-learn 1.6 asks no estimator"
    )
    def test_html_shows_the_stages_once_fitted(self, grid):
        model = SpectrumInformedMSNNRegressor(n_stages=2, random_state=0)
        assert "how it ended" not in model._repr_mimebundle_()["text/html"]
        html = model.fit(grid, gentle(grid))._repr_mimebundle_()["text/html"]
        assert f"{model.n_stages_} stages" in html
        for norm in model.train_errors_:
            assert f"<td>{norm:.1e}</td>" in html
        assert html.count("how it ended") == 2

    @pytest.mark.skipif(
        not hasattr(BaseEstimator, "_html_repr"), reason="scikit-learn 1.6 asks no estimator"
    )
    def test_html_shows_the_stages_inside_a_pipeline(self, grid):
        regressor = SpectrumInformedMSNNRegressor(n_stages=2, random_state=0)
        pipeline = make_pipeline(StandardScaler(), TransformedTargetRegressor(regressor))
        assert "how it ended" not in pipeline._repr_mimebundle_()["text/html"]
        assert "how it ended" in pipeline.fit(grid, gentle(grid))._repr_mimebundle_()["text/html"]

    def test_points_to_judge_by_go_through_a_pipeline(self, rng):
        X, X_val = rng.uniform(1, 3, (200, 2)), rng.uniform(1, 3, (50, 2))
        y, y_val = np.log(X).prod(axis=1), np.log(X_val).prod(axis=1)
        alone = default().fit(np.log(X), np.exp(y), X_val=np.log(X_val), y_val=np.exp(y_val))
        with sklearn.config_context(enable_metadata_routing=True):
            last = default().set_fit_request(X_val=True, y_val=True)
            transformed = TransformedTargetRegressor(last, func=np.exp, inverse_func=np.log)
            steps = [("log", FunctionTransformer(np.log)), ("fit", transformed)]
            pipeline = Pipeline(steps, transform_input=["X_val"])
            pipeline.fit(X, y, X_val=X_val, y_val=np.exp(y_val))
        assert pipeline[-1].regressor_.validation_errors_ == alone.validation_errors_

    def test_tags(self):
        tags = get_tags(default())
        assert tags.target_tags.multi_output
        assert tags.input_tags.sparse
        assert not tags.non_deterministic

    def test_sparse_points_are_made_dense_up_to_the_working_memory(self, rng):
        X = rng.integers(0, 3, (200, 2))
        y = np.array([0.5, -1, 2])[X[:, 0]] * (1 + X[:, 1])
        encoded = OneHotEncoder().fit_transform(X)
        assert scipy.sparse.issparse(encoded)
        model = default().fit(encoded, y)
        np.testing.assert_array_equal(model.predict(encoded), model.predict(encoded.toarray()))
        np.testing.assert_array_equal(
            default().fit(encoded.toarray(), y).predict(encoded), model.predict(encoded)
        )
        with sklearn.config_context(working_memory=0), pytest.raises(ValueError, match="dense"):
            default().fit(encoded, y)

    def test_constructor_is_keyword_only(self):
        parameters = inspect.signature(SpectrumInformedMSNNRegressor).parameters.values()
        assert all(p.kind is p.KEYWORD_ONLY for p in parameters)


class TestWhatCanGoWrong:
    def interrupt_at(self, monkeypatch, stage, error=KeyboardInterrupt):
        original, calls = ArraySource.best_stage, []

        def best_stage(self, *args):
            calls.append(1)
            if len(calls) == stage:
                raise error
            return original(self, *args)

        monkeypatch.setattr(ArraySource, "best_stage", best_stage)

    def test_interrupting_a_later_stage_keeps_the_finished_ones(self, rng, monkeypatch):
        X = rng.uniform(-1, 1, (600, 2))
        y = np.exp(-3 * (X**2).sum(axis=1))
        self.interrupt_at(monkeypatch, 2)
        with pytest.warns(UserWarning, match="interrupted"):
            model = default(families=("fourier",)).fit(X, y)
        assert model.n_stages_ == 1
        assert model.stop_reason_ == "interrupted"
        assert relative(model.predict(X) - y, y) < 1e-6

    def test_interrupting_the_first_stage_is_passed_on(self, grid, monkeypatch):
        self.interrupt_at(monkeypatch, 1)
        with pytest.raises(KeyboardInterrupt):
            default().fit(grid, smooth(grid))

    def test_a_failed_fit_leaves_the_fitted_model(self, grid, monkeypatch):
        model = default().fit(grid, smooth(grid))
        before = model.predict(grid)
        with pytest.raises(ValueError, match="smaller than the extent"):
            model.set_params(period=0.1).fit(grid, smooth(grid))
        self.interrupt_at(monkeypatch, 1, MemoryError)
        with pytest.raises(MemoryError):
            model.set_params(period=None).fit(grid[:300], 3 * smooth(grid)[:300])
        np.testing.assert_array_equal(model.predict(grid), before)

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"n_modes": [3, 4]}, "2 numbers for n_stages=4"),
            ({"n_modes": [3, 0, 1, 1]}, "positive integers"),
            ({"hidden_layer_sizes": (3, 0)}, "positive integers"),
            ({"hidden_layer_sizes": (), "init": "xavier"}, "hidden_layer_sizes is empty"),
            ({"period": [1.0, 2.0, 3.0]}, "3 periods for 2 features"),
            ({"device": "nowhere"}, "not a torch device"),
            ({"p": 1.5}, "'p' parameter"),
            ({"validation_fraction": 1.0}, "'validation_fraction' parameter"),
        ],
    )
    def test_wrong_parameters_are_told(self, grid, parameters, message):
        with pytest.raises(ValueError, match=message):
            default(**parameters).fit(grid, smooth(grid))

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"X_val": np.zeros((3, 2))}, "go together"),
            ({"sample_weight_val": np.ones(3)}, "needs X_val"),
            ({"X_val": np.zeros((3, 2)), "y_val": np.zeros((3, 2))}, "has 1 outputs"),
        ],
    )
    def test_wrong_validation_data_are_told(self, grid, arguments, message):
        with pytest.raises(ValueError, match=message):
            default().fit(grid, smooth(grid), **arguments)

    @pytest.mark.parametrize("y", [np.zeros(40), np.full(40, 7.0)])
    def test_a_constant_is_fitted(self, rng, y):
        X = rng.uniform(size=(40, 2))
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model = default().fit(X, y)
        np.testing.assert_allclose(model.predict(X), y, rtol=1e-14)

    def test_one_point_is_fitted(self):
        assert default().fit([[1.0, 2.0]], [3.0]).predict([[1.0, 2.0]]) == pytest.approx([3.0])

    def test_a_constant_column_does_no_harm(self, rng):
        x = np.linspace(-1, 1, 50)
        model = default().fit(np.column_stack([x, np.ones(50)]), np.sin(x))
        np.testing.assert_allclose(model.predict([[0.123, 1.0]]), np.sin(0.123), atol=1e-12)

    def test_progress_is_shown_when_asked_for(self, grid, capfd):
        default(verbose=1).fit(grid, smooth(grid))
        shown = "".join(capfd.readouterr())
        assert "stage 1/4: train" in shown
        assert "held-out" in shown
        default().fit(grid, smooth(grid))
        assert "stage" not in "".join(capfd.readouterr())

    def test_progress_in_a_log_file_is_lines(self, grid, capfd, monkeypatch):
        clock = SimpleNamespace(monotonic=count(0, 20).__next__)
        monkeypatch.setattr("skmsnn._progress.time", clock)
        model = SpectrumInformedMSNNRegressor(solver="adam", verbose=1, n_stages=1, **FAST)
        model.fit(grid, smooth(grid))
        shown = capfd.readouterr().err
        assert "\r" not in shown
        lines = shown.splitlines()
        assert len(lines) == model.n_iter_[0]
        assert all(line.startswith("stage 1/1, iteration ") for line in lines)

    def test_a_long_training_shows_its_iterations(self, grid, capfd, monkeypatch):
        monkeypatch.setattr("sys.stderr.isatty", lambda: True)
        SpectrumInformedMSNNRegressor(solver="adam", verbose=1, n_stages=1, **FAST).fit(
            grid, smooth(grid)
        )
        assert "it" in capfd.readouterr().err
