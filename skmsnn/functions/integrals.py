"""Integrals of functions along some axes, to round-off.

Most functions are sums of products of functions of one coordinate, and their integrals over a box
are those of products of one-dimensional integrals, in closed form. Along axes that are not
integrated they are evaluated. Networks, and quotients of polynomials in several coordinates, have
no closed form; they are smooth, and Gauss-Legendre quadrature converges.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray

from skmsnn._comparison import FAR
from skmsnn._memory import blocks_of, rows_a_block
from skmsnn._precision import NEAR_ROUND_OFF
from skmsnn.functions.base import Function
from skmsnn.linalg.nufft import MOST_DIMENSIONS


def integrate(
    function: Function, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: Sequence[int]
) -> NDArray[np.float64]:
    """Integrate a function along some axes.

    Parameters
    ----------
    function : Function
        Of scaled coordinates, not differentiated along ``axes``.
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
    if not axes:
        return function.evaluate(upper)
    if not function.has_closed_integral:
        return _by_quadrature(function, lower, upper, sorted(axes))
    blocks = [
        function.closed_integral(lower[block], upper[block], frozenset(axes))
        for block in blocks_of(max(1, len(upper)), 16 * function.n_terms)
    ]
    return np.concatenate(blocks)


def integrate_with_periods(
    function: Function,
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


def integrate_slope(
    slope: Function, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: Sequence[int]
) -> NDArray[np.float64]:
    """Integrate a derivative of a function, along axes on which it is not differentiated.

    Raises
    ------
    ValueError
        If there are too many axes for quadrature.
    """
    if not axes or slope.has_closed_integral:
        return integrate(slope, lower, upper, axes)
    if len(axes) > MOST_DIMENSIONS:
        raise ValueError(
            f"Integrals over {len(axes) + 1} features that end outside the box of the training "
            "points have no closed form under extrapolation='linear'; take boxes inside, or "
            "another value of extrapolation."
        )
    return _by_quadrature(slope, lower, upper, sorted(axes))


def _by_quadrature(
    function: Function, lower: NDArray, upper: NDArray, axes: Sequence[int]
) -> NDArray:
    before = None
    # with more nodes these take longer than the values there
    for n in (16, 32, 64, 128, 256):
        if n ** len(axes) > rows_a_block(_point_bytes(upper)):
            break
        total, size = _quadrature(function, lower, upper, axes, n)
        if before is not None and np.all(np.abs(total - before) <= FAR**2 * NEAR_ROUND_OFF * size):
            return total
        before = total
    raise ValueError(
        "An integral of a function without a closed form does not converge; take smaller boxes."
    )


def _point_bytes(x: NDArray) -> int:
    return 16 * (x.shape[1] + 2)


def _quadrature(
    function: Function, lower: NDArray, upper: NDArray, axes: Sequence[int], n: int
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
    for block in blocks_of(max(1, len(upper)), _point_bytes(upper) * len(grid)):
        x = np.repeat(upper[block, None], len(grid), axis=1)
        x[:, :, axes] = middle[block, None, axes] + half[block, None, axes] * grid
        found = function.evaluate(x.reshape(-1, x.shape[2]))
        found = found.reshape(len(x), len(grid), -1)
        values.append(np.einsum("q,nqk->nk", weight, found))
        sizes.append(np.einsum("q,nqk->nk", weight, np.abs(found)))
    volume = half[:, axes].prod(axis=1)[:, None]
    largest = float((np.maximum(np.concatenate(sizes), 2.0 ** len(axes)) * np.abs(volume)).max())
    return np.concatenate(values) * volume, largest
