"""Iterations a second of the package's Adam over those of plain torch, in one run."""

import time
from statistics import median

import numpy as np
import torch
from torch import nn

from examples.benchmarks.report import head, row
from skmsnn.modules.network import StageNetwork
from skmsnn.training.initialisation import Spectrum, initialise
from skmsnn.training.solvers import SOLVERS, Problem, SolverOptions

COLUMNS = ("figure", "points", "modes", "device", "package, it/s", "plain torch, it/s", "ratio")
HIDDEN = (30, 30, 30)
ORDER, RATE = 10, 1e-3


class PlainNetwork(nn.Module):
    """The recipe's network as one would write it down."""

    def __init__(self, module):
        super().__init__()
        n_modes, n_features = module.fourier.weight.shape
        widths = [n_modes, *HIDDEN]
        self.fourier = nn.Linear(n_features, n_modes)
        self.register_buffer("amplitudes", module.amplitudes.clone())
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in zip(widths, HIDDEN, strict=False))
        self.output = nn.Linear(widths[-1], 1)
        self.double()
        self.load_state_dict(module.state_dict())

    def forward(self, x):
        x = self.amplitudes * torch.cos(self.fourier(x))
        for layer in self.hidden:
            x = torch.tanh(layer(x))
        return self.output(x)


def start(n_points, n_modes, device):
    """A network of random waves, and points of a grid with random values."""
    generator = torch.Generator().manual_seed(0)
    module = StageNetwork(2, 1, n_modes, HIDDEN, "tanh", False)
    wave_vectors = 20 * torch.randn(n_modes, 2, generator=generator, dtype=torch.float64)
    ones = torch.ones(n_modes, dtype=torch.float64)
    initialise(module, "spectrum", Spectrum(wave_vectors, ones, 0.1 * ones), generator)
    axis = torch.linspace(-1, 1, round(np.sqrt(n_points)), dtype=torch.float64)
    x = torch.cartesian_prod(axis, axis)
    target = torch.randn(len(x), 1, generator=generator, dtype=torch.float64)
    weight = torch.full_like(target, 1 / len(x))
    return module.to(device), Problem(x.to(device), target.to(device), weight.to(device))


def of_package(module, problem, iterations):
    options = SolverOptions(p=ORDER, max_iter=iterations, learning_rate=RATE)
    return SOLVERS["adam"](module, problem, options).loss_curve[-1]


def of_plain_torch(module, problem, iterations):
    network = PlainNetwork(module.to("cpu")).to(problem.x.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, iterations)
    for _ in range(iterations):
        optimiser.zero_grad()
        residual = network(problem.x) - problem.target
        loss = residual.abs().pow(ORDER).mean().pow(1 / ORDER)
        loss.backward()
        optimiser.step()
        schedule.step()
    return float(loss.detach())  # which waits for the device, once


def seconds(train, sizes, device, iterations):
    module, problem = start(*sizes, device)
    begun = time.perf_counter()
    train(module, problem, iterations)
    return time.perf_counter() - begun


def enough(train, sizes, device, wanted):
    """Iterations that take that many seconds, without what a training takes to begin."""
    n = 5
    seconds(train, sizes, device, n)
    while seconds(train, sizes, device, 2 * n) - seconds(train, sizes, device, n) < wanted:
        n *= 2
    return n


def rate(train, sizes, device, n):
    """Iterations a second, from n and from four times as many."""
    return 3 * n / (seconds(train, sizes, device, 4 * n) - seconds(train, sizes, device, n))


def print_speeds(cases, settings, repeats=3):
    """A row a case, of (points, modes): the median of ratios of neighbouring measurements."""
    wanted = 0.005 if settings.size == "tiny" else 0.2
    print(head(COLUMNS))
    for label, sizes in cases.items():
        trainings = [
            (train, sizes, settings.device, enough(train, sizes, settings.device, wanted))
            for train in (of_package, of_plain_torch)
        ]
        pairs = [[rate(*training) for training in trainings] for _ in range(repeats)]
        own, plain = (median(values) for values in zip(*pairs, strict=True))
        ratio = median(one / other for one, other in pairs)
        cells = (label, *sizes, settings.device, f"{own:.4g}", f"{plain:.4g}", f"{ratio:.2f}")
        print(row(cells), flush=True)
