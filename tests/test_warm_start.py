"""What a fit takes over from the one before, and what it must not."""

import numpy as np
import pytest

from skmsnn import SpectrumInformedMSNNRegressor

X = np.linspace(-1, 1, 200)[:, None]
STEP, WAVE = np.sign(X[:, 0]), np.sin(9 * X[:, 0])


def warm(**parameters):
    return SpectrumInformedMSNNRegressor(warm_start=True, random_state=0, **parameters)


@pytest.mark.filterwarnings("ignore::skmsnn.exceptions.AccuracyWarning")
class TestWarmStart:
    def test_a_cold_fit_after_a_warm_one_knows_nothing_of_it(self):
        model = warm(n_stages=1).fit(X, STEP)
        model.set_params(warm_start=False).fit(X, WAVE)
        np.testing.assert_allclose(model.predict(X), WAVE, rtol=0, atol=1e-13)

    def test_other_values_at_the_same_points_get_a_stage_of_their_own(self):
        model = warm(n_stages=3).fit(X, STEP)
        before = model.n_stages_
        model.fit(X, STEP + WAVE)
        assert model.n_stages_ > before
        np.testing.assert_allclose(model.predict(X), STEP + WAVE, rtol=0, atol=1e-13)

    def test_the_scatter_of_repeated_points_is_reported_once(self, rng):
        twice, values = np.repeat(X, 2, axis=0), np.repeat(WAVE, 2)
        values = values + 0.01 * rng.standard_normal(len(values))
        model = warm(n_stages=3).fit(twice, values)
        own, unseen = list(model.train_errors_), list(model.validation_errors_)
        model.fit(twice, values)
        assert model.train_errors_[: len(own)] == own
        assert model.validation_errors_[: len(unseen)] == unseen


@pytest.mark.filterwarnings("ignore::skmsnn.exceptions.AccuracyWarning")
@pytest.mark.parametrize("family", ["separable", "spline"])
def test_a_named_family_serves_few_points(family, rng):
    points = rng.uniform(-1, 1, (60, 2))
    values = np.exp(points[:, 0]) * np.sin(points[:, 1])
    model = SpectrumInformedMSNNRegressor(families=(family,), random_state=0).fit(points, values)
    assert model.stages_[0].family == family
    assert model.score(points, values) > 0.9


def test_points_to_hold_out_must_have_logarithms_too(rng):
    points, values = rng.uniform(1, 5, (80, 1)), rng.uniform(size=80)
    model = SpectrumInformedMSNNRegressor(feature_transforms="log")
    with pytest.raises(ValueError, match=r"Feature 0 .* logarithmic .* -1"):
        model.fit(points, values, X_val=[[-1.0], [2.0]], y_val=[0.0, 1.0])
