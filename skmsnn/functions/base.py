"""What is asked of a function that a fitted stage can be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._shape import check_points
from skmsnn.linalg.nufft import MOST_DIMENSIONS

#: Values (n, n_outputs) at scaled points (n, n_features).
Term = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Function(ABC):
    """A function of scaled coordinates, of which a stage of a model is a multiple.

    A new one implements the abstract methods. The others have defaults that hold for any function:
    it is merged with no other, and integrated by quadrature. ``evaluate`` and ``derivative`` of any
    that says its ``n_features`` refuse other numbers of them.
    """

    #: Whether ``closed_integral`` is implemented.
    has_closed_integral: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, checked in (("evaluate", _of_its_points), ("derivative", _of_its_orders)):
            if name in cls.__dict__:
                setattr(cls, name, checked(cls.__dict__[name]))

    @property
    def n_features(self) -> int | None:
        """Number of scaled coordinates; None where it is not known and not checked."""
        return None

    @property
    @abstractmethod
    def n_terms(self) -> int:
        """Real unknowns for one output."""

    @property
    def n_modes(self) -> int:
        """What a stage says of its size; by default the number of terms."""
        return self.n_terms

    @abstractmethod
    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""

    @abstractmethod
    def derivative(self, nu: Sequence[int]) -> Function:
        """The derivative of order nu_j along each axis j."""

    @abstractmethod
    def scaled(self, factor: NDArray[np.float64]) -> Self:
        """The same function times a factor for each output."""

    def of_outputs(self, outputs: slice) -> Self:
        """The same function with some of its outputs alone."""
        raise TypeError(f"Functions of type {type(self).__name__} cannot be cut into outputs.")

    @property
    def kind(self) -> Hashable | None:
        """Equal for functions of this type that ``plus`` can add; None where it can add none."""
        return None

    def plus(self, other: Self) -> Self:
        """The sum with a function of the same type and kind, as one function."""
        raise TypeError(f"Functions of type {type(self).__name__} have no sums of the same type.")

    def summands(self) -> tuple[Function, ...]:
        """Functions of which this is the sum; by default itself."""
        return (self,)

    def prepared(self) -> Term:
        """What ``evaluate`` gives, prepared to be fast at few points."""
        return self.evaluate

    def has_integral(self, n_axes: int) -> bool:
        """Whether an integral along so many axes can be had, in closed form or by quadrature."""
        return self.has_closed_integral or n_axes <= MOST_DIMENSIONS

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        """The integral in closed form.

        Parameters
        ----------
        lower, upper : ndarray of shape (n, n_features)
            Ends of the integrals along ``axes``; along others values are those at ``upper``.
        axes : frozenset of int
            Along which to integrate.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            One value for each pair of ends.
        """
        raise NotImplementedError


def _of_its_points(evaluate: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(evaluate)
    def checked(self: Function, x: NDArray[np.float64], *args: Any, **kwargs: Any) -> Any:
        if self.n_features is not None:
            check_points(x.shape, self.n_features)
        return evaluate(self, x, *args, **kwargs)

    return checked


def _of_its_orders(derivative: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(derivative)
    def checked(self: Function, nu: Sequence[int]) -> Any:
        if self.n_features not in (None, len(nu)):
            raise ValueError(
                f"nu={tuple(nu)} gives {len(nu)} orders of a derivative for {self.n_features} "
                "features; give one for each."
            )
        return derivative(self, nu)

    return checked


class LinearExpansion(Function):
    """Functions that are linear in an attribute ``coefficients``, whose last axis is the outputs.

    They are dataclasses. Two of the same space differ in their coefficients alone.
    """

    @abstractmethod
    def derivative(self, nu: Sequence[int]) -> LinearExpansion:
        """The derivative of order nu_j along each axis j."""

    def scaled(self, factor: NDArray[np.float64]) -> Self:
        return self._with(self._coefficients * factor)

    def plus(self, other: Self) -> Self:
        return self._with(self._coefficients + other._coefficients)

    def of_outputs(self, outputs: slice) -> Self:
        return self._with(self._coefficients[..., outputs])

    @property
    def _coefficients(self) -> NDArray:
        itself: Any = self
        return itself.coefficients

    def _with(self, coefficients: NDArray) -> Self:
        itself: Any = self
        return replace(itself, coefficients=coefficients)
