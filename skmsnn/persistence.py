"""Loading fitted models from files without running code from them."""

__all__ = ["TRUSTED_TYPES"]

#: The types of this package that a fitted model holds, for the ``trusted`` of
#: ``skops.io.load``, which runs no code from the file and refuses all others. A model as pickle or
#: joblib writes it needs no list, but loading it can run any code.
TRUSTED_TYPES = [
    "skmsnn._domain.Domain",
    "skmsnn._regressor.SpectrumInformedMSNNRegressor",
    "skmsnn._spectrum.bases.LegendreBasis",
    "skmsnn._spectrum.bases.SplineBasis",
    "skmsnn._spectrum.lattice.FourierModes",
    "skmsnn._spectrum.lattice.LatticeModes",
    "skmsnn._spectrum.polynomial.PolynomialModes",
    "skmsnn._spectrum.products.ProductModes",
    "skmsnn._stage.NetworkWeights",
    "skmsnn._stage.Stage",
]
