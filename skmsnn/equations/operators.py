"""Least squares with rows of differential operators as well as rows of values.

A row of a linear operator holds its value for each column at a point. The rows of each condition
are divided by the largest root mean square that the operator has for any column, so that rounding
is of one size, and by the root of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import NamedTuple, Protocol

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH
from skmsnn._precision import ROUND_OFF
from skmsnn.functions import LinearExpansion
from skmsnn.linalg.tsqr import Factorisation, blocks_of_rows
from skmsnn.spaces.frames import Frame, PolynomialFrame

OperatorFrame = Frame | PolynomialFrame
Orders = tuple[int, ...]
#: Derivatives of a function at the places of a condition, (n, n_outputs) each.
Derivatives = dict[tuple[int, Orders], NDArray[np.float64]]


class Term(NamedTuple):
    """``coefficient(x) d^nu u_output`` at the points of one place of a condition.

    ``output`` is -1 where it is the same of every output.
    """

    place: int
    nu: Orders
    output: int
    coefficient: NDArray[np.float64]


class ConditionRows(Protocol):
    """A condition in scaled coordinates.

    Attributes
    ----------
    name, group : str
        Of the condition, and of those that stand or fall with it.
    places : tuple of ndarray of shape (n, d)
        Scaled points; the first are those of the condition.
    root : ndarray of shape (n,)
        Roots of the weights.
    needs : list of (int, tuple of int)
        Places and orders of the derivatives that it takes.
    is_linear : bool
        Whether ``terms`` do not depend on the function.
    mean_square : float
        Of its values, beside those of its terms.
    """

    name: str
    group: str
    places: tuple[NDArray[np.float64], ...]
    root: NDArray[np.float64]
    needs: list[tuple[int, Orders]]
    is_linear: bool
    mean_square: float

    def residual(self, values: Derivatives) -> NDArray[np.float64]:
        """Its residual (n, n_equations) for a function, or (n, n_outputs) if all are alike."""

    def terms(self, values: Derivatives) -> list[list[Term]]:
        """The operator, linearised about a function; one list an equation."""


class State:
    """A function by its derivatives where conditions need them, and at a sample of all points.

    Parameters
    ----------
    rows : sequence of ConditionRows
        The conditions.
    n_outputs : int
        Of the function, which is zero at first.

    Attributes
    ----------
    points : ndarray of shape (n, d)
        The sample.
    sample : dict
        Derivatives there, by their orders.
    """

    def __init__(self, rows: Sequence[ConditionRows], n_outputs: int) -> None:
        every = np.concatenate([place for kind in rows for place in kind.places])
        step = -(-len(every) // ENOUGH)
        self.points = every[::step]
        self._rows = rows
        self.values: list[Derivatives] = [
            {need: np.zeros((len(kind.root), n_outputs)) for need in kind.needs} for kind in rows
        ]
        orders = {nu for kind in rows for _, nu in kind.needs} | {(0,) * every.shape[1]}
        self.sample = {nu: np.zeros((len(self.points), n_outputs)) for nu in sorted(orders)}

    def of(self, function: LinearExpansion) -> State:
        """The same of a function."""
        state = copy(self)
        state.values = [{} for _ in self._rows]
        state.sample = {}
        for nu in self.sample:
            at = [
                (k, place)
                for k, kind in enumerate(self._rows)
                for place, orders in kind.needs
                if orders == nu
            ]
            x = [self.points, *(self._rows[k].places[place] for k, place in at)]
            derivative = function.derivative(nu) if any(nu) else function
            found = derivative.evaluate(np.concatenate(x))
            state.sample[nu], *others = np.split(found, np.cumsum([len(a) for a in x])[:-1])
            for (k, place), values in zip(at, others, strict=True):
                state.values[k][place, nu] = values
        return state

    def plus(self, other: State, share: float | NDArray[np.float64] = 1.0) -> State:
        """The sum with a share of another function, one number or one an output."""
        state = copy(self)
        pairs = zip(self.values, other.values, strict=True)
        state.values = [{key: a[key] + share * b[key] for key in a} for a, b in pairs]
        state.sample = {nu: a + share * other.sample[nu] for nu, a in self.sample.items()}
        return state

    def residuals(self) -> list[NDArray[np.float64]]:
        """The residual of every condition."""
        pairs = zip(self._rows, self.values, strict=True)
        return [kind.residual(values) for kind, values in pairs]

    @property
    def spread(self) -> float:
        """Root mean square deviation of the function from its mean."""
        values = next(iter(self.sample.values()))
        return float(np.sqrt(np.mean((values - values.mean(axis=0)) ** 2)))

    def sizes(self) -> list[float]:
        """Root mean square of the terms of each condition, from derivatives all over the points.

        At least that of a function that changes by its spread over the box.
        """
        spread = self.spread
        square = {
            nu: np.maximum(np.mean(values**2, axis=0) if any(nu) else 0.0, spread**2)
            + np.zeros(values.shape[1])
            for nu, values in self.sample.items()
        }
        sizes = []
        for kind, values in zip(self._rows, self.values, strict=True):
            equations = kind.terms(values)
            of_terms = [
                np.mean(term.coefficient**2)
                * (square[term.nu].mean() if term.output < 0 else square[term.nu][term.output])
                for terms in equations
                for term in terms
            ]
            total = float(np.sum(of_terms)) / len(equations) + kind.mean_square
            sizes.append(np.sqrt(total) if total > 0 else 1.0)
        return sizes


class _Piece(NamedTuple):
    """Rows of a condition in one equation of it, and what they are multiplied by."""

    kind: int
    equation: int
    at: NDArray[np.intp]
    factor: NDArray[np.float64]


class OperatorFit:
    """Least squares of conditions, linearised about a state, prepared for many residuals.

    Parameters
    ----------
    frame : OperatorFrame
        The columns.
    rows : sequence of ConditionRows
        The conditions.
    state : State
        About which equations are linearised.
    used : sequence of ndarray of shape (n,), bool
        Which rows of each condition take part.
    n_blocks : int
        1, or the number of outputs where conditions couple them: each has its own columns.
    damping : float
        Relative to the root mean square of a column.
    """

    def __init__(
        self,
        frame: OperatorFrame,
        rows: Sequence[ConditionRows],
        state: State,
        used: Sequence[NDArray[np.bool_]],
        n_blocks: int,
        damping: float = ROUND_OFF,
    ) -> None:
        self.frame, self._rows, self._n_blocks = frame, rows, n_blocks
        self._terms = [kind.terms(values) for kind, values in zip(rows, state.values, strict=True)]
        self.n_columns = n_blocks * frame.n_columns
        self._damping = damping * np.sqrt(len(rows))
        self._factorisation: Factorisation[list[_Piece]] = Factorisation(
            np.eye(self.n_columns) * self._damping
        )
        self.scales = [self._largest(k, np.flatnonzero(u)) for k, u in enumerate(used)]
        self._n_used = [max(1, int(u.sum())) for u in used]
        self._used = [np.zeros(len(u), dtype=bool) for u in used]
        self._take_in(used)

    def extended(self, used: Sequence[NDArray[np.bool_]]) -> OperatorFit:
        """The fit with more rows."""
        more = [new & ~old for new, old in zip(used, self._used, strict=True)]
        if not any(rows.any() for rows in more):
            return self
        larger = copy(self)
        larger._used = list(self._used)
        larger._take_in(more)
        return larger

    def solve(self, residuals: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Coefficients (n_columns, n_outputs) that minimise what remains of the residuals."""
        n_outputs = 1 if self._n_blocks > 1 else residuals[0].shape[1]

        def rhs(pieces: list[_Piece]) -> NDArray[np.float64]:
            of_pieces = [
                self._of_piece(piece, residuals) * piece.factor[:, None] for piece in pieces
            ]
            return np.concatenate(of_pieces)

        rotated = self._factorisation.rotated(rhs, n_outputs)
        c: NDArray[np.float64] = sla.solve_triangular(self._triangle, rotated, check_finite=False)
        if self._n_blocks > 1:
            c = c.reshape(self._n_blocks, -1).T
        return np.asarray(c, dtype=np.float64)

    def nullspace_ratio(self, state: State) -> float:
        """Size of functions of the space that no row makes more than 1 of, times the damping.

        Near 1 nothing but the damping holds some of them back: the conditions leave them open. Of
        those that decide the function it was below 1e-7.
        """
        drawn = np.random.RandomState(0).standard_normal((self.n_columns, 4))
        c = sla.solve_triangular(self._triangle, drawn, check_finite=False)
        sizes = []
        for block in np.split(c, self._n_blocks):
            values = self.frame.modes(block).evaluate(state.points)
            sizes.append(float(np.sqrt(np.mean(values**2))))
        return self._damping * max(sizes)

    def norm(self, residuals: Sequence[NDArray[np.float64]]) -> float:
        """Root of the sum of squares of its own rows, which the fit minimises."""
        total = 0.0
        for k, (kind, residual) in enumerate(zip(self._rows, residuals, strict=True)):
            scaled = (residual * kind.root[:, None])[self._used[k]] / self.scales[k]
            total += float(np.sum(scaled**2)) / self._n_used[k]
        return float(np.sqrt(total))

    def _of_piece(
        self, piece: _Piece, residuals: Sequence[NDArray[np.float64]]
    ) -> NDArray[np.float64]:
        of_kind = residuals[piece.kind][piece.at]
        if self._n_blocks == 1 and len(self._terms[piece.kind]) == 1:
            return of_kind
        return of_kind[:, piece.equation, None]

    def _matrix(self, k: int, equation: int, at: NDArray[np.intp]) -> NDArray[np.float64]:
        """Rows of one equation of a condition, at some of its points."""
        n = self.frame.n_columns
        matrix = np.zeros((len(at), self.n_columns), order="F")
        for term in self._terms[k][equation]:
            columns = self.frame.derivative_columns(self._rows[k].places[term.place][at], term.nu)
            block = max(term.output, 0) if self._n_blocks > 1 else 0
            matrix[:, block * n : (block + 1) * n] += term.coefficient[at, None] * columns
        return matrix

    def _largest(self, k: int, at: NDArray[np.intp]) -> float:
        """The largest root mean square that the operator makes of a column."""
        if len(at) == 0:
            return 1.0
        at = at[:: -(-len(at) // ENOUGH)]
        squares = [
            np.mean(self._matrix(k, equation, at) ** 2, axis=0).max()
            for equation in range(len(self._terms[k]))
        ]
        return float(np.sqrt(max(squares))) or 1.0

    @property
    def _triangle(self) -> NDArray[np.float64]:
        return self._factorisation.triangle

    def _take_in(self, used: Sequence[NDArray[np.bool_]]) -> None:
        pieces = []
        for k, rows in enumerate(used):
            self._used[k] = self._used[k] | rows
            at = np.flatnonzero(rows)
            unit = self.scales[k] * np.sqrt(self._n_used[k])
            for equation in range(len(self._terms[k])):
                pieces.append(_Piece(k, equation, at, self._rows[k].root[at] / unit))
        blocks = _cut(pieces, blocks_of_rows(sum(len(p.at) for p in pieces), self.n_columns))
        self._factorisation = self._factorisation.with_more(blocks, self._matrix_of)

    def _matrix_of(self, pieces: list[_Piece]) -> NDArray[np.float64]:
        matrix = np.empty((sum(len(p.at) for p in pieces), self.n_columns), order="F")
        start = 0
        for piece in pieces:
            rows = self._matrix(piece.kind, piece.equation, piece.at)
            matrix[start : start + len(rows)] = rows * piece.factor[:, None]
            start += len(rows)
        return matrix


def _cut(pieces: list[_Piece], blocks: list[slice]) -> list[list[_Piece]]:
    """The pieces of each block of all their rows."""
    starts = np.cumsum([0, *(len(piece.at) for piece in pieces)])
    found = []
    for block in blocks:
        within = []
        for piece, start in zip(pieces, starts[:-1], strict=True):
            rows = slice(max(block.start - start, 0), max(block.stop - start, 0))
            if len(piece.at[rows]):
                within.append(piece._replace(at=piece.at[rows], factor=piece.factor[rows]))
        found.append(within)
    return found
