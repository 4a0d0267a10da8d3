"""Why a stage is of its family: the record of the selection, in text, HTML and pictures."""

import io
import runpy
import sys
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn._html import selection_table
from skmsnn._progress import Progress
from skmsnn.cli import main as run_command
from skmsnn.conditions import laplacian
from skmsnn.persistence import TRUSTED_TYPES
from skmsnn.selection.summary import (
    family_summaries,
    headline,
    stage_lines,
    stages_of,
    summary_lines,
)

ROOT = Path(__file__).parents[1]
STATUSES = {"won", "worse", "overfits", "forecast", "too costly", "time", "unsupported"}
TYPES = {
    "stage": np.int64,
    "family": str,
    "label": str,
    "n_terms": np.int64,
    "operations": np.float64,
    "seconds": np.float64,
    "validation_error": np.float64,
    "standard_error": np.float64,
    "train_error": np.float64,
    "status": str,
    "reason": str,
}
NAN = float("nan")
ROWS = [
    # stage, family, label, terms, operations, seconds, validation, standard, train, status, reason
    (1, "polynomial", "degree 4", 15, 1e5, 0.01, 1e-2, 1e-3, 9e-3, "worse", ""),
    (1, "polynomial", "degree 8", 45, 1e6, 0.02, 1e-6, 1e-7, 9e-7, "won", ""),
    (1, "polynomial", "degree 16", 153, 2e7, 0.07, 3e-6, 2e-7, 1e-9, "overfits", "error rose"),
    (1, "fourier", "8 x 8", 64, 1e6, 0.05, 2e-2, 1e-3, 1e-2, "worse", ""),
    (1, "fourier", "16 x 16", 256, 3e7, 0.25, 2e-4, 1e-5, 1e-4, "forecast", "far from <1e-6>"),
    (1, "rational", "", 0, NAN, 0.0, NAN, NAN, NAN, "unsupported", "X has two features"),
    (1, "network", "30 x 30", 1000, 1e10, 9.0, NAN, NAN, NAN, "too costly", "1e+10 operations"),
    (2, "polynomial", "degree 8", 45, 1e6, 0.02, 0.0, NAN, 0.0, "won", ""),
]


def record(rows=ROWS):
    columns = zip(*rows, strict=True)
    return {
        name: np.array(values, dtype=kind)
        for (name, kind), values in zip(TYPES.items(), columns, strict=True)
    }


class TestSummary:
    def test_the_winner_is_first_and_what_was_never_scored_last(self):
        families = [summary.family for summary in family_summaries(record(), 1)]
        assert families == ["polynomial", "fourier", "rational", "network"]
        assert stages_of(record()) == [1, 2]
        assert family_summaries(record(), 3) == []

    def test_the_winning_candidate_stands_for_its_family(self):
        winner = family_summaries(record(), 1)[0]
        assert (winner.label, winner.n_terms, winner.n_candidates) == ("degree 8", 45, 3)
        assert winner.seconds == pytest.approx(0.1)
        assert winner.operations == pytest.approx(2.11e7)
        assert winner.outcome == "won, then overfits: error rose"

    def test_of_other_families_the_best_candidate_and_the_end(self):
        _, fourier, rational, network = family_summaries(record(), 1)
        assert fourier.validation_error == 2e-4
        assert fourier.outcome == "forecast: far from <1e-6>"
        assert not rational.is_scored
        assert not network.is_scored
        assert network.status == "too costly"

    def test_a_winner_above_the_lowest_error_stays_first(self):
        rows = [
            (1, "spline", "", 900, 1e3, 0.1, 1.0e-6, 1e-7, 1e-7, "worse", ""),
            (1, "polynomial", "", 1, 1e3, 0.1, 1.1e-6, 1e-7, 1e-6, "won", ""),
        ]
        assert headline(record(rows), 1) == (
            "polynomial won with a validation error of 1.1e-06 and 1 term; "
            "spline has the lowest, 1.0e-06, with 900 terms"
        )

    def test_headlines(self):
        assert headline(record(), 1).endswith("1.0e-06; fourier is next with 2.0e-04")
        assert headline(record(), 2).endswith("no other family was scored")
        assert headline(record(ROWS[:1]), 1) == ""
        both = [ROWS[1], (*ROWS[4][:9], "won", "")]
        assert headline(record(both), 1) == "polynomial, fourier won, for different outputs"

    def test_lines_are_aligned_and_plain(self):
        lines = summary_lines(record())
        assert len(lines) == 2 + 4 + 1
        assert all(line.isascii() for line in lines)
        first = lines[1:5]
        assert len({line.index(" s  ") for line in first}) == 1
        assert " ".join(first[0].split()) == (
            "polynomial 1.0e-06 +/- 1e-07 45 terms 3 candidates 0.10 s won, then overfits: "
            "error rose"
        )
        assert "unsupported: X has two features" in first[2]
        assert "nan" not in "".join(lines)

    def test_an_empty_record_has_no_lines(self):
        empty = {name: values[:0] for name, values in record().items()}
        assert summary_lines(empty) == []
        assert stage_lines(empty, 1) == []


class TestHtml:
    def test_is_folded_and_escaped(self):
        html = selection_table(SimpleNamespace(search_results_=record()))
        assert html.startswith("<details><summary>Why this family?</summary><table>")
        assert html.count("<table>") == html.count("</table>") == 2
        assert "<b>polynomial</b>" in html
        assert "far from &lt;1e-6&gt;" in html
        assert "1.0e-06 ± 1e-07" in html

    def test_models_without_a_record_have_none(self):
        assert selection_table(SimpleNamespace()) == ""
        empty = {name: values[:0] for name, values in record().items()}
        assert selection_table(SimpleNamespace(search_results_=empty)) == ""

    def test_is_part_of_the_representation_of_a_model(self, small):
        small.search_results_ = record()
        html = small._repr_html_()
        assert html.index("stages; ended by") < html.index("Why this family?")


@pytest.fixture
def small():
    """A model that is fitted and whose record may be replaced."""
    X = np.linspace(-1, 1, 40)[:, None]
    return SpectrumInformedMSNNRegressor(random_state=0).fit(X, np.exp(X[:, 0]))


class TestProgress:
    def test_one_line_per_family_after_each_stage(self, capsys):
        with Progress(1, 4, record) as progress:
            for stage in (1, 2):
                progress.begin(stage)
                progress.end(1e-3, 1e-3, "least squares")
        lines = capsys.readouterr().out.splitlines()
        assert [line[:9] for line in lines] == ["stage 1/4"] * 5 + ["stage 2/4"] * 2
        assert lines[1].split() == f"stage 1/4: {stage_lines(record(), 1)[0]}".split()

    def test_a_stage_that_was_not_kept_is_explained_as_well(self, capsys):
        with Progress(1, 4, record) as progress:
            progress.begin(2)
        assert len(capsys.readouterr().out.splitlines()) == 1

    @pytest.mark.parametrize(("verbose", "results"), [(0, record()), (1, None)])
    def test_silent_without_verbose_or_record(self, verbose, results, capsys):
        with Progress(verbose, 4, lambda: results) as progress:
            progress.begin(1)
        assert capsys.readouterr().out == ""


class TestSavedModels:
    def test_skops_keeps_the_record(self, small):
        sio = pytest.importorskip("skops.io")
        small.search_results_ = record()
        data = sio.dumps(small)
        assert set(sio.get_untrusted_types(data=data)) <= set(TRUSTED_TYPES)
        loaded = sio.loads(data, trusted=TRUSTED_TYPES).search_results_
        assert list(loaded) == list(TYPES)
        for name, values in record().items():
            assert loaded[name].dtype == values.dtype
            np.testing.assert_array_equal(loaded[name], values)


class TestCommandLine:
    @pytest.fixture
    def table(self, tmp_path):
        x = np.linspace(-1, 1, 40)
        path = tmp_path / "points.csv"
        pd.DataFrame({"x": x, "u": np.exp(x)}).to_csv(path, index=False)
        return str(path)

    def test_explains_after_the_fit(self, table, monkeypatch, capsys):
        fit = SpectrumInformedMSNNRegressor.fit

        def fit_with_record(self, *args, **kwargs):
            fit(self, *args, **kwargs).search_results_ = record()
            return self

        monkeypatch.setattr(SpectrumInformedMSNNRegressor, "fit", fit_with_record)
        assert run_command(["fit", table, "--explain"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert lines[-len(summary_lines(record())) :] == summary_lines(record())
        assert run_command(["fit", table]) == 0
        assert "fourier is next" not in capsys.readouterr().out

    def test_says_so_where_there_is_no_record(self, table, monkeypatch, capsys):
        fit = SpectrumInformedMSNNRegressor.fit

        def fit_without_record(self, *args, **kwargs):
            fit(self, *args, **kwargs).__dict__.pop("search_results_", None)
            return self

        monkeypatch.setattr(SpectrumInformedMSNNRegressor, "fit", fit_without_record)
        assert run_command(["fit", table, "--explain"]) == 0
        assert "no record of the selection" in capsys.readouterr().out


class TestDisplay:
    @pytest.fixture(autouse=True)
    def pyplot(self):
        plt = pytest.importorskip("matplotlib.pyplot")
        plt.switch_backend("agg")
        yield plt
        plt.close("all")

    def display(self, **options):
        from skmsnn.inspection import SelectionDisplay

        return SelectionDisplay(search_results=record(), **options).plot()

    def test_errors_against_cumulative_cost(self):
        display = self.display()
        assert list(display.lines_) == ["polynomial", "fourier"]
        line = display.lines_["polynomial"]
        np.testing.assert_allclose(line.get_xdata(), [1e5, 1.1e6, 2.11e7])
        np.testing.assert_allclose(line.get_ydata(), [1e-2, 1e-6, 3e-6])
        assert (display.ax_.get_xscale(), display.ax_.get_yscale()) == ("log", "log")
        assert "operations" in display.ax_.get_xlabel()
        seconds = self.display(cost="seconds").lines_["fourier"]
        np.testing.assert_allclose(seconds.get_xdata(), [0.05, 0.3])

    def test_families_differ_in_colour_and_marker(self):
        lines = self.display().lines_.values()
        assert len({line.get_color() for line in lines}) == len(lines)
        assert len({line.get_marker() for line in lines}) == len(lines)

    def test_the_chosen_candidate_is_marked_and_the_unscored_are_named(self):
        display = self.display()
        (chosen,) = (line for line in display.ax_.lines if line.get_label() == "chosen")
        assert (*chosen.get_xdata(), *chosen.get_ydata()) == pytest.approx((1.1e6, 1e-6))
        labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
        assert {"polynomial", "fourier", "chosen"} < set(labels)
        assert "rational (unsupported)" in labels
        assert "network (too costly)" in labels

    def test_training_errors_are_optional(self):
        dashed = [
            sum(line.get_linestyle() == "--" for line in self.display(train=train).ax_.lines)
            for train in (False, True)
        ]
        assert dashed == [0, 3]  # two families, and the legend

    def test_an_error_of_zero_is_drawn(self):
        (line,) = self.display(stage=2).lines_.values()
        assert line.get_ydata() == [np.finfo(float).eps]

    def test_costs_that_are_not_known_are_no_error(self):
        from skmsnn.inspection import SelectionDisplay

        results = record() | {"operations": np.full(len(ROWS), np.nan)}
        display = SelectionDisplay(search_results=results).plot()
        display.figure_.canvas.draw()

    def test_more_families_than_colours_differ(self):
        from skmsnn.inspection import SelectionDisplay

        rows = [(1, f"f{k}", *ROWS[0][2:]) for k in range(20)]
        lines = SelectionDisplay(search_results=record(rows)).plot().lines_.values()
        styles = {(line.get_color(), line.get_marker(), line.get_linestyle()) for line in lines}
        assert len(styles) == len(rows)

    def test_wrong_stages_and_costs_are_errors(self):
        with pytest.raises(ValueError, match="stages with one: 1, 2"):
            self.display(stage=3)
        with pytest.raises(ValueError, match="operations, seconds"):
            self.display(cost="money")

    def test_from_a_fitted_model_and_where_one_chooses(self, small, pyplot, monkeypatch):
        from skmsnn.inspection import SelectionDisplay

        with pytest.raises(NotFittedError):
            SelectionDisplay.from_estimator(SpectrumInformedMSNNRegressor())
        small.__dict__.pop("search_results_", None)
        with pytest.raises(ValueError, match="no search_results_"):
            SelectionDisplay.from_estimator(small)
        small.search_results_ = record()
        _, ax = pyplot.subplots()
        display = SelectionDisplay.from_estimator(small, stage=2, cost="seconds", ax=ax)
        assert display.ax_ is ax
        assert display.figure_ is ax.figure
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        with pytest.raises(ImportError, match="requires matplotlib"):
            display.plot()


@pytest.fixture(scope="module")
def fitted():
    """A model of scattered points in two dimensions."""
    X = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    y = np.exp(X[:, 0]) * np.cos(2 * X[:, 1])
    return SpectrumInformedMSNNRegressor(n_stages=2, random_state=0).fit(X, y)


class TestRealFits:
    def test_columns_are_equally_long_and_typed(self, fitted):
        results = fitted.search_results_
        assert set(results) == set(TYPES)
        assert len({len(values) for values in results.values()}) == 1
        for name, kind in TYPES.items():
            assert np.issubdtype(results[name].dtype, np.dtype(kind).type), name
        assert set(results["status"].tolist()) <= STATUSES
        assert np.isnan(results["validation_error"][results["status"] == "unsupported"]).all()

    def test_each_stage_has_a_winner(self, fitted):
        results = fitted.search_results_
        for stage in range(1, fitted.n_stages_ + 1):
            assert family_summaries(results, stage)[0].status == "won"
        assert summary_lines(results)
        assert "Why this family?" in fitted._repr_html_()

    def test_conditions_race_and_are_on_record(self, rng):
        X = rng.uniform(-1, 1, (400, 2))
        y = np.exp(X[:, 0]) * np.sin(2 * X[:, 1])
        model = SpectrumInformedMSNNRegressor(random_state=0)
        results = model.fit(X[:40], y[:40], conditions=[laplacian(X, -3 * y)]).search_results_
        assert {"polynomial", "fourier"} <= set(results["family"].tolist())
        assert headline(results, 1).startswith(model.stages_[0].family)
        assert np.nanmin(results["validation_error"]) < 1e-10

    def test_so_do_the_spaces_of_data_in_chunks(self, rng):
        da = pytest.importorskip("dask.array")
        X = rng.uniform(0, 2 * np.pi, (5000, 1))
        chunks = da.from_array(X, chunks=(1000, 1)), da.from_array(np.sin(9 * X[:, 0]), chunks=1000)
        model = SpectrumInformedMSNNRegressor(period=2 * np.pi, random_state=0).fit(*chunks)
        results = model.search_results_
        assert set(results["stage"].tolist()) == {1}
        assert (results["status"] == "won").any()

    def test_is_drawn(self, fitted):
        plt = pytest.importorskip("matplotlib.pyplot")
        plt.switch_backend("agg")
        from skmsnn.inspection import SelectionDisplay

        for cost in ("operations", "seconds"):
            display = SelectionDisplay.from_estimator(fitted, cost=cost, train=True)
            display.figure_.savefig(io.BytesIO())
        plt.close("all")

    def test_verbose_shows_each_family(self, fitted, capsys):
        X = np.linspace(-1, 1, 60)[:, None]
        model = SpectrumInformedMSNNRegressor(random_state=0, verbose=1)
        results = model.fit(X, np.exp(X[:, 0])).search_results_
        lines = capsys.readouterr().out.splitlines()
        for stage in stages_of(results):
            for line in stage_lines(results, stage):
                assert f"stage {stage}/4: {line}" in lines

    def test_the_page_and_the_example_run(self, fitted, monkeypatch, capsys):
        plt = pytest.importorskip("matplotlib.pyplot")
        pytest.importorskip("pandas")
        plt.switch_backend("agg")
        from test_documentation import blocks_of

        names = {"np": np, "SpectrumInformedMSNNRegressor": SpectrumInformedMSNNRegressor}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            for block in blocks_of("docs/selection.rst"):
                exec(compile(block, "docs/selection.rst", "exec"), names)
            monkeypatch.setattr(sys, "argv", ["plot_selection", "--size", "tiny"])
            path = ROOT / "examples" / "plot_selection.py"
            runpy.run_path(str(path), run_name="__main__")
        plt.close("all")
        assert capsys.readouterr().out.count("stage 1: ") >= 3
