"""The cases of the benchmarks: functions, points to fit, fresh points to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any

import numpy as np

from examples.benchmarks import functions
from skmsnn.datasets import simulate_decaying_turbulence

N_FRESH = 5000


@dataclass(frozen=True)
class TensorGrid:
    """A grid of equally spaced points, of which a random share ``keep`` is there, shuffled."""

    shape: tuple[int, ...]
    low: Any = -1.0
    high: Any = 1.0
    end_points: Any = True
    keep: float = 1.0

    def draw(self, rng, size=1.0):
        d = len(self.shape)
        shape = [max(4, round(n * size ** (1 / d))) for n in self.shape]
        sides = [np.broadcast_to(side, d) for side in (self.low, self.high, self.end_points)]
        axes = [np.linspace(a, b, n, endpoint=e) for n, a, b, e in zip(shape, *sides, strict=True)]
        X = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, d)
        if self.keep < 1:
            X = X[rng.permutation(len(X))[: round(self.keep * len(X))]]
        return X

    def fresh(self, rng, n=N_FRESH):
        return rng.uniform(self.low, self.high, (n, len(self.shape)))


@dataclass(frozen=True)
class Scattered:
    """Uniform random points of a box."""

    n: int
    d: int
    low: Any = -1.0
    high: Any = 1.0

    def draw(self, rng, size=1.0):
        return rng.uniform(self.low, self.high, (max(4, round(size * self.n)), self.d))

    def fresh(self, rng, n=N_FRESH):
        return rng.uniform(self.low, self.high, (n, self.d))


@dataclass(frozen=True)
class Disc:
    """Uniform random points of a disc."""

    n: int
    radius: float = 1.0

    def draw(self, rng, size=1.0):
        n = max(4, round(size * self.n))
        angle, r = rng.uniform(0, 2 * np.pi, n), self.radius * np.sqrt(rng.uniform(0, 1, n))
        return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)

    def fresh(self, rng, n=N_FRESH):
        return self.draw(rng, n / self.n)


@dataclass(frozen=True)
class Case:
    """A function, the points at which it is known, and what the user knows besides.

    ``noise`` is the standard deviation of what is added to the values that are fitted; fresh
    values never have any.
    """

    name: str
    group: str
    function: Callable[[np.ndarray], np.ndarray]
    points: TensorGrid | Scattered | Disc
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    noise: float = 0.0

    def data(self, seed=0, size=1.0):
        """Points and values to fit, fresh points and values to judge."""
        rng = np.random.default_rng(seed)
        X, X_fresh = self.points.draw(rng, size), self.points.fresh(rng)
        y = self.function(X) + self.noise * rng.standard_normal(len(X))
        return X, y, X_fresh, self.function(X_fresh)


@cache
def _snapshot(n_points):
    return simulate_decaying_turbulence(n_points)


@dataclass(frozen=True)
class Turbulence:
    """Stream function of the package's own snapshot, on n_points a side."""

    n_points: int

    def __call__(self, X):
        return _snapshot(self.n_points).at(X)

    def gradient(self, X):
        u, v = (_snapshot(self.n_points).at(X, f"velocity_{axis}") for axis in "xy")
        return np.stack([-v, u], axis=1)


def turbulence_grid(n_points, **options):
    return TensorGrid((n_points,) * 2, 0.0, 2 * np.pi, end_points=False, **options)


TURN = 2 * np.pi
PERIODIC = MappingProxyType({"period": TURN})
F = functions

_CASES = [
    Case("log-cosine", "1-D", F.log_cosine, TensorGrid((1501,))),
    Case("three scales", "1-D", F.three_scales, TensorGrid((1501,))),
    Case("Runge", "1-D", F.runge, TensorGrid((1000,))),
    Case("exp sine, scattered", "1-D", F.exponential_sine, Scattered(1500, 1)),
    Case("turbulence 128", "grid", Turbulence(128), turbulence_grid(128)),
    Case("turbulence 256", "grid", Turbulence(256), turbulence_grid(256)),
    Case("turbulence 512", "grid", Turbulence(512), turbulence_grid(512)),
    Case("waves", "grid", F.waves, TensorGrid((64, 64))),
    Case("bump and ridge", "grid", F.bump_and_ridge, TensorGrid((128, 128))),
    Case("Franke", "grid", F.franke, TensorGrid((100, 100), 0.0, 1.0)),
    Case(
        "three waves",
        "grid",
        F.three_waves,
        TensorGrid((40,) * 3, 0.0, TURN, end_points=False),
    ),
    Case("swirl", "grid", F.swirl, TensorGrid((32,) * 3)),
    Case("turbulence 256, 67 %", "holes", Turbulence(256), turbulence_grid(256, keep=0.67)),
    Case("waves, 80 %", "holes", F.waves, TensorGrid((64, 64), keep=0.8)),
    Case("bump and ridge, 80 %", "holes", F.bump_and_ridge, TensorGrid((128, 128), keep=0.8)),
    Case(
        "turbulence, scattered",
        "scattered",
        Turbulence(256),
        Scattered(65536, 2, 0.0, TURN),
        PERIODIC,
    ),
    Case("curved waves 4000", "scattered", F.curved_waves, Scattered(4000, 2)),
    Case("curved waves 65536", "scattered", F.curved_waves, Scattered(65536, 2)),
    Case("Franke, scattered", "scattered", F.franke, Scattered(4000, 2, 0.0, 1.0)),
    Case(
        "three waves, scattered",
        "scattered",
        F.three_waves,
        Scattered(64000, 3, 0.0, TURN),
        PERIODIC,
    ),
    Case("curved front", "rough", F.curved_front, TensorGrid((64, 64))),
    Case("circular front", "rough", F.circular_front, Scattered(5000, 2)),
    Case("cubed kink", "rough", F.cubed_kink, TensorGrid((128, 128))),
    Case("half power", "rough", F.half_power, TensorGrid((1000,))),
    Case("oblique wave", "d > 3", F.oblique_wave, Scattered(5000, 5)),
    Case("Genz oscillatory, d = 5", "d > 3", F.genz_oscillatory, Scattered(5000, 5, 0.0, 1.0)),
    Case("Genz Gaussian, d = 5", "d > 3", F.genz_gaussian, Scattered(5000, 5, 0.0, 1.0)),
    Case("Genz Gaussian, d = 8", "d > 3", F.genz_gaussian, Scattered(5000, 8, 0.0, 1.0)),
    Case("Friedman 1, d = 10", "d > 3", F.friedman, Scattered(5000, 10, 0.0, 1.0)),
    Case("OTL circuit, d = 6", "d > 3", F.otl_circuit, Scattered(5000, 6, 0.0, 1.0)),
    Case("borehole, d = 8", "d > 3", F.borehole, Scattered(5000, 8, 0.0, 1.0)),
    Case("wing weight, d = 10", "d > 3", F.wing_weight, Scattered(5000, 10, 0.0, 1.0)),
]
CASES = {case.name: case for case in _CASES}
