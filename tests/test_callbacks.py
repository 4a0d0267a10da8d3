"""Callbacks are told of every stage, and may end the fit."""

import numpy as np
import pytest
from conftest import tensor_grid
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV

from skmsnn import SpectrumInformedMSNNRegressor

callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 or later")


class Recorder:
    """Notes what it is told; ends the fit after so many stages."""

    def __init__(self, last=None):
        self.last, self.events, self.scores = last, [], []

    def setup(self, estimator, context):
        self.events.append("setup")

    def teardown(self, estimator, context):
        self.events.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.events.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, fitted_estimator):
        self.events.append(f"end {context.task_name}")
        self.scores.append(r2_score(y, fitted_estimator.predict(X)))
        return context.task_name == "stage" and context.task_id + 1 == self.last


@pytest.fixture(scope="module")
def data():
    X = tensor_grid(np.linspace(-1, 1, 10), np.linspace(-1, 1, 10))
    return X, np.sin(2 * X[:, 0]) * X[:, 1] + X[:, 0]


def trained(**parameters):
    options = {"n_stages": 3, "n_modes": 3, "solver": "adam", "max_iter": 5} | parameters
    return SpectrumInformedMSNNRegressor(hidden_layer_sizes=(4,), random_state=0, **options)


def test_every_stage_is_a_task_with_a_model_that_predicts(data):
    recorder = Recorder()
    model = trained().set_callbacks(recorder).fit(*data)
    stages = ["begin stage", "end stage"] * model.n_stages_
    expected = ["setup", "begin fit", *stages]
    assert recorder.events[: len(expected)] == expected
    assert recorder.events[-2:] == ["end fit", "teardown"]
    staged = [r2_score(data[1], predicted) for predicted in model.staged_predict(data[0])]
    np.testing.assert_allclose(recorder.scores[: model.n_stages_], staged)


def test_a_callback_ends_the_fit(data):
    model = trained().set_callbacks(Recorder(last=1)).fit(*data)
    assert model.n_stages_ == 1
    assert model.stop_reason_ == "callback"


def test_callbacks_are_torn_down_when_a_fit_fails(data):
    recorder = Recorder()
    model = trained(period=1.0).set_callbacks(recorder)
    with pytest.raises(ValueError, match="smaller than the extent"):
        model.fit(*data)
    assert recorder.events in ([], ["setup", "begin fit", "teardown"])
    assert not hasattr(model, "_callback_fit_ctx")


def test_scores_of_every_stage_are_logged(data):
    monitor = callback.ScoringMonitor(scoring="r2")
    model = trained().set_callbacks(monitor).fit(*data)
    assert len(monitor.get_logs().data) >= model.n_stages_


def test_a_search_fits_models_that_have_callbacks(data):
    recorder = callback.ScoringMonitor(scoring="r2")
    search = GridSearchCV(trained().set_callbacks(recorder), {"n_stages": [1, 2]}, cv=2)
    search.fit(*data)
    assert clone(search.best_estimator_).get_params() == search.best_estimator_.get_params()


def test_a_progress_bar(data):
    pytest.importorskip("rich")
    assert trained().set_callbacks(callback.ProgressBar()).fit(*data).n_stages_ > 0
