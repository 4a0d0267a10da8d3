"""Twelve standard functions of computer experiments, on [0, 1]^d, each with its source."""

import numpy as np

from examples.benchmarks.functions import borehole, friedman, otl_circuit, piston, wing_weight


def ishigami(X):
    """Ishigami & Homma (1990), a = 7, b = 0.1; inputs scaled from [-pi, pi]^3."""
    a, b, c = np.pi * (2 * X - 1).T
    return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def dette_pepelyshev(X):
    """Dette & Pepelyshev (2010), curved, in eight inputs."""
    a, b, c = X[:, :3].T
    tail = sum(k * np.log(1 + X[:, 2:k].sum(axis=1)) for k in range(4, 9))
    curved = 4 * (a - 2 + 8 * b - 8 * b**2) ** 2 + (3 - 4 * b) ** 2
    return curved + 16 * np.sqrt(c + 1) * (2 * c - 1) ** 2 + tail


def welch(X):
    """Welch et al. (1992), twenty inputs of very different influence."""
    x = (X - 0.5).T
    linear = 0.05 * x[1] + 0.08 * x[2] - 0.03 * x[5] + 0.03 * x[6]
    linear = linear - 0.09 * x[8] - 0.01 * x[9] - 0.07 * x[10]
    linear = linear - 0.04 * x[13] + 0.06 * x[14] - 0.01 * x[16] - 0.03 * x[17]
    curved = 5 * x[11] / (1 + x[0]) + 5 * (x[3] - x[19]) ** 2 + 40 * x[18] ** 3 - 5 * x[18]
    return linear + curved + 0.25 * x[12] ** 2


def sobol_g(X):
    """Sobol' (1993), with kinks at 1/2 and a = 0, 1, 4.5, 9, 99, 99, 99, 99."""
    a = np.array([0, 1, 4.5, 9, 99, 99, 99, 99])
    return np.prod((np.abs(4 * X - 2) + a) / (1 + a), axis=1)


def rosenbrock(X):
    """Rosenbrock (1960), a quartic; inputs scaled from [-5, 10]^5."""
    x = -5 + 15 * X
    return np.sum(100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2, axis=1)


def park(X):
    """Park (1991), number 1 of four inputs, with the first one away from its singular end."""
    a, b, c, d = np.maximum(X, 1e-9).T
    root = a / 2 * (np.sqrt(1 + (b + c**2) * d / a**2) - 1)
    return root + (a + 3 * d) * np.exp(1 + np.sin(c))


def robot_arm(X):
    """An & Owen (2001): how far the end of an arm of four segments is from its shoulder."""
    angles, lengths = np.cumsum(2 * np.pi * X[:, :4], axis=1), X[:, 4:]
    along, across = (np.sum(lengths * f(angles), axis=1) for f in (np.cos, np.sin))
    return np.hypot(along, across)


# names with functions and numbers of features
STANDARD = {
    "borehole": (borehole, 8),
    "OTL circuit": (otl_circuit, 6),
    "piston": (piston, 7),
    "wing weight": (wing_weight, 10),
    "Friedman": (friedman, 10),
    "Ishigami": (ishigami, 3),
    "Dette & Pepelyshev": (dette_pepelyshev, 8),
    "Welch": (welch, 20),
    "Sobol' G": (sobol_g, 8),
    "Rosenbrock": (rosenbrock, 5),
    "Park": (park, 4),
    "robot arm": (robot_arm, 8),
}
