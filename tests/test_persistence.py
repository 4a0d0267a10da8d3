"""A fitted model in files: skops, safetensors, torch.export and ONNX."""

import io
import pickle

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.functions import (
    CanonicalDecomposition,
    FourierSum,
    FunctionSum,
    LegendreBasis,
    LegendreSeries,
    LegendreWavesBasis,
    MultiOutput,
    PartialFractions,
    RationalFunction,
    SplineBasis,
    TensorFourierSeries,
    TensorProductSeries,
    TriangulatedSurface,
)
from skmsnn.functions.kernel import CORRELATIONS, KernelExpansion
from skmsnn.functions.of_features import OfFeatures
from skmsnn.modules.network import StageNetwork
from skmsnn.modules.of_functions import module_of
from skmsnn.modules.trained import TrainedNetwork
from skmsnn.persistence import TRUSTED_TYPES
from skmsnn.stage import Stage

PARAMETERS = {
    "lattice": {"n_stages": 2},
    "networks": {"n_modes": 6, "max_iter": 5, "n_stages": 2, "tol": 1.0},
    "xavier": {"init": "xavier", "max_iter": 3, "n_stages": 1, "tol": 1.0},
}


@pytest.fixture(params=[*PARAMETERS, "many dimensions"])
def fitted(request, rng):
    d = 4 if request.param == "many dimensions" else 2
    X = rng.uniform(-1, 1, (300, d))
    y = np.cos(X @ np.arange(1, d + 1))
    parameters = PARAMETERS.get(request.param, {"n_stages": 1, "tol": 1.0})
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters).fit(X, y), X


class TestSkops:
    def test_needs_no_other_types_and_predicts_the_same(self, fitted):
        sio = pytest.importorskip("skops.io")
        model, X = fitted
        data = sio.dumps(model)
        assert set(sio.get_untrusted_types(data=data)) <= set(TRUSTED_TYPES)
        loaded = sio.loads(data, trusted=TRUSTED_TYPES)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        np.testing.assert_array_equal(loaded.gradient(X), model.gradient(X))

    def test_types_of_others_are_refused(self, fitted):
        sio = pytest.importorskip("skops.io")
        model, _ = fitted
        model.random_state = pickle.Unpickler  # something that no fitted model holds
        with pytest.raises(Exception, match="Unpickler"):
            sio.loads(sio.dumps(model), trusted=TRUSTED_TYPES)

    @pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
    def test_half_a_file_is_an_error(self, fitted, share):
        sio = pytest.importorskip("skops.io")
        data = sio.dumps(fitted[0])
        with pytest.raises(Exception, match=r".+"):
            sio.loads(data[: int(share * len(data))], trusted=TRUSTED_TYPES)


def at(module, X):
    with torch.no_grad():
        return module(torch.tensor(X)).numpy()


def test_safetensors_hold_the_weights_of_the_module(fitted):
    safetensors = pytest.importorskip("safetensors.torch")
    model, X = fitted
    data = safetensors.save(model.to_module().state_dict())
    module = model.to_module()
    for tensor in module.state_dict().values():
        tensor.zero_()
    module.load_state_dict(safetensors.load(data))
    np.testing.assert_array_equal(at(module, X), at(model.to_module(), X))


def exported(model, X):
    module = model.to_module()
    rows = {"X": {0: torch.export.Dim("n")}}
    return torch.export.export(module, (torch.tensor(X[:7]),), dynamic_shapes=rows)


def test_an_exported_module_takes_any_number_of_points(fitted):
    model, X = fitted
    file = io.BytesIO()
    torch.export.save(exported(model, X), file)
    file.seek(0)
    module = torch.export.load(file).module()
    np.testing.assert_allclose(at(module, X), model.predict(X), rtol=0, atol=1e-12)


def by_onnx(program, X):
    """What ONNX Runtime gives for the points of a model that torch has exported."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(program.model_proto.SerializeToString())
    (values,) = session.run(None, {session.get_inputs()[0].name: X})
    assert values.dtype == np.float64
    return values


def splines(n_pieces, degree):
    breaks = np.linspace(-1, 1, n_pieces + 1)
    return SplineBasis(np.concatenate([[-1.0] * degree, breaks, [1.0] * degree]), degree)


def lattice(rng, shape, *rest):
    """Coefficients of waves that are real."""
    c = rng.standard_normal((*shape, *rest)) + 1j * rng.standard_normal((*shape, *rest))
    return c + np.flip(c, range(len(shape))).conj()


def product(rng, bases, axes, n_outputs=1, waves=(), wave_axes=()):
    rest = [*(basis.size for basis in bases), n_outputs]
    c = lattice(rng, waves, *rest) if waves else rng.standard_normal(rest)
    return TensorProductSeries(c, np.full(len(waves), 2.5), wave_axes, tuple(bases), axes)


def functions(name, rng):
    """Functions of every kind of so many features, and the number of these and of outputs."""
    both = LegendreWavesBasis(3, np.array([2.0, 5.0]))
    if name == "one feature":
        bases = [splines(9, 1), splines(9, 3), splines(1, 5), splines(7, 9), LegendreBasis(4)]
        poles = np.array([0.1 + 0.3j, 1.5 + 0j, -0.4 + 0.2j])
        rational = PartialFractions(poles, rng.standard_normal((7, 1)))
        return [*(product(rng, [basis], (0,)) for basis in (*bases, both)), rational], 1, 1
    if name == "two features":
        waves = FourierSum(rng.standard_normal((5, 2)), rng.standard_normal((5, 2)) * (1 + 2j))
        grid = TensorFourierSeries(lattice(rng, (5, 3), 2), np.array([2.0, 2.5]))
        degrees = rng.integers(0, 4, (6, 2))
        below = LegendreSeries(np.array([[0, 0], [1, 0], [0, 1]]), np.array([[3.0], [0.5], [0.4]]))
        polynomial = LegendreSeries(degrees, rng.standard_normal((6, 2)))
        quotient = RationalFunction(degrees, rng.standard_normal((6, 1)), below)
        crossed = product(rng, [splines(7, 5), both], (1, 0), 2)
        stack = MultiOutput((quotient, product(rng, [both, splines(5, 3)], (0, 1))), (1, 1))
        places, values = rng.uniform(-1, 1, (9, 2)), rng.standard_normal((9, 2))
        triangles = TriangulatedSurface.through(places, values, (1, 0))
        sums = FunctionSum((waves, grid))
        return [waves, grid, polynomial, crossed, stack, sums, triangles], 2, 2
    if name == "three features":
        separable = CanonicalDecomposition(
            rng.standard_normal((1, 2, 3, 4)), rng.standard_normal(1)
        )
        bases = [splines(6, 5), LegendreBasis(3)]
        mixed = product(rng, bases, (2, 0), waves=(5,), wave_axes=(1,))
        line = LegendreSeries(np.eye(3, dtype=np.int64), rng.standard_normal((3, 1)))
        kernels = [
            KernelExpansion(
                name,
                rng.uniform(-1, 1, (6, 3)),
                rng.standard_normal((6, 1)),
                line,
                np.array([0.7, 0.0, -0.2]),
                *rng.uniform(0.5, 2, (2, 3)),
                np.array([0.0, 1.0, 2.0]),
            )
            for name in CORRELATIONS
        ]
        some = OfFeatures(product(rng, bases, (0, 1)), (2, 0), 3)
        return [separable, mixed, product(rng, [both, *bases], (1, 2, 0)), *kernels, some], 3, 1
    networks = []
    for n_modes, hidden, readout in [(0, (4, 3), False), (3, (4,), True), (3, (4, 3), False)]:
        parts = {"n_modes": n_modes, "hidden_layer_sizes": hidden, "readout": readout}
        parts |= {"n_features": 2, "n_outputs": 2, "activation": name}
        network = StageNetwork(**parts)
        for weight in network.parameters():
            weight.data = torch.from_numpy(3 * rng.standard_normal(weight.shape))
        networks.append(TrainedNetwork.of(network, parts))
    return networks, 2, 2


class TestOnnx:
    """By ONNX Runtime, in double precision, at any number of points."""

    pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")

    @pytest.fixture(autouse=True)
    def exporter(self):
        pytest.importorskip("onnxscript")
        pytest.importorskip("torch", minversion="2.7")

    def check(self, model, X):
        rows = {"X": {0: torch.export.Dim("n")}}
        arguments = {"dynamo": True, "verbose": False, "dynamic_shapes": rows}
        values = by_onnx(
            torch.onnx.export(model.to_module(), (torch.tensor(X[:2]),), **arguments), X
        )
        expected = model.predict(X)
        if np.iscomplexobj(expected):
            values = values[..., 0] + 1j * values[..., 1]
        assert values.shape == expected.shape
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-14 * np.abs(expected).max())

    def test_programs(self, fitted):
        model, X = fitted
        values = by_onnx(torch.onnx.export(exported(model, X), dynamo=True, verbose=False), X)
        np.testing.assert_allclose(values, model.predict(X), rtol=0, atol=1e-12)

    @pytest.mark.parametrize(
        "name", ["one feature", "two features", "three features", "tanh", "sin", "gelu"]
    )
    def test_functions_of_every_kind(self, name, rng):
        kinds, d, k = functions(name, rng)
        # half of the points are outside the box that was fitted
        X = rng.uniform(-2, 2, (300, d))
        inside = X[np.abs(X).max(axis=1) < 1]
        y = inside @ rng.standard_normal((d, k))
        model = SpectrumInformedMSNNRegressor(random_state=0, families=("polynomial",))
        model.fit(inside, y[:, 0] if k == 1 else y)
        model.stages_ = [Stage(np.full(k, 0.7), function) for function in kinds]
        self.check(model, X)

    def test_every_kind_is_among_them(self, rng):
        names = ["one feature", "two features", "three features", "tanh"]
        found = {type(function) for name in names for function in functions(name, rng)[0]}
        own = {kind for kind in module_of.registry if kind.__module__.startswith("skmsnn.")}
        # quotients stand in a stack
        assert found >= own - {RationalFunction}

    def test_logarithms(self, rng):
        X = np.exp(rng.uniform(0, 6, (80, 2)))
        model = SpectrumInformedMSNNRegressor(random_state=0, feature_transforms=["log", "linear"])
        self.check(model.fit(X, np.log(X[:, 0]) ** 2 + 1e-3 * X[:, 1]), np.concatenate([X, -X]))

    def test_periods(self, rng):
        turn = np.linspace(0, 2 * np.pi, 30, endpoint=False)[:, None]
        model = SpectrumInformedMSNNRegressor(random_state=0, period=2 * np.pi)
        self.check(model.fit(turn, np.exp(np.sin(turn[:, 0]))), rng.uniform(-20, 20, (50, 1)))

    @pytest.mark.parametrize("is_flat", [True, False])
    def test_complex_values_are_pairs(self, is_flat, rng):
        X = rng.uniform(-1, 1, (60, 1))
        y = np.hstack([X + 1j * X**2, 2 - 1j * X])
        model = SpectrumInformedMSNNRegressor(random_state=0, families=["polynomial"], n_stages=1)
        self.check(model.fit(X, y[:, 0] if is_flat else y), X)


def test_modules_of_thousands_of_pieces_take_memory_for_each_piece_alone(rng):
    n_pieces = 20_000
    basis = splines(n_pieces, 3)
    modes = product(rng, [basis], (0,))
    module = module_of(modes)
    assert sum(buffer.numel() for buffer in module.buffers()) < 40 * n_pieces
    assert module.widest < 100  # numbers a point
    x = rng.uniform(-1.001, 1.001, (1000, 1))
    expected = modes.evaluate(x)
    size = np.abs(expected).max()
    np.testing.assert_allclose(at(module, x), expected, rtol=0, atol=1e-12 * size)
    ends = basis.knots[3:-3, None]  # where one piece begins and another ends
    np.testing.assert_allclose(at(module, ends), modes.evaluate(ends), rtol=0, atol=1e-13 * size)
    missing = at(module, np.array([[np.nan], [np.inf], [-np.inf]]))
    assert not np.isfinite(missing).any()


class TestDevice:
    def test_auto_is_what_there_is(self, rng):
        X = rng.uniform(-1, 1, (200, 1))
        auto, cpu = (
            SpectrumInformedMSNNRegressor(
                n_modes=4, max_iter=3, tol=1.0, random_state=0, device=device
            ).fit(X, np.sin(9 * X[:, 0]))
            for device in ("auto", "cpu")
        )
        np.testing.assert_allclose(auto.predict(X), cpu.predict(X), rtol=0, atol=1e-10)

    def test_a_model_of_a_missing_device_predicts_on_the_cpu(self, fitted, monkeypatch):
        model, X = fitted
        expected = model.predict(X)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        model = pickle.loads(pickle.dumps(model.set_params(device="cuda")))
        with pytest.warns(UserWarning, match="the CPU is used"):
            np.testing.assert_array_equal(model.predict(X), expected)
        with pytest.raises(ValueError, match="no CUDA"):
            model.fit(X, expected)
