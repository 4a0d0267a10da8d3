import numpy as np
import pytest
from conftest import tensor_grid

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.domain import (
    Domain,
    check_periods,
    detect_periods,
    find_grid,
    fold_end_points,
    uniform_spacing,
)
from skmsnn.sources.rows import merge_duplicates


def test_a_shuffled_grid_is_recognised_to_round_off(rng):
    axes = np.linspace(0.1, 0.7, 9), np.sort(rng.uniform(-5, 5, 7)), np.array([1.0, 2.0, 4.0])
    X = tensor_grid(*axes)[rng.permutation(9 * 7 * 3)]
    grid = find_grid(X * (1 + 2e-16 * rng.integers(-1, 2, X.shape)))
    assert grid is not None
    assert grid.shape == (9, 7, 3)
    assert grid.is_complete
    cells = np.unravel_index(grid.index, grid.shape)
    for j, nodes in enumerate(grid.nodes):
        np.testing.assert_allclose(nodes[cells[j]], X[:, j], rtol=1e-14)


def test_a_grid_with_holes_is_recognised(rng):
    X = tensor_grid(np.arange(10.0), np.arange(12.0))[rng.permutation(120)[:70]]
    grid = find_grid(X)
    assert grid is not None
    assert not grid.is_complete
    assert grid.shape == (10, 12)


def test_scattered_points_are_no_grid_but_points_on_a_line_are(rng):
    assert find_grid(rng.uniform(size=(50, 2))) is None
    assert find_grid(rng.uniform(size=(50, 1))).shape == (50,)


def test_two_points_in_one_cell_are_no_grid():
    assert find_grid(np.array([[1.0, 0.0], [1.0 + 2e-16, 0.0], [2.0, 0.0]])) is None


@pytest.mark.parametrize("holes", [0.0, 0.3])
def test_periods_are_found_where_the_data_are_periodic(rng, holes):
    x, y = 3 + np.arange(40) * 0.25, np.linspace(-1, 1, 32)
    X = tensor_grid(x, y)
    values = np.sin(2 * np.pi * X[:, 0] / 10) * np.exp(X[:, 1])
    kept = np.sort(rng.permutation(len(X))[: int((1 - holes) * len(X))])
    periods = detect_periods(find_grid(X[kept]), values[kept, None])
    assert periods[0] == pytest.approx(10)
    assert periods[1] is None


def test_a_period_with_both_end_points_is_not_taken_for_one_node_more():
    x = np.linspace(0, 2 * np.pi, 65)[:, None]
    assert detect_periods(find_grid(x), np.sin(x)) == [pytest.approx(2 * np.pi)]


def test_points_are_scaled_into_one_period():
    domain = Domain.of(np.array([[1.0], [3.0]]), [4.0])
    X = np.array([[1.0], [2.5], [5.0], [-3.0], [13.5]])
    np.testing.assert_allclose(domain.scale(X)[:, 0], [-1, -0.25, -1, -1, -0.75], atol=1e-15)


def test_noise_on_periodic_data_does_not_hide_the_period(rng):
    x = 2 * np.pi * np.arange(256)[:, None] / 256
    y = np.sin(x) + 1e-3 * rng.standard_normal(x.shape)
    assert detect_periods(find_grid(x), y)[0] == pytest.approx(2 * np.pi)


def test_scaling_far_from_the_origin_keeps_the_digits_of_the_points():
    u = np.linspace(-1, 1, 2**8 + 1)[:, None]  # exact in binary, and so is 2**30 + u
    domain = Domain.of(2**30 + u, [None])
    np.testing.assert_array_equal(domain.scale(2**30 + u), u)


@pytest.mark.parametrize("period", [2.5, 4.0, 10.0])
def test_a_period_is_mapped_to_length_two(period):
    X = np.array([[10.0], [11.0], [12.0]])
    domain = Domain.of(X, [period])
    np.testing.assert_allclose(domain.scale(X)[:, 0], -1 + 2 * np.arange(3) / period)


class TestUniformSpacing:
    @pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
    def test_in_any_unit(self, unit):
        nodes = unit * np.arange(50.0)
        assert uniform_spacing(nodes) == pytest.approx(unit)
        nodes[20] += 1e-10 * unit
        assert uniform_spacing(nodes) == pytest.approx(unit)
        nodes[20] += 1e-6 * unit
        assert uniform_spacing(nodes) is None

    def test_rounding_far_from_the_origin_is_no_unevenness(self):
        nodes = 1e6 + 1e-3 * np.arange(30)
        assert np.ptp(np.diff(nodes)) > 1e-9 * 1e-3
        assert uniform_spacing(nodes) == pytest.approx(1e-3, rel=1e-6)

    def test_of_few_nodes(self):
        assert uniform_spacing(np.array([3.0])) is None
        assert uniform_spacing(np.array([3.0, 5.0])) == 2


def test_periods_are_found_where_only_the_shortest_stencils_are_complete(rng):
    x, y = 0.25 * np.arange(40), np.linspace(-1, 1, 400)
    X = tensor_grid(x, y)[np.sort(rng.permutation(16000)[:4800])]
    grid = find_grid(X)
    values = np.sin(2 * np.pi * X[:, 0] / 10) * np.exp(X[:, 1])
    assert detect_periods(grid, values[:, None]) == [pytest.approx(10), None]
    assert detect_periods(grid, np.exp(X[:, :1] / 5)) == [None, None]


def test_end_points_a_period_apart_are_one_point():
    X = np.linspace(-1, 2 * np.pi - 1, 9)[:, None]
    folded = fold_end_points(X, [2 * np.pi])
    assert folded[-1, 0] == folded[0, 0]
    np.testing.assert_array_equal(folded[:-1], X[:-1])


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ([1.0], "1 periods for 2 features"),
        ([0.5, None], "smaller than the extent"),
        ([-1.0, None], "positive and finite"),
        ([np.inf, None], "positive and finite"),
        ([None, -1.0], "positive and finite, got -1.0 for feature 1"),
        ([None, 0.5], "smaller than the extent 1 of feature 1"),
    ],
)
def test_wrong_periods_are_told(period, message):
    with pytest.raises(ValueError, match=message):
        check_periods(period, np.array([[0.0, 0.0], [1.0, 1.0]]))


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (None, [None, None]),
        (3, [3.0, 3.0]),
        (2.0 * (1 - 1e-13), [2.0, 2.0]),
        ([None, 2.0], [None, 2.0]),
        (np.array([2.0, 5.0]), [2.0, 5.0]),
    ],
)
def test_periods_of_at_least_the_extent_are_taken(period, expected):
    assert check_periods(period, np.array([[3.0, -1.0], [5.0, 1.0]])) == pytest.approx(expected)


@pytest.mark.parametrize(("n", "found"), [(13, False), (14, True)])
def test_few_nodes_show_no_period(n, found):
    X = tensor_grid(np.arange(n) / n, np.linspace(0, 1, 30))
    periods = detect_periods(find_grid(X), np.sin(2 * np.pi * X[:, :1]) * np.exp(X[:, 1:]))
    assert periods == [pytest.approx(1.0) if found else None, None]


@pytest.mark.parametrize("value", [0.0, 3.25, -1e300])
def test_rounding_of_a_constant_column_stays_rounding(value):
    domain = Domain.of(np.full((3, 1), value), [None])
    np.testing.assert_array_equal(domain.scale(np.array([[value]])), [[0.0]])
    assert abs(domain.scale(np.array([[np.nextafter(value, np.inf)]]))[0, 0]) < 1e-15


@pytest.mark.parametrize("keep", [0.8, 0.55])
def test_periods_are_found_on_grids_with_many_holes(keep):
    angle, r = 2 * np.pi * np.arange(96) / 96, np.linspace(1, 3, 40)
    X = np.stack(np.meshgrid(angle, r, indexing="ij"), -1).reshape(-1, 2)
    X = X[np.random.default_rng(0).permutation(len(X))[: int(keep * len(X))]]
    y = np.cos(3 * X[:, 0] + 2 * X[:, 1]) / (1.5 + np.sin(X[:, 0])) * np.exp(-X[:, 1])
    rows = merge_duplicates(X, y[:, None], np.ones(len(X)))
    period, none = detect_periods(find_grid(rows.X), rows.y)
    assert period == pytest.approx(2 * np.pi)
    assert none is None


def test_periods_are_found_where_both_ends_are_on_the_grid():
    angle, r = np.linspace(0, 2 * np.pi, 65), np.linspace(1, 3, 20)
    X = np.stack(np.meshgrid(angle, r, indexing="ij"), -1).reshape(-1, 2)
    y = np.exp(np.sin(X[:, :1])) * X[:, 1:] ** 2
    rows = merge_duplicates(X, y, np.ones(len(X)))
    period, none = detect_periods(find_grid(rows.X), rows.y)
    assert period == pytest.approx(2 * np.pi)
    assert none is None
    folded = fold_end_points(X, [period, None])
    assert len(np.unique(folded[:, 0])) == 64


@pytest.mark.parametrize("function", [np.cos, np.square, lambda x: 1 / (1 + 4 * x**2)])
def test_equal_ends_alone_are_no_period(function):
    x = np.linspace(-1, 1, 65)[:, None]
    assert detect_periods(find_grid(x), function(x)) == [None]


@pytest.mark.parametrize("n", [20, 50])
@pytest.mark.parametrize("noise", [0.1, 0.2, 0.5])
def test_a_noisy_trend_has_no_period(n, noise, rng):
    t = np.linspace(0, 1, n)[:, None]
    for trend in (t[:, 0], np.sin(5 * t[:, 0])):
        y = trend + noise * rng.standard_normal(n)
        model = SpectrumInformedMSNNRegressor(random_state=0, n_stages=1).fit(t, y)
        assert not model.domain_.periodic.any()


def test_noise_with_holes_has_no_period(rng):
    X = tensor_grid(np.arange(30.0), np.arange(30.0))
    X = X[rng.permutation(900)[:700]]
    y = X[:, [0]] / 30 + 0.2 * rng.standard_normal((700, 1))
    assert detect_periods(find_grid(X), y) == [None, None]


def test_a_period_shows_through_little_noise(rng):
    t = np.arange(64)[:, None] / 64
    wave = np.sin(2 * np.pi * t + 0.3) + 0.01 * rng.standard_normal((64, 1))
    assert detect_periods(find_grid(t), wave) == [pytest.approx(1.0)]
