"""Conditions on a function beside its values: derivatives and differential equations as data.

A condition says what a linear differential operator makes of the function at some points; an
equation says that an expression of the function and its derivatives, in torch operations, is zero
there. ``fit(X, y, conditions=[...])`` takes them beside the values, and the least squares of a
stage gets a row for each of their points. All points are in the units of X as the estimator sees
it, and all derivatives are with respect to these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "Condition",
    "Equation",
    "cell_averages",
    "divergence_free",
    "gradients",
    "laplacian",
    "normal_derivatives",
    "periodicity",
]

#: Orders of derivatives, alone or with the number of an output, to coefficients.
Operator = Mapping[Any, ArrayLike]


@dataclass(frozen=True, eq=False)
class Condition:
    """What a linear differential operator makes of the function at some points.

    ``sum_nu c_nu(x_i) d^nu u(x_i) = values_i`` at every point x_i.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Points, in the units of X as the estimator sees it.
    operator : mapping
        From orders of derivatives, a tuple of n_features integers (of one feature an integer
        will do), to coefficients, a number or an array of shape (n,). ``{(2, 0): 1, (0, 2): 1}`` is
        the Laplacian in two dimensions. Of several outputs a key ``(orders, output)`` takes the
        derivative of that output; keys without one apply to every output alike.
    values : array-like of shape (n,) or (n, n_outputs), or float
        What the operator makes of the function. With keys that name outputs there is one value a
        point.
    weight : float or array-like of shape (n,), default=1.0
        Weight in the mean of the squares of this condition. Rows are scaled beforehand such that
        each condition counts as much as the values, whatever its order and number of points.
    name : str, default=None
        What warnings call it; None is its operator and place in the list.
    further : sequence of (array-like of shape (n, n_features), mapping), default=()
        Other points, one for each of X, and the operators that are added there: differences, as of
        periodic boundaries, and averages over cells.
    group : str, default=None
        Conditions of a group stand or fall together when it is asked which one contradicts the
        others. None is the name.

    Examples
    --------
    >>> import numpy as np
    >>> from skmsnn.conditions import Condition
    >>> x = np.linspace(0, 1, 50)[:, None]
    >>> oscillator = Condition(x, {2: 1.0, 0: 9.0}, 0.0, name="u'' + 9 u = 0")
    """

    X: ArrayLike
    operator: Operator
    values: ArrayLike = 0.0
    weight: ArrayLike = 1.0
    name: str | None = None
    further: Sequence[tuple[ArrayLike, Operator]] = field(default=())
    group: str | None = None


@dataclass(frozen=True, eq=False)
class Equation:
    """A nonlinear equation that holds at some points: an expression is zero.

    Solved by Gauss-Newton steps, each a linear least squares problem with the conditions and values
    beside it; the expression is differentiated by torch.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Points, in the units of X as the estimator sees it.
    residual : callable
        ``residual(X, u, **derivatives)`` returns a tensor of shape (n,), or (n, m) for m equations,
        that is zero for the solution. ``X`` is a tensor of shape (n, n_features), ``u`` and each
        derivative are tensors of shape (n,), or (n, n_outputs) if y has two axes. Row i of the
        result must depend on row i of these alone; torch operations only.
    derivatives : mapping from str to tuple of int
        Names of the derivatives that ``residual`` takes, to their orders along each feature.
    weight : float or array-like of shape (n,), default=1.0
        As of a ``Condition``.
    name : str, default=None
        What warnings call it.
    group : str, default=None
        As of a ``Condition``.

    Examples
    --------
    >>> import numpy as np
    >>> from skmsnn.conditions import Equation
    >>> t = np.linspace(0, 5, 200)[:, None]
    >>> def residual(X, u, u_tt):
    ...     return u_tt + u.sin()
    >>> pendulum = Equation(t, residual, {"u_tt": 2}, name="pendulum")
    """

    X: ArrayLike
    residual: Callable[..., Any]
    derivatives: Mapping[str, Any]
    weight: ArrayLike = 1.0
    name: str | None = None
    group: str | None = None


def gradients(
    X: ArrayLike, values: ArrayLike, *, weight: ArrayLike = 1.0, name: str = "gradient"
) -> list[Condition]:
    """First derivatives as data.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Points.
    values : array-like of shape (n, n_features) or (n, n_features, n_outputs)
        ``values[i, j]`` is the derivative along feature j at point i, as ``gradient`` of a fitted
        model has it. A column of NaN is left out: that derivative is not known.
    weight : float or array-like of shape (n,), default=1.0
        Of each.
    name : str, default="gradient"
        What warnings call them, with the feature in brackets.

    Returns
    -------
    list of Condition
        One for each feature.

    Raises
    ------
    ValueError
        If ``values`` does not have a column for each feature.
    """
    points, slopes = _points(X), np.asarray(values, dtype=np.float64)
    if slopes.ndim < 2 or slopes.shape[:2] != points.shape:
        raise ValueError(
            f"values has shape {slopes.shape}, but X has {points.shape}; give a derivative for "
            "each point and feature."
        )
    return [
        Condition(points, {orders: 1.0}, slopes[:, j], weight, f"{name}[{j}]", group=name)
        for j, orders in enumerate(_units(points.shape[1]))
        if not np.isnan(slopes[:, j]).all()
    ]


def normal_derivatives(
    X: ArrayLike,
    normals: ArrayLike,
    values: ArrayLike = 0.0,
    *,
    weight: ArrayLike = 1.0,
    name: str = "normal derivative",
) -> Condition:
    """Neumann boundary: the derivative along a direction at each point.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Points of the boundary.
    normals : array-like of shape (n, n_features)
        Direction at each point; its length is a factor of the derivative.
    values : array-like of shape (n,) or float, default=0.0
        ``normals[i] . grad u(X[i])``.
    weight : float or array-like of shape (n,), default=1.0
        As of a ``Condition``.
    name : str
        What warnings call it.

    Returns
    -------
    Condition
        For ``fit``.
    """
    points, along = _points(X), np.asarray(normals, dtype=np.float64)
    if along.shape != points.shape:
        raise ValueError(f"normals has shape {along.shape}, but X has {points.shape}.")
    operator = dict(zip(_units(points.shape[1]), along.T, strict=True))
    return Condition(points, operator, values, weight, name)


def laplacian(
    X: ArrayLike,
    values: ArrayLike = 0.0,
    *,
    potential: ArrayLike = 0.0,
    weight: ArrayLike = 1.0,
    name: str = "laplacian",
) -> Condition:
    """Laplacian: the equations ``laplace u + potential u = values`` of Poisson and Helmholtz.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Points.
    values : array-like of shape (n,) or float, default=0.0
        Right-hand side.
    potential : array-like of shape (n,) or float, default=0.0
        Coefficient of u itself: the square of the wave number, in radians per unit of X, of
        Helmholtz' equation.
    weight : float or array-like of shape (n,), default=1.0
        As of a ``Condition``.
    name : str
        What warnings call it.

    Returns
    -------
    Condition
        For ``fit``.
    """
    points = _points(X)
    d = points.shape[1]
    operator: dict[Any, ArrayLike] = {
        tuple(2 * order for order in orders): 1.0 for orders in _units(d)
    }
    if np.any(np.asarray(potential) != 0):
        operator[(0,) * d] = potential
    return Condition(points, operator, values, weight, name)


def divergence_free(
    X: ArrayLike,
    values: ArrayLike = 0.0,
    *,
    weight: ArrayLike = 1.0,
    name: str = "divergence",
) -> Condition:
    """Divergence of a vector field of as many outputs as features; zero by default.

    Parameters
    ----------
    X : array-like of shape (n, n_features)
        Points.
    values : array-like of shape (n,) or float, default=0.0
        ``sum_j d u_j / d x_j``.
    weight : float or array-like of shape (n,), default=1.0
        As of a ``Condition``.
    name : str
        What warnings call it.

    Returns
    -------
    Condition
        For ``fit``.
    """
    points = _points(X)
    operator = {(orders, j): 1.0 for j, orders in enumerate(_units(points.shape[1]))}
    return Condition(points, operator, values, weight, name)


def periodicity(
    X: ArrayLike,
    X_other: ArrayLike,
    *,
    orders: Sequence[int] | int | None = None,
    factor: float = 1.0,
    weight: ArrayLike = 1.0,
    name: str = "periodicity",
) -> Condition:
    """Let the function, or a derivative, be the same at pairs of points; or a factor times that.

    Parameters
    ----------
    X, X_other : array-like of shape (n, n_features)
        Pairs of points.
    orders : tuple of int, default=None
        Of the derivative; None is the function itself.
    factor : float, default=1.0
        ``d^orders u(X) = factor * d^orders u(X_other)``: 1 is a period or an even symmetry, -1 an
        odd one.
    weight : float or array-like of shape (n,), default=1.0
        As of a ``Condition``.
    name : str
        What warnings call it.

    Returns
    -------
    Condition
        For ``fit``.
    """
    points = _points(X)
    key = (0,) * points.shape[1] if orders is None else orders
    further = [(X_other, {key: -float(factor)})]
    return Condition(points, {key: 1.0}, 0.0, weight, name, further)


def cell_averages(
    low: ArrayLike,
    high: ArrayLike,
    values: ArrayLike,
    *,
    n_nodes: int = 8,
    weight: ArrayLike = 1.0,
    name: str = "cell averages",
) -> Condition:
    """Mean values over boxes, by the quadrature of Gauss along each feature.

    Parameters
    ----------
    low, high : array-like of shape (n, n_features)
        Corners of the boxes.
    values : array-like of shape (n,) or (n, n_outputs)
        Averages of the function over them.
    n_nodes : int, default=8
        Nodes along each feature: exact for polynomials up to degree ``2 n_nodes - 1``.
    weight : float or array-like of shape (n,), default=1.0
        As of a ``Condition``.
    name : str
        What warnings call it.

    Returns
    -------
    Condition
        For ``fit``.
    """
    below, above = _points(low), _points(high)
    d = below.shape[1]
    nodes, shares = np.polynomial.legendre.leggauss(n_nodes)
    places: list[tuple[NDArray[np.float64], Operator]] = []
    for at in product(range(n_nodes), repeat=d):
        middle = (1 + nodes[list(at)]) / 2
        share = float(np.prod(shares[list(at)] / 2))
        places.append((below + middle * (above - below), {(0,) * d: share}))
    (X, operator), *further = places
    return Condition(X, operator, values, weight, name, further)


def _points(X: ArrayLike) -> NDArray[np.float64]:
    points = np.asarray(X, dtype=np.float64)
    if points.ndim != 2:
        raise ValueError(f"X has shape {points.shape}; give points of shape (n, n_features).")
    return points


def _units(d: int) -> list[tuple[int, ...]]:
    """Orders of the first derivatives."""
    return [tuple(int(i == j) for i in range(d)) for j in range(d)]
