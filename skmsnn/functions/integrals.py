"""Integrals of functions along some axes, to round-off.

Most functions are sums of products of functions of one coordinate, and their integrals over a box
are those of products of one-dimensional integrals, in closed form. Along axes that are not
integrated they are evaluated. Networks, and quotients of polynomials in several coordinates, have
no closed form; they are smooth, and Gauss-Legendre quadrature converges.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.interpolate import BSpline
from sklearn.utils import gen_batches

from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.lattice import FourierModes, LatticeModes
from skmsnn.functions.polynomial import PolynomialModes
from skmsnn.functions.products import ProductModes
from skmsnn.functions.rational import RationalModes, distance_from_box
from skmsnn.functions.separable import SeparableModes
from skmsnn.functions.sum import SumModes

# bytes of factors and of partial sums at a time
_BLOCK_BYTES = 2**26
# Axes of quadrature at most, its nodes along each, doubled until the integral changes by no more
# than this share of that of the absolute value, or of the spread of y, and points for one integral
# at most.
_MOST_AXES, _NODES, _CONVERGED, _MOST_POINTS = 3, (16, 32, 64, 128, 256), 1e-10, 2**19

#: Ends of the integral along one axis, of each of n points.
Ends = tuple[NDArray[np.float64], NDArray[np.float64]]


def has_integral(function: object, n_axes: int) -> bool:
    """Whether an integral along so many axes can be had."""
    return type(function) in _RULES or n_axes <= _MOST_AXES


def integrate(
    function: Any, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: Sequence[int]
) -> NDArray[np.float64]:
    """Integrate a function along some axes.

    Parameters
    ----------
    function : object of ``skmsnn.functions``
        Of scaled coordinates, not differentiated.
    lower, upper : ndarray of shape (n, n_features)
        Ends of the integrals along ``axes``; along others the function is evaluated at ``upper``.
    axes : sequence of int
        Along which to integrate.

    Returns
    -------
    ndarray of shape (n, n_outputs)
        One value for each pair of ends.

    Raises
    ------
    ValueError
        If there is no closed form and quadrature does not converge.
    """
    rule = _RULES.get(type(function))
    if rule is None:
        return _by_quadrature(function, lower, upper, sorted(axes))
    rows = max(1, _BLOCK_BYTES // (16 * max(1, function.n_terms)))
    blocks = [
        rule(function, lower[block], upper[block], frozenset(axes))
        for block in gen_batches(max(1, len(upper)), rows)
    ]
    return np.concatenate(blocks)


def integrate_with_periods(
    function: Any,
    lower: NDArray[np.float64],
    upper: NDArray[np.float64],
    axes: Sequence[int],
    periodic: Sequence[int],
) -> NDArray[np.float64]:
    """The same, of a function that repeats along some of these axes, with the period 2 from -1 on.

    From a to b it is ``n`` times the integral over a period, and that between a and b less whole
    periods.
    """
    if not periodic:
        return integrate(function, lower, upper, axes)
    j, *others = periodic
    turns_lower, turns_upper = (np.floor((x[:, j] + 1) / 2) for x in (lower, upper))
    start, stop = lower.copy(), upper.copy()
    start[:, j] -= 2 * turns_lower
    stop[:, j] -= 2 * turns_upper
    total = integrate_with_periods(function, start, stop, axes, others)
    turns = turns_upper - turns_lower
    if turns.any():
        start[:, j], stop[:, j] = -1, 1
        whole = integrate_with_periods(function, start, stop, axes, others)
        total = total + turns[:, None] * whole
    return total


def waves(w: NDArray[np.float64], ends: Ends, integrated: bool) -> NDArray[np.complex128]:
    """``exp(i w x)`` at the upper ends, or its integrals; shape (n, n_waves)."""
    lower, upper = ends
    if not integrated:
        return np.asarray(np.exp(1j * np.multiply.outer(upper, w)))
    width, middle = upper - lower, (upper + lower) / 2
    # sin(h) / h with h half the width times w: no difference of two nearly equal waves
    slow = np.sinc(np.multiply.outer(width, w) / (2 * np.pi))
    return np.asarray(width[:, None] * slow * np.exp(1j * np.multiply.outer(middle, w)))


def polynomials(size: int, ends: Ends, integrated: bool) -> NDArray[np.float64]:
    """Legendre polynomials up to degree size - 1, or their integrals; shape (n, size).

    The integral of P_k is ``(P_(k+1) - P_(k-1)) / (2 k + 1)``.
    """
    lower, upper = ends
    if not integrated:
        return np.asarray(legendre.legvander(upper, size - 1))
    rise = legendre.legvander(upper, size) - legendre.legvander(lower, size)
    degrees = np.arange(1, size)
    integrals = (rise[:, 2:] - rise[:, :-2]) / (2 * degrees + 1)
    return np.concatenate([(upper - lower)[:, None], integrals], axis=1)


def splines(basis: SplineBasis, ends: Ends, integrated: bool) -> NDArray[np.float64]:
    """B-splines, or their integrals; shape (n, size). Beyond the ends the last piece goes on."""
    if not integrated:
        return basis.values(ends[1])
    whole = BSpline(basis.knots, np.eye(basis.size), basis.degree, extrapolate=True)
    primitive = whole.antiderivative()
    return np.asarray(primitive(ends[1]) - primitive(ends[0]))


def _ends(lower: NDArray, upper: NDArray, axis: int) -> Ends:
    return lower[:, axis], upper[:, axis]


def _sum(factors: list[NDArray], coefficients: NDArray) -> NDArray:
    """Sum over all axes of the coefficients but the last of products of factors (n, size)."""
    total = np.tensordot(factors[0], coefficients, axes=1)
    for factor in factors[1:]:
        total = np.einsum("np,np...->n...", factor, total)
    return total


def _of_lattice(
    function: LatticeModes, lower: NDArray, upper: NDArray, axes: frozenset[int]
) -> NDArray:
    return _sum(
        _lattice_factors(function, range(lower.shape[1]), lower, upper, axes), function.coefficients
    ).real


def _lattice_factors(
    lattice: LatticeModes,
    features: Sequence[int],
    lower: NDArray,
    upper: NDArray,
    axes: frozenset[int],
) -> list[NDArray]:
    return [
        waves(2 * np.pi / length * np.arange(-m, m + 1), _ends(lower, upper, j), j in axes)
        for j, m, length in zip(features, lattice.orders, lattice.lengths, strict=True)
    ]


def _of_modes(
    function: FourierModes, lower: NDArray, upper: NDArray, axes: frozenset[int]
) -> NDArray:
    columns = np.ones((len(upper), len(function.wave_vectors)), dtype=complex)
    for j, w in enumerate(function.wave_vectors.T):
        columns *= waves(w, _ends(lower, upper, j), j in axes)
    return (columns @ function.coefficients).real


def _of_sum(function: SumModes, lower: NDArray, upper: NDArray, axes: frozenset[int]) -> NDArray:
    parts = [_RULES[type(part)](part, lower, upper, axes) for part in function.parts]
    return np.sum(parts, axis=0)


def _of_products(
    function: ProductModes, lower: NDArray, upper: NDArray, axes: frozenset[int]
) -> NDArray:
    factors = []
    if function.wave_axes:
        factors = _lattice_factors(function.waves, function.wave_axes, lower, upper, axes)
    for basis, j in zip(function.bases, function.basis_axes, strict=True):
        ends = _ends(lower, upper, j)
        if isinstance(basis, LegendreBasis):
            factors.append(polynomials(basis.size, ends, j in axes))
        elif isinstance(basis, LegendreWavesBasis):
            beside = waves(basis.wave_numbers, ends, j in axes)
            smooth = polynomials(basis.degree + 1, ends, j in axes)
            factors.append(np.concatenate([smooth, beside.real, beside.imag], axis=1))
        else:
            factors.append(splines(basis, ends, j in axes))
    return np.real(_sum(factors, function.coefficients))


def _of_polynomial(
    function: PolynomialModes, lower: NDArray, upper: NDArray, axes: frozenset[int]
) -> NDArray:
    columns = np.ones((len(upper), len(function.degrees)))
    for j, degrees in enumerate(function.degrees.T):
        size = int(degrees.max(initial=0)) + 1
        columns *= polynomials(size, _ends(lower, upper, j), j in axes)[:, degrees]
    return columns @ function.coefficients


def _of_separable(
    function: SeparableModes, lower: NDArray, upper: NDArray, axes: frozenset[int]
) -> NDArray:
    n_outputs, rank, d, size = function.factors.shape
    products = np.ones((len(upper), n_outputs, rank))
    volume = np.ones((len(upper), 1))
    for j in range(d):
        values = polynomials(size, _ends(lower, upper, j), j in axes)
        products *= np.einsum("nk,ork->nor", values, function.factors[:, :, j])
        if j in axes:
            volume *= (upper - lower)[:, [j]]
    return products.sum(axis=2) + volume * function.constants


def _of_fractions(
    function: RationalModes, lower: NDArray, upper: NDArray, axes: frozenset[int]
) -> NDArray:
    if not axes:
        return function.evaluate(upper)
    line = polynomials(2, _ends(lower, upper, 0), True)
    poles, size = function.poles, distance_from_box(function.poles)
    # of the ratio, as it does not cross the cut: both ends are on one side of a pole
    ratio = (upper - poles) / (lower - poles)
    logarithms = size * np.log(ratio)
    columns = [line, logarithms.real, logarithms.imag[:, poles.imag > 0]]
    return np.concatenate(columns, axis=1) @ function.coefficients


def _by_quadrature(function: Any, lower: NDArray, upper: NDArray, axes: Sequence[int]) -> NDArray:
    before = None
    for n in _NODES:
        if n ** len(axes) > _MOST_POINTS:
            break
        total, size = _quadrature(function, lower, upper, axes, n)
        if before is not None and np.all(np.abs(total - before) <= _CONVERGED * size):
            return total
        before = total
    raise ValueError(
        "An integral of a function without a closed form does not converge; take smaller boxes."
    )


def _quadrature(
    function: Any, lower: NDArray, upper: NDArray, axes: Sequence[int], n: int
) -> tuple[NDArray, float]:
    """By n Gauss-Legendre nodes along each axis; also the largest of the absolute value."""
    nodes, weights = legendre.leggauss(n)
    grid = np.stack(np.meshgrid(*[nodes] * len(axes), indexing="ij"), axis=-1)
    grid = grid.reshape(-1, len(axes))
    weight = np.ones(1)
    for _ in axes:
        weight = np.multiply.outer(weight, weights).ravel()
    middle, half = (upper + lower) / 2, (upper - lower) / 2
    values, sizes = [], []
    for block in gen_batches(max(1, len(upper)), max(1, _MOST_POINTS // len(grid))):
        x = np.repeat(upper[block, None], len(grid), axis=1)
        x[:, :, axes] = middle[block, None, axes] + half[block, None, axes] * grid
        found = function.evaluate(x.reshape(-1, x.shape[2]))
        found = found.reshape(len(x), len(grid), -1)
        values.append(np.einsum("q,nqk->nk", weight, found))
        sizes.append(np.einsum("q,nqk->nk", weight, np.abs(found)))
    volume = half[:, axes].prod(axis=1)[:, None]
    largest = float((np.maximum(np.concatenate(sizes), 2.0 ** len(axes)) * np.abs(volume)).max())
    return np.concatenate(values) * volume, largest


_RULES: dict[type, Callable[[Any, NDArray, NDArray, frozenset[int]], NDArray]] = {
    LatticeModes: _of_lattice,
    FourierModes: _of_modes,
    ProductModes: _of_products,
    PolynomialModes: _of_polynomial,
    SeparableModes: _of_separable,
    RationalModes: _of_fractions,
    SumModes: _of_sum,
}
