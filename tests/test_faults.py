"""What a fit survives: interrupts, failures of others, killed workers, full disks, many threads."""

import os
import pickle
import resource
import signal
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.metrics import relative_l2_error

TURN = 2 * np.pi


def default(**parameters):
    return SpectrumInformedMSNNRegressor(random_state=0, **parameters)


def eddies(X):
    return np.exp(np.sin(X[:, 0])) * np.cos(3 * X[:, 1] - X[:, 0])


@pytest.fixture
def scattered(rng):
    return rng.uniform(0, TURN, (3000, 2))


@pytest.fixture
def alarm():
    """Interrupts this process, as Ctrl-C does, after some seconds."""

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs POSIX signals")
class TestInterrupts:
    def test_at_any_moment_a_model_is_whole_or_not_fitted(self, rng, alarm):
        X = rng.uniform(-1, 1, (500, 2))
        y = np.tanh(8 * X[:, 0]) + X[:, 1]
        parameters = {"n_modes": 6, "hidden_layer_sizes": (6,), "max_iter": 15, "n_stages": 3}
        start = time.perf_counter()
        expected = default(**parameters).fit(X, y)
        seconds = time.perf_counter() - start
        ends = set()
        for share in np.linspace(0.02, 0.98, 13):
            model = default(**parameters)
            alarm(share * seconds)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model.fit(X, y)
            except KeyboardInterrupt:
                assert not hasattr(model, "stages_")
                ends.add("not fitted")
                continue
            finally:
                alarm(0)
            stages = list(expected.staged_predict(X))
            np.testing.assert_array_equal(model.predict(X), stages[model.n_stages_ - 1])
            ends.add(model.stop_reason_)
        assert "interrupted" in ends
        assert "not fitted" in ends

    def test_a_fitted_model_stays_as_it_was(self, scattered, alarm):
        model = default(period=TURN).fit(scattered, eddies(scattered))
        before = model.predict(scattered)
        alarm(0.02)
        with pytest.raises(KeyboardInterrupt):
            model.fit(np.tile(scattered, (30, 1)), np.tile(eddies(scattered), 30))
        np.testing.assert_array_equal(model.predict(scattered), before)


def test_other_fits_of_a_search_go_on(rng):
    X = rng.uniform(-1, 1, (60, 1))
    grid = {"n_modes": ["auto", 5000]}
    with pytest.warns(FitFailedWarning, match="n_modes=5000 is more than"):
        search = GridSearchCV(default(), grid, cv=3).fit(X, np.exp(X[:, 0]))
    assert search.best_params_ == {"n_modes": "auto"}
    assert np.isnan(search.cv_results_["mean_test_score"]).tolist() == [False, True]


def _kill_once(block, marker):
    try:
        Path(marker).touch(exist_ok=False)
    except FileExistsError:
        return block
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_killed_worker_does_not_change_a_fit_in_chunks(scattered, tmp_path):
    da = pytest.importorskip("dask.array")
    distributed = pytest.importorskip("dask.distributed")
    X, y = (da.from_array(a, chunks=500) for a in (scattered, eddies(scattered)))
    expected = default(period=TURN).fit(X, y).predict(scattered)
    marker = str(tmp_path / "killed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster),
    ):
        fatal = X.map_blocks(_kill_once, marker=marker, dtype=float, meta=np.empty((0, 0)))
        model = default(period=TURN).fit(fatal, y)
    assert Path(marker).exists()
    np.testing.assert_array_equal(model.predict(scattered), expected)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("dump", [pickle.dump, joblib.dump])
def test_a_full_disk_is_an_error(scattered, dump):
    model = default(period=TURN).fit(scattered, eddies(scattered))
    with pytest.raises(OSError, match="space"), open("/dev/full", "wb") as file:
        dump(model, file)
    assert relative_l2_error(eddies(scattered), model.predict(scattered)) < 1e-13


def test_half_a_pickle_is_an_error(scattered):
    data = pickle.dumps(default(period=TURN).fit(scattered, eddies(scattered)))
    for share in (0.1, 0.5, 0.999):
        with pytest.raises((EOFError, pickle.UnpicklingError)):
            pickle.loads(data[: int(share * len(data))])


class TestLoad:
    def test_sixteen_threads_predict_with_one_model(self, scattered):
        model = default(period=TURN).fit(scattered, eddies(scattered))
        expected = model.predict(scattered)
        with ThreadPoolExecutor(16) as pool:
            for values in pool.map(model.predict, [scattered] * 64):
                np.testing.assert_array_equal(values, expected)

    def test_many_fits_do_not_gather_memory(self, rng):
        X = rng.uniform(-1, 1, (100, 2))
        y = np.exp(X[:, 0]) * X[:, 1]

        def fits(n):
            for _ in range(n):
                default(n_modes=4, hidden_layer_sizes=(4,), max_iter=2, tol=1.0).fit(X, y)
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        before = fits(10)
        assert fits(30) - before < 20  # MiB; a kept Jacobian a fit would be more


# a fit and a print of its predictions, in a process of its own
SCRIPT = """
import sys, numpy as np, torch
torch.set_num_threads(int(sys.argv[1]))
from skmsnn import SpectrumInformedMSNNRegressor
rng = np.random.default_rng(0)
for parameters in ({}, {"n_modes": 6, "hidden_layer_sizes": (6,), "max_iter": 4, "tol": 1.0}):
    X = rng.uniform(-1, 1, (300, 2))
    model = SpectrumInformedMSNNRegressor(random_state=3, tol=1e-3, n_stages=2)
    model.set_params(**parameters).fit(X, np.sin(X[:, 0] + X[:, 1] ** 2))
    print(*(value.hex() for value in model.predict(X)))
"""


def predicted_with(threads):
    environment = os.environ | {
        name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    }
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(threads)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return np.array([float.fromhex(value) for value in done.stdout.split()])


def test_processes_and_thread_counts_give_the_same():
    one, again, two = predicted_with(1), predicted_with(1), predicted_with(2)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_allclose(two, one, rtol=0, atol=1e-12)
