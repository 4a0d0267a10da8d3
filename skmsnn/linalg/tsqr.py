"""QR factorisation of a tall system, block of rows by block of rows.

A triangle takes in rows and stays a triangle (Demmel, Grigori, Hoemmen & Langou 2012,
Communication-optimal parallel and sequential QR and LU factorizations, section 4: TSQR).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack


class Reflections(NamedTuple):
    """The orthogonal matrix Q' that takes rows into a triangle, as LAPACK's xTPQRT leaves it."""

    vectors: NDArray[np.float64]
    factors: NDArray[np.float64]

    def rotate(self, before: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """What becomes of right-hand sides ``before`` as Q' is applied to them stacked on others.

        Parameters
        ----------
        before : ndarray of shape (n_columns, n_outputs)
            Right-hand sides that go with the triangle.
        rows : ndarray of shape (n_rows, n_outputs)
            Those that go with the rows.
        """
        rotated, _, info = lapack.dtpmqrt(0, self.vectors, self.factors, before, rows, trans="T")
        _check(info, "dtpmqrt")
        return rotated


def take_in(
    triangle: NDArray[np.float64], rows: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Reflections]:
    """The triangle of ``triangle`` stacked on ``rows``, and the reflections that lead to it.

    Parameters
    ----------
    triangle : ndarray of shape (n_columns, n_columns)
        Upper triangular.
    rows : ndarray of shape (n_rows, n_columns)
        In Fortran order they are overwritten, and the reflections stand in them.
    """
    panel = min(64, len(triangle))  # LAPACK's block of columns
    triangle, vectors, factors, info = lapack.dtpqrt(0, panel, triangle, rows, overwrite_b=True)
    _check(info, "dtpqrt")
    return triangle, Reflections(vectors, factors)


def _check(info: int, routine: str) -> None:
    if info != 0:
        raise np.linalg.LinAlgError(f"{routine} failed with info={info}.")
