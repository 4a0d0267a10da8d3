"""The singular value decomposition, the same with any number of threads."""

from __future__ import annotations

import numpy as np
import scipy.linalg as sla
from numpy.typing import NDArray

from skmsnn.linalg.threads import one_blas_thread


@one_blas_thread
def svd(a: NDArray[np.float64]) -> tuple[NDArray, NDArray, NDArray]:
    """``u, s, vt`` with as many columns as the smaller side of the matrix."""
    if a.size == 0:  # SciPy before 1.14 refuses it
        n, k = a.shape
        return np.zeros((n, 0)), np.zeros(0), np.zeros((0, k))
    try:
        return sla.svd(a, full_matrices=False, check_finite=False)
    except sla.LinAlgError:
        # divide and conquer fails on some nearly dependent columns; the QR iteration does not
        return sla.svd(a, full_matrices=False, check_finite=False, lapack_driver="gesvd")
