"""Routines of LAPACK that let other threads go on while they run.

SciPy's wrappers of them hold Python's global lock. The functions are those that SciPy exports to
Cython, which state their types in the name of their capsules.
"""

from __future__ import annotations

import ctypes
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cython_lapack


def tpqrt(
    n_trapezoid: int, panel: int, triangle: NDArray[np.float64], rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """QR factorisation of a triangle stacked on rows; both are overwritten, as by xTPQRT.

    Parameters
    ----------
    n_trapezoid : int
        Of the rows, the last that are upper trapezoidal.
    panel : int
        Columns that are factored at a time.
    triangle, rows : ndarray of shape (n_columns, n_columns), (n_rows, n_columns)
        In Fortran order.

    Returns
    -------
    ndarray of shape (panel, n_columns)
        The triangular factors of the block reflectors, of which the vectors stand in ``rows``.
    """
    function, integer = _exported("dtpqrt", 12)
    n_rows, n_columns = rows.shape
    for array in (triangle, rows):
        if not array.flags.f_contiguous or array.dtype != np.float64:
            raise ValueError("LAPACK takes arrays of float64 in Fortran order.")
    factors = np.empty((panel, n_columns), order="F")
    work = np.empty(panel * n_columns)
    info = integer()

    def at(value: int) -> ctypes.c_void_p:
        return ctypes.cast(ctypes.pointer(integer(value)), ctypes.c_void_p)

    def first(array: NDArray[np.float64]) -> ctypes.c_void_p:
        return ctypes.c_void_p(array.ctypes.data)

    function(
        at(n_rows),
        at(n_columns),
        at(n_trapezoid),
        at(panel),
        first(triangle),
        at(max(1, n_columns)),
        first(rows),
        at(max(1, n_rows)),
        first(factors),
        at(panel),
        first(work),
        ctypes.cast(ctypes.pointer(info), ctypes.c_void_p),
    )
    if info.value != 0:
        raise np.linalg.LinAlgError(f"dtpqrt failed with info={info.value}.")
    return factors


@cache
def _exported(name: str, n_arguments: int) -> tuple[ctypes._FuncPointer, type]:
    """A function of ``scipy.linalg.cython_lapack``, and the type of its integers."""
    exported: dict[str, object] = {**cython_lapack.__pyx_capi__}
    capsule = exported[name]
    name_of, pointer_of = (
        getattr(ctypes.pythonapi, f"PyCapsule_Get{what}") for what in ("Name", "Pointer")
    )
    name_of.restype, name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer_of.restype = ctypes.c_void_p
    pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
    signature = name_of(capsule)
    prototype = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * n_arguments)
    integer = ctypes.c_int if b"(int *" in signature else ctypes.c_int64
    return prototype(pointer_of(capsule, signature)), integer
