"""Networks as a family; what trains them is imported, and torch with it, when one is needed."""

from __future__ import annotations

from collections.abc import Iterator

from skmsnn.families.family import Family
from skmsnn.families.fitting import StageFit, StageFitter


class Network(Family):
    """Hidden layers behind the dominant modes, trained by Gauss-Newton."""

    name = "network"
    is_quick_to_end = False

    def trained(self, fitter: StageFitter, enough: float) -> Iterator[StageFit]:
        from skmsnn.families.network import of_its_own_accord

        return of_its_own_accord(fitter, enough)


def of_options(fitter: StageFitter) -> StageFit:
    """The network that the parameters ask for."""
    from skmsnn.families.network import of_options

    return of_options(fitter)
