"""Random data of every kind that a fit may meet, each with its truth and the words that fit it.

A case is drawn by its number. Functions are made of waves, powers, steps and bumps of random
size, place and direction; points lie on grids, grids with holes, a few levels, or at random.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Reasons that are right where a fit describes all there is, and where points do not show it.
CONVERGED = frozenset({"round-off", "converged", "n_stages"})
SMOOTH = CONVERGED | {"undersampled"}
ROUGH = frozenset({"discontinuous"})


@dataclass
class Case:
    """Points with values, and what they are of.

    Attributes
    ----------
    X, y : ndarray of shape (n, d), (n,) or (n, n_outputs)
        Data.
    truth : callable
        Values without noise, of points (m, d).
    fresh : ndarray of shape (m, d)
        Points drawn as those of the data fall.
    right : frozenset of str
        Reasons to stop that are true of the data; empty where no one reason is.
    noise : float
        Standard deviation of the noise in y.
    parameters : dict
        Of the estimator.
    knowable : bool
        Whether the data say anything of the error at fresh points. Waves beyond the Nyquist limit
        of a grid are the same as slower ones there, and few levels leave open what is between.
    """

    X: np.ndarray
    y: np.ndarray
    truth: Callable[[np.ndarray], np.ndarray]
    fresh: np.ndarray
    right: frozenset[str] = frozenset()
    noise: float = 0.0
    parameters: dict[str, Any] = field(default_factory=dict)
    knowable: bool = True


def tensor(*axes):
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))


def in_box(X, rng, n=2000):
    return rng.uniform(X.min(axis=0), X.max(axis=0), (n, X.shape[1]))


def points(rng, n, d, place=None):
    """About n points of [-1, 1]^d: a grid, a grid with holes, or at random."""
    place = place or rng.choice(["grid", "holes", "scattered"])
    if place == "scattered":
        return rng.uniform(-1, 1, (n, d))
    X = tensor(*[np.linspace(-1, 1, round(n ** (1 / d)))] * d)
    if place == "holes" and d > 1:
        return X[rng.permutation(len(X))[: int(0.75 * len(X))]]
    return X


def waves(rng, d, fastest, slowest=0.0):
    """Four waves of up to ``fastest`` radians per unit."""
    directions = rng.standard_normal((4, d))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    vectors = directions * rng.uniform(slowest, fastest, (4, 1))
    phases, amplitudes = rng.uniform(0, 6, 4), rng.uniform(0.3, 1, 4)
    return lambda X: np.cos(X @ vectors.T + phases) @ amplitudes


def across(rng, d):
    """A coordinate along a random direction, 0 somewhere in the middle of [-1, 1]^d."""
    normal, at = rng.standard_normal(d), rng.uniform(-0.4, 0.4)
    normal /= np.linalg.norm(normal)
    return lambda X: X @ normal - at


def of(truth, X, rng, **more):
    return Case(X, truth(X), truth, in_box(X, rng), **more)


def resolved(rng):
    d = int(rng.integers(1, 3))
    n = int(rng.integers(60, 800)) if d == 1 else int(rng.integers(900, 1500))
    # twice as many points a wave as a fit to round-off takes of even ones
    fastest = 0.1 * np.pi * n if d == 1 else 6.0
    X = points(rng, n, d, "grid" if d == 1 else None)
    return of(waves(rng, d, fastest), X, rng, right=CONVERGED)


def undersampled(rng):
    d = int(rng.integers(1, 4))
    n = int(rng.integers(200 if d < 3 else 400, 1500))
    nyquist = np.pi / 2 * n ** (1 / d)
    if rng.random() < 0.5:
        fast = waves(rng, d, nyquist, 0.6 * nyquist)
        right = frozenset({"undersampled", "uncorrelated"})
        return of(fast, points(rng, n, d, "scattered"), rng, right=right)
    step, at, slow = 2 / n ** (1 / d), rng.uniform(-0.5, 0.5, d), waves(rng, d, 3)
    width = rng.uniform(2, 4) * step

    def truth(X):
        return slow(X) + np.exp(-(((X - at) / width) ** 2).sum(axis=1) / 2)

    return of(truth, points(rng, n, d), rng, right=SMOOTH)


def jump(rng):
    d = int(rng.integers(1, 3))
    side, smooth = across(rng, d), waves(rng, d, 5)
    size = 10 ** rng.uniform(-2, 0.5)
    X = points(rng, int(rng.integers(300, 1500)), d)
    return of(lambda X: smooth(X) + size * (side(X) > 0), X, rng, right=ROUGH)


def kink(rng):
    d = int(rng.integers(1, 3))
    side, smooth = across(rng, d), waves(rng, d, 3)
    power = rng.choice([1, 1.5, 2, 3])

    def truth(X):
        return smooth(X) + np.maximum(side(X), 0) ** power

    return of(truth, points(rng, int(rng.integers(300, 1500)), d), rng, right=ROUGH)


def front(rng):
    d = int(rng.integers(1, 3))
    n = int(rng.integers(300, 1500))
    side, smooth = across(rng, d), waves(rng, d, 5)
    width = rng.uniform(0.05, 0.3) * 2 / n ** (1 / d)
    truth = lambda X: smooth(X) + np.tanh(side(X) / width)  # noqa: E731
    return of(truth, points(rng, n, d), rng, right=ROUGH)


def singular_end(rng):
    smooth = waves(rng, 1, 4)
    power = rng.choice([0.5, 1.5, 2.5, 1 / 3, 0.0])

    def singular(t):
        t = np.maximum(t, 0)
        return t * np.log(np.maximum(t, 1e-300)) if power == 0 else t**power

    right = frozenset({"boundary singularity"})
    if rng.random() < 0.6:
        X = np.linspace(-1, 1, int(rng.integers(100, 1200)))[:, None]
        return of(lambda X: smooth(X) + singular(X[:, 0] + 1), X, rng, right=right)
    X = tensor(*[np.linspace(-1, 1, int(n)) for n in rng.integers(30, 60, 2)])
    return of(lambda X: smooth(X[:, 1:]) * singular(X[:, 0] + 1), X, rng, right=right)


def noise(rng):
    d = int(rng.integers(1, 4))
    n = int(rng.integers(200 if d < 3 else 400, 1500))
    smooth, level = waves(rng, d, 0.4 * n ** (1 / d)), 10 ** rng.uniform(-5, -0.7)
    X = points(rng, n, d)
    y = smooth(X) + level * rng.standard_normal(len(X))
    return Case(X, y, smooth, in_box(X, rng), frozenset({"noise"}), level)


def rounded(rng):
    d = int(rng.integers(1, 3))
    n = int(rng.integers(200, 800)) if d == 1 else int(rng.integers(900, 1500))
    smooth = waves(rng, d, 4)
    X = points(rng, n, d)
    decimals = int(rng.integers(3, 8))
    how = rng.choice(["single", "half", "decimals"])
    y = smooth(X)
    if how == "decimals":
        y = np.round(y, decimals)
    else:
        y = y.astype({"single": np.float32, "half": np.float16}[how]).astype(float)
    # the error of rounding is as good as noise of that size
    level = float(np.sqrt(np.mean((y - smooth(X)) ** 2)))
    return Case(X, y, smooth, in_box(X, rng), frozenset({"precision"}), level)


def clustered(rng):
    smooth = waves(rng, 1, 6)
    n = int(rng.integers(40, 400))
    how = rng.choice(["logarithmic", "chebyshev", "normal", "steps", "clouds"])
    if how == "clouds":
        centres = rng.uniform(-1, 1, (5, 2))
        smooth = waves(rng, 2, 3)

        def draw(m):
            return centres[rng.integers(0, 5, m)] + 0.3 * rng.standard_normal((m, 2))

        X = draw(4 * n)
        fresh = draw(4000)
        fresh = fresh[np.all((fresh >= X.min(0)) & (fresh <= X.max(0)), axis=1)]
        return Case(X, smooth(X), smooth, fresh, SMOOTH)
    if how == "logarithmic":
        decades = rng.uniform(1, 4)
        X = np.logspace(-decades, 0, n)[:, None]
        fresh = 10 ** rng.uniform(-decades, 0, (2000, 1))
        pole = 10 ** rng.uniform(-decades, 0)
        smooth = lambda X: 1 / (pole + X[:, 0])  # noqa: E731
        return Case(X, smooth(X), smooth, fresh, SMOOTH)
    if how == "chebyshev":
        X = np.cos(np.pi * np.arange(n) / (n - 1))[:, None]
        return Case(X, smooth(X), smooth, in_box(X, rng), SMOOTH)
    if how == "normal":
        X, fresh = rng.standard_normal((n, 1)), rng.standard_normal((2000, 1))
        fresh = fresh[(fresh[:, 0] >= X.min()) & (fresh[:, 0] <= X.max())]
        return Case(X, smooth(X), smooth, fresh, SMOOTH)
    # a solver's steps: short where the function is steep
    steepness = rng.uniform(5, 30)
    t = np.sort(np.concatenate([np.linspace(-1, 1, n // 2), np.tanh(rng.uniform(-3, 3, n // 2))]))
    X = (t / steepness * 3)[:, None]
    truth = lambda X: smooth(X) + np.tanh(steepness * X[:, 0])  # noqa: E731
    return of(truth, X, rng, right=SMOOTH)


def few_levels(rng):
    n_levels = int(rng.integers(2, 7))
    levels = np.sort(rng.uniform(-1, 1, n_levels))
    slope, smooth = rng.uniform(-2, 2), waves(rng, 1, 8)
    if rng.random() < 0.5:
        X = tensor(np.linspace(-1, 1, int(rng.integers(40, 200))), levels)
    else:
        n = int(rng.integers(100, 600))
        X = np.c_[rng.uniform(-1, 1, n), levels[rng.integers(0, n_levels, n)]]
    truth = lambda X: smooth(X[:, :1]) * np.exp(slope * X[:, 1])  # noqa: E731
    # between two levels nothing but a straight line can be thought of
    return of(truth, X, rng, right=frozenset({"few levels"}), knowable=n_levels > 2)


def some_levels(rng):
    n_levels = int(rng.integers(8, 25))
    steep, fast = rng.uniform(0.5, 4), rng.uniform(1, 8)
    X = tensor(np.linspace(-1, 1, int(rng.integers(40, 120))), np.linspace(-1, 1, n_levels))
    shape = rng.choice(["peak", "sigmoid", "even"])

    def truth(X):
        x, level = X.T
        along = {
            "peak": lambda: 1 / (1 + (steep * (level - 0.2)) ** 2),
            "sigmoid": lambda: np.tanh(steep * level),
            "even": lambda: 1 / (1 + (2 * steep * level) ** 2),
        }[shape]()
        return np.sin(fast * x + 1) * along

    # a peak narrower than two steps is a kink to those who see its nodes alone
    half_width = 1 / (2 * steep if shape == "even" else steep)
    is_sharp = half_width < 4 / (n_levels - 1)
    return of(truth, X, rng, right=SMOOTH | ROUGH if is_sharp else SMOOTH)


def parity(rng):
    n = int(rng.integers(8, 60))
    steep = rng.uniform(2, 6)
    even = rng.random() < 0.5
    X = np.linspace(-1, 1, n)[:, None]

    def truth(X):
        value = 1 / (1 + (steep * X[:, 0]) ** 2)
        return value if even else X[:, 0] * value

    is_sharp = 1 / steep < 4 / (n - 1)
    return of(truth, X, rng, right=SMOOTH | ROUGH if is_sharp else SMOOTH)


def few_points(rng):
    n, d = int(rng.integers(2, 41)), int(rng.integers(1, 4))
    kind = rng.choice(["line", "quadratic", "waves", "exponential"])
    slopes, curvature = rng.standard_normal(d), rng.standard_normal((d, d))
    smooth, scale = waves(rng, d, 3), rng.uniform(1, 5)
    truth = {
        "line": lambda X: 1 + X @ slopes,
        "quadratic": lambda X: 1 + X @ slopes + np.einsum("ni,ij,nj->n", X, curvature, X),
        "waves": smooth,
        "exponential": lambda X: np.exp(scale * X[:, 0]),
    }[kind]
    X = np.linspace(-1, 1, n)[:, None] if d == 1 and n % 2 else rng.uniform(-1, 1, (n, d))
    right = frozenset({"few points", *CONVERGED}) if n < 8 else SMOOTH
    return of(truth, X, rng, right=right, knowable=n >= 8)


def offset(rng):
    d = int(rng.integers(1, 3))
    n = int(rng.integers(200, 1000))
    smooth, size = waves(rng, d, 5), 10 ** rng.uniform(1, 9)
    X = points(rng, n, d)
    level = 10 ** rng.uniform(-4, 0) if rng.random() < 0.5 else 0.0
    y = size + smooth(X) + level * rng.standard_normal(len(X))
    return Case(X, y, lambda X: size + smooth(X), in_box(X, rng), noise=level)


def fixed_modes(rng):
    d = int(rng.integers(1, 3))
    n = int(rng.integers(100, 400))
    smooth = waves(rng, d, 5)
    parameters = {
        "n_modes": int(rng.integers(5, 50)),
        "n_stages": int(rng.integers(1, 3)),
        "hidden_layer_sizes": (),
    }
    return of(smooth, points(rng, n, d), rng, parameters=parameters)


def many_outputs(rng):
    d, n_outputs = int(rng.integers(1, 3)), int(rng.integers(3, 20))
    n = int(rng.integers(200, 800))
    each = [waves(rng, d, rng.uniform(1, 15)) for _ in range(n_outputs)]
    sizes = 10 ** rng.uniform(-3, 3, n_outputs)
    truth = lambda X: np.stack([f(X) for f in each], axis=1) * sizes  # noqa: E731
    return of(truth, points(rng, n, d), rng)


def aliased(rng):
    d = int(rng.integers(1, 3))
    n = int(rng.integers(100, 1000))
    side = round(n ** (1 / d))
    nyquist = np.pi / 2 * (side - 1)
    frequency, phase = rng.uniform(0.8, 1.2) * nyquist, rng.uniform(0, 6)
    X = tensor(*[np.linspace(-1, 1, side)] * d)
    truth = lambda X: np.cos(frequency * X[:, 0] + phase)  # noqa: E731
    right = frozenset({"aliased"})
    return of(truth, X, rng, right=right, knowable=False)


KINDS = (
    resolved,
    undersampled,
    jump,
    kink,
    front,
    singular_end,
    noise,
    rounded,
    clustered,
    few_levels,
    some_levels,
    parity,
    few_points,
    offset,
    fixed_modes,
    many_outputs,
    aliased,
)


def case(number):
    """The name of the kind and the case of that number."""
    draw = KINDS[number % len(KINDS)]
    return draw.__name__.replace("_", " "), draw(np.random.default_rng(number))
