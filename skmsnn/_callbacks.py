"""scikit-learn's callback protocol, where it is installed (1.9 and later)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # an older scikit-learn: nothing to support

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's own."""

    def with_callbacks(method: Callable) -> Callable:
        """Leave the method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "StageCallbacks", "with_callbacks"]


class StageCallbacks:
    """Tells the callbacks of an estimator of its fit, and of every stage as a task of it."""

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self._about = {"estimator": estimator, "X": X, "y": y}
        self._stage: Any = None
        self._fit: Any = None
        if hasattr(estimator, "_init_callback_context"):
            self._fit = estimator._init_callback_context(max_subtasks=estimator.n_stages)
            self._fit.call_on_fit_task_begin(**self._about)

    def begin_stage(self) -> None:
        if self._fit is not None:
            self._stage = self._fit.subcontext(task_name="stage")
            self._stage.call_on_fit_task_begin(**self._about)

    def end_stage(self) -> bool:
        """Whether a callback asks for no further stage."""
        return self._end(self._stage)

    def end_fit(self) -> None:
        self._end(self._fit)

    def _end(self, context: Any) -> bool:
        if context is None:
            return False
        # a copy of the estimator with the stages of now is one that was fitted so far
        stages = {"stages_": self._about["estimator"].stages_}
        return bool(context.call_on_fit_task_end(**self._about, reconstruction_attributes=stages))
