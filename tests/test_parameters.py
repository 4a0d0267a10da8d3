"""Every invalid parameter gets an error that names it."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import InvalidParameterError

from skmsnn import SpectrumInformedMSNNRegressor

X = np.linspace(0, 1, 40)[:, None]
y = np.sin(X[:, 0])

INVALID = {
    "n_stages": [0, -1, 1.5, "a", None],
    "n_modes": [0, -3, "many", 2.5, None],
    "p": [1.9, "a", None, np.nan],
    "hidden_layer_sizes": [0, -1, "a", None],
    "activation": ["step", None, 3],
    "init": ["zeros", None],
    "linear_readout": ["x", 3.2, None],
    "families": ["fourier", 3, None],
    "period": [0, -1, "a", np.nan],
    "feature_transforms": ["logarithmic", 2, None],
    "extrapolation": ["quadratic", None, 3],
    "solver": ["sgd", None],
    "learning_rate_init": [0, -1, "a", np.nan],
    "max_iter": [0, -1, 2.5, "a"],
    "max_time": [0, -1, "a", np.nan],
    "tol": [-1, "a", None, np.nan],
    "early_stopping": ["x", None],
    "validation_fraction": [0, 1, -1, 2, "a", None],
    "warm_start": ["x"],
    "device": [None, 3],
    "verbose": [-1, "a"],
    "random_state": ["a", -1, 2.5],
}


def test_every_parameter_is_tried():
    assert set(INVALID) == set(SpectrumInformedMSNNRegressor().get_params())


@pytest.mark.parametrize(("name", "value"), [(k, v) for k, vs in INVALID.items() for v in vs])
def test_an_invalid_value_names_its_parameter(name, value):
    model = SpectrumInformedMSNNRegressor(**{name: value})
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
        model.fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "match"),
    [
        (
            {"n_modes": 41, "solver": "adam"},
            "n_modes=41 is more than the 40 distinct points",
        ),
        ({"n_modes": [4, 41, 4, 4], "init": "scale-factor"}, "n_modes=41 is more than"),
        ({"n_modes": [3]}, "1 numbers for n_stages=4"),
        ({"n_modes": [1.5] * 4}, "n_modes must be positive integers"),
        ({"hidden_layer_sizes": (3, 0)}, "hidden_layer_sizes must be positive"),
        ({"hidden_layer_sizes": (), "linear_readout": False}, "nothing leads"),
        ({"period": [1, 2]}, "2 periods for 1 features"),
        ({"period": 0.1}, "smaller than the extent"),
        ({"period": [-1]}, "positive and finite"),
        ({"device": "abacus"}, "not a torch device"),
        ({"families": ["fourier", "wavelets"]}, "must be 'auto' or name some of polynomial"),
        ({"families": []}, "must be 'auto' or name some of polynomial"),
        ({"families": ["fourier"], "n_modes": 5}, "say already what a stage is"),
    ],
)
def test_parameters_in_conflict_say_what_to_change(parameters, match):
    with pytest.raises(ValueError, match=match):
        SpectrumInformedMSNNRegressor(**parameters).fit(X, y)


def test_an_option_that_a_solver_has_no_use_for_is_an_error():
    model = SpectrumInformedMSNNRegressor(solver="gauss-newton", learning_rate_init=0.1)
    with pytest.raises(ValueError, match=r"learning_rate_init=0.1 does nothing .* 'adam'"):
        model.fit(X, y)
    model.set_params(solver="adam", max_iter=2, n_stages=1, n_modes=2)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
