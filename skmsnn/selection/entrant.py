"""A ladder in the race: what it tried, what its next step costs, promises and may come to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn.selection.candidate import Candidate, Ladder, Preparation, Scored
from skmsnn.selection.trace import Row
from skmsnn.validation.score import Score

# What every candidate costs at least: fits to 200 points took 3 milliseconds, whatever their size.
LEAST_OPERATIONS = FLOPS_PER_SECOND / 300
# A ladder whose error is above this share of y has not come to the waves of the function yet: how
# far it is behind, and how slowly its error falls, says nothing.
RESOLVED = 0.5
# Digits that every candidate promises at least: errors may rest before they fall on.
LEAST_PROMISE = 0.1


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
class Entrant:
    """A ladder in the race."""

    family: str
    ladder: Ladder
    next: Candidate | Preparation | None = None
    best: list[Scored] = field(default_factory=list)
    tried: list[Tried] = field(default_factory=list)
    row: Row | None = None
    last_of_waves: Scored | None = None
    n_worse: float = 0
    origin: Entrant | None = None
    spent: float = 0.0
    spent_on_best: float = 0.0
    seconds: float = 0.0

    @property
    def root(self) -> Entrant:
        """The ladder that a search goes on."""
        return self if self.origin is None else self.origin

    @property
    def is_search(self) -> bool:
        """Whether its candidates are neighbours of the best one of another ladder."""
        return self.origin is not None

    @property
    def error(self) -> float:
        return joint_error(self.best) if self.best else np.inf

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
        smaller = [t for t in self.tried if 2 * t.size <= last.size and t.error < RESOLVED]
        if not smaller or not 0 < last.error < RESOLVED:
            return None
        before = min(smaller, key=lambda t: t.error)
        return float(min(0.0, np.log(last.error / before.error)) / (last.size - before.size))

    def take(self, scored: Scored) -> None:
        """Note a scored candidate."""
        candidate, score = scored.candidate, scored.score
        self.last_of_waves = scored if candidate.bandlimit else None
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


def joint_error(best: Sequence[Scored]) -> float:
    """Validation error of all outputs, each under its best candidate."""
    if not best:
        return np.inf
    return float(np.sqrt(np.mean([s.score.errors[j] ** 2 for j, s in enumerate(best)])))
