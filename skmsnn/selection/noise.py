"""Whether the residual of a candidate is noise, which no other candidate reduces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from skmsnn._comparison import AS_GOOD, EQUAL
from skmsnn.selection.candidate import Scored
from skmsnn.selection.entrant import Tried
from skmsnn.selection.problem import StageProblem
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


def is_noise(
    problem: StageProblem, scored: Scored, outputs: slice, tried: Mapping[str, Sequence[Tried]]
) -> bool:
    """Whether the residual is white noise, as far as it can be decided.

    A fit that follows what it cannot resolve has a small residual at its own points: the ratio of
    training error to validation error tells. If that is what noise makes it, and larger candidates,
    or the best of other families, have the same residual, it is noise.

    Parameters
    ----------
    tried : mapping from str to sequence of Tried
        The candidates of each family.
    """
    score, leverage = scored.score, leverage_of(scored)
    train = score.train_error
    assert scored.fit is not None
    rest = (problem.target - scored.fit.function.evaluate(problem.x))[:, outputs]
    ratios = [_ratio(train, float(np.sqrt(np.mean(score.residual**2))))]
    if problem.in_folds:
        # next to corners single rows that are left out may have most of the error
        own = float(np.median(np.abs(rest[problem.weight > 0])))
        ratios.append(_ratio(own, float(np.median(np.abs(score.residual)))))
    if not all(is_ratio_of_noise(ratio, leverage, AS_GOOD) for ratio in ratios):
        return False
    level = noise_level(train, leverage)
    family = scored.candidate.family
    levels = {name: [(_level(t), t.n_terms) for t in of_one] for name, of_one in tried.items()}
    own_levels = levels.pop(family, [])
    is_flat = scored.candidate.has_plateaued or (
        any(_are_equal(one, level) for one, _ in own_levels) and has_plateaued(level, own_levels)
    )
    # three families of different functions do not end at the same residual but by noise; two may
    least = [min(level for level, _ in of_one) for of_one in levels.values() if of_one]
    agree = sum(_are_equal(one, level) for one in least) > 1
    if problem.is_low_dimensional:
        # any residual looks white to nonlinear fits, which follow some of it anywhere
        is_linear = scored.candidate.refit is None
        is_known = is_flat or agree or (is_linear and is_ratio_of_noise(max(ratios), leverage))
    else:
        # and to all in many features, where neighbours are far apart
        is_known = is_flat and agree
    if not is_known:
        return False
    used = problem.weight > 0
    return looks_like_noise(problem.x[used], rest[used], leverage)


def _ratio(train: float, error: float) -> float:
    return train / error if error > 0 else 0.0


def _level(tried: Tried) -> float:
    return noise_level(tried.train_error, min(tried.n_terms / tried.n_rows, MOST_LEVERAGE))


def _are_equal(one: float, other: float) -> bool:
    return other / EQUAL <= one <= other * EQUAL
