"""Every family, with every kind of points that it suits."""

import pickle

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.families import FAMILIES
from skmsnn.metrics import relative_l2_error

dask = pytest.importorskip("dask.array")


def smooth(X):
    return np.exp(np.sin(X @ np.arange(1.0, X.shape[1] + 1)) / 2)


def points(kind, rng):
    if kind == "line":
        return np.linspace(-1, 1, 60)[:, None]
    if kind == "uneven line":
        return np.sort(rng.uniform(-1, 1, 80))[:, None]
    if kind == "grid":
        axes = np.linspace(-1, 1, 24), np.linspace(0, 2, 20)
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
    if kind == "grid with holes":
        grid = points("grid", rng)
        return grid[rng.permutation(len(grid))[:400]]
    return rng.uniform(-1, 1, (500, int(kind[0])))


KINDS = ("line", "uneven line", "grid", "grid with holes", "2-D", "3-D", "5-D")
UNSUPPORTED = {
    ("spline", "5-D"),
    ("separable", "line"),
    ("separable", "uneven line"),
    ("interpolant", "grid"),
    ("interpolant", "3-D"),
    ("interpolant", "5-D"),
}
LINEAR = ("polynomial", "fourier", "spline")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_keeps_the_contract(rng, name, kind):
    """Honest, no worse than the mean, differentiable, as a module, and the same from a file."""
    X = points(kind, rng)
    fresh = X.min(axis=0) + np.ptp(X, axis=0) * rng.uniform(0.02, 0.98, (300, X.shape[1]))
    model = SpectrumInformedMSNNRegressor(families=(name,), max_iter=5, random_state=0)
    if (name, kind) in UNSUPPORTED:
        with pytest.raises(ValueError, match="cannot be fitted to these data"):
            model.fit(X, smooth(X))
        return
    model.fit(X, smooth(X))
    predicted = model.predict(fresh)
    error = np.sqrt(np.mean((predicted - smooth(fresh)) ** 2)) / smooth(X).std()
    assert error < 1.1
    assert error < 10 * model.validation_errors_[-1] + 1e-12
    stage = model.stages_[0]
    assert stage.family == name
    module = model.to_module()(torch.from_numpy(fresh)).detach().numpy()
    # large coefficients of kernels cancel, in digits that the fit does not have
    digits = max(1e-12, 0.01 * model.validation_errors_[-1]) if name == "kernel" else 1e-12
    np.testing.assert_allclose(module, predicted, atol=digits * np.abs(predicted).max())
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(fresh), predicted)
    step = 1e-5
    slope = model.gradient(fresh)[:, 0]
    ahead, behind = (model.predict(fresh + s * np.eye(X.shape[1])[0]) for s in (step, -step))
    scale = np.abs(slope).max() + 1
    is_smooth = np.abs((ahead - behind) / (2 * step) - slope) < 1e-4 * scale
    assert is_smooth.mean() > 0.9  # a straight line in pieces has corners


@pytest.mark.parametrize("name", LINEAR)
def test_chunks_take_the_same_families(rng, name):
    X = rng.uniform(-1, 1, (3000, 2))
    y = smooth(X)
    chunked = dask.from_array(X, chunks=(700, 2)), dask.from_array(y, chunks=700)
    model = SpectrumInformedMSNNRegressor(families=(name,), random_state=0)
    if name == "spline":
        with pytest.raises(ValueError, match="need arrays in memory"):
            model.fit(*chunked)
        return
    model.fit(*chunked)
    fresh = rng.uniform(-0.98, 0.98, (500, 2))
    error = relative_l2_error(smooth(fresh), model.predict(fresh))
    assert error < {"polynomial": 0.05, "fourier": 1e-6}[name]
    assert set(model.stages_[0].family.split(" x ")) <= {name, "polynomial"}


def test_the_best_of_all_is_no_worse_than_each(rng):
    X = points("grid", rng)
    fresh = points("2-D", rng) * 0.95 + np.array([0.0, 1.0])
    errors = {}
    for families in ("auto", *((name,) for name in LINEAR)):
        model = SpectrumInformedMSNNRegressor(families=families, random_state=0).fit(X, smooth(X))
        errors[families] = relative_l2_error(smooth(fresh), model.predict(fresh))
    assert errors.pop("auto") < 3 * min(errors.values())


def test_stages_say_which_family_they_are_of(rng):
    X = points("grid", rng)
    model = SpectrumInformedMSNNRegressor(families=["spline"], random_state=0).fit(X, smooth(X))
    assert model.stages_[0].family == "spline"
    assert model.stage_summaries_[0].startswith("spline: ")
    assert "<td>spline</td>" in model._repr_html_()
