"""What a fitted model knows of points outside its data, and what it says of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import FAR
from skmsnn._warning import SEE
from skmsnn.domain import Domain
from skmsnn.exceptions import ExtrapolationWarning
from skmsnn.extrapolation import Extrapolation
from skmsnn.validation.local import LocalError, Unseen
from skmsnn.validation.reach import Reach, Values, error_outside, reach_of
from skmsnn.validation.support import Support


class Sum(Protocol):
    """The sum of stages that it is known of, at scaled points, relative to the spread of y."""

    @property
    def domain(self) -> Domain: ...

    @property
    def rounding(self) -> NDArray[np.float64]: ...

    @property
    def n_waves(self) -> float: ...

    def inside(self, x: NDArray[np.float64]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, eq=False)
class Outside:
    """What a fitted model knows of points outside its data.

    Attributes
    ----------
    faces : ndarray of shape (d,)
        Scaled coordinates up to which points are in the box.
    extrapolation, trusted : Extrapolation
        How the model continues from there on, and how it would under "auto".
    degrees : ndarray of shape (n_outputs, d) or (1, d)
        The first ones that it does not resolve.
    support : Support or None
        Where the box has holes.
    local_error : LocalError or None
        Its errors in the box, where residuals at unseen points tell them.
    """

    faces: NDArray[np.float64]
    extrapolation: Extrapolation
    trusted: Extrapolation
    degrees: NDArray[np.float64]
    support: Support | None = None
    local_error: LocalError | None = None

    @classmethod
    def of_box(cls, rule: str, domain: Domain, x: NDArray[np.float64]) -> Outside:
        """What the scaled points (n, d) of a fit tell before there is one."""
        # a feature without variation has no width, although it has been scaled by one
        is_constant = (np.ptp(x, axis=0) == 0) & (x[0] == 0)
        faces = np.where(is_constant, domain.faces - 1, domain.faces)
        given, auto = Extrapolation.of(rule, faces), Extrapolation.of("auto", faces)
        return cls(faces, given, auto, Reach.none(domain.periodic).degrees)

    @classmethod
    def of(
        cls,
        rule: str,
        model: Sum,
        x: NDArray[np.float64],
        reported: float | None,
        unseen: Unseen | None,
    ) -> Outside:
        """What is known after the last stage, of all stages and the scaled points (n, d) of a fit.

        ``reported`` is the validation error, where there is one.
        """
        domain, box = model.domain, cls.of_box(rule, model.domain, x)
        periodic, faces = domain.periodic, box.faces
        local, reach = None, Reach.none(periodic)
        if reported is not None:
            if unseen is not None and len(unseen.x):
                local = LocalError.of(unseen, x, periodic, reported)
            error = _error_of(local, reported, model.rounding)
            reach = reach_of(model.inside, error, x, periodic, model.n_waves)
        has_width = faces >= 1
        lower = np.where(has_width, reach.lower, -faces)
        upper = np.where(has_width, reach.upper, faces)
        if domain.logarithmic is not None:
            # 0.1 below the box, in the logarithm, its linear continuation is off by about 0.005
            lowest = -1 - 1 / (FAR * domain.half_width)
            lower = np.where(domain.logarithmic, np.maximum(lower, lowest), lower)
        trusted = box.trusted.within(lower, upper)
        extrapolation = trusted if rule == "auto" else box.extrapolation
        support = Support.of(x, periodic)
        return cls(faces, extrapolation, trusted, reach.degrees, support, local)

    def error_at(self, model: Sum, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Local error at scaled points (n, d) anywhere, relative to the spread of y."""
        rule = self.extrapolation
        if rule.rule == "continue":
            rule = replace(self.trusted, rule="continue")
        error = _error_of(self.local_error, np.nan, model.rounding)
        found = error_outside(model.inside, error, rule, self.degrees, model.domain.periodic, x)
        if rule.rule == "nan":
            found[np.any(rule.nearest(x) != x, axis=1)] = np.nan
        return found

    def warning_at(
        self, domain: Domain, x: NDArray[np.float64], names: list[str]
    ) -> ExtrapolationWarning | None:
        """What to warn of scaled points (n, d) outside the box, or in holes of the data."""
        faces = self.faces
        is_outside = np.abs(x) > faces
        outside = is_outside.any(axis=1)
        n_outside = int(np.count_nonzero(outside))
        if n_outside and self.extrapolation.rule == "error":
            return None  # the rule raises it
        n_in_holes = 0
        if self.support is not None and n_outside < len(x):
            n_in_holes = int(np.count_nonzero(self.support.is_in_hole(x[~outside])))
        if not n_outside and not n_in_holes:
            return None
        texts = []
        if n_outside:
            texts.append(
                "Points lie outside the box of the training points, where the parameter "
                "extrapolation determines the values."
            )
        if n_in_holes:
            texts.append(
                "Points lie in a hole of the training points, where the fit is not validated."
            )
        warning = ExtrapolationWarning(" ".join([*texts, SEE]))
        warning.n_points, warning.n_outside, warning.n_in_holes = len(x), n_outside, n_in_holes
        warning.distances = {
            names[j]: float(domain.distances(x[:, j], int(j)).max()) if faces[j] >= 1 else np.inf
            for j in np.flatnonzero(is_outside.any(axis=0))
        }
        return warning


def _error_of(local: LocalError | None, reported: float, rounding: NDArray[np.float64]) -> Values:
    """The local error in the box, with the rounding of values.

    With conditions it is the reported error everywhere.
    """

    def error(x: NDArray[np.float64]) -> NDArray[np.float64]:
        found = np.full((len(x), 1), reported) if local is None else local(x)
        return np.asarray(np.hypot(found, rounding))

    return error
