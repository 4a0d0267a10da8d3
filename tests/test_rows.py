import numpy as np
import pytest

from skmsnn.sources.rows import merge_duplicates


def test_weights_equal_repetition_to_the_last_bit(rng):
    X = rng.standard_normal((30, 2)).round(1)
    y = rng.standard_normal((30, 2))
    weight = rng.integers(0, 4, 30).astype(float)
    repeated = np.repeat(np.arange(30), weight.astype(int))
    one = merge_duplicates(X, y, weight)
    other = merge_duplicates(X[repeated], y[repeated], np.ones(len(repeated)))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_row_order_does_not_matter(rng):
    X, y, weight = rng.standard_normal((3, 20, 1)).round(1)
    order = rng.permutation(20)
    one = merge_duplicates(X, y, np.abs(weight[:, 0]) + 1)
    other = merge_duplicates(X[order], y[order], np.abs(weight[order, 0]) + 1)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_values_at_one_point_are_averaged_by_weight():
    rows = merge_duplicates(np.zeros((2, 1)), np.array([[1.0], [4.0]]), np.array([2.0, 1.0]))
    np.testing.assert_allclose(rows.y, [[2.0]])
    np.testing.assert_array_equal(rows.weight, [1.0])


def test_signed_zeros_are_one_point():
    rows = merge_duplicates(np.array([[0.0], [-0.0]]), np.ones((2, 1)), np.ones(2))
    assert len(rows.X) == 1


def test_no_positive_weight_is_an_error():
    with pytest.raises(ValueError, match="sample_weight is zero everywhere"):
        merge_duplicates(np.zeros((2, 1)), np.zeros((2, 1)), np.zeros(2))


def test_weights_of_any_size(rng):
    """Only ratios count, and none that its square root, 1e-17, would hide in rounding."""
    X, y = np.array([[1.0], [1.0], [2.0], [3.0]]), np.ones((4, 1))
    for unit in (1e-323, 1e-300, 1.0, 2.0**1023):
        rows = merge_duplicates(X, y, np.array([unit, unit, unit, 1e-34 * unit]))
        np.testing.assert_array_equal(rows.X, [[1.0], [2.0]])
        np.testing.assert_array_equal(rows.weight, [1.0, 0.5])


def test_small_weights_that_count_are_kept():
    rows = merge_duplicates(
        np.arange(3.0)[:, None], np.ones((3, 1)), np.array([1e200, 1e170, 1e160])
    )
    np.testing.assert_allclose(rows.weight, [1.0, 1e-30], rtol=1e-15)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_points_are_sorted_by_the_first_feature_then_the_next(rng, d):
    X = rng.integers(0, 3, (100, d)).astype(float)
    rows = merge_duplicates(X, rng.integers(0, 2, (100, 2)).astype(float), np.ones(100))
    np.testing.assert_array_equal(rows.X, np.unique(X, axis=0))
