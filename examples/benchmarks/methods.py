"""What a method is given, what it suits, and what its tuning and its answers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import scipy.interpolate as si
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

TUNED_ON = 6000
SCALES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
DECADE = 10.0  # largest over least value of a feature, from which its logarithm is tried


@dataclass(frozen=True)
class Problem:
    """Points and values to fit, and what is known of how they lie.

    ``axes`` are the nodes of a complete grid, None elsewhere; ``period`` that of every axis, None
    where the function has none. ``y`` has a column an output where there are several.
    """

    X: np.ndarray
    y: np.ndarray
    axes: list[np.ndarray] | None
    period: float | None
    parameters: dict[str, Any]
    seed: int = 0

    @property
    def n(self):
        return len(self.X)

    @property
    def d(self):
        return self.X.shape[1]

    @property
    def n_outputs(self):
        return 1 if self.y.ndim == 1 else self.y.shape[1]

    def on_grid(self):
        """Values indexed by node, of points in any order."""
        index = [
            np.searchsorted(axis, column) for axis, column in zip(self.axes, self.X.T, strict=True)
        ]
        values = np.empty([len(axis) for axis in self.axes])
        values[tuple(index)] = self.y
        return values


@dataclass(frozen=True)
class Competitor:
    """A method: ``fit`` gives an object with ``predict``, ``unsuited`` a reason or None.

    Of more than ``rows`` points it is given so many, chosen at random. One that does not take
    several ``outputs`` is fitted to each. ``limit`` is in seconds, where it is less than that of
    all methods.
    """

    name: str
    fit: Callable[[Problem], Any]
    unsuited: Callable[[Problem], str | None] = lambda problem: None
    rows: int | None = None
    outputs: bool = True
    limit: float = np.inf

    def train(self, problem):
        """Fit what the method can take of a problem, with a word on what that is."""
        note = ""
        if self.rows is not None and problem.n > self.rows:
            some = np.random.default_rng(problem.seed).permutation(problem.n)[: self.rows]
            problem = replace(problem, X=problem.X[some], y=problem.y[some], axes=None)
            note = f"of {self.rows} points"
        if problem.n_outputs > 1 and not self.outputs:
            return EachOutput([self.fit(replace(problem, y=y)) for y in problem.y.T]), note
        return self.fit(problem), note


@dataclass
class EachOutput:
    """One model an output."""

    models: list[Any]

    def predict(self, X):
        return np.stack([model.predict(X) for model in self.models], axis=1)


def needs(
    *,
    d=None,
    grid=False,
    periodic=False,
    most=None,
    least_d=None,
    package=None,
    interpolator=None,
    decades=False,
):
    """Reason why a problem does not suit a method, or None."""

    def unsuited(problem):
        if package is not None and find_spec(package) is None:
            return f"{package} {NOT_INSTALLED}"
        if interpolator is not None and not hasattr(si, interpolator):
            return f"this SciPy has no {interpolator}"
        if d is not None and problem.d not in d:
            return f"not in {problem.d} dimensions"
        if least_d is not None and problem.d < least_d:
            return f"not in {problem.d} dimensions"
        if grid and problem.axes is None:
            return "needs a complete grid"
        if periodic and problem.period is None:
            return "needs a period"
        if most is not None and problem.n > most:
            return f"not of more than {most} points"
        if decades and not spans_decades(problem.X).any():
            return "no feature spans decades"
        return None

    return unsuited


NOT_INSTALLED = "is not installed"


def tuned(make, choices, problem, most=TUNED_ON):
    """Fit every choice to nine tenths of some points, the best of them to all."""
    order = np.random.default_rng(problem.seed).permutation(problem.n)[:most]
    held, rest = np.split(order, [max(1, len(order) // 10)])
    best, least, failure = None, np.inf, None
    for choice in choices:
        try:
            model = make(choice, problem.X[rest], problem.y[rest])
            error = np.linalg.norm(model.predict(problem.X[held]) - problem.y[held])
        except (np.linalg.LinAlgError, ValueError) as error:
            failure = error
            continue
        if error < least:
            best, least = choice, error
    if best is None:
        raise ValueError(f"no choice could be fitted: {failure}")
    return make(best, problem.X, problem.y)


def spans_decades(X):
    """Whether a user would think of the logarithm of a feature."""
    low, high = X.min(axis=0), X.max(axis=0)
    return (low > 0) & (high >= DECADE * low)


@dataclass(frozen=True)
class Logarithms:
    """A fit of the logarithms of the features that span decades."""

    fit: Callable[[Problem], Any]

    def __call__(self, problem):
        features = spans_decades(problem.X)
        axes = problem.axes
        if axes is not None:
            axes = [np.log(a) if log else a for a, log in zip(axes, features, strict=True)]
        inner = self.fit(replace(problem, X=logarithms(problem.X, features), axes=axes))
        return Wrapped(lambda X: inner.predict(logarithms(X, features)))


def logarithms(X, features):
    X = np.array(X)
    X[:, features] = np.log(X[:, features])
    return X


@dataclass
class Wrapped:
    """A callable of points as a model; ``derivative`` gives its gradient where there is one."""

    function: Any
    one_dimensional: bool = False
    derivative: Any = None

    def predict(self, X):
        return np.asarray(self.function(X[:, 0] if self.one_dimensional else X)).real

    def gradient(self, X):
        return self.derivative(X)


@dataclass
class Scaled:
    scaler: Any
    inner: Any

    def __call__(self, X):
        return self.inner(self.scaler.transform(X))


class StandardTarget(BaseEstimator):
    """A model of y with mean 0 and standard deviation 1."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.mean_, scale = y.mean(axis=0), y.std(axis=0)
        self.scale_ = np.where(scale > 0, scale, 1.0)
        self.model.fit(X, (y - self.mean_) / self.scale_)
        return self

    def predict(self, X):
        return self.model.predict(X) * self.scale_ + self.mean_


def scaled(model):
    return StandardTarget(make_pipeline(MinMaxScaler((-1, 1)), model))
