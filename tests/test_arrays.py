"""Tensors in, tensors out, where scikit-learn's array API dispatch is on."""

import subprocess
import sys

import pytest

# in a process of its own: SciPy reads the variable when it is imported
SCRIPT = """
import numpy as np, sklearn, torch
from skmsnn import SpectrumInformedMSNNRegressor
X = torch.linspace(-1, 1, 60, dtype=torch.float64)[:, None]
y = torch.exp(X[:, 0])
model = SpectrumInformedMSNNRegressor(random_state=0)
model.fit(X.numpy(), y.numpy())
expected = model.predict(X.numpy()), model.derivative(X.numpy(), 2)
slope, bend = model.gradient(X.numpy()), model.laplacian(X.numpy())
with sklearn.config_context(array_api_dispatch=True):
    model.fit(X, y, sample_weight=torch.ones(60, dtype=torch.float64))
    inside = X.clone().requires_grad_()
    found = model.predict(inside), model.derivative(inside, 2)
    found += model.gradient(inside), model.laplacian(inside)
    for values, by_numpy in zip(found, (*expected, slope, bend), strict=True):
        assert isinstance(values, torch.Tensor) and values.dtype == torch.float64, values
        np.testing.assert_array_equal(values.numpy(), by_numpy)
    assert [type(v) for v in model.staged_predict(X)] == [torch.Tensor] * model.n_stages_
    assert float(model.score(X, y)) > 1 - 1e-12
    assert isinstance(model.predict(X.numpy()), np.ndarray)
"""


def test_tensors_in_tensors_out(monkeypatch):
    pytest.importorskip("sklearn.externals.array_api_compat", reason="scikit-learn 1.7 and later")
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
