"""What fits say of points that they have not seen, against fits that have not seen them."""

import numpy as np
import pytest
from conftest import tensor_grid
from scipy.interpolate import make_interp_spline
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import cross_val_score

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import FewLevelsWarning, FewPointsWarning, WideGapsWarning
from skmsnn.families.ladders import LatticeFrame
from skmsnn.functions.bases import LegendreBasis
from skmsnn.functions.lattice import half_lattice
from skmsnn.functions.polynomial import columns_of, total_degree_terms
from skmsnn.spaces.axes import BasisAxis, ExtensionAxis, PeriodicAxis, SplineAxis
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.held_out import points_in_gaps
from skmsnn.validation.leave_out import EdgePoints, folds_of_lines, left_out, wide_gaps


class TestFormulas:
    """Against fits anew without the rows in question."""

    @pytest.mark.parametrize("periodic", [True, False])
    def test_lines_left_out_together(self, rng, periodic):
        n = 40
        nodes = -1 + 2 * np.arange(n) / n if periodic else np.linspace(-1, 1, n)
        axis = PeriodicAxis(n, 6, 2.0, -1.0) if periodic else BasisAxis(nodes, LegendreBasis(12))
        basis = axis.synthesise(np.eye(13), 0)
        y = rng.standard_normal((n, 3))
        folds = folds_of_lines(n, periodic, np.random.RandomState(0))
        found = left_out(y - basis @ (basis.T @ y), axis, folds, 0.0)
        for rows in folds.folds:
            others = np.setdiff1d(np.arange(n), rows)
            fit, *_ = np.linalg.lstsq(basis[others], y[others])
            np.testing.assert_allclose(found[rows], y[rows] - basis[rows] @ fit, atol=1e-10)

    def test_rows_of_a_damped_frame_one_by_one(self, rng):
        x, y = rng.uniform(-1, 1, (60, 2)), rng.standard_normal((60, 1))
        frame = LatticeFrame(half_lattice([2, 2]), np.full(2, 4.0))
        damping = 1e-2
        fit = DenseFit(x, np.ones(60), frame, damping)
        system = frame.system(x, np.ones(60))
        rest = y - system @ self.damped(system, y, damping, 60)
        beside = rng.uniform(-1, 1, (5, 2))
        singles = [np.array([i]) for i in range(60)]
        found = fit.left_out(rest, singles, 0.0, EdgePoints(beside, np.full(5, 0.1)))
        between = frame.system(beside, np.ones(5))
        whole = between @ self.damped(system, y, damping, 60)
        changes = np.zeros((5, 1))
        for i in range(60):
            others = np.arange(60) != i
            c = self.damped(system[others], y[others], damping, 60)
            np.testing.assert_allclose(found.residual[i], y[i] - system[i] @ c, atol=1e-10)
            changes += (between @ c - whole) ** 2
        assert found.exposed == pytest.approx(np.sqrt(0.5 * np.mean(changes)), rel=1e-8)

    @pytest.mark.parametrize(
        "axis_of",
        [
            lambda nodes: ExtensionAxis(nodes, 5, 4.0, 1e-6),
            lambda nodes: BasisAxis(nodes, LegendreBasis(6)),
            lambda nodes: SplineAxis(nodes, 3),
        ],
    )
    def test_what_a_fit_is_unsure_of_in_a_wide_gap(self, rng, axis_of):
        nodes = np.concatenate([np.linspace(-1, 0.4, 30), [0.8, 0.9, 1.0]])
        gaps = wide_gaps(nodes)
        np.testing.assert_allclose(gaps.middles, [0.6])
        y, axis = rng.standard_normal((33, 2)), axis_of(nodes)
        folds = folds_of_lines(33, False, np.random.RandomState(0))
        rows = np.arange(33)

        def unseen(folds):
            if isinstance(axis, SplineAxis):
                return axis.left_out(y, folds)
            return left_out(y - axis.synthesise(axis.analyse(y, 0), 0), axis, folds, 0.0)

        def fit_without(left):
            others = np.setdiff1d(rows, left)
            if isinstance(axis, SplineAxis):
                return make_interp_spline(nodes[others], y[others], 3)(gaps.middles)
            basis = axis.synthesise(np.eye(len(axis.singular_values)), 0)
            c, *_ = np.linalg.lstsq(basis[others], y[others])
            return axis.influence(gaps.middles)(rows) @ basis @ c

        changes = [fit_without(left) - fit_without([]) for left in folds.folds]
        (line,) = gaps.lines
        expected = np.maximum(
            np.abs(unseen(folds)[line]), np.sqrt(np.sum(np.square(changes), axis=0))[0]
        )
        found = unseen(folds._replace(gaps=gaps))
        np.testing.assert_allclose(np.abs(found[line]), expected, rtol=1e-7)

    def test_influence_of_waves_on_a_circle(self, rng):
        axis = PeriodicAxis(15, 4, 2.0, -1.0)
        points = rng.uniform(-1, 1, 6)
        y = rng.standard_normal(15)
        nodes = -1 + 2 * np.arange(15) / 15
        frame = np.exp(1j * np.pi * np.outer(nodes, np.arange(-4, 5)))
        c = np.linalg.lstsq(frame, y + 0j)[0]
        truth = (np.exp(1j * np.pi * np.outer(points, np.arange(-4, 5))) @ c).real
        np.testing.assert_allclose(axis.influence(points)(np.arange(15)) @ y, truth, atol=1e-12)

    @staticmethod
    def damped(system, y, damping, n):
        k = system.shape[1]
        stacked = np.concatenate([system, damping * np.sqrt(n) * np.eye(k)])
        return np.linalg.lstsq(stacked, np.concatenate([y, np.zeros((k, y.shape[1]))]))[0]

    def test_rows_of_a_polynomial_one_by_one(self, rng):
        x, y = rng.uniform(-1, 1, (30, 3)), rng.standard_normal((30, 2))
        degrees = total_degree_terms(np.full(3, 9), 2)
        fit = PolynomialFit(x, np.ones(30), degrees)
        rows = [np.array([i]) for i in range(len(x))]
        found = fit.left_out(y - fit.solve(y).evaluate(x), rows, 0.0).residual
        columns = columns_of(x, degrees)
        for i in range(30):
            others = np.arange(30) != i
            c, *_ = np.linalg.lstsq(columns[others], y[others])
            np.testing.assert_allclose(found[i], y[i] - columns[i] @ c, atol=1e-11)

    @pytest.mark.parametrize("damping", [0.0, 0.3])
    def test_a_polynomial_beside_the_points(self, rng, damping):
        """The jackknife, from ridge regressions anew without each of the rows."""
        x, y = rng.uniform(-1, 1, (30, 2)), rng.standard_normal((30, 1))
        degrees = total_degree_terms(np.full(2, 9), 2)
        units = np.ones(len(degrees))
        fit = PolynomialFit(x, np.ones(30), degrees, units).damped(damping)
        beside = rng.uniform(-2, 2, (7, 2))

        def ridge(rows):
            columns = columns_of(x[rows], degrees[1:])
            mean, y_mean = columns.mean(axis=0), y[rows].mean(axis=0)
            columns = columns - mean
            gram = columns.T @ columns + 30 * damping**2 * np.eye(len(degrees) - 1)
            slopes = np.linalg.solve(gram, columns.T @ (y[rows] - y_mean))
            return y_mean + (columns_of(beside, degrees[1:]) - mean) @ slopes

        everything = np.arange(30)
        rest = y - fit.solve(y).evaluate(x)
        singles = [np.array([i]) for i in range(30)]
        found = fit.left_out(rest, singles, 0.0, EdgePoints(beside, np.full(7, 0.5 / 7))).exposed
        changes = sum((ridge(everything != i) - ridge(everything)) ** 2 for i in range(30))
        # leaving out a row moves the mean, which the formula takes as a column without damping
        assert found == pytest.approx(np.sqrt(0.5 * np.mean(changes)), rel=1e-8 + 0.1 * damping)

    @pytest.mark.parametrize("n", [7, 8, 20, 51, 400])
    def test_each_line_is_left_out_once_with_its_mirror_image(self, n):
        folds = folds_of_lines(n, False, np.random.RandomState(0)).folds
        assert sorted(np.concatenate(folds)) == list(range(1, n - 1))
        for rows in folds:
            assert np.all(np.diff(rows) > 1)
        label = np.full(n, -1)
        for k, rows in enumerate(folds):
            label[rows] = k
        mirrored = label == label[::-1]
        # but for the two in the middle, which are neighbours
        assert np.count_nonzero(~mirrored) == (2 if n % 2 == 0 else 0)
        # as few together as can be
        sizes = [len(rows) for rows in folds]
        assert max(sizes) <= (2 if n <= 100 else 2 * -(-n // 100) + 2)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("degree", [4, 6, 8])
def test_few_lines_foresee_large_sets_as_small_ones(degree, seed):
    """However they are shared out: two pairs left out at once ask for more than ten lines tell."""
    nodes, fresh = np.linspace(-1, 1, 12), np.linspace(-1, 1, 501)

    def function(x):
        return np.tanh(2 * x - 0.5)

    axis = BasisAxis(nodes, LegendreBasis(degree))
    y = function(nodes)[:, None]
    rest = y - axis.synthesise(axis.analyse(y, 0), 0)
    fit = np.polynomial.Legendre.fit(nodes, y[:, 0], degree)
    true = np.sqrt(np.mean((fit(fresh) - function(fresh)) ** 2))
    folds = folds_of_lines(12, False, np.random.RandomState(seed))
    told = np.sqrt(np.mean(left_out(rest, axis, folds, np.finfo(float).eps) ** 2))
    assert true < told < 10 * true


def test_an_even_function_is_not_foreseen_by_its_mirror_image():
    """Eight symmetric nodes show four values of it: polynomials of degree 6 go through them all."""
    nodes = np.linspace(-1, 1, 8)
    y = 1 / (1 + 25 * nodes[:, None] ** 2)
    axis = BasisAxis(nodes, LegendreBasis(6))
    rest = y - axis.synthesise(axis.analyse(y, 0), 0)
    assert np.abs(rest).max() < 1e-15
    alone = rest / (1 - np.sum(axis.synthesise(np.eye(7), 0) ** 2, axis=1))[:, None]
    assert np.abs(alone).max() < 1e-12
    folds = folds_of_lines(8, False, np.random.RandomState(0))
    fresh = np.linspace(-1, 1, 501)
    fit = (
        np.polynomial.legendre.legvander(fresh, 6)
        @ np.linalg.lstsq(np.polynomial.legendre.legvander(nodes, 6), y)[0]
    )
    true = np.sqrt(np.mean((fit[:, 0] - 1 / (1 + 25 * fresh**2)) ** 2))
    told = left_out(rest, axis, folds, np.finfo(float).eps)
    assert np.sqrt(np.mean(told**2)) > 0.1 * true


def fitted(X, y, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y)


def true_error(model, X, function, rng, n=3000):
    """Relative to the spread of y, at random points of the box."""
    fresh = rng.uniform(X.min(axis=0), X.max(axis=0), (n, X.shape[1]))
    y = function(fresh)
    return np.sqrt(np.mean((model.predict(fresh) - y) ** 2)) / np.std(y)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestReports:
    """The reported residual is that at fresh points, to a factor of ten."""

    CASES = (
        ("runge 64 x 16", (64, 16), lambda X: np.sin(4 * X[:, 0]) / (1 + 25 * X[:, 1] ** 2)),
        ("runge 64 x 8", (64, 8), lambda X: np.sin(4 * X[:, 0]) / (1 + 25 * X[:, 1] ** 2)),
        ("decay", (100, 10), lambda X: np.exp(-(X[:, 0] + 1) * (1.5 + np.tanh(3 * X[:, 1])))),
        ("five levels", (80, 5), lambda X: np.cos(3 * X[:, 0] + 2 * X[:, 1])),
        ("front", (200, 20), lambda X: np.exp(X[:, 0]) / (1 + np.exp(-12 * X[:, 1]))),
        ("square root", (1001,), lambda X: np.sqrt(X[:, 0] + 1)),
        ("three halves", (1001,), lambda X: (X[:, 0] + 1) ** 1.5),
        ("kink", (301,), lambda X: np.abs(X[:, 0] - 0.213)),
        ("sawtooth", (301,), lambda X: (3.3 * X[:, 0]) % 1),
        ("few", (9,), lambda X: np.exp(2.5 * X[:, 0])),
    )

    @pytest.mark.parametrize(
        ("shape", "function"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
    )
    def test_between_the_lines_of_a_grid_and_at_its_ends(self, shape, function, rng):
        X = tensor_grid(*[np.linspace(-1, 1, n) for n in shape])
        model = fitted(X, function(X))
        assert true_error(model, X, function, rng) < 10 * model.validation_errors_[-1]

    @pytest.mark.parametrize("seed", range(4))
    def test_at_the_edge_of_scattered_points(self, seed, rng):
        X = np.random.default_rng(seed).uniform(-1, 1, (300, 2))

        def function(X):
            return np.exp(np.sin(3 * X[:, 0]) * X[:, 1])

        model = fitted(X, function(X))
        assert true_error(model, X, function, rng) < 10 * model.validation_errors_[-1]

    def test_with_modes_as_many_as_asked_for(self, rng):
        X = tensor_grid(np.linspace(-1, 1, 16), np.linspace(-1, 1, 16))

        def function(X):
            return np.sin(4 * X[:, 0] + X[:, 1] ** 2) * np.exp(X[:, 1])

        model = fitted(X, function(X), n_modes=30, n_stages=1, hidden_layer_sizes=())
        assert true_error(model, X, function, rng) < 10 * model.validation_errors_[-1]


class TestSimplestTools:
    """Constants and straight lines come out whatever the points are."""

    @pytest.mark.parametrize(("n", "d"), [(2, 1), (3, 1), (7, 1), (2, 2), (5, 2), (3, 3)])
    def test_a_plane_on_a_grid(self, n, d, rng):
        X = tensor_grid(*[np.linspace(0, 1, n)] * d)
        with pytest.warns((FewLevelsWarning, FewPointsWarning)):
            model = fitted(X, 1 + X @ np.arange(1, d + 1))
        assert true_error(model, X, lambda X: 1 + X @ np.arange(1, d + 1), rng) < 1e-14

    @pytest.mark.parametrize(("n", "d"), [(7, 1), (25, 2), (27, 3), (60, 8)])
    def test_a_plane_at_scattered_points(self, n, d, rng):
        X = rng.uniform(-3, 5, (n, d))
        model = fitted(X, 1e3 + X @ np.arange(1, d + 1))
        assert true_error(model, X, lambda X: 1e3 + X @ np.arange(1, d + 1), rng) < 1e-13

    @pytest.mark.parametrize(("n", "d"), [(40, 30), (60, 100)])
    @pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
    def test_as_good_as_ridge_regression_with_many_columns(self, n, d, rng):
        X = rng.standard_normal((n, d))
        y = X[:, :5] @ np.arange(1, 6) + 0.3 * rng.standard_normal(n)
        ridge = cross_val_score(RidgeCV(10.0 ** np.arange(-3, 4)), X, y, cv=3).mean()
        own = cross_val_score(SpectrumInformedMSNNRegressor(random_state=0), X, y, cv=3).mean()
        assert own > ridge - 0.05

    def test_noise_about_an_offset_is_told_for_what_it_is(self, rng):
        """The mean is the best there is, and leaves all of the variation."""
        X = rng.uniform(0, 10, (300, 1))
        with pytest.warns(ConvergenceWarning, match="neighbouring values of y are uncorrelated"):
            model = fitted(X, 1e6 + 1e-3 * rng.standard_normal(300))
        assert model.validation_errors_[-1] == pytest.approx(1, abs=0.1)
        np.testing.assert_allclose(model.predict(X), 1e6, atol=1e-3)


class TestFewPoints:
    @pytest.mark.parametrize(
        ("X", "parameters"),
        [
            ([[3]], {}),
            ([[3, 1, 4]], {}),
            ([[0], [1]], {}),
            ([[0, 5], [1, 5]], {}),
            ([[0, 0], [0, 1], [1, 0], [1, 1]], {}),
            ([[0], [1], [2], [5]], {"early_stopping": False}),
            ([[0], [1], [3]], {"n_modes": 1}),
        ],
    )
    def test_nothing_is_said_to_be_validated_where_nothing_is_left_out(self, X, parameters):
        n = len(X)
        with pytest.warns(FewPointsWarning, match="^Too few distinct points") as caught:
            model = fitted(np.array(X, dtype=float), np.arange(n) ** 2, **parameters)
        assert caught[0].message.n_points == n
        assert caught[0].message.error == pytest.approx(model.train_errors_[-1], rel=1e-14)
        assert model.validation_errors_ == []
        with pytest.raises(ValueError, match="all were for training"):
            model.predict(X, return_std=True)

    @pytest.mark.parametrize("d", [1, 2, 3])
    @pytest.mark.parametrize("n", range(2, 8))
    def test_what_points_left_out_are_missed_by(self, n, d):
        X = np.random.default_rng(10 * n + d).uniform(-1, 1, (n, d))
        if n == 2 and d == 1:
            X = np.repeat(X, 2, axis=1)  # not the two ends of a line
        with pytest.warns(FewPointsWarning) as caught:
            model = fitted(X, np.exp(3 * X[:, 0]) * np.cos(5 * X[:, -1]))
        (error,) = model.validation_errors_[-1:]
        assert error > 0
        assert (caught[0].message.n_points, caught[0].message.error) == (n, error)

    def test_points_that_were_given_to_validate(self):
        with pytest.warns(FewPointsWarning) as caught:
            SpectrumInformedMSNNRegressor().fit([[0], [1]], [0, 1], X_val=[[0.5]], y_val=[0.7])
        assert caught[0].message.error == pytest.approx(0.4)


class TestFewLevels:
    def test_the_warning_names_the_feature_and_its_levels(self, rng):
        X = np.column_stack([rng.integers(0, 3, 200), rng.uniform(size=200)]).astype(float)
        with pytest.warns(FewLevelsWarning, match="between the few levels") as caught:
            model = fitted(X, X[:, 0] + np.sin(9 * X[:, 1]))
        (levels,) = caught[0].message.levels.items()
        assert (levels[0], levels[1].tolist()) == ("feature 0", [0, 1, 2])
        fresh = np.column_stack([rng.integers(0, 3, 50), rng.uniform(size=50)])
        assert np.abs(model.predict(fresh) - fresh[:, 0] - np.sin(9 * fresh[:, 1])).max() < 1e-6

    def test_a_straight_line_between_levels_is_one(self, rng):
        X = tensor_grid([0.0, 1.0, 2.0], np.linspace(0, 1, 101))
        with pytest.warns(FewLevelsWarning):
            model = fitted(X, X[:, 0] + np.sin(9 * X[:, 1]))
        assert true_error(model, X, lambda X: X[:, 0] + np.sin(9 * X[:, 1]), rng) < 1e-13

    def test_at_the_levels_values_are_those_given(self, rng):
        X = tensor_grid(np.linspace(0, 2, 60), np.array([1.0, 2.0, 5.0, 10.0, 50.0]))
        y = np.cos(X[:, 0]) / (1 + X[:, 1])
        with pytest.warns(FewLevelsWarning):
            model = fitted(X, y)
        np.testing.assert_allclose(model.predict(X), y, atol=1e-12)
        between = rng.uniform(X.min(axis=0), X.max(axis=0), (500, 2))
        assert model.predict(between).max() < 1
        assert model.predict(between).min() > -0.5

    def test_many_levels_and_periodic_ones_are_not_few(self, recwarn):
        X = tensor_grid(np.linspace(0, 1, 20), np.arange(4) / 4)
        y = np.exp(X[:, 0]) * np.cos(2 * np.pi * X[:, 1])
        fitted(X, y, period=[None, 1.0])
        assert not [w for w in recwarn if issubclass(w.category, FewLevelsWarning)]


def test_derivatives_of_products_of_bases_agree_with_their_module(rng):
    """Waves along one feature, a spline along the other: a kink there, at a node."""
    nodes = np.linspace(-1, 1, 31)
    X = tensor_grid(np.linspace(-1, 1, 40), nodes)
    y = np.sin(3 * X[:, 0]) * np.abs(X[:, 1])
    model = fitted(X, y, families=("fourier", "spline"))
    fresh = rng.uniform(-1, 1, (200, 2))
    module = model.to_module()
    import torch

    points = torch.tensor(fresh, requires_grad=True)
    values = module(points)
    np.testing.assert_allclose(values.detach().numpy(), model.predict(fresh), atol=1e-12)
    (gradient,) = torch.autograd.grad(values.sum(), points)
    np.testing.assert_allclose(gradient.numpy(), model.gradient(fresh), atol=1e-9)


def test_the_cutoff_of_an_axis_is_that_of_its_singular_values():
    nodes = np.linspace(-1, 1, 60)
    whole = ExtensionAxis(nodes, 30, 4.0).singular_values
    for cutoff in (1e-12, 1e-6):
        cut = ExtensionAxis(nodes, 30, 4.0, cutoff).singular_values
        np.testing.assert_array_equal(cut, whole[whole > cutoff])


class TestGaps:
    @pytest.mark.parametrize("seed", range(4))
    def test_of_a_periodic_axis_are_asked(self, seed):
        x = np.sort(np.random.default_rng(seed).uniform(0, 2 * np.pi, 140))
        x = x[(x < 2) | (x > 3)]

        def f(x):
            return np.exp(np.sin(5 * x)) + np.cos(9 * x + 1)

        model = fitted(x[:, None], f(x), period=2 * np.pi)
        fresh = np.linspace(0, 2 * np.pi, 3000)
        error = np.sqrt(np.mean((model.predict(fresh[:, None]) - f(fresh)) ** 2)) / f(x).std()
        assert error < 10 * model.validation_errors_[-1]

    def test_the_seam_is_one(self):
        nodes = np.linspace(-1, 0.5, 20)
        assert wide_gaps(nodes, periodic=True).middles == pytest.approx([0.75])
        assert len(wide_gaps(nodes).middles) == 0

    def test_between_clusters_are_warned_of(self):
        rng = np.random.default_rng(37)
        centres = np.array([[0, 0], [1, 0.2], [0.4, 1]])
        X = centres[rng.integers(0, 3, 400)] + 0.05 * rng.normal(size=(400, 2))
        with pytest.warns(WideGapsWarning, match="wide gaps") as told:
            fitted(X, np.sin(5 * X[:, 0]) * np.cos(3 * X[:, 1]), families=("fourier",))
        assert told[0].message.in_gaps > 1e-8

    def test_points_all_over_a_square_have_none(self, rng):
        for n in (50, 400, 2000):
            assert points_in_gaps(rng.uniform(-1, 1, (n, 2))) is None


class TestValidationPoints:
    def test_judge_polynomials_too(self, rng):
        X, X_val = rng.uniform(-0.7, 0.7, (200, 2)), rng.uniform(-0.7, 0.7, (50, 2))
        y, y_val = X[:, 0] + X[:, 1] ** 2, 100 * rng.normal(size=50)
        model = SpectrumInformedMSNNRegressor(random_state=0)
        model.fit(X, y, X_val=X_val, y_val=y_val)
        rest = y_val - model.predict(X_val)
        assert model.validation_errors_[-1] == pytest.approx(np.sqrt(np.mean(rest**2)) / y.std())


class TestRepeatedPoints:
    def test_their_scatter_is_reported_as_noise(self, rng):
        X = np.repeat(np.linspace(0, 1, 10)[:, None], 20, axis=0)
        noise = 0.1 * rng.normal(size=200)
        y = np.sin(5 * X[:, 0]) + noise
        model = fitted(X, y)
        within = noise.reshape(10, 20).std(axis=1, ddof=1)
        assert model.stop_reason_ == "noise"
        assert model.validation_errors_[-1] >= np.sqrt(np.mean(within**2)) / y.std()
        assert model.validation_errors_[-1] < 1.2 * np.sqrt(np.mean(within**2)) / y.std()

    def test_at_a_single_point_nothing_is_explained(self):
        model = fitted(np.ones((20, 2)), np.arange(20.0))
        assert model.train_errors_[-1] == pytest.approx(1, rel=0.03)
        assert model.stop_reason_ == "noise"

    def test_of_one_value_each_are_what_they_are_without(self, rng):
        X = rng.integers(0, 12, (300, 1)).astype(float)
        model = fitted(X, (X[:, 0] >= 5) * 1.0)
        levels = np.arange(12.0)[:, None]
        np.testing.assert_allclose(model.predict(levels), levels[:, 0] >= 5, atol=1e-12)


class TestConstantColumns:
    def test_change_nothing(self, rng):
        X = rng.uniform(-1, 1, (80, 2))
        y = np.exp(2 * X[:, 0]) * np.cos(3 * X[:, 1] + X[:, 0])
        without = fitted(X, y)
        beside = fitted(np.c_[X, np.zeros(80)], y)
        np.testing.assert_allclose(
            beside.predict(np.c_[X, np.zeros(80)]), without.predict(X), atol=0.05
        )
        assert beside.validation_errors_[-1] < 2 * without.validation_errors_[-1]

    def test_beside_many_features(self, rng):
        X = np.c_[rng.uniform(-1, 1, (300, 4)), np.ones(300)]
        y = np.sin(X[:, :4].sum(axis=1))
        assert fitted(X, y).score(X, y) > 0.99


def test_even_functions_do_not_make_few_points_tell_all():
    """A quartic goes through six values of a kink that are three, each twice."""

    def kink(X):
        return np.abs(X[:, 0] - 0.5)

    X = np.linspace(0, 1, 6)[:, None]
    model = fitted(X, kink(X))
    assert model.stop_reason_ == "few points"
    error = true_error(model, X, kink, np.random.default_rng(0))
    assert model.validation_errors_[-1] > error / 3


@pytest.mark.parametrize("n", [11, 13, 15, 17])
def test_even_functions_are_no_worse_than_by_straight_lines(n):
    x, fresh = np.linspace(-1, 1, n), np.linspace(-0.999, 0.999, 2000)

    def f(x):
        return 1 / (1 + 25 * x**2)

    model = fitted(x[:, None], f(x))
    errors = (model.predict(fresh[:, None]) - f(fresh), np.interp(fresh, x, f(x)) - f(fresh))
    assert np.linalg.norm(errors[0]) < np.linalg.norm(errors[1])


@pytest.mark.parametrize(
    ("n", "f"),
    [
        (30, lambda x: np.tanh(40 * x)),
        (80, lambda x: np.tanh(300 * (x - 0.3))),
        (50, lambda x: np.sin(3 * x) + np.exp(-(((x - 0.005) / 0.04) ** 2))),
    ],
)
def test_what_is_rough_is_not_taken_as_periodic(n, f):
    x = np.linspace(-1, 1, n)
    assert fitted(x[:, None], f(x)).domain_.periods == [None]


def test_cubics_on_a_circle_are_found(rng):
    angle = rng.uniform(0, 2 * np.pi, 100)
    X = np.c_[np.cos(angle), np.sin(angle)]
    model = fitted(X, np.sin(3 * angle))
    fresh = np.linspace(0, 6, 500)
    found = model.predict(np.c_[np.cos(fresh), np.sin(fresh)])
    np.testing.assert_allclose(found, np.sin(3 * fresh), atol=1e-13)


def test_many_features_of_two_levels(rng):
    X = np.c_[rng.integers(0, 2, (300, 64)), rng.uniform(size=300)].astype(float)
    y = X[:, 0] + np.sin(X[:, -1])
    assert fitted(X, y).score(X, y) > 0.99


def test_a_warm_start_sees_the_levels_of_its_own_points():
    X = tensor_grid(np.linspace(0, 1, 30), np.linspace(0, 1, 6))
    y = np.exp(X[:, 0]) / (2 + X[:, 1])
    model = fitted(X, y, warm_start=True, n_stages=1)
    few = tensor_grid(np.linspace(0, 1, 30), np.linspace(0, 1, 3))
    model.set_params(n_stages=2, early_stopping=False)
    with pytest.warns(FewLevelsWarning) as caught:
        model.fit(few, np.exp(few[:, 0]) / (2 + few[:, 1]))
    assert caught[0].message.levels["feature 1"].tolist() == [0, 0.5, 1]


def test_without_early_stopping_nothing_is_reported_of_unseen_points(rng):
    X = rng.uniform(-1, 1, (60, 2))
    model = fitted(X, np.exp(X[:, 0] * X[:, 1]), early_stopping=False)
    assert model.validation_errors_ == []
    assert len(model.train_errors_) == model.n_stages_
    with pytest.warns(ConvergenceWarning) as caught:
        model = fitted(X, rng.standard_normal(60), early_stopping=False, n_stages=1)
    assert caught[0].message.error == model.train_errors_[-1]
