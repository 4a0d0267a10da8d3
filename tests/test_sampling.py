"""Rows that stand for all: a few of them hold a fit as all do, between points and at the ends."""

import numpy as np
import pytest

from skmsnn.spaces.sampling import sampling_order, weight_at


@pytest.mark.parametrize("d", [1, 2, 5])
def test_every_point_is_in_the_order_once(d):
    x = np.random.default_rng(0).uniform(-1, 1, (500, d))
    order = sampling_order(x, np.arange(len(x)), np.random.default_rng(1))
    np.testing.assert_array_equal(np.sort(order), np.arange(500))


def test_density_is_half_even_and_half_that_of_chebyshev_nodes():
    x = np.linspace(-1, 1, 200_001)[:, None]
    first = x[sampling_order(x, np.arange(len(x)), np.random.default_rng(0))[:10_000], 0]
    edges = np.array([-1, -0.99, -0.9, -0.5, 0.5, 0.9, 0.99, 1])
    found = np.histogram(first, edges)[0] / len(first)
    expected = np.diff(edges) / 4 + np.diff(np.arcsin(edges)) / (2 * np.pi)
    # without replacement some of the densest cells are used up
    np.testing.assert_allclose(found, expected, rtol=0.1, atol=0.01)


def test_points_at_the_very_ends_do_not_take_the_share_of_those_beside_them():
    x = np.random.default_rng(0).uniform(-1, 1, (10_000, 1))
    x[:4] = [[-1.0], [1.0], [1.0], [-1.0]]
    first = x[sampling_order(x, np.arange(len(x)), np.random.default_rng(1))[:1000], 0]
    near = np.mean(np.abs(first) > 0.9)
    assert near == pytest.approx(0.05 + np.arccos(0.9) / np.pi, abs=0.05)


def test_few_rows_hold_polynomials_down_where_evenly_drawn_ones_do_not():
    """Of degree 40: what evenly drawn rows leave is far larger near the ends."""
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (20_000, 1))
    columns = np.polynomial.legendre.legvander(x[:, 0], 40) * np.sqrt(2 * np.arange(41) + 1)
    fresh = np.polynomial.legendre.legvander(np.linspace(-1, 1, 500), 40)
    fresh *= np.sqrt(2 * np.arange(41) + 1)

    every = np.arange(len(x))

    def largest_amplification(rows):
        return np.abs(fresh @ np.linalg.pinv(columns[rows])).sum(axis=1).max()

    even = [largest_amplification(rng.permutation(len(x))[:150]) for _ in range(5)]
    dense = [largest_amplification(sampling_order(x, every, rng)[:150]) for _ in range(5)]
    assert 5 * np.median(dense) < np.median(even)


def test_weights_of_other_rows_are_zero():
    weight = weight_at(np.array([2, 0]), np.array([0.5, 0.7, 1.0]))
    np.testing.assert_array_equal(weight, [0.5, 0.0, 1.0])
