"""A fitted model in files: skops, safetensors, torch.export and ONNX."""

import io
import pickle

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.persistence import TRUSTED_TYPES

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
    np.testing.assert_allclose(at(module, X), model.predict(X), rtol=0, atol=1e-13)


def test_onnx_in_double_precision(fitted, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    model, X = fitted
    path = str(tmp_path / "model.onnx")
    torch.onnx.export(exported(model, X), dynamo=True, verbose=False).save(path)
    session = runtime.InferenceSession(path)
    (values,) = session.run(None, {session.get_inputs()[0].name: X})
    assert values.dtype == np.float64
    np.testing.assert_allclose(values, model.predict(X), rtol=0, atol=1e-12)


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
        with pytest.warns(UserWarning, match="CPU predicts instead"):
            np.testing.assert_array_equal(model.predict(X), expected)
        with pytest.raises(ValueError, match="no CUDA"):
            model.fit(X, expected)
