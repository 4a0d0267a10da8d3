"""Which conditions contradict the values, or each other: what the rest says without them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skmsnn._comparison import EQUAL, FAR
from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn.families.conditioned import best_solution
from skmsnn.families.newton import Problem, Solution
from skmsnn.selection.problem import unwatched
from skmsnn.spaces.operators import Rows, State


def contradiction_in(problem: Problem, families: Sequence[str], error: float) -> str:
    """Say which conditions cannot be met together; nothing where none stands out.

    Parameters
    ----------
    problem : Problem
        The conditions.
    families : sequence of str
        Of functions that are tried.
    error : float
        What the best fit leaves.
    """
    groups = list(dict.fromkeys(kind.group for kind in problem.rows))
    if not 2 <= len(groups) <= FAR:
        return ""
    whole = best_solution(problem, families, unwatched, FLOPS_PER_SECOND)
    if whole.left_seen * FAR < min(whole.left, error):
        return ""  # it goes through its own rows: more of them would tell
    told = []
    for group in groups:
        others = best_solution(problem.without(group), families, unwatched, FLOPS_PER_SECOND)
        if others.left * FAR < whole.left:
            told.append(
                f"Without {group!r} the others are met to {others.left:.1e}."
                + "".join(
                    _against(kind, others, problem) for kind in problem.rows if kind.group == group
                )
            )
    return " ".join(told)


def _against(kind: Rows, others: Solution, problem: Problem) -> str:
    """What the others make of a condition, where that is a multiple of its values."""
    if not kind.is_linear:
        return ""
    state = State([kind], problem.n_outputs)
    zero = state.rest()[0]
    made = zero - state.of(others.chosen.frame.modes(others.c)).rest()[0]
    square = float(np.sum(zero**2))
    factor = float(np.sum(made * zero)) / square if square > 0 else 0.0
    misses = np.linalg.norm(made - factor * zero) > (EQUAL - 1) * np.linalg.norm(made)
    if factor == 0 or misses or 1 / EQUAL < factor < EQUAL:
        return ""
    if 1 / EQUAL < -factor < EQUAL:
        return f" They make {kind.name!r} the opposite of its values: the sign is wrong."
    return f" They make {kind.name!r} {factor:.3g} times its values: are the units the same?"
