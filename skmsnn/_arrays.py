"""Arrays of other libraries, where scikit-learn's array API dispatch is on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import get_config  # type: ignore[attr-defined]

try:
    from sklearn.externals import array_api_compat
except ImportError:  # scikit-learn 1.6: arrays of other libraries are converted, and not given back
    array_api_compat = None  # type: ignore[assignment]


def _is_foreign(array: Any) -> bool:
    return bool(
        array_api_compat is not None
        and get_config()["array_api_dispatch"]
        and array_api_compat.is_array_api_obj(array)
        and not array_api_compat.is_numpy_array(array)
        and not array_api_compat.is_dask_array(array)
    )


def as_numpy(array: Any) -> Any:
    """A NumPy copy of an array of another library; anything else as it is."""
    if not _is_foreign(array):
        return array
    if array_api_compat.is_torch_array(array):
        array = array.detach()
    if array_api_compat.is_cupy_array(array):
        return array.get()
    return np.asarray(array_api_compat.to_device(array, "cpu"))


def like(values: NDArray[np.float64], array: Any) -> Any:
    """Values in the library and on the device of ``array``, in double precision."""
    if not _is_foreign(array):
        return values
    xp = array_api_compat.array_namespace(array)
    return xp.asarray(np.ascontiguousarray(values), device=array_api_compat.device(array))
