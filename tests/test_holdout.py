"""Points are held out between others, and never all."""

import numpy as np
import pytest
from conftest import tensor_grid

from skmsnn.domain import find_grid
from skmsnn.validation.held_out import held_out_rows


def held(x, fraction, on_grid=False, periodic=False):
    flags = np.full(x.shape[1], periodic)
    grid = find_grid(x) if on_grid else None
    return held_out_rows(x, flags, grid, fraction, np.random.RandomState(0))


@pytest.mark.parametrize("fraction", [1e-9, 0.001, 0.01, 0.1, 0.3])
@pytest.mark.parametrize("n", [20, 21, 200])
def test_on_a_line_neither_ends_nor_neighbours(fraction, n):
    rows = held(np.linspace(-1, 1, n)[:, None], fraction)
    assert 1 <= len(rows) <= max(1, round(0.34 * n))
    assert rows[0] > 0
    assert rows[-1] < n - 1
    assert np.all(np.diff(rows) > 1)


@pytest.mark.parametrize(
    ("n", "fraction", "expected"), [(200, 0.1, 20), (207, 0.1, 20), (200, 0.28, 50), (21, 0.01, 1)]
)
def test_on_a_line_one_of_each_block_is_held_out(n, fraction, expected):
    assert len(held(np.linspace(-1, 1, n)[:, None], fraction)) == expected


@pytest.mark.parametrize(
    ("fraction", "expected"), [(1e-9, 1), (0.1, 6), (0.3, 19), (0.5, 32), (0.98, 63)]
)
def test_the_share_is_as_asked_for(fraction, expected, rng):
    rows = held(rng.uniform(-1, 1, (64, 2)), fraction)
    assert len(rows) == expected
    assert np.all(np.diff(rows) > 0)


def test_corners_of_a_grid_are_for_fitting():
    x = tensor_grid(np.linspace(-1, 1, 5), np.linspace(-1, 1, 5))
    rows = held(x, 0.9, on_grid=True)
    assert len(rows) == 21  # of 25, and 22 asked for
    assert not np.any(np.all(np.abs(x[rows]) == 1, axis=1))
    assert 0 in held(x, 0.9, on_grid=True, periodic=True)


@pytest.mark.parametrize("d", [1, 2])
def test_to_hold_out_all_is_an_error(d, rng):
    with pytest.raises(ValueError, match="holds out all of the 20 distinct points; lower it"):
        held(rng.uniform(-1, 1, (20, d)), 0.99)


class TestLines:
    """A node alone has its coordinates in common with others: whole lines are held out."""

    @staticmethod
    def lines(x, rows, axis):
        """Nodes of an axis of which all points are held out."""
        nodes = np.unique(x[:, axis])
        held_out = np.isin(np.arange(len(x)), rows)
        return [i for i, node in enumerate(nodes) if held_out[x[:, axis] == node].all()]

    @pytest.mark.parametrize("n", [(30, 40), (60, 24)])
    def test_on_a_complete_grid_the_rest_is_a_grid(self, n):
        x = tensor_grid(*[np.linspace(-1, 1, k) for k in n])
        rows = held(x, 0.1, on_grid=True)
        rest = np.setdiff1d(np.arange(len(x)), rows)
        assert find_grid(x[rest]).is_complete
        for axis in range(2):
            lines = self.lines(x, rows, axis)
            assert {1, n[axis] - 2} < set(lines)
            assert min(lines) > 0
            assert max(lines) < n[axis] - 1
            assert np.diff(lines).min() > 1
            assert [n[axis] - 1 - i for i in lines[::-1]] == lines

    def test_on_a_grid_with_holes_some_lines_and_single_points(self, rng):
        x = tensor_grid(np.linspace(-1, 1, 30), np.linspace(-1, 1, 30))
        x = x[np.sort(rng.permutation(900)[:700])]
        rows = held(x, 0.2, on_grid=True)
        assert [len(self.lines(x, rows, axis)) for axis in range(2)] == [2, 2]
        assert len(rows) == 140

    def test_few_nodes_have_no_lines_to_spare(self):
        x = tensor_grid(np.linspace(-1, 1, 7), np.linspace(-1, 1, 40))
        rows = held(x, 0.1, on_grid=True)
        assert self.lines(x, rows, 0) == []
        assert len(self.lines(x, rows, 1)) >= 4


def test_with_holes_lines_are_held_out_across_axes_that_are_not_periodic(rng):
    X = tensor_grid(np.linspace(-1, 1, 30), np.arange(30) / 15 - 1)
    X = X[rng.random(len(X)) < 0.7]
    periodic = np.array([False, True])
    held = held_out_rows(X, periodic, find_grid(X), 0.1, np.random.RandomState(0))
    kept = np.setdiff1d(np.arange(len(X)), held)
    assert len(np.unique(X[kept, 0])) == 28
    assert len(np.unique(X[kept, 1])) == 30
    assert len(held) == pytest.approx(0.1 * len(X), abs=1)
