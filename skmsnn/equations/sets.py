"""Nested sets of waves and of polynomials, that reach farther along some axes than along others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR
from skmsnn.equations.operators import OperatorFrame
from skmsnn.families.ladders import WIDTH
from skmsnn.functions.lattice import half_lattice, total_degree_lattice
from skmsnn.functions.polynomial import n_total_degree_terms, total_degree_terms
from skmsnn.linalg.nufft import MOST_DIMENSIONS
from skmsnn.spaces.frames import LatticeFrame, PolynomialFrame


@dataclass(frozen=True)
class NestedSet:
    """A set of waves or polynomials.

    Attributes
    ----------
    family, label : str
        What it is of, and what it is, for messages.
    indices : ndarray of shape (n, d), int
        Wave numbers, one of each pair, or degrees.
    frame : OperatorFrame
        The columns.
    lengths : ndarray of shape (d,)
        Index along each axis over the wave number, but for a factor; 1 of polynomials.
    """

    family: str
    label: str
    indices: NDArray[np.int64]
    frame: OperatorFrame
    lengths: NDArray[np.float64]

    def amplitudes(self, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Root mean square over the outputs of each term, of coefficients (n_columns, m)."""
        square = np.mean(c**2, axis=1)
        n = len(self.indices)
        if self.family == "polynomial":
            return np.sqrt(square / np.prod(2.0 * self.indices + 1, axis=1))
        square[:n][self.indices.any(axis=1)] += square[n:]
        return np.sqrt(square[:n])

    def embedded(self, other: NestedSet, c: NDArray[np.float64]) -> NDArray[np.float64]:
        """Coefficients of another set of the kind in this one; what it has not is left out."""
        found = np.zeros((self.frame.n_columns, c.shape[1]))
        place = {tuple(k): at for at, k in enumerate(self.indices.tolist())}
        at = np.array([place.get(tuple(k), -1) for k in other.indices.tolist()])
        shared = at >= 0
        found[at[shared]] = c[: len(at)][shared]
        if self.family == "fourier":
            waving, of_other = (s.indices.any(axis=1) for s in (self, other))
            sines = len(self.indices) + np.cumsum(waving) - 1
            moves = shared[of_other]
            found[sines[at[of_other][moves]]] = c[len(at) :][moves]
        return found


def waves(
    n_terms: int, aspect: NDArray[np.float64], periodic: NDArray[np.bool_]
) -> NestedSet | None:
    """The largest set of up to so many cosines and sines that reaches in these proportions."""
    lengths = np.where(periodic, 2.0, 2 * WIDTH)
    numbers: NDArray[np.int64] | None
    if len(aspect) > MOST_DIMENSIONS:
        numbers = _largest(
            lambda degree: total_degree_lattice(len(aspect), degree, n_terms), n_terms // 2 + 1
        )
    else:
        scaled = aspect * lengths
        numbers = _ellipsoid(n_terms // 2 + 1, scaled / scaled.max(), half_lattice)
    if numbers is None:
        return None
    frame = LatticeFrame(numbers, lengths)
    label = f"{frame.n_columns} waves of wave numbers up to {_reach(numbers)}"
    return NestedSet("fourier", label, numbers, frame, lengths)


def polynomials(n_terms: int, aspect: NDArray[np.float64], most_features: int) -> NestedSet | None:
    """The same of products of Legendre polynomials of at most so many features each."""
    d = len(aspect)
    degrees: NDArray[np.int64] | None
    if d <= MOST_DIMENSIONS:
        degrees = _ellipsoid(n_terms, aspect, _all_degrees)
    else:
        degrees = _largest(
            lambda degree: _of_few_features(d, degree, most_features, n_terms), n_terms
        )
    if degrees is None:
        return None
    frame = PolynomialFrame(degrees)
    label = f"{len(degrees)} polynomials of degrees up to {_reach(degrees)}"
    return NestedSet("polynomial", label, degrees, frame, np.ones(d))


def shapes_of_polynomials(d: int) -> list[int]:
    """How many features a term may have, in sets that are worth a try: of many features, few."""
    return [d] if d <= MOST_DIMENSIONS else [1, 2, d]


def aspect_of(chosen: NestedSet, c: NDArray[np.float64], left: float) -> NDArray[np.float64]:
    """How far what was found reaches along each axis: beyond, terms hold less than what is left.

    Parameters
    ----------
    chosen : NestedSet
        The terms.
    c : ndarray of shape (n_columns, n_outputs)
        Their coefficients.
    left : float
        Share of the function that they leave.
    """
    square = chosen.amplitudes(c) ** 2
    reach = []
    for k in np.abs(chosen.indices).T:
        beyond = np.cumsum(np.bincount(k, weights=square)[::-1])[::-1]
        reach.append(max(1, int(np.sum(beyond > left**2 * square.sum()))))
    aspect = np.array(reach) / chosen.lengths
    return np.maximum(aspect / aspect.max(), 1 / FAR**2)


def _reach(indices: NDArray[np.int64]) -> str:
    return ", ".join(str(n) for n in np.abs(indices).max(axis=0))


def _ellipsoid(
    most: int,
    aspect: NDArray[np.float64],
    box: Callable[[tuple[int, ...]], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """The largest set ``sum (k_j / (aspect_j R))^2 <= 1`` of up to so many integer vectors."""

    def inside(radius: float) -> NDArray[np.int64]:
        reach = np.maximum(aspect * radius, 1e-9)
        indices = box(tuple(np.floor(reach + 1e-9).astype(int).tolist()))
        return indices[np.sum((indices / reach) ** 2, axis=1) <= 1 + 1e-9]

    low, high = 0.0, 1.0
    while len(inside(high)) <= most:
        low, high = high, 2 * high
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if len(inside(middle)) <= most else (low, middle)
    return inside(low)


def _all_degrees(most: tuple[int, ...]) -> NDArray[np.int64]:
    axes = [np.arange(n + 1) for n in most]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(most))


def _largest(
    of_degree: Callable[[int], NDArray[np.int64] | None], most: int
) -> NDArray[np.int64] | None:
    """The set of highest degree that has up to so many terms."""
    best = None
    for degree in range(max(1, most)):
        indices = of_degree(degree)
        if indices is None or len(indices) > most:
            break
        best = indices
    return best


def _of_few_features(
    d: int, degree: int, most_features: int, most: int
) -> NDArray[np.int64] | None:
    """Terms of a total degree of which each has at most so many features."""
    if n_total_degree_terms(min(most_features, d), degree) > most:
        return None
    found = [np.zeros((1, d), dtype=np.int64)]
    for m in range(1, min(most_features, degree) + 1):
        part = total_degree_terms(np.full(m, degree), degree)
        part = part[(part > 0).all(axis=1)]
        for features in combinations(range(d), m):
            terms = np.zeros((len(part), d), dtype=np.int64)
            terms[:, features] = part
            found.append(terms)
        if sum(map(len, found)) > most:
            return None
    return np.concatenate(found)
