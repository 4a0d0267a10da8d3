"""Integrals of a fitted model, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_array, check_is_fitted

from skmsnn._arrays import as_numpy
from skmsnn._calculus import FittedModelMixin

if TYPE_CHECKING:
    from skmsnn.domain import Domain


class IntegralMixin(FittedModelMixin):
    """Integrals of an estimator that has stages."""

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
        self._check_integrable(range(self.n_features_in_))
        domain = self.domain_
        ends = [
            domain.centre - domain.half_width if lower is None else as_numpy(lower),
            domain.centre + domain.half_width if upper is None else as_numpy(upper),
        ]
        is_one = all(np.ndim(end) == 1 for end in ends)
        a, b = np.broadcast_arrays(*(self._corners(end) for end in ends))
        axes = range(self.n_features_in_)
        scaled = (_scaled(domain, a), _scaled(domain, b))
        found = self._function.integral_at_scaled(*scaled, list(axes))
        return found[0] if is_one else found

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
        check_is_fitted(self)
        j, domain = self._number_of(feature), self.domain_
        self._check_integrable([j])
        x = self._located(as_numpy(X))
        # along the feature points are not moved by periods
        whole = np.asarray(check_array(as_numpy(X), dtype=np.float64))
        x[:, j] = (whole[:, j] - domain.centre[j]) / domain.half_width[j]
        start = x.copy()
        start[:, j] = -1.0 if lower is None else (lower - domain.centre[j]) / domain.half_width[j]
        return self._function.integral_at_scaled(start, x, [j])

    def _corners(self, corners: Any) -> NDArray[np.float64]:
        found = check_array(np.atleast_2d(corners), dtype=np.float64, input_name="corners")
        if found.shape[1] != self.n_features_in_:
            raise ValueError(
                f"A corner has {found.shape[1]} coordinates, but the model {self.n_features_in_} "
                "features; give one for each."
            )
        return cast(NDArray[np.float64], found)

    def _number_of(self, feature: int | str) -> int:
        names = list(getattr(self, "feature_names_in_", []))
        d = self.n_features_in_
        if isinstance(feature, str) and feature in names:
            return names.index(feature)
        if isinstance(feature, int | np.integer) and -d <= feature < d:
            return int(feature) % d
        raise ValueError(
            f"feature={feature!r} is none; give a number below {d}"
            + (f", or one of {', '.join(names)}." if names else ".")
        )

    def _check_integrable(self, features: Sequence[int]) -> None:
        logarithmic = self.domain_.logarithmic
        for j in features:
            if logarithmic is not None and logarithmic[j]:
                raise ValueError(
                    f"Feature {j} is on a logarithmic scale, on which integrals have no closed "
                    "form; integrate to_function() numerically, as by scipy.integrate, or fit with "
                    "feature_transforms='linear'."
                )
        for number, stage in enumerate(self.stages_, start=1):
            if not stage.function.has_integral(len(features)):
                raise ValueError(
                    f"Stage {number} is of the family {stage.family}, whose integrals have no "
                    f"closed form, and over {len(features)} features take too many points; leave "
                    "that family out of families, or take the mean of values at random points."
                )


def _scaled(domain: Domain, corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """In scaled coordinates, not moved by periods."""
    return (corners - domain.centre) / domain.half_width
