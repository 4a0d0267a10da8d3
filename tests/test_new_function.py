"""A new type of functions serves a model without being known anywhere else."""

import copy
import pickle
from dataclasses import dataclass, replace
from inspect import isabstract

import numpy as np
import pytest
import torch

from skmsnn import SpectrumInformedMSNNRegressor, functions
from skmsnn.functions import Function, LegendreSeries, MultiOutput
from skmsnn.modules.network import StageModule, tensor
from skmsnn.modules.of_functions import module_of
from skmsnn.modules.trained import TrainedNetwork
from skmsnn.stage import Stage

RATES = np.array([0.7, -1.3])


@dataclass(frozen=True)
class Exponential(Function):
    """``c exp(w . x)``, with a factor c for each output."""

    rates: np.ndarray
    factors: np.ndarray

    @property
    def n_terms(self):
        return 1

    def evaluate(self, x):
        return np.exp(x @ self.rates)[:, None] * self.factors

    def derivative(self, nu):
        return self.scaled(np.prod(self.rates ** np.asarray(nu)))

    def scaled(self, factor):
        return replace(self, factors=self.factors * factor)


@pytest.fixture(scope="module")
def models():
    """A model, the same with a stage of exponentials, and the spread of y."""
    X = np.random.default_rng(0).uniform(-2, 3, (80, 2))
    y = X[:, 0] * X[:, 1]
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, y)
    function = Exponential(RATES, np.array([2.0]))
    more = copy.deepcopy(model)
    more.stages_ = [*model.stages_, Stage(np.array([0.25]), function, "exponential")]
    return model, more, y.std()


@pytest.mark.parametrize("n", [0, 1, 3, 2000])
def test_values(models, rng, n):
    model, more, spread = models
    X = rng.uniform(-2, 3, (n, 2))
    expected = model.to_function()(X)
    expected = expected + spread / 2 * np.exp(model.domain_.scale(X) @ RATES)
    np.testing.assert_allclose(more.to_function()(X), expected, rtol=1e-13)
    if n:
        np.testing.assert_allclose(more.predict(X), expected, rtol=1e-13)
        np.testing.assert_allclose(list(more.staged_predict(X))[-1], expected, rtol=1e-13)
        copied = pickle.loads(pickle.dumps(more))
        np.testing.assert_array_equal(copied.predict(X), more.predict(X))


@pytest.mark.parametrize("nu", [(1, 0), (0, 1), (2, 1)])
def test_derivatives(models, rng, nu):
    model, more, spread = models
    X = rng.uniform(-2, 3, (20, 2))
    slope = np.prod((RATES / model.domain_.half_width) ** np.array(nu))
    expected = spread / 2 * slope * np.exp(model.domain_.scale(X) @ RATES)
    found = more.derivative(X, nu) - model.derivative(X, nu)
    np.testing.assert_allclose(found, expected, atol=1e-12)
    if sum(nu) == 1:
        gradient = more.to_function().gradient(X) - model.gradient(X)
        np.testing.assert_allclose(gradient[:, nu.index(1)], expected, atol=1e-12)


def test_integrals(models):
    model, more, spread = models
    found = more.integral() - model.integral()
    # of exp(w x) from -1 to 1 along each scaled axis
    of_axes = 2 * np.sinh(RATES) / RATES * model.domain_.half_width
    np.testing.assert_allclose(found, spread / 2 * of_axes.prod(), rtol=1e-12)


def test_beside_functions_of_another_output(rng):
    X = rng.uniform(-1, 1, (80, 2))
    model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, X)
    line = LegendreSeries(np.array([[1, 0]]), np.array([[1.0]]))
    function = MultiOutput((Exponential(RATES, np.ones(1)), line), (1, 1))
    model.stages_ = [Stage(np.array([3.0, 5.0]), function)]
    x = model.domain_.scale(X)
    values = np.stack([3 * np.exp(x @ RATES), 5 * x[:, 0]], axis=1)
    expected = X.mean(axis=0) + X.std(axis=0) * values
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-12, atol=1e-12)


def test_a_module_has_to_be_registered(models):
    _, more, _ = models
    with pytest.raises(TypeError, match=r"Exponential have no torch module.*register"):
        more.to_module()


def test_a_module_that_is_registered_serves(models, rng):
    _, more, _ = models

    class Known(Exponential):
        pass

    class Module(StageModule):
        widest = 2

        def __init__(self, function):
            super().__init__()
            self.rates, self.factors = tensor(function.rates), tensor(function.factors)

        def forward(self, x):
            return torch.exp(x @ self.rates)[:, None] * self.factors

    module_of.register(Known, Module)
    known = copy.deepcopy(more)
    known.stages_[-1] = replace(more.stages_[-1], function=Known(RATES, np.array([2.0])))
    X = rng.uniform(-2, 3, (20, 2))
    module = known.to_module()
    np.testing.assert_allclose(module(torch.tensor(X)), more.predict(X), rtol=1e-12)


def test_functions_without_sums_say_so():
    one = Exponential(RATES, np.ones(1))
    assert one.kind is None
    with pytest.raises(TypeError, match="Exponential have no sums"):
        one.plus(one)


def subclasses(kind):
    for below in kind.__subclasses__():
        yield below
        yield from subclasses(below)


def test_every_type_of_the_package_is_named_once_and_has_a_module():
    own = {kind for kind in subclasses(Function) if kind.__module__.startswith("skmsnn.")}
    own = {kind for kind in own if not isabstract(kind)}
    assert own - {TrainedNetwork} <= {getattr(functions, name) for name in functions.__all__}
    unknown = module_of.dispatch(object)
    assert not [kind for kind in own if module_of.dispatch(kind) is unknown]
