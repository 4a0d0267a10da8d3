"""Solvers against each other, against SciPy, and against mathematics."""

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import sklearn
import torch
from scipy.optimize import least_squares

from skmsnn.modules.network import StageNetwork
from skmsnn.training.initialisation import Spectrum, initialise
from skmsnn.training.losses import irls_weight, p_norm, p_norm_and_slope
from skmsnn.training.solvers import SOLVERS, Problem, SolverOptions
from skmsnn.training.solvers import gauss_newton as gauss_newton_module
from skmsnn.training.solvers.base import set_weights, weights_of
from skmsnn.training.solvers.jacobian import jacobian_of
from skmsnn.training.solvers.linearised import linearised
from skmsnn.training.solvers.threads import one_thread
from skmsnn.training.waves import values_at


def network(n_features=2, n_outputs=1, n_modes=3, hidden=(4,), readout=True, seed=0):
    module = StageNetwork(n_features, n_outputs, n_modes, hidden, "tanh", readout)
    generator = torch.Generator().manual_seed(seed)
    wave_vectors = torch.randn(n_modes or 1, n_features, generator=generator, dtype=torch.float64)
    ones = torch.ones(n_modes or 1, dtype=torch.float64)
    initialise(module, "spectrum", Spectrum(wave_vectors, 0.3 * ones, ones), generator)
    return module


def problem(rng, n=60, n_features=2, n_outputs=1):
    x = torch.from_numpy(rng.uniform(-1, 1, (n, n_features)))
    target = torch.stack([torch.sin(2 * x.sum(1) + j) for j in range(n_outputs)], dim=1)
    weight = torch.from_numpy(rng.uniform(0.5, 1, (n, 1)))
    return Problem(x, target, weight / weight.sum())


def devices():
    """Those that there are to train on."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


class TestLinearModel:
    """Of the Gauss-Newton step: its sum of squares is the loss, and so are its slopes."""

    @pytest.mark.parametrize("n_outputs", [1, 3])
    def test_its_residual_is_that_of_the_loss_at_any_weights(self, rng, n_outputs):
        module, data = network(n_outputs=n_outputs), problem(rng, n_outputs=n_outputs)
        weights = weights_of(module)
        model = linearised(module, data, 2.0)
        other = weights + 0.3 * torch.from_numpy(rng.standard_normal(len(weights)))
        for at, residual in (
            (weights, model.residual),
            (weights, model.residual_at(weights)),
            (other, model.residual_at(other)),
        ):
            set_weights(module, at)
            loss = p_norm(module(data.x) - data.target, 2, data.weight)
            assert float(residual.norm()) == pytest.approx(float(loss.detach()), rel=1e-12)
        signs = torch.sign(module(data.x) - data.target).reshape(-1)
        assert torch.equal(torch.sign(model.residual_at(other)), signs)

    @pytest.mark.parametrize("p", [2.0, 4.0, 10.0])
    def test_its_gradient_is_along_that_of_the_loss(self, rng, p):
        module, data = network(n_outputs=2), problem(rng, n_outputs=2)
        model = linearised(module, data, p)
        found = model._transposed_times(model.residual)
        loss = p_norm(module(data.x) - data.target, p, data.weight)
        slopes = torch.autograd.grad(loss, list(module.parameters()))
        expected = torch.cat([slope.reshape(-1) for slope in slopes])
        cosine = found @ expected / (found.norm() * expected.norm())
        assert float(cosine) == pytest.approx(1, abs=1e-12)

    def test_the_accelerated_step_is_of_second_order(self, rng):
        """Where J v + r = 0 can be solved, it leaves the square of what the plain step leaves."""
        module = network(n_modes=3, hidden=(6,))
        weights = weights_of(module)
        x = torch.from_numpy(rng.uniform(-1, 1, (8, 2)))
        left = []
        for size in (0.02, 0.01):
            set_weights(module, weights)
            with torch.no_grad():
                target = module(x) + size * torch.sin(5 * x[:, :1])
            data = Problem(x, target, torch.full((8, 1), 1 / 8, dtype=torch.float64))
            model = linearised(module, data, 2.0)
            steps = list(gauss_newton_module._steps(model, weights, 1e-9))
            assert len(steps) == 2
            left.append([float(model.residual_at(weights + step).norm()) for step in steps])
        (accelerated, plain), (half_accelerated, half_plain) = left
        assert plain / half_plain == pytest.approx(4, rel=0.2)
        assert accelerated / half_accelerated > 6
        assert accelerated < 0.3 * plain


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize(("n_modes", "readout"), [(3, True), (3, False), (0, False)])
def test_jacobian_is_that_of_finite_differences(rng, n_outputs, n_modes, readout):
    module = network(n_outputs=n_outputs, n_modes=n_modes, readout=readout)
    x = torch.from_numpy(rng.uniform(-1, 1, (5, 2)))
    jacobian = jacobian_of(module, x).dense()
    weights, step = weights_of(module), 1e-6
    for k in range(len(weights)):
        change = torch.zeros_like(weights)
        change[k] = step
        with torch.no_grad():
            set_weights(module, weights + change)
            above = module(x)
            set_weights(module, weights - change)
            below = module(x)
        torch.testing.assert_close(
            jacobian[:, :, k], (above - below) / (2 * step), rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize("p", [2.0, 3.5, 10.0, 100.0])
def test_p_norm_is_its_definition_and_does_not_overflow(rng, p):
    residual = torch.from_numpy(rng.standard_normal((20, 2)))
    weight = torch.from_numpy(rng.uniform(0, 1, (20, 1)))
    weight /= weight.sum()
    expected = np.average(np.mean(np.abs(residual.numpy()) ** p, 1), weights=weight[:, 0]) ** (
        1 / p
    )
    assert float(p_norm(residual, p, weight)) == pytest.approx(expected, rel=1e-12)
    for scale in (1e-200, 1e200):
        scaled = float(p_norm(scale * residual, p, weight))
        assert scaled == pytest.approx(scale * expected, rel=1e-12)


def test_p_norm_of_nothing_is_zero_with_a_finite_slope():
    residual = torch.zeros((3, 1), dtype=torch.float64, requires_grad=True)
    loss = p_norm(residual, 10.0, torch.full((3, 1), 1 / 3, dtype=torch.float64))
    loss.backward()
    assert float(loss.detach()) == 0
    assert torch.isfinite(residual.grad).all()


def test_reweighting_by_irls_gives_the_gradient_of_the_p_norm(rng):
    residual = torch.from_numpy(rng.standard_normal((20, 1))).requires_grad_()
    weight = torch.full((20, 1), 0.05, dtype=torch.float64)
    p_norm(residual, 6.0, weight).backward()
    reweighted = irls_weight(residual.detach(), 6.0) * residual.detach()
    cosine = (reweighted * residual.grad).sum() / (reweighted.norm() * residual.grad.norm())
    assert float(cosine) == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_gauss_newton_reaches_what_scipy_reaches(rng, n_outputs):
    module = network(n_modes=2, hidden=(3,), n_outputs=n_outputs)
    data = problem(rng, n=80, n_outputs=n_outputs)
    start = weights_of(module)

    def residual(weights):
        set_weights(module, torch.from_numpy(weights))
        with torch.no_grad():
            difference = module(data.x) - data.target
        return ((data.weight / n_outputs).sqrt() * difference).numpy().ravel()

    other = least_squares(residual, start.numpy(), method="trf", max_nfev=300, xtol=1e-15)
    set_weights(module, start)
    result = SOLVERS["gauss-newton"](module, data, SolverOptions(max_iter=300))
    assert result.loss_curve[-1] <= 1.5 * np.sqrt(2 * other.cost) + 1e-12
    assert result.loss_curve[-1] == pytest.approx(
        np.linalg.norm(residual(weights_of(module).numpy()))
    )


def test_gauss_newton_finds_wave_vectors_to_round_off(rng):
    """One cosine, whose wave vector no lattice holds: residual and wave vector at round-off."""
    module = StageNetwork(2, 1, 1, (), "tanh", True)
    data = problem(rng, n=100)
    start = Spectrum(
        torch.tensor([[1.7, 2.2]], dtype=torch.float64),
        torch.zeros(1, dtype=torch.float64),
        torch.ones(1, dtype=torch.float64),
    )
    initialise(module, "spectrum", start, torch.Generator())
    result = SOLVERS["gauss-newton"](module, data, SolverOptions(max_iter=100))
    assert result.loss_curve[-1] < 1e-14
    np.testing.assert_allclose(module.fourier.weight.detach().numpy(), [[2.0, 2.0]], atol=1e-12)


def test_blocks_of_rows_give_the_same_steps(rng):
    data = problem(rng, n=50)
    curves = []
    for megabytes in (1024, 0.01):
        module = network()
        with sklearn.config_context(working_memory=megabytes):
            result = SOLVERS["gauss-newton"](module, data, SolverOptions(max_iter=8))
        curves.append(result.loss_curve)
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-6)


@pytest.mark.parametrize("damping", [1e-13, 1e-20, 1e-23])
def test_qr_keeps_the_digits_that_normal_equations_lose(rng, damping):
    """The damped step at a damping far below the square root of round-off, against NumPy's SVD."""
    module, data = network(hidden=(12, 12)), problem(rng, n=400)
    model = linearised(module, data, 2.0)
    jacobian = model._whole.numpy()
    right = model.residual.numpy()
    step = model.damped(damping)(model.residual).numpy()
    u, s, vt = np.linalg.svd(jacobian, full_matrices=False)
    shift = damping * model.scale
    exact = vt.T @ (s / (s**2 + shift) * (u.T @ right))

    def objective(x):
        return np.sum((jacobian @ x - right) ** 2) + shift * np.sum(x**2)

    # A stable solve is off by eps times the condition 1/sqrt(damping), the objective by its square.
    allowed = 1e-10 + 1e4 * np.finfo(float).eps ** 2 / damping
    assert objective(step) <= (1 + allowed) * objective(exact)


class TestFewerResidualsThanWeights:
    """The step in the space of the residuals is the one in that of the weights."""

    @pytest.mark.parametrize("megabytes", [1024, 0.015])
    @pytest.mark.parametrize("n_outputs", [1, 3])
    @pytest.mark.parametrize("p", [2.0, 4.0])
    @pytest.mark.parametrize("damping", [1e-2, 1e-9, 1e-13, 1e-23])
    def test_its_step_is_that_of_an_svd_of_the_jacobian(
        self, rng, damping, p, n_outputs, megabytes
    ):
        module = network(n_outputs=n_outputs, hidden=(12, 12))
        data = problem(rng, n=20, n_outputs=n_outputs)
        model = linearised(module, data, p)
        assert len(model.residual) < len(weights_of(module))
        with sklearn.config_context(working_memory=megabytes):
            step = model.damped(damping)(model.residual)
        with torch.no_grad():
            raw = module(data.x) - data.target
        root = (irls_weight(raw, p) * data.weight / n_outputs).sqrt()
        jacobian = (jacobian_of(module, data.x).dense() * root[..., None]).flatten(0, 1)
        u, s, vt = np.linalg.svd(jacobian.numpy(), full_matrices=False)
        assert model.scale == pytest.approx(float((jacobian**2).sum(dim=0).max()), rel=1e-12)
        shift = damping * model.scale
        exact = vt.T @ (s / (s**2 + shift) * (u.T @ model.residual.numpy()))
        # a stable solve of m rows is off by some m eps times the condition, at most 1/sqrt(damping)
        allowed = 10 * len(s) * np.finfo(float).eps * min(s[0] / s[-1], damping**-0.5)
        assert np.linalg.norm(step.numpy() - exact) <= allowed * np.linalg.norm(exact)

    def test_products_are_those_of_the_dense_jacobian(self, rng):
        module = network(n_outputs=2, hidden=(5,))
        x = torch.from_numpy(rng.uniform(-1, 1, (7, 2)))
        jacobian = jacobian_of(module, x)
        dense = jacobian.dense().flatten(0, 1)
        v, b = (torch.from_numpy(rng.standard_normal(n)) for n in dense.T.shape)
        torch.testing.assert_close(jacobian.times(v), dense @ v)
        torch.testing.assert_close(jacobian.transposed_times(b), dense.T @ b)
        torch.testing.assert_close(jacobian.outer(), dense @ dense.T)


@pytest.mark.parametrize("solver", sorted(SOLVERS))
@pytest.mark.parametrize("p", [2.0, 10.0])
def test_every_solver_lowers_the_loss_and_keeps_the_best_weights(rng, solver, p):
    module, data = network(), problem(rng)
    options = SolverOptions(p=p, max_iter=200, learning_rate=1e-2)
    result = SOLVERS[solver](module, data, options)
    with torch.no_grad():
        loss = float(p_norm(module(data.x) - data.target, p, data.weight))
    assert loss == pytest.approx(min(result.loss_curve), rel=1e-12)
    assert loss < 0.5 * result.loss_curve[0]
    assert len(result.loss_curve) == result.n_iter + 1


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_all_iterations_are_made_and_counted(rng, solver):
    for most in (1, 4, 5):
        result = SOLVERS[solver](network(), problem(rng), SolverOptions(max_iter=most))
        assert result.status == "max_iter"
        assert len(result.loss_curve) == most + 1


@pytest.mark.parametrize("bend", [0.05, 3.0])
def test_geodesic_acceleration_is_that_of_the_parabola(bend):
    """Of ``c + w + bend w^2`` the velocity is -c, and the acceleration ``-bend c^2`` if small."""
    c = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    model = SimpleNamespace(
        residual=c,
        damped=lambda _: lambda b: b,
        residual_at=lambda w: c + w + bend * w**2,
        times=lambda v: v,
    )
    steps = list(gauss_newton_module._steps(model, torch.zeros(3, dtype=torch.float64), 1e-9))
    torch.testing.assert_close(steps[-1], -c, rtol=0, atol=1e-13)
    assert len(steps) == (2 if bend < 1 else 1)
    if bend < 1:
        torch.testing.assert_close(steps[0], -c - bend * c**2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_a_report_can_stop_a_solver(rng, solver):
    module, data = network(), problem(rng)
    seen = []

    def report(iteration, loss):
        seen.append(iteration)
        return iteration >= 3

    result = SOLVERS[solver](module, data, SolverOptions(max_iter=50, report=report))
    assert result.status == "stopped"
    assert seen == [1, 2, 3]


@pytest.mark.skipif(not torch.backends.mkl.is_available(), reason="torch without MKL")
def test_factorisations_on_one_thread_leave_other_threads_as_they_are(rng):
    """Done at once in four threads they have the digits of one alone, and threads come back."""
    a = torch.from_numpy(rng.standard_normal((800, 400)))
    matrix = a.T @ a

    @one_thread()
    def factorise(_=None):
        return torch.linalg.cholesky(matrix)

    def threads_after(_):
        factorise()
        return torch.get_num_threads()

    found, alone = torch.get_num_threads(), factorise()
    torch.set_num_threads(2)
    try:
        with ThreadPoolExecutor(4) as pool:
            assert all(torch.equal(triangle, alone) for triangle in pool.map(factorise, range(100)))
            assert set(pool.map(threads_after, range(100))) == {2}
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 2
    finally:
        torch.set_num_threads(found)


def points_of(kind, rng):
    """Points on which cosines are evaluated one by one, or by products."""
    axes = [torch.from_numpy(np.sort(rng.uniform(-1, 1, n))) for n in (7, 4, 3)]
    if kind == "long lines":
        axes = [axes[0], torch.linspace(-1, 1, 10_000, dtype=torch.float64)]
    if "grid" not in kind and kind != "long lines":
        return torch.from_numpy(rng.uniform(-1, 1, (60, 1 if kind == "one feature" else 2)))
    x = torch.cartesian_prod(*(axes if kind == "grid of three" else axes[:2]))
    return torch.cat([x[:5], x[6:]]) if kind == "holed grid" else x


class TestAdamByHand:
    """The fused first layer and Adam on one vector, against plain torch."""

    @pytest.mark.parametrize("n_outputs", [1, 2])
    @pytest.mark.parametrize(("hidden", "readout"), [((5, 4), False), ((5, 4), True), ((), True)])
    @pytest.mark.parametrize(
        "points", ["one feature", "scattered", "grid", "holed grid", "grid of three", "long lines"]
    )
    def test_values_and_gradients_are_those_of_the_network_written_out(
        self, rng, points, hidden, readout, n_outputs
    ):
        x = points_of(points, rng)
        module = network(x.shape[1], n_outputs, n_modes=6, hidden=hidden, readout=readout)
        with torch.no_grad():
            for weights in module.parameters():
                weights.copy_(torch.from_numpy(rng.standard_normal(weights.shape)))
        phase = x @ module.fourier.weight.T + module.fourier.bias
        expected = torch.zeros(len(x), n_outputs, dtype=torch.float64)
        if readout:
            both = torch.cat([torch.cos(phase), torch.sin(phase)], dim=1)
            expected = expected + both @ module.readout.weight.T + module.readout.bias
        if hidden:
            inner = module.amplitudes * torch.cos(phase)
            for layer in module.hidden:
                inner = torch.tanh(inner @ layer.weight.T + layer.bias)
            expected = expected + inner @ module.output.weight.T + module.output.bias
        slope = torch.from_numpy(rng.standard_normal(expected.shape))
        values_of = values_at(module, x)
        for _ in range(2):  # again, in the same memory
            values = values_of()
            torch.testing.assert_close(values, expected, rtol=1e-13, atol=1e-13)
            found = torch.autograd.grad(values, list(module.parameters()), slope)
        gradients = torch.autograd.grad(expected, list(module.parameters()), slope)
        for gradient, other in zip(found, gradients, strict=True):
            torch.testing.assert_close(gradient, other, rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("p", [2.0, 3.5, 10.0])
    def test_the_slope_of_the_loss_is_that_of_autograd(self, rng, p):
        residual = torch.from_numpy(rng.standard_normal((20, 2))).requires_grad_()
        weight = problem(rng, n=20).weight
        loss = p_norm(residual, p, weight)
        loss.backward()
        for scale in (1e-200, 1.0, 1e200):
            value, slope = p_norm_and_slope(scale * residual.detach(), p, weight)
            torch.testing.assert_close(value / scale, loss.detach(), rtol=1e-13, atol=0)
            torch.testing.assert_close(slope, residual.grad, rtol=1e-12, atol=1e-15)

    def test_the_loss_of_nothing_is_zero_and_so_is_its_slope(self):
        weight = torch.full((3, 1), 1 / 3, dtype=torch.float64)
        loss, slope = p_norm_and_slope(torch.zeros_like(weight), 10.0, weight)
        assert float(loss) == 0
        assert torch.equal(slope, torch.zeros_like(weight))

    @pytest.mark.parametrize("n_modes", [0, 6])
    @pytest.mark.parametrize("device", devices())
    def test_its_losses_are_those_of_torchs_adam(self, rng, device, n_modes):
        most, p, start = 250, 10.0, 1e-2
        module, plain = (
            network(n_modes=n_modes, hidden=(5, 4), readout=False).to(device) for _ in range(2)
        )
        data = Problem(*(a.to(device) for a in vars(problem(rng)).values()))
        optimiser = torch.optim.Adam(plain.parameters(), lr=start)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, most)
        expected = []
        for _ in range(most + 1):
            optimiser.zero_grad()
            loss = p_norm(plain(data.x) - data.target, p, data.weight)
            expected.append(float(loss.detach()))
            loss.backward()
            optimiser.step()
            schedule.step()
        reported = []

        def report(iteration, loss):
            reported.append(iteration)
            return False

        options = SolverOptions(p=p, max_iter=most, learning_rate=start, report=report)
        curve = SOLVERS["adam"](module, data, options).loss_curve
        np.testing.assert_allclose(curve[:60], expected[:60], rtol=1e-11)
        # training amplifies rounding
        np.testing.assert_allclose(curve, expected, rtol=1e-7)
        assert reported == list(range(1, most + 1))

    def test_a_network_that_leaves_nothing_stops(self, rng):
        module, data = network(), problem(rng)
        with torch.no_grad():
            exact = Problem(data.x, module(data.x), data.weight)
        result = SOLVERS["adam"](module, exact, SolverOptions(max_iter=9, loss_floor=1e-14))
        assert (result.status, result.n_iter) == ("round-off", 0)

    def test_losses_that_are_not_finite_end_it(self, rng):
        module, data = network(), problem(rng)
        options = SolverOptions(max_iter=50, learning_rate=np.inf)
        result = SOLVERS["adam"](module, data, options)
        assert result.status == "diverged"
        assert np.isfinite(result.loss_curve).all()
        assert torch.isfinite(weights_of(module)).all()
