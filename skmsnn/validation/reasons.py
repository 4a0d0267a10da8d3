"""Why a fit has no more stages, and what to do about it: each reason with its advice."""

from __future__ import annotations

from enum import StrEnum


class StopReason(StrEnum):
    """Values of ``stop_reason_``; ``advice`` is what a warning says: the cause, and what to do."""

    advice: str

    def __new__(cls, value: str, advice: str = "") -> StopReason:
        """A string that knows its advice."""
        reason = str.__new__(cls, value)
        reason._value_ = value
        reason.advice = advice
        return reason

    ROUND_OFF = (
        "round-off",
        "a large offset of y or X leaves few digits for their variation. Subtract the offset "
        "before the values are rounded, or raise tol",
    )
    PRECISION = (
        "precision",
        "y is rounded to single precision or a few decimals, and the residual is as large as this "
        "rounding. Supply y in full double precision, or raise tol",
    )
    NOISE = (
        "noise",
        "the data contain noise, as neighbouring residuals are uncorrelated. Average repeated "
        "measurements, or raise tol",
    )
    UNCORRELATED = (
        "uncorrelated",
        "neighbouring values of y are uncorrelated, because of noise, variation faster than the "
        "sampling or a missing feature. Add the missing feature or more points",
    )
    FEW_POINTS = (
        "few points",
        "there are too few points to determine the function between them. Provide more points",
    )
    FEW_LEVELS = (
        "few levels",
        "a feature has too few levels to determine the function between them. Supply more levels, "
        "or fit each level separately",
    )
    ALIASED = (
        "aliased",
        "The validation error may be far too small: y varies at the Nyquist limit of the grid, "
        "where faster waves look like slower ones. Use a finer grid or scattered points",
    )
    BOUNDARY_SINGULARITY = (
        "boundary singularity",
        "the residual is concentrated at an end of the data, as near an infinite derivative. "
        "Cluster points towards that end, fit a power or logarithm of the feature, or leave the "
        "end out",
    )
    DISCONTINUOUS = (
        "discontinuous",
        "the residual is concentrated at a few locations (jumps, kinks, unresolved fronts). Fit "
        "the smooth pieces separately, or add points there",
    )
    UNDERSAMPLED = (
        "undersampled",
        "the points do not resolve the function, and a further stage did not help. Add points "
        "where it varies fastest, or set period if it is periodic",
    )
    INTERPOLATED = (
        "interpolated",
        "no smooth function describes the points, and the interpolant through them is not "
        "validated between them. Add points",
    )
    INCONSISTENT_CONDITIONS = (
        "inconsistent conditions",
        "no function that was tried satisfies the data and all conditions. Check the signs and "
        "units of the conditions that contradictions_ names, or add points",
    )
    UNDERDETERMINED = (
        "underdetermined",
        "The data and conditions do not determine the solution uniquely. Add initial or boundary "
        "values",
    )
    NEWTON_NOT_CONVERGED = (
        "newton not converged",
        "Newton's iteration for the equations did not converge. Solve on shorter intervals in "
        "turn, or increase the nonlinearity in steps",
    )
    CONVERGED = (
        "converged",
        "a further stage did not help. Leave n_modes, init and solver at their defaults, raise "
        "max_iter, or add points",
    )
    N_STAGES = (
        "n_stages",
        "all stages are used. Raise n_stages, or n_modes and max_iter if they are set",
    )
    TIME = (
        "time",
        "max_time was reached. Raise it, or set it to None",
    )
    INTERRUPTED = (
        "interrupted",
        "Training interrupted by user. The model is the best found so far; press Ctrl-C twice to "
        "end a search",
    )
    MEMORY = (
        "memory",
        "Memory ran out, and the model consists of the stages before that. Reduce n_modes or the "
        "number of points, or supply dask arrays",
    )
    CALLBACK = ("callback", "a callback ended the fit. Let it allow more stages, or raise tol")
