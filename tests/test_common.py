"""scikit-learn's own checks, for every init and solver."""

import pytest
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmsnn import SpectrumInformedMSNNRegressor

SMALL = {"hidden_layer_sizes": (6,), "n_stages": 2, "random_state": 0}
ITERATIONS = {
    "auto": {"max_iter": 5},
    "gauss-newton": {"max_iter": 5},
    "lbfgs": {"max_iter": 10},
    "adam": {"max_iter": 60, "learning_rate_init": 0.05},
}

COMBINATIONS = [
    *(("spectrum", solver) for solver in ITERATIONS),
    ("scale-factor", "gauss-newton"),
    ("random-fourier", "lbfgs"),
    ("xavier", "adam"),
]
ESTIMATORS = [SpectrumInformedMSNNRegressor(random_state=0)] + [
    SpectrumInformedMSNNRegressor(init=init, solver=solver, **SMALL, **ITERATIONS[solver])
    for init, solver in COMBINATIONS
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_dataframe_column_names_consistency,
        estimator_checks.check_param_validation,
        estimator_checks.check_n_features_in_after_fitting,
    ],
)
def test_checks_outside_the_public_list(check):
    check("SpectrumInformedMSNNRegressor", SpectrumInformedMSNNRegressor(**SMALL, max_iter=5))
