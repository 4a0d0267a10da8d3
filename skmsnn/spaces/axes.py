"""Functions along one axis of a grid, with an orthonormal basis of them on its nodes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Protocol

import numpy as np
import scipy.fft as sfft
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from skmsnn._precision import ROUND_OFF, ROUNDING
from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.linalg.svd import svd
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.validation.leave_out import Folds, Influence, Projection, with_gaps


class AxisBasis(Projection, Protocol):
    """An orthonormal basis of functions on the nodes of one axis."""

    @property
    def label(self) -> str:
        """What the functions are, for messages."""

    @property
    def family(self) -> str:
        """The family that they are of."""

    @property
    def singular_values(self) -> NDArray[np.float64]:
        """Singular value of each basis function in the frame of modes, the largest 1."""

    @property
    def amplification(self) -> float:
        """Size between the nodes of what has size 1 on them, root mean square."""

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        """Apply U' along an axis."""

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        """Apply U along an axis."""

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        """Coefficients of the functions themselves along an axis.

        Of ``exp(2 pi i k x / length)``, k = -order..order, or of those of the axis' ``basis``.
        """


@dataclass(frozen=True)
class PeriodicAxis:
    """Cosines and sines up to ``order`` on a uniform periodic axis, by FFT."""

    n_nodes: int
    order: int
    length: float
    origin: float
    family: ClassVar[str] = "fourier"

    @property
    def label(self) -> str:
        return f"wave numbers up to {self.order}"

    @property
    def singular_values(self) -> NDArray[np.float64]:
        return np.ones(2 * self.order + 1)

    @property
    def amplification(self) -> float:
        return 1.0

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        spectrum = np.moveaxis(sfft.rfft(a, axis=axis, norm="ortho"), axis, 0)
        kept = spectrum[1 : self.order + 1] * np.sqrt(2)
        real = np.concatenate([spectrum[:1].real, kept.real, -kept.imag])
        return np.moveaxis(real, 0, axis)

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        half = self._half_spectrum(np.moveaxis(c, axis, 0))
        return sfft.irfft(np.moveaxis(half, 0, axis), n=self.n_nodes, axis=axis, norm="ortho")

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        real = np.moveaxis(c, axis, 0) / np.sqrt(self.n_nodes)
        m = self.order
        cosine, sine = real[1 : m + 1] / np.sqrt(2), real[m + 1 :] / np.sqrt(2)
        shift = np.exp(-2j * np.pi * np.arange(-m, m + 1) * self.origin / self.length)
        return _join_exponentials(real[:1], cosine, sine, axis, shift)

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        # the Dirichlet kernel, by the rest of the division, so that it is exactly periodic
        distance = np.subtract.outer(rows, rows) % self.n_nodes
        half = np.pi / self.n_nodes * np.arange(self.n_nodes)
        n_waves = 2 * self.order + 1
        kernel = np.full(self.n_nodes, n_waves / self.n_nodes)
        kernel[1:] = np.sin(n_waves * half[1:]) / (self.n_nodes * np.sin(half[1:]))
        return kernel[distance]

    def influence(self, points: NDArray[np.float64]) -> Influence:
        def influence(rows: NDArray[np.intp]) -> NDArray[np.float64]:
            nodes = self.origin + self.length / self.n_nodes * rows
            half = np.pi / self.length * np.subtract.outer(points, nodes)
            n_waves = 2 * self.order + 1
            with np.errstate(invalid="ignore"):
                kernel = np.sin(n_waves * half) / (self.n_nodes * np.sin(half))
            return np.where(np.sin(half) == 0, n_waves / self.n_nodes, kernel)

        return influence

    def _half_spectrum(self, real: NDArray) -> NDArray:
        m = self.order
        half = (real[1 : m + 1] - 1j * real[m + 1 :]) / np.sqrt(2)
        return np.concatenate([real[:1], half])


class _TruncatedAxis:
    """Functions on one axis that may depend on each other, truncated where they do.

    The singular value decomposition turns a frame into an orthonormal basis of what it can express
    on the nodes (Adcock, Huybrechs & Martin-Vaquero 2014, On the numerical stability of Fourier
    extensions).
    """

    family = "fourier"

    def __init__(self, nodes: NDArray[np.float64], cutoff: float) -> None:
        self._nodes, self.cutoff = nodes, cutoff
        self._svd = self._decomposed()
        self._truncate()

    def _frame(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        raise NotImplementedError

    def _decomposed(self) -> tuple[NDArray, ...]:
        return svd(self._frame(self._nodes))

    def _truncate(self) -> None:
        u, s, vt = self._svd
        rank = int(np.sum(s > self.cutoff * s[0]))
        self.singular_values = s[:rank] / s[0]
        self._u = np.ascontiguousarray(u[:, :rank])
        self._to_frame = vt[:rank].T / s[:rank]

    @cached_property
    def amplification(self) -> float:
        # over the interval, so that a wide gap counts for its width
        nodes = self._nodes
        gaps = np.diff(nodes)
        between = self._frame((nodes[1:] + nodes[:-1]) / 2) @ self._to_frame
        share = gaps / max(gaps.sum(), np.finfo(float).tiny)
        return max(1.0, float(np.sqrt(share @ np.sum(between**2, axis=1))))

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return self._u[rows] @ self._u[rows].T

    def influence(self, points: NDArray[np.float64]) -> Influence:
        between = self._frame(points) @ self._to_frame
        return lambda rows: between @ self._u[rows].T

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        return _apply(self._u.T, a, axis)

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        return _apply(self._u, c, axis)

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        return _apply(self._to_frame, c, axis)


class ExtensionAxis(_TruncatedAxis):
    """Fourier extension on one axis: cosines and sines of a box longer than the data."""

    def __init__(
        self,
        nodes: NDArray[np.float64],
        order: int,
        length: float,
        cutoff: float = ROUND_OFF,
    ) -> None:
        self.order, self.length = order, length
        super().__init__(nodes, cutoff)

    @property
    def label(self) -> str:
        return f"wave numbers up to {self.order} of a box {self.length / 2:g} times the data's"

    def _decomposed(self) -> tuple[NDArray, ...]:
        frame = self._frame(self._nodes)
        if np.allclose(self._nodes, -self._nodes[::-1], rtol=0, atol=2 * ROUNDING):
            return _svd_by_parity(frame[:, : self.order + 1], frame[:, self.order + 1 :])
        return svd(frame)

    def _frame(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        phase = 2 * np.pi / self.length * x[:, None] * np.arange(1, self.order + 1)
        return np.concatenate([np.ones((len(x), 1)), np.cos(phase), np.sin(phase)], axis=1)

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        m = self.order
        frame = np.moveaxis(super().to_functions(c, axis), axis, 0)
        return _join_exponentials(frame[:1], frame[1 : m + 1] / 2, frame[m + 1 :] / 2, axis)


class WavesAxis(_TruncatedAxis):
    """Polynomials and waves of any wave numbers on one axis."""

    def __init__(
        self, nodes: NDArray[np.float64], basis: LegendreWavesBasis, cutoff: float = ROUND_OFF
    ) -> None:
        self.basis = basis
        super().__init__(nodes, cutoff)

    @property
    def label(self) -> str:
        return self.basis.label

    def _frame(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.basis.values(x)


class BasisAxis:
    """Polynomials or splines along one axis, orthonormal on the nodes by a QR factorisation."""

    amplification = 1.0

    def __init__(self, nodes: NDArray[np.float64], basis: LegendreBasis | SplineBasis) -> None:
        self.basis = basis
        self.family = "spline" if isinstance(basis, SplineBasis) else "polynomial"
        with one_blas_thread:
            u, r = sla.qr(basis.values(nodes), mode="economic", check_finite=False)
        self._u, self._triangle = u, r
        self.singular_values = np.ones(basis.size)

    @property
    def label(self) -> str:
        return self.basis.label

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        return _apply(self._u.T, a, axis)

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        return _apply(self._u, c, axis)

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return self._u[rows] @ self._u[rows].T

    def influence(self, points: NDArray[np.float64]) -> Influence:
        values = self.basis.values(points).T
        between = sla.solve_triangular(self._triangle, values, trans="T", check_finite=False).T
        return lambda rows: np.asarray(between @ self._u[rows].T)

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        first = np.moveaxis(c, axis, 0)
        shape = first.shape
        solved = sla.solve_triangular(
            self._triangle, first.reshape(len(first), -1), check_finite=False
        )
        return np.moveaxis(solved.reshape(shape), 0, axis)


class SplineAxis:
    """The spline of a degree through the values on all nodes of an axis (not-a-knot).

    Every function on the nodes is one, so that nothing is left there, and what a spline does at a
    node without its value has to be asked of the spline through the others.
    """

    family = "spline"
    amplification = 1.0

    def __init__(self, nodes: NDArray[np.float64], degree: int) -> None:
        self._nodes, self._degree = nodes, degree
        knots = make_interp_spline(nodes, np.zeros(len(nodes)), degree).t
        self.basis = SplineBasis(np.asarray(knots), degree)
        self.singular_values = np.ones(len(nodes))

    @property
    def label(self) -> str:
        return self.basis.label

    def analyse(self, a: NDArray, axis: int) -> NDArray:
        return a

    def synthesise(self, c: NDArray, axis: int) -> NDArray:
        return c

    def block(self, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.eye(len(rows))

    def influence(self, points: NDArray[np.float64]) -> Influence:
        def influence(rows: NDArray[np.intp]) -> NDArray[np.float64]:
            values = np.eye(len(self._nodes))[:, rows]
            return np.asarray(make_interp_spline(self._nodes, values, self._degree)(points))

        return influence

    def left_out(self, columns: NDArray[np.float64], folds: Folds) -> NDArray[np.float64]:
        """What splines through the other rows of (n_nodes, n_columns) leave at those left out."""
        unseen = np.zeros_like(columns)
        middles = folds.gaps.middles
        through_all = make_interp_spline(self._nodes, columns, self._degree)(middles)
        changes = np.zeros((len(middles), columns.shape[1]))
        for rows in folds.folds:
            others = np.setdiff1d(np.arange(len(self._nodes)), rows)
            degree = min(self._degree, len(others) - 1)
            degree += degree % 2 - 1
            spline = make_interp_spline(self._nodes[others], columns[others], degree)
            unseen[rows] = columns[rows] - spline(self._nodes[rows])
            changes += (through_all - spline(middles)) ** 2
        return with_gaps(unseen[folds.proxy_line], changes, folds.gaps)

    def to_functions(self, c: NDArray, axis: int) -> NDArray:
        values = np.moveaxis(c, axis, 0)
        spline = make_interp_spline(self._nodes, values, self._degree, check_finite=False)
        return np.moveaxis(np.asarray(spline.c), 0, axis)


def _svd_by_parity(even: NDArray[np.float64], odd: NDArray[np.float64]) -> tuple[NDArray, ...]:
    """SVD of ``[even, odd]``, functions of that parity on symmetric nodes, from half the nodes."""
    n = len(even)
    right = slice(n // 2, n) if n % 2 == 0 else slice(n // 2 + 1, n)
    root = np.sqrt(2)
    half_even = np.concatenate([even[n // 2 : right.start], root * even[right]])
    ue, se, vte = svd(half_even)
    uo, so, vto = svd(root * odd[right])
    u = np.zeros((n, len(se) + len(so)))
    u[n // 2 : right.start, : len(se)] = ue[: n % 2]
    u[right] = np.concatenate([ue[n % 2 :], uo], axis=1) / root
    u[: n // 2] = u[right][::-1] * np.repeat([1.0, -1.0], [len(se), len(so)])
    s = np.concatenate([se, so])
    order = np.argsort(-s, kind="stable")
    return u[:, order], s[order], sla.block_diag(vte, vto)[order]


def _apply(matrix: NDArray, a: NDArray, axis: int) -> NDArray:
    return np.moveaxis(np.tensordot(matrix, a, axes=(1, axis)), 0, axis)


def _join_exponentials(
    mean: NDArray, cosine: NDArray, sine: NDArray, axis: int, shift: NDArray | None = None
) -> NDArray:
    """From half amplitudes of cosines and sines to coefficients of k = -m..m along an axis."""
    positive = cosine - 1j * sine
    negative = (cosine + 1j * sine)[::-1]
    joined = np.concatenate([negative, mean, positive])
    if shift is not None:
        joined = joined * shift.reshape(-1, *[1] * (joined.ndim - 1))
    return np.moveaxis(joined, 0, axis)
