"""Where the weights of a stage's network start: the paper's systems and their baselines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sqrt

import torch
from torch import Tensor, nn

from skmsnn.modules.network import StageNetwork


@dataclass(frozen=True)
class Spectrum:
    """Dominant modes of the target: wave vectors (K, d) in radians, phases and amplitudes (K,)."""

    wave_vectors: Tensor
    phases: Tensor
    amplitudes: Tensor

    @property
    def dominant_wave_number(self) -> float:
        """Length of the strongest wave vector that is not zero; 1 where there is none."""
        lengths = self.wave_vectors.norm(dim=1)
        waving = lengths > 0
        if not bool(waving.any()):
            return 1.0
        return float(lengths[waving][self.amplitudes[waving].argmax()])


@torch.no_grad()
def initialise(
    module: StageNetwork, init: str, spectrum: Spectrum, generator: torch.Generator
) -> None:
    """Draw all weights of a module: Fourier layer by ``init``, the rest by Xavier's uniform rule.

    Parameters
    ----------
    module : StageNetwork
        The network; its width is that of the spectrum where ``init`` is "spectrum".
    init : {"spectrum", "scale-factor", "random-fourier", "xavier"}
        How the Fourier layer starts.
    spectrum : Spectrum
        Of the stage's target.
    generator : torch.Generator
        Source of the random weights.
    """
    if module.fourier is not None:
        _FOURIER_LAYERS[init](module, spectrum, generator)
    for layer in [*module.hidden, module.output]:
        if layer is not None:
            nn.init.xavier_uniform_(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
    if module.readout is not None:
        nn.init.zeros_(module.readout.weight)
        nn.init.zeros_(module.readout.bias)


def _from_spectrum(module: StageNetwork, spectrum: Spectrum, generator: torch.Generator) -> None:
    """Ng, Wang & Lai (2024), algorithm 1: the modes themselves."""
    assert module.fourier is not None
    module.fourier.weight.copy_(spectrum.wave_vectors)
    module.fourier.bias.copy_(spectrum.phases)
    module.amplitudes.copy_(spectrum.amplitudes)


def _scale_factor(module: StageNetwork, spectrum: Spectrum, generator: torch.Generator) -> None:
    """Wang & Lai (2024), section 2.3: a Xavier layer times kappa, then cos and sin in turn.

    kappa = 2 pi f_d, f_d the dominant frequency of the residual in cycles per unit, which is
    the length of the dominant wave vector in radians.
    """
    assert module.fourier is not None
    nn.init.xavier_uniform_(module.fourier.weight, generator=generator)
    module.fourier.weight.mul_(spectrum.dominant_wave_number)
    module.fourier.bias.zero_()
    module.fourier.bias[1::2] = -pi / 2


def _random_fourier(module: StageNetwork, spectrum: Spectrum, generator: torch.Generator) -> None:
    """Rahimi & Recht (2007), algorithm 1: Gaussian wave vectors, uniform phases, sqrt(2 / K).

    Their scale, which Tancik et al. (2020) leave to tuning, makes their root mean square length
    that of the dominant wave vector.
    """
    assert module.fourier is not None
    n_modes, n_features = module.fourier.weight.shape
    std = spectrum.dominant_wave_number / sqrt(n_features)
    module.fourier.weight.normal_(0.0, std, generator=generator)
    module.fourier.bias.uniform_(0.0, 2 * pi, generator=generator)
    module.amplitudes.fill_(sqrt(2 / n_modes))


_FOURIER_LAYERS: dict[str, Callable[[StageNetwork, Spectrum, torch.Generator], None]] = {
    "spectrum": _from_spectrum,
    "scale-factor": _scale_factor,
    "random-fourier": _random_fourier,
}
