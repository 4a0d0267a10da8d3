"""Functions that a fitted stage can be: values, derivatives, coefficients as NumPy arrays."""

from skmsnn.functions.bases import LegendreBasis, SplineBasis
from skmsnn.functions.lattice import FourierModes, LatticeModes
from skmsnn.functions.polynomial import PolynomialModes
from skmsnn.functions.products import ProductModes

__all__ = [
    "FourierModes",
    "LatticeModes",
    "LegendreBasis",
    "Modes",
    "PolynomialModes",
    "ProductModes",
    "SplineBasis",
]

Modes = FourierModes | LatticeModes | ProductModes | PolynomialModes
