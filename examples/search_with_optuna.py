"""A search over trained networks with Optuna, which ends fits that fall behind after a stage.

    python -m examples.search_with_optuna --trials 12

The function is known at random points of a disc and has a front. Each fit is a trial; by
scikit-learn's callback protocol Optuna is told of every stage, and a pruned fit keeps the stages
it has.
"""

import argparse
import warnings

import numpy as np
import optuna
from sklearn.exceptions import ConvergenceWarning

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error


class Pruning:
    """A callback of scikit-learn that reports the held-out residual of each stage to a trial."""

    max_propagation_depth = 0

    def __init__(self, trial):
        self.trial = trial

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **about):
        pass

    def on_fit_task_end(self, estimator, context, **about):
        if context.task_name != "stage" or not estimator.validation_errors_:
            return False
        self.trial.report(estimator.validation_errors_[-1], len(estimator.validation_errors_))
        return self.trial.should_prune()


def front(X):
    return np.tanh(12 * (X[:, 0] ** 2 + X[:, 1] - 0.3)) + X[:, 0]


def disc(rng, n):
    angle, radius = rng.uniform(0, 2 * np.pi, n), np.sqrt(rng.uniform(0, 1, n))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--points", type=int, default=1500)
    parser.add_argument("--iterations", type=int, default=60)
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    X, fresh = disc(rng, options.points), disc(rng, 2000)
    y = front(X)

    def objective(trial):
        model = SpectrumInformedMSNNRegressor(
            n_stages=2,
            n_modes=trial.suggest_int("n_modes", 4, 24, log=True),
            hidden_layer_sizes=(trial.suggest_int("width", 6, 16),)
            * trial.suggest_int("depth", 1, 3),
            activation=trial.suggest_categorical("activation", ["tanh", "sin"]),
            max_iter=options.iterations,
            random_state=0,
        )
        model.set_callbacks(Pruning(trial)).fit(X, y)
        if model.stop_reason_ == "callback":
            raise optuna.TrialPruned
        trial.set_user_attr("fresh", relative_l2_error(front(fresh), model.predict(fresh)))
        return model.validation_errors_[-1]

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        sampler=optuna.samplers.TPESampler(seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=3),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        study.optimize(objective, n_trials=options.trials)
    pruned = study.get_trials(states=[optuna.trial.TrialState.PRUNED])
    print(f"{len(study.trials)} trials, of which {len(pruned)} were pruned after a stage")
    print(f"best: {study.best_params}")
    print(f"held-out {study.best_value:.1e}, fresh {study.best_trial.user_attrs['fresh']:.1e}")


if __name__ == "__main__":
    main()
