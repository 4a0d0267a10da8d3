import numpy as np
import pytest

from skmsnn.datasets import make_decaying_turbulence, simulate_decaying_turbulence


def grid_vorticity(function, n):
    axis = 2 * np.pi * np.arange(n) / n
    return function(*np.meshgrid(axis, axis, indexing="ij"))


def test_taylor_green_vortex_decays_at_the_analytic_rate():
    """Its advection vanishes: vorticity decays as exp(-2 viscosity time)."""
    start = grid_vorticity(lambda x, y: 2 * np.cos(x) * np.cos(y), 32)
    snapshot = simulate_decaying_turbulence(32, viscosity=0.05, duration=3.0, vorticity=start)
    exact = np.exp(-2 * 0.05 * 3.0)
    np.testing.assert_allclose(snapshot.on_grid("vorticity"), exact * start, atol=1e-13)
    np.testing.assert_allclose(snapshot.on_grid(), exact * start / 2, atol=1e-13)
    assert snapshot.energy == pytest.approx(exact**2 / 4, rel=1e-12)
    assert snapshot.enstrophy == pytest.approx(exact**2 / 2, rel=1e-12)


def test_inviscid_runs_conserve_energy_and_enstrophy_to_third_order():
    drifts = []
    for step in (0.02, 0.01):
        runs = [
            simulate_decaying_turbulence(48, viscosity=0.0, duration=t, time_step=step)
            for t in (0, 0.4)
        ]
        drifts.append(
            [abs(getattr(runs[1], q) / getattr(runs[0], q) - 1) for q in ("energy", "enstrophy")]
        )
    ratios = np.array(drifts[0]) / np.array(drifts[1])
    assert np.all(ratios > 2**3 * 0.8)
    assert np.all(np.array(drifts) < 1e-3)


def test_energy_of_the_initial_field_is_one_half():
    assert simulate_decaying_turbulence(32, duration=0).energy == pytest.approx(0.5)


def test_the_initial_field_is_the_same_at_every_resolution_up_to_its_tail():
    coarse, fine = (simulate_decaying_turbulence(n, duration=0) for n in (64, 128))
    ratio = fine.vorticity_hat[1:10, 1:10] / coarse.vorticity_hat[1:10, 1:10]
    np.testing.assert_allclose(ratio, ratio[0, 0], rtol=1e-12)


def test_the_field_off_the_grid_is_that_on_it():
    snapshot = simulate_decaying_turbulence(32, duration=0.2)
    X, y = make_decaying_turbulence(32, duration=0.2)
    np.testing.assert_allclose(snapshot.at(X), y, atol=1e-13)
    np.testing.assert_array_equal(snapshot.on_grid().ravel(), y)
    # and its Laplacian is the vorticity, by second differences
    h, points = 1e-3, np.array([[1.0, 2.0], [4.0, 0.5]])
    laplacian = (
        sum(
            snapshot.at(points + s * h * e) - snapshot.at(points)
            for e in np.eye(2)
            for s in (-1, 1)
        )
        / h**2
    )
    np.testing.assert_allclose(-laplacian, snapshot.at(points, "vorticity"), rtol=1e-3)


def test_velocity_is_the_rotated_gradient_of_the_stream_function():
    """That of a Taylor-Green vortex: psi = cos x cos y, u = -cos x sin y, v = sin x cos y."""
    start = grid_vorticity(lambda x, y: 2 * np.cos(x) * np.cos(y), 16)
    snapshot = simulate_decaying_turbulence(16, duration=0, vorticity=start)
    x, y = X = np.array([[0.3, 2.0, 5.0], [1.1, 4.0, 0.2]])
    np.testing.assert_allclose(snapshot.at(X.T, "velocity_x"), -np.cos(x) * np.sin(y), atol=1e-13)
    np.testing.assert_allclose(snapshot.at(X.T, "velocity_y"), np.sin(x) * np.cos(y), atol=1e-13)


def test_a_seed_determines_the_field():
    one, other, third = (make_decaying_turbulence(16, random_state=s)[1] for s in (1, 1, 2))
    np.testing.assert_array_equal(one, other)
    assert not np.allclose(one, third)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_points": 4}, "n_points"),
        ({"viscosity": -1}, "negative"),
        ({"time_step": 0}, "time_step"),
        ({"vorticity": np.zeros((3, 3))}, "shape"),
    ],
)
def test_wrong_arguments_are_told(arguments, message):
    with pytest.raises(ValueError, match=message):
        simulate_decaying_turbulence(**{"n_points": 16, "duration": 0.1} | arguments)
