"""What sources of values alone have in common."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class ValuesAlone:
    """A source of values without conditions beside them."""

    residuals_of_conditions: Mapping[str, float] = MappingProxyType({})
    contradictions = ""
    is_open = False
