"""Rivals that interpolate on lines, even or not, and on grids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import finufft
import numpy as np
import scipy.interpolate as si

from examples.benchmarks.methods import Wrapped


@dataclass
class SplineGradient:
    spline: Any

    def __call__(self, X):
        return self.spline(X[:, 0], nu=1)[:, None]


@dataclass
class GridGradient:
    interpolator: Any

    def __call__(self, X):
        return np.stack([self.interpolator(X, nu=nu) for nu in np.eye(X.shape[1], dtype=int)], 1)


def fit_spline(k, problem):
    order = np.argsort(problem.X[:, 0])
    spline = si.make_interp_spline(problem.X[order, 0], problem.y[order], k=k)
    return Wrapped(spline, True, SplineGradient(spline))


def fit_smoothing_spline(problem):
    """Cubic, with a penalty on the second derivative that generalised cross-validation chooses."""
    order = np.argsort(problem.X[:, 0])
    spline = si.make_smoothing_spline(problem.X[order, 0], problem.y[order])
    return Wrapped(spline, True, SplineGradient(spline))


def fit_aaa(problem):
    return Wrapped(si.AAA(problem.X[:, 0], problem.y), True)


def fit_grid(method, problem):
    interpolator = si.RegularGridInterpolator(
        problem.axes, problem.on_grid(), method=method, bounds_error=False, fill_value=None
    )
    return Wrapped(interpolator, derivative=GridGradient(interpolator))


class FourierInterpolant:
    """The FFT of the values, summed anywhere by a non-uniform FFT."""

    def __init__(self, problem):
        self.low = np.array([axis[0] for axis in problem.axes])
        self.period = problem.period
        values = problem.on_grid()
        c = np.fft.fftn(values) / values.size
        for axis, n in enumerate(values.shape):
            if n % 2 == 0:  # the mode at Nyquist is half of each sign
                c = np.fft.fftshift(c, axes=axis)
                c = np.concatenate([c, np.take(c, [0], axis=axis)], axis=axis)
                edges = [slice(None)] * c.ndim
                for edge in (0, -1):
                    edges[axis] = edge
                    c[tuple(edges)] /= 2
            else:
                c = np.fft.fftshift(c, axes=axis)
        self.c = np.ascontiguousarray(c)

    def predict(self, X):
        return self._sum(self.c, X)

    def gradient(self, X):
        columns = []
        for j, n in enumerate(self.c.shape):
            k = np.arange(n) - n // 2
            factor = (2j * np.pi / self.period * k).reshape(
                [-1 if i == j else 1 for i in range(X.shape[1])]
            )
            columns.append(self._sum(self.c * factor, X))
        return np.stack(columns, axis=1)

    def _sum(self, c, X):
        angles = 2 * np.pi * (X - self.low) / self.period
        transform = {1: finufft.nufft1d2, 2: finufft.nufft2d2, 3: finufft.nufft3d2}[X.shape[1]]
        columns = [
            np.ascontiguousarray(np.remainder(a + np.pi, 2 * np.pi) - np.pi) for a in angles.T
        ]
        return transform(*columns, c, isign=1, eps=2e-15).real
