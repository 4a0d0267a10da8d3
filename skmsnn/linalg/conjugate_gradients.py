"""Conjugate gradients that stop where rounding stops them.

Unlike scipy's they work on arrays of any shape, and stop once their residual has not fallen for
``patience`` iterations: at round-off it never will.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FEW
from skmsnn._precision import EPS, NEAR_ROUND_OFF

# Of a step of an iteration around these, which takes away three digits each time. With half and
# twice all errors were the same.
INEXACT = 1e-3


def conjugate_gradients(
    operator: Callable[[NDArray], NDArray],
    rhs: NDArray,
    *,
    tolerance: float = EPS,
    max_iter: int = 500,
    patience: int = FEW,
) -> NDArray:
    """Solve ``operator(x) = rhs`` for a symmetric positive operator.

    Parameters
    ----------
    operator : callable
        Symmetric, positive semi-definite under the real inner product.
    rhs : ndarray
        Right-hand side, real or complex.
    tolerance : float, default=2e-16
        Relative residual at which to stop.
    max_iter : int, default=500
        Most iterations. More are needed where the square of a condition number is too large for
        all digits.
    patience : int, default=20
        Iterations without a smaller residual after which to stop.

    Returns
    -------
    ndarray of the shape of ``rhs``
    """
    x = np.zeros_like(rhs)
    residual = rhs.copy()
    direction = residual
    energy = _dot(residual, residual)
    target = tolerance**2 * energy
    best, best_energy, waited = x, energy, 0
    for _ in range(max_iter):
        if best_energy <= target or waited >= patience:
            break
        image = operator(direction)
        curvature = _dot(direction, image)
        if not curvature > 0:
            break
        length = energy / curvature
        x = x + length * direction
        residual = residual - length * image
        previous, energy = energy, _dot(residual, residual)
        direction = residual + (energy / previous) * direction
        waited += 1
        if energy < best_energy:
            best, best_energy, waited = x, energy, 0
    return best


def least_squares_conjugate_gradients(
    operator: Callable[[NDArray], NDArray],
    adjoint: Callable[[NDArray], NDArray],
    rhs: NDArray,
    *,
    tolerance: float = EPS,
    max_iter: int = 15_000,
    angle: float = NEAR_ROUND_OFF,
    patience: int = 1200,
) -> NDArray:
    """Minimise ``|operator(x) - rhs|`` (CGLS; Bjorck 1996, algorithm 7.4.1).

    The recursion carries the residual of the points, not of the normal equations, and so reaches
    what the operator's own condition number allows, not its square.

    Parameters
    ----------
    operator, adjoint : callable
        A linear map and its adjoint.
    rhs : ndarray
        The values to fit.
    tolerance : float, default=2e-16
        Relative gradient at which to stop.
    max_iter : int, default=15000
        Most iterations. With hardly more points than modes of a grid the condition number is near
        1e3, and they are many.
    angle : float, default=1e-12
        Ratio of gradient to residual at which to stop: the residual is then orthogonal to all
        that the operator can give.
    patience : int, default=1200
        Iterations in which the residual has not fallen by a quarter after which to stop: what is
        left of it cannot be fitted.

    Returns
    -------
    ndarray of the shape of ``adjoint(rhs)``
    """
    residual = rhs
    gradient = adjoint(residual)
    x = np.zeros_like(gradient)
    direction = gradient
    energy = _dot(gradient, gradient)
    target = tolerance**2 * energy
    level, waited = _norm(residual), 0
    for _ in range(max_iter):
        if energy <= max(target, angle**2 * _dot(residual, residual)) or waited >= patience:
            break
        image = operator(direction)
        curvature = _dot(image, image)
        if not curvature > 0:
            break
        length = energy / curvature
        x = x + length * direction
        residual = residual - length * image
        gradient = adjoint(residual)
        previous, energy = energy, _dot(gradient, gradient)
        direction = gradient + (energy / previous) * direction
        waited += 1
        if _norm(residual) < 0.75 * level:
            level, waited = _norm(residual), 0
    return x


def _norm(a: NDArray) -> float:
    return float(np.sqrt(_dot(a, a)))


def _dot(a: NDArray, b: NDArray) -> float:
    return float(np.vdot(a, b).real)
