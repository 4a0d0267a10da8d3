"""Random noise-free data whose sampling hides part of the error, each with its truth.

A case is drawn by its number, as in ``random_cases``: few scattered points of analytic functions
of one to six features, functions singular just outside the box, points in rings and L shapes or
around a hole, and waves on grids with weak harmonics beyond the Nyquist limit.
"""

import numpy as np

from examples.benchmarks.random_cases import (
    ROUGH,
    SMOOTH,
    Case,
    of,
    tensor,
    waves,
)

SINGULAR = SMOOTH | ROUGH | {"boundary singularity"}


def few_points_of_a_box(rng):
    """60 to 450 points of [-1, 1]^d, d from 1 to 6."""
    d = int(rng.integers(1, 7))
    return rng.uniform(-1, 1, (int(np.exp(rng.uniform(*np.log([60, 450])))), d))


def direction(rng, d, shortest=0.3, longest=2.0):
    vector = rng.standard_normal(d)
    return vector * rng.uniform(shortest, longest) / np.linalg.norm(vector)


def one_of(rng, *choices):
    return choices[rng.integers(len(choices))]


def few_of_an_entire_function(rng):
    X = few_points_of_a_box(rng)
    d = X.shape[1]
    a, b, c = (direction(rng, d) for _ in range(3))
    truth = one_of(
        rng,
        lambda X: np.exp(X @ a) * np.cos(X @ b + 1),
        lambda X: np.exp(np.sin(X @ a) * (X @ b)),
        lambda X: np.sin((1 + X @ a) * (X @ b)) + X @ c,
        lambda X: np.exp(-np.sum((X - 0.3 * c) ** 2, axis=1)) + X @ a,
        waves(rng, d, 3.0),
    )
    return of(truth, X, rng, right=SMOOTH)


def few_of_a_quotient(rng):
    X = few_points_of_a_box(rng)
    d = X.shape[1]
    a, b = direction(rng, d), direction(rng, d, 1.0)
    # how far the denominator stays from zero, over its size
    margin = 10 ** rng.uniform(-1.3, 0.5)
    bound = np.abs(a).sum()
    truth = one_of(
        rng,
        lambda X: (1 + X @ b) / ((1 + margin) * bound + X @ a),
        lambda X: np.exp(X @ b / 2) / (1 + margin + np.cos(X @ a) * X[:, -1]),
        lambda X: 1 / (margin + np.sum((X - 0.2 * a) ** 2, axis=1)),
        lambda X: X @ b / (1 + margin + np.sin(X @ a) * np.sin(X @ b)),
    )
    return of(truth, X, rng, right=SMOOTH)


def few_of_a_composed_function(rng):
    X = few_points_of_a_box(rng)
    d = X.shape[1]
    a, b = direction(rng, d, 0.5), direction(rng, d)
    margin = 10 ** rng.uniform(-1.5, 0.5)
    least = (1 + margin) * np.abs(a).sum()
    truth = one_of(
        rng,
        lambda X: np.log(least + X @ a),
        lambda X: np.sqrt(least + X @ a) * np.cos(X @ b),
        lambda X: np.tanh(2 * X @ a) + X @ b,
        lambda X: np.arctan(X @ a / margin / 2) * np.exp(X @ b / 2),
        lambda X: np.sqrt(margin + np.sum((X - 0.3 * b) ** 2, axis=1)),
    )
    return of(truth, X, rng, right=SMOOTH)


def singular(rng):
    """A function of a distance that is singular where this is zero."""
    return one_of(
        rng,
        np.sqrt,
        np.log,
        np.reciprocal,
        lambda t: t**1.5,
        lambda t: t * np.log(t),
        lambda t: np.arccos(np.exp(-t)),
    )


def beyond_a_corner(rng):
    d = int(rng.integers(1, 5))
    X = rng.uniform(-1, 1, (int(rng.integers(150, 1000)), d))
    sides, weights = rng.choice([-1, 1], d), rng.uniform(0.3, 1, d)
    gap, f, a = 10 ** rng.uniform(-2.5, -0.7), singular(rng), direction(rng, d)

    def truth(X):
        return f(gap + (1 - sides * X) @ weights) * np.exp(X @ a / 3)

    return of(truth, X, rng, right=SINGULAR)


def beyond_an_edge(rng):
    d = int(rng.integers(1, 5))
    X = rng.uniform(-1, 1, (int(rng.integers(150, 1000)), d))
    side, bent = rng.choice([-1, 1]), rng.uniform(0, 0.5)
    gap, f, a = 10 ** rng.uniform(-2.5, -0.7), singular(rng), direction(rng, d)

    def truth(X):
        # the singular surface touches the face nearest at its middle, or runs beside it
        distance = gap + 1 - side * X[:, 0] + bent * np.sum(X[:, 1:] ** 2, axis=1)
        return f(distance) * np.cos(X @ a)

    return of(truth, X, rng, right=SINGULAR)


def smooth_of_two(rng):
    a, b = direction(rng, 2), direction(rng, 2)
    margin = 10 ** rng.uniform(-0.7, 0.5)
    return one_of(
        rng,
        waves(rng, 2, rng.uniform(2, 6)),
        lambda X: np.exp(X @ a) * np.sin(X @ (2 * b)),
        lambda X: 1 / (margin + np.sum((X - [0.5, 0.4]) ** 2, axis=1)),
        lambda X: np.log(margin + np.sum((X + 1.5) ** 2, axis=1)),
    )


def ring(rng):
    """Points of an annulus, an L shape or a crescent, and fresh ones of the same."""
    n, inner, bite = int(rng.integers(150, 800)), rng.uniform(0.3, 0.8), rng.uniform(-0.3, 0.5, 2)
    is_in = one_of(
        rng,
        lambda X: (np.hypot(*X.T) < 1) & (np.hypot(*X.T) > inner),
        lambda X: (bite > X).any(axis=1),
        lambda X: (np.hypot(*X.T) < 1) & (np.hypot(X[:, 0] - 0.4, X[:, 1]) > 0.7 * inner + 0.2),
    )

    def draw(m):
        candidates = rng.uniform(-1, 1, (20 * m, 2))
        return candidates[is_in(candidates)][:m]

    X, fresh, truth = draw(n), draw(4000), smooth_of_two(rng)
    fresh = fresh[np.all((fresh >= X.min(axis=0)) & (fresh <= X.max(axis=0)), axis=1)]
    return Case(X, truth(X), truth, fresh, SMOOTH)


def around_a_hole(rng):
    """Points of a square around a round hole, and fresh ones of the hole, too."""
    n, radius, centre = (
        int(rng.integers(200, 900)),
        rng.uniform(0.1, 0.35),
        rng.uniform(-0.5, 0.5, 2),
    )
    if rng.random() < 0.5:
        candidates = rng.uniform(-1, 1, (3 * n, 2))
    else:
        candidates = tensor(*[np.linspace(-1, 1, round(n**0.5))] * 2)
    X = candidates[np.hypot(*(candidates - centre).T) > radius][:n]
    return of(smooth_of_two(rng), X, rng, right=SMOOTH)


def kepler(eccentricity, mean):
    anomaly = mean.copy()
    for _ in range(100):
        anomaly = mean + eccentricity * np.sin(anomaly)
    return np.cos(anomaly) - eccentricity


def weak_harmonics(rng):
    """A function of a wave of 6 to 12 points a turn, whose higher harmonics are aliased."""
    size, per_turn, phase = 10 ** rng.uniform(-2.5, -0.3), rng.uniform(6.2, 12), rng.uniform(0, 6)
    shape = one_of(
        rng,
        lambda t: kepler(size, t),
        lambda t: np.exp(size * np.sin(t)),
        lambda t: np.sin(t) / (1 - size * np.cos(t)),
        lambda t: np.tanh(size * np.sin(t)) + np.cos(t),
    )
    if rng.random() < 0.7:
        X = np.linspace(0, 1, int(rng.integers(60, 250)))[:, None]
        wave = np.array([2 * np.pi * (len(X) - 1) / per_turn])
    else:
        sides = rng.integers(24, 48, 2)
        X = tensor(*[np.linspace(0, 1, n) for n in sides])
        angle = rng.uniform(0, np.pi / 2)
        wave = 2 * np.pi * (sides - 1) / per_turn * [np.cos(angle), np.sin(angle)]
    return of(lambda X: shape(X @ wave + phase), X, rng, right=SMOOTH | {"aliased"})


KINDS = (
    few_of_an_entire_function,
    few_of_a_quotient,
    few_of_a_composed_function,
    beyond_a_corner,
    beyond_an_edge,
    ring,
    around_a_hole,
    weak_harmonics,
)


def case(number):
    """The name of the kind and the case of that number."""
    draw = KINDS[number % len(KINDS)]
    return draw.__name__.replace("_", " "), draw(np.random.default_rng([number, 1]))
