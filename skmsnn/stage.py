"""One stage of a fitted model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skmsnn._restoring import restoring
from skmsnn.functions import Function
from skmsnn.modules.autograd import autograd_mode, with_autograd
from skmsnn.modules.trained import TrainedNetwork

if TYPE_CHECKING:
    import torch

    from skmsnn.modules.network import StageModule

__all__ = ["Stage"]


def epsilon(mean_square: NDArray[np.float64]) -> NDArray[np.float64]:
    """The scale of a stage, eps = rms(r) of the residual r (section 3 of Ng, Wang & Lai 2024).

    Parameters
    ----------
    mean_square : ndarray of shape (n_outputs,)
        Of the residual of each output.

    Returns
    -------
    ndarray of shape (n_outputs,)
        1 for outputs of which nothing is left.
    """
    eps = np.sqrt(mean_square)
    return np.where(eps > 0, eps, 1.0)


@dataclass(frozen=True, repr=False)
class Stage:
    """What one stage adds to the model: ``scale * u(x)``, of scaled coordinates.

    Attributes
    ----------
    scale : ndarray of shape (n_outputs,)
        Root mean square of the residual that the stage was fitted to (epsilon in section 3 of Ng,
        Wang & Lai 2024), in units of the spread of y.
    function : Function
        The function u: waves, which are the paper's one-layer case, polynomials, splines,
        fractions, or products of these, from a least squares solve; or a trained network.
    family : str
        The family of functions that it is of, as ``families`` names them; of products of several,
        all of them, as "fourier x spline", and of outputs of several as "fourier | spline".
    """

    scale: NDArray[np.float64]
    function: Function
    family: str = "fourier"

    @property
    def n_modes(self) -> int:
        """Width of the Fourier layer; of polynomials, splines and their products the terms."""
        return self.function.n_modes

    def __repr__(self) -> str:
        return f"Stage(family={self.family!r}, n_modes={self.n_modes}, scale={self.scale})"

    @restoring(autograd_mode)
    def predict(
        self, x: NDArray[np.float64], device: torch.device | str = "cpu"
    ) -> NDArray[np.float64]:
        """Evaluate the stage's term.

        Parameters
        ----------
        x : ndarray of shape (n, n_features)
            Points in scaled coordinates (``domain_.scale``).
        device : torch.device or str, default="cpu"
            Where networks are evaluated.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            In units of the spread of y.
        """
        if isinstance(self.function, TrainedNetwork):
            return self.scale * self.function.evaluate(x, device)
        return self.scale * self.function.evaluate(x)

    def residual(
        self, residual: NDArray[np.float64], x: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """What is left for the next stage, r - eps u (section 3 of Ng, Wang & Lai 2024).

        Parameters
        ----------
        residual : ndarray of shape (n, n_outputs)
            What the stages before leave, in units of the spread of y.
        x : ndarray of shape (n, n_features)
            Where, in scaled coordinates.
        """
        return residual - self.predict(x)

    @with_autograd
    def derivative(self, x: NDArray[np.float64], nu: Sequence[int]) -> NDArray[np.float64]:
        """Differentiate the stage's term.

        Parameters
        ----------
        x : ndarray of shape (n, n_features)
            Points in scaled coordinates.
        nu : sequence of int
            Order of the derivative along each scaled coordinate.

        Returns
        -------
        ndarray of shape (n, n_outputs)
            In units of the spread of y, per unit of the scaled coordinates.
        """
        return self.scale * self.function.derivative(nu).evaluate(x)

    @restoring(autograd_mode)
    def to_module(self) -> StageModule:
        """The stage's function, without the scale, as a torch module of scaled coordinates."""
        from skmsnn.modules.of_functions import module_of

        return module_of(self.function)
