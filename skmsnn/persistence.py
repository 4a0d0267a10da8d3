"""Loading fitted models from files without running code from them."""

__all__ = ["TRUSTED_TYPES"]

#: The types of this package that a fitted model holds, for the ``trusted`` of
#: ``skops.io.load``, which runs no code from the file and refuses all others. A model as pickle or
#: joblib writes it needs no list, but loading it can run any code.
TRUSTED_TYPES = [
    "skmsnn._regressor.SpectrumInformedMSNNRegressor",
    "skmsnn.domain.Domain",
    "skmsnn.functions.bases.LegendreBasis",
    "skmsnn.functions.bases.LegendreWavesBasis",
    "skmsnn.functions.bases.SplineBasis",
    "skmsnn.functions.lattice.FourierModes",
    "skmsnn.functions.lattice.LatticeModes",
    "skmsnn.functions.polynomial.PolynomialModes",
    "skmsnn.functions.products.ProductModes",
    "skmsnn.functions.quotient.QuotientModes",
    "skmsnn.functions.rational.RationalModes",
    "skmsnn.functions.separable.SeparableModes",
    "skmsnn.functions.stack.StackedModes",
    "skmsnn.functions.sum.SumModes",
    "skmsnn.modules.trained.TrainedNetwork",
    "skmsnn.stage.Stage",
]
