"""How a fitted model continues outside the box of its points."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: Values of the parameter ``extrapolation``.
EXTRAPOLATIONS = ("auto", "continue", "linear", "constant", "nan", "error")

Orders = tuple[int, ...]
#: A derivative of the given orders at scaled points (n, d); shape (n, n_outputs).
Derivatives = Callable[[NDArray[np.float64], Orders], NDArray[np.float64]]


class Integrals(Protocol):
    """Integrals of a derivative between scaled ends (n, d), along some axes."""

    def __call__(
        self,
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        axes: list[int],
        orders: Orders,
        /,
    ) -> NDArray[np.float64]:
        """Shape (n, n_outputs); along other axes values are those at ``upper``."""


@dataclass(frozen=True)
class Extrapolation:
    """Values of a function outside a box, from those inside it and at its faces.

    Inside the limits the function itself is evaluated. Outside them, with c the nearest point
    inside, ``f(c)`` replaces ``f(x)`` under the rule "constant", the tangent
    ``f(c) + grad f(c) . (x - c)`` under "linear", and nan under "nan". Derivatives and integrals
    are those of this continuation. Under "error" a point outside is an error.

    Attributes
    ----------
    lower, upper : ndarray of shape (1, d) or (n_outputs, d)
        Limits in scaled coordinates, in which the box of the data is [-1, 1]^d, common to all
        outputs or of each; infinite along periodic axes.
    rule : {"continue", "constant", "linear", "nan", "error"}
        What is done outside the limits; under "continue" these are infinite.
    """

    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    rule: str

    @classmethod
    def of(cls, rule: str, faces: NDArray[np.float64]) -> Extrapolation:
        """Make a rule that holds from the faces (d,) of the box on; "auto" is "constant" there."""
        upper = np.full(len(faces), np.inf) if rule == "continue" else faces
        return cls(-upper[None], upper[None], "constant" if rule == "auto" else rule)

    def within(self, lower: NDArray[np.float64], upper: NDArray[np.float64]) -> Extrapolation:
        """Take limits that are no nearer than these."""
        return replace(
            self, lower=np.minimum(self.lower, lower), upper=np.maximum(self.upper, upper)
        )

    def groups(self) -> list[tuple[Extrapolation, NDArray[np.intp]]]:
        """Group outputs with equal limits; returns each group's rule and output indices.

        Where all outputs share one row of limits, the array of indices is empty.
        """
        if len(self.lower) == 1:
            return [(self, np.empty(0, dtype=np.intp))]
        limits = np.concatenate([self.lower, self.upper], axis=1)
        distinct, group = np.unique(limits, axis=0, return_inverse=True)
        found = []
        for k, one in enumerate(distinct):
            lower, upper = np.split(one[None], 2, axis=1)
            found.append(
                (replace(self, lower=lower, upper=upper), np.flatnonzero(group.ravel() == k))
            )
        return found

    def nearest(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Find the nearest points inside the limits, which are common to all outputs."""
        return np.clip(x, self.lower[0], self.upper[0])

    def derivative(
        self, function: Derivatives, x: NDArray[np.float64], orders: Orders
    ) -> NDArray[np.float64]:
        """Differentiate the continued function.

        Parameters
        ----------
        function : callable
            Derivatives of the function that is continued.
        x : ndarray of shape (n, d)
            Scaled points.
        orders : tuple of int
            Order along each scaled coordinate.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            Derivatives by the scaled coordinates.
        """
        if self.is_inside(x):
            return function(x, orders)
        self._refuse(x)
        parts = [(one._derivative(function, x, orders), outputs) for one, outputs in self.groups()]
        return _side_by_side(parts)

    def _derivative(
        self, function: Derivatives, x: NDArray[np.float64], orders: Orders
    ) -> NDArray[np.float64]:
        """Differentiate under limits that are common to all outputs."""
        c = self.nearest(x)
        away = x - c
        is_outside = np.abs(away) > 0  # not where a coordinate is nan
        values = function(c, orders)
        if self.rule == "nan":
            values[is_outside.any(axis=1)] = np.nan
            return values
        # order along the axes on which a point is outside: from order 1 on the derivatives of a
        # constant are zero, from order 2 on those of a tangent plane
        order = is_outside @ np.asarray(orders)
        values[order > (1 if self.rule == "linear" else 0)] = 0.0
        if self.rule == "linear":
            for j in np.flatnonzero(is_outside.any(axis=0)):
                rows = is_outside[:, j] & (order == 0)
                slopes = function(c[rows], _raised(orders, int(j)))
                values[rows] += away[rows, j, None] * slopes
        return values

    def integral(
        self,
        function: Integrals,
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        axes: Sequence[int],
    ) -> NDArray[np.float64]:
        """Integrate the continued function between scaled ends (n, d) along some axes."""
        orders = (0,) * lower.shape[1]
        if self.is_inside(lower) and self.is_inside(upper):
            return function(lower, upper, list(axes), orders)
        self._refuse(lower, upper)
        if self.rule == "nan":
            inside = self.nearest(lower), self.nearest(upper)
            values = function(*inside, list(axes), orders)
            is_outside = (inside[0] != lower) | (inside[1] != upper)
            values[is_outside.any(axis=1)] = np.nan
            return values
        ends = (lower, upper, list(axes))
        parts = [
            (one._integral(function, *ends, orders, 0), outputs) for one, outputs in self.groups()
        ]
        return _side_by_side(parts)

    def _integral(
        self,
        function: Integrals,
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        axes: list[int],
        orders: Orders,
        first: int,
    ) -> NDArray[np.float64]:
        """Split the first axis, from ``first`` on, along which an end is outside."""
        for j in range(first, lower.shape[1]):
            low, high = self.lower[0, j], self.upper[0, j]
            ends = upper[:, j] if j not in axes else np.stack([lower[:, j], upper[:, j]])
            if np.all((ends >= low) & (ends <= high)):
                continue
            inside = [a.copy() for a in (lower, upper)]
            for a in inside:
                a[:, j] = np.clip(a[:, j], low, high)
            total = self._integral(function, inside[0], inside[1], axes, orders, j + 1)
            for face, side in ((low, np.minimum), (high, np.maximum)):
                at_face = upper.copy()
                at_face[:, j] = face
                end = side(upper[:, j] - face, 0.0)
                if j in axes:
                    start = side(lower[:, j] - face, 0.0)
                    factors = end - start, (end**2 - start**2) / 2
                else:
                    factors = np.zeros_like(end), end
                rest = [k for k in axes if k != j]
                terms = [(factors[0], orders)]
                if self.rule == "linear" and not any(orders):
                    terms.append((factors[1], _raised(orders, j)))
                for factor, own in terms:
                    if factor.any():
                        at = self._integral(function, lower, at_face, rest, own, j + 1)
                        total = total + factor[:, None] * at
            return total
        return function(lower, upper, axes, orders)

    def is_inside(self, x: NDArray[np.float64]) -> bool:
        """Whether all points (n, d) are inside the limits of all outputs."""
        if len(x) == 0:
            return True
        lowest, highest = x.min(axis=0), x.max(axis=0)
        return bool((lowest >= self.lower).all() and (highest <= self.upper).all())

    def _refuse(self, *points: NDArray[np.float64]) -> None:
        if self.rule == "error":
            is_outside = np.any([self.nearest(x) != x for x in points], axis=0)
            what = "points are" if len(points) == 1 else "integrals end"
            n_outside = np.count_nonzero(is_outside.any(axis=1))
            raise ValueError(
                f"{n_outside} of {len(is_outside)} {what} outside the box of the training points, "
                f"in features {np.flatnonzero(is_outside.any(axis=0))};"
                " remove them, or set extrapolation to a value other than 'error'."
            )


def _side_by_side(
    parts: list[tuple[NDArray[np.float64], NDArray[np.intp]]],
) -> NDArray[np.float64]:
    """Combine arrays (n, n_outputs) of the groups: from each its own columns."""
    found = parts[0][0]
    for values, outputs in parts[1:]:
        found[:, outputs] = values[:, outputs]
    return found


def _raised(orders: Orders, axis: int) -> Orders:
    return tuple(order + (k == axis) for k, order in enumerate(orders))
