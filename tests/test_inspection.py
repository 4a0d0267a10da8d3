"""Displays draw what the model leaves."""

import sys

import numpy as np
import pandas as pd
import pytest
from conftest import tensor_grid
from sklearn.exceptions import NotFittedError

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.inspection import ConvergenceDisplay, PowerSpectrumDisplay, StageResidualDisplay

plt = pytest.importorskip("matplotlib.pyplot")
plt.switch_backend("agg")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def fitted():
    axis = 2 * np.pi * np.arange(24) / 24
    X = pd.DataFrame(tensor_grid(axis, axis), columns=["east", "north"])
    y = np.exp(np.sin(X["east"] + 2 * X["north"])).to_numpy()
    model = SpectrumInformedMSNNRegressor(
        n_stages=3, n_modes=4, hidden_layer_sizes=(5,), max_iter=8, random_state=0
    )
    return model.fit(X, y), X, y


def test_residuals_of_each_stage(fitted):
    model, X, y = fitted
    display = StageResidualDisplay.from_estimator(model, X, y)
    assert len(display.ax_) == model.n_stages_
    assert display.ax_[0].figure is display.figure_
    for panel, staged in zip(display.ax_, model.staged_predict(X), strict=True):
        drawn = np.sort(np.asarray(panel.collections[0].get_array()).ravel())
        np.testing.assert_allclose(drawn, np.sort(y - staged))
        assert (panel.get_xlabel(), panel.get_ylabel()) == ("east", "north")


def test_residuals_are_drawn_where_asked(fitted):
    model, X, y = fitted
    _, axes = plt.subplots(1, model.n_stages_)
    display = StageResidualDisplay.from_estimator(model, X, y, ax=axes, features=[1])
    assert display.ax_[0] is axes.ravel()[0] if model.n_stages_ > 1 else True
    with pytest.raises(ValueError, match="one for each"):
        display.plot(plt.subplots(1, model.n_stages_ + 1)[1])


def test_a_curve_in_one_dimension():
    x = np.array([[2.0], [0.0], [1.0]])
    display = StageResidualDisplay.from_predictions(x, [1.0, 2.0, 3.0], [[0.0, 0.0, 0.0]])
    (line,) = display.ax_[0].lines
    np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
    np.testing.assert_array_equal(line.get_ydata(), [2, 3, 1])


@pytest.mark.parametrize("features", [[], [0, 1, 2], [5]])
def test_wrong_features_are_told(fitted, features):
    model, X, y = fitted
    with pytest.raises(ValueError, match="one or two"):
        StageResidualDisplay.from_estimator(model, X, y, features=features)


def test_spectra_of_target_fit_and_residual(fitted):
    model, X, y = fitted
    display = PowerSpectrumDisplay.from_estimator(model, X, y, n_bins=30)
    assert list(display.spectra) == ["target", "fit", "residual"]
    assert [line.get_label() for line in display.ax_.lines] == ["target", "fit", "residual"]
    # one wave of amplitude 1: |C|^2 = 1/4 at two wave vectors of length sqrt(5)
    wave = np.cos(X["east"] + 2 * X["north"]).to_numpy()
    alone = PowerSpectrumDisplay.from_predictions(X, wave, wave, n_bins=1)
    assert alone.spectra["target"][1][0] * len(X) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="some are missing"):
        PowerSpectrumDisplay.from_estimator(model, X[5:], y[5:])


def test_convergence_is_the_loss_of_every_iteration(fitted):
    model, *_ = fitted
    display = ConvergenceDisplay.from_estimator(model)
    loss, train, held_out = display.ax_.lines[:3]
    assert len(loss.get_xdata()) == sum(map(len, model.loss_curves_))
    np.testing.assert_array_equal(train.get_ydata(), model.train_errors_)
    np.testing.assert_array_equal(held_out.get_ydata(), model.validation_errors_)
    # the loss of a stage ends near the residual that the next one starts from
    start = model.loss_curves_[0][0]
    assert loss.get_ydata()[0] == start


@pytest.mark.parametrize("display", [StageResidualDisplay, PowerSpectrumDisplay])
def test_unfitted_models_are_refused(display):
    with pytest.raises(NotFittedError):
        display.from_estimator(SpectrumInformedMSNNRegressor(), [[0.0]], [0.0])


def test_without_matplotlib_the_error_is_scikit_learn_s(fitted, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"from_estimator requires matplotlib"):
        ConvergenceDisplay.from_estimator(fitted[0])
