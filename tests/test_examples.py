"""The examples run, and say what is known of their data."""

import json
import runpy
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")


def run_script(name, folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "--size", "tiny", "--output", str(folder)])
    runpy.run_module(f"examples.paper.{name}", run_name="__main__")
    return capsys.readouterr().out


def held_out(output, recipe):
    """Held-out errors of a recipe's stages in the table that a script prints."""
    rows = [line.split("|") for line in output.splitlines() if line.startswith(f"| {recipe} |")]
    return [float(cells[4]) for cells in rows]


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("plot_figure_2_turbulence", "paper's recipe"),
        ("plot_figure_3_loss_and_spectrum", "multistage"),
    ],
)
def test_a_snapshot_with_fewer_modes_than_points_is_fitted_to_round_off(
    name, recipe, tmp_path, monkeypatch, capsys
):
    output = run_script(name, tmp_path, monkeypatch, capsys)
    assert held_out(output, "default")[-1] < 1e-13
    assert len(held_out(output, recipe)) > 0
    assert len(list(tmp_path.glob("*.png"))) == 1


@pytest.mark.parametrize("name", ["plot_figure_1_initialisation", "plot_msnn_1d"])
def test_comparisons_state_every_recipe(name, tmp_path, monkeypatch, capsys):
    output = run_script(name, tmp_path, monkeypatch, capsys)
    for recipe in ("scale factor", "default"):
        assert all(0 < error < 10 for error in held_out(output, recipe))
        assert held_out(output, recipe)
    assert "time of scale factor over that of default" in output
    assert len(list(tmp_path.glob("*.png"))) == 1


def at_length(folder, *arguments):
    from examples.paper import at_length as module

    module.main(["--size", "tiny", "--output", str(folder), *arguments])


def stages_of(folder):
    return json.loads((folder / "figure-3-stages.json").read_text())["stages"]


def test_long_runs_go_on_from_the_last_whole_stage(tmp_path, monkeypatch, capsys):
    from examples.paper import at_length as module

    runs = ["figure-1-spectrum", "figure-3-single", "figure-3-stages"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    at_length(whole, "--run", *runs, "--seconds", "0")
    assert capsys.readouterr().out.count("not begun") == len(runs)
    at_length(whole, "--run", *runs, "--seconds", "1000")
    # whether a stage gains anything is, of so few iterations, in the hands of rounding
    files = [whole / f"{run}.json" for run in runs]
    numbers = [[s["stage"] for s in json.loads(file.read_text())["stages"]] for file in files]
    assert all(own == [*range(1, len(own) + 1)] for own in numbers)
    assert len(numbers[1]) == 1
    assert capsys.readouterr().out.count(": stage ") == sum(map(len, numbers))
    at_length(whole, "--run", *runs)
    assert capsys.readouterr().out == ""

    fit_stage = module.stage_of

    def interrupted(model, k, data):
        if k == 3:
            raise KeyboardInterrupt
        return fit_stage(model, k, data)

    monkeypatch.setattr(module, "stage_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        at_length(broken, "--run", "figure-3-stages")
    monkeypatch.undo()
    kept = stages_of(broken)
    assert [stage["stage"] for stage in kept] == [1, 2]
    at_length(broken, "--run", "figure-3-stages")
    found, of_one_go = stages_of(broken), stages_of(whole)
    assert found[:2] == kept
    assert [stage["stage"] for stage in found[2:]] == [3, 4][: len(found) - 2]
    # from the residual of the stages before, though training amplifies the order of sums
    for one, other in zip(of_one_go, found, strict=False):
        assert other["loss"][0] == pytest.approx(one["loss"][0], rel=0.1)
    with pytest.raises(SystemExit, match="other settings"):
        at_length(broken, "--run", "figure-3-stages", "--seed", "1")


def test_long_runs_are_shown_in_a_table_and_a_picture(tmp_path, capsys):
    at_length(tmp_path, "--run", "figure-2-64")
    capsys.readouterr()
    at_length(tmp_path, "--table")
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if "e-" in line]
    assert [int(cells[5]) for cells in rows] == [1, 2, 3, 4]
    assert all(0 < float(cells[8]) < 10 for cells in rows)
    assert len(list(tmp_path.glob("*.png"))) == 1


def test_speeds_are_compared_with_plain_torch(tmp_path, capsys):
    at_length(tmp_path, "--speed")
    rows = capsys.readouterr().out.splitlines()[2:]
    assert all(float(row.split("|")[7]) > 0 for row in rows)
    assert len(rows) == 2


def test_the_solver_is_compared_with_what_is_known(tmp_path, monkeypatch, capsys):
    output = run_script("plot_turbulence_validation", tmp_path, monkeypatch, capsys)
    error = float(output.split("against the analytic solution: ")[1].split()[0])
    assert error < 1e-13
    order = float(output.splitlines()[3].split("|")[3])
    assert order > 2.5


def test_velocity_and_vorticity_are_exact_between_the_points(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "zoom.png"
    monkeypatch.setattr(sys, "argv", ["zoom", "--points", "32", "--output", str(picture)])
    runpy.run_module("examples.plot_velocity_and_vorticity", run_name="__main__")
    lines = capsys.readouterr().out.splitlines()
    errors = [float(line.split("error ")[1].split()[0]) for line in lines if "error" in line]
    assert len(errors) == 4
    assert max(errors) < 1e-11
    assert picture.exists()


def test_the_search_prunes_fits_after_a_stage(capsys):
    pytest.importorskip("optuna")
    pytest.importorskip("sklearn.callback")
    from examples import search_with_optuna

    search_with_optuna.main(["--trials", "6", "--points", "200", "--iterations", "4"])
    assert "6 trials, of which" in capsys.readouterr().out


def test_derivatives_of_six_functions(capsys):
    from examples.benchmarks import derivatives

    derivatives.main(["--size", "0.1"])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if "e-" in line]
    assert len(rows) == 6
    values, laplacians = (np.array([float(r[at]) for r in rows]) for at in (3, 5))
    assert np.all(values <= laplacians)


def test_a_search_finds_that_more_modes_leave_less(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["plot_search", "--size", "tiny"])
    runpy.run_module("examples.plot_search", run_name="__main__")
    first, _, *rows = capsys.readouterr().out.splitlines()
    assert "'n_modes': 8" in first
    for column in (0, 1):
        largest = [float(row[4:].split("|")[column].split()[0]) for row in rows]
        assert largest[-1] < largest[0]


def test_a_model_inside_solvers_conserves_energy_and_finds_the_lowest_place(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["plot_inside_solvers"])
    runpy.run_module("examples.plot_inside_solvers", run_name="__main__")
    energy, lowest = capsys.readouterr().out.splitlines()
    assert float(energy.split("at most ")[1]) < 1e-8
    assert float(lowest.split("slope ")[1].split()[0]) < 1e-8


def test_the_cost_and_latency_benchmarks_run(capsys):
    from examples.benchmarks import cost, latency

    cost.main(["--cases", "noisy sine, n = 1000", "mixed, 3 and 2 codes"])
    latency.main(["--points", "100"])
    output = capsys.readouterr().out
    assert output.count("noise") >= 1
    assert "MLPRegressor" in output


def printed(name, arguments, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_module(f"examples.{name}", run_name="__main__")
    return capsys.readouterr().out


def test_poisson_on_a_domain_with_a_hole(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "poisson.png"
    arguments = ["--points", "1500", "--output", str(picture)]
    output = printed("plot_poisson_on_a_domain_with_a_hole", arguments, monkeypatch, capsys)
    assert float(output.split("fresh points: ")[1].split()[0]) < 1e-11
    assert picture.exists()


def test_gradients_are_data(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "gradients.png"
    arguments = ["--most", "100", "--output", str(picture)]
    output = printed("plot_gradients_as_data", arguments, monkeypatch, capsys)
    errors = [float(line.split("error ")[1]) for line in output.splitlines() if "error" in line]
    assert errors[-1] < 0.5 * errors[-2]
    assert "the sign is wrong" in output
    assert picture.exists()


def test_a_nonlinear_equation(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "pendulum.png"
    output = printed("plot_nonlinear_equation", ["--output", str(picture)], monkeypatch, capsys)
    differences = [float(line.split("at most ")[1]) for line in output.splitlines()[1:3]]
    assert max(differences) < 1e-10
    assert picture.exists()


def test_an_equation_recovered_from_data(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "equation.png"
    arguments = ["--points", "48", "--output", str(picture)]
    output = printed("plot_equation_recovered_from_data", arguments, monkeypatch, capsys)
    errors = [float(line.split("error ")[1]) for line in output.splitlines() if "error" in line]
    assert len(errors) == 13
    assert max(errors) < 1e-3
    assert picture.exists()


def test_the_benchmark_of_conditions_runs(capsys):
    from examples.benchmarks import conditions

    conditions.main(["heat", "d = 10", "pendulum"])
    rows = [line.split("|") for line in capsys.readouterr().out.splitlines() if "e-" in line]
    assert len([r for r in rows if float(r[3]) < 1e-11]) == 3
