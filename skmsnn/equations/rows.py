"""Conditions and equations of the user in scaled coordinates and units of the fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmsnn._arrays import as_real
from skmsnn._comparison import FAR
from skmsnn.conditions import Condition, Equation
from skmsnn.domain import Domain
from skmsnn.equations.operators import Derivatives, Orders, Term
from skmsnn.validation.scaling import Scaling

AnyCondition = Condition | Equation


class LinearRows:
    """A linear condition; of several outputs that it does not couple, the same for each.

    Parameters
    ----------
    name, group : str
        What it is called.
    places : tuple of ndarray of shape (n, d)
        Scaled points.
    terms : sequence of Term
        In scaled coordinates.
    target : ndarray of shape (n, 1) or (n, n_outputs)
        Values, in units of the fit.
    weight : ndarray of shape (n,)
        Of the points.
    split_outputs : int
        0, or the number of outputs, each of which gets an equation of its own.
    """

    is_linear = True

    def __init__(
        self,
        name: str,
        group: str,
        places: tuple[NDArray[np.float64], ...],
        terms: Sequence[Term],
        target: NDArray[np.float64],
        weight: NDArray[np.float64],
        split_outputs: int = 0,
    ) -> None:
        self.name, self.group, self.places, self.root = name, group, places, np.sqrt(weight)
        self.target = target
        self.mean_square = float(np.mean(target**2))
        self.needs = list(dict.fromkeys((term.place, term.nu) for term in terms))
        self._equations = [list(terms)]
        if split_outputs:
            self._equations = [[t._replace(output=j) for t in terms] for j in range(split_outputs)]

    def residual(self, values: Derivatives) -> NDArray[np.float64]:
        """The residual for a function."""
        residual = self.target.copy()
        for equation, terms in enumerate(self._equations):
            for term in terms:
                found = values[term.place, term.nu]
                part = found if term.output < 0 else found[:, term.output, None]
                at = slice(None) if len(self._equations) == 1 else slice(equation, equation + 1)
                residual[:, at] -= term.coefficient[:, None] * part
        return residual

    def terms(self, values: Derivatives) -> list[list[Term]]:
        """The operator."""
        return self._equations


class EquationRows:
    """A nonlinear equation.

    Parameters
    ----------
    equation : Equation
        The user's.
    name, group : str
        What it is called.
    X : ndarray of shape (n, d)
        Its points.
    weight : ndarray of shape (n,)
        Of the points.
    domain, scaling : Domain, Scaling
        Units of the fit.
    flat : bool
        Whether y has one output and no axis for it.
    """

    is_linear = False
    mean_square = 0.0

    def __init__(
        self,
        equation: Equation,
        name: str,
        group: str,
        X: NDArray[np.float64],
        weight: NDArray[np.float64],
        domain: Domain,
        scaling: Scaling,
        flat: bool,
    ) -> None:
        d = X.shape[1]
        self.name, self.group, self.root = name, group, np.sqrt(weight)
        self.places: tuple[NDArray[np.float64], ...] = (domain.scale(X),)
        self._X, self._scaling, self._flat = X, scaling, flat
        self._residual = equation.residual
        orders = {str(key): _orders(nu, d, name) for key, nu in equation.derivatives.items()}
        if "u" in orders:
            raise ValueError(f"{name}: 'u' is the function itself; name derivatives otherwise.")
        self._orders: dict[str, Orders] = {"u": (0,) * d, **orders}
        self._units = {
            key: float(np.prod(domain.half_width ** -np.array(nu, dtype=float)))
            for key, nu in self._orders.items()
        }
        self.needs = list(dict.fromkeys((0, nu) for nu in self._orders.values()))

    def residual(self, values: Derivatives) -> NDArray[np.float64]:
        """The residual for a function."""
        from skmsnn.modules.equations import linearised

        return -linearised(self._residual, self._X, self._physical(values), False)[0]

    def terms(self, values: Derivatives) -> list[list[Term]]:
        """The operator about a function."""
        from skmsnn.modules.equations import linearised

        residual, slopes = linearised(self._residual, self._X, self._physical(values))
        if not all(np.isfinite(a).all() for a in (residual, *slopes.values())):
            raise ValueError(
                f"{self.name}: the residual of the equation or its slopes are not finite; Newton's "
                "iteration begins at the mean of y, without derivatives: it must be smooth there."
            )
        n_outputs = len(self._scaling.scale)
        equations: list[list[Term]] = []
        for equation in range(residual.shape[1]):
            terms = []
            for key, nu in self._orders.items():
                slope = slopes[key].reshape(len(residual), -1, n_outputs)[:, equation]
                for output in range(n_outputs):
                    unit = self._units[key] * self._scaling.scale[output]
                    if slope[:, output].any():
                        terms.append(Term(0, nu, output, slope[:, output] * unit))
            equations.append(terms)
        return equations

    def _physical(self, values: Derivatives) -> dict[str, NDArray[np.float64]]:
        """Derivatives in units of X and y."""
        found = {}
        for key, nu in self._orders.items():
            physical = values[0, nu] * self._scaling.scale * self._units[key]
            if not any(nu):
                physical = physical + self._scaling.offset
            found[key] = physical[:, 0] if self._flat else physical
        return found


def listed(conditions: Any) -> list[AnyCondition]:
    """Conditions as a flat list.

    Raises
    ------
    TypeError
        If something else is among them.
    """
    if isinstance(conditions, AnyCondition):
        return [conditions]
    if isinstance(conditions, str | bytes | Mapping) or not isinstance(conditions, Iterable):
        raise TypeError(
            f"conditions must be a list of Condition and Equation of skmsnn.conditions, got "
            f"{type(conditions).__name__}."
        )
    return [one for item in conditions for one in listed(item)]


def names_of(conditions: Sequence[AnyCondition], taken: str) -> list[str]:
    """Of each, or its place in the list; those of a name that is taken have a number, too."""
    names: list[str] = []
    for k, condition in enumerate(conditions):
        name = condition.name if condition.name is not None else f"conditions[{k}]"
        number = 1 + sum(other.partition(" (")[0] == name for other in [taken, *names])
        names.append(name if number == 1 else f"{name} ({number})")
    return names


def points_of(condition: AnyCondition, name: str, d: int) -> list[NDArray[np.float64]]:
    """All points of a condition, first its own.

    Raises
    ------
    ValueError
        If they are not finite, or of another shape.
    """
    given: list[ArrayLike] = [condition.X]
    given += [X for X, _ in condition.further] if isinstance(condition, Condition) else []
    found: list[NDArray[np.float64]] = []
    for X in given:
        points = np.asarray(X, dtype=np.float64)
        if points.ndim != 2 or points.shape[1] != d or len(points) == 0:
            raise ValueError(
                f"{name}: X has shape {points.shape}; give points of shape (n, {d}), at least one."
            )
        if not np.isfinite(points).all():
            raise ValueError(f"{name}: X has values that are not finite.")
        if found and points.shape != found[0].shape:
            raise ValueError(
                f"{name}: further points have shape {points.shape}, X has {found[0].shape}; give "
                "one for each point of X."
            )
        found.append(points)
    return found


def check_units(
    X: NDArray[np.float64], points: Sequence[Sequence[NDArray[np.float64]]], names: Sequence[str]
) -> None:
    """Raise where conditions are so far from X that they are in other units."""
    low, high = X.min(axis=0), X.max(axis=0)
    width = high - low
    for name, places in zip(names, points, strict=True):
        every = np.concatenate(places)
        away = np.maximum(low - every.min(axis=0), every.max(axis=0) - high)
        far = np.flatnonzero((width > 0) & (away > FAR * width))
        if len(far):
            j = int(far[0])
            raise ValueError(
                f"{name}: points reach from {every[:, j].min():g} to {every[:, j].max():g} along "
                f"feature {j}, but X from {low[j]:g} to {high[j]:g}. Conditions are in the units "
                "of X as the estimator sees it: after a scaler in a pipeline, transform their "
                "points and derivatives, too, or leave the scaler out."
            )


def weights_of(condition: AnyCondition, name: str, n: int) -> NDArray[np.float64]:
    """Weight of each point of a condition."""
    weight = np.asarray(condition.weight, dtype=np.float64)
    if weight.ndim > 1 or (weight.ndim == 1 and len(weight) != n):
        raise ValueError(f"{name}: weight has shape {weight.shape}; give a number or one a point.")
    weight = np.broadcast_to(weight, (n,)).copy()
    if not np.isfinite(weight).all() or weight.min() < 0 or not weight.max() > 0:
        raise ValueError(f"{name}: weights must be finite, none negative and some positive.")
    return weight


def couples_outputs(condition: AnyCondition, n_outputs: int) -> bool:
    """Whether it says something else of one output than of the others."""
    if n_outputs == 1:
        return False
    return isinstance(condition, Equation) or any(_names_output(key) for key in condition.operator)


def equation_rows(
    equation: Equation,
    name: str,
    X: NDArray[np.float64],
    domain: Domain,
    scaling: Scaling,
    flat: bool,
    is_complex: bool,
) -> EquationRows:
    """An equation in scaled coordinates and units of the fit.

    Raises
    ------
    ValueError
        If y is complex, or orders of derivatives do not fit X.
    """
    if is_complex:
        raise ValueError(
            f"{name}: an equation is of real functions; give real and imaginary parts of y as two "
            "outputs."
        )
    about = (equation, name, equation.group or name, X, weights_of(equation, name, len(X)))
    return EquationRows(*about, domain, scaling, flat)


def linear_rows(
    condition: Condition,
    name: str,
    points: Sequence[NDArray[np.float64]],
    domain: Domain,
    scaling: Scaling,
    is_coupled: bool,
    is_complex: bool,
) -> LinearRows:
    """A linear condition in scaled coordinates and units of the fit.

    Raises
    ------
    ValueError
        If its operator or values do not fit the data.
    """
    (n, d), n_outputs = points[0].shape, len(scaling.scale)
    operators = [condition.operator, *(operator for _, operator in condition.further)]
    names_output = {_names_output(key) for operator in operators for key in operator}
    if len(names_output) != 1:
        raise ValueError(
            f"{name}: the keys of an operator are orders, or all of them pairs of orders and "
            f"output, and there must be one; got {[list(operator) for operator in operators]}."
        )
    of_outputs = names_output.pop()
    raw = [
        (place, *_key(key, d, n_outputs, name), _coefficient(value, n, name))
        for place, operator in enumerate(operators)
        for key, value in operator.items()
    ]
    values = _real(condition.values, is_complex and not of_outputs, name)
    n_values = 1 if of_outputs else n_outputs
    if values.ndim > 2 or (values.ndim and values.shape[0] not in (1, n)):
        raise ValueError(f"{name}: values have shape {values.shape}, but X has {n} points.")
    if values.ndim == 2 and values.shape[1] != n_values:
        raise ValueError(
            f"{name}: values have {values.shape[1]} columns, but the operator gives {n_values}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: values are not all finite.")
    target = np.broadcast_to(values if values.ndim == 2 else values.reshape(-1, 1), (n, n_values))
    target = target.copy()
    # in units of the fit: u = offset + scale v, of scaled coordinates
    terms = []
    for place, nu, output, coefficient in raw:
        unit = float(np.prod(domain.half_width ** -np.array(nu, dtype=float)))
        if not any(nu):
            part = scaling.offset[output] if of_outputs else scaling.offset
            target -= coefficient[:, None] * part
        if of_outputs:
            unit *= scaling.scale[output]
        terms.append(
            Term(place, nu, output if of_outputs and n_outputs > 1 else -1, coefficient * unit)
        )
    if not of_outputs:
        target /= scaling.scale
    # rows of one size, whatever their units
    size = float(np.sqrt(np.mean([np.mean(term.coefficient**2) for term in terms]))) or 1.0
    terms = [term._replace(coefficient=term.coefficient / size) for term in terms]
    places = tuple(domain.scale(place) for place in points)
    weight = weights_of(condition, name, n)
    group = condition.group or name
    split = n_outputs if is_coupled and not of_outputs else 0
    return LinearRows(name, group, places, terms, target / size, weight, split)


def _real(values: Any, has_parts: bool, name: str) -> NDArray[np.float64]:
    """Values as numbers that are real: of complex outputs both parts, side by side."""
    given = np.asarray(values)
    if has_parts:
        given = given.astype(np.complex128)
        return as_real(given if given.ndim else given.reshape(1))
    if np.iscomplexobj(given):
        raise ValueError(f"{name}: complex numbers go with complex y, as values of all outputs.")
    return given.astype(np.float64)


def _names_output(key: Any) -> bool:
    return isinstance(key, tuple) and len(key) == 2 and not isinstance(key[0], Integral)


def _key(key: Any, d: int, n_outputs: int, name: str) -> tuple[Orders, int]:
    orders, output = key if _names_output(key) else (key, 0)
    if not isinstance(output, int | np.integer) or not 0 <= output < n_outputs:
        raise ValueError(f"{name}: output {output!r} is not one of 0 to {n_outputs - 1}.")
    return _orders(orders, d, name), int(output)


def _orders(orders: Any, d: int, name: str) -> Orders:
    given = (orders,) if isinstance(orders, Integral) else tuple(orders)
    if len(given) != d or any(not isinstance(n, Integral) or n < 0 for n in given):
        raise ValueError(
            f"{name}: orders of a derivative must be {d} non-negative integers, one a feature, got "
            f"{orders!r}."
        )
    return tuple(int(n) for n in given)


def _coefficient(value: ArrayLike, n: int, name: str) -> NDArray[np.float64]:
    coefficient = _real(value, False, name)
    if coefficient.ndim > 1 or (coefficient.ndim == 1 and len(coefficient) != n):
        raise ValueError(
            f"{name}: a coefficient has shape {coefficient.shape}; give a number or one a point."
        )
    if not np.isfinite(coefficient).all():
        raise ValueError(f"{name}: coefficients are not all finite.")
    return np.broadcast_to(coefficient, (n,)).astype(np.float64)
