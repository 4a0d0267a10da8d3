"""A short form of the record of a selection: one line per family and stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: ``search_results_`` of a fitted model: equally long arrays by name, a row per candidate.
SearchResults = Mapping[str, NDArray]


@dataclass(frozen=True)
class FamilySummary:
    """What the candidates of one family achieved in one stage.

    Parameters
    ----------
    stage : int
        Number of the stage, from 1.
    family, label : str
        The family, and its best candidate.
    validation_error, standard_error, train_error : float
        Errors of the best candidate, relative to the spread of y; nan if none was scored.
    n_terms : int
        Terms of the best candidate.
    n_candidates : int
        Candidates that were scored.
    operations, seconds : float
        Cost of all candidates.
    status : str
        "won", or how the family's ladder of candidates ended.
    ended : str
        How the ladder ended after the winning candidate, "" if that was the last.
    reason : str
        Explanation of the end, "" if there is none.
    """

    stage: int
    family: str
    label: str
    validation_error: float
    standard_error: float
    train_error: float
    n_terms: int
    n_candidates: int
    operations: float
    seconds: float
    status: str
    ended: str
    reason: str

    @property
    def is_scored(self) -> bool:
        """Whether any candidate has a validation error."""
        return self.n_candidates > 0

    @property
    def outcome(self) -> str:
        """Status and reason in a phrase."""
        status = f"{self.status}, then {self.ended}" if self.ended else self.status
        return f"{status}: {self.reason}" if self.reason else status


def stages_of(results: SearchResults) -> list[int]:
    """Numbers of the stages in a record, in ascending order."""
    return [int(stage) for stage in np.unique(results["stage"])]


def families_in(results: SearchResults, stage: int) -> dict[str, NDArray[np.intp]]:
    """Rows of each family in a stage, families in the order in which they were first tried."""
    rows = np.flatnonzero(np.asarray(results["stage"]) == stage)
    names = np.asarray(results["family"])[rows]
    return {str(name): rows[names == name] for name in dict.fromkeys(names.tolist())}


def family_summaries(results: SearchResults, stage: int) -> list[FamilySummary]:
    """Summarise a stage: the winning family first, then by error, those never scored last.

    Parameters
    ----------
    results : dict from str to ndarray
        ``search_results_`` of a fitted model.
    stage : int
        Number of the stage, from 1.

    Returns
    -------
    list of FamilySummary
        One for each family; empty if the record has no such stage.
    """
    found = [_summary(results, stage, *item) for item in families_in(results, stage).items()]
    # sorting is stable: of equal errors the family that was tried first stays first
    return sorted(found, key=lambda s: (s.status != "won", not s.is_scored, s.validation_error))


def _summary(
    results: SearchResults, stage: int, family: str, rows: NDArray[np.intp]
) -> FamilySummary:
    errors = np.asarray(results["validation_error"], dtype=np.float64)[rows]
    statuses = np.asarray(results["status"])[rows]
    is_scored = np.isfinite(errors)
    won = np.flatnonzero(statuses == "won")
    if len(won):
        best = rows[won[-1]]
    else:
        best = rows[np.nanargmin(errors)] if is_scored.any() else rows[-1]
    last = rows[-1]
    status = "won" if len(won) else str(statuses[-1])
    return FamilySummary(
        stage=stage,
        family=family,
        label=str(results["label"][best]),
        validation_error=float(results["validation_error"][best]),
        standard_error=float(results["standard_error"][best]),
        train_error=float(results["train_error"][best]),
        n_terms=int(results["n_terms"][best]),
        n_candidates=int(is_scored.sum()),
        operations=float(np.nansum(results["operations"][rows])),
        seconds=float(np.nansum(results["seconds"][rows])),
        status=status,
        ended=str(statuses[-1]) if status == "won" and last != best else "",
        reason=str(results["reason"][last]),
    )


def headline(results: SearchResults, stage: int) -> str:
    """A sentence on the winner of a stage and the family next to it, "" without a winner."""
    families = family_summaries(results, stage)
    winners = [summary for summary in families if summary.status == "won"]
    others = [summary for summary in families if summary.status != "won" and summary.is_scored]
    if not winners:
        return ""
    winner = winners[0]
    if len(winners) > 1:  # outputs may need different families
        return f"{', '.join(summary.family for summary in winners)} won, for different outputs"
    text = f"{winner.family} won with a validation error of {winner.validation_error:.1e}"
    if not others:
        return f"{text}; no other family was scored"
    second = others[0]
    error = f"{second.validation_error:.1e}"
    if second.validation_error < winner.validation_error:
        return (
            f"{text} and {_terms(winner)}; {second.family} has the lowest, {error}, "
            f"with {_terms(second)}"
        )
    return f"{text}; {second.family} is next with {error}"


def stage_lines(results: SearchResults, stage: int) -> list[str]:
    """One line per family of a stage, in aligned columns that need no header.

    Parameters
    ----------
    results : dict from str to ndarray
        ``search_results_`` of a fitted model.
    stage : int
        Number of the stage, from 1.

    Returns
    -------
    list of str
        Family, best validation error and its standard error, terms of the best candidate,
        number of candidates, seconds, status and reason.
    """
    families = family_summaries(results, stage)
    return _aligned([*map(_cells, families)], [f"  {s.outcome}" for s in families])


def summary_lines(results: SearchResults) -> list[str]:
    """Summarise each stage in lines: which family won, and how the others ended.

    Parameters
    ----------
    results : dict from str to ndarray
        ``search_results_`` of a fitted model.

    Returns
    -------
    list of str
        For each stage a headline and one indented line per family.
    """
    lines = []
    for stage in stages_of(results):
        sentence = headline(results, stage)
        lines.append(f"stage {stage}: {sentence}" if sentence else f"stage {stage}")
        lines += [f"  {line}" for line in stage_lines(results, stage)]
    return lines


def error_text(summary: FamilySummary, sign: str = "+/-") -> str:
    """Validation error and its standard error, where there are any."""
    if not summary.is_scored:
        return ""
    error = f"{summary.validation_error:.1e}"
    is_known = np.isfinite(summary.standard_error)
    return f"{error} {sign} {summary.standard_error:.0e}" if is_known else error


def _cells(summary: FamilySummary) -> tuple[str, ...]:
    n = summary.n_candidates
    candidates = f"{n} candidate{'' if n == 1 else 's'}"
    if not summary.is_scored:
        return summary.family, "not scored", "", candidates, _seconds(summary)
    return (
        summary.family,
        error_text(summary),
        _terms(summary),
        candidates,
        _seconds(summary),
    )


def _terms(summary: FamilySummary) -> str:
    return f"{summary.n_terms} term{'' if summary.n_terms == 1 else 's'}"


def _seconds(summary: FamilySummary) -> str:
    return f"{summary.seconds:.2f} s"


def _aligned(rows: Sequence[tuple[str, ...]], ends: Iterable[str]) -> list[str]:
    """Cells in columns, numbers with their units to the right, and free text after them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for (name, error, *rest), end in zip(rows, ends, strict=True):
        cells = [name.ljust(widths[0]), error.ljust(widths[1])]
        cells += [cell.rjust(width) for cell, width in zip(rest, widths[2:], strict=True)]
        lines.append("  ".join(cells) + end)
    return lines
