"""QR factorisation of a tall system, block of rows by block of rows.

A triangle takes in rows and stays a triangle (Demmel, Grigori, Hoemmen & Langou 2012,
Communication-optimal parallel and sequential QR and LU factorizations, section 4: TSQR). Two
triangles do so side by side, and one of them then takes in the other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import partial
from itertools import pairwise
from math import ceil
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from skmsnn._comparison import FAR
from skmsnn._effort import FLOPS_PER_SECOND, qr_operations
from skmsnn._memory import rows_a_block
from skmsnn.linalg.lapack import tpqrt
from skmsnn.linalg.threads import side_by_side

#: What tells blocks of rows apart.
Key = TypeVar("Key")


class Reflections(NamedTuple):
    """The orthogonal matrix Q' that takes rows into a triangle, as LAPACK's xTPQRT leaves it."""

    vectors: NDArray[np.float64]
    factors: NDArray[np.float64]
    n_trapezoid: int

    def rotate(self, before: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What becomes of right-hand sides ``before`` as Q' is applied to them stacked on others.

        Parameters
        ----------
        before : ndarray of shape (n_columns, n_outputs)
            Right-hand sides that go with the triangle.
        rows : ndarray of shape (n_rows, n_outputs)
            Those that go with the rows.
        """
        arguments = (self.n_trapezoid, self.vectors, self.factors, before, rows)
        rotated, _, info = lapack.dtpmqrt(*arguments, trans="T")
        if info != 0:
            raise np.linalg.LinAlgError(f"dtpmqrt failed with info={info}.")
        return rotated


def take_in(
    triangle: NDArray[np.float64], rows: NDArray[np.float64], n_trapezoid: int = 0
) -> tuple[NDArray[np.float64], Reflections]:
    """The triangle of ``triangle`` stacked on ``rows``, and the reflections that lead to it.

    Parameters
    ----------
    triangle : ndarray of shape (n_columns, n_columns)
        Upper triangular.
    rows : ndarray of shape (n_rows, n_columns)
        In Fortran order they are overwritten, and the reflections stand in them.
    n_trapezoid : int, default=0
        Of the rows, the last that are upper trapezoidal.
    """
    triangle = np.array(triangle, order="F")
    return triangle, _absorbed(triangle, rows, n_trapezoid)


class Factorisation(Generic[Key]):
    """The triangle of all rows that were taken in, and the way there.

    Parameters
    ----------
    triangle : ndarray of shape (n_columns, n_columns)
        To begin with; upper triangular.
    """

    def __init__(self, triangle: NDArray[np.float64]) -> None:
        self.triangle = triangle
        self._steps: list[_Step[Key]] = []

    def with_more(
        self, keys: Sequence[Key], rows: Callable[[Key], NDArray[np.float64]]
    ) -> Factorisation[Key]:
        """The factorisation that has taken in more rows.

        Parameters
        ----------
        keys : sequence
            Of blocks of rows.
        rows : callable
            Given the key of a block, its rows (n_rows, n_columns); called in several threads.
        """
        more = copy(self)
        own, others = keys[::2], keys[1::2]
        more.triangle = np.array(self.triangle, order="F")
        if not others:
            more._steps = [*self._steps, *_steps(more.triangle, own, rows)]
            return more
        other = np.zeros(self.triangle.shape, order="F")
        steps, other_steps = side_by_side(
            partial(_steps, more.triangle, own, rows), partial(_steps, other, others, rows)
        )
        merged = _absorbed(more.triangle, other, n_trapezoid=len(other))
        more._steps = [*self._steps, *steps, _Step(None, other_steps, merged)]
        return more

    def rotated(
        self, rhs: Callable[[Key], NDArray[np.float64]], n_outputs: int
    ) -> NDArray[np.float64]:
        """Right-hand sides (n_columns, n_outputs) that go with the triangle.

        Parameters
        ----------
        rhs : callable
            Given the key of a block, its right-hand sides (n_rows, n_outputs).
        n_outputs : int
            Columns of right-hand sides.
        """
        return _rotated(self._steps, rhs, (len(self.triangle), n_outputs))


def blocks_of_rows(n_rows: int, n_columns: int) -> list[slice]:
    """As many rows at a time as a triangle best takes in; two halves where two threads pay."""
    if n_rows == 0:
        return []
    n_blocks = ceil(n_rows / max(n_columns, rows_a_block(8 * n_columns)))
    if n_rows >= n_columns and qr_operations(n_rows, n_columns) * FAR**2 >= FLOPS_PER_SECOND:
        n_blocks = 2 * ceil(n_blocks / 2)
    ends = np.linspace(0, n_rows, min(n_blocks, n_rows) + 1).round().astype(int)
    return [slice(start, end) for start, end in pairwise(ends.tolist())]


class _Step(Generic[Key]):
    """A block of rows that is taken in, or another triangle of such blocks, and how."""

    def __init__(
        self, key: Key | None, others: Sequence[_Step[Key]], reflections: Reflections
    ) -> None:
        self.key, self.others, self.reflections = key, others, reflections


def _steps(
    triangle: NDArray[np.float64],
    keys: Sequence[Key],
    rows: Callable[[Key], NDArray[np.float64]],
) -> list[_Step[Key]]:
    """The triangle takes in these rows, in place."""
    return [_Step(key, (), _absorbed(triangle, rows(key))) for key in keys]


def _absorbed(
    triangle: NDArray[np.float64], rows: NDArray[np.float64], n_trapezoid: int = 0
) -> Reflections:
    """As ``take_in``, in place."""
    rows = np.asfortranarray(rows)
    panel = min(64, len(triangle))  # LAPACK's block of columns
    return Reflections(rows, tpqrt(n_trapezoid, panel, triangle, rows), n_trapezoid)


def _rotated(
    steps: Sequence[_Step[Key]],
    rhs: Callable[[Key], NDArray[np.float64]],
    shape: tuple[int, int],
) -> NDArray[np.float64]:
    rotated = np.zeros(shape, order="F")
    for step in steps:
        rows = rhs(step.key) if step.key is not None else _rotated(step.others, rhs, shape)
        rotated = step.reflections.rotate(rotated, np.asfortranarray(rows))
    return rotated
