"""The stages of a fitted model as an HTML table, for notebooks."""

from __future__ import annotations

from html import escape
from itertools import zip_longest
from typing import Any

_COLUMNS = ("stage", "modes", "family", "training", "held-out", "how it ended")


def stages_table(model: Any) -> str:
    """One row a stage: its modes, and the relative RMS residual that it leaves."""
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
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
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    caption = f"{model.n_stages_} stages; ended by: {escape(model.stop_reason_)}"
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
