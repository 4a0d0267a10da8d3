"""The race of ladders of candidates: which step comes next, how ladders end, and who wins."""

import gc
import weakref
from contextlib import contextmanager
from itertools import count

import numpy as np
import pytest
from conftest import tensor_grid
from problems import best_of, stage_problem

from skmsnn import _time_limit
from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn.domain import find_grid
from skmsnn.families.lattices import lattice_ladders
from skmsnn.selection.candidate import Candidate, Fit, Preparation, Scored
from skmsnn.selection.problem import BUDGET
from skmsnn.selection.race import (
    LEAST_GAIN,
    MOST_GAIN,
    OVERFIT,
    PATIENCE,
    WAITING,
    WORTH_A_LOOK,
    Race,
)
from skmsnn.selection.trace import Status, Trace
from skmsnn.validation.plateau import has_plateaued, noise_level
from skmsnn.validation.score import Score

# A floor so low that all digits are missing, and all of the budget may be spent.
ALL_MISSING = 1e-300


class GivenErrors:
    """A scheme under which errors are what candidates say; it notes them in order."""

    def __init__(self, n_rows=10**6):
        self.n_rows, self.labels = n_rows, []

    def score(self, candidate, best=()):
        self.labels.append(candidate.label)
        fit = candidate.fit(None, None)
        seen, train = (np.atleast_1d(np.asarray(e, dtype=float)) for e in fit.state)
        rows = np.arange(10)
        residual = np.tile(seen, (10, 1))
        score = Score(rows, residual, np.ones(10), train, np.zeros(len(seen)))
        return Scored(candidate, fit, score, self.n_rows)

    def finish(self, scored):
        return scored


def candidate(label, seen, train=None, n_terms=1, operations=1e6, **more):
    """Of given errors at unseen rows and at its own, and of given cost."""
    state = seen, seen if train is None else train
    return Candidate(
        "family", label, n_terms, operations, lambda target, weight: Fit(None, state=state), **more
    )


def ladder(name, *steps, **common):
    """Candidates of given errors; each is an error, or a dict of what a candidate is."""
    for number, step in enumerate(steps):
        what = step if isinstance(step, dict) else {"seen": step}
        yield candidate(f"{name}{number}", **(common | what))


class Ran:
    """A race, what it tried in order, and its record."""

    def __init__(self, *ladders, n_rows=10**6, **parameters):
        scheme, trace = GivenErrors(n_rows), Trace()
        race = Race(scheme, trace, **{"budget": BUDGET, **parameters})
        self.outcome = race.run([("family", one) for one in ladders])
        self.labels, self.rows = scheme.labels, {row.label: row for row in trace.rows}
        self.trace = trace

    @property
    def winners(self):
        return [scored.candidate.label for scored in self.outcome.best]

    def status(self, label):
        return self.rows[label].status


@contextmanager
def time_limit(seconds):
    restore = _time_limit.limits()
    _time_limit.limit(seconds)
    try:
        yield
    finally:
        restore()


class TestOrder:
    def test_the_cheapest_next_step_comes_first(self):
        costs = {"a": [1e8, 1e10], "b": [2e8, 5e8, 2e10], "c": [3e8, 1.5e10]}
        ladders = [
            ladder(name, *({"seen": 0.9 - k / 100, "operations": n} for k, n in enumerate(own)))
            for name, own in costs.items()
        ]
        assert Ran(*ladders).labels == ["a0", "b0", "c0", "b1", "a1", "c1", "b2"]

    @pytest.mark.parametrize("digits", [1, 2, 4])
    @pytest.mark.parametrize("factor", [0.9, 1.1])
    def test_what_is_behind_by_some_digits_waits_for_as_many_times_its_cost(self, digits, factor):
        behind = 10.0**-6 * 10**digits
        ahead = [{"seen": 1e-6}, {"seen": 1e-7, "operations": 1e8 * (1 + digits)}]
        other = [{"seen": behind}, {"seen": behind / 2, "operations": 1e8 * factor}]
        labels = Ran(ladder("a", *ahead), ladder("b", *other)).labels
        assert labels[2:] == (["b1", "a1"] if factor < 1 else ["a1", "b1"])

    @pytest.mark.parametrize("factor", [0.9, 1.1])
    def test_what_promises_a_share_of_a_digit_waits_for_as_many_times_its_cost(self, factor):
        # errors of half a digit for each term in one, of a quarter in the other
        def falling(name, rate, costs):
            sizes = [{"seen": 0.4 * 10 ** (-rate * n), "n_terms": n} for n in (1, 2, 3)]
            pairs = zip(sizes, costs, strict=True)
            return ladder(name, *(size | {"operations": cost} for size, cost in pairs))

        # behind by half a digit after two terms
        price = 1e8 * (1 + 0.5) / 0.25 * 0.5
        ran = Ran(
            falling("a", 0.5, (1e6, 1e6, factor * price)), falling("b", 0.25, (1e6, 1e6, 1e8))
        )
        assert ran.labels[4:] == (["a2", "b2"] if factor < 1 else ["b2", "a2"])

    def test_of_equal_prices_the_ladder_that_came_first_is_first(self):
        labels = Ran(*(ladder(name, 0.9, 0.8) for name in "abc")).labels
        assert labels == ["a0", "a1", "b0", "b1", "c0", "c1"]

    def test_ladders_are_told_the_score_of_each_step(self):
        told = []

        def listening():
            for number, error in enumerate((0.9, 0.5, 0.01)):
                score = yield candidate(str(number), error)
                told.append(score.error)

        Ran(listening(), ladder("b", 0.7, 0.6))
        np.testing.assert_allclose(told, [0.9, 0.5, 0.01])


class TestEndings:
    def test_a_ladder_that_is_exhausted(self):
        ran = Ran(ladder("a", 0.3, 0.2), ladder("b", 0.03))
        assert ran.labels == ["a0", "a1", "b0"]
        assert (ran.status("a1"), ran.rows["a1"].reason) == ("worse", "no larger candidates")
        assert ran.status("b0") == "won"

    @pytest.mark.parametrize("better_at", [None, 2, 3])
    @pytest.mark.parametrize("ratio", [0.9 * OVERFIT, 1.1 * OVERFIT])
    def test_overfitting_ends_one_once_two_in_turn_are_worse(self, ratio, better_at):
        errors = [0.05 + 0.001 * k for k in range(10)]
        if better_at is not None:
            errors[better_at] = 0.04
        ran = Ran(ladder("a", *({"seen": e, "train": e / ratio} for e in errors)))
        if ratio < OVERFIT:
            assert len(ran.labels) == 10
            return
        # the third that is worse is too late
        last = PATIENCE if better_at in (None, 3) else better_at + PATIENCE
        assert ran.labels[-1] == f"a{last}"
        assert ran.status(f"a{last}") == "overfits"
        assert ran.winners == ["a0" if last == PATIENCE else f"a{better_at}"]

    @pytest.mark.parametrize(
        ("first", "each"), [(WAITING / 100, WAITING / 10), (10 * WAITING, WAITING)]
    )
    def test_sets_that_are_no_better_are_given_up_after_as_long_as_those_before(self, first, each):
        steps = ({"seen": 0.05 + 0.001 * k, "operations": each if k else first} for k in range(99))
        ran = Ran(ladder("a", *steps))
        n_worse = len(ran.labels) - 1
        assert n_worse == int(max(first, WAITING) / each * (1 + 1e-12)) + 1
        assert ran.rows[ran.labels[-1]].reason == "larger candidates do not reduce the error"

    def test_one_that_shows_faster_waves_goes_on(self):
        steps = [{"seen": 0.05 + 0.001 * k, "operations": WAITING} for k in range(9)]
        ran = Ran(ladder("a", *steps), shows_more=lambda scored: scored.candidate.label < "a6")
        assert ran.labels[-1] == "a6"

    def test_one_whose_error_falls_too_slowly(self):
        """By a tenth with each doubling: at any size it is far from another's."""
        slow = [{"seen": 0.4 * 0.9**k, "n_terms": 2**k, "operations": 4.0**k} for k in range(15)]
        ran = Ran(ladder("a", 1e-9), ladder("b", *slow), n_rows=2**14)
        assert len(ran.labels) < 12
        assert ran.status(ran.labels[-1]) == "forecast"
        alone = Ran(ladder("a", 0.39), ladder("b", *slow), n_rows=2**14)
        assert alone.labels[-1] == "b14"

    def test_no_forecast_is_made_before_the_waves_of_a_function_are_reached(self):
        late = [{"seen": 0.9 - 0.01 * k, "n_terms": 2**k} for k in range(9)]
        ran = Ran(ladder("a", 1e-6), ladder("b", *late, {"seen": 1e-9, "n_terms": 512}))
        assert ran.winners == ["b9"]

    @pytest.mark.parametrize("most", [64, 512])
    def test_a_forecast_reaches_as_far_as_its_budget(self, most):
        """Costs are as the square of the size; errors as its fourth power."""
        steps = [
            {"seen": 0.4 * 16.0**-k, "n_terms": 2**k, "operations": 1e8 * 4**k} for k in range(11)
        ]
        # one at the largest size that is affordable is better than the other, or just not
        other = 0.4 * 16.0 ** -np.log2(most) * 1.1
        budget = 1.1 * sum(1e8 * 4**k for k in range(int(np.log2(most)) + 1))
        ran = Ran(ladder("a", other), ladder("b", *steps), budget=budget, floor=ALL_MISSING)
        assert ran.winners == [f"b{int(np.log2(most))}"]

    @pytest.mark.parametrize("n_sizes", [4, 5])
    def test_one_that_converges_exponentially_is_not_ended_by_its_forecast(self, n_sizes):
        """Of error 0.86^n: with 16 terms 0.09, with 32 0.008, with 64 7e-5."""
        sizes = [2**k for k in range(3, 3 + n_sizes)]
        steps = [{"seen": 0.86**n, "n_terms": n, "operations": 2e6 * n**2} for n in sizes]
        budget = 1.1 * sum(step["operations"] for step in steps)
        others = ladder("a", 2 * steps[-1]["seen"])
        ran = Ran(others, ladder("b", *steps), budget=budget, floor=ALL_MISSING)
        assert ran.winners == [f"b{n_sizes - 1}"]

    @pytest.mark.parametrize("error", [1e-3, 1e-7, 1e-10, 1e-13])
    def test_the_digits_that_are_missing_are_worth_their_share_of_the_budget(self, error):
        """Of 14 digits to a floor of 1e-14; what ladders spend in the lead does not count."""
        share = (14 + np.log10(error)) / 14
        leader = ladder("a", {"seen": error, "operations": 5e9})
        for part, is_tried in ((0.98, True), (1.02, False)):
            last = {"seen": 0.8, "operations": part * share * 1e11}
            other = ladder("b", {"seen": 0.9, "operations": 1e9}, last)
            ran = Ran(leader, other, budget=1e11, most=2e11, floor=1e-14)
            assert ("b1" in ran.labels) == is_tried
            leader = ladder("a", {"seen": error, "operations": 5e9})

    def test_what_one_spent_in_the_lead_is_not_at_the_expense_of_the_next(self):
        first = [{"seen": 0.1 / 2**k, "operations": 3e9} for k in range(3)]
        second = [{"seen": 10.0 ** -(3 + k), "operations": 4e9} for k in range(3)]
        ran = Ran(ladder("a", *first), ladder("b", *second), budget=1e10, most=1.3e10)
        assert ran.winners == ["b2"]

    def test_a_ladder_that_falls_behind_later_ends_before_its_next_step(self):
        def rival():
            yield candidate("b0", 0.4, operations=1e8)
            yield candidate("b1", 1e-12, operations=2e8)

        # the fall by a half for each doubling brings no more than 1e-5 in so many rows
        steps = [{"seen": 0.2 / 2**k, "n_terms": 2**k} for k in range(3)]
        slow = ladder("a", *steps, {"seen": 0.01, "operations": 1e9, "n_terms": 8})
        ran = Ran(slow, rival(), n_rows=60)
        assert ran.labels[-1] == "b1"
        assert "a3" not in ran.labels
        assert ran.status("a2") == "forecast"

    @pytest.mark.parametrize(("extent", "is_tried"), [(True, False), (False, True)])
    def test_errors_of_degrees_fall_with_their_square_and_not_with_the_number_of_terms(
        self, extent, is_tried
    ):
        # total degrees 1, 2, 3 of ten features: a fall by ten with degree 2 is one by 1e3 to degree
        # 4, and by much more to 5000 terms
        sizes = [(1, 11, 0.4), (2, 66, 0.04), (3, 286, 0.004)]
        steps = [
            {"seen": e, "n_terms": n, "extent": extent * k, "operations": 1e8} for k, n, e in sizes
        ]
        ran = Ran(ladder("b", 1e-9), ladder("a", *steps), n_rows=1000)
        assert ("a2" in ran.labels) == is_tried

    def test_the_ladder_in_the_lead_may_go_on(self):
        steps = [{"seen": 10.0**-k, "operations": 1e9} for k in range(1, 9)]
        assert Ran(ladder("a", *steps), budget=2e9, most=6.5e9).winners == ["a5"]

    def test_what_a_ladder_prepares_is_paid_for_before_its_first_candidate(self):
        done = []

        def prepared():
            yield Preparation("family", 1e9)
            done.append(len(ran_so_far))
            yield candidate("b0", 1e-3)

        def other():
            for k in range(5):
                ran_so_far.append(k)
                yield candidate(f"a{k}", 0.9 / 2**k, operations=3e8)

        ran_so_far = []
        assert Ran(other(), prepared()).labels == ["a0", "a1", "a2", "a3", "a4", "b0"]
        assert done == [5]
        ran_so_far.clear()
        ran = Ran(other(), prepared(), budget=1e9, most=1e10)
        assert ran.winners == ["a4"]
        assert ran.trace.rows[-1].status == "too costly"

    def test_one_whose_next_step_exceeds_the_budget(self):
        steps = [{"seen": 0.3 / 10**k, "operations": n} for k, n in enumerate((3e8, 3e8, 5e8))]
        ran = Ran(ladder("a", *steps), budget=1e9)
        assert ran.labels == ["a0", "a1"]
        assert ran.winners == ["a1"]
        enough = Ran(ladder("a", *steps), budget=1.1e9)
        assert enough.winners == ["a2"]
        other = Ran(ladder("b", 1e-3), ladder("a", *steps[:1], *steps[2:]), budget=7e8)
        assert other.status("a0") == "too costly"
        assert "5e+08 operations" in other.rows["a0"].reason

    def test_one_candidate_is_fitted_whatever_it_costs(self):
        with time_limit(0):
            assert Ran(ladder("a", {"seen": 0.5, "operations": 1e15}), budget=1.0).winners == ["a0"]

    def test_one_whose_next_step_does_not_fit_into_the_time(self):
        costs = (1e6, 1e6, 100 * FLOPS_PER_SECOND)
        steps = [{"seen": 0.3 / 10**k, "operations": n} for k, n in enumerate(costs)]
        with time_limit(50):
            ran = Ran(ladder("b", 0.001), ladder("a", *steps), budget=np.inf)
        assert ran.labels == ["b0", "a0", "a1"]
        assert ran.status("a1") == "time"
        with time_limit(200):
            assert Ran(ladder("a", *steps), budget=np.inf).labels[-1] == "a2"

    def test_all_end_once_time_is_up(self):
        def slow():
            for number in count():
                yield candidate(str(number), 0.5 / (1 + number))
                _time_limit.limit(0)

        with time_limit(100):
            ran = Ran(slow(), ladder("b", 0.4, 0.3, 0.2))
        assert ran.labels == ["0"]

    def test_all_end_at_round_off(self):
        last = {"seen": 1e-15, "operations": 1.2e8}
        ran = Ran(ladder("a", 1e-3, last, 1e-16), ladder("b", 1e-2, 1e-3, 1e-4, 1e-5))
        assert ran.labels == ["a0", "b0", "a1"]
        assert ran.winners == ["a1"]
        assert ran.rows["b0"].reason == "round-off is reached"

    @pytest.mark.parametrize(
        ("seen", "train", "is_end"),
        [(5e-13, 9e-15, True), (5e-13, 2e-14, False), (2e-12, 9e-15, False), (9e-15, 9e-15, True)],
    )
    def test_next_to_round_off_residuals_at_their_own_rows_tell(self, seen, train, is_end):
        ran = Ran(ladder("a", {"seen": seen, "train": train}, 1e-14))
        assert len(ran.labels) == (1 if is_end else 2)

    @pytest.mark.parametrize("least", [1e-3, 3e-3])
    def test_what_never_falls_below_the_error_of_others_is_not_tried(self, least):
        costly = {"seen": 1e-6, "reach": 2e-3, "operations": 1e8}
        ran = Ran(ladder("a", least), ladder("b", costly))
        assert ran.labels == (["a0"] if least < 2e-3 else ["a0", "b0"])

    @pytest.mark.parametrize("share", [0.5, 2.0])
    def test_costly_steps_are_not_taken_where_noise_is_left(self, share):
        asked = []

        def is_noise(scored, tried):
            labels = [t.label for of_one in tried.values() for t in of_one]
            asked.append((scored.candidate.label, labels))
            return True

        last = {"seen": 0.1, "operations": share * WORTH_A_LOOK * BUDGET}
        ran = Ran(ladder("a", 0.3, 0.2, last), is_noise=is_noise)
        if share < 1:
            assert (ran.labels, asked) == (["a0", "a1", "a2"], [])
        else:
            assert ran.labels == ["a0", "a1"]
            assert asked == [("a1", ["a0", "a1"])]


class TestNeighbours:
    def test_of_the_best_of_a_ladder_are_searched_from_centre_to_centre(self):
        """Along a line of integers, of which 7 is best: from 3 upwards."""

        def at(number):
            error = 0.1 * 2.0 ** abs(number - 7)
            return candidate(
                str(number), error, neighbours=lambda: map(at, (number - 1, number + 1))
            )

        def one():
            yield at(3)

        ran = Ran(one())
        assert ran.labels == ["3", "2", "4", "5", "6", "7", "8"]
        assert ran.winners == ["7"]

    @pytest.mark.parametrize("gain", [0.95 * LEAST_GAIN, 1.05 * LEAST_GAIN])
    def test_those_of_a_neighbour_are_searched_if_it_gains_enough(self, gain):
        def at(number):
            return candidate(
                str(number),
                1e-3 * gain**-number,
                neighbours=lambda: [at(number + 1)] * (number < 5),
            )

        ran = Ran(at(k) for k in range(1))
        assert ran.labels == [str(k) for k in range(6 if gain > LEAST_GAIN else 2)]
        assert ran.winners == [ran.labels[-1]]

    @pytest.mark.parametrize("factor", [0.5, 2.0])
    def test_of_what_is_far_behind_are_not_searched(self, factor):
        near = candidate("near", 1e-9)
        ran = Ran(
            ladder("a", 1e-6),
            ladder("b", {"seen": factor * MOST_GAIN * 1e-6, "neighbours": lambda: [near]}),
        )
        assert ("near" in ran.labels) == (factor < 1)

    def test_of_a_ladder_that_is_out_of_reach_are_not_searched(self):
        near = candidate("near", 1e-9)
        slow = [
            {"seen": 0.04 * 0.9**k, "n_terms": 2**k, "neighbours": lambda: [near]} for k in range(9)
        ]
        assert "near" not in Ran(ladder("a", 1e-3), ladder("b", *slow), n_rows=2**9).labels

    def test_are_those_of_the_best_of_each_output(self):
        neighbours = {
            name: [candidate(f"near {name}", error)]
            for name, error in {"a0": (1e-4, 1.0), "a1": (1.0, 1e-4)}.items()
        }
        steps = [
            {"seen": (1e-3, 1e-2), "neighbours": lambda: neighbours["a0"]},
            {"seen": (1e-2, 1e-3), "neighbours": lambda: neighbours["a1"]},
        ]
        assert Ran(ladder("a", *steps)).winners == ["near a0", "near a1"]


class TestOutcome:
    def test_without_any_candidate_there_is_none(self):
        assert Ran(ladder("a"), ladder("b")).outcome is None

    def test_each_output_has_its_best(self):
        steps = [(1e-2, 1e-5, 0.3), (1e-3, 1e-4, 0.5), (1e-1, 1e-1, 0.2)]
        ran = Ran(ladder("a", *steps))
        assert ran.winners == ["a1", "a0", "a2"]
        assert ran.outcome.error == pytest.approx(np.sqrt((1e-3**2 + 1e-5**2 + 0.2**2) / 3))
        assert {row.status for row in ran.trace.rows} == {"won"}

    def test_of_two_that_are_equal_the_first_wins(self):
        assert Ran(ladder("a", 1e-3), ladder("b", 1e-3)).winners == ["a0"]

    def test_every_step_is_recorded_in_its_order(self):
        steps = [{"seen": 0.1, "train": 0.05, "n_terms": 3, "operations": 5e6}, {"seen": 0.01}]
        ran = Ran(ladder("a", *steps), ladder("b", 0.2), size=10.0)
        assert [row.label for row in ran.trace.rows] == ran.labels
        row = ran.rows["a0"]
        assert (row.family, row.n_terms, row.operations, row.stage) == ("family", 3, 5e6, 1)
        assert row.validation_error == pytest.approx(1.0)
        assert row.train_error == pytest.approx(0.5)
        assert row.seconds >= 0

    def test_exactly_one_row_won(self):
        ran = Ran(ladder("a", 0.3, 0.03, 0.003), ladder("b", 0.02), ladder("c", 0.5, 0.4))
        assert [row.label for row in ran.trace.rows if row.status == Status.WON] == ["a2"]

    def test_what_every_family_tried_is_told(self):
        def other():
            yield Candidate(
                "other", "b0", 4, 1e6, lambda target, weight: Fit(None, state=(0.5, 0.4))
            )

        ran = Ran(ladder("a", 0.3, {"seen": 0.2, "train": 0.1, "n_terms": 2}), other(), n_rows=50)
        assert ran.outcome.tried == {
            "family": [
                (1, pytest.approx(0.3), 0.3, 50, "a0", 1),
                (2, pytest.approx(0.2), 0.1, 50, "a1", 2),
            ],
            "other": [(4, pytest.approx(0.5), 0.4, 50, "b0", 4)],
        }

    def test_the_same_ladders_run_the_same_race(self, rng):
        errors = rng.uniform(1e-4, 1, (5, 12))
        costs = 10 ** rng.uniform(6, 9, (5, 12))

        def run():
            return Ran(
                *(
                    ladder(name, *({"seen": e, "operations": n} for e, n in zip(*own, strict=True)))
                    for name, *own in zip("abcde", errors, costs, strict=True)
                )
            )

        one, other = run(), run()
        assert one.labels == other.labels
        assert [r.status for r in one.trace.rows] == [r.status for r in other.trace.rows]
        assert len(one.labels) > 20
        assert one.winners == [min(one.labels, key=lambda m: one.rows[m].validation_error)]

    def test_only_fits_that_are_the_best_of_a_ladder_are_kept(self):
        fits, alive = {}, []

        def of(label, error):
            def fit(target, weight):
                gc.collect()
                alive.append({name for name, kept in fits.items() if kept() is not None})
                made = Fit(None, state=(error, error))
                fits[label] = weakref.ref(made)
                return made

            return Candidate("family", label, 1, 1e6, fit)

        errors = {"a": 0.3, "b": 0.4, "c": 0.2, "d": 0.25}
        Ran(of(*item) for item in errors.items())
        assert alive == [set(), {"a"}, {"a"}, {"c"}]


class TestNoise:
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
    def test_its_level_is_found_whatever_share_of_it_was_followed(self, rng, share):
        n = 4000
        # modes in general position: of white noise they follow a random subspace
        rest = rng.standard_normal(n)[: round((1 - share) * n)]
        left = np.sqrt(np.sum(rest**2) / n)
        assert noise_level(left, share) == pytest.approx(1, abs=4 / np.sqrt(2 * len(rest)))

    @pytest.mark.parametrize(("left", "expected"), [(1.0, True), (0.8, False)])
    def test_on_a_plateau_more_modes_are_no_help(self, left, expected):
        """Of noise four times as many modes leave what they cannot follow, of a function less."""
        sizes = (4, 16)
        own = {4: 0.1 * np.sqrt(1 - 4 / 40), 16: 0.1 * left * np.sqrt(1 - 16 / 40)}
        levels = [(noise_level(own[n], n / 40), n) for n in sizes]
        assert has_plateaued(levels[1][0], levels) == expected


class TestGridsWithHoles:
    """Products of waves on a grid of which some nodes are missing."""

    def test_high_frequency_alone_is_found(self, rng):
        """Sets that do not reach it must not end the search."""
        n = 96
        x = -1 + 2 * np.arange(n)[:, None] / n
        x = np.delete(x, [17, 40, 41], axis=0)
        held = np.sort(rng.permutation(len(x))[:10])
        grid, y = find_grid(x), np.sin(np.pi * 30 * x)
        problem = stage_problem(x, y, held=held, periodic=[True], grid=grid)
        best = best_of(problem, *lattice_ladders(problem))
        assert best.score.error < 1e-12
        assert best.fit.function.orders[0] >= 30

    def test_more_modes_are_taken_along_the_axis_that_needs_them(self, rng):
        """A pole near the real axis along one, a parabola along the other."""
        x = tensor_grid(-1 + 2 * np.arange(64) / 64, np.linspace(-1, 1, 12))
        x = np.delete(x, [100, 333, 600], axis=0)
        y = (1 + x[:, 1:] ** 2) / (1.15 + np.cos(np.pi * x[:, :1]))
        held = np.sort(rng.permutation(len(x))[:200])
        grid = find_grid(x)
        problem = stage_problem(x, y, held=held, periodic=[True, False], grid=grid)
        ladder, *_ = lattice_ladders(problem)
        even = [problem.scheme.score(candidate).score.error for candidate in ladder]
        best = best_of(problem, *lattice_ladders(problem))
        assert best.score.error < 0.2 * min(even)
        along, across = best.fit.function.orders
        assert along > 3 * across
