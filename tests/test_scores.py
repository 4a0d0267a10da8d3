"""Scores of candidates, and the schemes that leave rows out for them."""

import numpy as np
import pytest
from problems import best_of, stage_problem

from skmsnn.functions.polynomial import LegendreSeries, columns_of, total_degree_terms
from skmsnn.selection.candidate import Candidate, Fit, Preview, linear_candidate
from skmsnn.selection.scheme import FEWEST_IN_FOLDS, FoldScheme, HoldoutScheme, folds_of
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import PolynomialFrame
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.leave_out import EdgePoints
from skmsnn.validation.score import STANDARD_ERRORS, UNRESOLVED, Score


def score_of(residual, rows=None, train=None, weight=None, exposed=None):
    """Of residuals (n,) or (n, n_outputs)."""
    residual = np.asarray(residual, dtype=float).reshape(len(residual), -1)
    n, n_outputs = residual.shape
    return Score(
        np.arange(n) if rows is None else np.asarray(rows),
        residual,
        np.ones(n) if weight is None else weight,
        np.zeros(n_outputs) if train is None else np.asarray(train, dtype=float),
        np.zeros(n_outputs) if exposed is None else np.asarray(exposed, dtype=float),
    )


class TestScore:
    def test_the_error_is_the_weighted_root_mean_square(self):
        score = score_of([[3.0, 0.0], [4.0, 1.0]], weight=np.array([1.0, 3.0]))
        np.testing.assert_allclose(score.errors, [np.sqrt((9 + 48) / 4), np.sqrt(3 / 4)])
        assert score.error == pytest.approx(np.sqrt((57 / 4 + 3 / 4) / 2))

    def test_it_is_no_less_than_that_at_the_rows_of_the_fit_and_at_exposed_points(self):
        residual = np.full((5, 3), 0.5)
        score = score_of(residual, train=[0.7, 0.1, 0.1], exposed=[0.0, 0.6, 0.1])
        np.testing.assert_allclose(score.errors, [0.7, 0.6, 0.5])
        assert score.train_error == pytest.approx(np.sqrt(0.51 / 3))

    @pytest.mark.parametrize(
        "bad",
        [
            np.nan,
            np.inf,
            1e200,
        ],
    )
    def test_it_is_infinite_where_a_residual_is_not_a_number(self, bad):
        score = score_of([[1.0, 0.1], [bad, 0.1]])
        assert score.errors[0] == np.inf
        assert score.errors[1] == pytest.approx(0.1)
        assert score.standard_error == 0
        assert list(score_of(np.ones((2, 2))).is_better_than(score)) == [True, False]

    @pytest.mark.parametrize("n_outputs", [1, 4])
    def test_the_standard_error_is_that_of_normal_residuals(self, rng, n_outputs):
        """Of the root mean square of n m values, 1 / sqrt(2 n m) of it."""
        n, size = 2000, 0.03
        score = score_of(size * rng.standard_normal((n, n_outputs)))
        expected = size / np.sqrt(2 * n * n_outputs)
        assert score.standard_error == pytest.approx(expected, rel=0.1)

    def test_there_is_none_of_residuals_of_one_size_or_of_one_row(self):
        assert score_of([0.3, -0.3, 0.3]).standard_error == pytest.approx(0, abs=1e-15)
        assert score_of([0.3]).standard_error == 0

    def test_resolved_errors_are_compared_as_they_are(self, rng):
        noise = rng.standard_normal(100)
        smaller, larger = (score_of(size * noise) for size in (0.0500, 0.0501))
        assert smaller.is_better_than(larger)
        assert not larger.is_better_than(smaller)
        assert not smaller.is_better_than(smaller)

    def test_unresolved_ones_are_compared_row_by_row(self, rng):
        """One per cent is clear of the same residuals, and chance of others of that size."""
        noise = rng.standard_normal(400)
        one = score_of(noise)
        assert score_of(0.99 * noise).is_better_than(one)
        assert not score_of(0.99 * rng.permutation(noise)).is_better_than(one)
        assert score_of(0.5 * rng.permutation(noise)).is_better_than(one)

    @pytest.mark.parametrize("sigmas", [0.8 * STANDARD_ERRORS, 1.2 * STANDARD_ERRORS])
    def test_it_takes_two_standard_errors(self, sigmas):
        """Squares are smaller by a mean of which the standard error is known."""
        n = 50
        difference = np.tile([1.0, -1.0], n // 2)
        difference += sigmas * difference.std(ddof=1) / np.sqrt(n)
        one = score_of(np.full(n, 2.0))
        other = score_of(np.sqrt(4 - difference))
        assert other.is_better_than(one) == (sigmas > STANDARD_ERRORS)

    def test_only_rows_that_neither_fit_has_seen_count(self):
        """Of two errors the one on other rows says nothing."""
        many = score_of([0.01, 0.01, 0.09, 0.09], rows=[0, 1, 2, 3])
        few = score_of([0.02, 0.02], rows=[0, 1])
        assert many.error > few.error
        assert many.is_better_than(few)
        assert not few.is_better_than(many)
        elsewhere = score_of([0.02, 0.02], rows=[7, 8])
        assert elsewhere.is_better_than(many)

    def test_the_training_error_counts_on_any_rows(self):
        assert not score_of([0.01], train=[0.05]).is_better_than(score_of([0.02]))

    def test_a_tie_goes_to_the_score_on_more_rows(self, rng):
        noise = rng.standard_normal(100)
        many, few = score_of(noise), score_of(0.9 * rng.permutation(noise[:20]), rows=np.arange(20))
        assert many.is_better_than(few)
        assert not few.is_better_than(many)
        # of resolved errors the smaller one is smaller
        assert not score_of(0.01 * noise).is_better_than(score_of(0.009 * noise[:20]))
        assert UNRESOLVED > 0.03

    def test_each_output_is_compared_alone(self):
        one, other = np.full((5, 2), [0.01, 0.03]), np.full((5, 2), [0.02, 0.02])
        assert list(score_of(one).is_better_than(score_of(other))) == [True, False]


# --- folds


def terms_of(d, degree):
    return total_degree_terms(np.full(d, degree), degree)


def dense_candidate(x, degrees):
    frame = PolynomialFrame(degrees)
    return linear_candidate(
        "family", "a", len(degrees), 1.0, lambda weight, cutoff: DenseFit(x, weight, frame, cutoff)
    )


def damped_candidate(x, degrees, damping):
    def prepare(weight, cutoff):
        return PolynomialFit(x, weight, degrees).damped(damping)

    return linear_candidate("family", "a", len(degrees), 1.0, prepare)


def refitted(x, y, weight, degrees, rows):
    """Least squares without some rows, by NumPy."""
    weight = weight.copy()
    weight[rows] = 0.0
    root, columns = np.sqrt(weight)[:, None], columns_of(x, degrees)
    return np.linalg.lstsq(root * columns, root * y, rcond=None)[0]


@pytest.fixture(params=[False, True], ids=["equal", "weighted"])
def table(request, rng):
    """Points, two outputs, and weights."""
    x = rng.uniform(-1, 1, (70, 2))
    y = np.stack([np.exp(x[:, 0]), x[:, 1] ** 3], axis=1) + 0.1 * rng.standard_normal((70, 2))
    weight = rng.uniform(0.2, 1, 70) if request.param else np.ones(70)
    return x, y, weight


def folds(n, size):
    order = np.random.default_rng(1).permutation(n)
    return [np.sort(order[k : k + size]) for k in range(0, n, size)]


class TestFolds:
    @pytest.mark.parametrize("size", [1, 7])
    @pytest.mark.parametrize("kind", ["dense", "polynomial"])
    def test_rows_left_out_are_those_of_fits_without_them(self, table, size, kind):
        x, y, weight = table
        degrees, parts = terms_of(2, 2), folds(70, size)
        candidate = dense_candidate(x, degrees)
        if kind == "polynomial":
            candidate = damped_candidate(x, degrees, 0.0)
        scheme = FoldScheme(x, y, weight, parts, parts[0], None, 0.0)
        score = scheme.score(candidate).score
        expected = np.empty_like(y)
        for rows in parts:
            c = refitted(x, y, weight, degrees, rows)
            expected[rows] = y[rows] - columns_of(x[rows], degrees) @ c
        np.testing.assert_array_equal(score.rows, np.arange(70))
        np.testing.assert_allclose(score.residual, expected, rtol=0, atol=1e-11)
        own = y - columns_of(x, degrees) @ refitted(x, y, weight, degrees, [])
        np.testing.assert_allclose(score.train, np.sqrt(weight @ own**2 / weight.sum()))

    @pytest.mark.parametrize("damping", [0.05, 1.0])
    @pytest.mark.parametrize("size", [1, 7])
    def test_of_damped_fits_the_damping_stays(self, table, size, damping):
        """``min sum w (y - a - Z b)^2 / sum w + damping^2 |b|^2``, Z of deviation 1."""
        x, y, weight = table
        degrees, parts = terms_of(2, 2), folds(70, size)
        scheme = FoldScheme(x, y, weight, parts, parts[0], None, 0.0)
        score = scheme.score(damped_candidate(x, degrees, damping)).score
        columns, share = columns_of(x, degrees)[:, 1:], weight / weight.sum()
        columns = columns - share @ columns
        columns = columns / np.sqrt(share @ columns**2)
        design = np.column_stack([np.ones(70), columns])
        penalty = damping * np.eye(design.shape[1])[1:]
        for rows in parts:
            root = np.sqrt(np.where(np.isin(np.arange(70), rows), 0.0, share))[:, None]
            stacked = np.concatenate([root * design, penalty])
            target = np.pad(root * y, ((0, len(penalty)), (0, 0)))
            c = np.linalg.lstsq(stacked, target, rcond=None)[0]
            expected = y[rows] - design[rows] @ c
            np.testing.assert_allclose(score.residual[rows], expected, rtol=0, atol=1e-11)

    @pytest.mark.parametrize(
        ("kind", "size"),
        [("dense", 1), ("dense", 7), ("polynomial", 1), ("polynomial", 7), ("refitted", 7)],
    )
    def test_what_moves_at_exposed_points_counts_by_their_share(self, table, size, kind):
        """The jackknife: the root of the sum of the squares of the changes."""
        x, y, weight = table
        degrees, parts = terms_of(2, 2), folds(70, size)
        edges = EdgePoints(np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, 0.3]]), np.full(3, 0.25 / 3))
        candidate = dense_candidate(x, degrees)
        if kind == "polynomial":
            candidate = damped_candidate(x, degrees, 0.0)
        if kind == "refitted":
            candidate = retrained(x, degrees)
        scheme = FoldScheme(x, y, weight, parts, parts[0], edges, 0.0)
        found = scheme.score(candidate).score.exposed
        at_edges = columns_of(edges.points, degrees)
        whole = at_edges @ refitted(x, y, weight, degrees, [])
        changes = [at_edges @ refitted(x, y, weight, degrees, rows) - whole for rows in parts]
        square = np.sum(np.square(changes), axis=0)
        np.testing.assert_allclose(found, np.sqrt(0.25 * square.mean(axis=0)), rtol=1e-8)

    def test_a_row_that_a_term_belongs_to_alone_is_not_foretold(self):
        """Its residual is the rounding of the values, amplified."""
        x = np.array([[-1.0], [0.0], [1.0]])
        y = np.array([[1.0], [2.0], [4.0]])
        parts = [np.array([k]) for k in range(3)]
        scheme = FoldScheme(x, y, np.ones(3), parts, parts[0], None, 1e-16)
        score = scheme.score(dense_candidate(x, terms_of(1, 2))).score
        assert np.all(np.abs(score.residual) > 1e-3)
        assert score.train_error < 1e-14

    def test_parameters_that_are_trained_are_trained_again_in_every_fold(self, table):
        x, y, weight = table
        degrees, parts = terms_of(2, 1), folds(70, 7)
        without = []
        scheme = FoldScheme(x, y, weight, parts, parts[3], None, 0.0)
        scored = scheme.score(retrained(x, degrees, without))
        assert [list(rows) for rows in without] == [list(rows) for rows in parts]
        linear = scheme.score(dense_candidate(x, degrees))
        np.testing.assert_allclose(scored.score.residual, linear.score.residual, atol=1e-11)
        assert not scored.is_partial
        assert scheme.finish(scored) is scored

    @pytest.mark.parametrize("n_folds", [2, 5])
    def test_costly_ones_in_some_folds(self, table, n_folds):
        x, y, weight = table
        degrees, parts = terms_of(2, 1), folds(70, 7)
        without = []
        scheme = FoldScheme(x, y, weight, parts, parts[0], None, 0.0)
        score = scheme.score(retrained(x, degrees, without, n_folds=n_folds)).score
        assert len(without) == n_folds
        np.testing.assert_array_equal(score.rows, np.sort(np.concatenate(parts[:n_folds])))
        every = scheme.score(dense_candidate(x, degrees)).score
        np.testing.assert_allclose(score.residual, every.residual[score.rows], atol=1e-11)

    def test_refits_end_once_a_candidate_cannot_become_better(self, table):
        x, y, weight = table
        parts = folds(70, 7)
        scheme = FoldScheme(x, y, weight, parts, parts[0], None, 0.0)
        good = scheme.score(retrained(x, terms_of(2, 3)))
        whole = scheme.score(retrained(x, terms_of(2, 0)))
        without = []
        part = scheme.score(retrained(x, terms_of(2, 0), without), [good, good])
        assert len(without) < len(parts)
        rows = np.searchsorted(whole.score.rows, part.score.rows)
        np.testing.assert_array_equal(part.score.residual, whole.score.residual[rows])
        assert not part.score.is_better_than(good.score).any()

    @pytest.mark.parametrize("wins", [0, 1])
    def test_one_that_may_be_better_for_an_output_is_left_out_in_every_fold(self, table, wins):
        x, y, weight = table
        parts, degrees = folds(70, 7), [terms_of(2, 2), terms_of(2, 3)]
        scheme = FoldScheme(x, y, weight, parts, parts[0], None, 0.0)
        hopeless = scheme.score(retrained(x, terms_of(2, 0)))
        perfect = scheme.score(retrained(x, degrees[0]))
        perfect.score.residual[:] = 0.0
        perfect.score.train[:] = 0.0
        without = []
        best = [perfect, perfect]
        best[wins] = hopeless
        scored = scheme.score(retrained(x, degrees[1], without), best)
        assert len(without) == len(parts)
        assert list(scored.score.is_better_than(hopeless.score)) == [True, True]

    def test_the_costliest_without_the_rows_held_out(self, table):
        x, y, weight = table
        degrees, parts = terms_of(2, 1), folds(70, 7)
        without = []
        scheme = FoldScheme(x, y, weight, parts, parts[2], None, 0.0)
        scored = scheme.score(retrained(x, degrees, without, n_folds=1))
        assert scored.is_partial
        assert (without, scored.n_rows) == ([], 63)
        np.testing.assert_array_equal(scored.score.rows, parts[2])
        c = refitted(x, y, weight, degrees, parts[2])
        rest = y - columns_of(x, degrees) @ c
        np.testing.assert_allclose(scored.score.residual, rest[parts[2]], atol=1e-11)
        others = np.setdiff1d(np.arange(70), parts[2])
        mean_square = np.average(rest[others] ** 2, axis=0, weights=weight[others])
        np.testing.assert_allclose(scored.score.train, np.sqrt(mean_square))

    def test_after_a_preview_a_candidate_is_fitted_once_it_has_won(self, table):
        x, y, weight = table
        degrees, parts = terms_of(2, 1), folds(70, 7)
        rows, residual = parts[1], np.full((7, 2), 0.3)
        preview = Preview(np.array([0.1, 0.2]), rows, residual)

        def fit(target, weight):
            linear = DenseFit(x, weight, PolynomialFrame(degrees))
            return Fit(linear.solve(target), linear)

        scheme = FoldScheme(x, y, weight, parts, parts[0], None, 0.0)
        scored = scheme.score(Candidate("family", "a", 3, 1.0, fit, preview=preview))
        assert scored.fit is None
        np.testing.assert_allclose(scored.score.errors, 0.3)
        np.testing.assert_array_equal(scored.score.train, [0.1, 0.2])
        function = scheme.finish(scored).fit.function
        expected = columns_of(x, degrees) @ refitted(x, y, weight, degrees, [])
        np.testing.assert_allclose(function.evaluate(x), expected, atol=1e-11)

    def test_rows_in_no_fold_count_as_those_that_stand_for_them(self, rng):
        x = np.sort(rng.uniform(-1, 1, (8, 1)), axis=0)
        y = rng.standard_normal((8, 1))
        parts = [np.array([k]) for k in range(1, 7)]
        proxy = np.array([1, 1, 2, 3, 4, 5, 6, 6])
        scheme = FoldScheme(x, y, np.ones(8), parts, None, None, 0.0, proxy=proxy)
        score = scheme.score(dense_candidate(x, terms_of(1, 2))).score
        np.testing.assert_array_equal(score.rows, np.arange(8))
        np.testing.assert_array_equal(score.residual[[0, 7]], score.residual[[1, 6]])

    @pytest.mark.parametrize("n_held", [10, 17, 50])
    def test_are_as_large_as_the_first_and_have_every_row_once(self, rng, n_held):
        weight = np.ones(103)
        weight[[4, 44]] = 0.0
        rows = np.flatnonzero(weight)
        held = np.sort(rng.permutation(rows)[:n_held])
        parts = folds_of(weight, held, 0)
        np.testing.assert_array_equal(parts[0], held)
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), rows)
        sizes = [len(part) for part in parts[1:]]
        assert max(sizes) - min(sizes) <= 1
        assert 2 / 3 <= np.mean(sizes) / n_held <= 3 / 2
        again = folds_of(weight, held, 0)
        assert all(np.array_equal(a, b) for a, b in zip(parts, again, strict=True))
        if n_held < 50:  # others are shared out
            assert not np.array_equal(parts[1], folds_of(weight, held, 1)[1])

    @pytest.mark.parametrize("held", [None, np.array([3, 8])])
    @pytest.mark.parametrize("n", [5, FEWEST_IN_FOLDS - 1, FEWEST_IN_FOLDS + 40])
    def test_few_rows_are_left_out_one_by_one(self, n, held):
        if held is not None and n < 9:
            held = np.array([1, 3])
        parts = folds_of(np.ones(n), held, 0)
        np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n))
        if held is None:
            assert len(parts) == n
        elif n < FEWEST_IN_FOLDS:
            assert [len(part) for part in parts] == [2] + [1] * (n - 2)
        else:
            assert {len(part) for part in parts} == {2}


def retrained(x, degrees, without=None, n_folds=None):
    """Least squares as if they had no closed form; notes the rows that are left out."""

    def solved(target, weight):
        c = refitted(x, target, weight, degrees, [])
        return Fit(LegendreSeries(degrees, c))

    def again(fit, target, weight):
        if without is not None:
            without.append(np.flatnonzero(weight == 0))
        return solved(target, weight)

    return Candidate("family", "a", len(degrees), 1.0, solved, refit=again, n_folds=n_folds)


# --- held-out points


class TestHoldout:
    def scheme(self, rng, n=400, n_held=40):
        x = rng.uniform(-1, 1, (n, 2))
        y = np.exp(x[:, :1]) * np.cos(3 * x[:, 1:]) + 0.1 * rng.standard_normal((n, 1))
        held, weight = np.sort(rng.permutation(n)[:n_held]), rng.uniform(0.3, 1, n)
        weight_val = weight[held].copy()
        weight[held] = 0.0
        asked = x[held], y[held], weight_val, held
        return HoldoutScheme(x, y, weight, *asked, is_partial=True)

    def test_errors_are_those_at_the_points_held_out(self, rng):
        scheme, degrees = self.scheme(rng), terms_of(2, 2)
        scored = scheme.score(dense_candidate(scheme.x, degrees))
        c = refitted(scheme.x, scheme.target, scheme.weight, degrees, [])
        rest = scheme.target - columns_of(scheme.x, degrees) @ c
        np.testing.assert_allclose(scored.score.residual, rest[scheme.rows], atol=1e-11)
        np.testing.assert_array_equal(scored.score.rows, scheme.rows)
        square = np.average(rest[scheme.rows] ** 2, axis=0, weights=scheme.weight_val)
        own = np.average(rest**2, axis=0, weights=scheme.weight)
        np.testing.assert_allclose(scored.score.train, np.sqrt(own))
        np.testing.assert_allclose(scored.score.errors, np.sqrt(np.maximum(square, own)))
        assert (scored.n_rows, scored.is_partial) == (360, True)
        assert scheme.finish(scored) is scored

    @pytest.mark.parametrize("trial_rows", [50, 359])
    def test_some_rows_tell_whether_a_set_is_good_and_all_are_fitted_in_the_end(
        self, rng, trial_rows
    ):
        scheme, degrees = self.scheme(rng), terms_of(2, 2)
        frame = PolynomialFrame(degrees)
        candidate = linear_candidate(
            "family",
            "a",
            len(degrees),
            1.0,
            lambda weight, cutoff: DenseFit(scheme.x, weight, frame, cutoff),
            trial_rows=trial_rows,
        )
        scored = scheme.score(candidate)
        assert scored.n_rows == trial_rows
        whole = scheme.score(dense_candidate(scheme.x, degrees))
        finished = scheme.finish(scored)
        assert finished.n_rows == 360
        assert np.abs(scored.score.residual - whole.score.residual).max() > 1e-5
        np.testing.assert_allclose(finished.score.residual, whole.score.residual, atol=1e-11)
        np.testing.assert_allclose(finished.score.train, whole.score.train, rtol=1e-9)

    @pytest.mark.parametrize("trial_rows", [None, 360, 1000])
    def test_of_few_rows_all_are_taken_at_once(self, rng, trial_rows):
        scheme, degrees = self.scheme(rng), terms_of(2, 1)
        fitted = []

        def fit(target, weight):
            fitted.append(weight)
            linear = DenseFit(scheme.x, weight, PolynomialFrame(degrees))
            return Fit(linear.solve(target), linear)

        scored = scheme.score(Candidate("family", "a", 3, 1.0, fit, trial_rows=trial_rows))
        assert scheme.finish(scored) is scored
        assert [np.count_nonzero(weight) for weight in fitted] == [360]

    def test_between_the_nodes_of_a_grid_the_residual_is_amplified(self, rng):
        scheme, degrees = self.scheme(rng), terms_of(2, 1)

        def fit(target, weight):
            linear = DenseFit(scheme.x, weight, PolynomialFrame(degrees))
            plain = linear.solve(target)
            linear.amplification = 7.0
            return Fit(plain, linear)

        amplified = scheme.score(Candidate("family", "a", 3, 1.0, fit)).score
        plain = scheme.score(dense_candidate(scheme.x, degrees)).score
        np.testing.assert_allclose(amplified.train, 7 * plain.train)
        np.testing.assert_array_equal(amplified.residual, plain.residual)

    def test_after_a_preview_a_candidate_is_fitted_once_it_has_won(self, rng):
        scheme, degrees = self.scheme(rng), terms_of(2, 1)
        preview = Preview(np.array([0.2]), scheme.rows, np.full((40, 1), 0.3))
        fit = dense_candidate(scheme.x, degrees).fit
        scored = scheme.score(Candidate("family", "a", 3, 1.0, fit, preview=preview))
        assert (scored.fit, scored.is_partial) == (None, True)
        assert scored.score.error == pytest.approx(0.3)
        finished = scheme.finish(scored)
        expected = scheme.score(dense_candidate(scheme.x, degrees))
        np.testing.assert_allclose(finished.score.errors, expected.score.errors)


@pytest.mark.parametrize("in_folds", [False, True])
def test_noise_on_a_plane_is_left_to_a_plane(rng, in_folds):
    """Under either scheme, though sets of up to 28 terms are there to follow it."""
    x = rng.uniform(-1, 1, (80, 2))
    y = (x @ [1.0, 2.0])[:, None] + 0.3 * rng.standard_normal((80, 1))
    problem = stage_problem(x, y, held=np.arange(0, 80, 8), in_folds=in_folds)

    def ladder():
        for degree in range(7):
            yield dense_candidate(problem.x, terms_of(2, degree))

    best = best_of(problem, ladder())
    assert best.candidate.n_terms == 3
