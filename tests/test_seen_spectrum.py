"""Weak fast waves that a ladder of lattices would end before."""

import numpy as np
import pytest

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.spectrum import fastest_wave
from skmsnn.metrics import relative_l2_error


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_fastest_of_two_waves_is_found(rng, d):
    x = rng.uniform(-1, 1, (4000, d))
    slow, fast = (k * np.ones(d) / np.sqrt(d) for k in (5.0, 14.0))
    rest = 3 * np.cos(x @ slow) + np.sin(x @ fast) + 0.3 * rng.standard_normal(4000)
    found = fastest_wave(x, rest[:, None], np.ones(4000))
    # the box has waves 1.6 radians apart, and each leaks into its neighbours
    assert 14 - 2 < found < 14 + 2 * np.pi


def test_noise_has_none(rng):
    x = rng.uniform(-1, 1, (3000, 2))
    assert fastest_wave(x, rng.standard_normal((3000, 2)), np.ones(3000)) == 0


def test_a_weak_fast_wave_is_fitted(rng):
    def function(x):
        return np.exp(x[:, 0] * x[:, 1]) + 1e-4 * np.cos(12 * x[:, 0] - 9 * x[:, 1])

    X, fresh = rng.uniform(-1, 1, (2000, 2)), rng.uniform(-1, 1, (2000, 2))
    model = SpectrumInformedMSNNRegressor(families=("fourier",), random_state=0)
    model.fit(X, function(X))
    assert relative_l2_error(function(fresh), model.predict(fresh)) < 1e-9
