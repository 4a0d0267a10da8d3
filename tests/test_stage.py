"""Where NumPy meets torch."""

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.domain import Points
from skmsnn.modules.evaluation import evaluate
from skmsnn.modules.network import StageNetwork
from skmsnn.training.networks import no_worse_than_mean


class TestNoWorseThanMean:
    """A network of one wave and one hidden unit, with the readout weights as its outputs."""

    @pytest.fixture
    def points(self, rng):
        weight = rng.integers(0, 3, 50).astype(float)
        return Points(rng.uniform(-1, 1, (50, 1)), weight)

    def module(self, readout):
        module = StageNetwork(1, len(readout), 1, (1,), "tanh", True)
        with torch.no_grad():
            for weights in module.parameters():
                weights.fill_(0.7)
            module.readout.weight.copy_(torch.tensor(readout)[:, None] * torch.ones(2))
        return module

    def test_of_several_outputs_those_that_are_worse(self, points):
        module = self.module([1.0, 1.0, 1e6])
        fits = evaluate(module, points.x)
        target = fits + np.array([1e-3, 1e3, 0.0])
        target[:, 2] = np.sin(points.x[:, 0])
        no_worse_than_mean(module, points, target)
        mean = np.average(target, axis=0, weights=points.weight)
        after = evaluate(module, points.x)
        np.testing.assert_array_equal(after[:, 0], fits[:, 0])
        np.testing.assert_allclose(after[:, 1:], np.tile(mean[1:], (50, 1)), rtol=1e-14)

    def test_what_is_not_finite_is_worse(self, points):
        module = self.module([1.0])
        with torch.no_grad():
            module.output.bias.fill_(torch.inf)
        no_worse_than_mean(module, points, points.x**2)
        mean = np.average(points.x**2, axis=0, weights=points.weight)
        np.testing.assert_allclose(evaluate(module, points.x), np.tile(mean, (50, 1)), rtol=1e-14)

    def test_points_of_no_weight_do_not_count(self, points):
        module = self.module([1.0])
        fits = evaluate(module, points.x)
        target = np.where(points.weight[:, None] > 0, fits, 1e6)
        no_worse_than_mean(module, points, target)
        np.testing.assert_array_equal(evaluate(module, points.x), fits)


def test_a_stage_is_printed_in_a_line():
    x = np.linspace(0, 1, 60)[:, None]
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(x, np.exp(np.sin(9 * x[:, 0])))
    printed = repr(model.stages_)
    assert f"n_modes={model.stages_[0].n_modes}" in printed
    assert model.stages_[0].family in printed
    assert len(printed) < 200 * len(model.stages_)
