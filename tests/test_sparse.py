"""Polynomials of many features whose terms are chosen by the data."""

import numpy as np
import pytest
from skmsnn.families.base import HeldOut, Split

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.sparse import select_sparse
from skmsnn.metrics import relative_l2_error


def split(rng, function, d, n=600):
    x, others = rng.uniform(-1, 1, (n, d)), rng.uniform(-1, 1, (200, d))
    held_out = HeldOut(others, function(others)[:, None], np.ones(200))
    return Split(x, function(x)[:, None], np.ones(n), held_out)


def few_terms(x):
    product = (x[:, 1] + 0.5) ** 3 * (x[:, 4] + 0.3)
    return 1 + x[:, 0] ** 8 - 2 * product + x[:, 2] ** 4 * (x[:, 3] - 1)


class TestSelection:
    def test_a_polynomial_of_few_terms_is_found(self, rng):
        trial = select_sparse(split(rng, few_terms, 6), np.full(6, 20), rng)
        fresh = rng.uniform(-1, 1, (500, 6))
        assert relative_l2_error(few_terms(fresh), trial.modes.evaluate(fresh)[:, 0]) < 1e-13
        # of 9 + 8 + 10 that it must have, the constant among each; of degree 8 there are 3003
        assert trial.candidate.n_terms < 100

    def test_the_set_is_downward_closed_and_within_the_degrees(self, rng):
        most = np.array([2, 40, 1, 40, 3])
        data = split(rng, lambda x: np.exp(x @ np.arange(5.0) / 5), 5)
        terms = {tuple(t) for t in select_sparse(data, most, rng).modes.degrees.tolist()}
        assert all(np.all(np.array(t) <= most) for t in terms)
        for term in terms:
            for j, degree in enumerate(term):
                assert degree == 0 or (*term[:j], degree - 1, *term[j + 1 :]) in terms

    def test_noise_is_given_few_terms(self, rng):
        noise = split(rng, lambda x: rng.standard_normal(len(x)), 5)
        trial = select_sparse(noise, np.full(5, 20), rng)
        assert trial.candidate.n_terms < 30
        assert trial.error < 1.2

    def test_weights_count(self, rng):
        """Rows of hardly any weight are as good as none."""
        data = split(rng, few_terms, 6)
        weight = np.ones(600)
        weight[:100] = 1e-20
        target = data.target.copy()
        target[:100] += 1.0
        trial = select_sparse(data._replace(target=target, train=weight), np.full(6, 20), rng)
        fresh = rng.uniform(-1, 1, (500, 6))
        assert relative_l2_error(few_terms(fresh), trial.modes.evaluate(fresh)[:, 0]) < 1e-8


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
