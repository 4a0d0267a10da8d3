"""Displays of a fitted model: residuals by stage, power spectra, convergence, selection.

They have scikit-learn's form: ``from_estimator`` or ``from_predictions`` computes and draws,
``plot`` draws again. matplotlib is needed to draw.
"""

from skmsnn.inspection.convergence import ConvergenceDisplay
from skmsnn.inspection.residual import StageResidualDisplay
from skmsnn.inspection.selection import SelectionDisplay
from skmsnn.inspection.spectrum import PowerSpectrumDisplay

__all__ = [
    "ConvergenceDisplay",
    "PowerSpectrumDisplay",
    "SelectionDisplay",
    "StageResidualDisplay",
]
