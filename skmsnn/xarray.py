"""Fields of xarray: coordinates are the features, variables the outputs.

It needs xarray, which the extra ``xarray`` installs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from skmsnn import SpectrumInformedMSNNRegressor

__all__ = ["XarrayRegressor"]

_UNITS = ("W", "D", "h", "m", "s", "ms", "us", "ns")


class XarrayRegressor(BaseEstimator):
    """A regressor that takes fields of xarray, and gives such.

    Features are the coordinates of the dimensions, or others by name; outputs are the variables.
    Points at which a variable is missing (NaN) are left out, so that a field with a mask is a grid
    with holes. Arrays of Dask are loaded.

    Times, ``datetime64``, are counted in ``time_unit`` from the earliest of the data on, and
    durations, ``timedelta64``, in ``time_unit``. Derivatives along them are per that unit.

    Parameters
    ----------
    regressor : estimator, default=None
        What is fitted; None is ``SpectrumInformedMSNNRegressor(random_state=0)``.
    features : sequence of str, default=None
        Names of coordinates; None is those of all dimensions, in the order of the data. Others may
        share dimensions, as longitude and latitude of a curved grid, or of a list of stations.
    period : mapping from str to float, default=None
        Periods of coordinates, in their own units, or in ``time_unit`` of times. The others, and
        all under None, are as the ``period`` of the regressor says.
    time_unit : {"W", "D", "h", "m", "s", "ms", "us", "ns"}, default="s"
        Weeks, days, hours, minutes, seconds, and parts of these.

    Attributes
    ----------
    regressor_ : estimator
        The fitted regressor, with coordinates as columns of X and variables as those of y.
    features_ : list of str
        Names of its features.
    time_origins_ : dict from str to datetime64
        Of features that are times, from when on they are counted.
    variables_ : list of str
        Names of its outputs; of a DataArray without a name "values".

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> from skmsnn.xarray import XarrayRegressor
    >>> x, y = np.linspace(0, 1, 30), np.linspace(0, 2, 40)
    >>> field = xr.DataArray(np.outer(np.sin(x), y), coords={"x": x, "y": y}, dims=("x", "y"))
    >>> model = XarrayRegressor().fit(field)
    >>> finer = model.predict({"x": np.linspace(0, 1, 100), "y": [0.5, 1.5]})
    >>> finer.dims
    ('x', 'y')
    >>> slope = model.derivative({"x": [0.5], "y": [1.0]}, {"x": 1})
    >>> bool(abs(slope.item() - np.cos(0.5)) < 1e-10)
    True
    """

    def __init__(
        self,
        regressor: Any = None,
        *,
        features: Sequence[str] | None = None,
        period: Mapping[str, float] | None = None,
        time_unit: str = "s",
    ) -> None:
        self.regressor = regressor
        self.features = features
        self.period = period
        self.time_unit = time_unit

    def fit(self, data: xr.DataArray | xr.Dataset) -> XarrayRegressor:
        """Fit a field, or several on the same coordinates.

        Parameters
        ----------
        data : DataArray or Dataset
            Values; all variables of a Dataset are outputs.

        Returns
        -------
        XarrayRegressor
            The fitted regressor.

        Raises
        ------
        ValueError
            If a coordinate is missing, or is neither of numbers nor of times; or if no values are
            left.
        """
        if self.time_unit not in _UNITS:
            raise ValueError(f"time_unit={self.time_unit!r} is none of {', '.join(_UNITS)}.")
        self._is_array = isinstance(data, xr.DataArray)
        name = str(data.name) if self._is_array and data.name is not None else "values"
        fields = data.to_dataset(name=name) if isinstance(data, xr.DataArray) else data
        self.variables_ = [str(variable) for variable in fields.data_vars]
        if not self.variables_:
            raise ValueError("The Dataset has no variables to fit.")
        self._attributes = {v: dict(fields[v].attrs) for v in self.variables_}
        self.features_ = _names(fields, self.features)
        self.time_origins_ = {
            f: fields[f].values.min() for f in self.features_ if fields[f].dtype.kind == "M"
        }
        arrays = xr.broadcast(
            *(self._numbers(fields[f]) for f in self.features_),
            *(fields[v] for v in self.variables_),
        )
        columns = [np.asarray(array.values).ravel() for array in arrays]
        n_features = len(self.features_)
        X, y = np.stack(columns[:n_features], axis=1), np.stack(columns[n_features:], axis=1)
        known = ~np.isnan(y).any(axis=1) & ~np.isnan(X).any(axis=1)
        if not known.any():
            raise ValueError("All values are missing (NaN); nothing is left to fit.")
        y = y[:, 0] if self._is_array else y
        self.regressor_ = self._prepared().fit(X[known], y[known])
        return self

    def predict(
        self, coordinates: xr.DataArray | xr.Dataset | Mapping[str, Any], return_std: bool = False
    ) -> Any:
        """Predict fields.

        Parameters
        ----------
        coordinates : DataArray, Dataset or mapping from str to array-like
            Where: the coordinates of an object of xarray, or arrays of one dimension by the names
            of the features, between which a grid is spanned.
        return_std : bool, default=False
            Whether to give standard deviations as well, as the regressor's ``predict`` does.

        Returns
        -------
        fields : DataArray or Dataset
            As what was fitted, on the dimensions of the coordinates.
        std : DataArray or Dataset
            Returned only with ``return_std=True``.
        """
        X, place = self._points(coordinates)
        if not return_std:
            return self._fields(self.regressor_.predict(X), place)
        values, std = self.regressor_.predict(X, return_std=True)
        return self._fields(values, place), self._fields(std, place)

    def derivative(
        self,
        coordinates: xr.DataArray | xr.Dataset | Mapping[str, Any],
        orders: Mapping[str, int],
    ) -> Any:
        """Differentiate fields.

        Parameters
        ----------
        coordinates : DataArray, Dataset or mapping from str to array-like
            Where, as in ``predict``.
        orders : mapping from str to int
            Order of the derivative along each coordinate; those not named are not differentiated.

        Returns
        -------
        DataArray or Dataset
            Per unit of the coordinates, times per ``time_unit``; without attributes.

        Raises
        ------
        ValueError
            If a name is not that of a feature.
        """
        X, place = self._points(coordinates)
        for name in orders:
            if name not in self.features_:
                raise ValueError(f"{name!r} is not a feature; those are {self.features_}.")
        nu = [orders.get(name, 0) for name in self.features_]
        return self._fields(self.regressor_.derivative(X, nu), place, keep_attributes=False)

    def _prepared(self) -> Any:
        regressor: Any = SpectrumInformedMSNNRegressor(random_state=0)
        if self.regressor is not None:
            regressor = clone(self.regressor)
        if self.period:
            unknown = set(self.period) - set(self.features_)
            if unknown:
                raise ValueError(f"period names {sorted(unknown)}, but features {self.features_}.")
            given = regressor.period
            rest = given if isinstance(given, list | tuple) else [given] * len(self.features_)
            periods = zip(self.features_, rest, strict=True)
            regressor.set_params(
                period=[self.period.get(f, None if p == "auto" else p) for f, p in periods]
            )
        return regressor

    def _points(self, coordinates: Any) -> tuple[NDArray[np.float64], xr.DataArray]:
        """Points (n, d), and an array of their shape with all coordinates."""
        check_is_fitted(self, "regressor_")
        if not isinstance(coordinates, xr.DataArray | xr.Dataset):
            others = [name for name in coordinates if name not in self.features_]
            if others:
                raise ValueError(f"{others[0]!r} is not a feature; those are {self.features_}.")
            coordinates = xr.Dataset(coords=dict(coordinates))
        missing = [name for name in self.features_ if name not in coordinates.coords]
        if missing:
            raise ValueError(f"There are no coordinates {missing}; give all of {self.features_}.")
        arrays = xr.broadcast(*(self._numbers(coordinates[f]) for f in self.features_))
        return np.stack([array.values.ravel() for array in arrays], axis=1), arrays[0]

    def _numbers(self, coordinate: xr.DataArray) -> xr.DataArray:
        """Count times, and take numbers as they are."""
        name, kind = str(coordinate.name), coordinate.dtype.kind
        values = coordinate.values
        if kind == "M":
            origin = self.time_origins_.get(name)
            if origin is None:
                raise ValueError(f"Coordinate {name} is of times, but numbers were fitted.")
            values = _in_units(values - origin, self.time_unit)
        elif kind == "m":
            values = _in_units(values, self.time_unit)
        elif kind not in "biuf":
            raise ValueError(
                f"Coordinate {name} is of type {coordinate.dtype}; give numbers or datetime64, as "
                "convert_calendar('standard') makes of other calendars."
            )
        elif name in self.time_origins_:
            raise ValueError(f"Coordinate {name} is of numbers, but times were fitted.")
        numbers = np.asarray(values, dtype=np.float64)
        return xr.DataArray(numbers, coords=coordinate.coords, dims=coordinate.dims)

    def _fields(
        self, values: NDArray[Any], place: xr.DataArray, keep_attributes: bool = True
    ) -> Any:
        """Values (n,) or (n, n_variables) as fields."""
        columns = values.reshape(*place.shape, -1)
        fields = {}
        for k, name in enumerate(self.variables_):
            attributes = self._attributes[name] if keep_attributes else None
            fields[name] = xr.DataArray(
                columns[..., k], coords=place.coords, dims=place.dims, name=name, attrs=attributes
            )
        return fields[self.variables_[0]] if self._is_array else xr.Dataset(cast(Any, fields))


def _names(fields: xr.Dataset, features: Sequence[str] | None) -> list[str]:
    """Names of the features."""
    if features is None:
        dims: list[Any] = []
        for variable in fields.data_vars.values():
            dims += [dim for dim in variable.dims if dim not in dims]
        features = dims
    if not len(features):
        raise ValueError("The data have no dimensions, so that there are no features.")
    missing = [name for name in features if name not in fields.coords]
    if missing:
        raise ValueError(
            f"There are no coordinates {missing}; give them by assign_coords, or name others as "
            "features."
        )
    return [str(name) for name in features]


def _in_units(durations: NDArray[Any], unit: str) -> NDArray[np.float64]:
    """Durations as multiples of a unit; what is not one (NaT) is nan."""
    return np.asarray(durations / np.timedelta64(1, cast(Any, unit)), dtype=np.float64)
