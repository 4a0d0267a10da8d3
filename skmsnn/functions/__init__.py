"""Functions that a fitted stage can be: values, derivatives, coefficients as NumPy arrays.

A new one is a file here and a line below; where torch is asked for it, also a module in
``skmsnn.modules.of_functions``.
"""

from skmsnn.functions.base import Function, LinearExpansion
from skmsnn.functions.bases import LegendreBasis, LegendreWavesBasis, SplineBasis
from skmsnn.functions.kernel import KernelExpansion
from skmsnn.functions.lattice import FourierSum, TensorFourierSeries
from skmsnn.functions.of_features import OfFeatures
from skmsnn.functions.polynomial import LegendreSeries
from skmsnn.functions.products import TensorProductSeries
from skmsnn.functions.quotient import RationalFunction
from skmsnn.functions.rational import PartialFractions
from skmsnn.functions.separable import CanonicalDecomposition
from skmsnn.functions.stack import MultiOutput
from skmsnn.functions.sum import FunctionSum
from skmsnn.functions.triangulated import TriangulatedSurface

__all__ = [
    "CanonicalDecomposition",
    "FourierSum",
    "Function",
    "FunctionSum",
    "KernelExpansion",
    "LegendreBasis",
    "LegendreSeries",
    "LegendreWavesBasis",
    "LinearExpansion",
    "MultiOutput",
    "OfFeatures",
    "PartialFractions",
    "RationalFunction",
    "SplineBasis",
    "TensorFourierSeries",
    "TensorProductSeries",
    "TriangulatedSurface",
]
