"""Stages of data in chunks: every stage is one pass that sums over the points.

Where the function is periodic, the sums are the Toeplitz kernel and the right-hand side; elsewhere
the triangle of a QR factorisation, merged chunk by chunk. All else is small, and done by the
caller's own process. Held-out points are few among so many, and never join the fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._cascade import StageFit
from skmsnn._chunks import Chunk, ChunkedData
from skmsnn._diagnosis import looks_like_noise, reason_of_limit
from skmsnn._domain import Domain
from skmsnn._reasons import StopReason
from skmsnn._rounding import relative_rounding
from skmsnn._spectrum.candidates import candidates, periodic_orders
from skmsnn._spectrum.extension import DenseFit, Frame, Modes, blocks_of_rows, damping_triangle
from skmsnn._spectrum.lattice import LatticeModes, lattice_angles
from skmsnn._spectrum.leave_out import weighted_rms
from skmsnn._spectrum.nufft import waves_from_points
from skmsnn._spectrum.selection import (
    GOOD_ENOUGH,
    HeldOut,
    Split,
    Trial,
    select_modes,
)
from skmsnn._spectrum.toeplitz import ToeplitzSystem, central_box
from skmsnn._spectrum.tsqr import take_in
from skmsnn._stage import Stage

# Points that are held out, at most, and points that tell which modes a dense fit needs.
MOST_HELD_OUT, _MOST_TRIED = 5000, 2**15
# Bytes of the Toeplitz kernel: each worker holds it, and its transform needs eight times as much.
_KERNEL_BYTES = 2**25
# Held-out residual that tells that a box of modes which serves a sample serves all points.
_RESOLVED = 1e-12
_POINTS_A_BLOCK = 2**18
# Share of the weight that the fitted points should have, and below which there is nothing to fit.
_LEAST_SHARE_OF_WEIGHT = 0.1
# No larger box of modes is tried after two in turn that do this much worse than the best.
_WORSE, _PATIENCE = 3.0, 2
# Sizes that span this factor and leave the same, to within that one, are a plateau, as of noise.
_PLATEAU_SPAN, _PLATEAU_WIDTH = 2.0, 1.5


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
    def y_offset(self) -> NDArray[np.float64]:
        """Mean of each output."""
        return self.largest * self.mean

    @property
    def y_scale(self) -> NDArray[np.float64]:
        """Root mean square of each output's deviations from its mean, 1 where it is zero."""
        spread = np.sqrt(self.square / self.weight)
        largest = np.where(self.largest > 0, self.largest, 1.0)
        return largest * np.where(spread > 4 * np.finfo(float).eps, spread, 1.0)


def _smallest_keys(chunk: Chunk) -> Chunk:
    order = np.argsort(chunk.key, kind="stable")[: MOST_HELD_OUT + _MOST_TRIED]
    return Chunk(*(a[order] for a in chunk))


@dataclass(frozen=True)
class View:
    """How a pass sees the data: scaled, less what the stages so far give, without held-out rows.

    Those are the rows whose key is below ``least_key``.
    """

    domain: Domain
    y_offset: NDArray[np.float64]
    y_scale: NDArray[np.float64]
    least_key: float
    stages: tuple[Stage, ...] = ()

    def blocks(self, chunk: Chunk) -> Iterator[tuple[NDArray, NDArray, NDArray]]:
        """Scaled points, weights, and residuals (n, n_outputs), in blocks of rows."""
        rows = np.flatnonzero(chunk.key >= self.least_key)
        for start in range(0, len(rows), _POINTS_A_BLOCK):
            block = rows[start : start + _POINTS_A_BLOCK]
            x = self.domain.scale(chunk.X[block])
            yield x, chunk.weight[block], self.residual(x, chunk.y[block])

    def residual(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
        rest = (y - self.y_offset) / self.y_scale
        for stage in self.stages:
            rest = rest - stage.predict(x)
        return rest


class Sums(Protocol):
    """What a pass finds: the weighted sum of squares of the residuals, and the problem to solve."""

    weight: float
    square: NDArray[np.float64]


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
        rhs = np.stack([waves_from_points(angles, weight * column, orders) for column in rest.T])
        kernel = waves_from_points(angles, weight, doubled) if with_kernel else None
        found = found.merge(WaveSums(float(weight.sum()), weight @ rest**2, rhs, kernel))
    return found


def triangle_of(chunk: Chunk, view: View, frame: Frame, largest_weight: float) -> Triangle:
    """The triangle of a stage over one chunk."""
    n_columns = frame.n_columns + chunk.y.shape[1]
    found = Triangle(0.0, np.zeros(chunk.y.shape[1]), np.zeros((n_columns, n_columns)))
    for x, weight, rest in view.blocks(chunk):
        r = found.r
        for rows in blocks_of_rows(np.arange(len(x)), n_columns):
            root = np.sqrt(weight[rows] / largest_weight)
            r, _ = take_in(r, frame.system(x[rows], root, rest[rows]))
        square = found.square + weight @ rest**2
        found = Triangle(found.weight + float(weight.sum()), square, r)
    return found


class Solution(NamedTuple):
    """Modes for one residual, and the set that they are of."""

    modes: Modes
    label: str
    on_plateau: bool


def _trial(domain: Domain, tried: HeldOut, judges: HeldOut, rng: np.random.RandomState) -> Trial:
    """The set of modes that serves a sample best."""
    split = Split(tried.x, tried.target, tried.weight / tried.weight.max(), judges)
    trial = select_modes(candidates(domain, None, tried.x, len(tried.x)), split, rng)
    assert trial is not None
    return trial


class PeriodicProblem:
    """Boxes of lattice modes: one that serves a sample, or else the first pass serves all sizes."""

    def __init__(
        self,
        domain: Domain,
        n_points: int,
        tried: HeldOut,
        judges: HeldOut,
        rng: np.random.RandomState,
    ) -> None:
        d = judges.x.shape[1]
        self._judges, self._lengths = judges, np.full(d, 2.0)
        trial = _trial(domain, tried, judges, rng)
        if trial.error <= _RESOLVED:
            assert isinstance(trial.modes, LatticeModes)
            self._ladder = [max(trial.modes.orders)]
        else:
            most = int((_KERNEL_BYTES / 16) ** (1 / d) - 1) // 4
            self._ladder = sorted({min(order, most) for order in periodic_orders(n_points, d)})
        self._order: int | None = None
        self._system: ToeplitzSystem
        self._on_plateau = False

    def gather(self, data: ChunkedData, view: View) -> WaveSums:
        is_first = self._order is None
        order = self._ladder[-1] if self._order is None else self._order
        return data.gather(sum_waves_of, view, (order,) * len(self._lengths), is_first)

    def solve(self, sums: WaveSums, rest: NDArray[np.float64]) -> Solution:
        if self._order is None:
            return self._select(sums, rest)
        return self._solution(self._modes(self._system, sums.rhs / sums.weight))

    def _select(self, sums: WaveSums, rest: NDArray[np.float64]) -> Solution:
        """The box whose fit predicts the held-out points best."""
        assert sums.kernel is not None
        errors: dict[int, float] = {}
        best, worse = np.inf, 0
        for order in self._ladder:
            orders = (order,) * len(self._lengths)
            system = ToeplitzSystem(sums.kernel / sums.weight, orders)
            rhs = np.stack([central_box(r, orders) for r in sums.rhs / sums.weight])
            trial = self._modes(system, rhs)
            left = rest - trial.evaluate(self._judges.x)
            errors[order] = error = weighted_rms(left, self._judges.weight)
            if error < best:
                self._order, self._system, modes = order, system, trial
            worse = worse + 1 if error > _WORSE * best else 0
            best = min(best, error)
            if best <= GOOD_ENOUGH or worse >= _PATIENCE:
                break
        d = len(self._lengths)
        alike = [(2 * m + 1) ** d for m, e in errors.items() if e <= _PLATEAU_WIDTH * best]
        self._on_plateau = max(alike) >= _PLATEAU_SPAN * min(alike)
        return self._solution(modes)

    def _modes(self, system: ToeplitzSystem, rhs: NDArray[np.complex128]) -> LatticeModes:
        return LatticeModes(np.stack([system.solve(r) for r in rhs], axis=-1), self._lengths)

    def _solution(self, modes: LatticeModes) -> Solution:
        label = f"wave numbers up to {self._order}, periodic"
        return Solution(modes, label, self._on_plateau)


class DenseProblem:
    """Modes of a wider box, chosen on a sample of the points and fitted to all of them."""

    def __init__(
        self,
        domain: Domain,
        n_points: int,
        tried: HeldOut,
        judges: HeldOut,
        rng: np.random.RandomState,
        largest_weight: float,
    ) -> None:
        trial = _trial(domain, tried, judges, rng)
        assert isinstance(trial.fit, DenseFit)
        self._frame, damping = trial.fit.frame, trial.fit.damping
        self._label, self._on_plateau = trial.candidate.label, trial.on_plateau
        self._largest_weight = largest_weight
        self._damping = damping_triangle(self._frame.n_columns, n_points, damping)

    def gather(self, data: ChunkedData, view: View) -> Triangle:
        return data.gather(triangle_of, view, self._frame, self._largest_weight)

    def solve(self, triangle: Triangle, rest: NDArray[np.float64]) -> Solution:
        n_outputs = len(triangle.square)
        r, _ = take_in(triangle.r, np.pad(self._damping, ((0, 0), (0, n_outputs))))
        k = self._frame.n_columns
        c = sla.solve_triangular(r[:k, :k], r[:k, k:])
        return Solution(self._frame.modes(c), self._label, self._on_plateau)


class ChunkedCascade:
    """Stages of chunked data, one after the other.

    Parameters
    ----------
    data : ChunkedData
        The data.
    summary : Summary
        What the first pass found.
    domain : Domain
        Scaling and periods.
    fraction : float
        Share of the points to hold out; 0 for none.
    validation : HeldOut or None
        Scaled points to hold out in place of a share, their targets in units of ``y_scale``.
    rng : RandomState
        Draws the rows on which sets of modes are tried.
    """

    def __init__(
        self,
        data: ChunkedData,
        summary: Summary,
        domain: Domain,
        fraction: float,
        validation: HeldOut | None,
        rng: np.random.RandomState,
    ) -> None:
        self._data = data
        sample = summary.sample
        values = (sample.y - summary.y_offset) / summary.y_scale
        points = HeldOut(domain.scale(sample.X), values, sample.weight)
        self._rounding = relative_rounding(sample.y, summary.y_scale)
        n_held = min(MOST_HELD_OUT, round(fraction * summary.n_points), len(sample.key) - 1)
        n_held = 0 if validation is not None else n_held
        tried = HeldOut(*(a[n_held:] for a in points))
        self.has_held_out = n_held > 0 or validation is not None
        # where none is held out the sample is judged by itself
        own = HeldOut(*(a[:n_held] for a in points)) if n_held else tried
        self._judges = own if validation is None else validation
        least_key = float(sample.key[n_held]) if n_held else 0.0
        self._view = View(domain, summary.y_offset, summary.y_scale, least_key)
        n_points = summary.n_points - n_held
        fitted = 1 - float(own.weight.sum()) / summary.weight if n_held else 1.0
        if fitted < _LEAST_SHARE_OF_WEIGHT * n_points / summary.n_points:
            raise ValueError(
                f"The {n_held} points held out have all but {fitted:.1e} of sample_weight, and in "
                "fits of dask arrays they do not join the fit; give weights that differ less, "
                "points to hold out as X_val, or early_stopping=False."
            )
        self._problem: PeriodicProblem | DenseProblem
        if domain.periodic.all() and data.n_features <= 3:
            self._problem = PeriodicProblem(domain, n_points, tried, self._judges, rng)
        else:
            largest = summary.largest_weight
            self._problem = DenseProblem(domain, n_points, tried, self._judges, rng, largest)
        self._sums: WaveSums | Triangle = self._problem.gather(data, self._view)

    @property
    def norm(self) -> float:
        """Root mean square of the residual that the last pass met, in units of ``y_scale``."""
        return float(np.sqrt(np.mean(self._sums.square / self._sums.weight)))

    @property
    def error(self) -> float:
        """The same at the judging points."""
        return weighted_rms(self._rest(), self._judges.weight)

    def _rest(self) -> NDArray[np.float64]:
        judges = self._judges
        view = self._view
        return view.residual(judges.x, view.y_offset + judges.target * view.y_scale)

    def fit_stage(self) -> StageFit:
        """Fit one stage to what is left, from the sums of the last pass."""
        rms = np.sqrt(self._sums.square / self._sums.weight)
        solution = self._problem.solve(self._sums, self._rest())  # type: ignore[arg-type]
        stage = Stage(np.ones_like(rms), modes=solution.modes)
        rest = self._rest() - stage.predict(self._judges.x)
        return StageFit(
            stage,
            stage,
            weighted_rms(rest, self._judges.weight),
            [1.0],
            f"least squares over {solution.label}",
            is_noise=solution.on_plateau and looks_like_noise(self._judges.x, rest),
        )

    def reason_of_limit(self, error: float, is_noise: bool = False) -> StopReason:
        """Why more stages are of no use, from what the judging points show."""
        x, target, _ = self._judges
        problem = (self._view.domain, None, x, target)
        return reason_of_limit(*problem, error, is_noise, rounding=self._rounding)

    def keep(self, fit: StageFit) -> None:
        """Make a stage part of the model, and pass over the data to see what it leaves."""
        self._view = replace(self._view, stages=(*self._view.stages, fit.stage))
        self._sums = self._problem.gather(self._data, self._view)
