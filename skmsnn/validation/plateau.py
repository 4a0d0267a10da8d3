"""Whether much smaller or larger sets of functions leave as much: more are then no help."""

from __future__ import annotations

from collections.abc import Iterable

from skmsnn._comparison import EQUAL

# Share of noise that a fit follows, at most, where it is reckoned with: of 500 points the rest
# tells the size of noise to a sixth.
MOST_LEVERAGE = 0.95
# Ratio of the sizes of sets that leave as much: smaller ones may be equal by chance.
LONG = 4.0


def noise_level(left: float, leverage: float) -> float:
    """What a fit leaves of its own points says of the noise, if all that is left is noise.

    Parameters
    ----------
    left : float
        Root mean square.
    leverage : float
        Share of noise that the fit follows.
    """
    return left / (1 - min(leverage, MOST_LEVERAGE)) ** 0.5


def has_plateaued(level: float, tried: Iterable[tuple[float, int]]) -> bool:
    """Whether sets of different sizes leave as much as the best one.

    Parameters
    ----------
    level : float
        What the best set says of the noise, if all that it leaves is noise.
    tried : iterable of (float, int)
        The same of all sets, the best among them, and their sizes.
    """
    sizes = [size for other, size in tried if level / EQUAL <= other <= level * EQUAL]
    return max(sizes) >= LONG * min(sizes)


def is_ratio_of_noise(ratio: float, leverage: float, within: float = EQUAL) -> bool:
    """Whether training error over validation error is that of noise.

    K modes have sqrt(1 - K/n) of it on their n points, and 1 / sqrt(1 - K/n) on others. Fits that
    follow most of it cannot tell.
    """
    return leverage < 0.4 and ratio * within > 1 - leverage
