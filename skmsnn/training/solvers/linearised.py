"""The residual of a network, linearised at its weights, and damped least squares with it.

A damped step is ``v = (J'J + s)^-1 J' b``, which is ``J' (J J' + s)^-1 b``: whichever of weights
and residuals are fewer decides the size of the system.

While the damping is large the normal equations serve. Below that their squared condition number
would cost half the digits (Nocedal & Wright 2006, section 10.3), and the triangle comes from a QR
factorisation of J or J', by Cholesky factorisations as long as these give it (shifted Cholesky QR,
Fukaya et al. 2020), at a third of the cost.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property

import torch
from sklearn.utils import gen_batches
from torch import Tensor, nn

from skmsnn._comparison import FAR
from skmsnn._memory import working_bytes
from skmsnn._precision import NEAR_ROUND_OFF
from skmsnn.training.losses import irls_weight
from skmsnn.training.solvers.base import Problem, set_weights, weights_of
from skmsnn.training.solvers.jacobian import jacobian_of
from skmsnn.training.solvers.threads import one_thread

# Relative damping above which the normal equations still give a step its digits: their rounding
# error is about 1e-16 / damping.
_NORMAL_EQUATIONS_DAMPING = FAR * NEAR_ROUND_OFF


def linearised(module: nn.Module, problem: Problem, p: float) -> Linearised:
    """The weighted residual about the module's present weights, for p > 2 reweighted."""
    n_rows = problem.target.numel()
    return (_Wide if n_rows < len(weights_of(module)) else _Tall)(module, problem, p)


class Linearised(ABC):
    """A weighted residual r, and its Jacobian J.

    Attributes
    ----------
    residual : Tensor of shape (n_rows,)
        With root weights, such that its square is the loss under p = 2.
    scale : float
        Largest sum of squares of a column of J, the unit of the damping.
    """

    def __init__(self, module: nn.Module, problem: Problem, p: float) -> None:
        self._module, self._problem = module, problem
        self._weights = weights_of(module)
        with torch.no_grad():
            raw = module(problem.x) - problem.target
        self._root = (irls_weight(raw, p) * problem.weight / raw.shape[1]).sqrt()
        self.residual = (raw * self._root).reshape(-1)
        self._normal, self.scale = self._prepared()
        self._identity = torch.eye(len(self._normal), dtype=raw.dtype, device=raw.device)

    def damped(self, damping: float) -> Callable[[Tensor], Tensor]:
        """Prepare ``b -> argmin |J v - b|^2 + damping s |v|^2``, s the scale.

        All ways solve the normal equations of a triangle. One from QR needs a step of
        refinement to be as good as QR itself (Bjorck 1987, corrected seminormal equations).
        """
        shift = damping * self.scale
        if damping > _NORMAL_EQUATIONS_DAMPING:
            triangle = _cholesky(self._normal + shift * self._identity)
            return lambda b: self._solved(triangle, b)
        triangle = self._triangle(damping)
        return lambda b: self._solved_and_refined(triangle, b, shift)

    def residual_at(self, weights: Tensor) -> Tensor:
        set_weights(self._module, weights)
        with torch.no_grad():
            raw = self._module(self._problem.x) - self._problem.target
        return (raw * self._root).reshape(-1)

    @abstractmethod
    def times(self, v: Tensor) -> Tensor:
        """``J v``."""

    @abstractmethod
    def _prepared(self) -> tuple[Tensor, float]:
        """``J'J`` or ``J J'``, whichever is smaller, and the scale."""

    @abstractmethod
    def _solved(self, triangle: Tensor, b: Tensor) -> Tensor:
        """The step, from a triangle R with R'R the damped normal matrix."""

    @abstractmethod
    def _solved_and_refined(self, triangle: Tensor, b: Tensor, shift: float) -> Tensor:
        """The same, and once more from what that leaves."""

    @abstractmethod
    def _tall_blocks(self) -> Iterator[Tensor]:
        """Blocks of rows of J or J', whichever has fewer columns than rows."""

    def _triangle(self, damping: float) -> Tensor:
        """R of a QR factorisation of the tall blocks stacked on the damping."""
        shift = damping * self.scale
        # the square of what is left of the condition number once it is preconditioned
        if damping > _NORMAL_EQUATIONS_DAMPING**2:
            first, normal, identity = self._preconditioned
            return _cholesky(normal + shift * identity) @ first
        triangle = self._identity * shift**0.5
        for block in self._tall_blocks():
            with one_thread():
                reflectors, _ = torch.geqrf(torch.cat([block, triangle]))
            triangle = reflectors[: len(self._identity)].triu()
        return triangle

    @cached_property
    def _preconditioned(self) -> tuple[Tensor, Tensor, Tensor]:
        """A triangle R with A R^-1 well conditioned, A tall, R^-T A'A R^-1, and R^-T R^-1."""
        shift = _NORMAL_EQUATIONS_DAMPING * self.scale
        triangle = _cholesky(self._normal + shift * self._identity)
        with one_thread():
            inverse = torch.linalg.solve_triangular(triangle, self._identity, upper=True)
        scaled = (block @ inverse for block in self._tall_blocks())
        normal = sum((block.T @ block for block in scaled), torch.zeros_like(inverse))
        return triangle, normal, inverse.T @ inverse


class _Tall(Linearised):
    """At least as many residuals as weights.

    The Jacobian is kept where it fits in the working memory and computed again, block of rows by
    block, where it does not.
    """

    def _prepared(self) -> tuple[Tensor, float]:
        n, n_outputs = self._root.shape
        n_weights = len(self._weights)
        rows = max(1, _jacobian_numbers() // (n_weights * n_outputs))
        self._blocks = list(gen_batches(n, rows))
        self._whole = self._compute(self._blocks[0]) if len(self._blocks) == 1 else None
        zero = self._root.new_zeros((n_weights, n_weights))
        normal = sum((j.T @ j for j in self._tall_blocks()), zero)
        return normal, float(normal.diagonal().max()) or 1.0

    def times(self, v: Tensor) -> Tensor:
        return torch.cat([j @ v for j in self._tall_blocks()])

    def _transposed_times(self, b: Tensor) -> Tensor:
        sizes = [len(self._root[block]) * self._root.shape[1] for block in self._blocks]
        pieces = zip(self._tall_blocks(), b.split(sizes), strict=True)
        return sum((j.T @ piece for j, piece in pieces), b.new_zeros(len(self._weights)))

    def _solved(self, triangle: Tensor, b: Tensor) -> Tensor:
        return _solve_normal(triangle, self._transposed_times(b))

    def _solved_and_refined(self, triangle: Tensor, b: Tensor, shift: float) -> Tensor:
        v = self._solved(triangle, b)
        rest = self._transposed_times(b - self.times(v)) - shift * v
        return v + _solve_normal(triangle, rest)

    def _tall_blocks(self) -> Iterator[Tensor]:
        for block in self._blocks:
            yield self._compute(block) if self._whole is None else self._whole

    def _compute(self, block: slice) -> Tensor:
        set_weights(self._module, self._weights)
        jacobian = jacobian_of(self._module, self._problem.x[block])
        return jacobian.scaled(self._root[block]).dense().flatten(0, 1)


class _Wide(Linearised):
    """Fewer residuals than weights: the Jacobian stays in factors.

    Its product with its transpose is a sum over layers of entrywise products of two small ones.
    """

    def _prepared(self) -> tuple[Tensor, float]:
        self._jacobian = jacobian_of(self._module, self._problem.x).scaled(self._root)
        return self._jacobian.outer(), self._jacobian.largest_column() or 1.0

    def times(self, v: Tensor) -> Tensor:
        return self._jacobian.times(v)

    def _solved(self, triangle: Tensor, b: Tensor) -> Tensor:
        return self._jacobian.transposed_times(_solve_normal(triangle, b))

    def _solved_and_refined(self, triangle: Tensor, b: Tensor, shift: float) -> Tensor:
        z = _solve_normal(triangle, b)
        rest = b - self.times(self._jacobian.transposed_times(z)) - shift * z
        return self._jacobian.transposed_times(z + _solve_normal(triangle, rest))

    def _tall_blocks(self) -> Iterator[Tensor]:
        for columns in self._jacobian.columns(_jacobian_numbers()):
            yield columns.T


def _jacobian_numbers() -> int:
    """Of a Jacobian at a time: beside it are its factors, its product and what QR makes of it."""
    return working_bytes() // (4 * 8)


@one_thread()
def _cholesky(matrix: Tensor) -> Tensor:
    triangle, _ = torch.linalg.cholesky_ex(matrix, upper=True)
    return triangle


@one_thread()
def _solve_normal(triangle: Tensor, rhs: Tensor) -> Tensor:
    return torch.cholesky_solve(rhs[:, None], triangle, upper=True)[:, 0]
