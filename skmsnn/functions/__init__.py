"""Functions that a fitted stage can be: values, derivatives, coefficients as NumPy arrays."""

from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.lattice import FourierModes, LatticeModes
from skmsnn.functions.polynomial import PolynomialModes
from skmsnn.functions.products import ProductModes
from skmsnn.functions.quotient import QuotientModes
from skmsnn.functions.rational import RationalModes
from skmsnn.functions.separable import SeparableModes
from skmsnn.functions.stack import StackedModes
from skmsnn.functions.sum import SumModes

__all__ = [
    "FourierModes",
    "LatticeModes",
    "LegendreBasis",
    "LegendreWavesBasis",
    "Modes",
    "PolynomialModes",
    "ProductModes",
    "QuotientModes",
    "RationalModes",
    "SeparableModes",
    "SplineBasis",
    "StackedModes",
    "SumModes",
]

Modes = (
    FourierModes
    | LatticeModes
    | SumModes
    | ProductModes
    | PolynomialModes
    | RationalModes
    | QuotientModes
)
