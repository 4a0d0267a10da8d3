"""One measurement, in a process of its own that is ended when its time is up."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from threading import Lock

import numpy as np
from threadpoolctl import threadpool_limits

from examples.benchmarks.cases import CASES
from examples.benchmarks.competitors import COMPETITORS
from examples.benchmarks.methods import NOT_INSTALLED, Problem
from skmsnn.metrics import relative_l2_error, relative_max_error

_PREDICTED = 20_000  # points whose prediction is timed
# Seconds that making the data of a case may take; the turbulence is simulated.
_LIMIT_OF_DATA = 300.0


@dataclass(frozen=True)
class Measurement:
    """What a method gives on a case; where there are no figures ``note`` says why."""

    case: str
    competitor: str
    n: int = 0
    error: float | None = None
    max_error: float | None = None
    gradient_error: float | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None  # for 10^5 points
    n_bytes: int | None = None
    note: str = ""

    @property
    def is_final(self):
        """Whether a later run on this machine would say the same."""
        return not self.note.endswith(NOT_INSTALLED)


def problem_of(case, seed, size):
    """The case as a competitor sees it, and fresh points with their values and gradients."""
    X, y, X_fresh, y_fresh = case.data(seed, size)
    axes = [np.unique(column) for column in X.T] if case.points.is_complete else None
    period = case.points.turn or case.parameters.get("period")
    problem = Problem(X, y, axes, period, dict(case.parameters), seed)
    return problem, X_fresh, y_fresh, gradient_of(case, X_fresh)


def gradient_of(case, X):
    """Gradient of the case's function by complex steps, None where it is not analytic."""
    if hasattr(case.function, "gradient"):
        return case.function.gradient(X)
    if case.function(X[:1]).ndim > 1:
        return None
    columns = []
    for step in np.eye(X.shape[1]):
        try:
            with np.errstate(all="ignore"):  # beyond the domain the answer is no number
                exact = np.imag(case.function(X + 1e-200j * step)) / 1e-200
                above, below = (case.function(X + sign * 1e-6 * step) for sign in (1, -1))
        except TypeError:  # a function of real numbers alone
            return None
        difference = (above - below) / 2e-6
        if not np.allclose(exact, difference, rtol=1e-4, atol=1e-4 * np.abs(difference).max()):
            return None
        columns.append(exact)
    return np.stack(columns, axis=1)


def measure(case_name, competitor_name, seed=0, size=1.0, report=lambda step: None):
    """Fit and predict in this process; ``report`` is told when the data and the fit are there."""
    case, competitor = CASES[case_name], COMPETITORS[competitor_name]
    problem, X_fresh, y_fresh, gradient = problem_of(case, seed, size)
    reason = competitor.unsuited(problem)
    if reason is not None:
        return Measurement(case_name, competitor_name, problem.n, note=reason)
    report("prepared")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start = time.perf_counter()
        model, note = competitor.train(problem)
        fit_seconds = time.perf_counter() - start
        report("fitted")
        many = np.resize(X_fresh, (_PREDICTED, problem.d))
        start = time.perf_counter()
        model.predict(many)
        predict_seconds = (time.perf_counter() - start) * 1e5 / _PREDICTED
        predicted = model.predict(X_fresh)
        gradient_error = None
        if gradient is not None and getattr(model, "derivative", True) is not None:
            compute = getattr(model, "gradient", None)
            if compute is not None:
                gradient_error = relative_l2_error(gradient, compute(X_fresh))
    try:
        n_bytes = len(pickle.dumps(model))
    except (pickle.PicklingError, AttributeError, TypeError):
        n_bytes = None
    if not np.isfinite(predicted).all():
        return Measurement(case_name, competitor_name, problem.n, note="predicts NaN or infinity")
    return Measurement(
        case_name,
        competitor_name,
        problem.n,
        relative_l2_error(y_fresh, predicted),
        relative_max_error(y_fresh, predicted),
        gradient_error,
        fit_seconds,
        predict_seconds,
        n_bytes,
        note,
    )


class Worker:
    """A process that measures, started anew after each one that it had to be ended for.

    ``limit`` is in seconds, for the fit and for all that follows it, and ``n_threads`` are those of
    its linear algebra, all if None.
    """

    def __init__(self, limit, n_threads=None):
        self.limit, self.n_threads = limit, n_threads
        self._process = self._pipe = None

    def measure(self, case, competitor, seed, size):
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            arguments = (other, self.n_threads)
            self._process = context.Process(target=_serve, args=arguments, daemon=True)
            self._process.start()
            other.close()  # so that the end of the process is the end of the pipe
            self._pipe.recv()  # ready: imports do not count
        self._pipe.send((case, competitor, seed, size))
        allowed = min(self.limit, COMPETITORS[competitor].limit)
        limit = _LIMIT_OF_DATA
        try:
            while self._pipe.poll(limit):
                answer = self._pipe.recv()
                if isinstance(answer, Measurement):
                    return answer
                limit = allowed
            note = f"more than {limit:g} s"
        except EOFError:
            note = "the process ended, probably for want of memory"
        self.close()
        return Measurement(case, competitor, note=note)

    def close(self):
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = self._pipe = None


class Crew:
    """Some workers side by side, and what they and earlier runs have measured.

    Each finished measurement is a line of the file ``path``; those that are there already, of the
    same seed, size and limit, are not made again, but for pairs of case and method in ``again``.
    """

    def __init__(self, limit, n_jobs=1, n_threads=None, path=None, again=()):
        self.limit, self.path = limit, path
        self._known = {} if path is None else _read(path, again)
        self._free, self._workers = SimpleQueue(), []
        for _ in range(n_jobs):
            self._workers.append(Worker(limit, n_threads))
            self._free.put(self._workers[-1])
        self._threads, self._lock, self._ended = ThreadPoolExecutor(n_jobs), Lock(), False

    def known(self, *task):
        """Whether the measurement of a case, method, seed and size is there already."""
        return (*task, self.limit) in self._known

    def measure_all(self, tasks):
        """Measurements of cases, methods, seeds and sizes as they are made, in the given order."""
        futures = [self._threads.submit(self._measure, *task) for task in tasks]
        for future in futures:
            yield future.result()

    def _measure(self, *task):
        found = self._known.get((*task, self.limit))
        if found is not None:
            return found
        worker = self._free.get()
        try:
            result = worker.measure(*task)
        finally:
            self._free.put(worker)
        if self.path is not None and result.is_final and not self._ended:
            line = json.dumps([*task, self.limit, asdict(result)]) + "\n"
            with self._lock, self.path.open("a") as file:
                file.write(line)
        return result

    def close(self):
        self._ended = True  # what is measured now was cut short
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.close()


@contextmanager
def crew(*arguments, **options):
    """Workers that are ended whatever happens."""
    workers = Crew(*arguments, **options)
    try:
        yield workers
    finally:
        workers.close()


def _read(path, again):
    """What earlier runs have finished; a line that was cut short is dropped from the file."""
    known, lines = {}, []
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            *task, result = json.loads(line)
        except ValueError:
            continue
        if tuple(task[:2]) not in again:
            known[tuple(task)] = Measurement(**result)
            lines.append(line + "\n")
    path.write_text("".join(lines))
    return known


def _serve(pipe, n_threads):
    pipe.send("ready")
    with threadpool_limits(n_threads):
        while True:
            case, competitor, seed, size = pipe.recv()
            try:
                result = measure(case, competitor, seed, size, pipe.send)
            except Exception as error:  # a competitor's failure is a result
                last = traceback.format_exception_only(error)[-1].strip()
                result = Measurement(case, competitor, note=f"failed: {last[:80]}")
            pipe.send(result)
