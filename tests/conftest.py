import contextlib

import numpy as np
import pytest

with contextlib.suppress(ImportError):
    from hypothesis import settings

    # always the same samples; for a wide search
    #     pytest tests/test_properties.py --hypothesis-profile wide
    settings.register_profile("wide", max_examples=2000, deadline=None)
    settings.register_profile("short", max_examples=40, deadline=None, derandomize=True)
    settings.load_profile("short")


@pytest.fixture
def rng():
    return np.random.default_rng(20240717)


def tensor_grid(*axes):
    """Points of a tensor grid, in C order; shape (n, d)."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))


def relative(error, true):
    return np.linalg.norm(error) / np.linalg.norm(true)
