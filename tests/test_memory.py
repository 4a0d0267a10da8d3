"""One budget of memory for all blocks of rows."""

import numpy as np
import pytest
import sklearn

from skmsnn._memory import blocks_of, rows_a_block, working_bytes
from skmsnn.functions.lattice import FourierSum, TensorFourierSeries
from skmsnn.functions.polynomial import LegendreSeries


def test_blocks_are_all_rows_once():
    rows = np.arange(1000)
    with sklearn.config_context(working_memory=1):
        parts = [rows[block] for block in blocks_of(len(rows), 1000)]
    assert len(parts) > 20
    np.testing.assert_array_equal(np.concatenate(parts), rows)
    assert list(blocks_of(0, 8)) == []


def test_the_budget_is_scikit_learn_s():
    with sklearn.config_context(working_memory=64):
        assert working_bytes() == 2**26
        few = rows_a_block(8)
    with sklearn.config_context(working_memory=128):
        assert rows_a_block(8) == 2 * few
    assert rows_a_block(2**60) == 1  # no block is empty


@pytest.mark.parametrize("kind", ["waves", "lattice", "polynomials"])
def test_values_do_not_depend_on_the_blocks(rng, kind):
    function = {
        "waves": FourierSum(rng.uniform(-9, 9, (300, 2)), np.ones((300, 1), dtype=complex)),
        "lattice": TensorFourierSeries(np.ones((9, 9, 1), dtype=complex), np.full(2, 4.0)),
        "polynomials": LegendreSeries(rng.integers(0, 6, (300, 2)), np.ones((300, 1))),
    }[kind]
    x = rng.uniform(-1, 1, (2000, 2))
    whole = function.evaluate(x)
    with sklearn.config_context(working_memory=0.1):
        np.testing.assert_allclose(function.evaluate(x), whole, rtol=1e-12, atol=1e-10)
    assert function.evaluate(x[:0]).shape == (0, 1)
