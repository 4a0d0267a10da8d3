"""The race: ladders of candidates advance one step at a time, and one score decides.

The next step is that of the ladder that promises most for its cost: cheap ones first, and what is
far behind waits. A ladder ends when it is exhausted, overfits, would not catch up with the best at
any affordable size, or costs too much. The neighbours of its best candidate are one more ladder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn._precision import NEAR_ROUND_OFF, ROUND_OFF
from skmsnn._time_limit import seconds_left, time_is_up
from skmsnn.selection.candidate import Candidate, Ladder, Preparation, Scored
from skmsnn.selection.scheme import Scheme
from skmsnn.selection.trace import Row, Status, Trace
from skmsnn.validation.score import Score

# What every candidate costs at least: fits to 200 points took 3 milliseconds, whatever their size.
LEAST_OPERATIONS = FLOPS_PER_SECOND / 300
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
# A ladder whose error is above this share of y has not come to the waves of the function yet: how
# far it is behind, and how slowly its error falls, says nothing.
RESOLVED = 0.5
# Rows of a fit whose residual is at the floor show that nothing is gained by more functions, up to
# so many times the floor at other rows: what their residuals have more is amplified rounding.
NEAR_FLOOR = NEAR_ROUND_OFF / ROUND_OFF
# Digits that every candidate promises at least: errors may rest before they fall on.
LEAST_PROMISE = 0.1
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
        return _joint(self.best)


class Tried(NamedTuple):
    """One step of a ladder.

    The error of smooth functions falls geometrically with ``size``, at the fastest: with the number
    of terms, or with the square of the degree where that grows along all axes at once.
    """

    n_terms: int
    error: float
    train_error: float
    n_rows: int
    label: str
    size: float


@dataclass
class _Entrant:
    """A ladder in the race."""

    family: str
    ladder: Ladder
    next: Candidate | Preparation | None = None
    best: list[Scored] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    row: Row | None = None
    last: Scored | None = None
    n_worse: float = 0
    is_search: bool = False
    spent: float = 0.0
    spent_on_best: float = 0.0
    seconds: float = 0.0

    @property
    def error(self) -> float:
        return _joint(self.best) if self.best else np.inf

    def advance(self, score: Score | None) -> None:
        start = time.perf_counter()
        try:
            self.next = next(self.ladder) if score is None else self.ladder.send(score)
        except StopIteration:
            self.next = None
        self.seconds = time.perf_counter() - start

    def price(self, least: float) -> float:
        """Operations of the next candidate for each digit that it promises.

        It has to make up for the digits that the ladder is behind, and promises as many as its
        error fell by so far, for each unit of size; one before that is known.
        """
        if self.next is None:
            return 0.0
        gap = self.error / least if self.error < RESOLVED and least > 0 else 1.0
        digits = np.log10(max(1.0, gap))
        return float(max(cost(self.next), LEAST_OPERATIONS) * (1 + digits) / self.promise())

    def promise(self) -> float:
        """Digits, at most one, by which the error falls with the next candidate, if it falls on."""
        if not isinstance(self.next, Candidate) or self.is_search:
            return 1.0
        rate = self.rate()
        if rate is None:
            return 1.0
        digits = -rate * (size_of(self.next) - self.tried[-1].size) / np.log(10)
        return float(np.clip(digits, LEAST_PROMISE, 1.0))

    def rate(self) -> float | None:
        """Fall of the logarithm of the error with size, over the last doubling; None if unknown."""
        if not self.tried:
            return None
        last = self.tried[-1]
        smaller = [t for t in self.tried if 2 * t.size <= last.size]
        if not smaller or not 0 < last.error < RESOLVED:
            return None
        before = min(smaller, key=lambda t: t.error)
        return float(min(0.0, np.log(last.error / before.error)) / (last.size - before.size))

    def take(self, scored: Scored) -> None:
        """Note a scored candidate."""
        self.last = scored
        candidate, score = scored.candidate, scored.score
        numbers = (candidate.n_terms, score.error, score.train_error, scored.n_rows)
        self.tried.append(Tried(*numbers, candidate.label, size_of(candidate)))
        is_smaller = np.array(
            [score.errors[j] < s.score.errors[j] for j, s in enumerate(self.best)]
        )
        self.spent += cost(scored)
        if not self.best or is_smaller.any():
            self.n_worse, self.spent_on_best = 0, self.spent
        else:
            # denominators that have zeros say little of larger ones
            has_failed = candidate.refit is not None and not np.isfinite(score.error)
            self.n_worse += 0.5 if has_failed else 1
        self.best = self.best or [scored] * len(score.errors)
        for j in np.flatnonzero(is_smaller):
            self.best[j] = scored

    def forecast(self, operations: float) -> float:
        """Error at the largest size that so many operations allow, if it falls on geometrically."""
        assert isinstance(self.next, Candidate)
        last, size, rate = self.tried[-1], size_of(self.next), self.rate()
        if rate is None:
            return 0.0
        # operations grow with the square of the number of terms, of which rows are a bound
        growth = np.sqrt(max(1.0, operations / self.next.operations))
        growth = min(growth * self.next.n_terms, last.n_rows) / last.n_terms
        terms = self.next.n_terms / last.n_terms
        exponent = np.log(size / last.size) / np.log(terms) if terms > 1 < size / last.size else 1.0
        with np.errstate(under="ignore"):
            return float(last.error * np.exp(rate * last.size * (growth**exponent - 1)))


def size_of(candidate: Candidate) -> float:
    """The size of a candidate in forecasts."""
    return min(float(candidate.n_terms), candidate.extent**2 or np.inf)


def cost(step: Candidate | Preparation | Scored) -> float:
    """Operations of a step, or those that its score took, with the overhead of a candidate."""
    if isinstance(step, Preparation):
        return step.operations
    return max(step.operations, LEAST_OPERATIONS)


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
        self._entrants: list[_Entrant] = []
        self._rows: dict[int, Row] = {}
        self._ladders: dict[int, _Entrant] = {}
        self._spent_in_lead: dict[int, float] = {}
        self._best: list[Scored] = []
        self._tried: dict[str, list[Tried]] = {}

    def run(self, ladders: Iterable[tuple[str, Ladder]]) -> Outcome | None:
        """The candidate with the smallest validation error for each output; None without any."""
        for family, ladder in ladders:
            self._enter(_Entrant(family, ladder))
        while self._entrants:
            least = _joint(self._best)
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

    def _enter(self, entrant: _Entrant) -> None:
        # its first candidate may take a look at the data, for which there may be no time
        entrant.next = Preparation(entrant.family, 0.0)
        self._entrants.append(entrant)

    def _why_not(self, entrant: _Entrant) -> Ending | None:
        """Why the next candidate of a ladder is not tried, if so."""
        candidate, least = entrant.next, _joint(self._best)
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

    def _left(self, entrant: _Entrant) -> float:
        """Operations that the missing digits are worth, less those that were spent.

        All digits are worth the budget, and each as much. Ladders in the lead find digits, and may
        go on to the end of a stage: what they spent is not at the expense of the others.
        """
        leading = {id(self._ladders[id(best)]) for best in self._best}
        in_search = self._spent - sum(self._spent_in_lead.values())
        if id(entrant) in leading:
            return self._most - in_search - self._spent_in_lead.get(id(entrant), 0.0)
        missing = np.log(max(_joint(self._best), self._floor) / self._floor)
        share = min(1.0, missing / np.log(1 / self._floor))
        return float(share * self._budget - in_search)

    def _ends_in_noise(self) -> bool:
        """Whether the residual of the best candidate is noise, which no other one reduces."""
        best = self._best[0]
        if any(other is not best for other in self._best):
            return False
        if self._noise_of is not best:
            self._noise_of, self._has_noise = best, self._is_noise(best, self._tried)
        return self._has_noise

    def _step(self, entrant: _Entrant) -> Ending | None:
        """Score the next candidate of a ladder; why the ladder ends after it, if it does."""
        candidate = entrant.next
        assert candidate is not None
        if isinstance(candidate, Preparation):
            self._spent += cost(candidate)
            entrant.spent += cost(candidate)
            entrant.advance(None)
            return None
        start = time.perf_counter()
        scored = self._scheme.score(candidate, self._best)
        self._spent += cost(scored)
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
        for one in (self._ladders[id(best)] for best in self._best):
            self._spent_in_lead[id(one)] = one.spent
        entrant.advance(scored.score)
        if not isinstance(entrant.next, Candidate) or entrant.is_search:
            return None
        return self._why_it_ends(entrant, scored)

    def _why_it_ends(self, entrant: _Entrant, scored: Scored) -> Ending | None:
        score = scored.score
        # a function of high frequency shows nothing, here or there, until waves reach it
        if entrant.n_worse >= PATIENCE and not self._shows_more(scored):
            if score.error > OVERFIT * score.train_error:
                return Status.OVERFITS, "larger candidates overfit"
            waited = entrant.spent - entrant.spent_on_best
            if waited > max(entrant.spent_on_best, WAITING):
                return Status.WORSE, "larger candidates do not reduce the error"
        return None

    def _is_behind(self, entrant: _Entrant) -> bool:
        """Whether no affordable candidate of a ladder is likely to become the best."""
        least, last = _joint(self._best), entrant.last
        if last is None or not isinstance(entrant.next, Candidate) or entrant.error <= least:
            return False
        return entrant.forecast(self._left(entrant)) > least and not self._shows_more(last)

    def _end(self, entrant: _Entrant, status: Status, reason: str) -> None:
        self._entrants.remove(entrant)
        if entrant.row is not None:
            entrant.row.status, entrant.row.reason = status, reason
        elif entrant.next is not None and not entrant.is_search:
            self._trace.add(family=entrant.family, label="", status=status, reason=reason)
        is_done = status in (Status.WORSE, Status.OVERFITS, Status.TOO_COSTLY)
        if is_done and entrant.best and not entrant.is_search:
            for scored in {id(one): one for one in entrant.best}.values():
                search = _Entrant(entrant.family, neighbours(scored), is_search=True)
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
    error = _joint(best)
    train = max(scored.score.train_error for scored in best)
    return error <= floor or (error <= NEAR_FLOOR * floor and train <= floor)


def _joint(best: Sequence[Scored]) -> float:
    """Validation error of all outputs, each under its best candidate."""
    if not best:
        return np.inf
    return float(np.sqrt(np.mean([s.score.errors[j] ** 2 for j, s in enumerate(best)])))
