"""Which conditions contradict the values, or each other: how well the others are met alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skmsnn._comparison import EQUAL, FAR
from skmsnn._effort import FLOPS_PER_SECOND
from skmsnn.equations.ladders import best_solution
from skmsnn.equations.newton import Problem, Solution
from skmsnn.equations.operators import ConditionRows, State
from skmsnn.selection.problem import unwatched
from skmsnn.selection.trace import Trace

# Operations of a race without a group of conditions.
_BUDGET = 4 * FLOPS_PER_SECOND


def contradiction_in(problem: Problem, families: Sequence[str], error: float) -> str:
    """Say which conditions cannot be met together; nothing where none stands out.

    Parameters
    ----------
    problem : Problem
        The conditions.
    families : sequence of str
        Functions that compete.
    error : float
        Validation error of the best fit.
    """
    groups = list(dict.fromkeys(kind.group for kind in problem.rows))
    if not 2 <= len(groups) <= FAR:
        return ""
    whole = _quick_solution(problem, families)
    if whole.train_error * FAR < min(whole.error, error):
        return ""  # it interpolates its own rows: more of them would show
    found = []
    for group in groups:
        others = _quick_solution(problem.without(group), families)
        is_kept = [kind.group != group for kind in problem.rows]
        alone = others.error_over(whole.sizes[is_kept])
        if alone * FAR < whole.error:
            found.append(
                f"Without {group!r} the others are met to {alone:.1e}."
                + "".join(
                    _against(kind, others, problem) for kind in problem.rows if kind.group == group
                )
            )
    return " ".join(found)


def _quick_solution(problem: Problem, families: Sequence[str]) -> Solution:
    return best_solution(problem, families, unwatched, Trace(), _BUDGET)


def _against(kind: ConditionRows, others: Solution, problem: Problem) -> str:
    """What the others predict for a condition, where that is a multiple of its values."""
    if not kind.is_linear:
        return ""
    state = State([kind], problem.n_outputs)
    zero = state.residuals()[0]
    predicted = zero - state.of(others.chosen.frame.modes(others.c)).residuals()[0]
    square = float(np.sum(zero**2))
    factor = float(np.sum(predicted * zero)) / square if square > 0 else 0.0
    misses = np.linalg.norm(predicted - factor * zero) > (EQUAL - 1) * np.linalg.norm(predicted)
    if factor == 0 or misses or 1 / EQUAL < factor < EQUAL:
        return ""
    if 1 / EQUAL < -factor < EQUAL:
        return f" They make {kind.name!r} the opposite of its values: the sign is wrong."
    return f" They make {kind.name!r} {factor:.3g} times its values: are the units the same?"
