"""Stages, modes and the norm as parameters of a search, and what it is told."""

import pickle
import time
import warnings
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest
from conftest import tensor_grid
from scipy.optimize import minimize
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn._restoring import restoring
from skmsnn._time_limit import limit, limits, time_is_up
from skmsnn.exceptions import AccuracyWarning
from skmsnn.families.ladders import LatticeFrame
from skmsnn.families.pursuit import pursue
from skmsnn.families.spectrum import alias_limits
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.lattice import half_lattice
from skmsnn.functions.polynomial import total_degree_terms
from skmsnn.spaces.axes import BasisAxis, ExtensionAxis, PeriodicAxis
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.p_norm import correction
from skmsnn.spaces.periodic import ToeplitzFit
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.spaces.tensor import TensorFit

X = tensor_grid(np.linspace(-1, 1, 20), np.linspace(-1, 1, 20))


def smooth(X):
    return np.sin(4 * X[:, 0] + X[:, 1] ** 2) * np.exp(X[:, 1])


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def p_norm(rest, p):
    return np.mean(np.abs(rest) ** p) ** (1 / p)


class TestNorm:
    """The fit of least p-norm, against SciPy on the same functions."""

    def fits(self, rng):
        x = rng.uniform(-1, 1, (60, 2))
        ones = np.ones(60)
        frame = LatticeFrame(half_lattice([1, 1]), np.full(2, 4.0))
        yield x, DenseFit(x, ones, frame, 1e-14)
        yield x, PolynomialFit(x, ones, total_degree_terms(np.full(2, 9), 2))
        angles = rng.uniform(-1, 1, (60, 1))
        yield angles, ToeplitzFit(angles, ones, (3,), np.array([2.0]))
        nodes = np.linspace(-1, 1, 10)
        turn = -1 + np.arange(6) / 3
        axes = [BasisAxis(nodes, LegendreBasis(3)), PeriodicAxis(6, 1, 2.0, -1.0)]
        yield tensor_grid(nodes, turn), TensorFit(axes, (10, 6), np.arange(60), ones)
        axes = [ExtensionAxis(nodes, 2, 4.0), BasisAxis(turn, LegendreBasis(2))]
        yield tensor_grid(nodes, turn), TensorFit(axes, (10, 6), np.arange(60), ones)

    @pytest.mark.parametrize("p", [3.0, 4.0, 10.0])
    def test_is_the_least_that_scipy_finds(self, rng, p):
        for x, fit in self.fits(rng):
            y = rng.standard_normal((60, 1))
            rest = y - fit.solve(y).evaluate(x)
            basis = fit.basis()
            c = correction(basis, rest, np.ones(60), p)
            found = rest - basis.modes(c).evaluate(x)
            # random functions span the space
            some = rng.standard_normal((c[..., 0].size, *c.shape))
            if np.iscomplexobj(c):
                flipped = np.flip(some, axis=1)
                some = some + flipped + 1j * (some - flipped)
            values = np.stack([basis.modes(e).evaluate(x)[:, 0] for e in some], axis=1)
            q, _ = np.linalg.qr(values)

            def objective(c, q=q, rest=rest):
                left = rest[:, 0] - q @ c
                size = np.abs(left) ** (p - 1) * np.sign(left)
                return np.sum(np.abs(left) ** p), -p * q.T @ size

            options = {"maxiter": 5000, "gtol": 1e-12}
            least = minimize(objective, np.zeros(q.shape[1]), jac=True, options=options).fun
            assert p_norm(found, p) <= (least / 60) ** (1 / p) * (1 + 1e-3)
            assert p_norm(found, p) < p_norm(rest, p)

    @pytest.mark.parametrize("parameters", [{}, {"n_modes": 10}, {"n_modes": 5}])
    @pytest.mark.parametrize("points", ["grid", "scattered"])
    def test_a_larger_one_lowers_the_largest_residual(self, rng, parameters, points):
        """In one stage: the second would start from another residual for each norm."""
        at = X if points == "grid" else rng.uniform(-1, 1, (300, 2))
        if not parameters:  # smoothing splines are of least squares alone
            parameters = {"families": ("polynomial", "fourier")}
        y = np.tanh(6 * at[:, 0] * at[:, 1]) + 0.05 * rng.standard_normal(len(at))
        rests = [y - fitted(at, y, p=p, n_stages=1, **parameters).predict(at) for p in (2, 4, 10)]
        largest = [np.abs(rest).max() for rest in rests]
        assert largest[0] > largest[1] > largest[2]
        typical = [np.sqrt(np.mean(rest**2)) for rest in rests]
        assert typical[0] <= typical[1] <= typical[2]

    def test_at_round_off_all_are_the_same(self):
        y = 1 + X[:, 0] * X[:, 1] ** 2
        for p in (2, 10):
            fresh = np.random.default_rng(0).uniform(-1, 1, (500, 2))
            truth = 1 + fresh[:, 0] * fresh[:, 1] ** 2
            assert np.abs(fitted(X, y, p=p).predict(fresh) - truth).max() < 1e-13


class TestModes:
    def test_wave_vectors_between_those_of_any_lattice_are_found(self, rng):
        waves = np.array([[3.1, -1.7], [0.4, 5.3], [-6.2, 2.2]])
        x = rng.uniform(-1, 1, (300, 2))
        y = (np.cos(x @ waves.T + [0.1, 1.0, 2.0]) @ [1.0, 0.5, 0.3])[:, None]
        model = fitted(x, y, n_modes=3, n_stages=1)
        fresh = rng.uniform(-1, 1, (500, 2))
        truth = np.cos(fresh @ waves.T + [0.1, 1.0, 2.0]) @ [1.0, 0.5, 0.3]
        assert np.abs(model.predict(fresh)[:, 0] - truth).max() < 1e-9
        assert model.stages_[0].n_modes == 3
        found = model.stages_[0].function.wave_vectors / model.domain_.half_width
        found = found[found.any(axis=1)]
        for wave in waves:
            assert min(np.abs(found - wave).max(1).min(), np.abs(found + wave).max(1).min()) < 1e-6

    def test_along_free_axes_alone(self, rng):
        x = rng.uniform(-1, 1, (200, 2))
        y = np.cos(np.pi * x[:, :1] + 2.3 * x[:, 1:])

        def dominant(target, n):
            return np.array([[np.pi, 2.0]])[:n]

        *_, last = pursue(
            x, y, np.ones(200), np.array([False, True]), dominant, 1, np.full(2, np.inf)
        )
        np.testing.assert_allclose(last.wave_vectors, [[np.pi, 2.3]], atol=1e-10)

    def test_more_of_them_are_no_worse_on_fresh_points(self, rng):
        fresh = rng.uniform(-1, 1, (1000, 2))
        errors = []
        for n_modes in (2, 4, 8, 16, 32):
            model = fitted(X, smooth(X), n_modes=n_modes, n_stages=1)
            errors.append(np.sqrt(np.mean((model.predict(fresh) - smooth(fresh)) ** 2)))
            assert model.stages_[0].n_modes <= n_modes
        assert all(b < 1.2 * a for a, b in pairwise(errors))
        assert errors[-1] < 1e-3 * errors[0]

    def test_several_outputs_share_them(self, rng):
        x = rng.uniform(-1, 1, (200, 2))
        phase = x @ [2.3, -3.1]
        model = fitted(x, np.c_[np.cos(phase), 1e-3 * np.sin(phase)], n_modes=1, n_stages=1)
        assert model.score(x, np.c_[np.cos(phase), 1e-3 * np.sin(phase)]) > 1 - 1e-12

    def test_more_than_the_points_deserve_are_fewer(self):
        model = fitted(X[::20], smooth(X[::20]), n_modes=50)
        assert all(stage.n_modes < 20 for stage in model.stages_)


class TestSearches:
    def test_halving_begins_with_fewer_points_than_modes(self):
        grid = {"n_modes": [5, 60], "p": [2, 4]}
        model = make_pipeline(StandardScaler(), SpectrumInformedMSNNRegressor(random_state=0))
        grid = {f"spectruminformedmsnnregressor__{name}": v for name, v in grid.items()}
        folds = KFold(3, shuffle=True, random_state=0)
        search = HalvingGridSearchCV(model, grid, cv=folds, error_score="raise", random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AccuracyWarning)
            assert search.fit(X, smooth(X)).best_score_ > 0.99

    def caught(self, function):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("default")
            function()
        return caught

    def test_warnings_of_a_kind_differ_in_their_figures_alone(self):
        """To Python's filters, of which scikit-learn resets the record, they are the same."""
        grid = {"n_modes": [1, 2, 3], "n_stages": [1, 2]}
        search = GridSearchCV(SpectrumInformedMSNNRegressor(random_state=0), grid, cv=3)
        caught = self.caught(lambda: search.fit(X, smooth(X)))
        caught = [w for w in caught if issubclass(w.category, AccuracyWarning)]
        kinds = defaultdict(list)
        for w in caught:
            kinds[w.category, w.message.reason, w.filename, w.lineno].append(w.message)
        assert len({w.message.error for w in caught}) > 10
        assert {w.message.n_points for w in caught} == {266, 267, 400}

        def again():
            for (category, _, filename, lineno), messages in kinds.items():
                for message in messages:
                    warnings.warn_explicit(message, category, filename, lineno, registry=record)

        record = {}
        assert len(self.caught(again)) == len(kinds) < len(caught)

    def test_each_fit_warns_at_its_caller(self):
        model = SpectrumInformedMSNNRegressor(random_state=0, n_modes=1, n_stages=1)
        for _ in range(3):
            (warning,) = self.caught(lambda: model.fit(X, smooth(X)))
            assert warning.filename == __file__
            assert warning.message.error == model.validation_errors_[-1]
            assert warning.message.tol == model.tol
            assert warning.message.reason == model.stop_reason_ == "n_stages"
            copy = pickle.loads(pickle.dumps(warning.message))
            assert (str(copy), vars(copy)) == (str(warning.message), vars(warning.message))


class TestTime:
    def test_a_limit_ends_a_fit_with_what_it_has(self, rng):
        x = rng.uniform(-1, 1, (2500, 3))
        y = np.tanh(8 * (x[:, 0] + x[:, 1] * x[:, 2]))
        start = time.monotonic()
        with pytest.warns(AccuracyWarning, match="max_time was reached"):
            model = fitted(x, y, max_time=1.0)
        assert time.monotonic() - start < 10  # without one it takes a minute
        assert model.stop_reason_ == "time"
        assert model.n_stages_ == 1
        assert model.score(x, y) > 0.5

    def test_one_that_is_not_reached_changes_nothing(self):
        one, other = (fitted(X, smooth(X), max_time=limit) for limit in (None, 1e6))
        np.testing.assert_array_equal(one.predict(X), other.predict(X))

    def test_limits_of_others_are_left_alone(self):
        @restoring(limits)
        def is_up_within(seconds, inside=None):
            limit(seconds)
            time.sleep(1e-3)
            assert inside is None or is_up_within(inside)
            return time_is_up()

        assert is_up_within(1e-9, inside=1e6)
        assert not is_up_within(1e6)
        assert not time_is_up()


def test_wave_vectors_are_within_the_nyquist_limits_of_a_grid(rng):
    """Faster waves are the same on the nodes, and between them anything."""
    x = tensor_grid(np.linspace(-1, 1, 11), np.linspace(-1, 1, 11))
    y = np.cos(3 * x[:, 0] + x[:, 1])[:, None]
    limits = alias_limits(x)
    np.testing.assert_allclose(limits, 5 * np.pi)

    def dominant(target, n_modes):
        return np.array([[3 - 10 * np.pi, 1 + 20 * np.pi]])

    (found,) = pursue(x, y, np.ones(len(x)), np.array([True, True]), dominant, 1, limits)
    np.testing.assert_allclose(np.abs(found.wave_vectors), [[3, 1]], rtol=1e-8)
    assert np.isinf(alias_limits(rng.uniform(-1, 1, (50, 2)))).all()
