"""Fourier modes: on a lattice of wave numbers, or a list of wave vectors."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._memory import blocks_of
from skmsnn.functions.along_axis import ends_of, sum_of_products, waves
from skmsnn.functions.base import LinearExpansion, Term
from skmsnn.functions.few_points import few_or_many, few_products
from skmsnn.linalg.nufft import MOST_DIMENSIONS, nufft_type2, takes_longer_than_sums


@dataclass(frozen=True)
class FourierSum(LinearExpansion):
    """The real function ``Re sum_k c_k exp(i w_k . x)``, one of each pair of wave vectors +-w.

    In the paper's words each term is ``a cos(w . x + b)`` with ``a = |c|`` and ``b = arg c``.

    Attributes
    ----------
    wave_vectors : ndarray of shape (n_modes, n_features)
        In radians per unit of the scaled coordinates.
    coefficients : ndarray of shape (n_modes, n_outputs), complex
        Amplitude and phase of every mode in every output.
    """

    wave_vectors: NDArray[np.float64]
    coefficients: NDArray[np.complex128]

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return self.wave_vectors.shape[1]

    @property
    def n_terms(self) -> int:
        """Real unknowns."""
        return len(self.wave_vectors) + self.n_modes

    @property
    def n_modes(self) -> int:
        """Waves, without the constant."""
        return int(self.wave_vectors.any(axis=1).sum())

    @property
    def amplitudes(self) -> NDArray[np.float64]:
        """Amplitude of each mode, root mean square over the outputs; shape (n_modes,)."""
        return np.sqrt(np.mean(np.abs(self.coefficients) ** 2, axis=1))

    @property
    def phases(self) -> NDArray[np.float64]:
        """Phase of each mode in radians, in the output where it is strongest; shape (n_modes,)."""
        strongest = np.argmax(np.abs(self.coefficients), axis=1)
        return np.angle(self.coefficients[np.arange(len(strongest)), strongest])

    def dominant(self, n_modes: int) -> FourierSum:
        """The modes of largest amplitude, largest first, ties in the order given."""
        order = np.argsort(-self.amplitudes, kind="stable")[:n_modes]
        return FourierSum(self.wave_vectors[order], self.coefficients[order])

    def with_unit_amplitudes(self) -> FourierSum:
        """The same modes and phases, all of amplitude 1."""
        return FourierSum(self.wave_vectors, np.exp(1j * self.phases)[:, None])

    def derivative(self, nu: Sequence[int]) -> FourierSum:
        """The derivative of order nu_j along each axis j, again a sum of modes."""
        factor = np.prod((1j * self.wave_vectors) ** np.asarray(nu), axis=1)
        return FourierSum(self.wave_vectors, self.coefficients * factor[:, None])

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Direct sum at points of shape (n, n_features), in blocks; shape (n, n_outputs)."""
        n_modes, n_outputs = self.coefficients.shape
        out = np.empty((len(x), n_outputs))
        for block in blocks_of(len(x), 16 * n_modes):
            phase = x[block] @ self.wave_vectors.T
            out[block] = np.cos(phase) @ self.coefficients.real
            out[block] -= np.sin(phase) @ self.coefficients.imag
        return out

    @property
    def kind(self) -> Hashable:
        """The same for all: of different wave vectors the sum has both."""
        return ()

    def plus(self, other: Self) -> Self:
        if np.array_equal(self.wave_vectors, other.wave_vectors):
            return super().plus(other)
        waves = np.concatenate([self.wave_vectors, other.wave_vectors])
        coefficients = np.concatenate([self.coefficients, other.coefficients])
        return replace(self, wave_vectors=waves, coefficients=coefficients)

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        columns = np.ones((len(upper), len(self.wave_vectors)), dtype=complex)
        for j, w in enumerate(self.wave_vectors.T):
            columns *= waves(w, ends_of(lower, upper, j), j in axes)
        return (columns @ self.coefficients).real


@dataclass(frozen=True)
class TensorFourierSeries(LinearExpansion):
    """The real function ``Re sum_k C[k] exp(i w_k . x)`` over a box of integers k.

    Wave vectors are ``w_k = 2 pi k / lengths``, in radians per unit of the scaled coordinates.

    Attributes
    ----------
    coefficients : ndarray of shape (2 M_1 + 1, ..., 2 M_d + 1, n_outputs), complex
        From wave number -M_j to M_j along axis j; C[-k] is the conjugate of C[k].
    lengths : ndarray of shape (n_features,)
        Sides of the box on which the modes are periodic, in scaled coordinates.
    """

    coefficients: NDArray[np.complex128]
    lengths: NDArray[np.float64]

    has_closed_integral = True

    @property
    def n_features(self) -> int:
        """Number of scaled coordinates."""
        return len(self.lengths)

    @property
    def n_terms(self) -> int:
        """Real unknowns: as many as there are coefficients."""
        return int(self.coefficients[..., 0].size)

    @property
    def n_modes(self) -> int:
        """One of each pair of wave vectors, and the constant."""
        return (self.n_terms + 1) // 2

    @property
    def orders(self) -> tuple[int, ...]:
        """Largest wave number M_j along each axis."""
        return tuple((n - 1) // 2 for n in self.coefficients.shape[:-1])

    def derivative(self, nu: Sequence[int]) -> TensorFourierSeries:
        """The derivative of order nu_j along each axis j, again a sum of modes."""
        coefficients = self.coefficients
        for j, (m, length, order) in enumerate(zip(self.orders, self.lengths, nu, strict=True)):
            factor = (2j * np.pi / length * np.arange(-m, m + 1)) ** order
            shape = [1] * coefficients.ndim
            shape[j] = len(factor)
            coefficients = coefficients * factor.reshape(shape)
        return TensorFourierSeries(coefficients, self.lengths)

    def evaluate(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values at points of shape (n, n_features); shape (n, n_outputs).

        By a non-uniform FFT (type 2) in up to three dimensions, and by direct sums beyond and
        where the waves are so few that these take less time.
        """
        stack = np.moveaxis(self.coefficients, -1, 0)
        is_direct = len(self.lengths) > MOST_DIMENSIONS
        if is_direct or takes_longer_than_sums(len(x), stack.shape):
            return self.to_modes().evaluate(x)
        stack = np.ascontiguousarray(stack)
        out = np.empty((len(x), len(stack)))
        for block in blocks_of(len(x), 16 * (len(self.lengths) + len(stack))):
            angles = lattice_angles(x[block], self.lengths)
            out[block] = nufft_type2(angles, stack).real.T
        return out

    @property
    def kind(self) -> Hashable:
        """The box; of different orders the sum has the larger."""
        return self.lengths.tobytes()

    def plus(self, other: Self) -> Self:
        orders = np.maximum(self.orders, other.orders)
        n_outputs = self.coefficients.shape[-1]
        total = np.zeros((*(2 * orders + 1), n_outputs), dtype=complex)
        for modes in (self, other):
            low = orders - modes.orders
            box = tuple(slice(a, n - a) for a, n in zip(low, total.shape[:-1], strict=True))
            total[box] += modes.coefficients
        return replace(self, coefficients=total)

    def prepared(self) -> Term:
        axes = range(len(self.lengths))
        few = few_products(self.coefficients, self.lengths, axes, (), ())
        return few_or_many(few, self.evaluate, self.coefficients.size)

    def closed_integral(
        self, lower: NDArray[np.float64], upper: NDArray[np.float64], axes: frozenset[int]
    ) -> NDArray[np.float64]:
        factors = self.factors_between(range(lower.shape[1]), lower, upper, axes)
        return sum_of_products(factors, self.coefficients).real

    def factors_between(
        self,
        features: Sequence[int],
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        axes: frozenset[int],
    ) -> list[NDArray[np.complex128]]:
        """Waves along each of these features at the upper ends, or their integrals."""
        return [
            waves(2 * np.pi / length * np.arange(-m, m + 1), ends_of(lower, upper, j), j in axes)
            for j, m, length in zip(features, self.orders, self.lengths, strict=True)
        ]

    def to_modes(self) -> FourierSum:
        """The same function as a list of modes, the constant and those that are not zero."""
        numbers = half_lattice(self.orders)
        centre = np.array(self.orders)
        coefficients = 2 * self.coefficients[tuple((numbers + centre).T)]
        coefficients[~numbers.any(axis=1)] /= 2
        kept = np.any(coefficients != 0, axis=1) | ~numbers.any(axis=1)
        return FourierSum(2 * np.pi * numbers[kept] / self.lengths, coefficients[kept])


def lattice_angles(
    x: NDArray[np.float64], lengths: NDArray[np.float64]
) -> list[NDArray[np.float64]]:
    """Coordinates as angles in [-pi, pi] on a periodic box; one array an axis."""
    turns = x / lengths
    turns -= np.rint(turns)
    return [np.ascontiguousarray(column) for column in (2 * np.pi * turns).T]


def half_lattice(orders: Sequence[int]) -> NDArray[np.int64]:
    """Integer vectors k with |k_j| <= orders[j], one of each pair +-k, zero first.

    Returns
    -------
    ndarray of shape (n_modes, d)
        Of each pair, the one whose first non-zero entry is positive.
    """
    axes = [np.arange(-order, order + 1) for order in orders]
    numbers = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(orders))
    # the box is symmetric and in lexicographic order: zero stands in the middle
    return numbers[len(numbers) // 2 :]


def total_degree_lattice(d: int, degree: int, most: int) -> NDArray[np.int64] | None:
    """Half lattice of sum |k_j| <= degree, or None where it has more than ``most`` terms."""
    numbers = np.zeros((1, 0), dtype=np.int64)
    for _ in range(d):
        steps = np.arange(-degree, degree + 1)
        grown = np.repeat(numbers, len(steps), axis=0)
        grown = np.column_stack([grown, np.tile(steps, len(numbers))])
        numbers = grown[np.abs(grown).sum(axis=1) <= degree]
        if len(numbers) > most:
            return None
    return numbers[len(numbers) // 2 :]
