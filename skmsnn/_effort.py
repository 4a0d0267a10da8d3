"""What computations cost, in floating point operations, and how much they may."""

from __future__ import annotations

# Of a factorisation in a second: 2.5e10 of a singular value decomposition, 3.5e10 of a QR
# factorisation of 4000 rows and 1000 columns, on one core of 2025.
FLOPS_PER_SECOND = 2e10
# No set of functions, and no network, costs more.
MOST_OPERATIONS = 50 * FLOPS_PER_SECOND
# Products that NumPy makes in the time in which FINUFFT or torch begin, 0.2 ms.
SET_UP = 100_000
# Steps of a Newton-like iteration, and the fall in one below which there is no further one. With
# half and twice of each all errors were the same.
ITERATIONS, LEAST_FALL = 60, 0.01


def qr_operations(n_rows: float, n_columns: float) -> float:
    """Of a QR factorisation without its orthogonal factor."""
    return 2.0 * n_rows * n_columns**2


def svd_operations(n_rows: float, n_columns: float) -> float:
    """Of a singular value decomposition, R-bidiagonalisation and vectors, of a tall matrix."""
    return 6.0 * n_rows * n_columns**2
