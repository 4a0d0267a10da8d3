"""Sparse polynomials whose terms least angles choose."""

from itertools import product

import numpy as np
import pytest
from problems import stage_problem
from scipy.special import legendre

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families.least_angles import hyperbolic, least_angles

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.mark.parametrize(("degree", "norm"), [(3, 1.0), (6, 0.5), (4, 0.7)])
@pytest.mark.parametrize("most", [(np.inf, np.inf, np.inf), (np.inf, 1, 2)])
def test_sets_are_those_of_a_norm(degree, norm, most):
    found = hyperbolic(np.array(most), degree, norm, 10_000)
    expected = {
        k
        for k in product(range(degree + 1), repeat=3)
        if sum(i**norm for i in k) <= degree**norm * (1 + 1e-12)
        and all(i <= m for i, m in zip(k, most, strict=True))
    }
    assert {tuple(row) for row in found} == expected
    assert len(found) == len(expected)
    assert not found[0].any()


def test_large_sets_are_not_made():
    assert hyperbolic(np.full(20, np.inf), 3, 1.0, 1000) is None


def test_no_set_is_tried_twice(rng):
    problem = stage_problem(rng.uniform(-1, 1, (60, 3)), rng.standard_normal((60, 1)))
    labels = []
    for ladder in least_angles(problem):
        step = next(ladder, None)
        while step is not None:
            labels.append(step.label.split(" up to")[0])
            try:
                step = ladder.send(None)
            except StopIteration:
                step = None
    assert len(labels) > 5
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_terms_of_high_degree_need_no_lower_ones(rng, n_outputs):
    """Few points tell few terms among many."""

    def function(X):
        one = legendre(3)(X[:, 0]) * X[:, 1] - 0.5 * legendre(4)(X[:, 2]) + X[:, 3]
        return np.column_stack([one, legendre(3)(X[:, 1]) * X[:, 4]])[:, :n_outputs]

    X, fresh = rng.uniform(-1, 1, (150, 5)), rng.uniform(-0.9, 0.9, (1000, 5))
    X[0], X[1] = -1, 1  # so that each of the polynomials is one term
    model = SpectrumInformedMSNNRegressor(random_state=0, families=("polynomial",))
    model.fit(X, function(X))
    error = np.asarray(model.predict(fresh)).reshape(len(fresh), -1) - function(fresh)
    assert np.sqrt(np.mean(error**2)) < 1e-12
    assert "least angles" in "".join(map(str, model.search_results_["label"]))


def test_rosenbrock_is_exact_from_a_hundred_points():
    def function(X):
        return np.sum(100 * (X[:, 1:] - X[:, :-1] ** 2) ** 2 + (1 - X[:, :-1]) ** 2, axis=1)

    rng = np.random.default_rng(3)
    X, fresh = rng.uniform(-5, 10, (100, 5)), rng.uniform(-4.5, 9.5, (1000, 5))
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, function(X))
    error = model.predict(fresh) - function(fresh)
    assert np.sqrt(np.mean(error**2)) < 1e-13 * function(fresh).std()
