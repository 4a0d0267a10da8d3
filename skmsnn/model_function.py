"""The fitted model as one function: the sum of its stages, in the units of X and y.

Stages of the same kind are one sum. Few points go by direct products, prepared so that hardly more
than their own arithmetic is left; many by what the stages themselves use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array

from skmsnn._arrays import as_complex
from skmsnn._outside import Outside
from skmsnn._precision import EPS
from skmsnn.domain import Domain
from skmsnn.functions.base import Function, Term
from skmsnn.functions.bases import SplineBasis
from skmsnn.functions.integrals import integrate_slope, integrate_with_periods
from skmsnn.functions.lattice import FourierSum, TensorFourierSeries
from skmsnn.functions.products import TensorProductSeries
from skmsnn.stage import Stage
from skmsnn.training.devices import prediction_device

if TYPE_CHECKING:
    from skmsnn.modules.cascade import CascadeModule


@dataclass(frozen=True, eq=False, repr=False)
class FittedFunction:
    """The model as a plain function of points, for use inside other loops.

    Points are of shape (n_features,) or (n, n_features), in the units of X; of one feature a float
    is a point too. Values are in those of y: for one point a float, or of shape (n_outputs,); for n
    of shape (n,), or (n, n_outputs). Only shapes are checked.

    Parameters
    ----------
    domain : Domain
        Scaling of the points.
    stages : tuple of Stage
        Whose sum it is.
    offset, scale : ndarray of shape (n_outputs,)
        ``y = offset + scale * sum of stages``.
    is_flat : bool
        Whether y has one output and no axis for it.
    is_complex : bool
        Whether the outputs of stages are real and imaginary parts of those of y, in turn.
    outside : Outside
        How it continues outside the box of the training points, and its errors inside and out.
    """

    domain: Domain
    stages: tuple[Stage, ...]
    offset: NDArray[np.float64]
    scale: NDArray[np.float64]
    is_flat: bool
    is_complex: bool
    outside: Outside

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is prepared."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @cached_property
    def _sums(self) -> list[Function]:
        return _merged(self.stages)

    @cached_property
    def _prepared(self) -> dict[tuple[int, ...], list[Term]]:
        return {}

    @property
    def rounding(self) -> NDArray[np.float64]:
        """Of values, relative to the spread of y."""
        return np.asarray(4 * EPS * np.hypot(self.offset, self.scale) / self.scale)

    def is_of(self, stages: Sequence[Stage], domain: Domain) -> bool:
        """Whether it is the sum of these very stages."""
        same = len(stages) == len(self.stages) and domain is self.domain
        return same and all(a is b for a, b in zip(stages, self.stages, strict=True))

    def first(self, n_stages: int) -> FittedFunction:
        """The sum of the first stages alone."""
        return replace(self, stages=self.stages[:n_stages])

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

    def at_scaled(
        self, x: NDArray[np.float64], nu: Sequence[int] = (), device: str = "cpu"
    ) -> NDArray[Any]:
        """Values at scaled points (n, d), or a derivative of orders nu, in the units of y and X.

        Of values alone, networks are evaluated on the device.
        """
        if device != "cpu":
            device = prediction_device(device)
        derivative = partial(
            self.outside.extrapolation.derivative, partial(self.inside, device=device)
        )
        if any(nu):
            terms = self.domain.derivative_terms(x, nu)
            total = sum(derivative(x, k) * factor[..., None] for k, factor in terms)
            return self._shaped(total * self.scale)
        total = derivative(x, (0,) * len(self.domain.centre))
        return self._shaped(self.offset + total * self.scale)

    def gradient_at_scaled(self, x: NDArray[np.float64]) -> NDArray[Any]:
        """First derivatives at scaled points, those along each feature side by side."""
        first = np.eye(len(self.domain.centre), dtype=int).tolist()
        return np.stack([self.at_scaled(x, nu) for nu in first], axis=1)

    def laplacian_at_scaled(self, x: NDArray[np.float64]) -> NDArray[Any]:
        """Sum of second derivatives at scaled points."""
        second = (2 * np.eye(len(self.domain.centre), dtype=int)).tolist()
        return np.asarray(np.sum([self.at_scaled(x, nu) for nu in second], axis=0))

    def std_at_scaled(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Standard deviations at scaled points, in the units of y."""
        if self.outside.local_error is None:
            raise ValueError(
                "return_std=True needs values that the fit has not seen, and all were for "
                "training, or there are conditions beside them; fit values alone, with "
                "early_stopping=True and more points, or with X_val."
            )
        std = self._shaped(self.outside.error_at(self, x) * self.scale)
        return np.abs(std) if self.is_complex else std

    def integral_over(self, lower: Any, upper: Any) -> NDArray[Any]:
        """Integral over a box (d,), or over several (n, d); None is the box of the points."""
        domain = self.domain
        low = domain.centre - domain.half_width if lower is None else lower
        high = domain.centre + domain.half_width if upper is None else upper
        ends = np.broadcast_arrays(self._corners(low), self._corners(high))
        # not moved by periods
        scaled = [(end - domain.centre) / domain.half_width for end in ends]
        found = self.integral_at_scaled(scaled[0], scaled[1], range(len(domain.centre)))
        return found[0] if np.ndim(low) == np.ndim(high) == 1 else found

    def antiderivative_at(
        self, X: NDArray[np.float64], feature: int, lower: float | None
    ) -> NDArray[Any]:
        """Integrals along a feature up to points (n, d), from ``lower`` or the lower face on."""
        centre, half_width = self.domain.centre[feature], self.domain.half_width[feature]
        end = self.domain.scale(X)
        end[:, feature] = (X[:, feature] - centre) / half_width  # not moved by periods
        start = end.copy()
        start[:, feature] = -1.0 if lower is None else (lower - centre) / half_width
        return self.integral_at_scaled(start, end, [feature])

    def integral_at_scaled(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: Sequence[int]
    ) -> NDArray[Any]:
        """Integrals along some axes between scaled ends (n, d), in the units of y and X."""
        self._check_integrable(axes)
        turning = [j for j in axes if self.domain.periodic[j]]

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

        total = self.outside.extrapolation.integral(integral, lower, upper, axes) * self.scale
        total = total + self.offset * (upper - lower)[:, axes].prod(axis=1)[:, None]
        return self._shaped(total * self.domain.half_width[list(axes)].prod())

    def to_module(self) -> CascadeModule:
        """The same as a torch module of points in the units of X."""
        from skmsnn.modules.cascade import CascadeModule

        module = CascadeModule(
            self.domain.centre,
            self.domain.half_width,
            self.domain.periodic,
            np.array([stage.scale * self.scale for stage in self.stages]),
            [stage.to_module() for stage in self.stages],
            self.offset,
            self.is_flat,
            self.is_complex,
            self.domain.logarithmic,
            self.outside.extrapolation,
        )
        return module.eval()

    @property
    def n_waves(self) -> float:
        """Terms of the exponential polynomial that it is along each line; else infinite."""
        if all(isinstance(function, FourierSum) for function in self._sums):
            return 2.0 * sum(function.n_modes for function in self._sums) + 1
        if len(self.domain.centre) == 1 and all(map(_is_exponential, self._sums)):
            return float(sum(function.n_terms for function in self._sums))
        return np.inf

    def inside(
        self, x: NDArray[np.float64], nu: tuple[int, ...] = (), device: str = "cpu"
    ) -> NDArray[np.float64]:
        """The sum of the stages at scaled points, or a derivative by scaled coordinates.

        It is evaluated freely also outside the box.
        """
        nu = nu or (0,) * len(self.domain.centre)
        if device != "cpu" and not any(nu):
            return np.asarray(np.sum([stage.predict(x, device) for stage in self.stages], axis=0))
        terms = self._prepared.get(nu)
        if terms is None:
            terms = [(s.derivative(nu) if any(nu) else s).prepared() for s in self._sums]
            if sum(nu) <= 2:  # of higher order there are many, and few are needed again
                self._prepared[nu] = terms
        return reduce(np.add, [term(x) for term in terms])

    def _shaped(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Values (n, n_outputs) of the stages as those of y."""
        outputs = as_complex(values) if self.is_complex else values
        return outputs[:, 0] if self.is_flat else outputs

    def _at(
        self, X: ArrayLike, values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        X = np.asarray(X, dtype=np.float64)
        if X.ndim == 2:
            return values(self.domain.scale(X))
        d = len(self.domain.centre)
        if X.shape != (d,) and not (d == 1 and X.ndim == 0):
            raise ValueError(
                f"Points of shape {X.shape} were given to a function of {d} "
                f"feature{'s' if d > 1 else ''}; give one point of shape ({d},), or several of "
                f"shape (n, {d})."
            )
        found: NDArray[np.float64] = values(self.domain.scale(X.reshape(1, d)))[0]
        return found

    def _corners(self, corners: Any) -> NDArray[np.float64]:
        found = check_array(np.atleast_2d(corners), dtype=np.float64, input_name="corners")
        if found.shape[1] != len(self.domain.centre):
            raise ValueError(
                f"A corner has {found.shape[1]} coordinates, but the model "
                f"{len(self.domain.centre)} features; give one for each."
            )
        return np.asarray(found)

    def _check_integrable(self, axes: Sequence[int]) -> None:
        for j in axes:
            if self.domain.logarithmic is not None and self.domain.logarithmic[j]:
                raise ValueError(
                    f"Feature {j} is on a logarithmic scale, on which integrals have no closed "
                    "form; integrate to_function() numerically, as by scipy.integrate, or fit with "
                    "feature_transforms='linear'."
                )
        for number, stage in enumerate(self.stages, start=1):
            if not stage.function.has_integral(len(axes)):
                raise ValueError(
                    f"Stage {number} is of the family {stage.family}, whose integrals have no "
                    f"closed form, and over {len(axes)} features take too many points; leave "
                    "that family out of families, or take the mean of values at random points."
                )


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
