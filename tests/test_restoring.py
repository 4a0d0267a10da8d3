"""State of process and thread is left as it was found, wherever a call is interrupted."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from interrupts import blas_threads, interrupted_at_steps
from threadpoolctl import threadpool_limits

from skmsnn._restoring import restoring
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.modules.autograd import with_autograd
from skmsnn.training.solvers.threads import one_thread, threads_of_torch

EVERYWHERE = (".py",)


def test_what_changes_a_state_and_raises_leaves_it_as_found():
    state = {"value": 1}

    def value_of_state():
        found = state["value"]
        return lambda: state.update(value=found)

    @restoring(value_of_state)
    def change(value, error=None):
        state["value"] = value
        if error is not None:
            raise error
        return -value

    assert change(2) == -2
    assert state["value"] == 1
    with pytest.raises(ArithmeticError):
        change(3, error=ArithmeticError())
    assert state["value"] == 1


class TestAutograd:
    @staticmethod
    def slope():
        x = torch.ones(3, requires_grad=True)
        with torch.no_grad():
            weight = torch.arange(3.0)
        return torch.autograd.grad((weight * x).sum(), x)[0].tolist()

    @pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
    def test_it_is_on_inside_and_as_found_outside(self, mode):
        with mode():
            before = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
            assert with_autograd(self.slope)() == [0, 1, 2]
            assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == before

    @pytest.mark.parametrize("enabled", [True, False])
    def test_an_interrupt_leaves_it_as_found(self, enabled):
        function = with_autograd(self.slope)
        with torch.set_grad_enabled(enabled):
            n_steps = 0
            for step in interrupted_at_steps(EVERYWHERE, function):
                assert torch.is_grad_enabled() == enabled, step
                n_steps += 1
            assert n_steps > 20
        assert torch.is_grad_enabled()


@pytest.mark.usefixtures("two_threads")
class TestThreads:
    @pytest.fixture
    def two_threads(self):
        found = torch.get_num_threads()
        torch.set_num_threads(2)
        with threadpool_limits(2, "blas"):
            yield
        torch.set_num_threads(found)

    def test_an_interrupt_leaves_those_of_torch_as_found(self):
        matrix = torch.eye(3)
        function = restoring(threads_of_torch)(one_thread()(lambda: torch.linalg.cholesky(matrix)))
        n_steps = 0
        for step in interrupted_at_steps(EVERYWHERE, function):
            assert torch.get_num_threads() == 2, step
            assert threads_of_torch()() in (0, 2), step  # 0 is as many as torch has
            n_steps += 1
        assert n_steps > 8

    def test_an_interrupt_leaves_those_of_blas_as_found(self):
        inside = []

        @restoring(one_blas_thread.now)
        @one_blas_thread
        def note():
            inside.append(blas_threads())

        n_steps = 0
        for step in interrupted_at_steps(EVERYWHERE, note):
            assert set(blas_threads()) == {2}, step
            n_steps += 1
        assert n_steps > 50
        assert {number for numbers in inside for number in numbers} == {1}

    def test_the_first_to_leave_keeps_the_limit_for_who_is_inside(self):
        function = restoring(one_blas_thread.now)(one_blas_thread(lambda: None))
        with one_blas_thread:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(function).result()
            assert set(blas_threads()) == {1}
            function()
            assert set(blas_threads()) == {1}
        assert set(blas_threads()) == {2}
