"""Error of values, gradients and Laplacians of six functions.

    python -m examples.benchmarks.derivatives

The default is fitted to values alone; 2000 fresh points judge. Exact derivatives come from
automatic differentiation of the function itself.
"""

import argparse
import warnings

import numpy as np
import torch

from examples.benchmarks.report import figure, head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

TURN = 2 * np.pi
N_FRESH = 2000


def grid(*axes):
    return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))


def line(n):
    return np.linspace(-1, 1, n)


def turn(n):
    return np.linspace(0, TURN, n, endpoint=False)


def cases(rng, size):
    """Name, function of columns, points, box."""

    def share(n, d):
        return max(12, round(n * size ** (1 / d)))

    return [
        (
            "exp(sin 5x), 1-D",
            lambda x: torch.exp(torch.sin(5 * x)),
            grid(line(share(400, 1))),
            (-1, 1),
        ),
        (
            "eddies, periodic grid",
            lambda x, y: torch.exp(torch.sin(x)) * torch.cos(3 * y - x),
            grid(turn(share(64, 2)), turn(share(64, 2))),
            (0, TURN),
        ),
        (
            "oblique waves, grid",
            lambda x, y: torch.sin(3 * x + y) * torch.exp(y),
            grid(line(share(60, 2)), line(share(60, 2))),
            (-1, 1),
        ),
        (
            "bump, 80 % of a grid",
            lambda x, y: torch.exp(-2 * x**2 - y**2 + x * y),
            rng.permutation(grid(line(share(60, 2)), line(share(60, 2))))[
                : int(0.8 * share(60, 2) ** 2)
            ],
            (-1, 1),
        ),
        (
            "curved waves, scattered",
            lambda x, y: torch.sin(3 * x * y) + torch.exp(y),
            rng.uniform(-1, 1, (round(4000 * size), 2)),
            (-1, 1),
        ),
        (
            "swirl, 3-D grid",
            lambda x, y, z: torch.sin(x + y * z) * torch.exp(z),
            grid(*[line(share(20, 3))] * 3),
            (-1, 1),
        ),
    ]


def exact(function, X):
    """Value, gradient and Laplacian at points (n, d)."""
    x = torch.tensor(X, requires_grad=True)
    value = function(*x.T)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    second = [
        torch.autograd.grad(slope[:, j].sum(), x, retain_graph=True)[0][:, j]
        for j in range(X.shape[1])
    ]
    return value.detach().numpy(), slope.detach().numpy(), sum(second).numpy()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=float, default=1.0, help="share of the points")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    print(f"{heading()}\n\n{head(['function', 'points', 'value', 'gradient', 'Laplacian'])}")
    for name, function, X, (low, high) in cases(rng, options.size):
        fresh = rng.uniform(low, high, (N_FRESH, X.shape[1]))
        value, gradient, laplacian = exact(function, fresh)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, exact(function, X)[0])
        errors = [
            relative_l2_error(value, model.predict(fresh)),
            relative_l2_error(gradient, model.gradient(fresh)),
            relative_l2_error(laplacian, model.laplacian(fresh)),
        ]
        print(row([name, len(X), *(figure(e) for e in errors)]), flush=True)


if __name__ == "__main__":
    main()
