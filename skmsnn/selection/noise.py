"""Whether the residual of a candidate is noise, which no other candidate reduces."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skmsnn._comparison import AS_GOOD, EQUAL
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.selection.candidate import Scored
from skmsnn.selection.problem import StageProblem
from skmsnn.selection.race import Tried
from skmsnn.spaces.polynomial import PolynomialFit
from skmsnn.validation.diagnosis import looks_like_noise
from skmsnn.validation.plateau import (
    MOST_LEVERAGE,
    has_plateaued,
    is_ratio_of_noise,
    noise_level,
)


def leverage_of(scored: Scored) -> float:
    """Share of noise that a fit follows: K / n of K terms on n points, less if damped."""
    fit = scored.fit
    if fit is not None and isinstance(fit.linear, PolynomialFit):
        return min(fit.linear.leverage, MOST_LEVERAGE)
    if fit is not None and fit.leverage is not None:
        return min(fit.leverage, MOST_LEVERAGE)
    return min(scored.candidate.n_terms / scored.n_rows, MOST_LEVERAGE)


def is_noise(problem: StageProblem, scored: Scored, outputs: slice, tried: Sequence[Tried]) -> bool:
    """Whether the residual is white noise, as far as it can be decided.

    A fit that follows what it cannot resolve has a small residual at its own points: the ratio of
    training error to validation error tells. If that is what noise makes it, no larger candidate
    has a smaller error.
    """
    score, leverage = scored.score, leverage_of(scored)
    error, train = score.error, score.train_error
    ratio = train / error if error > 0 else 0.0
    typical = float(np.median(np.abs(score.residual)))
    assert scored.fit is not None
    rest = (problem.target - scored.fit.function.evaluate(problem.x))[:, outputs]
    own = float(np.median(np.abs(rest[problem.weight > 0])))
    ratio = max(ratio, own / typical if typical > 0 and problem.in_folds else 0.0)
    if not is_ratio_of_noise(ratio, leverage, AS_GOOD):
        return False
    level = noise_level(train, leverage)
    levels = [
        (noise_level(t.train_error, min(t.n_terms / t.n_rows, MOST_LEVERAGE)), t.n_terms)
        for t in tried
    ]
    is_flat = scored.candidate.has_plateaued or (
        any(one / EQUAL <= level <= one * EQUAL for one, _ in levels)
        and has_plateaued(level, levels)
    )
    # in many features neighbours are far apart, and any residual looks white
    # and so does what nonlinear fits have, as they follow some of it anywhere
    is_near = problem.x.shape[1] <= MOST_DIMENSIONS and scored.candidate.refit is None
    shows_whiteness = is_near and is_ratio_of_noise(ratio, leverage)
    if not (is_flat or shows_whiteness):
        return False
    used = problem.weight > 0
    return looks_like_noise(problem.x[used], rest[used], leverage)
