"""What is tried, and what is chosen, for fits whose errors are given or known."""

import gc
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import tensor_grid
from skmsnn.families.base import HeldOut, Split, Trial
from skmsnn.families.selection import _ascend, _tried, select_modes

from skmsnn.domain import Domain, find_grid
from skmsnn.families.ladders import candidates
from skmsnn.spaces.base import Candidate


class Leaves:
    """A fit of the target 1 that leaves so much of it on its own points, and on held-out ones."""

    def __init__(self, own, seen, amplification=0.0):
        self.own, self.seen, self.amplification = own, seen, amplification

    def solve(self, target):
        own, seen = self.own, self.seen
        return SimpleNamespace(evaluate=lambda x: 1 - np.where(x > 0, seen, own))


def of_ones(n=20):
    """Points to be fitted at -1, and held-out ones at 1; the target is 1."""
    x = np.repeat([[-1.0], [1.0]], n, axis=0)
    held_out = HeldOut(x[n:], np.ones((n, 1)), np.ones(n))
    return Split(x, np.ones((2 * n, 1)), np.repeat([1.0, 0.0], n), held_out)


def candidate(label, own, seen, n_terms=1, amplification=0.0, **parameters):
    def prepare(weight, cutoff):
        return Leaves(own, seen, amplification)

    return Candidate(n_terms, prepare, label, **({"cutoff": None} | parameters))


def selected(ladder):
    return select_modes(ladder, of_ones(), np.random.RandomState(0))


@pytest.mark.parametrize(
    ("trials", "tried"),
    [
        # (left on held-out points, left on the points of the fit)
        ([(1, 1), (1e-3, 1e-3), (1e-15, 1e-15), (1e-15, 1e-15)], 3),
        ([(1, 1), (1e-3, 1e-3), (1e-1, 1e-3), (1e-1, 1e-3), (1e-1, 1e-3)], 4),
        ([(1, 1), (1e-3, 1e-3), (1e-1, 1e-3), (1e-3, 1e-3), (1e-1, 1e-3), (1e-9, 1e-9)], 6),
        # worse than the best, but no more than twice, or as bad on their own points
        ([(1, 1), (1e-3, 1e-3), (2e-3, 1e-5), (2e-3, 1e-5), (2e-3, 1e-5)], 5),
        ([(1e-3, 1e-3), (1e-1, 1e-1), (1e-1, 1e-1), (1e-1, 1e-1)], 4),
    ],
)
def test_larger_sets_are_tried_until_two_in_turn_overfit(trials, tried):
    def attempt(number):
        seen, train = trials[number]
        candidate = SimpleNamespace(n_terms=1, trial_rows=1)
        errors = {"holdout_rmse": seen, "train_error": train, "unamplified_error": seen}
        return SimpleNamespace(candidate=candidate, n_rows=1, **errors)

    found, has_compared_boxes = _ascend(attempt, range(len(trials)), lambda number: number)
    assert len(found) == tried
    assert not has_compared_boxes


@pytest.mark.parametrize(("few_rows", "tried"), [(None, 2), (10, 3)])
def test_no_larger_set_is_tried_once_all_points_are_fitted_to_rounding(few_rows, tried):
    trials = [(1e-3, 1e-4), (1e-8, 5e-14), (1e-9, 3e-14)]

    def attempt(number):
        seen, train = trials[number]
        candidate = SimpleNamespace(n_terms=1, trial_rows=few_rows)
        errors = {"holdout_rmse": seen, "train_error": train, "unamplified_error": seen}
        return SimpleNamespace(candidate=candidate, n_rows=1, **errors)

    assert len(_ascend(attempt, range(len(trials)), lambda number: number)[0]) == tried


def test_the_best_on_held_out_points_is_taken():
    ladder = [candidate("a", 1e-3, 1e-3), candidate("b", 1e-6, 2e-5), candidate("c", 1e-9, 4e-5)]
    best = selected(ladder)
    assert best.candidate.label == "b"
    assert (best.train_error, best.holdout_rmse) == (pytest.approx(1e-6), pytest.approx(2e-5))


def test_next_to_round_off_the_smallest_that_is_as_good_is_taken():
    sizes = {1: 1e-12, 2: 1.2e-13, 3: 1.4e-13, 4: 1e-13}
    assert selected([candidate(str(n), e, e, n) for n, e in sizes.items()]).candidate.n_terms == 2
    above = [candidate(str(n), 1e6 * e, 1e6 * e, n) for n, e in sizes.items()]
    assert selected(above).candidate.n_terms == 4


@pytest.mark.parametrize(
    ("own", "error", "unamplified_error"),
    [(1e-6, 1e-4, 1e-12), (1e-15, 1e-13, 1e-13), (1e-12, 1e-10, 1e-12)],
)
def test_what_is_left_between_the_nodes_is_that_at_them_amplified(own, error, unamplified_error):
    """Of 1e-3, as seen, the error is at least that; a larger cut-off may leave rounding alone."""
    data = of_ones()
    trial = _tried(None, Leaves(own, 1e-15, 100.0), data, data.train)
    assert trial.error == pytest.approx(error, rel=0.3, abs=0)  # 1 - 1e-15 is rounded
    assert trial.unamplified_error == pytest.approx(unamplified_error, rel=0.3, abs=0)
    seen = _tried(None, Leaves(own, 1e-3, 100.0), data, data.train)
    assert seen.error == seen.unamplified_error == seen.holdout_rmse == pytest.approx(1e-3)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_the_level_of_noise_is_found_whatever_share_of_it_was_followed(rng, share):
    n = 4000
    n_terms = int(share * n)
    noise = rng.standard_normal(n)
    # modes in general position: of white noise they follow a random subspace
    rest = noise[: n - n_terms]
    left = np.sqrt(np.sum(rest**2) / n)
    trial = Trial(candidate("a", 0, 0, n_terms), None, None, left, left, left, left, n)
    assert trial.leverage == pytest.approx(share)
    assert trial.noise_level == pytest.approx(1, abs=4 / np.sqrt(2 * len(rest)))


@pytest.mark.parametrize(("left", "has_plateaued"), [(1.0, True), (0.8, False)])
def test_on_a_plateau_more_modes_are_no_help(left, has_plateaued):
    """Of noise twice as many modes leave what they cannot follow, of a function less."""
    errors = {n: np.sqrt(1 - n / 20) for n in (4, 8)}
    ladder = [
        candidate("4", 0.1 * errors[4], 0.1, 4),
        candidate("8", 0.1 * left * errors[8], 0.11, 8),
    ]
    assert selected(ladder).has_plateaued == has_plateaued


def test_only_factorisations_that_may_be_needed_again_are_kept():
    fits, alive = {}, []

    def candidate_of(number, error):
        def prepare(weight, cutoff):
            gc.collect()
            alive.append({n for n, fit in fits.items() if fit() is not None})
            fit = Leaves(error, error)
            fits[number] = weakref.ref(fit)
            return fit

        return Candidate(number, prepare, str(number), cutoff=None)

    errors = [1e-2, 1e-1, 1e-4, 1e-3]
    best = selected([candidate_of(n, error) for n, error in enumerate(errors)])
    assert alive == [set(), {0}, {0}, {0, 2}]
    assert best.candidate.n_terms == 2
    assert best.fit is fits[2]()


@pytest.mark.parametrize(
    ("seen", "tried", "chosen"),
    [
        # as good under the largest cut-off below a tenth of what is left
        ({1e-12: 1.1e-3, 1e-10: 1.2e-3, 1e-8: 1.3e-3, 1e-6: 1.4e-3, 1e-4: 1.4e-3}, 4, 1e-6),
        ({1e-12: 1.1e-3, 1e-10: 2e-3, 1e-8: 1e-3}, 2, 1e-12),
        # what makes no difference: one more, beyond the root of 2e-16 times what is left, 7e-11
        ({1e-12: 1.000001e-3, 1e-10: 1.000002e-3}, 2, 1e-10),
        ({1e-12: 1.000001e-3, 1e-10: 1.2e-3}, 2, 1e-12),
        ({1e-12: 1.1e-3, 1e-10: 1.100001e-3}, 2, 1e-10),
    ],
)
def test_cutoffs_grow_while_that_does_no_harm(seen, tried, chosen):
    cutoffs = []

    def prepare(weight, cutoff):
        cutoffs.append(cutoff)
        return Leaves(2e-5, seen.get(cutoff, 1e-3))

    best = selected([Candidate(1, prepare, "a", cutoff=1e-14)])
    assert cutoffs[1 : tried + 1] == sorted(seen)[:tried]
    assert set(cutoffs) == {1e-14, *sorted(seen)[:tried]}
    assert best.candidate.cutoff == chosen


@pytest.mark.parametrize(("under_larger", "chosen"), [(2.5e-5, 1e-10), (5e-5, 1e-14)])
def test_a_cutoff_that_amplifies_what_is_left_is_passed_over(under_larger, chosen):
    own = {1e-14: 2e-5, 1e-12: 4e-5, 1e-10: under_larger, 1e-8: 1e-3}

    def prepare(weight, cutoff):
        return Leaves(own[cutoff], 1e-3 if cutoff < 1e-8 else 1, amplification=100.0)

    best = selected([Candidate(1, prepare, "a", cutoff=1e-14)])
    assert best.candidate.cutoff == chosen


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        # cut-offs whose square is above the rounding of what is left, 2e-16 of it
        (0.9, [1e-14, 1e-12, 1e-6]),
        (0.4, [1e-14, 1e-12, 1e-8]),
        (1e-4, [1e-14, 1e-12, 1e-8]),
        (4e-5, [1e-14, 1e-12, 1e-10]),
        (1e-9 / 0.25, [1e-14, 1e-12]),
    ],
)
def test_where_cutoffs_make_no_difference_one_that_hides_rounding_is_taken(own, expected):
    cutoffs = []

    def prepare(weight, cutoff):
        cutoffs.append(cutoff)
        return Leaves(own, 1.0)

    best = selected([Candidate(1, prepare, "a", cutoff=1e-14)])
    assert cutoffs[: len(expected)] == expected
    assert best.candidate.cutoff == expected[-1]


@pytest.mark.parametrize(
    ("gain", "least", "rounds"),
    [(0.5, 0, 30), (0.6, 0, 41), (0.75, 0, 1), (1.2, 0, 1), (1e-6, 0, 2), (0.1, 1e-9, 8)],
)
def test_axes_are_moved_as_long_as_that_helps(gain, least, rounds):
    """The error falls by a gain a round, from 1e-3; rounds end at 1e-12, or after a small gain."""

    def moved(number):
        error = 1e-3 * gain**number + least
        return candidate(
            str(number), error, error, number + 1, neighbours=lambda: [moved(number + 1)]
        )

    assert selected([moved(0)]).candidate.label == str(rounds if gain < 1 else 0)


def test_selection_takes_the_modes_that_the_function_has(rng):
    """High frequency alone: sets that do not reach it must not end the search."""
    n = 96
    x = -1 + 2 * np.arange(n)[:, None] / n
    y = np.sin(np.pi * 30 * x)
    domain = Domain(np.zeros(1), np.ones(1), np.array([True]))
    held = np.sort(rng.permutation(n)[:10])
    train = np.ones(n)
    train[held] = 0
    ladder = candidates(domain, find_grid(x), x, n - 10)
    split = Split(x, y, train, HeldOut(x[held], y[held], np.ones(10)))
    best = select_modes(ladder, split, np.random.RandomState(0))
    assert best.error < 1e-12
    assert best.modes.orders[0] >= 30


def test_selection_takes_more_modes_along_the_axis_that_needs_them(rng):
    """A pole near the real axis along one, a parabola along the other."""
    x = tensor_grid(-1 + 2 * np.arange(64) / 64, np.linspace(-1, 1, 12))
    y = (1 + x[:, 1:] ** 2) / (1.15 + np.cos(np.pi * x[:, :1]))
    domain = Domain(np.zeros(2), np.ones(2), np.array([True, False]))
    held = np.sort(rng.permutation(768)[:200])
    train = np.ones(768)
    train[held] = 0
    grid = find_grid(x)
    split = Split(x, y, train, HeldOut(x[held], y[held], np.ones(200)))
    best = select_modes(candidates(domain, grid, x, 568), split, np.random.RandomState(0))
    even = [c.fit(train).solve(y) for c in candidates(domain, grid, x, 568)]
    assert best.error < 0.2 * min(np.std(y[held] - m.evaluate(x[held])) for m in even)
    along, across = best.modes.orders
    assert along > 3 * across


@pytest.mark.parametrize(("enough", "n_tried"), [(np.inf, 4), (1e-4, 4), (1e-8, 2)])
def test_costly_sets_are_not_tried_where_others_leave_much_less(enough, n_tried):
    errors = {10: 1e-2, 30_000: 1e-4, 40_000: 1e-5, 50_000: 1e-6}
    ladder = [candidate(str(n), error, error, n) for n, error in errors.items()]
    tried = []

    def attempt(candidate):
        tried.append(candidate.label)
        error = candidate.fit(np.ones(2)).own
        found = {"holdout_rmse": error, "train_error": error, "unamplified_error": error}
        return SimpleNamespace(candidate=candidate, n_rows=candidate.n_terms, **found)

    _ascend(attempt, ladder, lambda candidate: candidate, enough)
    assert len(tried) == n_tried


def test_boxes_are_compared_before_sets_become_costly():
    """Then the larger sets are those of the best box, the largest among them."""

    def in_box(width, n_terms, error):
        def larger():
            return [in_box(width, n, error / 10) for n in (40_000, 50_000, 90_000)]

        def boxes():
            return [in_box(w, n_terms, e) for w, e in ((1.5, 1e-3), (3.0, 3e-6), (4.0, 2e-6))]

        found = candidate(f"{width}: {n_terms}", error, error, n_terms, width=width)
        return replace(found, boxes=boxes if width == 2.0 else list, larger=larger)

    tried = []

    def attempt(candidate):
        tried.append(candidate.label)
        error = candidate.fit(np.ones(2)).own
        errors = {"holdout_rmse": error, "train_error": error, "unamplified_error": error}
        return SimpleNamespace(candidate=candidate, n_rows=candidate.n_terms, **errors)

    ladder = [in_box(2.0, n, 1e-4) for n in (10, 30_000, 40_000, 90_000)]
    _, has_compared_boxes = _ascend(attempt, ladder, lambda candidate: candidate)
    assert has_compared_boxes
    # as wider ones are better, no narrower one is tried
    expected = ["2.0: 10", "2.0: 30000", "3.0: 30000", "4.0: 30000"]
    # of two that do nearly as well the narrower; the largest set, and one that is enough smaller
    assert tried == [*expected, "3.0: 50000", "3.0: 90000"]


@pytest.mark.parametrize(("left_by_others", "n_tried"), [(1.0, 4), (0.01, 2)])
def test_costly_sets_of_rough_data_end_where_others_leave_less_than_is_foreseen(
    left_by_others, n_tried
):
    """Errors fall by a tenth with each doubling: what the next two would leave is foreseen."""
    errors = {14_000: 0.55, 30_000: 0.5, 70_000: 0.45, 150_000: 0.4}
    ladder = [candidate(str(n), error, error, n) for n, error in errors.items()]
    asked, tried = [], []

    def attempt(candidate):
        tried.append(candidate.label)
        error = candidate.fit(np.ones(2)).own
        found = {"holdout_rmse": error, "train_error": error, "unamplified_error": error}
        return SimpleNamespace(candidate=candidate, n_rows=candidate.n_terms, **found)

    def is_rough(trial, foreseen):
        asked.append(foreseen)
        return left_by_others < foreseen

    found, _ = _ascend(attempt, ladder, lambda candidate: candidate, np.inf, is_rough)
    assert len(tried) == n_tried
    assert found == [] or len(found) == n_tried
    # there is no fall before the second
    assert asked[:2] == [0.0, pytest.approx(0.5 * (0.5 / 0.55) ** 2)]
