"""Differential equations and gradients as data: errors at fresh points, and the time of the fit.

    python -m examples.benchmarks.conditions [name ...] [--network]

Points are scattered at random in the domain and on its boundary, without a mesh. The truth is a
formula, or an independent solver where there is none: Runge-Kutta methods of order 8 at tight
tolerance, and the Cole-Hopf transform for Burgers' equation (Basdevant et al. 1986, Spectral and
finite difference solutions of the Burgers equation). ``--network`` adds a physics-informed network
trained by L-BFGS on two of the problems (Raissi, Perdikaris & Karniadakis 2019).
"""

import argparse
import time
import warnings
from itertools import pairwise

import numpy as np
import torch
from scipy.integrate import solve_ivp
from scipy.stats import qmc

from examples.benchmarks.report import head, heading, row
from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.conditions import (
    Condition,
    Equation,
    divergence_free,
    gradients,
    laplacian,
)
from skmsnn.datasets import simulate_decaying_turbulence
from skmsnn.metrics import relative_l2_error

N_FRESH = 3000


def fitted(X, y, conditions, **parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(
        X, y, conditions=conditions
    )


def spread(rng, n, low, high):
    """Scattered points that leave fewer gaps than random ones do."""
    share = qmc.Halton(len(low), seed=rng.randint(2**31)).random(n)
    return np.array(low) + share * np.subtract(high, low)


def box(rng, n, low, high):
    return rng.uniform(low, high, (n, len(low)))


def in_disc_with_hole(rng, n):
    """Points of the unit disc without a smaller one off its centre."""
    x = box(rng, 3 * n, (-1, -1), (1, 1))
    kept = (np.hypot(*x.T) < 1) & (np.hypot(x[:, 0] - 0.3, x[:, 1]) > 0.25)
    return x[kept][:n]


def on_its_boundary(rng, n):
    angle = rng.uniform(0, 2 * np.pi, n)
    radius = np.where(np.arange(n) < 3 * n // 4, 1.0, 0.25)
    centre = np.where(radius < 1, 0.3, 0.0)
    return np.column_stack([centre + radius * np.cos(angle), radius * np.sin(angle)])


def poisson_solution(x):
    return np.exp(x[:, 0]) * np.sin(4 * x[:, 1]) + np.cos(7 * x[:, 0] * x[:, 1])


def poisson_right(x):
    wave = np.exp(x[:, 0]) * np.sin(4 * x[:, 1])
    return -15 * wave - 49 * np.sum(x**2, axis=1) * np.cos(7 * x[:, 0] * x[:, 1])


def poisson(rng):
    inside, edge = in_disc_with_hole(rng, 3000), on_its_boundary(rng, 400)
    model = fitted(edge, poisson_solution(edge), [laplacian(inside, poisson_right(inside))])
    fresh = in_disc_with_hole(rng, N_FRESH)
    return relative_l2_error(poisson_solution(fresh), model.predict(fresh)), model


def helmholtz(rng):
    k = 30.0
    direction = np.array([[0.6, 0.8], [-0.28, 0.96], [1.0, 0.0]])

    def u(x):
        return np.sum(np.cos(k * x @ direction.T + [0.3, 1.1, 2.0]), axis=1)

    inside, edge = in_disc_with_hole(rng, 4500), on_its_boundary(rng, 800)
    model = fitted(edge, u(edge), [laplacian(inside, potential=k**2)])
    fresh = in_disc_with_hole(rng, N_FRESH)
    return relative_l2_error(u(fresh), model.predict(fresh)), model


def heat(rng):
    """u_t = u_xx / 10 on [-1, 1] x [0, 1], from initial and boundary values."""

    def u(x):
        waves = [(1.0, 3.0, 0.2), (0.5, 7.0, 1.0)]
        return sum(a * np.exp(-0.1 * k**2 * x[:, 1]) * np.sin(k * x[:, 0] + b) for a, k, b in waves)

    edge = in_time(rng, 200)
    inside = np.concatenate([spread(rng, 1500, (-1, 0), (1, 1)), edge])
    equation = Condition(inside, {(0, 1): 1.0, (2, 0): -0.1}, name="heat equation")
    model = fitted(edge, u(edge), [equation])
    fresh = box(rng, N_FRESH, (-1, 0), (1, 1))
    return relative_l2_error(u(fresh), model.predict(fresh)), model


def in_time(rng, n):
    """Initial points, and those at both ends, denser towards corners."""
    x, t = np.cos(np.pi * rng.uniform(size=n)), (1 - np.cos(np.pi * rng.uniform(size=n))) / 2
    start = np.column_stack([x, np.zeros(n)])
    ends = np.column_stack([np.where(np.arange(n) % 2, 1.0, -1.0), t])
    return np.concatenate([start, ends, [[-1, 0], [1, 0]]])


def advection_diffusion(rng):
    """u_t + c u_x = D u_xx: a Gaussian that moves and spreads."""
    c, diffusion, width = 1.0, 0.05, 0.1

    def u(x):
        spread = width + 4 * diffusion * x[:, 1]
        return np.sqrt(width / spread) * np.exp(-((x[:, 0] + 0.5 - c * x[:, 1]) ** 2) / spread)

    edge = in_time(rng, 600)
    inside = np.concatenate([spread(rng, 3500, (-1, 0), (1, 1)), edge])
    operator = {(0, 1): 1.0, (1, 0): c, (2, 0): -diffusion}
    model = fitted(edge, u(edge), [Condition(inside, operator, name="advection-diffusion")])
    fresh = box(rng, N_FRESH, (-1, 0), (1, 1))
    return relative_l2_error(u(fresh), model.predict(fresh)), model


def in_l_shape(rng, n):
    x = box(rng, 2 * n, (-1, -1), (1, 1))
    return x[(x[:, 0] < 0) | (x[:, 1] < 0)][:n]


def on_l_shape(rng, n):
    corners = np.array([[-1, -1], [1, -1], [1, 0], [0, 0], [0, 1], [-1, 1]], dtype=float)
    side = rng.randint(6, size=n)
    way = rng.uniform(size=(n, 1))
    points = corners[side] + way * (corners[(side + 1) % 6] - corners[side])
    return np.concatenate([corners, points])


def cubic_on_l(rng):
    """-laplace u + u^3 = f."""

    def u(x):
        return np.sin(3 * x[:, 0] + 1) * np.exp(x[:, 1]) + np.cos(5 * x[:, 1])

    def f(x):
        wave = np.sin(3 * x[:, 0] + 1) * np.exp(x[:, 1])
        return 8 * wave + 25 * np.cos(5 * x[:, 1]) + u(x) ** 3

    inside, edge = in_l_shape(rng, 2500), on_l_shape(rng, 400)
    right = torch.as_tensor(f(inside))

    def residual(X, u, u_xx, u_yy):
        return -u_xx - u_yy + u**3 - right

    equation = Equation(inside, residual, {"u_xx": (2, 0), "u_yy": (0, 2)}, name="cubic")
    model = fitted(edge, u(edge), [equation])
    fresh = in_l_shape(rng, N_FRESH)
    return relative_l2_error(u(fresh), model.predict(fresh)), model


def pendulum(rng):
    t = np.linspace(0, 5, 400)[:, None]

    def residual(X, u, u_tt):
        return u_tt + torch.sin(u)

    start = Condition([[0.0]], {1: 1.0}, 0.5, name="velocity at the start")
    equation = Equation(t, residual, {"u_tt": 2}, name="pendulum")
    model = fitted([[0.0]], [1.5], [start, equation])
    fresh = np.sort(rng.uniform(0, 5, 500))
    true = solve_ivp(
        lambda t, s: [s[1], -np.sin(s[0])],
        (0, 5),
        [1.5, 0.5],
        "DOP853",
        fresh,
        rtol=1e-13,
        atol=1e-14,
    )
    return relative_l2_error(true.y[0], model.predict(fresh[:, None])), model


def lorenz(rng):
    """Pieces of half a time unit, each from the end of the one before."""

    def residual(X, u, u_t):
        x, y, z = u.T
        return u_t - torch.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], dim=1)

    def slope(t, s):
        x, y, z = s
        return [10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z]

    length, state, errors, model = 0.25, np.ones(3), [], None
    fresh = np.linspace(0, 5, 501)
    true = solve_ivp(slope, (0, 5), state, "DOP853", fresh, rtol=1e-13, atol=1e-13).y.T
    for start in np.arange(0, 5, length):
        t = start + length * (1 - np.cos(np.pi * np.arange(121) / 120)) / 2
        equation = Equation(t[:, None], residual, {"u_t": 1}, name="Lorenz")
        model = fitted([[start]], [state], [equation])
        inside = (fresh >= start) & (fresh < start + length)
        errors.append(model.predict(fresh[inside, None]) - true[inside])
        state = model.predict([[start + length]])[0]
    error = np.concatenate(errors)
    return float(np.linalg.norm(error) / np.linalg.norm(true[: len(error)])), model


def poisson_in_5(rng):
    def u(x):
        return np.sum(np.cos(np.pi * x), axis=1)

    inside = box(rng, 2000, (-1,) * 5, (1,) * 5)
    edge = on_cube(rng, 1000, 5)
    model = fitted(edge, u(edge), [laplacian(inside, -(np.pi**2) * u(inside))])
    fresh = box(rng, N_FRESH, (-1,) * 5, (1,) * 5)
    return relative_l2_error(u(fresh), model.predict(fresh)), model


def on_cube(rng, n, d):
    x = rng.uniform(-1, 1, (n, d))
    x[np.arange(n), rng.randint(d, size=n)] = rng.choice([-1, 1], n)
    return x


def poisson_in_10(rng):
    def u(x):
        return np.sum(x[:, ::2] * x[:, 1::2], axis=1)

    inside, edge = box(rng, 1000, (-1,) * 10, (1,) * 10), on_cube(rng, 1000, 10)
    model = fitted(edge, u(edge), [laplacian(inside)])
    fresh = box(rng, N_FRESH, (-1,) * 10, (1,) * 10)
    return relative_l2_error(u(fresh), model.predict(fresh)), model


def cole_hopf(x, t, viscosity, n_nodes=200):
    """Burgers' equation from -sin(pi x): a quotient of integrals over the heat kernel.

    By Gauss's quadrature about the saddle, where the integrand is largest.
    """
    nodes, shares = np.polynomial.legendre.leggauss(n_nodes * 10)
    eta = nodes[None]  # the integrand is periodic in the start of the heat equation
    out = np.empty(len(x))
    for i, (place, moment) in enumerate(zip(x, t, strict=True)):
        width = np.sqrt(4 * viscosity * moment)
        reach = min(8.0 * width, 6.0) + 2.0 * moment
        start = place - reach * eta[0]
        exponent = -np.cos(np.pi * start) / (2 * np.pi * viscosity)
        exponent = exponent - (place - start) ** 2 / (4 * viscosity * moment)
        kernel = shares * np.exp(exponent - exponent.max())
        out[i] = -(kernel @ np.sin(np.pi * start)) / kernel.sum()
    return out


def burgers(rng, viscosity, n_inside, n_pieces, **parameters):
    """u_t + u u_x = nu u_xx from -sin(pi x): odd, so that half of the domain does."""

    def residual(X, u, u_t, u_x, u_xx):
        return u_t + u * u_x - viscosity * u_xx

    names = {"u_t": (0, 1), "u_x": (1, 0), "u_xx": (2, 0)}
    times = np.linspace(0, 1, n_pieces + 1)
    model, errors, trues = None, [], []
    for start, end in pairwise(times):
        # points cluster at the front and at both ends of time, as polynomials want it
        x, t = (1 - np.cos(np.pi * spread(rng, n_inside, (0, 0), (1, 1)).T)) / 2
        t = start + (end - start) * t
        n_edge = n_inside // 8
        x_0 = (1 - np.cos(np.pi * np.linspace(0, 1, n_edge))) / 2
        first = np.column_stack([x_0, np.full(n_edge, start)])
        values = -np.sin(np.pi * x_0) if model is None else model.predict(first)
        t_0 = start + (end - start) * (1 - np.cos(np.pi * np.linspace(0, 1, n_edge))) / 2
        ends = np.column_stack([np.tile([0.0, 1.0], n_edge), np.repeat(t_0, 2)])
        edge, y = np.concatenate([first, ends]), np.concatenate([values, np.zeros(2 * n_edge)])
        equation = Equation(np.column_stack([x, t]), residual, names, name="Burgers")
        model = fitted(edge, y, [equation], **parameters)
        fresh = box(rng, 1000, (0, start), (1, end))
        trues.append(cole_hopf(*fresh.T, viscosity))
        errors.append(model.predict(fresh) - trues[-1])
    error, true = np.concatenate(errors), np.concatenate(trues)
    return float(np.linalg.norm(error) / np.linalg.norm(true)), model


def burgers_mild(rng):
    return burgers(rng, 0.1 / np.pi, 6000, 1, families=["polynomial"])


def burgers_sharp(rng):
    return burgers(rng, 0.01 / np.pi, 4000, 8, families=["polynomial"])


def turbulence(rng):
    """A velocity field at scattered points, and no divergence between them."""
    snapshot = simulate_decaying_turbulence(32)
    X = box(rng, 2500, (0, 0), (2 * np.pi, 2 * np.pi))
    fields = ("velocity_x", "velocity_y")
    y = np.column_stack([snapshot.at(X, name) for name in fields])
    asked = box(rng, 2000, (0, 0), (2 * np.pi, 2 * np.pi))
    model = fitted(X, y, [divergence_free(asked)], period=2 * np.pi)
    fresh = box(rng, N_FRESH, (0, 0), (2 * np.pi, 2 * np.pi))
    true = np.column_stack([snapshot.at(fresh, name) for name in fields])
    slope = model.gradient(fresh)
    divergence = slope[:, 0, 0] + slope[:, 1, 1]
    size = np.sqrt(np.mean(slope**2))
    error = relative_l2_error(true, model.predict(fresh))
    return max(error, float(np.sqrt(np.mean(divergence**2)) / size)), model


def with_gradients(rng, u, slope, d, n):
    """Errors from n points with gradients, and of values alone at (d + 1) / 2 times as many."""
    more = box(rng, n * (d + 1) // 2, (-1,) * d, (1,) * d)
    fresh = box(rng, N_FRESH, (-1,) * d, (1,) * d)
    alone = relative_l2_error(u(fresh), fitted(more, u(more), None).predict(fresh))
    X = more[:n]
    model = fitted(X, u(X), gradients(X, slope(X)))
    return (relative_l2_error(u(fresh), model.predict(fresh)), alone), model


def gradients_in_2(rng):
    def u(x):
        return np.exp(np.sin(3 * x[:, 0]) * x[:, 1])

    def slope(x):
        inner = np.sin(3 * x[:, 0])
        return np.column_stack([3 * np.cos(3 * x[:, 0]) * x[:, 1], inner]) * u(x)[:, None]

    return with_gradients(rng, u, slope, 2, 400)


def gradients_in_4(rng):
    def u(x):
        return np.sin(x @ [1.0, 0.7, 0.5, 0.3]) + x[:, 0] * x[:, 3] ** 2

    def slope(x):
        wave = np.cos(x @ [1.0, 0.7, 0.5, 0.3])[:, None] * [1.0, 0.7, 0.5, 0.3]
        wave[:, 0] += x[:, 3] ** 2
        wave[:, 3] += 2 * x[:, 0] * x[:, 3]
        return wave

    return with_gradients(rng, u, slope, 4, 400)


def gradients_in_8(rng):
    a = np.linspace(0.2, 0.9, 8)

    def u(x):
        return np.log(4 + x @ a)

    def slope(x):
        return a / (4 + x @ a)[:, None]

    return with_gradients(rng, u, slope, 8, 400)


def network(rng, residual, inside, edge, y, fresh, true, n_iter=2000):
    """Relative error of a plain physics-informed network, trained by L-BFGS in double precision.

    Four hidden layers of 50, tanh; the mean squares of the equation and of the boundary, the latter
    times 100.
    """
    torch.manual_seed(int(rng.randint(2**31)))
    sizes = [2, 50, 50, 50, 50, 1]
    layers = []
    for before, after in pairwise(sizes):
        layers += [torch.nn.Linear(before, after, dtype=torch.float64), torch.nn.Tanh()]
        torch.nn.init.xavier_normal_(layers[-2].weight)
    net = torch.nn.Sequential(*layers[:-1])
    points = torch.as_tensor(inside).requires_grad_()
    at_edge, values = torch.as_tensor(edge), torch.as_tensor(y)
    optimiser = torch.optim.LBFGS(
        net.parameters(),
        max_iter=n_iter,
        history_size=50,
        line_search_fn="strong_wolfe",
        tolerance_grad=0,
        tolerance_change=0,
    )

    def loss():
        optimiser.zero_grad()
        u = net(points)[:, 0]
        left = torch.mean(residual(points, u) ** 2)
        left = left + 100 * torch.mean((net(at_edge)[:, 0] - values) ** 2)
        left.backward()
        return left

    optimiser.step(loss)
    with torch.no_grad():
        found = net(torch.as_tensor(fresh))[:, 0].numpy()
    return relative_l2_error(true, found)


def slopes_of(u, points):
    """First derivatives of each row, themselves differentiable."""
    return torch.autograd.grad(u.sum(), points, create_graph=True)[0]


def poisson_by_network(rng):
    inside, edge = in_disc_with_hole(rng, 3000), on_its_boundary(rng, 400)
    fresh = in_disc_with_hole(rng, N_FRESH)
    right = torch.as_tensor(poisson_right(inside))

    def residual(x, u):
        first = slopes_of(u, x)
        return slopes_of(first[:, 0], x)[:, 0] + slopes_of(first[:, 1], x)[:, 1] - right

    known = (edge, poisson_solution(edge), fresh, poisson_solution(fresh))
    return network(rng, residual, inside, *known)


def burgers_by_network(rng):
    viscosity = 0.1 / np.pi
    inside, s = box(rng, 3000, (0, 0), (1, 1)), np.linspace(0, 1, 100)
    start, ends = (
        np.column_stack([s, 0 * s]),
        np.column_stack([np.tile([0, 1.0], 100), s.repeat(2)]),
    )
    edge, y = np.concatenate([start, ends]), np.concatenate([-np.sin(np.pi * s), np.zeros(200)])
    fresh = box(rng, 1000, (0, 0), (1, 1))

    def residual(x, u):
        first = slopes_of(u, x)
        return first[:, 1] + u * first[:, 0] - viscosity * slopes_of(first[:, 0], x)[:, 0]

    return network(rng, residual, inside, edge, y, fresh, cole_hopf(*fresh.T, viscosity))


NETWORKS = {
    "Poisson, disc with a hole": poisson_by_network,
    "Burgers, 0.1 / pi": burgers_by_network,
}
CASES = {
    "Poisson, disc with a hole": (poisson, "1e-13 in 10 s"),
    "Helmholtz, k = 30, the same": (helmholtz, "1e-11 in 20 s"),
    "heat equation": (heat, "1e-12 in 10 s"),
    "advection-diffusion": (advection_diffusion, "1e-12 in 10 s"),
    "-laplace u + u^3 = f, L shape": (cubic_on_l, "1e-12 in 30 s"),
    "pendulum": (pendulum, "1e-11"),
    "Lorenz, 5 time units": (lorenz, "1e-11"),
    "Poisson, d = 5 (a sum)": (poisson_in_5, "1e-13 in 30 s"),
    "Poisson, d = 10 (quadratic)": (poisson_in_10, "1e-13 in 30 s"),
    "Burgers, 0.1 / pi": (burgers_mild, "1e-12 in 60 s"),
    "Burgers, 0.01 / pi": (burgers_sharp, "1e-8, then 1e-13"),
    "divergence-free turbulence": (turbulence, "1e-13"),
    "gradients, d = 2": (gradients_in_2, "of values alone"),
    "gradients, d = 4": (gradients_in_4, "of values alone"),
    "gradients, d = 8": (gradients_in_8, "of values alone"),
}


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="parts of the names of cases; all by default")
    parser.add_argument("--network", action="store_true", help="compare with networks on two")
    options = parser.parse_args(argv)
    print(heading())
    print(head(("problem", "target", "measured", "reported", "time", "first stage", "stop")))
    for name, (case, target) in CASES.items():
        if options.names and not any(part in name for part in options.names):
            continue
        begin = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            measured, model = case(np.random.RandomState(0))
        seconds = time.perf_counter() - begin
        pair = measured if isinstance(measured, tuple) else (measured,)
        shown = " (alone ".join(f"{value:.1e}" for value in pair) + ")" * (len(pair) - 1)
        left = f"{model.validation_errors_[-1]:.0e}"
        stage = model.stage_summaries_[0].partition("over ")[2]
        cells = (name, target, shown, left, f"{seconds:.1f} s", stage, model.stop_reason_)
        print(row(cells), flush=True)
        if options.network and name in NETWORKS:
            begin = time.perf_counter()
            measured = NETWORKS[name](np.random.RandomState(0))
            seconds = time.perf_counter() - begin
            cells = (
                "the same, by a network",
                "",
                f"{measured:.1e}",
                "",
                f"{seconds:.1f} s",
                "",
                "",
            )
            print(row(cells), flush=True)


if __name__ == "__main__":
    main()
