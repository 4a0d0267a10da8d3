"""The stages of a fitted model, and why they are what they are, as HTML for notebooks."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import zip_longest
from typing import Any

from skmsnn.selection.summary import error_text, family_summaries, headline, stages_of

_STAGE_COLUMNS = ("stage", "modes", "family", "training", "held-out", "how it ended")
_FAMILY_COLUMNS = ("family", "best candidate", "validation error", "terms", "candidates", "seconds")


def stages_table(model: Any) -> str:
    """One row a stage: its modes, and the relative RMS residual that it leaves."""
    stages = zip_longest(
        model.stages_, model.train_errors_, model.validation_errors_, model.stage_summaries_
    )
    rows = []
    for number, (stage, train, held_out, reason) in enumerate(stages, start=1):
        cells = (
            str(number),
            str(stage.n_modes),
            escape(stage.family),
            f"{train:.1e}",
            "" if held_out is None else f"{held_out:.1e}",
            escape(reason),
        )
        rows.append(cells)
    caption = f"{model.n_stages_} stages; ended by: {escape(model.stop_reason_)}"
    return _table(caption, _STAGE_COLUMNS, rows)


def selection_table(model: Any) -> str:
    """One row per stage and family, folded away; "" if the model keeps no record."""
    results = getattr(model, "search_results_", None)
    if results is None or not len(results["stage"]):
        return ""
    tables = []
    for stage in stages_of(results):
        rows = []
        for summary in family_summaries(results, stage):
            name = escape(summary.family)
            cells = (
                f"<b>{name}</b>" if summary.status == "won" else name,
                escape(summary.label) if summary.is_scored else "",
                error_text(summary, "±"),
                str(summary.n_terms) if summary.is_scored else "",
                str(summary.n_candidates),
                f"{summary.seconds:.2f}",
                escape(summary.outcome),
            )
            rows.append(cells)
        sentence = headline(results, stage)
        caption = f"stage {stage}: {escape(sentence)}" if sentence else f"stage {stage}"
        tables.append(_table(caption, (*_FAMILY_COLUMNS, "how it ended"), rows))
    return f"<details><summary>Why this family?</summary>{''.join(tables)}</details>"


def _table(caption: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already."""
    head = "".join(f"<th>{name}</th>" for name in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>" for cells in rows
    )
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
