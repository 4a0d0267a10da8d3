"""Progress of a fit, shown by tqdm: a bar in a terminal or notebook, lines in a log file."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import numpy as np
from tqdm.auto import tqdm


class Progress:
    """One bar for each stage that iterates and one line for each stage that is finished."""

    def __init__(self, verbose: int, n_stages: int) -> None:
        self._verbose, self._n_stages = verbose, n_stages
        self._stage = 0
        self._bar: tqdm | None = None

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
        if self._bar is None or iteration < self._bar.n:
            self._close()
            interactive = sys.stderr.isatty() or "ipykernel" in sys.modules
            self._bar = tqdm(
                desc=f"stage {self._stage}/{self._n_stages}",
                unit="it",
                mininterval=0.1 if interactive else 10.0,  # seconds between lines of a log
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

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _residuals(train: float, held_out: float) -> str:
    text = f"train {train:.1e}"
    return text if np.isnan(held_out) else f"{text}, held-out {held_out:.1e}"
