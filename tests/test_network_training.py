"""A network in training pauses, so that other families may go on, and is continued."""

import numpy as np
import pytest
from problems import stage_problem

from skmsnn.families.hidden_layers import ITERATIONS_OF_A_STEP, Network
from skmsnn.families.network import NetworkTraining


@pytest.fixture
def problem(rng):
    x = rng.uniform(-1, 1, (1500, 2))
    y = np.tanh(5 * (x[:, :1] - x[:, 1:] ** 2))
    return stage_problem(x, (y - y.mean()) / y.std(), held=np.arange(150))


def test_a_pause_costs_no_iterations(problem):
    """Two halves lower the loss as far as the whole: the damping goes on where it ended."""
    target, weight = problem.target, problem.weight
    paused = NetworkTraining(problem, (8, 8), 100, True)
    losses = [paused.until(n, target, weight).loss_curve for n in (10, 20)]
    whole = NetworkTraining(problem, (8, 8), 100, True).until(20, target, weight).loss_curve
    assert [len(curve) for curve in (*losses, whole)] == [11, 21, 21]
    np.testing.assert_array_equal(losses[1][:11], losses[0])
    np.testing.assert_allclose(losses[0], whole[:11], rtol=1e-9)
    assert np.all(np.diff(losses[1]) <= 0)
    assert losses[1][-1] < 2 * whole[-1]


def test_a_pause_changes_nothing_of_the_fit(problem):
    """The solve for the last digits of the linear layers is not where training goes on from."""
    target, weight = problem.target, problem.weight
    training = NetworkTraining(problem, (8, 8), 100, True)
    first = training.until(10, target, weight).function
    before = first.evaluate(problem.x)
    training.until(20, target, weight)
    np.testing.assert_array_equal(first.evaluate(problem.x), before)


def test_candidates_are_of_more_and_more_iterations_until_training_ends(problem):
    (ladder,) = Network().ladders(problem)
    candidate, errors, n_iter = next(ladder), [], []
    while candidate is not None:
        assert candidate.operations > 0
        scored = problem.scheme.score(candidate)
        errors.append(scored.score.error)
        n_iter.append(scored.fit.n_iter)
        try:
            candidate = ladder.send(scored.score) if len(errors) < 4 else None
        except StopIteration:
            break
    steps = np.diff([0, *n_iter])
    assert np.all(steps[:-1] == ITERATIONS_OF_A_STEP)
    assert errors[-1] <= errors[0]
