"""What keeps fits of tables of continuous and coded features short."""

import numpy as np
import pytest
from problems import stage_problem
from scipy.spatial import KDTree

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn.families.best import run_race
from skmsnn.families.lattices import lattice_ladders
from skmsnn.families.polynomial import Polynomial
from skmsnn.families.sparse import sparse_polynomials
from skmsnn.functions import lattice
from skmsnn.functions.lattice import TensorFourierSeries
from skmsnn.functions.polynomial import LegendreSeries, total_degree_terms
from skmsnn.linalg.nearest import Nearest
from skmsnn.linalg.nufft import takes_longer_than_sums
from skmsnn.selection import race
from skmsnn.selection.entrant import LEAST_OPERATIONS


def _lattice(order, d, n_outputs, rng):
    c = rng.standard_normal((*(2 * order + 1,) * d, n_outputs)) + 0j
    return TensorFourierSeries((c + np.conj(np.flip(c, tuple(range(d))))) / 2, np.full(d, 4.0))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_sums_and_transforms_agree(d, monkeypatch):
    rng = np.random.default_rng(0)
    modes, x = _lattice(2, d, 5, rng), rng.uniform(-1, 1, (200, d))
    values = []
    for is_direct in (True, False):
        monkeypatch.setattr(lattice, "takes_longer_than_sums", lambda n, shape, r=is_direct: r)
        values.append(modes.evaluate(x))
    assert np.abs(values[0]).max() > 1
    np.testing.assert_allclose(*values, rtol=0, atol=1e-12 * np.abs(values[0]).max())


def test_few_waves_of_many_outputs_are_summed_one_by_one(monkeypatch):
    def transform(*arguments):
        raise AssertionError("a transform")

    monkeypatch.setattr(lattice, "nufft_type2", transform)
    rng = np.random.default_rng(0)
    _lattice(1, 3, 864, rng).evaluate(rng.uniform(-1, 1, (2000, 3)))
    with pytest.raises(AssertionError, match="a transform"):
        _lattice(10, 3, 1, rng).evaluate(rng.uniform(-1, 1, (2000, 3)))


def test_sums_are_of_no_use_for_many_waves():
    assert takes_longer_than_sums(2000, (864, 3, 3, 3))
    assert not takes_longer_than_sums(2000, (1, 41, 41, 41))
    assert not takes_longer_than_sums(100_000, (1, 2001))


@pytest.mark.parametrize(("n", "d"), [(500, 2), (300, 12), (40, 60)])
def test_nearest_are_those_of_all_distances(n, d):
    rng = np.random.default_rng(0)
    x, points = rng.uniform(-1, 1, (n, d)), rng.uniform(-1, 1, (70, d))
    distance, rows = Nearest(x).query(points, k=5)
    expected = np.linalg.norm(points[:, None] - x, axis=2)
    order = np.argsort(expected, axis=1)[:, :5]
    np.testing.assert_array_equal(rows, order)
    np.testing.assert_allclose(distance, np.take_along_axis(expected, order, axis=1))
    own, first = Nearest(x).query(x, k=1)
    assert not own.any()
    np.testing.assert_array_equal(first[:, 0], np.arange(n))


def test_in_many_dimensions_no_tree_is_searched(monkeypatch):
    monkeypatch.setattr(KDTree, "query", None)
    x = np.random.default_rng(0).uniform(-1, 1, (200, 30))
    assert Nearest(x).query(x, k=3)[1].shape == (200, 3)


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_gradient_is_that_of_the_derivatives(degree):
    rng = np.random.default_rng(0)
    terms = total_degree_terms(np.full(4, degree), degree)
    polynomial = LegendreSeries(terms, rng.standard_normal((len(terms), 1)))
    x = rng.uniform(-1, 1, 4)
    value, gradient = polynomial.with_gradient()(x)
    assert np.isclose(value, polynomial.evaluate(x[None])[0, 0])
    slopes = [polynomial.derivative(nu) for nu in np.eye(4, dtype=int).tolist()]
    expected = [slope.evaluate(x[None])[0, 0] for slope in slopes]
    np.testing.assert_allclose(gradient, expected, atol=1e-13)


def _noise(n, d, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-1, 1, (n, d)), rng.standard_normal((n, 1))
    return stage_problem(x, y, held=np.arange(0, n, 10))


@pytest.mark.parametrize("waiting", [1e6, 3e7, race.WAITING])
def test_terms_that_tell_nothing_of_noise_are_given_up(monkeypatch, waiting):
    """Once they took as long again as to the best of them, and no sooner than some time."""
    monkeypatch.setattr(race, "WAITING", waiting)
    problem = _noise(2000, 6)
    run_race(problem, [("polynomial", sparse_polynomials(problem))])
    errors = [row.validation_error for row in problem.trace.rows]
    spent = np.cumsum([max(row.operations, LEAST_OPERATIONS) for row in problem.trace.rows])
    until_best = spent[np.argmin(errors)]
    most = max(waiting, until_best)
    assert spent[-1] - until_best > most
    assert spent[-2] - until_best <= most
    every = [candidate.n_terms for candidate in sparse_polynomials(problem)]
    assert problem.trace.rows[-1].n_terms < every[-1] / 2


def test_sets_are_not_searched_for_long_where_nothing_but_noise_is_left():
    """A search takes what its best took, and little more: not its budget of 20 seconds."""
    problem = _noise(1500, 2)
    ladders = [*lattice_ladders(problem), *Polynomial().ladders(problem)]
    run_race(problem, [(str(number), ladder) for number, ladder in enumerate(ladders)])
    assert len(problem.trace.rows) > len(ladders)
    assert sum(row.operations for row in problem.trace.rows) < FLOPS_PER_SECOND
