"""Weak fast waves that a ladder of lattices would end before."""

import numpy as np
import pytest

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.spectrum import fastest_wave, share_of_waves
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


class TestShareOfWaves:
    """Of a sum of waves, by their amplitudes; of what is nowhere in waves, nothing."""

    x = np.random.default_rng(0).uniform(-1, 1, (6000, 2))

    def waves(self, *vectors):
        return np.cos(self.x @ np.array(vectors).T + 1) @ np.full(len(vectors), np.sqrt(2))

    def share(self, rest, bandlimit):
        return share_of_waves(self.x, rest[:, None], np.ones(len(self.x)), bandlimit)

    def test_waves_beyond_a_wave_number(self):
        slow, fast = self.waves([9.0, 4.0]), self.waves([40.0, 31.0], [-25.0, 60.0])
        assert self.share(fast, 30.0) == pytest.approx(1, abs=0.15)
        assert self.share(slow, 30.0) == pytest.approx(0, abs=0.02)
        # two of three
        assert self.share(slow + fast, 30.0) == pytest.approx(2 / 3, abs=0.15)

    def test_noise_and_a_step(self):
        noise = np.random.default_rng(1).standard_normal(len(self.x))
        assert self.share(noise, 0.0) < 0.01
        step = np.sign(self.x[:, 0] - 0.3 * np.sin(3 * self.x[:, 1]))
        assert self.share(step, 30.0) < 0.1

    def test_weights_are_of_points_that_stand_for_several(self):
        fast = self.waves([40.0, 31.0])
        once = share_of_waves(self.x, fast[:, None], np.ones(len(self.x)), 30.0)
        half = np.repeat([1.0, 3.0], 3000)
        assert share_of_waves(self.x, fast[:, None], half, 30.0) == pytest.approx(once, rel=0.1)
