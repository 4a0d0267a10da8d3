"""What a fitted model offers: values, derivatives, and itself as a module or a function."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from skmsnn._arrays import as_numpy, like
from skmsnn._html import selection_table, stages_table
from skmsnn._outside import warn_of_points_outside
from skmsnn.domain import Domain
from skmsnn.extrapolation import Extrapolation
from skmsnn.model_function import FittedFunction
from skmsnn.sources.chunks import is_dask, map_rows
from skmsnn.stage import Stage
from skmsnn.training.devices import prediction_device
from skmsnn.validation.local import LocalError
from skmsnn.validation.scaling import Scaling
from skmsnn.validation.support import Support

if TYPE_CHECKING:
    from skmsnn.modules.cascade import CascadeModule


class FittedModelMixin(BaseEstimator):
    """Values and derivatives of an estimator that has stages."""

    device: str
    warm_start: bool
    stages_: list[Stage]
    domain_: Domain
    n_features_in_: int
    _y_offset: NDArray[np.float64]
    _y_scale: NDArray[np.float64]
    _flat_y: bool
    _complex_y: bool
    extrapolation: str
    _extrapolation: Extrapolation
    _trusted: Extrapolation
    _degrees: NDArray[np.float64]
    _faces: NDArray[np.float64]
    _local_error: LocalError | None
    _support: Support | None

    @property
    def _scaling(self) -> Scaling:
        return Scaling(self._y_offset, self._y_scale)

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_resume", None)  # factorisations, which take up to gigabytes
        state.pop("_prepared", None)
        return state

    def _get_params_html(self, *args: Any, **kwargs: Any) -> Any:
        """Show the parameters, as scikit-learn does, and once fitted the stages below them.

        It is asked for that of an estimator alone and of one inside a pipeline.
        """
        parameters = cast(Any, super())._get_params_html(*args, **kwargs)
        if self.__sklearn_is_fitted__():
            model = cast(Any, self)
            shown = parameters._html_repr() + stages_table(model) + selection_table(model)
            parameters._html_repr = lambda: shown
        return parameters

    @property
    def _continues(self) -> bool:
        """Whether a fit keeps the stages that there are."""
        return self.warm_start and hasattr(self, "stages_")

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "stages_", []))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        tags.input_tags.sparse = True
        return tags

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
        x = self._located(as_numpy(X))
        for k in range(1, self.n_stages_ + 1):
            stages = self.stages_[:k]
            yield like(self._values(x, self._function_of(stages), stages), X)

    def _values(
        self, x: NDArray[np.float64], function: FittedFunction, stages: list[Stage]
    ) -> NDArray[np.float64]:
        """Of some stages at scaled points, in the shape and units of y."""
        device = "cpu" if self.device == "cpu" else prediction_device(self.device)
        if device == "cpu":
            return function.at_scaled(x)

        def on_device(x: NDArray[np.float64], nu: tuple[int, ...]) -> NDArray[np.float64]:
            if any(nu):
                return function.inside(x, nu)
            return np.asarray(np.sum([stage.predict(x, device) for stage in stages], axis=0))

        total = self._extrapolation.derivative(on_device, x, (0,) * self.n_features_in_)
        values = self._scaling.offset + total * self._scaling.scale
        return function.shaped(values)

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
        if is_dask(X):
            return self._map_chunks(type(self).derivative, X, nu)
        orders = self._orders(nu)
        x = self._located(as_numpy(X))
        return like(self._function.at_scaled(x, orders), X)

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
        if is_dask(X):
            return self._map_chunks(type(self).gradient, X)
        x = self._located(as_numpy(X))
        return like(self._function.gradient_at_scaled(x), X)

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
        if is_dask(X):
            return self._map_chunks(type(self).laplacian, X)
        check_is_fitted(self)
        second = (2 * np.eye(self.n_features_in_, dtype=int)).tolist()
        x = self._located(as_numpy(X))
        return like(np.sum([self._function.at_scaled(x, nu) for nu in second], axis=0), X)

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
        from skmsnn.modules.cascade import CascadeModule

        check_is_fitted(self)
        domain, scaling = self.domain_, self._scaling
        scales = [stage.scale * scaling.scale for stage in self.stages_]
        module = CascadeModule(
            domain.centre,
            domain.half_width,
            domain.periodic,
            np.array(scales),
            [stage.to_module() for stage in self.stages_],
            scaling.offset,
            self._flat_y,
            self._complex_y,
            domain.logarithmic,
            self._extrapolation,
        )
        return module.eval()

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
    def _function(self) -> FittedFunction:
        """The model, prepared once for the stages that there are."""
        prepared: FittedFunction | None = self.__dict__.get("_prepared")
        if prepared is None or not prepared.is_of(self.stages_, self.domain_, self._extrapolation):
            prepared = self._prepare()
        return prepared

    def _prepare(self) -> FittedFunction:
        self._prepared = self._function_of(self.stages_)
        return self._prepared

    def _function_of(self, stages: list[Stage]) -> FittedFunction:
        shape = (self._flat_y, self._complex_y)
        return FittedFunction(self.domain_, stages, *self._scaling, *shape, self._extrapolation)

    def _map_chunks(self, method: Callable[..., NDArray], X: Any, *arguments: Any) -> Any:
        """A dask array of what the method gives for each chunk of rows."""
        check_is_fitted(self)
        return map_rows(partial(_call, method, arguments), self, X)

    @property
    def n_stages_(self) -> int:
        """Number of fitted stages."""
        return len(self.stages_)

    def _scaled(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        points = validate_data(self, X, dtype=np.float64, reset=False)
        return self.domain_.scale(cast(NDArray, points))

    def _located(self, X: ArrayLike) -> NDArray[np.float64]:
        """Scale points and warn about those outside the data."""
        x = self._scaled(X)
        warn_of_points_outside(self, x)
        return x

    def _orders(self, nu: int | Sequence[int]) -> list[int]:
        orders = np.atleast_1d(np.asarray(nu))
        is_whole = np.issubdtype(orders.dtype, np.integer)
        if orders.shape != (self.n_features_in_,) or not is_whole or orders.min() < 0:
            raise ValueError(
                f"nu={nu!r} must give the order of the derivative, an integer of at least 0, for "
                f"each of the {self.n_features_in_} features."
            )
        return [int(n) for n in orders]


def _call(
    method: Callable[..., NDArray],
    arguments: tuple[Any, ...],
    model: FittedModelMixin,
    X: NDArray[np.float64],
) -> NDArray[np.float64]:
    return method(model, X, *arguments)
