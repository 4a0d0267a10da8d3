"""The cases of the benchmarks: functions, points to fit, fresh points to judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType
from typing import Any

import numpy as np

from examples.benchmarks import functions
from examples.benchmarks.points import (
    Nodes,
    Places,
    Scattered,
    TensorGrid,
    Terrain,
    Warped,
    height,
)
from examples.benchmarks.trajectories import LORENZ, VAN_DER_POL
from skmsnn.datasets import simulate_decaying_turbulence


@dataclass(frozen=True)
class Case:
    """A function, the points at which it is known, and what the user knows besides.

    ``noise`` is the standard deviation of what is added to the values that are fitted; fresh
    values never have any.
    """

    name: str
    group: str
    function: Callable[[np.ndarray], np.ndarray]
    points: Places
    parameters: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    noise: float = 0.0

    def data(self, seed=0, size=1.0):
        """Points and values to fit, fresh points and values to judge."""
        rng = np.random.default_rng(seed)
        X, X_fresh = self.points.draw(rng, size), self.points.fresh(rng)
        y = self.function(X)
        y = y + self.noise * rng.standard_normal(y.shape)
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


def over_decades(*axes):
    """Nodes, and either the first and last power of ten or, from 0 to 1, the ends themselves."""
    shape, low, high = zip(*axes, strict=True)
    ends = zip(low, high, strict=True)
    maps = [np.positive if (a, b) == (0, 1) else _power_of_ten for a, b in ends]
    return Warped(TensorGrid(shape, low, high), tuple(maps))


def _power_of_ten(s):
    return 10.0**s


ENDS = (-np.arcsinh(300), np.arcsinh(700))  # of which ``about_front`` makes 0 and 1


def about_front(s):
    return np.round(0.3 + 1e-3 * np.sinh(s), 15)  # so that the first is 0


def refined():
    """799 points, of which half are in a tenth of the line, about the front."""
    inside = np.linspace(-0.07, 0.13, 399)
    left = np.linspace(-1, -0.07, 200, endpoint=False)
    return (np.concatenate([left, inside, np.linspace(1, 0.13, 200, endpoint=False)[::-1]]),)


def speeds_and_flows():
    return np.array([970.0, 1450, 1750, 2900]), np.linspace(0, 120, 25)


def spots_and_maturities():
    """Even prices, and maturities that are denser where they are soon."""
    return np.linspace(60, 140, 60), np.linspace(0.3, 1.5, 24) ** 2


TURN = 2 * np.pi
PERIODIC = MappingProxyType({"period": TURN})
F = functions

_CASES = [
    Case("log-cosine", "1-D", F.log_cosine, TensorGrid((1501,))),
    Case("three scales", "1-D", F.three_scales, TensorGrid((1501,))),
    Case("Runge", "1-D", F.runge, TensorGrid((1000,))),
    Case("exp sine, scattered", "1-D", F.exponential_sine, Scattered(1500, 1)),
    Case("front and wave, 1e-1", "1-D", partial(F.front_and_wave, 1e-1), TensorGrid((1500,))),
    Case("front and wave, 1e-3", "1-D", partial(F.front_and_wave, 1e-3), TensorGrid((1500,))),
    Case("front and wave, 1e-5", "1-D", partial(F.front_and_wave, 1e-5), TensorGrid((1500,))),
    Case("fast wave", "1-D", F.fast_wave, TensorGrid((600,))),
    Case("three resonances", "1-D", F.resonances, TensorGrid((1000,))),
    Case("narrow peak and line", "1-D", F.peak_and_line, TensorGrid((1000,))),
    Case("reciprocal over decades", "uneven", F.reciprocal, over_decades((200, -3, 3))),
    Case("fast decay over decades", "uneven", F.fast_decay, over_decades((62, -8, -2))),
    Case("Fermi function", "uneven", F.fermi, Nodes(refined)),
    Case("thin front", "uneven", F.thin_front, Warped(TensorGrid((900,), *ENDS), (about_front,))),
    Case("Lorenz, three outputs", "uneven", LORENZ, Nodes(LORENZ.steps)),
    Case("van der Pol", "uneven", VAN_DER_POL, Nodes(VAN_DER_POL.steps)),
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
    Case("sine over Runge", "grid", F.sine_over_runge, TensorGrid((64, 16))),
    Case("growth and switch", "grid", F.growth_and_switch, TensorGrid((200, 20))),
    Case("pump, 4 speeds", "uneven", F.pump_head, Nodes(speeds_and_flows)),
    Case("call prices", "uneven", F.call_price, Nodes(spots_and_maturities)),
    Case("rate over decades", "uneven", F.rate, over_decades((40, 1, 4), (30, 0, 1))),
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
    Case("bump and ripple", "scattered", F.bump_and_ripple, Scattered(6000, 2)),
    Case("50 points, 200 outputs", "scattered", F.two_modes_in_time, Scattered(50, 2)),
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
    Case("terrain", "rough", height, Terrain(13_000)),
    Case("noisy sine", "rough", F.sine, TensorGrid((1000,), 0.0), noise=0.1),
    Case("quadratic, d = 3", "d > 2", F.quadratic, Scattered(2500, 3)),
    Case("quadratic, d = 6", "d > 2", F.quadratic, Scattered(2500, 6)),
    Case("oblique wave", "d > 2", F.oblique_wave, Scattered(5000, 5)),
    Case("Genz oscillatory, d = 5", "d > 2", F.genz_oscillatory, Scattered(5000, 5, 0.0, 1.0)),
    Case("Genz Gaussian, d = 5", "d > 2", F.genz_gaussian, Scattered(5000, 5, 0.0, 1.0)),
    Case("Genz Gaussian, d = 8", "d > 2", F.genz_gaussian, Scattered(5000, 8, 0.0, 1.0)),
    Case("Genz continuous, d = 5", "d > 2", F.genz_continuous, Scattered(5000, 5, 0.0, 1.0)),
    Case("Genz corner peak, d = 5", "d > 2", F.genz_corner_peak, Scattered(5000, 5, 0.0, 1.0)),
    Case("Genz product peak, d = 5", "d > 2", F.genz_product_peak, Scattered(5000, 5, 0.0, 1.0)),
    Case("Friedman 1, d = 10", "d > 2", F.friedman, Scattered(5000, 10, 0.0, 1.0)),
    Case("OTL circuit, d = 6", "d > 2", F.otl_circuit, Scattered(5000, 6, 0.0, 1.0)),
    Case("OTL circuit, d = 20", "d > 2", F.otl_circuit, Scattered(5000, 20, 0.0, 1.0)),
    Case("piston, d = 7", "d > 2", F.piston, Scattered(5000, 7, 0.0, 1.0)),
    Case("piston, d = 20", "d > 2", F.piston, Scattered(5000, 20, 0.0, 1.0)),
    Case("borehole, d = 8", "d > 2", F.borehole, Scattered(5000, 8, 0.0, 1.0)),
    Case("wing weight, d = 10", "d > 2", F.wing_weight, Scattered(5000, 10, 0.0, 1.0)),
]
CASES = {case.name: case for case in _CASES}
