"""Arrays as NumPy has them, from other libraries, sparse ones, and complex ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
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
    """A NumPy copy of an array of another library or a sparse one; anything else as it is.

    Raises
    ------
    ValueError
        If a sparse array takes more memory dense than scikit-learn's ``working_memory``.
    """
    if scipy.sparse.issparse(array):
        return _dense(array)
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


def _dense(array: Any) -> NDArray[Any]:
    size = 8 * int(np.prod(array.shape)) / 2**20
    most = get_config()["working_memory"]
    if size > most:
        raise ValueError(
            f"Sparse data of shape {array.shape} take {size:.0f} MiB once dense, more than the "
            f"{most} MiB of working_memory; fit fewer features, as by TruncatedSVD, or raise it by "
            "sklearn.set_config(working_memory=...)."
        )
    return np.asarray(array.toarray())


def is_complex(values: Any) -> bool:
    """Whether values are complex, whatever holds them."""
    kind = getattr(values, "dtype", None)
    return np.dtype(getattr(kind, "type", None) or np.asarray(values).dtype).kind == "c"


def as_real(values: Any) -> Any:
    """Complex values (n,) or (n, k) as (n, 2 k): real and imaginary parts, side by side."""
    if not is_complex(values):
        return values
    columns = np.asarray(values, dtype=np.complex128)
    return np.ascontiguousarray(columns.reshape(len(columns), -1)).view(np.float64)


def as_complex(values: NDArray[np.float64]) -> NDArray[np.complex128]:
    """The inverse, along the last axis."""
    return np.ascontiguousarray(values).view(np.complex128)
