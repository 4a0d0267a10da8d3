"""Loading fitted models from files without running code from them."""

from inspect import isabstract

from skmsnn import functions

__all__ = ["TRUSTED_TYPES"]

_TYPES: list[type] = [getattr(functions, name) for name in functions.__all__]

#: The types of this package that a fitted model holds, for the ``trusted`` of
#: ``skops.io.load``, which runs no code from the file and refuses all others. A model as pickle or
#: joblib writes it needs no list, but loading it can run any code.
TRUSTED_TYPES = [
    "skmsnn._outside.Outside",
    "skmsnn._regressor.SpectrumInformedMSNNRegressor",
    "skmsnn.domain.Domain",
    "skmsnn.extrapolation.Extrapolation",
    # a file holds objects, and abstract types have none
    *sorted(f"{kind.__module__}.{kind.__name__}" for kind in _TYPES if not isabstract(kind)),
    "skmsnn.model_function.FittedFunction",
    "skmsnn.functions.kernel.PosteriorVariance",
    "skmsnn.validation.local.ExposureOfFeatures",
    "skmsnn.validation.local.Leverage",
    "skmsnn.validation.local.LocalError",
    "skmsnn.validation.support.Support",
    "skmsnn.modules.trained.TrainedNetwork",
    "skmsnn.stage.Stage",
]
