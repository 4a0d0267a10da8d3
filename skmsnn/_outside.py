"""What a fitted model knows of points outside its data, and what it says of them."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR
from skmsnn._precision import EPS
from skmsnn._warning import SEE, names_of_features
from skmsnn.exceptions import ExtrapolationWarning
from skmsnn.extrapolation import Extrapolation
from skmsnn.model_function import FittedFunction
from skmsnn.validation.local import LocalError
from skmsnn.validation.reach import Reach, Values, error_outside, reach_of
from skmsnn.validation.support import Support

if TYPE_CHECKING:
    from skmsnn._calculus import FittedModelMixin
    from skmsnn._cascade import Source
    from skmsnn._regressor import SpectrumInformedMSNNRegressor as Regressor
    from skmsnn.domain import Domain


def faces_of(domain: Domain, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scaled coordinates (d,) up to which points are in the box of scaled points (n, d).

    A feature without variation has no width, although it has been scaled by one.
    """
    is_constant = (np.ptp(x, axis=0) == 0) & (x[0] == 0)
    return np.where(is_constant, domain.faces - 1, domain.faces)


def estimate_limits(model: Regressor, source: Source) -> None:
    """Estimate local errors, limits of extrapolation and holes, after the last stage."""
    domain, x = model.domain_, source.x
    unseen = model.__dict__.pop("_unseen", None)
    if unseen is None and model._local_error is not None:
        return  # a warm start that has added nothing
    periodic, faces = domain.periodic, faces_of(domain, x)
    model._faces, model._support = faces, Support.of(x, periodic)
    model._extrapolation = Extrapolation.of(model.extrapolation, faces)
    model._local_error, reach = None, Reach.none(periodic)
    if model.validation_errors_:
        reported = model.validation_errors_[-1]
        if unseen is not None and len(unseen.x):
            model._local_error = LocalError.of(unseen, x, periodic, reported)
        free = FittedFunction(domain, model.stages_, *model._scaling, False)
        error = _error_of(model, reported)
        reach = reach_of(free.of_stages, error, x, periodic, free.n_waves)
    model._degrees = reach.degrees
    has_width = faces >= 1
    lower = np.where(has_width, reach.lower, -faces)
    upper = np.where(has_width, reach.upper, faces)
    if domain.logarithmic is not None:
        # 0.1 below the box, in the logarithm, its linear continuation is off by about 0.005
        lowest = -1 - 1 / (FAR * domain.half_width)
        lower = np.where(domain.logarithmic, np.maximum(lower, lowest), lower)
    model._trusted = Extrapolation.of("auto", faces).within(lower, upper)
    if model.extrapolation == "auto":
        model._extrapolation = model._trusted


def standard_deviation(model: FittedModelMixin, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Local error at scaled points (n, d) anywhere, relative to the spread of y."""
    extrapolation = model._extrapolation
    rule = extrapolation
    if rule.rule == "continue":
        rule = replace(model._trusted, rule="continue")
    known = (rule, model._degrees, model.domain_.periodic)
    found = error_outside(model._function.inside, _error_of(model, np.nan), *known, x)
    if extrapolation.rule == "nan":
        found[np.any(extrapolation.nearest(x) != x, axis=1)] = np.nan
    return found


def _error_of(model: FittedModelMixin, reported: float) -> Values:
    """The local error of a model in the box, with the rounding of its values.

    With conditions it is the reported error everywhere.
    """
    scaling, local = model._scaling, model._local_error
    rounding = 4 * EPS * np.hypot(scaling.offset, scaling.scale) / scaling.scale

    def error(x: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full((len(x), 1), reported) if local is None else local(x)
        return np.asarray(np.hypot(found, rounding))

    return error


def warn_of_points_outside(model: FittedModelMixin, x: NDArray[np.float64]) -> None:
    """Warn of scaled points (n, d) that are outside the box, or in holes of the data."""
    faces, extrapolation = model._faces, model._extrapolation
    is_outside = np.abs(x) > faces
    outside = is_outside.any(axis=1)
    n_outside = int(np.count_nonzero(outside))
    if n_outside and extrapolation.rule == "error":
        return  # the rule raises it
    n_in_holes = 0
    if model._support is not None and n_outside < len(x):
        n_in_holes = int(np.count_nonzero(model._support.is_in_hole(x[~outside])))
    if not n_outside and not n_in_holes:
        return
    names = names_of_features(model)
    distances = {
        names[j]: float(model.domain_.distances(x[:, j], int(j)).max()) if faces[j] >= 1 else np.inf
        for j in np.flatnonzero(is_outside.any(axis=0))
    }
    texts = []
    if n_outside:
        texts.append(
            "Points lie outside the box of the training points, where the parameter extrapolation "
            "determines the values."
        )
    if n_in_holes:
        texts.append("Points lie in a hole of the training points, where the fit is not validated.")
    warning = ExtrapolationWarning(" ".join([*texts, SEE]))
    warning.n_points, warning.n_outside, warning.n_in_holes = len(x), n_outside, n_in_holes
    warning.distances = distances
    # above this function are _located, a method of the estimator, and the caller
    warnings.warn(warning, stacklevel=4)
