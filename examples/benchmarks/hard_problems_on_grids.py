"""Grids, lines and levels on which a fit is easily worse than it reports, by kinds."""

import numpy as np
from scipy.interpolate import CubicSpline, RectBivariateSpline

from examples.benchmarks.hard_problems import Data, Problem, in_box_of, line, nodes
from examples.benchmarks.points import product_of


def latitudes(c, X):
    """A zonal flow and a narrow disturbance of size c, of degrees."""
    a, b = X.T
    gaussian = np.exp(-(((a - 150) / 12) ** 2) - ((b - 10) / 6) ** 2)
    return np.cos(np.radians(b)) ** 2 + c * gaussian


def narrow_peak(X):
    x, y = X.T
    return np.sin(2 * x + y) + 1e-4 / (1 + ((x - 0.3) / 0.08) ** 2 + ((y + 0.2) / 0.1) ** 2)


def narrow_blob(X):
    slow = np.exp(X @ [0.5, -0.3, 0.2])
    return slow + 1e-3 * np.exp(-np.sum(((X - [0.2, -0.3, 0.1]) / 0.2) ** 2, axis=1))


_DEGREES = [np.arange(0, 360, 5.0), np.linspace(-60, 60, 25)]
HOLES = [
    Problem(
        f"zonal flow and a disturbance of {c:g}",
        nodes(_DEGREES, lambda X, c=c: latitudes(c, X), 0.1),
        3,
    )
    for c in (4e-7, 0.05)
] + [
    Problem(
        "wave and a peak of 1e-4, 48 x 40",
        nodes([np.linspace(-1, 1, 48), np.linspace(-1, 1, 40)], narrow_peak, 0.15),
    ),
    Problem(
        "slow growth and a blob of 1e-3, 14^3",
        nodes([np.linspace(-1, 1, 14)] * 3, narrow_blob, 0.1),
        1,
    ),
]


def kepler(eccentricity, revolutions, X):
    """Cosine of the eccentric anomaly less the eccentricity: a coordinate on an orbit."""
    mean = 2 * np.pi * revolutions * X[:, 0]
    anomaly = mean.copy()
    for _ in range(60):
        anomaly = mean + eccentricity * np.sin(anomaly)
    return np.cos(anomaly) - eccentricity


def turning(revolutions, function):
    return lambda X: function(2 * np.pi * revolutions * X[:, 0])


WEAK_HARMONICS = [
    Problem(
        f"orbit of eccentricity {e:g}, 97 times",
        line(97, 0, 1, lambda X, e=e: kepler(e, 14.33, X)),
        1,
    )
    for e in (0.02, 0.05)
] + [
    Problem(
        "orbit of eccentricity 0.03, 121 times",
        line(121, 0, 1, lambda X: kepler(0.03, 13.2, X)),
        1,
    ),
    Problem(
        "exp(0.3 cos), 101 times",
        line(101, 0, 1, turning(11.7, lambda t: np.exp(0.3 * np.cos(t)))),
        1,
    ),
    Problem(
        "sin / (1 - 0.1 cos), 140 times",
        line(140, 0, 1, turning(17.4, lambda t: np.sin(t) / (1 - 0.1 * np.cos(t)))),
        1,
    ),
    Problem(
        "exp(0.1 sin) of an oblique wave, 28 x 28",
        nodes([np.linspace(0, 1, 28)] * 2, lambda X: np.exp(0.1 * np.sin(X @ [38.0, 25.0]))),
        1,
    ),
]


def splined(x, values):
    """A table that is the cubic spline of every second of its rows."""

    def draw(rng):
        spline = CubicSpline(x[::2], values(x[::2], rng))
        truth = lambda X: spline(X[:, 0])  # noqa: E731
        return Data(x[:, None], truth(x[:, None]), truth, in_box_of(x[:, None], rng))

    return draw


def _rough(x, rng):
    return np.cumsum(rng.standard_normal(len(x)))


def _smooth(x, rng):
    return np.tanh(8 * (x - 0.4)) + 0.2 * np.sin(25 * x)


def splined_surface(rng):
    x, y = np.linspace(0, 1, 41), np.linspace(0, 1, 31)
    values = np.tanh(6 * (x[::2, None] - y[::2])) + 0.1 * rng.standard_normal((21, 16))
    spline = RectBivariateSpline(x[::2], y[::2], values)
    truth = lambda X: spline.ev(*X.T)  # noqa: E731
    X = product_of([x, y])
    return Data(X, truth(X), truth, in_box_of(X, rng))


SPLINES = [
    Problem("smooth table, 95 even rows", splined(np.linspace(0, 1, 95), _smooth)),
    Problem("random walk, 95 even rows", splined(np.linspace(0, 1, 95), _rough)),
    Problem("smooth table, 95 uneven rows", splined(np.linspace(0.1, 1, 95) ** 2, _smooth)),
    Problem("bicubic table, 41 x 31", splined_surface, 1),
]


def battery(X):
    """Potential of an electrode against its charge, as a sum of fronts."""
    s = X[:, 0]
    fronts = 0.09 * np.tanh(30 * (s - 0.123)) + 0.045 * np.tanh(15 * (s - 0.277))
    return 2 * np.exp(-39 * s) + 0.25 - fronts - 0.02 * np.tanh(30 * (s - 0.61))


def steps_of_titration(X):
    x = X[:, 0]
    return np.arctan(15 * (x + 0.4)) + 0.5 * np.arctan(25 * (x - 0.2)) + 0.1 * x


def absorption(X):
    x = X[:, 0]
    return np.exp(-x) + sum(
        a / (1 + ((x - c) / w) ** 2) for a, c, w in ((1, 0.3, 0.05), (0.4, 0.55, 0.08))
    )


FRONTS = [
    Problem("battery potential, 51 rows", line(51, 0.03, 0.9, battery), 1),
    Problem("battery potential, 71 rows", line(71, 0.03, 0.9, battery), 1),
    Problem("two steps of a titration, 60 rows", line(60, -1, 1, steps_of_titration), 1),
    Problem("two peaks of absorption, 55 rows", line(55, 0, 1, absorption), 1),
]


# --- levels


def ragged(levels, low, high, n, function):
    """n values of the first feature at each level of the second, others at every level."""

    def draw(rng):
        X = np.concatenate(
            [np.column_stack([rng.uniform(low, high, n), np.full(n, at)]) for at in levels]
        )
        return Data(X, function(X), function, in_box_of(X, rng))

    return draw


def thrust(X):
    """Of an advance ratio and a speed."""
    ratio, speed = X.T
    return ratio * (1 - ratio**6) * (1 + 0.1 * np.tanh(2.5 * (speed + 0.25)))


def isotherms(X):
    """A compressibility of pressure and temperature."""
    pressure, temperature = X.T
    return 1 + pressure * np.exp(-temperature) / (1 + 0.5 * pressure * temperature)


def variance(X):
    """Total variance over maturity, of a log-moneyness and a time."""
    k, t = X.T
    rho = -0.4 * np.exp(-t / 2)
    return np.sqrt(0.04 + 0.1 * (rho * k + np.sqrt(k**2 + 0.05)) * np.exp(-1.5 * t))


RAGGED_LEVELS = [
    Problem(
        "thrust, 14 values at each of 8 speeds",
        ragged(np.linspace(-1, 1, 8), 0, 1, 14, thrust),
        3,
    ),
    Problem(
        "isotherms, 20 values at each of 8 temperatures",
        ragged(np.linspace(0.5, 2, 8), 0, 2, 20, isotherms),
    ),
    Problem(
        "two waves, 15 values at each of 10 levels",
        ragged(
            np.linspace(-1, 1, 10),
            -1,
            1,
            15,
            lambda X: np.sin(3 * X[:, 0]) * np.exp(X[:, 1]) + np.cos(X @ [2, 1]),
        ),
    ),
]

_MATURITIES = np.array([1 / 12, 1 / 6, 1 / 4, 0.5, 0.75, 1, 2])
UNEVEN_LEVELS = [
    Problem(
        "volatility, 12 x 7 maturities",
        nodes([np.linspace(-0.5, 0.5, 12), _MATURITIES], variance),
        1,
    ),
    Problem(
        "growth and a wave, 12 x 7 times",
        nodes(
            [np.linspace(-1, 1, 12), _MATURITIES],
            lambda X: np.cos(2 * X[:, 0]) * np.exp(-2 * X[:, 1]),
        ),
        1,
    ),
    Problem(
        "1 / (1 + x + y), 14 x 6 levels",
        nodes(
            [np.linspace(0, 1, 14), np.array([1, 2, 5, 10, 20, 50]) / 10],
            lambda X: 1 / (1 + X.sum(axis=1)),
        ),
        1,
    ),
]
