"""Smoothing splines at scattered points: many local functions, held together by a penalty.

Penalised least squares over products of cubic B-splines, with differences of their coefficients as
the penalty (Eilers & Marx 1996, Flexible smoothing with B-splines and penalties; in two dimensions
that of a thin plate, as in Wood 2017, Generalized additive models, section 5.5). Rough tables and
noise have no better set of waves.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, ClassVar

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as spl
from numpy.typing import NDArray
from scipy.interpolate import NdBSpline

from skmsnn._precision import HALF_DIGITS
from skmsnn.functions.bases import SplineBasis
from skmsnn.functions.products import TensorProductSeries
from skmsnn.spaces.p_norm import PointBasis

# Coefficients up to which factors of the normal equations are found sooner than conjugate gradients
# converge: of 1156 in 10 ms against 45.
_MOST_FACTORISED = 3000


@dataclass(frozen=True)
class Mesh:
    """Products of cubic B-splines on even knots over [-1, 1]^d, at given points.

    Parameters
    ----------
    x : ndarray of shape (n, d)
        Scaled points.
    n_intervals : int
        Between knots, along each axis.
    """

    x: NDArray[np.float64]
    n_intervals: int
    degree: ClassVar[int] = 3

    @cached_property
    def knots(self) -> NDArray[np.float64]:
        """Along each axis, even beyond the box: a straight line then has even coefficients."""
        spacing = 2 / self.n_intervals
        numbers = np.arange(-self.degree, self.n_intervals + self.degree + 1, dtype=np.float64)
        return spacing * numbers - 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of splines along each axis."""
        return (self.n_intervals + self.degree,) * self.x.shape[1]

    @cached_property
    def matrix(self) -> sp.csr_array:
        """Their values at the points."""
        knots = (self.knots,) * self.x.shape[1]
        inside = np.clip(self.x, -1, 1)  # held-out points may be outside by rounding
        found = NdBSpline.design_matrix(inside, knots, self.degree)
        # SciPy counts columns up to the last that any point has
        shape = (len(inside), int(np.prod(self.shape)))
        return sp.csr_array((found.data, found.indices, found.indptr), shape=shape)

    @cached_property
    def penalty(self) -> sp.csr_array:
        """Of second differences along each axis, and mixed ones along each pair, twice."""
        n, d = self.shape[0], len(self.shape)
        first, second = (_differences(n, order) for order in (1, 2))
        terms = [_product({j: second}, n, d) for j in range(d)]
        terms += [2 * _product({i: first, j: first}, n, d) for i, j in combinations(range(d), 2)]
        return sp.csr_array(sum(terms[1:], terms[0]))


class SmoothingFit:
    """A fit of the splines of a mesh under a penalty, prepared for many targets.

    Parameters
    ----------
    mesh : Mesh
        The splines at all points.
    weight : ndarray of shape (n,)
        Of the points; those of weight 0 are left out.
    damping : float
        Of the penalty, relative to the mean diagonal of the normal equations.
    """

    amplification = 1.0

    def __init__(self, mesh: Mesh, weight: NDArray[np.float64], damping: float) -> None:
        self._mesh, self._weight, self._damping = mesh, weight, damping
        matrix = mesh.matrix
        normal = sp.csr_array(matrix.T @ sp.diags_array(weight) @ matrix)
        self._normal = normal + damping * normal.diagonal().mean() * mesh.penalty
        self._diagonal = self._normal.diagonal()

    @cached_property
    def leverage(self) -> float:
        """Number of values that the fit follows: the trace of its influence (Hutchinson 1990)."""
        n_probes, used = 2, self._weight > 0
        signs = np.random.RandomState(0).choice([-1.0, 1.0], (len(used), n_probes))
        signs[~used] = 0
        follows = self._mesh.matrix @ self._coefficients(signs)
        return float(np.sum(signs * follows) / n_probes)

    def solve(self, target: NDArray[np.float64]) -> TensorProductSeries:
        """The splines of least penalised squares for a target of shape (n, n_outputs)."""
        d = len(self._mesh.shape)
        coefficients = self._coefficients(target).reshape(*self._mesh.shape, -1)
        bases = (SplineBasis(self._mesh.knots, self._mesh.degree),) * d
        return TensorProductSeries(coefficients, np.empty(0), (), bases, tuple(range(d)))

    def extended(self, weight: NDArray[np.float64]) -> SmoothingFit:
        """The same with all points of positive weight."""
        return SmoothingFit(self._mesh, weight, self._damping)

    def basis(self) -> PointBasis:
        """There is none: a p-norm has no penalty."""
        raise NotImplementedError

    @cached_property
    def _factorised(self) -> Any:
        """What solves the normal equations, by their sparse factors."""
        return spl.splu(sp.csc_array(self._normal)).solve

    def _coefficients(self, target: NDArray[np.float64]) -> NDArray[np.float64]:
        rhs = self._mesh.matrix.T @ (target * self._weight[:, None])
        shape = self._normal.shape
        if shape[0] <= _MOST_FACTORISED:
            return np.asarray(self._factorised(rhs))
        jacobi = spl.LinearOperator(shape, lambda v: v / self._diagonal, dtype=np.float64)
        # what rough data leave is far more, and ten to forty iterations come there
        how: dict[str, Any] = {"rtol": HALF_DIGITS, "atol": 0.0, "maxiter": 500, "M": jacobi}
        columns = [spl.cg(self._normal, r, **how)[0] for r in rhs.T]
        return np.stack(columns, axis=1)


def _differences(n: int, order: int) -> sp.csr_array:
    """``D' D`` of the differences D of n coefficients."""
    weights = {1: (-1.0, 1.0), 2: (1.0, -2.0, 1.0)}[order]
    d = sp.diags_array(weights, offsets=range(order + 1), shape=(n - order, n))
    return sp.csr_array(d.T @ d)


def _product(along: dict[int, sp.csr_array], n: int, d: int) -> sp.csr_array:
    """What acts along some axes, for coefficients of all d."""
    whole = sp.csr_array(np.ones((1, 1)))
    for j in range(d):
        whole = sp.csr_array(sp.kron(whole, along.get(j, sp.csr_array(sp.eye_array(n)))))
    return whole
