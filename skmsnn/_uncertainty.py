"""Predictions with how far off they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmsnn._arrays import as_complex, as_numpy, like
from skmsnn._integrals import IntegralMixin
from skmsnn._outside import standard_deviation
from skmsnn.sources.chunks import is_dask

if TYPE_CHECKING:
    Both = tuple[NDArray[np.float64], NDArray[np.float64]]


class UncertaintyMixin(IntegralMixin):
    """Predictions with standard deviations."""

    validation_errors_: list[float]

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> NDArray[np.float64]: ...

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> Both: ...

    def predict(self, X: ArrayLike, return_std: bool = False) -> NDArray[np.float64] | Both:
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
            Values, in the shape of the y that was fitted. Of a dask array, a dask array of the
            same chunks of rows, which is not computed yet.
        std : ndarray of the same shape
            Standard deviations, in the units of y, where they are asked for.

        Raises
        ------
        ValueError
            If standard deviations are asked for, and all points were for training.
        """
        if is_dask(X):
            values = self._map_chunks(type(self).predict, X)
        else:
            x = self._located(as_numpy(X))
            values = like(self._values(x, self._function, self.stages_), X)
        return (values, self._std(X)) if return_std else values

    def _std(self, X: Any) -> NDArray[np.float64]:
        if is_dask(X):
            return self._map_chunks(type(self)._std, X)
        x = self._scaled(as_numpy(X))
        if self._local_error is None:
            raise ValueError(
                "return_std=True needs values that the fit has not seen, and all were for "
                "training, or there are conditions beside them; fit values alone, with "
                "early_stopping=True and more points, or with X_val."
            )
        std = standard_deviation(self, x) * self._scaling.scale
        if self._complex_y:
            std = np.abs(as_complex(std))
        return like(std[:, 0] if self._flat_y else std, X)
