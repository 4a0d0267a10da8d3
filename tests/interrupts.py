"""Interrupts at chosen steps of a call, as Ctrl-C does at chance ones, and what they may leave."""

import dis
import gc
import sys
from contextlib import suppress
from functools import cache

from threadpoolctl import ThreadpoolController

# a signal is seen where Python code begins, after a call, and where a loop goes round
_SEEN_AFTER = ("RESUME", "CALL", "CALL_KW", "CALL_FUNCTION_EX", "JUMP_BACKWARD", "BEFORE_WITH")


class Steps:
    """Runs a call, and interrupts it at one of its steps.

    Parameters
    ----------
    files : tuple of str
        Ends of the names of the files whose steps count.
    interrupt_at : int or None
        Number of the step, from 0.
    """

    def __init__(self, files, interrupt_at=None):
        self._files, self._at, self._last = files, interrupt_at, {}
        self.count = 0

    def run(self, function):
        tracer = sys.gettrace()
        # finalisers of what earlier tests left would be steps of no call in particular
        gc.disable()
        sys.settrace(self._begin)
        try:
            return function()
        finally:
            sys.settrace(tracer)
            gc.enable()

    def _begin(self, frame, event, arg):
        if not frame.f_code.co_filename.endswith(self._files):
            return None
        frame.f_trace_opcodes = True
        return self._step

    def _step(self, frame, event, arg):
        if event == "opcode":
            last = self._last.get(frame)
            self._last[frame] = frame.f_lasti
            before = "RESUME" if last is None else dis.opname[frame.f_code.co_code[last]]
            if before in _SEEN_AFTER:
                self.count += 1
                if self.count - 1 == self._at:
                    sys.settrace(None)
                    raise KeyboardInterrupt
        return self._step


def interrupted_at_steps(files, function, most=None):
    """Call it again and again, interrupted at one step after the other; yields after each.

    At all steps, or at ``most`` of them, evenly spread.
    """
    function()  # what is found once and kept
    gc.collect()
    steps = Steps(files)
    steps.run(function)
    stride = 1 if most is None else -(-steps.count // most)
    for number in range(0, steps.count, stride):
        steps = Steps(files, number)
        with suppress(KeyboardInterrupt):
            steps.run(function)
        assert steps.count == number + 1, "a step later than the interrupt, or none"
        yield number


def blas_threads():
    """Of every BLAS library in the process, its number of threads."""
    return [library["num_threads"] for library in _blas().info()]


@cache
def _blas():
    return ThreadpoolController().select(user_api="blas")
