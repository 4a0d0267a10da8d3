"""Progress of a fit: a bar of tqdm in a terminal or notebook, lines in a log file."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import numpy as np
from tqdm.auto import tqdm

from skmsnn.selection.summary import SearchResults, stage_lines


class Progress:
    """One bar, or lines, for each stage that iterates; one line for each that is finished.

    Parameters
    ----------
    verbose : int
        Whether anything is shown.
    n_stages : int
        Most stages.
    record : callable, default=None
        Gives the record of the selection so far, or None. A line per family is shown after each
        stage, also after a last one that was not kept.
    """

    def __init__(
        self,
        verbose: int,
        n_stages: int,
        record: Callable[[], SearchResults | None] | None = None,
    ) -> None:
        self._verbose, self._n_stages = verbose, n_stages
        self._record = record
        self._stage = 0
        self._last_explained = 0
        self._bar: tqdm | None = None
        self._is_seen = sys.stderr.isatty() or "ipykernel" in sys.modules
        self._last_line = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        self._explain()

    def begin(self, stage: int) -> None:
        self._close()
        self._stage = stage

    def iterate(self, iteration: int, train: float, held_out: float) -> None:
        """Show relative RMS residuals; ``held_out`` is nan where no point is held out."""
        if not self._verbose:
            return
        if not self._is_seen:
            self._write_line(iteration, _residuals(train, held_out))
            return
        if self._bar is None or iteration < self._bar.n:
            self._close()
            self._bar = tqdm(
                desc=f"stage {self._stage}/{self._n_stages}",
                unit="it",
                leave=False,
            )
        self._bar.set_postfix_str(_residuals(train, held_out), refresh=False)
        self._bar.update(iteration - self._bar.n)

    def end(self, train: float, held_out: float, message: str) -> None:
        self._close()
        if self._verbose:
            tqdm.write(
                f"stage {self._stage}/{self._n_stages}: {_residuals(train, held_out)} ({message})"
            )
        self._explain()

    def families(self, lines: Iterable[str]) -> None:
        """Show a line for each family that was tried for the current stage."""
        if self._verbose:
            for line in lines:
                tqdm.write(f"stage {self._stage}/{self._n_stages}: {line}")

    def _explain(self) -> None:
        """Show the families of the current stage, once."""
        results = self._record() if self._record is not None else None
        if results is not None and self._last_explained < self._stage:
            self._last_explained = self._stage
            self.families(stage_lines(results, self._stage))

    def _write_line(self, iteration: int, residuals: str) -> None:
        now = time.monotonic()
        if now - self._last_line >= 10:
            self._last_line = now
            stage = f"stage {self._stage}/{self._n_stages}"
            print(f"{stage}, iteration {iteration}: {residuals}", file=sys.stderr, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _residuals(train: float, held_out: float) -> str:
    text = f"train {train:.1e}"
    return text if np.isnan(held_out) else f"{text}, held-out {held_out:.1e}"
