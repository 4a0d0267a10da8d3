"""The benchmarks of data whose error is easily misjudged, at a small size."""

import json

import numpy as np
import pytest

from examples.benchmarks import few_points, hard_cases, honesty, standard_functions


@pytest.mark.parametrize("number", hard_cases.KINDS)
def test_hard_cases_are_reproducible_and_what_they_say(number):
    for problem in hard_cases.KINDS[number][1]:
        first, second = (problem.draw(np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(first.X, second.X)
        np.testing.assert_array_equal(first.y, second.y)
        assert np.isfinite(first.truth(first.fresh)).all()
        rest = first.y - first.truth(first.X)
        assert np.sqrt(np.mean(rest**2)) == pytest.approx(first.noise, rel=0.3)
        assert problem.noisy == (first.noise > 0)
        assert ((first.fresh >= first.X.min(0)) & (first.fresh <= first.X.max(0))).all()
        edges = hard_cases.near_faces(first.fresh, np.random.default_rng(0))
        depth = (edges - first.fresh.min(axis=0)) / np.ptp(first.fresh, axis=0)
        assert (np.minimum(depth, 1 - depth).min(axis=1) <= 0.025).all()


def test_hard_cases_are_counted_and_compared(capsys, tmp_path):
    path = tmp_path / "outcomes.json"
    arguments = ["--rows", "11", "--quick", "--json", str(path)]
    outcomes = hard_cases.main(arguments)
    assert [outcome.row for outcome in outcomes] == [11, 11]
    assert all(outcome.error < 0.1 for outcome in outcomes)
    kept = json.loads(path.read_text())
    kept[0]["error"] = kept[0]["error"] * 1e4
    path.write_text(json.dumps(kept))
    capsys.readouterr()
    hard_cases.main([*arguments[:3], "--before", str(path)])
    output = capsys.readouterr().out
    (last,) = (line for line in output.splitlines() if line.startswith("| 11 | few uneven levels"))
    assert last.endswith("| 1e+02 |")
    assert "silent: 0 of 2" in output


def test_reasons_without_noise_are_counted(capsys):
    functions = {"Park": standard_functions.STANDARD["Park"]}
    reasons = hard_cases.noise_free(functions=functions, sizes=(50,), seeds=1)
    assert reasons.total() == 1
    assert f"{reasons['noise']} of 1 end with the reason noise" in capsys.readouterr().out


def test_standard_functions_at_points_worked_out_by_hand():
    def at(name, *x):
        return standard_functions.STANDARD[name][0](np.array([x], dtype=float))[0]

    for name, (function, d) in standard_functions.STANDARD.items():
        assert function(np.full((3, d), 0.4)).shape == (3,), name
    # sin(pi / 2) + 7 + 0.1 pi^4; all terms but one vanish; an arm stretched out, and folded
    assert at("Ishigami", 0.75, 0.75, 1) == pytest.approx(8 + 0.1 * np.pi**4)
    assert at("Rosenbrock", *[0.4] * 5) == pytest.approx(0)
    assert at("Sobol' G", *[0.5] + [1] * 7) == 0
    assert at("robot arm", 0, 0, 0, 0, 1, 0.5, 0.25, 1) == pytest.approx(2.75)
    assert at("robot arm", 0, 0.5, 0, 0, 1, 1, 0, 0) == pytest.approx(0)
    assert at("Welch", *[0.5] * 20) == 0
    # 4 (1 - 2 + 8 - 8)^2 + 1 + 16 sqrt 2, and sums of ones
    tail = sum(k * np.log(k - 1) for k in range(4, 9))
    assert at("Dette & Pepelyshev", *[1] * 8) == pytest.approx(5 + 16 * 2**0.5 + tail)
    assert at("Park", 1, 0, 0, 1) == pytest.approx(4 * np.e)


def test_honesty_of_difficult_cases_is_counted_and_silent_ones_are_named(capsys):
    (outcome,) = honesty.main(["--kinds", "difficult", "--first", "13", "--cases", "1"])
    assert outcome.kind == "ring"
    honesty.print_summary([outcome._replace(error=1.0, reported=1e-3, warned=False)])
    output = capsys.readouterr().out
    assert "true error at most 10 times the reported one: 100.0%" in output
    assert "true error at most 10 times the reported one: 0.0%" in output
    assert "silent cases: 13 (ring)" in output


def test_few_points_are_compared_with_rivals(capsys):
    found = few_points.main(["--sizes", "30", "--designs", "1", "--functions", "Park"])
    one = found["Park", 30]
    assert one.best <= one.process
    assert one.error < 5 * one.best
    assert 0 <= one.at_edge <= 1
    printed = capsys.readouterr().out
    assert f"| {one.best_name} |" in printed
    assert "n = 30: ours / best, median" in printed
