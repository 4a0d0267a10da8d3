"""Gaussian processes with a polynomial mean: their likelihood, and their mean given values.

The likelihood is the restricted one, of which the coefficients of the polynomial and the variance
of the process are eliminated (Rasmussen & Williams 2006, section 2.7 and equation 5.8).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import minimize

from skmsnn._precision import EPS
from skmsnn.functions.kernel import (
    CORRELATIONS,
    KernelExpansion,
    PosteriorVariance,
    warped,
)
from skmsnn.functions.polynomial import LegendreSeries, columns_of
from skmsnn.linalg.threads import one_blas_thread

# Logarithms of length scales are limited, in units of a half-width of the box, and so are
# logarithms of variances relative to that of the product, and rates of warping.
SCALES, VARIANCES, RATES = (0.05, 300.0), (1e-6, 1e5), 3.0
# Variances of noise relative to that of the function: below the first, rounding of the solution is
# larger than what it describes.
NOISE = (1e-12, 10.0)
# Medians and widths of lognormal priors of the length scales and variances of sums, and the width
# of the normal one of rates. With half and twice each the errors on twelve functions from 100
# points were the same, and from 50 points within a fifth but for one with 20 features.
OWN_SCALE, OWN_WEIGHT, RATE = (3.0, 0.7), (0.1, 4.0), 0.7
# Exponent a of the robust prior of the length scales of products.
ROBUST = 0.2
# Variance of noise, relative to that of the function, from which searches start.
START_OF_NOISE = 1e-6
# Minus the logarithm of a likelihood that rounding makes zero.
UNLIKELY = 1e10
# Rates below have the derivatives of this one: terms that cancel leave it 8 digits.
SMALL = 1e-4
# Relative fall of the likelihood below which a search ends. With 1e-7 errors on twelve functions
# were the same, in a third more time.
LEAST_FALL = 1e-5


@dataclass(frozen=True)
class Form:
    """What a covariance consists of.

    Attributes
    ----------
    correlation : str
        A key of ``CORRELATIONS``.
    has_sum : bool
        Whether functions of one feature each are added to products of all of them.
    is_warped : bool
        Whether length scales change along a feature.
    degree : int
        Highest power of each feature in the polynomial mean: 0, 1 or 2.
    """

    correlation: str
    has_sum: bool = False
    is_warped: bool = False
    degree: int = 0

    def terms(self, d: int) -> NDArray[np.int64]:
        """Degrees of the terms of the polynomial mean, none of which is a product of features."""
        own = np.eye(d, dtype=np.int64)
        rows = [np.zeros((1, d), dtype=np.int64), *(k * own for k in range(1, self.degree + 1))]
        return np.concatenate(rows)

    def parts(self, d: int) -> dict[str, slice]:
        """Where each kind of hyperparameter stands in a vector of all of them."""
        names = ["scales"]
        names += ["own_scales", "own_weights"] if self.has_sum else []
        names += ["rates"] if self.is_warped else []
        places = {name: slice(k * d, (k + 1) * d) for k, name in enumerate(names)}
        return places | {"noise": slice(len(names) * d, len(names) * d + 1)}

    def bounds(self, d: int) -> NDArray[np.float64]:
        """Least and greatest values of the vector, shape (n_hyperparameters, 2)."""
        limits = {
            "scales": np.log(SCALES),
            "own_scales": np.log(SCALES),
            "own_weights": np.log(VARIANCES),
            "rates": np.array([-RATES, RATES]),
            "noise": np.log(NOISE),
        }
        parts = self.parts(d)
        bounds = np.empty((parts["noise"].stop, 2))
        for name, at in parts.items():
            bounds[at] = limits[name]
        return bounds

    def start(self, d: int, rng: np.random.RandomState) -> NDArray[np.float64]:
        """A vector to start a search from; length scales differ from one to the next."""
        parts = self.parts(d)
        start = np.zeros(parts["noise"].stop)
        start[parts["scales"]] = np.log(rng.uniform(1, 4, d) * np.sqrt(d))
        if self.has_sum:
            start[parts["own_scales"]] = np.log(rng.uniform(1, 4, d))
            start[parts["own_weights"]] = np.log(OWN_WEIGHT[0])
        start[parts["noise"]] = np.log(START_OF_NOISE)
        return start


class GaussianProcess:
    """A process at given points.

    Parameters
    ----------
    form : Form
        Its covariance and mean.
    x : ndarray of shape (n, n_features)
        Scaled points.
    weight : ndarray of shape (n,)
        Positive weights, to which the variance of noise is inversely proportional.
    """

    def __init__(self, form: Form, x: NDArray[np.float64], weight: NDArray[np.float64]) -> None:
        self.form, self.x = form, x
        self.n, self.d = x.shape
        self.spread = weight.mean() / weight
        self.terms = _independent(form.terms(self.d), x)
        self.mean = columns_of(x, self.terms)
        self.parts = form.parts(self.d)
        self.correlation = CORRELATIONS[form.correlation]

    @cached_property
    def pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Numbers of the points of all pairs."""
        return np.triu_indices(self.n, 1)

    @one_blas_thread
    def likeliest(
        self, target: NDArray[np.float64], start: NDArray[np.float64], evaluations: int
    ) -> tuple[float, NDArray[np.float64]]:
        """The minus logarithm of the likelihood at its end, and the hyperparameters of a search."""
        bounds = self.form.bounds(self.d)
        found: Any = minimize(  # type: ignore[call-overload]
            self.minus_log_posterior,
            np.clip(start, *bounds.T),
            (target,),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"maxfun": evaluations, "ftol": LEAST_FALL},
        )
        return float(found.fun), found.x

    def minus_log_posterior(
        self, v: NDArray[np.float64], target: NDArray[np.float64]
    ) -> tuple[float, NDArray[np.float64]]:
        """Minus the logarithm of likelihood and prior, with its gradient.

        The likelihood is the mean over outputs, which have variances of their own.
        """
        n, (i, k) = self.n, self.pairs
        terms = _Covariances(self, v)
        matrix = np.zeros((n, n), order="F")
        matrix[i, k] = terms.total
        variance, noise = terms.variance, np.exp(v[self.parts["noise"]][0])
        matrix[np.diag_indices(n)] = variance * (1 + noise * self.spread + n * EPS)
        root, info = lapack.dpotrf(matrix, lower=0, overwrite_a=1)
        if info:
            return UNLIKELY, np.zeros_like(v)
        both = np.concatenate([self.mean, target], axis=1)
        half = sla.solve_triangular(root, both, trans=1, check_finite=False)
        q, triangle = np.linalg.qr(half[:, : len(self.terms)])
        rest = half[:, len(self.terms) :]
        rest = rest - q @ (q.T @ rest)
        square = np.maximum(np.einsum("io,io->o", rest, rest), np.finfo(float).tiny)
        n_free, n_outputs = n - len(self.terms), target.shape[1]
        value = np.log(np.diag(root)).sum() + np.log(np.abs(np.diag(triangle))).sum()
        value += 0.5 * n_free * np.log(square).mean()
        # derivatives by the entries of the matrix, on one side of its diagonal and on it
        z, away = (sla.solve_triangular(root, a, check_finite=False) for a in (q, rest))
        inverse = lapack.dpotri(root, lower=0, overwrite_c=1)[0]
        inverse -= z @ z.T
        inverse -= (away * (n_free / n_outputs / square)) @ away.T
        by_entry, by_diagonal = inverse[i, k], 0.5 * np.diag(inverse)
        gradient = terms.gradient(by_entry)
        by_variance = by_diagonal @ (1 + noise * self.spread)
        if self.form.has_sum:
            gradient[self.parts["own_weights"]] += by_variance * terms.own_weights
        gradient[self.parts["noise"]] = noise * variance * (by_diagonal @ self.spread)
        own, slope = self._minus_log_prior(v)
        return value + own, gradient + slope

    def _minus_log_prior(self, v: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """That of the product is jointly robust: values are neither equal nor unrelated everywhere.

        Gu 2019, Jointly robust prior for Gaussian stochastic process in emulation, calibration
        and variable selection, section 3.
        """
        gradient = np.zeros_like(v)
        at, of_noise = self.parts["scales"], self.parts["noise"]
        size = self.n ** (-1 / self.d)
        rates, noise = 2 * size * np.exp(-v[at]), np.exp(v[of_noise][0])
        total, factor = rates.sum() + noise, size * (ROBUST + self.d)
        value = factor * total - ROBUST * np.log(total)
        slope = factor - ROBUST / total
        gradient[at], gradient[of_noise] = -slope * rates, slope * noise
        normal = {
            "own_scales": (np.log(OWN_SCALE[0]), OWN_SCALE[1]),
            "own_weights": (np.log(OWN_WEIGHT[0]), OWN_WEIGHT[1]),
            "rates": (0.0, RATE),
        }
        for name, (middle, width) in normal.items():
            if name in self.parts:
                away = (v[self.parts[name]] - middle) / width
                value += 0.5 * (away @ away)
                gradient[self.parts[name]] += away / width
        return float(value), gradient

    @one_blas_thread
    def given(self, v: NDArray[np.float64], target: NDArray[np.float64]) -> KernelExpansion:
        """The mean of the process given values, by Cholesky and one step of refinement.

        An explicit inverse lost three digits where the condition of the matrix was 1e13.
        """
        return self._function(v, *_Solved(self, v)(target))

    @one_blas_thread
    def given_with_leverage(
        self, v: NDArray[np.float64], target: NDArray[np.float64]
    ) -> tuple[KernelExpansion, float]:
        """The same, and the share of noise that it follows, from one factorisation."""
        solved = _Solved(self, v)
        function = self._function(v, *solved(target))
        diagonal = np.diag(solved.matrix) * np.diag(solved.inverse())
        return function, float(np.clip(1 - np.mean(solved.noise * diagonal), 0, 1))

    @one_blas_thread
    def exposures(self, v: NDArray[np.float64]) -> tuple[NDArray[np.float64], PosteriorVariance]:
        """Variances (n,) at each point given the values at all others, and given all elsewhere."""
        solved = _Solved(self, v)
        process = self._function(v, np.zeros((self.n, 0)), np.zeros((len(self.terms), 0)))
        variance = 1 + float(process.own_weights.sum())
        half = sla.solve_triangular(solved.lower, self.mean, lower=True, check_finite=False)
        noise = float(np.exp(v[self.parts["noise"]][0])) + self.n * EPS
        root = np.asarray(sla.qr(half, mode="economic")[1], dtype=np.float64)
        own = 1 / (variance * solved.precision_left_out())
        return own, PosteriorVariance(process, solved.lower, half, root, noise)

    @one_blas_thread
    def left_out(self, v: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
        """Residuals (n, n_outputs) at each point given the values at all others.

        Dubrule 1983, Cross validation of kriging in a unique neighborhood.
        """
        solved = _Solved(self, v)
        return solved(target)[0] / solved.precision_left_out()[:, None]

    def covariance(self, v: NDArray[np.float64]) -> NDArray[np.float64]:
        """Covariances of the points with each other, without noise."""
        nothing = np.zeros((self.n, 0))
        return self._function(v, nothing, np.zeros((len(self.terms), 0))).covariance(self.x)

    def _function(
        self, v: NDArray[np.float64], c: NDArray[np.float64], of_mean: NDArray[np.float64]
    ) -> KernelExpansion:
        ones = np.ones(self.d)
        own = {name: v[at] for name, at in self.parts.items()}
        has_sum = self.form.has_sum
        return KernelExpansion(
            self.form.correlation,
            self.x,
            c,
            LegendreSeries(self.terms, of_mean),
            own.get("rates", 0 * ones),
            np.exp(own["scales"]),
            np.exp(own["own_scales"]) if has_sum else ones,
            np.exp(own["own_weights"]) if has_sum else 0 * ones,
        )


def _independent(terms: NDArray[np.int64], x: NDArray[np.float64]) -> NDArray[np.int64]:
    """Those of some terms whose columns at points do not depend on others."""
    triangle, order = sla.qr(columns_of(x, terms), mode="r", pivoting=True)
    size = np.abs(np.diag(triangle))
    kept = order[: np.count_nonzero(size > len(x) * EPS * size[0])]
    return terms[np.sort(kept)]


class _Covariances:
    """Covariances of all pairs of points under hyperparameters, and their derivatives by these.

    Attributes
    ----------
    total : ndarray of shape (n_pairs,)
        Covariances.
    variance : float
        Covariance of a point with itself.
    """

    def __init__(self, process: GaussianProcess, v: NDArray[np.float64]) -> None:
        self._process = process
        self._own = own = {name: v[at] for name, at in process.parts.items()}
        (i, k), d, with_fall = process.pairs, process.d, process.correlation.with_fall
        rates = own.get("rates", np.zeros(d))
        x = np.stack([warped(column, c) for column, c in zip(process.x.T, rates, strict=True)])
        self._difference = x[:, i] - x[:, k]
        distance = np.abs(self._difference)
        self._product, self._falls = np.ones(len(i)), np.empty_like(distance)
        for j, scale in enumerate(np.exp(own["scales"])):
            values, self._falls[j] = with_fall(distance[j] / scale)
            self._product *= values
        self.total, self.variance = self._product, 1.0
        if process.form.has_sum:
            self.own_weights = np.exp(own["own_weights"])
            self._summands, self._own_falls = np.empty_like(distance), np.empty_like(distance)
            for j, scale in enumerate(np.exp(own["own_scales"])):
                values, self._own_falls[j] = with_fall(distance[j] / scale)
                self._summands[j] = self.own_weights[j] * values
            self.total = self._product + self._summands.sum(axis=0)
            self.variance += self.own_weights.sum()

    def gradient(self, by_entry: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivatives by hyperparameters of a function whose derivatives by ``total`` are given."""
        parts, form = self._process.parts, self._process.form
        gradient = np.zeros(parts["noise"].stop)
        by_product = by_entry * self._product
        gradient[parts["scales"]] = self._falls @ by_product
        falls = self._falls * by_product if form.is_warped else self._falls
        if form.has_sum:
            by_summand = self._summands * by_entry
            gradient[parts["own_weights"]] = by_summand.sum(axis=1)
            own_falls = self._own_falls * by_summand
            gradient[parts["own_scales"]] = own_falls.sum(axis=1)
            falls = falls + own_falls if form.is_warped else falls
        if form.is_warped:
            slopes = self._slopes_by_rate()
            gradient[parts["rates"]] = -np.einsum("jp,jp->j", falls, slopes)
        return gradient

    def _slopes_by_rate(self) -> NDArray[np.float64]:
        """Derivatives of the warped differences by the rate, over these; shape (d, n_pairs)."""
        x, rates = self._process.x.T, self._own["rates"][:, None]
        i, k = self._process.pairs
        rate = np.copysign(np.maximum(np.abs(rates), SMALL), rates)
        slope = (x * np.exp(rate * x) - np.expm1(rate * x) / rate) / rate
        change, difference = slope[:, i] - slope[:, k], self._difference
        return np.divide(change, difference, out=np.zeros_like(change), where=difference != 0)


class _Solved:
    """The system of coefficients of centres and of the polynomial mean, factored."""

    def __init__(self, process: GaussianProcess, v: NDArray[np.float64]) -> None:
        self._mean = process.mean
        self.matrix = process.covariance(v)
        noise = np.exp(v[process.parts["noise"]][0]) * process.spread + process.n * EPS
        self.matrix[np.diag_indices(process.n)] *= 1 + noise
        self.noise = noise / (1 + noise)
        self._factor = sla.cho_factor(self.matrix, lower=True, check_finite=False)
        self._of_terms = sla.cho_solve(self._factor, self._mean, check_finite=False)

    def __call__(
        self, target: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients of centres (n, n_outputs) and of the mean (n_terms, n_outputs)."""
        gram = self._mean.T @ self._of_terms
        c = np.zeros_like(target)
        of_mean = np.zeros((self._mean.shape[1], target.shape[1]))
        for _ in range(2):
            rest = target - self._mean @ of_mean - self.matrix @ c
            change = np.linalg.lstsq(gram, self._of_terms.T @ rest)[0]
            c += sla.cho_solve(self._factor, rest - self._mean @ change, check_finite=False)
            of_mean += change
        return c, of_mean

    @property
    def lower(self) -> NDArray[np.float64]:
        """Cholesky factor of the matrix."""
        return np.tril(self._factor[0])

    def precision_left_out(self) -> NDArray[np.float64]:
        """Inverse variances (n,) at each point given the values at all others.

        Dubrule 1983, Cross validation of kriging in a unique neighborhood.
        """
        inverse = self.inverse()
        half = inverse @ self._mean
        gram = np.linalg.pinv(self._mean.T @ half, hermitian=True)
        return np.asarray(np.diag(inverse) - np.sum(half @ gram * half, axis=1))

    def inverse(self) -> NDArray[np.float64]:
        """The inverse of the matrix, for its diagonal."""
        lower = lapack.dpotri(self._factor[0], lower=1)[0]
        return np.tril(lower) + np.tril(lower, -1).T
