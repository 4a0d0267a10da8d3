"""Progress of a fit: a bar of tqdm in a terminal or notebook, lines in a log file."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self

import numpy as np
from tqdm.auto import tqdm


class Progress:
    """One bar, or lines, for each stage that iterates; one line for each that is finished."""

    def __init__(self, verbose: int, n_stages: int) -> None:
        self._verbose, self._n_stages = verbose, n_stages
        self._stage = 0
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
