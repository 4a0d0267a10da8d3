"""Polynomials of many features whose terms are chosen by the data."""

import numpy as np
import pytest
from problems import best_of, stage_problem

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.sparse import sparse_polynomials
from skmsnn.metrics import relative_l2_error


def problem_of(rng, function, d, n=600, most=None, **more):
    """Values at random points, validated by 200 others; degrees up to ``most`` by feature."""
    x, others = rng.uniform(-1, 1, (n, d)), rng.uniform(-1, 1, (200, d))
    levels = {} if most is None else {j: degree + 1 for j, degree in enumerate(most)}
    validation = others, function(others)[:, None]
    return stage_problem(x, function(x)[:, None], validation=validation, levels=levels, **more)


def few_terms(x):
    product = (x[:, 1] + 0.5) ** 3 * (x[:, 4] + 0.3)
    return 1 + x[:, 0] ** 8 - 2 * product + x[:, 2] ** 4 * (x[:, 3] - 1)


def error_at_fresh_points(problem, scored, function, rng):
    fresh = rng.uniform(-1, 1, (500, problem.x.shape[1]))
    values = problem.scale * scored.fit.function.evaluate(fresh)
    return relative_l2_error(function(fresh), values[:, 0])


class TestSelection:
    def test_a_polynomial_of_few_terms_is_found(self, rng):
        problem = problem_of(rng, few_terms, 6)
        best = best_of(problem, sparse_polynomials(problem))
        assert error_at_fresh_points(problem, best, few_terms, rng) < 1e-13
        # of 9 + 8 + 10 that it must have, the constant among each; of degree 8 there are 3003
        assert best.candidate.n_terms < 100

    def test_in_folds_terms_are_chosen_without_the_rows_left_out(self, rng):
        """Of noise, terms that were chosen with these rows would say nothing of others."""
        x, y = rng.uniform(-1, 1, (100, 8)), rng.standard_normal((100, 1))
        problem = stage_problem(x, y, held=np.arange(0, 100, 10), in_folds=True)
        ladder, score, scored = sparse_polynomials(problem), None, []
        for _ in range(12):
            candidate = ladder.send(score)
            scored.append(problem.scheme.score(candidate))
            score = scored[-1].score
        assert scored[-1].candidate.n_terms >= 12
        assert scored[-1].score.train_error < 0.9 * scored[0].score.train_error
        assert scored[-1].score.error > scored[0].score.error

    def test_the_set_is_downward_closed_and_within_the_degrees(self, rng):
        most = np.array([2, 40, 1, 40, 3])
        problem = problem_of(rng, lambda x: np.exp(x @ np.arange(5.0) / 5), 5, most=most)
        best = best_of(problem, sparse_polynomials(problem))
        terms = {tuple(t) for t in best.fit.function.degrees.tolist()}
        assert len(terms) > 20
        assert all(np.all(np.array(t) <= most) for t in terms)
        for term in terms:
            for j, degree in enumerate(term):
                assert degree == 0 or (*term[:j], degree - 1, *term[j + 1 :]) in terms

    @pytest.mark.parametrize("in_folds", [False, True])
    @pytest.mark.parametrize("n", [2, 3, 4])
    def test_of_few_points_there_is_a_constant_at_least(self, rng, n, in_folds):
        x, y = rng.uniform(-1, 1, (n, 2)), rng.standard_normal((n, 1))
        problem = stage_problem(x, y, held=None if in_folds else np.array([0]), in_folds=in_folds)
        assert next(sparse_polynomials(problem)).n_terms == 1

    def test_noise_is_given_few_terms(self, rng):
        problem = problem_of(rng, lambda x: rng.standard_normal(len(x)), 5)
        best = best_of(problem, sparse_polynomials(problem))
        assert best.candidate.n_terms < 30
        assert best.score.error < 1.2

    def test_weights_count(self, rng):
        """Rows of hardly any weight are as good as none."""
        weight = np.ones(600)
        weight[:100] = 1e-20

        def off_where_the_weight_is_small(x):
            return few_terms(x) + (len(x) == 600) * (np.arange(len(x)) < 100)

        problem = problem_of(rng, off_where_the_weight_is_small, 6, weight=weight)
        best = best_of(problem, sparse_polynomials(problem))
        assert error_at_fresh_points(problem, best, few_terms, rng) < 1e-8


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_of_ten_features_of_which_five_matter(rng, n_outputs):
    """Friedman's first function (1991); its sine of a product is an entire function."""

    def function(x):
        first = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
        return np.stack([first + 10 * x[:, 3] + 5 * x[:, 4], first][:n_outputs], axis=1)

    X, fresh = rng.uniform(0, 1, (2000, 10)), rng.uniform(0, 1, (1000, 10))
    model = SpectrumInformedMSNNRegressor(families=("polynomial",), random_state=0)
    model.fit(X, function(X))
    error = relative_l2_error(function(fresh), model.predict(fresh))
    assert error < 1e-8
    assert error < 10 * model.validation_errors_[-1]
    assert model.stages_[0].family == "polynomial"
