"""Devices of torch, which is not imported for the CPU."""

from __future__ import annotations

import warnings

from skmsnn._warning import SEE


def training_device(name: str) -> str:
    """The torch device of that name, "auto" for the best there is.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if name == "cpu":
        return name
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ValueError(f"device={name!r} is not a torch device.") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={name!r}, but torch finds no CUDA; use device='cpu' or 'auto'.")
    return name


def prediction_device(name: str) -> str:
    """The same, but the CPU, with a warning, where there is no such device."""
    try:
        return training_device(name)
    except ValueError:
        # above this function are at_scaled, _at or _first, predict, and the caller
        warnings.warn(
            f"The device of the fit is unavailable, and the CPU is used. {SEE}", stacklevel=5
        )
        return "cpu"
