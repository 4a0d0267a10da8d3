"""The p-norm loss of the method, safe from overflow for any p."""

from __future__ import annotations

import torch
from torch import Tensor


def p_norm(residual: Tensor, p: float, weight: Tensor) -> Tensor:
    """Weighted p-norm ``(sum_i w_i mean_j |r_ij|^p)^(1/p)`` of a residual.

    Ng, Wang & Lai (2024) train on this norm, with weights 1/n. The largest residual is taken
    out before the power, so that no finite p overflows.

    Parameters
    ----------
    residual : Tensor of shape (n_samples, n_outputs)
        Prediction minus target.
    p : float
        Order of the norm, at least 2.
    weight : Tensor of shape (n_samples, 1)
        Sample weights that sum to 1.

    Returns
    -------
    Tensor of shape ()
    """
    magnitude = residual.abs()
    largest = magnitude.detach().amax()
    if largest == 0:
        return magnitude.sum()
    ratio = magnitude / largest
    return largest * (weight * ratio**p).sum().div(residual.shape[1]).pow(1 / p)


def p_norm_and_slope(residual: Tensor, p: float, weight: Tensor) -> tuple[Tensor, Tensor]:
    """The same norm and its gradient, which nothing on the host waits for.

    The gradient is ``w_i / m sign(r_ij) (|r_ij| / norm)^(p - 1)`` of m outputs, and zero at zero.
    """
    least = torch.finfo(residual.dtype).tiny
    magnitude = residual.abs()
    largest = magnitude.amax().clamp_min(least)
    ratio = magnitude.div_(largest)
    power = ratio ** (p - 1) * (weight / residual.shape[1])
    total = (power * ratio).sum().clamp_min(least)
    slope = power.mul_(residual.sign()).mul_(total ** (1 / p - 1))
    return largest * total ** (1 / p), slope


def irls_weight(residual: Tensor, p: float) -> Tensor:
    """Weights that make a least-squares step on ``residual`` a step on its p-norm.

    Iteratively reweighted least squares: the p-norm's Gauss-Newton matrix weighs each squared
    residual with ``|r|^(p - 2)``, here relative to the largest (Osborne 1985, chapter 5).
    """
    if p == 2:
        return torch.ones_like(residual)
    largest = residual.abs().amax()
    if largest == 0:
        return torch.ones_like(residual)
    return (residual.abs() / largest) ** (p - 2)
