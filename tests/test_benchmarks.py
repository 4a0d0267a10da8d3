"""The benchmarks at a small size."""

import numpy as np
import pytest

from examples.benchmarks import accuracy, functions
from examples.benchmarks.cases import CASES


def cells(output, name):
    rows = [line for line in output.splitlines() if line.startswith(f"| {name} |")]
    return [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]


def test_accuracy_prints_goal_and_figure(capsys):
    accuracy.main(["--cases", "log-cosine", "waves", "pole, periodic", "--size", "0.4"])
    output = capsys.readouterr().out
    (log_cosine,) = cells(output, "log-cosine")
    assert float(log_cosine[1]) == 1e-14
    assert float(log_cosine[2]) < 1e-13
    assert len(cells(output, "waves")) == 2  # against its goal, and cross-validated
    (pole,) = cells(output, "pole, periodic")
    assert float(pole[1]) < 1e-13


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("turbulence")])
def test_cases_are_reproducible_and_finite(name):
    first, second = (CASES[name].data(seed=3, size=0.01) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert np.isfinite(a).all()
        np.testing.assert_array_equal(a, b)


def test_physical_functions_at_points_worked_out_by_hand():
    # borehole at the middle of its box: three resistances in series
    middle = np.full((1, 8), 0.5)
    log_ratio = np.log(25050 / 0.1)
    upper = log_ratio / (2 * np.pi * 89335)
    well = 2 * 1400 / (2 * np.pi * 0.1**2 * 10950)
    lower = log_ratio / (2 * np.pi * 89.55)
    assert functions.borehole(middle)[0] == pytest.approx((1050 - 760) / (upper + well + lower))
    # Genz's Gaussian is 1 at its centre; the oscillatory one is cos(0.6 pi) at the origin
    assert functions.genz_gaussian(np.full((1, 5), 0.4))[0] == 1
    assert functions.genz_oscillatory(np.zeros((1, 5)))[0] == pytest.approx(np.cos(0.6 * np.pi))
    assert functions.friedman(np.full((1, 10), 0.5))[0] == pytest.approx(
        10 * np.sin(np.pi / 4) + 7.5
    )
