"""Scattered points on which a fit is easily worse than it reports, by kinds."""

import numpy as np

from examples.benchmarks.hard_problems import Problem, cube, scattered


def product_and_exponential(X):
    x, y = X.T
    return np.sin(3 * x * y) + np.exp(y)


def wave_and_product(X):
    x, y, z = X.T
    return np.cos(2 * x) + np.exp(y * z)


FEW_POINTS = [
    Problem(f"sin 3xy + exp y, n = {n}", scattered(n, *cube(2), product_and_exponential), seeds)
    for n, seeds in ((200, 6), (400, 3))
] + [
    Problem(
        "exp sin 4x, n = 60, d = 1", scattered(60, *cube(1), lambda X: np.exp(np.sin(4 * X[:, 0])))
    ),
    Problem(
        "exp x cos 2y, n = 120",
        scattered(120, *cube(2), lambda X: np.exp(X[:, 0]) * np.cos(2 * X[:, 1])),
    ),
    Problem("cos 2x + exp yz, n = 300, d = 3", scattered(300, *cube(3), wave_and_product)),
    Problem(
        "sin(x . a) exp(x . b), n = 400, d = 4",
        scattered(
            400,
            *cube(4),
            lambda X: np.sin(X @ [1.5, 1, -0.5, 0.3]) * np.exp(X @ [0.2, -0.4, 0.3, 0.5]),
        ),
    ),
]

NEAR_LOGARITHM = [
    Problem(
        "log(2.3 + x + y), n = 220",
        scattered(220, *cube(2), lambda X: np.log(2.3 + X.sum(axis=1))),
        4,
    ),
    Problem(
        "sqrt(1.6 + x - y / 2), n = 180",
        scattered(180, *cube(2), lambda X: np.sqrt(1.6 + X @ [1, -0.5])),
    ),
    Problem(
        "log(3.6 + x + y + z), n = 300",
        scattered(300, *cube(3), lambda X: np.log(3.6 + X.sum(axis=1))),
    ),
    Problem(
        "exp x log(1.2 + x), n = 70, d = 1",
        scattered(70, *cube(1), lambda X: np.exp(X[:, 0]) * np.log(1.2 + X[:, 0])),
    ),
]

CURVED_POLES = [
    Problem(
        f"1 / (1.2 + y cos 2x), n = {n}",
        scattered(n, *cube(2), lambda X: 1 / (1.2 + X[:, 1] * np.cos(2 * X[:, 0]))),
        3,
    )
    for n in (220, 420)
] + [
    Problem(
        "exp x / (1.25 + y sin 3x), n = 300",
        scattered(
            300,
            *cube(2),
            lambda X: np.exp(X[:, 0]) / (1.25 + X[:, 1] * np.sin(3 * X[:, 0])),
        ),
    ),
    Problem(
        "1 / (1.4 + xy + cos z / 3), n = 400",
        scattered(400, *cube(3), lambda X: 1 / (1.4 + X[:, 0] * X[:, 1] + np.cos(2 * X[:, 2]) / 3)),
    ),
]

POINT_SINGULARITY = [
    Problem(
        "distance from a point, n = 1200",
        scattered(1200, *cube(2), lambda X: np.hypot(X[:, 0] - 0.2, X[:, 1] + 0.1)),
        1,
    ),
    Problem(
        "distance from a point, n = 600, d = 3",
        scattered(600, *cube(3), lambda X: np.sqrt(np.sum((X - [0.2, -0.1, 0.3]) ** 2, axis=1))),
        1,
    ),
    Problem(
        "cubed distance from a point, n = 800",
        scattered(800, *cube(2), lambda X: np.hypot(X[:, 0] + 0.3, X[:, 1] - 0.2) ** 3),
        1,
    ),
    Problem(
        "sharp tip of a hyperbola, n = 800",
        scattered(800, *cube(2), lambda X: np.sqrt(1e-3 + np.sum((X - 0.1) ** 2, axis=1))),
        1,
    ),
]


# --- singular just outside of the box

OUTSIDE_A_CORNER = [
    Problem(
        "sqrt(2.02 - a - b^2), n = 1000",
        scattered(1000, [0, 0], [1, 1], lambda X: np.sqrt(2.02 - X[:, 0] - X[:, 1] ** 2)),
        3,
    ),
    Problem(
        "arccos(a / (b + c + 2.02)), n = 1000",
        scattered(
            1000, [1] * 3, [4] * 3, lambda X: np.arccos(X[:, 0] / (X[:, 1] + X[:, 2] + 2.02))
        ),
        2,
    ),
    Problem(
        "log(1.02 - ab), n = 600",
        scattered(600, [0, 0], [1, 1], lambda X: np.log(1.02 - X[:, 0] * X[:, 1])),
    ),
    Problem(
        "(3.03 - a - b - c)^1.5, n = 800",
        scattered(800, [0] * 3, [1] * 3, lambda X: (3.03 - X.sum(axis=1)) ** 1.5),
        1,
    ),
    Problem(
        "exp b sqrt(1.01 - a), n = 500",
        scattered(500, [0, 0], [1, 1], lambda X: np.exp(X[:, 1]) * np.sqrt(1.01 - X[:, 0])),
    ),
]


# --- noise, and what is taken for it


def smooth_of_three(X):
    return np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2]


def rastrigin(X):
    return np.sum(X**2 - 10 * np.cos(2 * np.pi * X), axis=1)


def quotient_of_many(X):
    a = np.cos(np.arange(X.shape[1]))
    return (1 + X @ a) / (1.5 + 0.4 * np.tanh(X @ a[::-1]))


NOISY = [
    Problem(
        f"{name}, noise {noise:g}, n = {n}",
        scattered(n, *cube(d), function, noise),
        seeds,
        noisy=True,
    )
    for name, function, n, d, noise, seeds in (
        ("smooth function of three", smooth_of_three, 120, 3, 0.3, 5),
        ("sin 3x + x^2", lambda X: np.sin(3 * X[:, 0]) + X[:, 0] ** 2, 60, 1, 0.2, 2),
        ("exp x cos 2y", lambda X: np.exp(X[:, 0]) * np.cos(2 * X[:, 1]), 80, 2, 0.1, 2),
        ("exp x cos 2y", lambda X: np.exp(X[:, 0]) * np.cos(2 * X[:, 1]), 150, 2, 0.5, 2),
    )
]

NOISE_FREE = [
    Problem("Rastrigin, n = 500, d = 5", scattered(500, *cube(5, 2.0), rastrigin), 1),
    Problem("Rastrigin, n = 250, d = 5", scattered(250, *cube(5, 5.12), rastrigin), 1),
    Problem("quotient, n = 300, d = 14", scattered(300, *cube(14), quotient_of_many), 2),
]
