"""The fitted model as one function: what a prediction needs, prepared once.

Stages of the same kind are one sum. Few points go by direct products, prepared so that hardly more
than their own arithmetic is left; many by what the stages themselves use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from typing import Any, Protocol

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import BSpline
from scipy.special import eval_legendre

from skmsnn._arrays import as_complex
from skmsnn.domain import Domain
from skmsnn.functions import Modes
from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.integrals import integrate_with_periods
from skmsnn.functions.lattice import FourierModes, LatticeModes
from skmsnn.functions.linear import added, scaled
from skmsnn.functions.polynomial import PolynomialModes
from skmsnn.functions.products import ProductModes
from skmsnn.functions.quotient import QuotientModes, derivative_of_quotient, orders_up_to
from skmsnn.functions.rational import RationalModes
from skmsnn.functions.separable import SeparableModes
from skmsnn.functions.stack import StackedModes
from skmsnn.functions.sum import SumModes
from skmsnn.modules.trained import PreparedNetwork, TrainedNetwork
from skmsnn.stage import Stage

# Products up to which points are few: a non-uniform FFT takes 0.2 ms for one.
_FEW_PRODUCTS = 100_000
# Derivatives that are kept prepared.
_MOST_KEPT = 64

Term = Callable[[NDArray[np.float64]], NDArray[np.float64]]


class Differentiable(Protocol):
    """A function of scaled points (n, d) with values (n, n_outputs)."""

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points."""

    def derivative(self, nu: Sequence[int]) -> Differentiable:
        """The derivative of order nu_j along each axis j."""


class ModelFunction:
    """The model as a plain function of points, without any checks, for use inside other loops.

    Points are of shape (n_features,) or (n, n_features), in the units of X. Values are in those of
    y: for one point a float, or of shape (n_outputs,); for n of shape (n,), or (n, n_outputs).

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
    """

    def __init__(
        self,
        domain: Domain,
        stages: Sequence[Stage],
        offset: NDArray[np.float64],
        scale: NDArray[np.float64],
        flat: bool,
        is_complex: bool = False,
    ) -> None:
        self._stages = tuple(stages)
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
        """
        return self._at(X, self.at_scaled)

    def is_of(self, stages: Sequence[Stage], domain: Domain) -> bool:
        """Whether it is the sum of these very stages."""
        same = len(stages) == len(self._stages) and domain is self._domain
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
        """
        return self._at(X, self.gradient_at_scaled)

    def at_scaled(self, x: NDArray[np.float64], nu: Sequence[int] = ()) -> NDArray[np.float64]:
        """Values at scaled points (n, d), or a derivative of orders nu, in the units of y and X."""
        orders = tuple(nu) or (0,) * len(self._domain.centre)
        if any(orders):
            terms = self._domain.derivative_terms(x, orders)
            total = sum(self._of_stages(x, k) * factor[..., None] for k, factor in terms)
        else:
            total = self._of_stages(x, orders)
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

        def integral(function: Any) -> NDArray[np.float64]:
            return integrate_with_periods(function, lower, upper, axes, turning)

        total = reduce(np.add, [integral(function) for function in self._sums]) * self._scale
        total = total + self._offset * (upper - lower)[:, axes].prod(axis=1)[:, None]
        return self.shaped(total * self._domain.half_width[list(axes)].prod())

    def gradient_at_scaled(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """First derivatives at scaled points, those along each feature side by side."""
        first = np.eye(len(self._domain.centre), dtype=int).tolist()
        return np.stack([self.at_scaled(x, nu) for nu in first], axis=1)

    def _of_stages(self, x: NDArray[np.float64], nu: tuple[int, ...]) -> NDArray[np.float64]:
        """A derivative of the sum of the stages by scaled coordinates."""
        terms = self._prepared.get(nu)
        if terms is None:
            terms = [_prepared(s if not any(nu) else s.derivative(nu)) for s in self._sums]
            if len(self._prepared) < _MOST_KEPT:
                self._prepared[nu] = terms
        return reduce(np.add, [term(x) for term in terms])

    def _at(
        self, X: ArrayLike, values: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        X = np.asarray(X, dtype=np.float64)
        found = values(self._domain.scale(np.atleast_2d(X)))
        return found if X.ndim == 2 else found[0]


def _merged(stages: Iterable[Stage]) -> list[Differentiable]:
    """Functions whose sum the stages are, as few as can be."""
    merged: dict[object, Modes] = {}
    others: list[Differentiable] = []
    for stage in stages:
        if isinstance(stage.function, StackedModes):
            pairs = zip(stage.function.parts, stage.scale, strict=True)
            others.append(StackedModes(tuple(_scaled_part(*pair) for pair in pairs)))
            continue
        if isinstance(stage.function, SeparableModes | TrainedNetwork):
            others.append(stage.function.scaled(stage.scale))
            continue
        modes = scaled(stage.function, stage.scale)
        for part in modes.parts if isinstance(modes, SumModes) else (modes,):
            kind = _kind(part)
            merged[kind] = _sum(merged[kind], part) if kind in merged else part
    return [*merged.values(), *others]


def _scaled_part(part: Modes | SeparableModes, scale: float) -> Modes | SeparableModes:
    if isinstance(part, SeparableModes):
        return part.scaled(np.array([scale]))
    return scaled(part, scale)


def _kind(modes: Modes) -> object:
    """Equal for functions that ``_sum`` can add."""
    if isinstance(modes, LatticeModes):
        return "lattice", modes.lengths.tobytes()
    if isinstance(modes, FourierModes):
        return "waves"
    if isinstance(modes, PolynomialModes):
        return "polynomials", modes.degrees.tobytes()
    if isinstance(modes, RationalModes):
        return "fractions", modes.poles.tobytes()
    if isinstance(modes, QuotientModes):
        denominator = modes.denominator
        parts = (modes.degrees, denominator.degrees, denominator.coefficients)
        return "quotients", *(part.tobytes() for part in parts)
    assert isinstance(modes, ProductModes)
    bases = tuple((b.label, _numbers_of(b)) for b in modes.bases)
    shape = modes.coefficients.shape
    return modes.wave_axes, modes.lengths.tobytes(), modes.basis_axes, bases, shape


def _numbers_of(basis: LegendreBasis | LegendreWavesBasis | SplineBasis) -> bytes:
    """The knots or the wave numbers."""
    if isinstance(basis, LegendreBasis):
        return b""
    numbers = basis.knots if isinstance(basis, SplineBasis) else basis.wave_numbers
    return numbers.tobytes()


def _sum(one: Modes, other: Modes) -> Modes:
    if isinstance(one, LatticeModes) and isinstance(other, LatticeModes):
        orders = np.maximum(one.orders, other.orders)
        n_outputs = one.coefficients.shape[-1]
        total = np.zeros((*(2 * orders + 1), n_outputs), dtype=complex)
        for modes in (one, other):
            low = orders - modes.orders
            box = tuple(slice(a, n - a) for a, n in zip(low, total.shape[:-1], strict=True))
            total[box] += modes.coefficients
        return LatticeModes(total, one.lengths)
    if isinstance(one, FourierModes) and isinstance(other, FourierModes):
        if np.array_equal(one.wave_vectors, other.wave_vectors):
            return added(one, other)
        waves = np.concatenate([one.wave_vectors, other.wave_vectors])
        return FourierModes(waves, np.concatenate([one.coefficients, other.coefficients]))
    return added(one, other)


def _prepared(function: Differentiable) -> Term:
    """The function, fast at few points."""
    if isinstance(function, StackedModes):
        terms = [_prepared(part) for part in function.parts]
        return lambda x: np.concatenate([term(x) for term in terms], axis=1)
    few: Term | None = None
    n_products = 0
    if isinstance(function, TrainedNetwork):
        return PreparedNetwork(function).evaluate
    if isinstance(function, LatticeModes):
        axes = tuple(range(len(function.lengths)))
        alone = ProductModes(function.coefficients, function.lengths, axes, (), ())
        few = _sum_of_products(alone)
        n_products = function.coefficients.size
    elif isinstance(function, ProductModes):
        few = _sum_of_products(function)
        n_products = function.coefficients.size
    elif isinstance(function, PolynomialModes):
        few = _sum_of_polynomials(function)
        n_products = function.degrees.size
    elif isinstance(function, QuotientModes):
        few = _quotient(function)
        n_products = 2 * function.degrees.size
    if few is None:
        return function.evaluate
    most = _FEW_PRODUCTS // max(1, n_products)

    def evaluate(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return few(x) if 0 < len(x) <= most else function.evaluate(x)

    return evaluate


def _half(
    coefficients: NDArray[np.complex128], lengths: NDArray[np.float64]
) -> tuple[list[NDArray[np.complex128]], NDArray[np.complex128]]:
    """Wave numbers times i along each axis, and coefficients, for non-negative ones on the first.

    Those of -k are the conjugates of those of k.
    """
    n_axes = len(lengths)
    middle = coefficients.shape[0] // 2
    half = coefficients[middle:].copy()
    half[1:] *= 2
    waves = [
        2j * np.pi / length * np.arange(-(n // 2), n // 2 + 1)
        for length, n in zip(lengths, coefficients.shape[:n_axes], strict=True)
    ]
    waves[0] = waves[0][middle:]
    return waves, half


def _contracted(factors: list[NDArray], coefficients: NDArray) -> NDArray:
    """Sum over all but the last axis of products of the factors, (n, size) each."""
    n = len(factors[0])
    total = factors[0] @ coefficients.reshape(len(coefficients), -1)
    for factor in factors[1:]:
        total = np.matmul(factor[:, None, :], total.reshape(n, factor.shape[1], -1))[:, 0]
    return total


def _sum_of_products(modes: ProductModes) -> Term | None:
    """Few points of products; None where ``evaluate`` is as fast."""
    factors: list[tuple[int, Term]] = []
    coefficients = modes.coefficients
    n_waves = len(modes.wave_axes)
    if n_waves:
        waves, coefficients = _half(coefficients, modes.lengths)
        for axis, wave in zip(modes.wave_axes, waves, strict=True):
            factors.append((axis, partial(_exponentials, wave)))
    elif isinstance(modes.bases[0], SplineBasis) and len(modes.bases) == 1:
        return _spline(modes.bases[0], coefficients, modes.basis_axes[0])
    for k, (axis, basis) in enumerate(zip(modes.basis_axes, modes.bases, strict=True)):
        if isinstance(basis, LegendreBasis):
            along = n_waves + k
            slopes = np.moveaxis(coefficients, along, 0)
            slopes = np.asarray(legendre.legder(slopes, basis.nu)) if basis.nu else slopes
            coefficients = np.moveaxis(slopes, 0, along)
            factors.append((axis, partial(_legendre, np.arange(len(slopes)))))
        else:
            factors.append((axis, basis.values))
    coefficients = np.ascontiguousarray(coefficients)

    def few(x: NDArray[np.float64]) -> NDArray[np.float64]:
        values = [factor(x[:, axis]) for axis, factor in factors]
        return _contracted(values, coefficients).real

    return few


def _spline(basis: SplineBasis, coefficients: NDArray, axis: int) -> Term | None:
    if basis.nu > basis.degree:
        return None
    spline = BSpline(basis.knots, coefficients, basis.degree, extrapolate=True)
    return lambda x: np.asarray(spline(x[:, axis], nu=basis.nu))


def _exponentials(wave: NDArray[np.complex128], x: NDArray[np.float64]) -> NDArray:
    return np.exp(x[:, None] * wave)


def _legendre(degrees: NDArray[np.intp], x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(eval_legendre(degrees, x[:, None]))


def _sum_of_polynomials(modes: PolynomialModes) -> Term:
    """Each term as a product of no more factors than differ from 1."""
    degrees, coefficients = modes.degrees, modes.coefficients
    d = degrees.shape[1]
    nu = modes.nu or (0,) * d
    every = np.arange(int(degrees.max(initial=0)) + 1)
    slopes = {j: _slopes(len(every), order) for j, order in enumerate(nu) if order}
    matters = (degrees > 0) | (np.array(nu) > 0)
    most = int(matters.sum(axis=1).max(initial=0))
    at = np.full((len(degrees), most), d * len(every), dtype=np.intp)  # the 1 after all values
    for term, row in enumerate(degrees):
        features = np.flatnonzero(matters[term])
        at[term, : len(features)] = features * len(every) + row[features]

    def few(x: NDArray[np.float64]) -> NDArray[np.float64]:
        values = np.ones((len(x), d * len(every) + 1))
        of_features = np.asarray(eval_legendre(every, x[:, :, None]))
        for j, matrix in slopes.items():
            of_features[:, j] = of_features[:, j] @ matrix
        values[:, :-1] = of_features.reshape(len(x), -1)
        return values[:, at].prod(axis=2) @ coefficients

    return few


def _quotient(modes: QuotientModes) -> Term:
    orders = orders_up_to(modes.nu or (0,) * modes.degrees.shape[1])
    parts = [
        {order: _sum_of_polynomials(part.derivative(order)) for order in orders}
        for part in (modes.numerator, modes.denominator)
    ]

    def few(x: NDArray[np.float64]) -> NDArray[np.float64]:
        numerator, denominator = ({o: term(x) for o, term in part.items()} for part in parts)
        return derivative_of_quotient(numerator, denominator)

    return few


def _slopes(n: int, order: int) -> NDArray[np.float64]:
    """What takes values of n Legendre polynomials into those of their derivatives."""
    matrix = np.zeros((n, n))
    derived = legendre.legder(np.eye(n), order)
    matrix[: len(derived)] = derived
    return matrix
