"""How far outside the box of its points a model can be trusted, and how large its errors are there.

Along each axis a model is a series of Chebyshev polynomials. Up to some degree its terms are larger
than its local error e: these are resolved. No polynomial of degree at most N whose values are at
most 1 on [-1, 1] grows faster outside than ``T_N(x) = cosh(N arccosh x)`` (Rivlin 1990, Chebyshev
Polynomials, chapter 2, on extremal properties). If the error is dominated by N, the lowest degree
that is not resolved, it is about ``e T_N(1 + t)`` at a distance t from a face. This is an estimate
and no bound, since terms of higher degree grow faster. The model's own unresolved terms, such as
those of the size of rounding, also count as an error.

The error of holding the value at the face is estimated by how much the model changes over the same
distance inside. The model continues freely up to the farthest distance at which the larger of the
two errors above is less than a tenth of that, as long as it is nowhere larger than that on the way;
an error that is hardly more than the one at the face does not matter. Distances are compared up to
the width of the box.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray
from scipy.fft import dct

from skmsnn._comparison import EQUAL, FAR, FEW
from skmsnn._precision import HALF_DIGITS, ROUNDING
from skmsnn.extrapolation import Extrapolation

#: Maps scaled points (n, d) to values (n, n_outputs), relative to the spread of y.
Values = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Reach(NamedTuple):
    """Limits of free continuation, and the first degrees not resolved; each (n_outputs, d)."""

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    degrees: NDArray[np.float64]

    @classmethod
    def none(cls, periodic: NDArray[np.bool_]) -> Reach:
        """The faces, of a model with unknown error."""
        upper = np.where(periodic, np.inf, 1.0)[None]
        return cls(-upper, upper, np.ones_like(upper))


def reach_of(
    values: Values,
    error: Values,
    x: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    n_waves: float = np.inf,
) -> Reach:
    """How far a model can be continued freely.

    Parameters
    ----------
    values, error : callable
        The model and its local error, at scaled points in the box.
    x : ndarray of shape (n, d)
        The points of the fit.
    periodic : ndarray of shape (d,), bool
        Axes that have no faces.
    n_waves : int, default=inf
        Number of terms if the model is an exponential polynomial along each line. Outside an
        interval a sum of m such terms grows at most like the power m - 1 of the distance, however
        fast its waves are (Turan's lemma; Nazarov 1993, Local estimates for exponential
        polynomials, section 1).
    """
    axes = [int(j) for j in np.flatnonzero(~periodic) if np.ptp(x[:, j]) > 0]
    n_outputs = values(x[:1]).shape[1]
    reach = Reach(*(np.repeat(a, n_outputs, axis=0) for a in Reach.none(periodic)))
    if not axes:
        return reach
    # of one feature all lines are the same
    n_lines = 1 if x.shape[1] == 1 else max(4, FEW**2 // (x.shape[1] * n_outputs))
    lines = x[np.random.default_rng(0).permutation(len(x))[:n_lines]]
    for j, at_faces in zip(axes, _errors_at_faces(error, lines, axes), strict=True):
        series, degrees = _resolved(values, lines, j, np.minimum(*at_faces), _most_degrees(x, j))
        own = np.minimum(degrees, n_waves)
        # the model outside, and what its resolved terms alone are there
        some = lines[: series.shape[1]]
        known = series * (np.arange(len(series))[:, None] < degrees - 1)[:, None]
        for limits, face, at_face in zip(reach[:2], (-1.0, 1.0), at_faces, strict=True):
            unresolved = _unresolved(values, some, j, known, face)
            unresolved[own < degrees] = 0.0  # waves too fast for the series, but few
            distance, grown = _trusted(at_face, own, unresolved, _changes(series, face))
            limits[:, j] = face * (1 + distance)
            # the degree N for which T_N grows by as much as the error up to the limit
            exponents = np.arccosh(1 + distance)
            is_known = np.isfinite(grown) & (at_face > 0) & np.isfinite(at_face)
            growth = np.divide(grown, at_face, out=np.ones_like(at_face), where=is_known)
            faster = np.arccosh(np.maximum(growth, 1)) / np.where(distance > 0, exponents, 1)
            reach.degrees[:, j] = np.maximum(reach.degrees[:, j], np.maximum(own, faster))
    return _with_corners(reach)


def _with_corners(reach: Reach) -> Reach:
    """Draw limits in until errors outside along two axes grow no more than along one alone."""
    lower, upper = (
        reach.degrees * np.arccosh(np.where(np.isinf(limits), 1.0, np.abs(limits)))
        for limits in (reach.lower, reach.upper)
    )
    exponents = np.maximum(lower, upper)
    joint = np.linalg.norm(np.sort(exponents, axis=1)[:, -2:], axis=1, keepdims=True)
    share = exponents.max(axis=1, keepdims=True) / np.where(joint > 0, joint, 1.0)
    nearer = [np.cosh(share * own / reach.degrees) for own in (lower, upper)]
    is_open = np.isinf(reach.upper)
    return reach._replace(
        lower=np.where(is_open, -np.inf, -nearer[0]), upper=np.where(is_open, np.inf, nearer[1])
    )


def _errors_at_faces(
    error: Values, lines: NDArray[np.float64], axes: list[int]
) -> NDArray[np.float64]:
    """Typical errors where lines meet the lower and upper faces; shape (n_axes, 2, n_outputs).

    The median: next to a point that hardly any other supports, estimates are far too large.
    """
    points = np.tile(lines, (len(axes), 2, 1, 1))
    for k, j in enumerate(axes):
        points[k, 0, :, j], points[k, 1, :, j] = -1.0, 1.0
    found = error(points.reshape(-1, lines.shape[1]))
    return np.median(found.reshape(*points.shape[:3], -1), axis=2)


def _resolved(
    values: Values,
    lines: NDArray[np.float64],
    axis: int,
    level: NDArray[np.float64],
    most: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chebyshev series along an axis (size, n_lines, n_outputs), and degrees not resolved.

    The lowest degree not resolved is one above the first from which on all terms together are at
    most the level, because even and odd functions have only every other degree.
    """
    size = 16
    while True:
        nodes = np.cos(np.pi * (np.arange(size) + 0.5) / size)
        # with more nodes fewer lines, so that the number of values stays about the same
        some = lines[: max(4, 16 * len(lines) // size)]
        points = np.repeat(some[None], size, axis=0)
        points[:, :, axis] = nodes[:, None]
        found = values(points.reshape(-1, lines.shape[1])).reshape(size, len(some), -1)
        series = dct(found, type=2, axis=0) / size
        series[0] /= 2
        sizes = np.sqrt(np.mean(series**2, axis=1))
        size_of_values = np.sqrt(np.mean(found**2, axis=(0, 1)))
        sizes[sizes < ROUNDING * size_of_values] = 0.0
        tails = np.cumsum(sizes[::-1], axis=0)[::-1]
        # small terms of high degree are what grows
        is_complete = tails[size // 2] <= np.minimum(level, HALF_DIGITS * size_of_values)
        if is_complete.all() or size >= most:
            return series, np.sum(tails[1:] > level, axis=0) + 2.0
        size *= 2


def _most_degrees(x: NDArray[np.float64], axis: int) -> float:
    """Largest size of a series: several times the number of points along an axis."""
    n, d = x.shape
    return min(4 * len(np.unique(x[:, axis])), FAR * n ** (1 / d))


def _distances() -> NDArray[np.float64]:
    """Distances from a face at which errors are compared, up to the width of the box."""
    return np.geomspace(HALF_DIGITS, 2, 5 * FEW)


def _changes(series: NDArray[np.float64], face: float) -> NDArray[np.float64]:
    """Most that the model changes from a face up to each distance inside; (n_outputs, ...)."""
    inside = np.concatenate([[0.0], _distances()])
    found = chebyshev.chebval(face * (1 - inside), series)
    change = np.sqrt(np.mean((found - found[..., :1]) ** 2, axis=0))
    return np.maximum.accumulate(change[:, 1:], axis=1)


def _unresolved(
    values: Values, lines: NDArray[np.float64], axis: int, known: NDArray[np.float64], face: float
) -> NDArray[np.float64]:
    """How much the unresolved part of the model grows outside, from its size next to the face.

    The largest on some lines; shape (n_outputs, n_distances).
    """
    distances = _distances()[::-5][::-1]  # each stands for the nearer ones before it
    points = np.repeat(lines[None], len(distances), axis=0)
    points[:, :, axis] = face * (1 + distances)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        found = values(points.reshape(-1, lines.shape[1])).reshape(*points.shape[:2], -1)
        terms = np.moveaxis(chebyshev.chebval(face * (1 + distances), known), -1, 0)
        largest = np.max(np.abs(found - terms), axis=1)
    more = np.nan_to_num(largest - largest[0], nan=np.inf, posinf=np.inf)
    return np.repeat(more.T, 5, axis=1)


def _trusted(
    error: NDArray[np.float64],
    degrees: NDArray[np.float64],
    unresolved: NDArray[np.float64],
    changes: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far from a face free continuation is the better one, and its error at that distance."""
    distances = _distances()
    free = error[:, None] * _growth(degrees[:, None] * np.arccosh(1 + distances))
    free = np.maximum(free, unresolved)
    # a held value has the error of the face, too
    held = EQUAL * error[:, None]
    is_as_good = np.logical_and.accumulate(free <= np.maximum(held, changes), axis=1)
    is_better = is_as_good & (free <= np.maximum(held, changes / FAR))
    last = len(distances) - 1 - np.argmax(is_better[:, ::-1], axis=1)
    last = np.where(is_better.any(axis=1), last, -1)
    at_last = free[np.arange(len(last)), last]
    return np.where(last >= 0, distances[last], 0.0), np.where(last >= 0, at_last, error)


def _growth(exponents: NDArray[np.float64]) -> NDArray[np.float64]:
    most = np.log(np.finfo(float).max) / 2  # so that its square is a number
    return np.asarray(np.cosh(np.minimum(exponents, most)))


def error_outside(
    values: Values,
    error: Values,
    extrapolation: Extrapolation,
    degrees: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    x: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The local error at scaled points (n, d) anywhere; shape (n, n_outputs).

    Outside the box the error at its nearest point is multiplied by ``cosh r``, where r is the root
    of the sum of squares of ``N_j arccosh |x_j|``, as for errors of bounded Euclidean degree. (For
    bounded total degree r would be the largest of these, for products their sum.) Outside the
    limits of free continuation the change of the model over the same distance inside is added: the
    first difference over that distance and the second; under the rule "linear" the second alone,
    and the error of the slope, of the order of ``N^2`` times that of the values (A. A. Markov's
    inequality); under "continue" also the change up to the point itself.

    Parameters
    ----------
    values, error : callable
        The model, evaluated freely, and its local error in the box.
    extrapolation : Extrapolation
        The rule; under "continue" with the limits up to which the model can be trusted.
    degrees : ndarray of shape (n_outputs, d) or (1, d)
        The first ones not resolved.
    periodic : ndarray of shape (d,), bool
        Axes that have no faces.
    x : ndarray of shape (n, d)
        The points.
    """
    faces = np.where(periodic, np.inf, 1.0)
    box = np.clip(x, -faces, faces)
    found = error(box)
    is_outside = np.any(x != box, axis=1)
    if not is_outside.any():
        return found
    at_box, x = found[is_outside], x[is_outside]
    at_outside = at_box.copy()
    for number, (one, outputs) in enumerate(extrapolation.groups()):
        grown = _grown(one, degrees, periodic, values, at_box, x)
        columns = outputs if number else slice(None)
        at_outside[:, columns] = grown[:, columns]
    found[is_outside] = at_outside
    return found


def _grown(
    extrapolation: Extrapolation,
    degrees: NDArray[np.float64],
    periodic: NDArray[np.bool_],
    values: Values,
    error: NDArray[np.float64],
    x: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Errors under limits common to all outputs at points outside, from those at the box."""
    c = extrapolation.nearest(x)
    distances = np.where(periodic, 0.0, np.arccosh(np.clip(np.abs(c), 1.0, None)))
    grown = error * _growth(np.linalg.norm(distances[:, None] * degrees, axis=2))
    away = x - c
    # differences inside over at most half the width of the box, so that two of them fit
    ratio = np.maximum(np.abs(away).max(axis=1), 1.0)[:, None]
    at, half, whole = (values(c - k * away / ratio) for k in range(3))
    second = np.abs(at - 2 * half + whole) * ratio
    if extrapolation.rule == "linear":
        change = second * ratio + grown * (np.abs(away) @ degrees.T**2)
    else:
        change = np.abs(at - half) * ratio + second
    if extrapolation.rule == "continue":
        change += np.abs(values(x) - at)
    return np.asarray(np.hypot(grown, change))
