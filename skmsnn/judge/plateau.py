"""Whether much smaller or larger sets of functions leave as much: more are then no help."""

from __future__ import annotations

from collections.abc import Iterable

# Sets whose sizes span the factor leave as much on their own points as the best one, to within the
# width, but for the share K / n of noise that K functions follow on n points.
_SPAN, _WIDTH = 1.5, 1.15


def on_plateau(level: float, tried: Iterable[tuple[float, int]]) -> bool:
    """Whether sets of very different sizes leave as much as the best one.

    Parameters
    ----------
    level : float
        What the best set says of the noise, if all that it leaves is noise.
    tried : iterable of (float, int)
        The same of all sets, the best among them, and their sizes.
    """
    sizes = [size for other, size in tried if level / _WIDTH <= other <= level * _WIDTH]
    return max(sizes) >= _SPAN * min(sizes)
