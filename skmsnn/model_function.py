"""The fitted model as one function: what a prediction needs, prepared once.

Stages of the same kind are one sum. Few points go by direct products, prepared so that hardly more
than their own arithmetic is left; many by what the stages themselves use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmsnn._arrays import as_complex
from skmsnn.domain import Domain
from skmsnn.extrapolation import Extrapolation
from skmsnn.functions.base import Function, Term
from skmsnn.functions.bases import SplineBasis
from skmsnn.functions.integrals import integrate_slope, integrate_with_periods
from skmsnn.functions.lattice import FourierSum, TensorFourierSeries
from skmsnn.functions.products import TensorProductSeries
from skmsnn.stage import Stage


class FittedFunction:
    """The model as a plain function of points, for use inside other loops.

    Points are of shape (n_features,) or (n, n_features), in the units of X; of one feature a float
    is a point too. Values are in those of y: for one point a float, or of shape (n_outputs,); for n
    of shape (n,), or (n, n_outputs). Only shapes are checked.

    Parameters
    ----------
    domain : Domain
        Scaling of the points.
    stages : sequence of Stage
        Whose sum it is.
    offset, scale : ndarray of shape (n_outputs,)
        ``y = offset + scale * sum of stages``.
    flat : bool
        Whether y has one output and no axis for it.
    is_complex : bool
        Whether the outputs of stages are real and imaginary parts of those of y, in turn.
    extrapolation : Extrapolation, default=None
        How it continues outside the box of the training points; None is freely.
    """

    def __init__(
        self,
        domain: Domain,
        stages: Sequence[Stage],
        offset: NDArray[np.float64],
        scale: NDArray[np.float64],
        flat: bool,
        is_complex: bool = False,
        extrapolation: Extrapolation | None = None,
    ) -> None:
        self._stages = tuple(stages)
        self._extrapolation = extrapolation or Extrapolation.of("continue", domain.faces)
        self._is_complex = is_complex
        self._domain, self._offset, self._scale, self._flat = domain, offset, scale, flat
        self._sums = _merged(stages)
        self._prepared: dict[tuple[int, ...], list[Term]] = {}

    def __call__(self, X: ArrayLike) -> NDArray[np.float64]:
        """Evaluate the model at a point, or at several.

        Parameters
        ----------
        X : array-like of shape (n_features,) or (n, n_features)
            Points, in the units of those that were fitted.

        Returns
        -------
        float or ndarray of shape (n_outputs,), (n,) or (n, n_outputs)
            Values, in the units of y.

        Raises
        ------
        ValueError
            If X is of another shape.
        """
        return self._at(X, self.at_scaled)

    @property
    def n_waves(self) -> float:
        """Terms of the exponential polynomial that it is along each line; else infinite."""
        if all(isinstance(function, FourierSum) for function in self._sums):
            return 2.0 * sum(function.n_modes for function in self._sums) + 1
        if len(self._domain.centre) == 1 and all(map(_is_exponential, self._sums)):
            return float(sum(function.n_terms for function in self._sums))
        return np.inf

    def is_of(self, stages: Sequence[Stage], domain: Domain, extrapolation: Extrapolation) -> bool:
        """Whether it is the sum of these very stages."""
        same = len(stages) == len(self._stages) and domain is self._domain
        same &= extrapolation is self._extrapolation
        return same and all(a is b for a, b in zip(stages, self._stages, strict=True))

    def gradient(self, X: ArrayLike) -> NDArray[np.float64]:
        """Differentiate the model at a point, or at several.

        Parameters
        ----------
        X : array-like of shape (n_features,) or (n, n_features)
            Points, in the units of those that were fitted.

        Returns
        -------
        ndarray of shape (n_features,), (n, n_features), or with n_outputs as a last axis
            First derivatives along each feature, in the units of y over those of X.

        Raises
        ------
        ValueError
            If X is of another shape.
        """
        return self._at(X, self.gradient_at_scaled)

    def at_scaled(self, x: NDArray[np.float64], nu: Sequence[int] = ()) -> NDArray[np.float64]:
        """Values at scaled points (n, d), or a derivative of orders nu, in the units of y and X."""
        orders = tuple(nu) or (0,) * len(self._domain.centre)
        if any(orders):
            terms = self._domain.derivative_terms(x, orders)
            total = sum(self.of_stages(x, k) * factor[..., None] for k, factor in terms)
        else:
            total = self.of_stages(x, orders)
        values = total * self._scale
        if not any(orders):
            values = self._offset + values
        return self.shaped(values)

    def shaped(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Values (n, n_outputs) of the stages as those of y."""
        outputs = as_complex(values) if self._is_complex else values
        return outputs[:, 0] if self._flat else outputs

    def integral_at_scaled(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: Sequence[int]
    ) -> NDArray[Any]:
        """Integrals along some axes between scaled ends (n, d), in the units of y and X."""
        turning = [j for j in axes if self._domain.periodic[j]]

        def integral(
            lower: NDArray[np.float64],
            upper: NDArray[np.float64],
            along: list[int],
            nu: tuple[int, ...],
        ) -> NDArray[np.float64]:
            if any(nu):
                parts = [integrate_slope(f.derivative(nu), lower, upper, along) for f in self._sums]
            else:
                turns = [j for j in turning if j in along]
                ends = (lower, upper, along, turns)
                parts = [integrate_with_periods(f, *ends) for f in self._sums]
            return np.asarray(reduce(np.add, parts))

        total = self._extrapolation.integral(integral, lower, upper, axes) * self._scale
        total = total + self._offset * (upper - lower)[:, axes].prod(axis=1)[:, None]
        return self.shaped(total * self._domain.half_width[list(axes)].prod())

    def gradient_at_scaled(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """First derivatives at scaled points, those along each feature side by side."""
        first = np.eye(len(self._domain.centre), dtype=int).tolist()
        return np.stack([self.at_scaled(x, nu) for nu in first], axis=1)

    def of_stages(self, x: NDArray[np.float64], nu: tuple[int, ...] = ()) -> NDArray[np.float64]:
        """The sum of the stages at scaled points, or a derivative by scaled coordinates."""
        nu = nu or (0,) * len(self._domain.centre)
        return self._extrapolation.derivative(self.inside, x, nu)

    def inside(self, x: NDArray[np.float64], nu: tuple[int, ...] = ()) -> NDArray[np.float64]:
        """The same, evaluated freely also outside the box."""
        nu = nu or (0,) * len(self._domain.centre)
        terms = self._prepared.get(nu)
        if terms is None:
            terms = [(s.derivative(nu) if any(nu) else s).prepared() for s in self._sums]
            if sum(nu) <= 2:  # of higher order there are many, and few are asked for again
                self._prepared[nu] = terms
        return reduce(np.add, [term(x) for term in terms])

    def _at(
        self, X: ArrayLike, values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        X = np.asarray(X, dtype=np.float64)
        if X.ndim == 2:
            return values(self._domain.scale(X))
        d = len(self._domain.centre)
        if X.shape != (d,) and not (d == 1 and X.ndim == 0):
            raise ValueError(
                f"Points of shape {X.shape} were given to a function of {d} "
                f"feature{'s' if d > 1 else ''}; give one point of shape ({d},), or several of "
                f"shape (n, {d})."
            )
        found: NDArray[np.float64] = values(self._domain.scale(X.reshape(1, d)))[0]
        return found


def _is_exponential(function: Function) -> bool:
    """Whether a function of one feature is a sum of waves and of all powers up to some degree."""
    if isinstance(function, TensorProductSeries):
        return not any(isinstance(basis, SplineBasis) for basis in function.bases)
    return isinstance(function, FourierSum | TensorFourierSeries)


def _merged(stages: Iterable[Stage]) -> list[Function]:
    """Functions whose sum the stages are, as few as can be."""
    merged: dict[object, Function] = {}
    others: list[Function] = []
    for stage in stages:
        for part in stage.function.scaled(stage.scale).summands():
            if part.kind is None:
                others.append(part)
                continue
            kind = (type(part), part.kind)
            merged[kind] = merged[kind].plus(part) if kind in merged else part
    return [*merged.values(), *others]
