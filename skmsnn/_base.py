"""What a fitted estimator offers: its sum of stages, for arrays as scikit-learn takes them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skmsnn._arrays import as_numpy, like
from skmsnn._html import selection_table, stages_table
from skmsnn._warning import names_of_features
from skmsnn.domain import Domain
from skmsnn.importance import total_sobol_indices
from skmsnn.model_function import FittedFunction
from skmsnn.sources.chunks import is_dask, map_rows
from skmsnn.stage import Stage

if TYPE_CHECKING:
    from skmsnn.modules.cascade import CascadeModule


class BaseMultistageRegressor(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """A regressor that predicts by a sum of stages; how they are fitted is left to subclasses."""

    device: str
    warm_start: bool
    stages_: list[Stage]
    domain_: Domain
    n_features_in_: int
    _fitted: FittedFunction

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> NDArray[np.float64]: ...

    @overload
    def predict(
        self, X: ArrayLike, return_std: Literal[True]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...

    def predict(self, X: ArrayLike, return_std: bool = False) -> Any:
        """Predict values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points. Outside the box of the training points the parameter ``extrapolation`` says
            what is returned, with a warning. Periodic axes have no outside.
        return_std : bool, default=False
            Whether to return local error estimates, too: from residuals at the nearest points that
            a fit has not seen, left out one by one, by whole lines of a grid, or held out, and from
            how exposed the point is. Outside the box they grow with the distance. Intervals of
            1.96 of them on either side contain about 95 % of fresh values, noise included, on the
            data of ``python -m examples.benchmarks.coverage``. No guarantee.

        Returns
        -------
        values : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Values, in the shape of the y that was fitted. For a dask array, a dask array of the
            same chunks of rows, which is not computed yet.
        std : ndarray of the same shape
            Standard deviations, in the units of y, with ``return_std=True``.

        Raises
        ------
        ValueError
            If ``return_std=True`` and all points were for training.
        """
        values = self._at(X, FittedFunction.at_scaled, ((), self.device))
        if not return_std:
            return values
        return values, self._at(X, FittedFunction.std_at_scaled, warns=False)

    def staged_predict(self, X: ArrayLike) -> Iterator[NDArray[np.float64]]:
        """Predict values by the first stage, the first two, and so on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.

        Yields
        ------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Values after each stage.
        """
        if is_dask(X):
            raise ValueError("staged_predict takes arrays in memory, not dask arrays.")
        x = self._scaled(self._checked(X))
        for k in range(1, self.n_stages_ + 1):
            yield like(self._first(k, x), X)

    def derivative(self, X: ArrayLike, nu: int | Sequence[int]) -> NDArray[np.float64]:
        """Differentiate the prediction.

        Spectral stages are differentiated mode by mode, trained networks by automatic
        differentiation. Each order costs digits: an error at wave number w, in radians per unit of
        X, grows by a factor w.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.
        nu : int or sequence of int
            Order of the derivative along each feature; 0 for the value itself. One number serves
            for one feature.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Derivatives with respect to X in its own units, in the shape of the y that was fitted.

        Raises
        ------
        ValueError
            If ``nu`` does not name one order, a non-negative integer, for each feature.
        """
        check_is_fitted(self)
        return self._at(X, FittedFunction.at_scaled, (_orders(nu, self.n_features_in_),))

    def gradient(self, X: ArrayLike) -> NDArray[np.float64]:
        """First derivatives of the prediction along each feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_features, n_outputs)
            ``gradient[i, j]`` is the derivative at point i along feature j, in the units of y over
            those of X; with a last axis if the y that was fitted has two.
        """
        return self._at(X, FittedFunction.gradient_at_scaled)

    def laplacian(self, X: ArrayLike) -> NDArray[np.float64]:
        """Sum of the second derivatives of the prediction along all features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points, in units that all features share.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the shape of the y that was fitted.
        """
        return self._at(X, FittedFunction.laplacian_at_scaled)

    def integral(
        self, lower: ArrayLike | None = None, upper: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """Integrate the prediction over a box.

        Waves, polynomials, splines, fractions and their products are integrated in closed form, to
        round-off; networks and quotients of several features by Gauss-Legendre quadrature, of up
        to three features, to ten digits.

        Parameters
        ----------
        lower, upper : array-like of shape (n_features,) or (n_boxes, n_features), default=None
            Corners of the box, or of several; by default of that of the training points, or of one
            period. Along periodic axes they may be any distance apart.

        Returns
        -------
        float or ndarray of shape (n_outputs,), (n_boxes,) or (n_boxes, n_outputs)
            In the units of y times those of all features.

        Raises
        ------
        ValueError
            If a stage has no integral in closed form, and there are more than three features or
            quadrature does not converge; or if a corner does not have
            ``n_features`` finite coordinates.
        """
        check_is_fitted(self)
        return self._function.integral_over(as_numpy(lower), as_numpy(upper))

    def antiderivative(
        self, X: ArrayLike, feature: int | str, lower: float | None = None
    ) -> NDArray[np.float64]:
        """Integrate the prediction along one feature, from a lower end to each point.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points; the other features stay as they are.
        feature : int or str
            Number of the feature, or its name.
        lower : float, default=None
            Where the integrals begin; None is the lower end of the training points.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of y times those of the feature. Its derivative along it is ``predict``.

        Raises
        ------
        ValueError
            If quadrature of a stage without a closed form does not converge, or there is no such
            feature.
        """
        points, names = self._checked(X), list(getattr(self, "feature_names_in_", []))
        self._scaled(points)  # warns of points outside
        j = _number_of(feature, names, self.n_features_in_)
        return self._function.antiderivative_at(points, j, lower)

    def to_module(self) -> CascadeModule:
        """Make one torch module of the fitted model, for use in other torch code.

        Returns
        -------
        torch.nn.Module
            In double precision, from raw X (n_samples, n_features) to raw y, in the shape of the y
            that was fitted; a ``ValueError`` refuses other shapes of X. It agrees with ``predict``
            to round-off, can be differentiated, and goes to ONNX with any number of rows. Its
            weights are copies.
        """
        check_is_fitted(self)
        return self._function.to_module()

    def to_function(self) -> FittedFunction:
        """Make a plain function of the fitted model, for use in solvers and optimisers.

        Returns
        -------
        FittedFunction
            A callable that checks no more than shapes, some microseconds a point: of points of
            shape (n_features,) or (n, n_features) as arrays of float, in the units of X. For one
            point it returns a float, or an array of shape (n_outputs,); ``gradient`` are its first
            derivatives. Networks are evaluated on the CPU.
        """
        check_is_fitted(self)
        return self._function

    @property
    def n_stages_(self) -> int:
        """Number of fitted stages."""
        return len(self.stages_)

    @property
    def feature_importances_(self) -> NDArray[np.float64]:
        """Total Sobol' indices of the features, uniform in the box of the training points.

        The share of the variance of the model, of all outputs together, that is lost once a
        feature alone is not known (n_features,). They add up to one where features do not interact.
        """
        check_is_fitted(self)
        function = self._function

        def values(x: NDArray[np.float64]) -> NDArray[np.float64]:
            found = function.at_scaled(x).reshape(len(x), -1)
            return np.concatenate([found.real, found.imag], axis=1)

        return total_sobol_indices(values, self.n_features_in_)

    @property
    def _function(self) -> FittedFunction:
        """The sum of the stages that there are, which may have been replaced since the fit."""
        if not self._fitted.is_of(self.stages_, self.domain_):
            self._fitted = replace(self._fitted, stages=tuple(self.stages_), domain=self.domain_)
        return self._fitted

    @property
    def _continues(self) -> bool:
        """Whether a fit keeps the stages that there are."""
        return self.warm_start and hasattr(self, "stages_")

    def _at(
        self,
        X: Any,
        method: Callable[..., NDArray],
        arguments: tuple[Any, ...] = (),
        warns: bool = True,
    ) -> Any:
        """What a method of the function gives at points as they are given."""
        check_is_fitted(self)
        if is_dask(X):
            at_rows = partial(type(self)._at, method=method, arguments=arguments, warns=warns)
            return map_rows(at_rows, self, X)
        points = self._checked(X)
        x = self._scaled(points, stacklevel=4) if warns else self.domain_.scale(points)
        return like(method(self._function, x, *arguments), X)

    def _first(self, n_stages: int, x: NDArray[np.float64]) -> NDArray[Any]:
        """Values of the first stages at scaled points."""
        return self._function.first(n_stages).at_scaled(x, (), self.device)

    def _checked(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        return cast(NDArray, validate_data(self, as_numpy(X), dtype=np.float64, reset=False))

    def _scaled(self, points: NDArray[np.float64], stacklevel: int = 3) -> NDArray[np.float64]:
        """Scale points, and warn of those outside the data.

        The default of ``stacklevel`` names the caller of the method that calls this one.
        """
        x = self.domain_.scale(points)
        found = self._function.outside.warning_at(self.domain_, x, names_of_features(self))
        if found is not None:
            warnings.warn(found, stacklevel=stacklevel)
        return x

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_resume", None)  # factorisations, which take up to gigabytes
        return state

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "stages_", []))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        tags.input_tags.sparse = True
        return tags

    def _get_params_html(self, *args: Any, **kwargs: Any) -> Any:
        """Show the parameters, as scikit-learn does, and once fitted the stages below them.

        It is asked for that of an estimator alone and of one inside a pipeline.
        """
        parameters = cast(Any, super())._get_params_html(*args, **kwargs)
        if self.__sklearn_is_fitted__():
            shown = parameters._html_repr() + stages_table(self) + selection_table(self)
            parameters._html_repr = lambda: shown
        return parameters


def _orders(nu: int | Sequence[int], n_features: int) -> list[int]:
    orders = np.atleast_1d(np.asarray(nu))
    is_whole = np.issubdtype(orders.dtype, np.integer)
    if orders.shape != (n_features,) or not is_whole or orders.min() < 0:
        raise ValueError(
            f"nu={nu!r} must give the order of the derivative, an integer of at least 0, for "
            f"each of the {n_features} features."
        )
    return [int(n) for n in orders]


def _number_of(feature: int | str, names: list[str], n_features: int) -> int:
    if isinstance(feature, str) and feature in names:
        return names.index(feature)
    if isinstance(feature, int | np.integer) and -n_features <= feature < n_features:
        return int(feature) % n_features
    raise ValueError(
        f"feature={feature!r} is none; give a number below {n_features}"
        + (f", or one of {', '.join(names)}." if names else ".")
    )
