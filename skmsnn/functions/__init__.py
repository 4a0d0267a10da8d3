"""Functions that a fitted stage can be: values, derivatives, coefficients as NumPy arrays.

A new one is a file here and a line below; where torch is asked for it, also a module in
``skmsnn.modules.of_functions``.
"""

from skmsnn.functions.base import Function, Modes
from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.lattice import FourierModes, LatticeModes
from skmsnn.functions.polynomial import PolynomialModes
from skmsnn.functions.products import ProductModes
from skmsnn.functions.quotient import QuotientModes
from skmsnn.functions.rational import RationalModes
from skmsnn.functions.separable import SeparableModes
from skmsnn.functions.stack import StackedModes
from skmsnn.functions.sum import SumModes
from skmsnn.functions.triangulated import TriangulatedModes

__all__ = [
    "FourierModes",
    "Function",
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
    "TriangulatedModes",
]
