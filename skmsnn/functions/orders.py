"""Orders of derivatives along each feature."""

from __future__ import annotations

from collections.abc import Sequence


def sum_of_orders(before: Sequence[int], nu: Sequence[int]) -> tuple[int, ...]:
    """Those of a derivative of a derivative; ``before`` is empty for the function itself."""
    return tuple(a + b for a, b in zip(before or (0,) * len(nu), nu, strict=True))
