"""What data lack is named: noise, jumps, aliasing, too few points."""

from math import comb
from pathlib import Path

import numpy as np
import pytest
from conftest import tensor_grid
from sklearn.exceptions import ConvergenceWarning

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.domain import Domain, find_grid
from skmsnn.validation.diagnosis import looks_like_noise
from skmsnn.validation.neighbours import neighbourhoods
from skmsnn.validation.reasons import StopReason


def squares(n, d):
    return tensor_grid(*[np.linspace(-1, 1, n)] * d)


def ended(X, y):
    model = SpectrumInformedMSNNRegressor(random_state=0, max_iter=5)
    with pytest.warns(ConvergenceWarning):
        model.fit(X, y)
    return model


def smooth(X):
    return np.cos(3 * X[:, 0] + 1) + 0.5 * np.sin(X.sum(axis=1))


@pytest.mark.parametrize("sigma", [1e-5, 1e-2])
@pytest.mark.parametrize("d", [1, 2])
class TestNoise:
    def test_on_a_grid(self, d, sigma, rng):
        X = squares(900 if d == 1 else 30, d)
        assert ended(X, smooth(X) + sigma * rng.standard_normal(len(X))).stop_reason_ == "noise"

    def test_scattered_and_heavy_tailed(self, d, sigma, rng):
        X = rng.uniform(-1, 1, (900, d))
        assert ended(X, smooth(X) + sigma * rng.laplace(size=len(X))).stop_reason_ == "noise"


class TestJumps:
    @pytest.mark.parametrize("d", [1, 2, 3])
    def test_scattered(self, d, rng):
        X = rng.uniform(-1, 1, (1200, d))
        y = smooth(X) + (X @ np.arange(1, d + 1) > 0.3)
        assert ended(X, y).stop_reason_ == "discontinuous"

    @pytest.mark.parametrize(("n", "d"), [(700, 1), (35, 2), (11, 3)])
    def test_on_a_grid(self, n, d):
        X = squares(n, d)
        assert ended(X, smooth(X) + (X[:, 0] + X[:, -1] / 3 > 0.21)).stop_reason_ == "discontinuous"


class TestFastWaves:
    """A wave of 2.3 points a wave length, which only a wave of its own number resolves."""

    def wave(self, X, spacing):
        return np.cos(X @ np.full(X.shape[1], np.pi / 1.15 / spacing / np.sqrt(X.shape[1])) + 1)

    def test_on_a_grid_with_holes(self, rng):
        X = squares(30, 2)
        y = self.wave(X, 2 / 29 / np.sqrt(2))
        keep = rng.random(len(X)) < 0.7
        assert ended(X[keep], y[keep]).stop_reason_ == "aliased"

    def test_aliased_waves_are_told(self, rng):
        """Waves of 0.6 and of 1.4 times the Nyquist limit are the same on the nodes.

        What is reported is true of the slower one, which is why the word is said.
        """
        X = np.linspace(-1, 1, 1201)[:, None]
        fast = 1.4 * np.pi * 600
        model = SpectrumInformedMSNNRegressor(random_state=0, period=None, tol=1e-2)
        with pytest.warns(ConvergenceWarning, match="far too small: y varies at the Nyquist limit"):
            model.fit(X, np.cos(fast * X[:, 0] + 1))
        assert model.stop_reason_ == "aliased"
        fresh = rng.uniform(-1, 1, (500, 1))
        error = model.predict(fresh) - np.cos(fast * fresh[:, 0] + 1)
        assert np.sqrt(2 * np.mean(error**2)) > 1e-2
        slower = model.predict(fresh) - np.cos(-0.6 * np.pi * 600 * fresh[:, 0] + 1)
        assert np.sqrt(2 * np.mean(slower**2)) < 1e-9

    @pytest.mark.parametrize("d", [1, 2])
    def test_scattered(self, d, rng):
        X = rng.uniform(-1, 1, (800, d))
        spacing = 2 / 800 ** (1 / d)
        model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, self.wave(X, spacing))
        fresh = rng.uniform(-1, 1, (500, d))
        error = model.predict(fresh) - self.wave(fresh, spacing)
        assert np.sqrt(np.mean(error**2)) < 1e-11

    def test_a_wave_of_four_nodes_is_slow_enough(self, rng):
        # on a periodic grid, where it is exact whatever is said of others
        X = np.arange(64)[:, None] / 64
        y = np.cos(2 * np.pi * 16 * X[:, 0] + 0.3)
        model = SpectrumInformedMSNNRegressor(period=1.0).fit(X, y)
        assert model.stop_reason_ == "round-off"


def test_a_smooth_function_of_too_few_points_is_undersampled(rng):
    X = rng.uniform(-1, 1, (300, 3))
    y = np.exp(np.sin(3 * X[:, 0] + X[:, 1]) * X[:, 2])
    assert ended(X, y).stop_reason_ == "undersampled"


class TestWordsThatWouldBeWrong:
    """Smooth functions of points that do not resolve them, and rounded ones."""

    def test_a_gaussian_of_three_steps(self):
        X = squares(400, 1)
        model = SpectrumInformedMSNNRegressor(random_state=0, tol=1e-15)
        with pytest.warns(ConvergenceWarning):
            model.fit(X, np.exp(-((X[:, 0] - 0.1234) ** 2) / 2 / (3 * 2 / 399) ** 2))
        assert model.stop_reason_ in ("undersampled", "round-off")

    @pytest.mark.parametrize("kind", [np.float32, np.float16])
    def test_values_of_low_precision(self, kind, rng):
        X = rng.uniform(-1, 1, (900, 2))
        assert ended(X, smooth(X).astype(kind)).stop_reason_ == "precision"

    def test_values_of_few_decimals_far_from_zero(self):
        X = squares(300, 1)
        assert ended(X, 1e4 + smooth(X).round(5)).stop_reason_ == "precision"

    def test_waves_at_random_points(self, rng):
        X = rng.uniform(-1, 1, (400, 2))
        y = np.exp(np.sin(3 * X[:, 0]) * X[:, 1])
        assert ended(X, y).stop_reason_ == "undersampled"

    def test_an_even_function_of_five_points(self):
        X = squares(5, 1)
        assert ended(X, X[:, 0] ** 4).stop_reason_ == "few points"

    def test_powers_at_an_end(self):
        X = squares(500, 1)
        for power in (0.5, 1.5):
            y = (X[:, 0] + 1) ** power + np.cos(3 * X[:, 0])
            assert ended(X, y).stop_reason_ == "boundary singularity"


class TestNeighbourhoods:
    def look(self, X, y):
        domain = Domain.of(X, [None] * X.shape[1])
        return neighbourhoods(domain, find_grid(X), domain.scale(X), y.reshape(len(y), -1))

    def test_differences_of_even_nodes_are_binomial(self):
        """Differences of a step are partial sums of alternating binomials, again binomials."""
        (look,) = self.look(squares(100, 1), np.where(np.arange(100) < 50, -0.5, 0.5))
        for pairs in (1, 2, 4):
            partial = np.array([comb(2 * pairs - 1, k) for k in range(2 * pairs)])
            square = np.sum(partial.astype(float) ** 2) / comb(4 * pairs, 2 * pairs)
            expected = np.sqrt(square / (100 - 2 * pairs))
            assert look.left[pairs] == pytest.approx(expected, rel=1e-10)

    def test_nothing_is_left_of_polynomials(self, rng):
        for X in (squares(30, 2), rng.uniform(-1, 1, (500, 2)), rng.uniform(-1, 1, (200, 1))):
            for look in self.look(X, (X[:, 0] - X[:, -1] / 3) ** 4 + X[:, -1]):
                assert look.left[-1] < 1e-13

    @pytest.mark.parametrize("d", [1, 2, 3])
    def test_all_is_left_of_noise(self, d, rng):
        for X in (squares(round(2000 ** (1 / d)), d), rng.uniform(-1, 1, (2000, d))):
            for look in self.look(X, rng.standard_normal(len(X))):
                np.testing.assert_allclose(look.left, look.left[0], rtol=0.1)
                assert look.is_white
                assert look.ends_in_noise

    def test_too_few_points_say_nothing(self, rng):
        assert not self.look(squares(4, 1), np.arange(4.0))
        assert not self.look(rng.uniform(size=(29, 2)), np.arange(29.0))
        assert not self.look(rng.uniform(size=(100, 5)), np.arange(100.0))


@pytest.mark.parametrize("reason", StopReason)
def test_a_text_has_at_most_three_short_sentences(reason):
    assert reason.advice.count(". ") < 2
    assert not reason.advice.endswith(".")
    assert len(reason.advice) < 200
    assert StopReason(str(reason)) is reason


def test_the_documentation_has_each_reason():
    page = (Path(__file__).parents[1] / "docs" / "warnings.rst").read_text()
    assert all(f'``"{reason}"``' in page for reason in StopReason)


def test_the_warning_says_what_to_do(rng):
    X = rng.uniform(-1, 1, (500, 2))
    with pytest.warns(
        ConvergenceWarning, match="concentrated at a few locations.*Fit the smooth pieces"
    ):
        SpectrumInformedMSNNRegressor(random_state=0, max_iter=5).fit(X, np.sign(X[:, 0]))


class TestWhiteness:
    def test_noise_of_any_distribution_is_white(self, rng):
        x = rng.uniform(-1, 1, (2000, 2))
        for r in (rng.standard_normal(2000), rng.laplace(size=2000), rng.uniform(-1, 1, 2000)):
            assert looks_like_noise(x, r[:, None])

    def test_noise_of_growing_size_is_not(self, rng):
        x = rng.uniform(-1, 1, (2000, 2))
        r = rng.standard_normal(2000) * np.exp(4 * x[:, 0])
        assert not looks_like_noise(x, r[:, None])

    def test_waves_are_not(self, rng):
        x = rng.uniform(-1, 1, (2000, 2))
        assert not looks_like_noise(x, np.sin(20 * x[:, :1]))

    def test_few_points_and_zeros_are_not(self, rng):
        x = rng.uniform(-1, 1, (60, 1))
        assert not looks_like_noise(x[:40], rng.standard_normal((40, 1)))
        assert not looks_like_noise(x, np.zeros((60, 1)))

    def test_what_a_fit_leaves_of_noise_is_judged_by_its_share_of_modes(self, rng):
        """Without its slower 2/5, white noise correlates by -sin(2 pi / 5) / (3 pi / 5) = -0.50."""
        r = np.fft.rfft(rng.standard_normal(2000))
        r[:401] = 0
        r = np.fft.irfft(r)[:, None]
        x = np.linspace(-1, 1, 2000)[:, None]
        assert np.mean(r[1:] * r[:-1]) / np.mean(r**2) == pytest.approx(-0.505, abs=0.05)
        assert not looks_like_noise(x, r)
        assert looks_like_noise(x, r, leverage=0.4)
