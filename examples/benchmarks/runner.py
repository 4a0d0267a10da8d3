"""One measurement, in a process of its own that is ended when its time is up."""

from __future__ import annotations

import multiprocessing
import pickle
import time
import traceback
import warnings
from dataclasses import dataclass

import numpy as np

from examples.benchmarks.cases import CASES, TensorGrid
from examples.benchmarks.competitors import COMPETITORS, Problem
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


def problem_of(case, seed, size):
    """The case as a competitor sees it, and fresh points with their values and gradients."""
    X, y, X_fresh, y_fresh = case.data(seed, size)
    axes, period = None, case.parameters.get("period")
    points = case.points
    if isinstance(points, TensorGrid):
        if points.keep == 1:
            axes = [np.unique(column) for column in X.T]
        if points.end_points is False:
            period = float(np.ptp(np.broadcast_to([points.low, points.high], 2)))
    problem = Problem(X, y, axes, period, dict(case.parameters), seed)
    return problem, X_fresh, y_fresh, gradient_of(case, X_fresh)


def gradient_of(case, X):
    """Gradient of the case's function by complex steps, None where it is not analytic."""
    if hasattr(case.function, "gradient"):
        return case.function.gradient(X)
    columns = []
    for step in np.eye(X.shape[1]):
        try:
            exact = np.imag(case.function(X + 1e-200j * step)) / 1e-200
        except TypeError:  # a function of real numbers alone
            return None
        difference = (case.function(X + 1e-6 * step) - case.function(X - 1e-6 * step)) / 2e-6
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
        model = competitor.fit(problem)
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
    )


class Worker:
    """A process that measures, started anew after each one that it had to be ended for.

    ``limit`` is in seconds, for the fit and for all that follows it.
    """

    def __init__(self, limit):
        self.limit = limit
        self._process = self._pipe = None

    def measure(self, case, competitor, seed, size):
        if self._process is None:
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(target=_serve, args=(other,), daemon=True)
            self._process.start()
            self._pipe.recv()  # ready: imports do not count
        self._pipe.send((case, competitor, seed, size))
        limit = _LIMIT_OF_DATA
        try:
            while self._pipe.poll(limit):
                answer = self._pipe.recv()
                if isinstance(answer, Measurement):
                    return answer
                limit = self.limit
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


def _serve(pipe):
    pipe.send("ready")
    while True:
        case, competitor, seed, size = pipe.recv()
        try:
            result = measure(case, competitor, seed, size, pipe.send)
        except Exception as error:  # a competitor's failure is a result
            last = traceback.format_exception_only(error)[-1].strip()
            result = Measurement(case, competitor, note=f"failed: {last[:80]}")
        pipe.send(result)
