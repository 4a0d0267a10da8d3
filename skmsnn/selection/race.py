"""The race: ladders of candidates advance one step at a time, and one score decides.

The next step is that of the ladder that promises most for its cost: cheap ones first, and what is
far behind waits. A ladder ends when it is exhausted, overfits, would not catch up with the best at
any affordable size, or costs too much. The neighbours of its best candidate are one more ladder.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import NEAR_ROUND_OFF, ROUND_OFF
from skmsnn._time_limit import seconds_left, time_is_up
from skmsnn.selection.candidate import Candidate, Ladder, Preparation, Scored
from skmsnn.selection.entrant import Entrant, Tried, cost, joint_error
from skmsnn.selection.scheme import Scheme
from skmsnn.selection.trace import Row, Status, Trace

# Candidates in turn that are not better, after which a ladder ends: one may be bad luck.
PATIENCE = 2
# Share of the budget that is spent after the best where its residual looks like noise: that of a
# smooth function may look so, too, and what is cheap tells.
WORTH_A_LOOK = 0.25
# Operations that a ladder may spend without a smaller error, if it has not spent more until its
# best: what leads to a better one may itself say nothing, as x^2 on the way to x^3.
WAITING = FLOPS_PER_SECOND / 20
# A fit whose error at unseen rows is so many times that at its own rows follows what it cannot
# resolve. K terms on n points make of noise a ratio of 1 / (1 - K / n).
OVERFIT = 10.0
# The neighbours of a candidate whose error is larger by more are not worth their time: other
# cut-offs and dampings reduce errors by hardly so much.
MOST_GAIN = 10.0
# Rows of a fit whose residual is at the floor show that nothing is gained by more functions, up to
# so many times the floor at other rows: what their residuals have more is amplified rounding.
NEAR_FLOOR = NEAR_ROUND_OFF / ROUND_OFF
# A neighbour is another centre of a search if its error is smaller by more.
LEAST_GAIN = 1.15

Ending = tuple[Status, str]


class Outcome(NamedTuple):
    """The best candidate for each output, and what each ladder tried: sizes, errors, leverages."""

    best: list[Scored]
    tried: dict[str, list[Tried]]

    @property
    def error(self) -> float:
        """Validation error of all outputs, each under its best candidate."""
        return joint_error(self.best)


def improve(best: list[Scored], scored: Scored) -> bool:
    """Replace the best of each output where a candidate is better; whether it is anywhere."""
    if not best:
        best.extend([scored] * scored.score.residual.shape[1])
        return True
    better = np.zeros(len(best), dtype=bool)
    for other in {id(one): one for one in best}.values():
        has_it = np.array([one is other for one in best])
        better |= has_it & scored.score.is_better_than(other.score)
    for j in np.flatnonzero(better):
        best[j] = scored
    return bool(better.any())


class Race:
    """Ladders under one scheme, within a budget of operations.

    Parameters
    ----------
    scheme : Scheme
        What scores candidates.
    trace : Trace
        Where every step is recorded.
    budget : float
        Operations that all digits are worth.
    most : float, default=budget
        Operations that the ladder in the lead may bring all of them to.
    size : float, default=1.0
        Root mean square of the target, in units of the spread of y.
    floor : float
        Error at which digits are used up.
    shows_more : callable
        Whether the residual of a scored candidate shows waves that larger ones of its ladder reach.
    is_noise : callable
        Whether the residual of a scored candidate is noise, given what its family tried.
    """

    def __init__(
        self,
        scheme: Scheme,
        trace: Trace,
        *,
        budget: float,
        most: float | None = None,
        size: float = 1.0,
        floor: float = ROUND_OFF,
        shows_more: Callable[[Scored], bool] = lambda scored: False,
        is_noise: Callable[[Scored, dict[str, list[Tried]]], bool] = lambda scored, tried: False,
    ) -> None:
        self._scheme, self._trace, self._size = scheme, trace, size
        self._budget, self._floor, self._shows_more = budget, floor, shows_more
        self._most = budget if most is None else most
        self._spent = self._spent_at_best = 0.0
        self._is_noise = is_noise
        self._noise_of: Scored | None = None
        self._has_noise = False
        self._entrants: list[Entrant] = []
        self._rows: dict[int, Row] = {}
        self._ladders: dict[int, Entrant] = {}
        self._spent_by: dict[int, float] = defaultdict(float)
        self._spent_in_lead: dict[int, float] = {}
        self._best: list[Scored] = []
        self._tried: dict[str, list[Tried]] = {}

    def run(self, ladders: Iterable[tuple[str, Ladder]]) -> Outcome | None:
        """The candidate with the smallest validation error for each output; None without any."""
        for family, ladder in ladders:
            self._enter(Entrant(family, ladder))
        while self._entrants:
            least = joint_error(self._best)
            entrant = min(self._entrants, key=lambda e: e.price(least))
            ending = self._why_not(entrant) or self._step(entrant)
            if ending is None:
                continue
            if entrant.is_search and ending[0] == Status.TOO_COSTLY:
                entrant.advance(None)  # another neighbour may cost less
            else:
                self._end(entrant, *ending)
        if not self._best:
            return None
        for scored in self._best:
            row = self._rows[id(scored)]
            row.status = Status.WON
        return Outcome(self._best, self._tried)

    def _enter(self, entrant: Entrant) -> None:
        # its first candidate may take a look at the data, for which there may be no time
        entrant.next = Preparation(entrant.family, 0.0)
        self._entrants.append(entrant)

    def _why_not(self, entrant: Entrant) -> Ending | None:
        """Why the next candidate of a ladder is not tried, if so."""
        candidate, least = entrant.next, joint_error(self._best)
        if candidate is None:
            return Status.WORSE, "no larger candidates"
        if not self._best:
            return None
        if _is_settled(self._best, self._floor):
            return Status.WORSE, "round-off is reached"
        if entrant.is_search and entrant.error > MOST_GAIN * least:
            return Status.FORECAST, "similar candidates would not catch up"
        if isinstance(candidate, Candidate) and least <= candidate.reach:
            return Status.FORECAST, "others are more accurate than such functions become"
        if not entrant.is_search and self._is_behind(entrant):
            return Status.FORECAST, "the error falls too slowly to catch up"
        since_best = self._spent - self._spent_at_best + candidate.operations
        if since_best > WORTH_A_LOOK * self._budget and self._ends_in_noise():
            return Status.WORSE, "the residual of the best is noise"
        if cost(candidate) > self._left(entrant):
            operations = f"what comes next takes {candidate.operations:.0e} operations"
            return Status.TOO_COSTLY, f"{operations}, more than the missing digits are worth"
        if time_is_up() or candidate.operations > seconds_left() * FLOPS_PER_SECOND:
            return Status.TIME, "the next candidate does not fit into max_time"
        return None

    @property
    def _leading(self) -> set[int]:
        """Ladders in the lead, by their identity; searches are parts of the ladder they go on."""
        return {id(self._ladders[id(best)].root) for best in self._best}

    def _left(self, entrant: Entrant) -> float:
        """Operations that the missing digits are worth, less those that were spent.

        All digits are worth the budget, and each as much. Ladders in the lead find digits, and may
        go on to the end of a stage: what they spent is not at the expense of the others. By then it
        is too late for one that has shown nothing.
        """
        in_search = self._spent - sum(self._spent_in_lead.values())
        if id(entrant.root) in self._leading:
            return self._most - in_search - self._spent_in_lead.get(id(entrant.root), 0.0)
        missing = np.log(max(joint_error(self._best), self._floor) / self._floor)
        share = min(1.0, missing / np.log(1 / self._floor))
        left = share * self._budget - in_search
        return float(left if entrant.best else min(left, self._most - self._spent))

    def _ends_in_noise(self) -> bool:
        """Whether the residual of the best candidate is noise, which no other one reduces."""
        best = self._best[0]
        if any(other is not best for other in self._best):
            return False
        if self._noise_of is not best:
            self._noise_of, self._has_noise = best, self._is_noise(best, self._tried)
        return self._has_noise

    def _step(self, entrant: Entrant) -> Ending | None:
        """Score the next candidate of a ladder; why the ladder ends after it, if it does."""
        candidate = entrant.next
        assert candidate is not None
        if isinstance(candidate, Preparation):
            self._charge(entrant, cost(candidate))
            entrant.spent += cost(candidate)
            entrant.advance(None)
            return None
        start = time.perf_counter()
        scored = self._scheme.score(candidate, self._best)
        self._charge(entrant, cost(scored))
        entrant.row = self._rows[id(scored)] = self._trace.add(
            family=candidate.family,
            label=candidate.label,
            n_terms=candidate.n_terms,
            operations=scored.operations,
            seconds=entrant.seconds + time.perf_counter() - start,
            validation_error=scored.score.error * self._size,
            standard_error=scored.score.standard_error * self._size,
            train_error=scored.score.train_error * self._size,
        )
        self._ladders[id(scored)] = entrant
        entrant.take(scored)
        self._tried.setdefault(candidate.family, []).append(entrant.tried[-1])
        if improve(self._best, scored):
            self._spent_at_best = self._spent
        for number in self._leading:
            self._spent_in_lead[number] = self._spent_by[number]
        entrant.advance(scored.score)
        if not isinstance(entrant.next, Candidate) or entrant.is_search:
            return None
        return self._why_it_ends(entrant, scored)

    def _charge(self, entrant: Entrant, operations: float) -> None:
        self._spent += operations
        self._spent_by[id(entrant.root)] += operations

    def _why_it_ends(self, entrant: Entrant, scored: Scored) -> Ending | None:
        score = scored.score
        # until waves reach a high frequency, errors are about as large as the function
        is_hopeless = score.error > OVERFIT * max(1.0, score.train_error)
        if entrant.n_worse >= PATIENCE and (is_hopeless or not self._shows_more(scored)):
            if score.error > OVERFIT * score.train_error:
                return Status.OVERFITS, "larger candidates overfit"
            waited = entrant.spent - entrant.spent_on_best
            if waited > max(entrant.spent_on_best, WAITING):
                return Status.WORSE, "larger candidates do not reduce the error"
        return None

    def _is_behind(self, entrant: Entrant) -> bool:
        """Whether no affordable candidate of a ladder is likely to become the best."""
        least, last = joint_error(self._best), entrant.last_of_waves
        if not isinstance(entrant.next, Candidate) or not entrant.tried or entrant.error <= least:
            return False
        is_behind = entrant.forecast(self._left(entrant)) > least
        return is_behind and not (last is not None and self._shows_more(last))

    def _end(self, entrant: Entrant, status: Status, reason: str) -> None:
        self._entrants.remove(entrant)
        if entrant.row is not None:
            entrant.row.status, entrant.row.reason = status, reason
        elif entrant.next is not None and not entrant.is_search:
            self._trace.add(family=entrant.family, label="", status=status, reason=reason)
        is_done = status in (Status.WORSE, Status.OVERFITS, Status.TOO_COSTLY)
        if is_done and entrant.best and not entrant.is_search:
            for scored in {id(one): one for one in entrant.best}.values():
                search = Entrant(entrant.family, neighbours(scored), origin=entrant)
                search.best = list(entrant.best)
                self._enter(search)


def neighbours(start: Scored) -> Ladder:
    """Candidates next to the best, and then next to the best of those, while that helps."""
    centres, labels = [(start.candidate, start.score)], {start.candidate.label}
    while centres:
        centre, least = centres.pop()
        for candidate in centre.neighbours():
            if candidate.label in labels:
                continue
            labels.add(candidate.label)
            score = yield candidate
            if score is not None and np.any(LEAST_GAIN * score.errors < least.errors):
                centres, least = [(candidate, score)], score


def _is_settled(best: list[Scored], floor: float) -> bool:
    """Whether digits are used up."""
    error = joint_error(best)
    train = max(scored.score.train_error for scored in best)
    return error <= floor or (error <= NEAR_FLOOR * floor and train <= floor)
