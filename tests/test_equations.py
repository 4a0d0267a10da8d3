"""Nonlinear equations: against formulas and an independent solver."""

import warnings

import numpy as np
import pytest
import torch
from conftest import relative
from scipy.integrate import solve_ivp

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.conditions import Condition, Equation
from skmsnn.exceptions import AccuracyWarning
from skmsnn.modules.equations import linearised


def fitted(X, y, conditions, **parameters):
    model = SpectrumInformedMSNNRegressor(random_state=0, **parameters)
    return model.fit(X, y, conditions=conditions)


def test_a_pendulum_from_its_start(rng):
    t = np.linspace(0, 4, 250)[:, None]
    equation = Equation(t, lambda X, u, u_tt: u_tt + torch.sin(u), {"u_tt": 2})
    start = Condition([[0.0]], {1: 1.0}, 0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = fitted([[0.0]], [1.5], [start, equation])
    fresh = np.sort(rng.uniform(0, 4, 100))
    true = solve_ivp(
        lambda t, s: [s[1], -np.sin(s[0])],
        (0, 4),
        [1.5, 0.5],
        "DOP853",
        fresh,
        rtol=1e-13,
        atol=1e-14,
    ).y[0]
    assert relative(model.predict(fresh[:, None]) - true, true) < 1e-12
    assert model.validation_errors_[-1] < 1e-11
    assert model.n_iter_[0] > 1


def test_a_semilinear_equation_on_an_l(rng):
    def u(x):
        return np.sin(2 * x[:, 0] + 1) * np.exp(x[:, 1])

    def in_l(n):
        x = rng.uniform(-1, 1, (n, 2))
        return x[(x[:, 0] < 0) | (x[:, 1] < 0)]

    corners = np.array([[-1, -1], [1, -1], [1, 0], [0, 0], [0, 1], [-1, 1.0]])
    way = np.linspace(0, 1, 25)[:, None]
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    edge = np.concatenate([a + way * (b - a) for a, b in sides])
    inside, fresh = in_l(900), in_l(400)
    right = torch.as_tensor(3 * u(inside) + u(inside) ** 3)

    def residual(X, u, u_xx, u_yy):
        return -u_xx - u_yy + u**3 - right

    equation = Equation(inside, residual, {"u_xx": (2, 0), "u_yy": (0, 2)})
    model = fitted(edge, u(edge), [equation])
    assert relative(model.predict(fresh) - u(fresh), u(fresh)) < 1e-12


def test_a_system_of_two_equations(rng):
    # a predator and its prey keep an invariant
    def residual(X, u, u_t):
        prey, predator = u.T
        return u_t - torch.stack([prey * (1 - predator), predator * (prey - 1)], dim=1)

    t = 1.5 * (1 - np.cos(np.pi * np.arange(121)[:, None] / 120))
    model = fitted([[0.0]], [[1.5, 1.0]], [Equation(t, residual, {"u_t": 1})])
    prey, predator = model.predict(np.linspace(0, 3, 50)[:, None]).T
    invariant = prey - np.log(prey) + predator - np.log(predator)
    assert np.ptp(prey) > 0.5
    assert np.abs(invariant - (1.5 - np.log(1.5) + 1.0)).max() < 1e-12


def test_units_of_points_and_values_do_not_matter(rng):
    # logistic growth, in thousands of seconds and millions
    t, fresh = np.linspace(0, 6e3, 200)[:, None], rng.uniform(0, 6e3, (50, 1))

    def u(t):
        return 5e6 / (1 + 4 * np.exp(-1e-3 * t[:, 0]))

    equation = Equation(t, lambda X, u, u_t: u_t - 1e-3 * u * (1 - u / 5e6), {"u_t": 1})
    model = fitted([[0.0]], [1e6], [equation])
    assert relative(model.predict(fresh) - u(fresh), u(fresh)) < 1e-12


def test_points_of_an_equation_are_told_to_it(rng):
    x = np.linspace(0, 2, 150)[:, None]
    equation = Equation(x, lambda X, u, u_x: u_x + 2 * X[:, 0] * u**2, {"u_x": 1})
    model = fitted([[0.0]], [1.0], [equation])
    fresh = rng.uniform(0, 2, (50, 1))
    assert np.abs(model.predict(fresh) - 1 / (1 + fresh[:, 0] ** 2)).max() < 1e-11


def test_an_equation_without_a_solution_is_told():
    # u' = 1 + u^2 from 0 is the tangent, which does not reach 3
    t = np.linspace(0, 3, 240)[:, None]
    with pytest.warns(AccuracyWarning):
        model = fitted([[0.0]], [0.0], [Equation(t, lambda X, u, u_t: u_t - 1 - u**2, {"u_t": 1})])
    assert model.condition_residuals_["conditions[0]"] > 1e-8
    assert model.stop_reason_ in ("newton not converged", "inconsistent conditions", "undersampled")


def test_slopes_are_those_of_a_formula(rng):
    x, u, v = rng.standard_normal((3, 20))

    def residual(X, u, v):
        return torch.stack([u**2 * v, X[:, 0] + 0 * u], dim=1)

    found, slopes = linearised(residual, x[:, None], {"u": u, "v": v})
    np.testing.assert_allclose(found, np.column_stack([u**2 * v, x]))
    np.testing.assert_allclose(slopes["u"], np.column_stack([2 * u * v, 0 * u]))
    np.testing.assert_allclose(slopes["v"], np.column_stack([u**2, 0 * u]))


def test_the_mode_of_torch_is_left_alone():
    x = np.linspace(0, 1, 60)[:, None]
    with torch.no_grad():
        fitted([[0.0]], [1.0], [Equation(x, lambda X, u, u_x: u_x + u**2, {"u_x": 1})])
        assert not torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("residual", "derivatives", "told"),
    [
        (lambda X, u, u_x: u_x.sum(), {"u_x": 1}, "tensor of shape"),
        (lambda X, u, u_x: u_x.detach().numpy(), {"u_x": 1}, "tensor of shape"),
        (lambda X, u, u_x: u_x, {"u_x": (1, 0)}, "1 non-negative integers"),
        (lambda X, u: u, {"u": 1}, "the function itself"),
        (lambda X, u, u_x: u_x / 0.0, {"u_x": 1}, "finite"),
    ],
)
def test_bad_equations(residual, derivatives, told):
    x = np.linspace(0, 1, 60)[:, None]
    with pytest.raises(ValueError, match=told):
        fitted([[0.0]], [1.0], [Equation(x, residual, derivatives)])
