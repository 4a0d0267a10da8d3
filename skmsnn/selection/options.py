"""What the user chose of a stage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skmsnn.training.solvers import SolverOptions


@dataclass(frozen=True)
class StageOptions:
    """What the user chose of a stage."""

    init: str
    solver: str
    n_modes: int | str
    readout: bool
    hidden_layer_sizes: tuple[int, ...]
    activation: str
    options: SolverOptions
    device: str
    tol: float
    families: tuple[str, ...]
    is_auto: bool = True
    budget: float = np.inf  # operations of a stage

    @property
    def is_adaptive(self) -> bool:
        """Whether unseen points decide what a stage is."""
        return self.init == "spectrum" and self.solver == "auto" and self.readout

    @property
    def is_all_adaptive(self) -> bool:
        """Whether they decide the number of modes, too."""
        return self.is_adaptive and self.n_modes == "auto"

    @property
    def solver_name(self) -> str:
        return "gauss-newton" if self.solver == "auto" else self.solver
