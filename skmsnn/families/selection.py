"""Which set of modes: the one whose fit to some points best predicts the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import AS_GOOD, CLEARLY, FAR, PATIENCE
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn._precision import CUTOFFS, EPS, HALF_DIGITS, NEAR_ROUND_OFF, ROUND_OFF
from skmsnn._time_limit import time_is_up
from skmsnn.families.base import (
    Split,
    Trial,
    leave_one_out,
    validated_on_held_out,
    validated_on_unseen,
)
from skmsnn.families.fitting import leaves_as_of_noise
from skmsnn.families.ladders import RATIO
from skmsnn.families.spectrum import share_of_waves
from skmsnn.spaces.base import Candidate, LinearFit
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.sampling import sampling_order, weight_at
from skmsnn.validation.plateau import has_plateaued

# Over the spread of y, of which smoothing splines of 13 000 elevations leave 0.1. Of the curved and
# the circular front, which networks resolve, other functions leave 4e-4 and 2e-4.
ROUGH = 0.02


def select_modes(
    ladder: Iterable[Candidate],
    data: Split,
    rng: np.random.RandomState,
    enough: float = np.inf,
    left_by_rough: Callable[[], float] | None = None,
) -> Trial | None:
    """Fit sets of growing size to the training share until the held-out error has had its least.

    Parameters
    ----------
    ladder : iterable of Candidate
        Sets in ascending order.
    data : Split
        Targets, and which points are for fitting and which for judging.
    rng : RandomState
        Draws the rows on which an expensive set is tried.
    enough : float, default=inf
        What other functions leave: costly sets are not tried where cheap ones leave much more.
    left_by_rough : callable, optional
        What functions for rough data leave, which is asked where costly sets leave much.

    Returns
    -------
    Trial or None
        The best, fitted to all of the training share; None for an empty ladder, and for rough data.
    """
    order = sampling_order(data.x, np.flatnonzero(data.train), rng)
    least_error = least_attainable = np.inf

    def comparable(candidate: Candidate) -> Candidate:
        """Under a larger cut-off where a fit itself tells what it leaves unseen.

        At round-off fits to 1.6 points a mode said up to a thousand times too much, to 2.2 eight
        times. Smaller cut-offs are tried on the best.
        """
        if data.held_out is not None:
            return candidate
        return replace(candidate, cutoff=FAR * NEAR_ROUND_OFF)

    def attempt(candidate: Candidate) -> Trial:
        nonlocal least_error, least_attainable
        weight = data.train
        if candidate.trial_rows is not None and candidate.trial_rows < len(order):
            weight = weight_at(order[: candidate.trial_rows], data.train)
        trial = _tried(candidate, candidate.fit(weight), data, weight)
        if trial.error >= least_error and trial.unamplified_error >= least_attainable:
            # factorisations are large, and this one is hardly needed again
            return replace(trial, fit=None)
        least_error = min(least_error, trial.error)
        least_attainable = min(least_attainable, trial.unamplified_error)
        return trial

    def is_rough(trial: Trial, foreseen: float) -> bool:
        """Whether others leave less than is foreseen, and no waves show that sets come to."""
        if left_by_rough is None or foreseen <= ROUGH or left_by_rough() >= foreseen:
            return False
        used = data.train > 0
        rest = data.target[used] - trial.modes.evaluate(data.x[used])
        bandlimit = trial.candidate.bandlimit
        # of what 1597 waves leave of elevations, a step and the root of a distance 0.07 to 0.14 is
        # of faster waves that stand out, and of waves of all kinds, and a front, 0.45 to 0.86
        return share_of_waves(data.x[used], rest, data.train[used], bandlimit) < 0.25

    def best_of_more(tried: list[Trial], best: Trial, has_compared_boxes: bool) -> Trial:
        """That of other boxes, shares of axes and cut-offs, too; adds the trials."""
        is_good = best.unamplified_error <= (
            NEAR_ROUND_OFF if _operations(best) >= FLOPS_PER_SECOND else ROUND_OFF
        )
        if not is_good and not has_compared_boxes:
            tried += _as_far_as_time_allows(attempt, map(comparable, best.candidate.variants()))
            tried += _in_other_boxes(best, lambda c: attempt(comparable(c)))
        tried += _move_axes(attempt, tried, best)
        if data.held_out is None:
            surest = min(tried, key=_error)
            lower = [c for c in CUTOFFS[::-1] if c < (surest.candidate.cutoff or 0)]
            others = (replace(surest.candidate, cutoff=cutoff) for cutoff in lower)
            tried += _as_far_as_time_allows(attempt, others)
        surest, most_capable = (_smallest_as_good(tried, by) for by in (_error, _attainable))
        is_hopeless = _operations(surest) >= FLOPS_PER_SECOND and surest.error > FAR * enough
        ends = [surest if is_hopeless else _raise_cutoff(attempt, tried, surest)]
        if most_capable is not surest and not is_hopeless:
            ends.append(_raise_cutoff(attempt, tried, most_capable))
        return _smallest_as_good(ends, _error)

    tried, has_compared_boxes = _ascend(attempt, ladder, comparable, enough, is_rough)
    if not tried:
        return None
    best = min(tried, key=_attainable)
    if not (best.error > enough and _leaves_noise(best, tried)):
        best = best_of_more(tried, best, has_compared_boxes)
    has_plateau = _is_on_plateau(best, tried)
    rows = best.candidate.trial_rows
    if rows is not None and rows < len(order):
        fit = best.fit.extended(data.train) if best.fit else best.candidate.fit(data.train)
        best = _tried(best.candidate, fit, data, data.train)
    fit = best.fit or best.candidate.fit(data.train)
    unseen = leave_one_out(fit, data.train, data.beside) if isinstance(fit, DenseFit) else None
    if data.held_out is not None:
        return replace(best, fit=fit, has_plateaued=has_plateau)
    # above, a second stage of the same modes wins back only what damping holds back
    is_final = best.error > HALF_DIGITS
    return replace(best, fit=fit, has_plateaued=has_plateau, unseen=unseen, is_final=is_final)


def _is_on_plateau(best: Trial, tried: list[Trial]) -> bool:
    return has_plateaued(best.noise_level, ((t.noise_level, t.candidate.n_terms) for t in tried))


def _leaves_noise(best: Trial, tried: list[Trial]) -> bool:
    """Whether the residual looks like noise, which no other box or cut-off would reduce."""
    foreseen = best.train_error / best.holdout_rmse if best.holdout_rmse > 0 else 0.0
    return leaves_as_of_noise(foreseen, best.leverage) and _is_on_plateau(best, tried)


def _as_far_as_time_allows(
    attempt: Callable[[Candidate], Trial], candidates: Iterable[Candidate]
) -> list[Trial]:
    return [attempt(candidate) for candidate in candidates if not time_is_up()]


def _attainable(trial: Trial) -> float:
    return trial.unamplified_error


def _error(trial: Trial) -> float:
    return trial.error


def _smallest_as_good(tried: list[Trial], judgement: Callable[[Trial], float]) -> Trial:
    """Of sets that do equally well next to round-off the smallest, which amplifies it least."""
    best = min(tried, key=judgement)
    if judgement(best) > NEAR_ROUND_OFF:
        return best
    as_good = [trial for trial in tried if judgement(trial) <= AS_GOOD * judgement(best)]
    return min(as_good, key=lambda trial: trial.candidate.n_terms)


def _move_axes(
    attempt: Callable[[Candidate], Trial], tried: list[Trial], best_of_ladder: Trial
) -> list[Trial]:
    """Give each axis its own share of modes, step by step, as long as that helps."""
    starts = [best_of_ladder]
    other_box = min(tried, key=_attainable)
    if other_box.unamplified_error * CLEARLY < best_of_ladder.unamplified_error:
        # of a box that leaves less now, moves may reach less far
        starts = [other_box, best_of_ladder]
    labels = {trial.candidate.label for trial in tried}
    moved: list[Trial] = []
    error = starts[0].unamplified_error
    while error > NEAR_ROUND_OFF and not time_is_up():
        new = [c for start in starts for c in start.candidate.neighbours()]
        new = [c for c in new if c.label not in labels]
        labels.update(c.label for c in new)
        moved += _as_far_as_time_allows(attempt, new)
        starts = [min([*starts, *moved], key=_attainable)]
        before, error = error, starts[0].unamplified_error
        if error * AS_GOOD > before:
            break
    return moved


def _raise_cutoff(attempt: Callable[[Candidate], Trial], tried: list[Trial], best: Trial) -> Trial:
    """The same modes under the best cut-off, the larger of some that do as well; adds the trials.

    Combinations of modes that are small at the points follow what the fit leaves there, and are
    large between them, next to the boundary most of all, where few held-out points are to see
    it. Those smaller than what is left are of no use. Cut-offs are tried as long as the held-out
    error stays as good, and changes.
    """

    def under(cutoff: float) -> Trial:
        tried.append(attempt(replace(best.candidate, cutoff=cutoff)))
        return tried[-1]

    last = best
    larger = _larger_cutoffs(best) if _operations(best) < FAR * FLOPS_PER_SECOND else []
    while larger and not time_is_up():
        cutoff = larger.pop(0)
        trial = under(cutoff)
        if trial.holdout_rmse > AS_GOOD * best.error:
            break
        if trial.error <= AS_GOOD * best.error:
            best = trial
        if _agree(trial.error, last.error):
            # Others will make no difference either, unless to rounding beside the points, as where
            # they lie on a line in space: of a residual r it is up to eps r / cutoff^2 there.
            harmless = np.sqrt(EPS * trial.train_error)
            enough = [c for c in larger if c >= harmless]
            if best is trial and cutoff < harmless and enough:
                sure = under(enough[0])
                if _agree(sure.error, trial.error) and _agree(sure.train_error, trial.train_error):
                    best = sure
            break
        last = trial
    return best


def _agree(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, atol=0))


def _larger_cutoffs(trial: Trial) -> list[float]:
    """Cut-offs that leave more of the combinations out that are small at the points."""
    if trial.candidate.cutoff is None:
        return []
    least, most = trial.candidate.cutoff, trial.train_error / FAR
    return [cutoff for cutoff in CUTOFFS if least < cutoff < most]


def refine(trial: Trial, data: Split) -> Trial:
    """Fit the same modes, with the factorisation at hand, to the residual of an earlier stage."""
    assert trial.fit is not None
    if trial.unseen is None:
        return _tried(trial.candidate, trial.fit, data, data.train)
    return validated_on_unseen(trial.candidate, trial.fit, data, trial.unseen, trial.has_plateaued)


def _tried(candidate: Candidate, fit: LinearFit, data: Split, weight: NDArray[np.float64]) -> Trial:
    if data.held_out is None:
        assert isinstance(fit, DenseFit)
        unseen = leave_one_out(fit, weight, data.beside)
        trial = validated_on_unseen(candidate, fit, data._replace(train=weight), unseen)
        # that would keep the factorisation, which is let go where another set is better
        return replace(trial, unseen=None)
    trial = validated_on_held_out(candidate, fit, data, weight)
    between = fit.amplification * trial.train_error
    rounding = fit.amplification * min(trial.train_error, ROUND_OFF)
    error, unamplified_error = max(trial.holdout_rmse, between), max(trial.holdout_rmse, rounding)
    return replace(trial, error=error, unamplified_error=unamplified_error)


def _ascend(
    attempt: Callable[[Candidate], Trial],
    ladder: Iterable[Candidate],
    comparable: Callable[[Candidate], Candidate],
    enough: float = np.inf,
    is_rough: Callable[[Trial, float], bool] = lambda trial, foreseen: False,
) -> tuple[list[Trial], bool]:
    """Try one set after the other, until one is good enough or two overfit; none of rough data.

    Before sets take more than a second, as large ones in other boxes are compared, and the larger
    ones are those of the best box: boxes of which one left a fiftieth of another with 1000 terms
    kept their order with 5000. Returns the trials, and whether boxes were compared.
    """
    # what the points do not show says nothing of larger sets: in gaps every set is poor until its
    # modes reach the waves of the function
    least, least_seen, worse, has_compared = np.inf, np.inf, 0, False
    tried: list[Trial] = []
    waiting = iter(ladder)
    while (candidate := next(waiting, None)) is not None:
        trial = attempt(comparable(candidate))
        tried.append(trial)
        least, least_seen = min(least, trial.unamplified_error), min(least_seen, trial.holdout_rmse)
        # a function of high frequency shows nothing, there or here, until modes reach it
        overfits = trial.holdout_rmse > FAR * trial.train_error
        worse = worse + 1 if overfits and trial.holdout_rmse > CLEARLY * AS_GOOD * least_seen else 0
        settled = trial.train_error <= ROUND_OFF and trial.unamplified_error <= NEAR_ROUND_OFF
        # of ten smooth functions at 3200 and 5000 points sets that were larger than such as used up
        # what the points tell did no better, and up to forty times worse
        used_up = trial.train_error <= FAR * ROUND_OFF and trial.candidate.trial_rows is None
        if least <= ROUND_OFF or settled or used_up or worse >= PATIENCE or time_is_up():
            break
        is_costly = _operations(trial) >= FLOPS_PER_SECOND
        # of functions of four and more variables costly sets left a three hundredth at the least
        if is_costly and (least > FAR**3 * enough or _is_too_slow(tried, enough)):
            return tried, True
        if is_costly and is_rough(trial, least * _fall(tried) ** 2):
            return [], True
        if not has_compared and is_costly and candidate.boxes():
            others = _best_side(trial, candidate.boxes(), lambda c: attempt(comparable(c)))
            tried += others
            best = _narrowest_as_good([trial, *others])
            waiting = iter(_thinned(best.candidate.larger()))
            has_compared = True
    return tried, has_compared


def _is_too_slow(tried: list[Trial], enough: float) -> bool:
    """Whether sets of four times the size would still leave much more than others do.

    If the error falls on as it did over the last doubling; sets of a total degree reach the waves
    of all directions late, and of a ball all at once.
    """
    last = tried[-1]
    if last.candidate.bandlimit:
        return False
    return last.unamplified_error * _fall(tried) ** 2 > FAR * enough


def _fall(tried: list[Trial]) -> float:
    """Of the error over the last doubling of sets, at most 1; 0 before there is one."""
    last = tried[-1]
    halves = [
        t.unamplified_error for t in tried if 2 * t.candidate.n_terms <= last.candidate.n_terms
    ]
    return min(1.0, last.unamplified_error / min(halves)) if halves else 0.0


def _best_side(
    first: Trial, boxes: list[Candidate], attempt: Callable[[Candidate], Trial]
) -> list[Trial]:
    """Wider boxes as long as each is better than the last; if none was, narrower ones likewise."""
    tried: list[Trial] = []
    width = first.candidate.width
    wider = sorted((c for c in boxes if c.width > width), key=lambda c: c.width)
    narrower = sorted((c for c in boxes if c.width < width), key=lambda c: -c.width)
    for side in (wider, narrower):
        tried += _while_better(first, side, attempt)
        if min(map(_attainable, tried), default=np.inf) < first.unamplified_error:
            break
    return tried


def _while_better(
    first: Trial, candidates: list[Candidate], attempt: Callable[[Candidate], Trial]
) -> list[Trial]:
    """One after the other, as long as each is better than the last."""
    tried: list[Trial] = []
    for candidate in candidates:
        if time_is_up():
            break
        last = tried[-1] if tried else first
        tried.append(attempt(candidate))
        if tried[-1].unamplified_error >= last.unamplified_error:
            break
    return tried


def _in_other_boxes(first: Trial, attempt: Callable[[Candidate], Trial]) -> list[Trial]:
    """Sets of other boxes: as large ones, and in the best of these smaller ones while they help.

    Of sets that take less than half a second some smaller ones in each.
    """
    if _operations(first) * CLEARLY <= FLOPS_PER_SECOND:
        boxes = first.candidate.boxes()
        near = [c for box in boxes for c in (box, *box.smaller()[: PATIENCE + 1])]
        return _as_far_as_time_allows(attempt, near)
    tried = _best_side(first, first.candidate.boxes(), attempt)
    best = min([first, *tried], key=_attainable)
    if best is first:
        return tried
    return tried + _while_better(best, best.candidate.smaller(), attempt)


def _narrowest_as_good(trials: list[Trial]) -> Trial:
    """Of boxes that do nearly as well the narrowest: in it modes depend least on each other."""
    least = min(trial.unamplified_error for trial in trials)
    as_good = [trial for trial in trials if trial.unamplified_error <= CLEARLY * least]
    return min(as_good, key=lambda trial: trial.candidate.width)


def _operations(trial: Trial) -> float:
    """Of its factorisation."""
    return qr_operations(trial.n_rows, trial.candidate.n_terms)


def _thinned(ladder: Iterable[Candidate]) -> list[Candidate]:
    """The largest set, and of the others those that have less by the ratio twice than the next."""
    kept: list[Candidate] = []
    for candidate in reversed(list(ladder)):
        if not kept or RATIO**2 * candidate.n_terms <= kept[-1].n_terms:
            kept.append(candidate)
    return kept[::-1]
