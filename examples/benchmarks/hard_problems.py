"""What a problem of ``hard_cases`` is, and points for it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from examples.benchmarks.points import product_of

N_FRESH = 4000


@dataclass(frozen=True)
class Data:
    """Points with values, and fresh points that fall uniformly in the region of the data.

    ``noise`` is the standard deviation of the noise in y.
    """

    X: np.ndarray
    y: np.ndarray
    truth: Callable[[np.ndarray], np.ndarray]
    fresh: np.ndarray
    noise: float = 0.0


@dataclass(frozen=True)
class Problem:
    """A member of a kind.

    Attributes
    ----------
    name : str
        Of the member.
    draw : callable
        Data, of a generator.
    seeds : int
        How many draws are fitted by default.
    noisy : bool
        Whether y has noise, which is then the right reason to stop, and a wrong one otherwise.
    """

    name: str
    draw: Callable[[np.random.Generator], Data]
    seeds: int = 2
    noisy: bool = False

    def is_wrong_reason(self, reason):
        return (reason == "noise") != self.noisy


def in_box_of(X, rng, n=N_FRESH):
    return rng.uniform(X.min(axis=0), X.max(axis=0), (n, X.shape[1]))


def scattered(n, low, high, function, noise=0.0):
    """Uniform points of a box; noise relative to the spread of y."""

    def draw(rng):
        X = rng.uniform(low, high, (n, len(low)))
        y = function(X)
        level = noise * y.std()
        y = y + level * rng.standard_normal(n)
        return Data(X, y, function, in_box_of(X, rng), level)

    return draw


def nodes(axes, function, missing=0.0):
    """A grid of the given axes without a random share of its nodes."""

    def draw(rng):
        X = product_of(axes)
        X = X[np.sort(rng.permutation(len(X))[: round((1 - missing) * len(X))])]
        return Data(X, function(X), function, in_box_of(X, rng))

    return draw


def line(n, low, high, function):
    return nodes([np.linspace(low, high, n)], function)


def cube(d, half=1.0):
    return [-half] * d, [half] * d
