"""What a pass over chunks of data sums up, and how sums of two chunks are merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH, FAR
from skmsnn._memory import blocks_of
from skmsnn.domain import Domain
from skmsnn.functions.lattice import lattice_angles
from skmsnn.linalg.nufft import nufft_type1
from skmsnn.linalg.tsqr import blocks_of_rows, take_in
from skmsnn.sources.chunks import Chunk
from skmsnn.spaces.frames import AnyFrame
from skmsnn.stage import Stage
from skmsnn.validation.scaling import Scaling


@dataclass(frozen=True)
class Summary:
    """What must be known of the data before they can be scaled.

    ``mean`` is the weighted mean of ``y / largest``, and ``square`` the weighted sum of its squared
    deviations from that; ``sample`` holds the rows of the smallest keys.
    """

    n_points: int
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    largest: NDArray[np.float64]
    mean: NDArray[np.float64]
    square: NDArray[np.float64]
    weight: float
    largest_weight: float
    sample: Chunk

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        largest = np.abs(chunk.y).max(axis=0, initial=0.0)
        relative = chunk.y / np.where(largest > 0, largest, 1.0)
        weight = float(chunk.weight.sum())
        mean = np.sum(chunk.weight[:, None] * relative, axis=0) / (weight or 1.0)
        return cls(
            len(chunk.X),
            chunk.X.min(axis=0, initial=np.inf),
            chunk.X.max(axis=0, initial=-np.inf),
            largest,
            mean,
            np.sum(chunk.weight[:, None] * (relative - mean) ** 2, axis=0),
            weight,
            float(chunk.weight.max(initial=0.0)),
            _smallest_keys(chunk),
        )

    def merge(self, other: Self) -> Self:
        largest = np.maximum(self.largest, other.largest)
        safe = np.where(largest > 0, largest, 1.0)
        one, two = (part.mean * (part.largest / safe) for part in (self, other))
        weight = self.weight + other.weight
        mean = one + (two - one) * (other.weight / (weight or 1.0))
        # Chan, Golub & LeVeque (1983), equation 2.1
        square = sum(part.square * (part.largest / safe) ** 2 for part in (self, other))
        square += (two - one) ** 2 * (self.weight * other.weight / (weight or 1.0))
        pairs = zip(self.sample, other.sample, strict=True)
        return replace(
            self,
            n_points=self.n_points + other.n_points,
            low=np.minimum(self.low, other.low),
            high=np.maximum(self.high, other.high),
            largest=largest,
            mean=mean,
            square=np.asarray(square),
            weight=weight,
            largest_weight=max(self.largest_weight, other.largest_weight),
            sample=_smallest_keys(Chunk(*(np.concatenate(pair) for pair in pairs))),
        )

    @property
    def scaling(self) -> Scaling:
        """Units of y."""
        largest = np.where(self.largest > 0, self.largest, 1.0)
        return Scaling.of_relative(largest, self.mean, np.sqrt(self.square / self.weight))


def _smallest_keys(chunk: Chunk) -> Chunk:
    """Rows to hold out, and some times as many that tell which modes a dense fit needs."""
    order = np.argsort(chunk.key, kind="stable")[: ENOUGH + int(FAR * ENOUGH)]
    return Chunk(*(a[order] for a in chunk))


@dataclass(frozen=True)
class View:
    """How a pass sees the data: scaled, less what the stages so far give, without held-out rows.

    Those are the rows whose key is below ``least_key``.
    """

    domain: Domain
    scaling: Scaling
    least_key: float
    stages: tuple[Stage, ...] = ()

    def blocks(self, chunk: Chunk) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
        """Scaled points, weights, and residuals (n, n_outputs), in blocks of rows."""
        rows = np.flatnonzero(chunk.key >= self.least_key)
        # points and values are copied some times as they are scaled and stages are taken away
        for part in blocks_of(len(rows), 32 * (chunk.X.shape[1] + chunk.y.shape[1])):
            block = rows[part]
            x = self.domain.scale(chunk.X[block])
            yield x, chunk.weight[block], self.residual(x, self.scaling.target(chunk.y[block]))

    def residual(self, x: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the stages leave of deviations of y from its mean, in units of its spread."""
        rest = target
        for stage in self.stages:
            rest = stage.residual(rest, x)
        return rest


@dataclass(frozen=True)
class WaveSums:
    """Of a periodic stage: the Toeplitz kernel and the right-hand sides.

    ``rhs`` has shape (n_outputs, 2 M_1 + 1, ...); ``kernel`` twice the wave numbers, and is None
    once it is known.
    """

    weight: float
    square: NDArray[np.float64]
    rhs: NDArray[np.complex128]
    kernel: NDArray[np.complex128] | None

    def merge(self, other: Self) -> Self:
        kernel = None
        if self.kernel is not None and other.kernel is not None:
            kernel = self.kernel + other.kernel
        return replace(
            self,
            weight=self.weight + other.weight,
            square=self.square + other.square,
            rhs=self.rhs + other.rhs,
            kernel=kernel,
        )


@dataclass(frozen=True)
class Triangle:
    """Of any other stage: R of the weighted system beside the residuals."""

    weight: float
    square: NDArray[np.float64]
    r: NDArray[np.float64]

    def merge(self, other: Self) -> Self:
        return replace(
            self,
            weight=self.weight + other.weight,
            square=self.square + other.square,
            r=take_in(self.r, np.array(other.r, order="F"))[0],
        )


def sum_waves_of(chunk: Chunk, view: View, orders: tuple[int, ...], with_kernel: bool) -> WaveSums:
    """The sums of a periodic stage over one chunk."""
    lengths, n_outputs = np.full(len(orders), 2.0), chunk.y.shape[1]
    doubled = tuple(2 * m for m in orders)
    found = WaveSums(
        0.0,
        np.zeros(n_outputs),
        np.zeros((n_outputs, *(2 * m + 1 for m in orders)), dtype=complex),
        np.zeros(tuple(2 * m + 1 for m in doubled), dtype=complex) if with_kernel else None,
    )
    for x, weight, rest in view.blocks(chunk):
        angles = lattice_angles(x, lengths)
        rhs = np.stack([nufft_type1(angles, weight * column, orders) for column in rest.T])
        kernel = nufft_type1(angles, weight, doubled) if with_kernel else None
        found = found.merge(WaveSums(float(weight.sum()), weight @ rest**2, rhs, kernel))
    return found


def triangle_of(chunk: Chunk, view: View, frame: AnyFrame, largest_weight: float) -> Triangle:
    """The triangle of a stage over one chunk."""
    n_columns = frame.n_columns + chunk.y.shape[1]
    found = Triangle(0.0, np.zeros(chunk.y.shape[1]), np.zeros((n_columns, n_columns)))
    for x, weight, rest in view.blocks(chunk):
        r = found.r
        for rows in blocks_of_rows(len(x), n_columns):
            root = np.sqrt(weight[rows] / largest_weight)
            r, _ = take_in(r, frame.system(x[rows], root, rest[rows]))
        square = found.square + weight @ rest**2
        found = Triangle(found.weight + float(weight.sum()), square, r)
    return found
