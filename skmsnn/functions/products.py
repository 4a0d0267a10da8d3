"""Functions that are waves along some features and polynomials or splines along the others."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.functions.along_axis import ends_of, sum_of_products
from skmsnn.functions.base import LinearExpansion, Term
from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.few_points import few_or_many, few_products
from skmsnn.functions.lattice import TensorFourierSeries


@dataclass(frozen=True)
class TensorProductSeries(LinearExpansion):
    """A sum of products of one function a feature: lattice waves, polynomials or splines.

    Attributes
    ----------
    coefficients : ndarray of shape (2 M_1 + 1, ..., size_1, ..., n_outputs)
        First the wave numbers -M_j to M_j along each of ``wave_axes``, as in
        ``TensorFourierSeries``, then the functions of each basis; complex, and real where there
        are no waves.
    lengths : ndarray of shape (number of wave axes,)
        Sides of the box on which the waves are periodic, in scaled coordinates.
    wave_axes, basis_axes : tuple of int
        Which features they are of.
    bases : tuple of LegendreBasis, LegendreWavesBasis or SplineBasis
        One for each of ``basis_axes``.
    """

    coefficients: NDArray
    lengths: NDArray[np.float64]
    wave_axes: tuple[int, ...]
    bases: tuple[LegendreBasis | LegendreWavesBasis | SplineBasis, ...]
    basis_axes: tuple[int, ...]

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return len(self.wave_axes) + len(self.basis_axes)

    @property
    def n_terms(self) -> int:
        """Real unknowns: as many as there are coefficients."""
        return int(self.coefficients[..., 0].size)

    @property
    def waves(self) -> TensorFourierSeries:
        """Of the wave axes alone, with one output a product of the others' functions."""
        n_waves = len(self.wave_axes)
        shape = self.coefficients.shape[:n_waves]
        return TensorFourierSeries(self.coefficients.reshape(*shape, -1), self.lengths)

    def derivative(self, nu: Sequence[int]) -> TensorProductSeries:
        """The derivative of order nu_j along each axis j, again a sum of products."""
        bases = tuple(
            basis.derivative(nu[j]) for basis, j in zip(self.bases, self.basis_axes, strict=True)
        )
        coefficients = self.coefficients
        if self.wave_axes:
            waves = self.waves.derivative([nu[j] for j in self.wave_axes])
            coefficients = waves.coefficients.reshape(coefficients.shape)
        return replace(self, coefficients=coefficients, bases=bases)

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs)."""
        inner = self.coefficients.shape[len(self.wave_axes) :]
        out = np.empty((len(x), inner[-1]))
        for block in blocks_of(len(x), 16 * int(np.prod(inner))):
            out[block] = self._values(x[block], inner)
        return out

    def _values(self, x: NDArray[np.float64], inner: tuple[int, ...]) -> NDArray[np.float64]:
        pairs = list(zip(self.bases, self.basis_axes, strict=True))
        if self.wave_axes:
            values = self.waves.evaluate(x[:, list(self.wave_axes)]).reshape(len(x), *inner)
        else:
            basis, axis = pairs.pop(0)
            values = basis.combine(x[:, axis], self.coefficients)
        for basis, axis in pairs:
            factor = basis.values(x[:, axis])
            values = np.einsum("np,np...->n...", factor, values)
        return values

    @property
    def kind(self) -> Hashable:
        """The waves and functions whose products they are."""
        bases = tuple((type(basis), basis.key) for basis in self.bases)
        shape = self.coefficients.shape
        return self.wave_axes, self.lengths.tobytes(), self.basis_axes, bases, shape

    def prepared(self) -> Term:
        few = few_products(
            self.coefficients, self.lengths, self.wave_axes, self.bases, self.basis_axes
        )
        return few_or_many(few, self.evaluate, self.coefficients.size)

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        factors: list[NDArray] = []
        if self.wave_axes:
            factors += self.waves.factors_between(self.wave_axes, lower, upper, axes)
        for basis, j in zip(self.bases, self.basis_axes, strict=True):
            factors.append(basis.between(ends_of(lower, upper, j), j in axes))
        return np.real(sum_of_products(factors, self.coefficients))
