"""The benchmarks at a small size."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import tensor_grid
from scipy import interpolate

from examples.benchmarks import (
    accuracy,
    coverage,
    difficult_cases,
    functions,
    honesty,
    memory,
    methods,
    random_cases,
    regret,
    tables,
)
from examples.benchmarks.__main__ import is_best, main, skipped, summary
from examples.benchmarks.cases import CASES
from examples.benchmarks.competitors import COMPETITORS
from examples.benchmarks.methods import Problem
from examples.benchmarks.runner import Crew, Measurement, gradient_of, measure


def cells(output, name):
    rows = [line for line in output.splitlines() if line.startswith(f"| {name} |")]
    return [[cell.strip() for cell in row.strip("| ").split("|")] for row in rows]


def test_accuracy_prints_goal_and_figure(capsys):
    accuracy.main(["--cases", "log-cosine", "waves", "pole, periodic", "--size", "0.25"])
    output = capsys.readouterr().out
    (log_cosine,) = cells(output, "log-cosine")
    assert float(log_cosine[1]) == 1e-14
    assert float(log_cosine[2]) < 1e-13
    assert len(cells(output, "waves")) == 2  # against its goal, and cross-validated
    (pole,) = cells(output, "pole, periodic")
    assert float(pole[1]) < 1e-13


@pytest.mark.parametrize("name", [n for n in CASES if not n.startswith("turbulence")])
def test_cases_are_reproducible_and_finite(name):
    if name == "terrain":
        pytest.importorskip("matplotlib")
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


def test_functions_of_engineers_at_points_worked_out_by_hand():
    """Where the formulas become short."""
    # a pump at its own speed, and at twice the flow of twice the speed: four times the head
    assert functions.pump_head(np.array([[1450.0, 100.0]]))[0] == pytest.approx(32 - 2 - 4)
    assert functions.pump_head(np.array([[2900.0, 200.0]]))[0] == pytest.approx(4 * 26)
    # a call less a put is the spot less the discounted strike: far in the money the put is nothing
    assert functions.call_price(np.array([[1e4, 1.0]]))[0] == pytest.approx(
        1e4 - 100 * np.exp(-0.03)
    )
    # the volume of the piston's gas is the positive root of a quadratic equation
    middle = np.full((1, 20), 0.5)
    mass, area, volume, spring, pressure, gas = 45, 0.0125, 0.006, 3000, 1e5, 1e5 * 0.006 * 293
    force = pressure * area + 19.62 * mass - spring * volume / area
    V = np.roots([spring / area, force, -area * gas / 350]).max()
    cycle = 2 * np.pi * np.sqrt(mass / (spring + area**2 * gas / 350 / V**2))
    assert functions.piston(middle)[0] == pytest.approx(cycle)
    # families of Genz at their peaks, and a quadratic by hand
    peak = np.full((1, 5), 0.4)
    assert functions.genz_continuous(peak)[0] == functions.genz_product_peak(peak)[0] == 1
    assert functions.genz_corner_peak(np.zeros((1, 5)))[0] == 1
    assert functions.quadratic(np.array([[1.0, 2.0, 3.0]]))[0] == 26


@pytest.mark.parametrize("name", ["Lorenz, three outputs", "van der Pol"])
def test_trajectories_start_where_they_should_and_obey_their_equations(name, rng):
    trajectory = CASES[name].function
    start = np.atleast_1d(trajectory(np.zeros((1, 1)))[0])
    np.testing.assert_array_equal(start, np.array(trajectory.start)[list(trajectory.components)])
    (steps,) = trajectory.steps()
    assert steps[0] == 0
    assert steps[-1] == trajectory.end
    if name == "van der Pol":
        t = rng.uniform(0.1, 19.9, (50, 1))
        difference = (trajectory(t + 1e-5) - trajectory(t - 1e-5)) / 2e-5
        np.testing.assert_allclose(trajectory.gradient(t)[:, 0], difference, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n].group == "uneven"])
def test_uneven_points_form_a_grid_and_fresh_ones_lie_between(name):
    X, _, fresh, _ = CASES[name].data()
    axes = [np.unique(column) for column in X.T]
    assert len(X) == np.prod([len(axis) for axis in axes])
    steps = [np.diff(axis) for axis in axes]
    assert max(step.max() / step.min() for step in steps) > 1.5
    assert ((fresh >= X.min(axis=0)) & (fresh <= X.max(axis=0))).all()


def test_terrain_is_judged_at_nodes_that_are_not_fitted():
    pytest.importorskip("matplotlib")
    X, y, fresh, _ = CASES["terrain"].data()
    assert len(X) == len(np.unique(X, axis=0)) == 13_000
    assert len(np.unique(np.concatenate([X, fresh]), axis=0)) == 18_000
    assert np.all(y == np.round(y))  # heights in whole metres


def problem(function, axes, period=None):
    X = tensor_grid(*axes)
    return Problem(X, function(X), [np.asarray(a) for a in axes], period, {})


def test_fourier_interpolant_is_exact_for_a_trigonometric_polynomial(rng):
    def function(X):
        return np.cos(3 * X[:, 0] - 2 * X[:, 1]) + np.sin(X[:, 1])

    axes = [2 * np.pi * np.arange(n) / n for n in (9, 8)]
    shuffled = problem(function, axes, 2 * np.pi)
    order = rng.permutation(72)
    shuffled = replace(shuffled, X=shuffled.X[order], y=shuffled.y[order])
    model = COMPETITORS["FFT + NUFFT"].fit(shuffled)
    X = rng.uniform(0, 2 * np.pi, (50, 2))
    np.testing.assert_allclose(model.predict(X), function(X), atol=1e-12)
    slope = -3 * np.sin(3 * X[:, 0] - 2 * X[:, 1])
    np.testing.assert_allclose(model.gradient(X)[:, 0], slope, atol=1e-11)


def test_chebyshev_least_squares_is_exact_for_a_polynomial(rng):
    def function(X):
        return X[:, 0] ** 3 * X[:, 1] - 2 * X[:, 1] ** 2

    model = COMPETITORS["Chebyshev least squares"].fit(problem(function, [np.arange(9.0)] * 2))
    X = rng.uniform(0, 8, (50, 2))
    np.testing.assert_allclose(model.predict(X), function(X), rtol=1e-10, atol=1e-9)


ON_LINES = {
    "spline, k=3": 1e-4,
    "spline, k=5": 1e-6,
    "spline, k=7": 1e-7,
    "spline, k=9": 1e-7,
    "smoothing spline": 1e-3,
    "AAA": 1e-7,
    "plain Fourier extension": 1e-7,
}


@pytest.mark.parametrize("name", ON_LINES)
@pytest.mark.parametrize("uneven", [False, True])
def test_methods_of_one_dimension_fit_an_entire_function(name, uneven, rng):
    if name == "AAA" and not hasattr(interpolate, "AAA"):
        pytest.skip("SciPy 1.15 and later")
    competitor = COMPETITORS[name]
    nodes = np.linspace(-1, 1, 60)
    nodes = nodes * np.abs(nodes) if uneven else nodes
    given = problem(lambda X: np.exp(X[:, 0]), [nodes])
    assert competitor.unsuited(given) is None
    X = rng.uniform(-1, 1, (50, 1))
    found = competitor.fit(given).predict(X)
    np.testing.assert_allclose(found, np.exp(X[:, 0]), rtol=ON_LINES[name])


@pytest.mark.parametrize("name", ["spline, k=9, of log x", "grid quintic, of logs"])
def test_logarithms_are_of_features_over_decades(name, rng):
    d = 1 if name.startswith("spline") else 2
    axes = [np.geomspace(1e-3, 1e3, 60), np.linspace(0, 1, 12)][:d]

    def function(X):
        return np.sin(np.log(X[:, 0])) + X[:, -1] * (d - 1)

    given = problem(function, axes)
    assert COMPETITORS[name].unsuited(given) is None
    assert COMPETITORS[name].unsuited(problem(function, [a + 2e3 for a in axes])) is not None
    X = np.stack([10 ** rng.uniform(-3, 3, 50), rng.uniform(0, 1, 50)][:d], axis=1)
    kept = X.copy()
    found = COMPETITORS[name].fit(given).predict(X)
    np.testing.assert_allclose(found, function(X), atol=1e-3)
    np.testing.assert_array_equal(X, kept)


# a method, the module that it needs, and the error that is asked of it
SMALL = {
    "sparse chaos (openturns)": ("openturns", 1e-8),
    "sparse chaos (LARS)": ("sklearn", 1e-8),
    "tensor train (teneva)": ("teneva", 1e-5),
    "tensor train on grid (teneva)": ("teneva", 1e-8),
    "kriging (SMT)": ("smt", 1e-3),
    "PolynomialFeatures + Ridge": ("sklearn", 1e-8),
    "local RBF": ("scipy", 0.1),
}


@pytest.mark.parametrize("name", SMALL)
def test_methods_of_several_dimensions_fit_a_polynomial(name, rng):
    package, allowed = SMALL[name]
    pytest.importorskip(package)

    def function(X):
        return 1 + X[:, 0] ** 3 * X[:, 1] - 2 * X[:, 1] ** 2

    given = problem(function, [np.linspace(-1, 1, 14), np.linspace(0, 3, 13)])
    X = np.stack([rng.uniform(-1, 1, 50), rng.uniform(0, 3, 50)], axis=1)
    assert COMPETITORS[name].unsuited(given) is None
    model, note = COMPETITORS[name].train(given)
    assert not note
    error = np.linalg.norm(model.predict(X) - function(X)) / np.linalg.norm(function(X))
    assert error < allowed


def test_rows_and_outputs_that_a_method_does_not_take(rng):
    method = replace(COMPETITORS["spline, k=3"], rows=50, outputs=False)
    x = np.linspace(-1, 1, 200)
    given = Problem(x[:, None], np.stack([x, x**2, x**3], axis=1), None, None, {})
    model, note = method.train(given)
    assert note == "of 50 points"
    fresh = rng.uniform(-0.9, 0.9, (20, 1))
    np.testing.assert_allclose(model.predict(fresh), fresh ** [1, 2, 3], atol=1e-12)
    whole, note = COMPETITORS["spline, k=3"].train(given)
    assert note == ""
    np.testing.assert_allclose(whole.predict(fresh), fresh ** [1, 2, 3], atol=1e-12)


def test_a_package_that_is_absent_is_named(monkeypatch):
    monkeypatch.setattr(methods, "find_spec", lambda name: None)
    for name in ("gpytorch", "pykan", "sparse chaos (openturns)", "tensor train (teneva)"):
        result = measure("quadratic, d = 3", name, size=0.01)
        assert result.note.endswith("is not installed")
        assert not result.is_final


@pytest.mark.parametrize("name", ["grid cubic", "Clough-Tocher", "spline, k=3", "FFT + NUFFT"])
def test_what_does_not_suit_says_why(name):
    scattered = Problem(np.zeros((5, 4)), np.zeros(5), None, None, {})
    assert isinstance(COMPETITORS[name].unsuited(scattered), str)


def test_gradients_of_cases_are_those_of_finite_differences(rng):
    for name in ("turbulence 128", "waves", "borehole, d = 8"):
        case = CASES[name]
        X = case.points.fresh(rng, 20)
        X = 0.1 + 0.8 * X  # away from the ends
        step = 1e-5 * np.eye(X.shape[1])[0]
        difference = (case.function(X + step) - case.function(X - step)) / 2e-5
        gradient = gradient_of(case, X)[:, 0]
        np.testing.assert_allclose(gradient, difference, rtol=1e-5, atol=1e-6)
    assert gradient_of(CASES["cubed kink"], CASES["cubed kink"].points.fresh(rng, 50)) is None


def test_the_best_is_the_smallest_or_close_to_it_at_round_off():
    def of(error):
        return Measurement("", "", error=error)

    assert is_best(of(1e-6), [of(2e-6), of(None)])
    assert not is_best(of(2e-6), [of(1e-6)])
    assert is_best(of(2.9e-15), [of(1e-15)])
    assert not is_best(of(3.1e-15), [of(1e-15)])
    assert not is_best(of(None), [of(1.0)])


def test_a_comparison_from_the_command_line(tmp_path, capsys):
    """A method past its limit is ended and shown; the next one is measured all the same."""
    pytest.importorskip("matplotlib")
    methods = ["default", "MLPRegressor", "FFT + NUFFT", "gpytorch"]
    arguments = ["--cases", "turbulence 128", "--size", "0.3", "--limit", "3", "--jobs", "1"]
    main([*arguments, "--methods", *methods, "--output", str(tmp_path)])
    output = capsys.readouterr().out
    assert "more than 3 s" in output
    results = {r["competitor"]: r for r in json.loads((tmp_path / "benchmark.json").read_text())}
    assert results["FFT + NUFFT"]["error"] > 0
    assert results["MLPRegressor"]["error"] is None
    assert (tmp_path / "error_against_time.png").exists()
    assert "### Summary" in (tmp_path / "benchmark.md").read_text()


def test_what_is_finished_is_not_measured_again(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    arguments = ["--cases", "fast wave", "cubed kink", "--size", "0.1", "--output", str(tmp_path)]
    main([*arguments, "--methods", "spline, k=3", "grid cubic", "--jobs", "1"])
    kept = tmp_path / "measurements.jsonl"
    first = kept.read_text()
    assert len(first.splitlines()) == 4
    kept.write_text(first + '["fast wave", "spline, k=5", 0')  # cut short
    capsys.readouterr()
    main([*arguments, "--methods", "spline, k=3", "grid cubic", "spline, k=5", "--jobs", "2"])
    assert "6 measurements, of which 4 were kept" in capsys.readouterr().out
    assert kept.read_text().startswith(first)
    assert len(kept.read_text().splitlines()) == 6
    main([*arguments, "--methods", "spline, k=3", "--again", "spline, k=3", "--jobs", "1"])
    assert "2 measurements, of which 0 were kept" in capsys.readouterr().out
    assert len(kept.read_text().splitlines()) == 6
    one = ["--cases", "fast wave", *arguments[3:], "--methods", "grid cubic", "spline, k=3"]
    main([*one, "--again", "spline, k=3", "--jobs", "1"])
    # of the other case what was measured before is kept
    assert "2 measurements, of which 1 were kept" in capsys.readouterr().out
    assert len(kept.read_text().splitlines()) == 6
    other = Crew(limit=30.0, path=kept)  # another limit might have another result
    assert not other.known("fast wave", "spline, k=3", 0, 0.1)
    other.close()


def test_the_summary_counts_and_lists_what_was_better():
    groups = {
        "one": [
            Measurement("one", "default", 9, 1e-6, fit_seconds=1.0),
            Measurement("one", "AAA", 9, 1e-8, fit_seconds=0.5),
            Measurement("one", "pykan", 9, note="more than 25 s"),
        ],
        "two": [
            Measurement("two", "default", 9, 2e-15, fit_seconds=1.0),
            Measurement("two", "AAA", 9, 1e-15, fit_seconds=0.5),
        ],
        "three": [
            Measurement("three", "default", 9, note="more than 60 s"),
            Measurement("three", "AAA", 9, 1e-3, fit_seconds=0.5),
        ],
    }
    text = summary(groups)
    assert "in 1 of 3 cases" in text
    assert "- one: 1.0e-06 against 1.0e-08 of AAA in 0.5 s, 1e+02 times" in text
    assert "- three: more than 60 s against 1.0e-03 of AAA" in text
    assert "- two" not in text
    lines = skipped(groups).splitlines()
    assert "| default | more than 60 s | three |" in lines
    assert "| pykan | more than 25 s | one |" in lines


@pytest.mark.parametrize(
    "draw", random_cases.KINDS + difficult_cases.KINDS, ids=lambda draw: draw.__name__
)
def test_random_cases_are_reproducible_and_what_they_say(draw):
    first, second = (draw(np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first.X, second.X)
    np.testing.assert_array_equal(first.y, second.y)
    assert np.isfinite(first.truth(first.fresh)).all()
    rest = first.y - first.truth(first.X)
    assert np.sqrt(np.mean(rest**2)) == pytest.approx(first.noise, rel=0.3)
    inside = (first.fresh >= first.X.min(axis=0)) & (first.fresh <= first.X.max(axis=0))
    assert inside.all()


# of each kind that is quick to fit: waves, a kink, noise, levels, even functions, an offset, waves
# beyond Nyquist's
# where levels are left out, errors between the others are up to 130 times smaller
pessimistic = pytest.mark.xfail(strict=False, reason="few levels tell little of what is between")


@pytest.mark.parametrize(
    "number",
    [
        *(51, 54, 57, 62, 64, 49, 50),
        pytest.param(9, marks=pessimistic),
        pytest.param(10, marks=pessimistic),
    ],
)
def test_the_reported_residual_is_the_error_on_fresh_points(number):
    outcome = honesty.run(number, max_iter=5)
    assert not outcome.is_silent
    assert not outcome.is_wrong_word
    if outcome.knowable:
        assert not outcome.is_optimistic
        assert not outcome.is_pessimistic


def test_honesty_is_counted(capsys):
    (outcome,) = honesty.main(["--first", "51", "--cases", "1", "--max-iter", "5"])
    assert outcome.kind == "resolved"
    output = capsys.readouterr().out
    assert "error at most 10 times the reported: 1 of 1" in output
    assert "without a warning: 0 of 1" in output
    assert cells(output, "resolved")[-1][-1] == "1 of 1"


def test_dishonest_outcomes_are_seen():
    honest = honesty.Outcome(
        "", "", 1e-6, 5e-6, "undersampled", True, True, frozenset(), 0, 0, 1e-8
    )
    assert not honest.is_optimistic
    assert not honest.is_pessimistic
    worse = honest._replace(error=2e-5)
    assert worse.is_optimistic
    assert not worse.is_silent
    assert worse._replace(warned=False).is_silent
    assert not worse._replace(warned=False, tol=1e-4).is_silent
    assert honest._replace(error=5e-9).is_pessimistic
    assert honest._replace(right=frozenset({"noise"})).is_wrong_word


def test_regret_is_counted(capsys):
    outcomes = [*regret.main(["--cases", "1"]), *regret.main(["--cases", "1", "--first", "31"])]
    assert [outcome.place for outcome in outcomes] == ["grid", "holes"]
    for outcome in outcomes:
        assert outcome.n_waves > 0
        assert 0 < outcome.best <= outcome.error < 1e-10
        assert outcome.ratio <= 10
    output = capsys.readouterr().out
    assert "at most 10 times the best: 100.0% (goal 95%)" in output
    assert len(cells(output, "31")) == 1


def test_the_ratio_is_that_to_the_best():
    outcome = regret.Outcome(0, "", "", 0, 1e-6, 1e-8, "", "", 0.0)
    assert outcome.ratio == pytest.approx(100)
    assert outcome._replace(best=1e-5).ratio == 1


linux = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")


@linux
def test_fits_within_a_bound(capsys):
    cases = ["--cases", "scattered, periodic"]
    assert memory.print_peaks(cases[1:], 5000, 500)
    (fitted,) = cells(capsys.readouterr().out, "scattered, periodic")
    assert float(fitted[3]) < 1e-13
    assert 0 < float(fitted[5]) < 500
    assert not memory.print_peaks(["scattered"], 20000, 20)
    (beyond,) = cells(capsys.readouterr().out, "scattered")
    assert "over 20" in beyond[5]
    assert "lloc" in beyond[4]  # NumPy's or torch's word for it


@linux
def test_many_fits_do_not_gather_memory():
    assert memory.growth(45) < 10  # MiB; a Jacobian kept by each fit would be more


def test_numbers_that_decide_are_changed_one_at_a_time(capsys, tmp_path):
    from examples.benchmarks import sensitivity

    found = sensitivity.numbers()
    assert found["skmsnn._comparison.FAR"] == 10
    assert [sensitivity.changed(v, 2.0) for v in (3, 10.0, 1.5, 0.9, 0.2)] == pytest.approx(
        [6, 20.0, 2.0, 0.95, 0.4]
    )
    reference = ["", 1.0, [1e-3, 1e-15], [1.0, 1.0], 0]
    worse = ["x", 2.0, [1e-2, 2e-15], [2.0, 1.0], 1]
    mean, worst, time, silent = sensitivity.compared(worse, reference)
    assert (worst, time, silent) == ("10", "1.50", 1)
    # ten times, and what is below rounding counts as the same
    assert float(mean) == pytest.approx(np.sqrt(10 * 1.09), abs=0.01)


def coloured():
    """A straight line whose offset is named by text, with two incomplete rows."""
    pandas = pytest.importorskip("pandas")
    x = np.linspace(-1, 2, 42)
    colour = np.resize(["red", "green", "blue"], 42)
    frame = pandas.DataFrame({"x": x, "colour": colour, "y": 2 * x + 3 * (colour == "red")})
    frame.loc[3, "x"], frame.loc[7, "colour"] = np.nan, None
    return frame.assign(name=[f"row {k}" for k in range(42)])


@pytest.fixture
def line(monkeypatch):
    monkeypatch.setitem(tables.TABLES, "line", tables.Table("sklearn", "line", "y", ("name",)))
    monkeypatch.setattr(tables, "_frame", lambda table: coloured())


@pytest.mark.usefixtures("line")
def test_tables_become_numbers():
    X, y = tables.load("line")
    assert X.shape == (40, 4)
    np.testing.assert_array_equal(X[:, 1:].sum(axis=1), 1)
    np.testing.assert_allclose(2 * X[:, 0] + 3 * X[:, 3], y)  # blue, green, red


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("linnerud", (20, 3)),
        ("engel", (235, 1)),
        ("co2 over time", (2225, 1)),
        ("star98", (303, 20)),
        ("faithful", (272, 1)),
        ("mcycle", (133, 1)),
        ("road", (26, 5)),
        ("Credit", (400, 11)),
    ],
)
def test_tables_of_packages(name, shape):
    pytest.importorskip("pandas")
    pytest.importorskip(tables.TABLES[name].package)
    X, y = tables.load(name)
    assert X.shape == shape
    assert y.shape == shape[:1]
    assert np.isfinite(X).all()
    assert np.isfinite(y).all()
    if name == "star98":
        assert np.all((y > 0) & (y < 1))
    if name == "co2 over time":
        assert X[0, 0] == 0
        assert np.all(np.diff(X[:, 0]) % 7 == 0)


@pytest.mark.usefixtures("line")
def test_tables_are_scored_and_rivals_kept(tmp_path, capsys):
    cache = tmp_path / "tables.json"
    arguments = ["--tables", "line", "--cache", str(cache)]
    found = tables.main([*arguments, "--methods", "default", "ridge", "Gaussian process"])["line"]
    # a line with offsets is in the reach of each
    assert min(found.values()) > 0.9999
    output = capsys.readouterr().out
    (line,) = cells(output, "line")
    assert line[1:3] == ["40", "4"]
    assert "within 0.03 of the best of ridge, Gaussian process: 1 of 1 tables" in output
    kept = json.loads(cache.read_text())
    kept["line"]["ridge"] = [0.25, 1.0]
    cache.write_text(json.dumps(kept))
    methods = ["--methods", "ridge", "neighbours"]
    again = tables.main([*arguments, *methods])["line"]
    assert again["ridge"] == 0.25
    assert again["neighbours"] < 1
    assert tables.main([*arguments, *methods, "--again", "ridge"])["line"]["ridge"] > 0.9999


def test_the_summary_of_tables_counts_what_is_far():
    lines = tables.summary(
        {
            "one": {"default": 0.90, "ridge": 0.80, "forest": 0.95, "SVR": 0.92},
            "two": {"default": 0.50, "ridge": 0.60, "forest": 0.20, "SVR": 0.40},
            "three": {"default": -9.0, "ridge": 0.0, "forest": 0.30, "SVR": 0.20},
        }
    )
    assert "ridge, SVR: 1 of 3 tables (33%)" in lines[0]
    assert lines[1] == "more than 0.05 below ridge: 2 tables: three (9.000), two (0.100)"
    # ranks 3, 2, 4 of the default; 2, 3, 2 of SVR
    assert "default 3.00" in lines[2]
    assert "SVR 2.33" in lines[2]


def test_tables_of_absent_packages_are_named(monkeypatch, capsys):
    monkeypatch.setattr(tables, "find_spec", lambda name: None)
    assert tables.main(["--tables", "engel", "--methods", "ridge"]) == {}
    assert "statsmodels is not installed: without engel" in capsys.readouterr().out


def test_coverage_by_region_is_printed(capsys):
    coverage.main(["--cases", "3", "--first", "4"])
    lines = capsys.readouterr().out.splitlines()
    cases = [line.split(" | ")[1] for line in lines if "interactions" in line or "front" in line]
    assert cases == ["interactions", "front"]
    (overall,) = [
        line for line in lines if line.startswith("| all |") and "%" in line.split("|")[3]
    ]
    shares = [float(cell.strip(" %")) for cell in overall.split("|")[3:6]]
    assert all(50 < share <= 100 for share in shares)


def test_regions_of_coverage_are_what_they_say(rng):
    X = rng.uniform(0, 3, (50, 2))
    inside, outer, outside = coverage.regions(X, rng)
    half = np.ptp(X, axis=0) / 2
    distance = [
        np.abs((P - X.min(axis=0)) / half - 1).max(axis=1) for P in (inside, outer, outside)
    ]
    assert distance[0].max() <= 0.9 < distance[1].min()
    assert distance[1].max() <= 1 < distance[2].min()
    assert distance[2].max() <= 1.15
