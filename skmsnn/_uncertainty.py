"""Predictions with how far off they may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skmsnn._arrays import as_complex, as_numpy, like
from skmsnn._integrals import IntegralMixin
from skmsnn.judge.local import Unseen, local_error
from skmsnn.sources.chunks import is_dask

if TYPE_CHECKING:
    Both = tuple[NDArray[np.float64], NDArray[np.float64]]


class UncertaintyMixin(IntegralMixin):
    """Predictions with standard deviations."""

    validation_norms_: list[float]
    _unseen: tuple[NDArray[np.float64], NDArray[np.float64]] | None

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[False] = False) -> NDArray[np.float64]: ...

    @overload
    def predict(self, X: ArrayLike, return_std: Literal[True]) -> Both: ...

    def predict(self, X: ArrayLike, return_std: bool = False) -> NDArray[np.float64] | Both:
        """Predict values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points. Outside the box of the training points the model extrapolates, and is not to
            be trusted, except along periodic axes.
        return_std : bool, default=False
            Whether to tell how far off the values may be, too: the root mean square of what the
            model leaves at the nearest points that a fit has not seen, left out one by one,
            by whole lines of a grid, or held out. Intervals of 1.96 of them on either side hold
            at least 95 % of fresh values, noise included, of most data; lines left out make gaps
            twice as wide, and of smooth functions they hold nearly all. No guarantee, and none at
            all outside the box.

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
        values = super().predict(X)
        return (values, self._std(X)) if return_std else values

    def _std(self, X: Any) -> NDArray[np.float64]:
        if is_dask(X):
            return self._map_chunks(type(self)._std, X)
        x = self._scaled(as_numpy(X))
        if self._unseen is None or not self.validation_norms_:
            raise ValueError(
                "return_std=True needs values that the fit has not seen, and all were for "
                "training, or there are conditions beside them; fit values alone, with "
                "early_stopping=True and more points, or with X_val."
            )
        reported = self.validation_norms_[-1]
        left = local_error(Unseen(*self._unseen), x, self.domain_.periodic, reported)
        scaling = self._scaling
        rounding = 4 * np.finfo(float).eps * np.hypot(scaling.offset, scaling.scale)
        std = np.hypot(left * scaling.scale, rounding)
        if self._complex_y:
            std = np.abs(as_complex(std))
        return like(std[:, 0] if self._flat_y else std, X)
