"""Models in files, with the names of what they were fitted to."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.cli.table import FileError
from skmsnn.persistence import TRUSTED_TYPES


def save(
    model: SpectrumInformedMSNNRegressor,
    features: Sequence[str],
    targets: Sequence[str],
    path: Path,
) -> None:
    """Write a model to a file that runs no code when it is loaded."""
    import skops.io

    model = copy.copy(model)
    model.feature_names_in_ = np.array(features, dtype=object)
    model.target_names_ = list(targets)
    try:
        skops.io.dump(model, path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written: {error}") from error


def load(path: Path) -> tuple[SpectrumInformedMSNNRegressor, list[str], list[str]]:
    """A model from a file, and the names of its features and targets.

    Raises
    ------
    FileError
        If the file is none that ``save`` wrote.
    OSError
        If it cannot be opened.
    """
    with path.open("rb"):
        pass
    try:
        import skops.io

        model: Any = skops.io.load(path, trusted=TRUSTED_TYPES)
    except ImportError as error:
        raise FileError(path, "", 'loading needs skops; pip install "skmsnn[files]".') from error
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise FileError(path, "", f"it is not a saved model: {reason}") from error
    if not isinstance(model, SpectrumInformedMSNNRegressor):
        raise FileError(path, "", f"it holds a {type(model).__name__}; save one by fit --save.")
    # points come without names, in the right order
    features = model.__dict__.pop("feature_names_in_", None)
    if features is None:
        features = [f"x{j}" for j in range(model.n_features_in_)]
    targets = getattr(model, "target_names_", None)
    if targets is None:
        targets = ["y"] if model._flat_y else [f"y{k}" for k in range(model.n_outputs_)]
    model._shown_names = [str(name) for name in features]
    return model, model._shown_names, [str(name) for name in targets]
