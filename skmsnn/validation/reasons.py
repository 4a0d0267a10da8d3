"""Why a fit has no more stages, and what to do about it: each reason with its advice."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Values of ``stop_reason_``; ``advice`` is what a warning says of it."""

    advice: str

    def __new__(cls, value: str, advice: str) -> StopReason:
        """A string that knows its advice."""
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.advice = advice
        return reason

    ROUND_OFF = (
        "round-off",
        "this is the rounding of y itself, or of X, whose digits cancel; take the offset out of "
        "them before they are rounded, or raise tol",
    )
    PRECISION = (
        "precision",
        "the values of y are rounded, to single precision or to some decimals, and what is left is "
        "as large as that rounding; give y in full double precision, or raise tol",
    )
    NOISE = (
        "noise",
        "what is left looks like noise: neighbouring points know nothing of each other, and this "
        "is the noise floor of the data; average repeated measurements, or raise tol",
    )
    UNCORRELATED = (
        "uncorrelated",
        "neighbouring points know nothing of each other: y is noise, or varies faster than the "
        "points show, or depends on something that is not among the features; give that, or more "
        "points",
    )
    FEW_POINTS = (
        "few points",
        "so few points leave open what lies between them; give more",
    )
    FEW_LEVELS = (
        "few levels",
        "a feature has so few levels that nothing tells what lies between them; give more levels, "
        "or fit each level by itself",
    )
    ALIASED = (
        "aliased",
        "from node to node of the grid y changes as fast as it can, and faster waves look like "
        "slower ones there, so that the residual may be far too small; give a finer grid, or "
        "scattered points",
    )
    BOUNDARY_SINGULARITY = (
        "boundary singularity",
        "what is left sits at an end of the data, as where y has an infinite derivative; cluster "
        "points towards that end, fit a power or logarithm of that feature, or leave the end out",
    )
    DISCONTINUOUS = (
        "discontinuous",
        "what is left sits in a few places, as at jumps, kinks and fronts between the points; fit "
        "the parts between them one by one, or give more points there",
    )
    UNDERSAMPLED = (
        "undersampled",
        "a further stage did not lower it: the points do not resolve the function any better; give "
        "more of them where it varies fastest, or a period if it is periodic",
    )
    INTERPOLATED = (
        "interpolated",
        "no smooth function that was tried describes these points, so the model is an interpolant "
        "that passes through them, and nothing validates it in between; give more points",
    )
    INCONSISTENT_CONDITIONS = (
        "inconsistent conditions",
        "values and conditions cannot be met together by any function that was tried: one of them "
        "is wrong, as in a sign or a unit, or their points do not resolve what meets all",
    )
    UNDERDETERMINED = (
        "underdetermined",
        "values and conditions leave the function open: others, far from this one, meet them as "
        "well; give what decides, as initial and boundary values",
    )
    NEWTON_NOT_CONVERGED = (
        "newton not converged",
        "Newton's iteration for the equations did not converge; begin nearer to the solution, as "
        "by solving in pieces, from the end of the one before, or by a weaker nonlinearity",
    )
    CONVERGED = (
        "converged",
        "a further stage did not lower it: the training, or the points, go no further; leave "
        "n_modes, init and solver at their defaults, raise max_iter, or give more points",
    )
    N_STAGES = (
        "n_stages",
        "all stages are used: raise n_stages, or n_modes and max_iter if they are set",
    )
    TIME = (
        "time",
        "max_time was reached; raise it, or set it to None",
    )
    INTERRUPTED = ("interrupted", "the fit was interrupted")
    MEMORY = (
        "memory",
        "a further stage needs more memory than there is; give fewer n_modes or points, or the "
        "points as dask arrays",
    )
    CALLBACK = ("callback", "a callback ended the fit")


def advice_on(reason: str) -> str:
    """What a warning says of a value of ``stop_reason_``."""
    return next(member.advice for member in StopReason if member == reason)
