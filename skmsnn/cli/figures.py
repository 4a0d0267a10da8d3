"""The figures of a warning, which its text does not contain."""

from __future__ import annotations

from collections.abc import Iterator

from skmsnn.exceptions import (
    AccuracyWarning,
    ExtrapolationWarning,
    FewLevelsWarning,
    FewPointsWarning,
    WideGapsWarning,
)


def figures_of(warning: Warning | str) -> str:
    """The figures of a warning in parentheses, to be printed after it."""
    figures = list(_figures_of(warning))
    more = [f"{len(figures) - 6} more"] if len(figures) > 6 else []
    return f" ({'; '.join(figures[:6] + more)})" if figures else ""


def _figures_of(warning: Warning | str) -> Iterator[str]:
    if isinstance(warning, AccuracyWarning):
        side = "at most" if warning.error <= warning.tol else "above"
        yield f"error {warning.error:.1e} of the spread of y, {side} tol={warning.tol:g}"
    if isinstance(warning, FewPointsWarning):
        yield f"distinct points: {warning.n_points}"
    if isinstance(warning, WideGapsWarning):
        yield f"in the gaps about {warning.in_gaps:.1e}"
    if isinstance(warning, FewLevelsWarning):
        for name, levels in warning.levels.items():
            yield f"{name}: {', '.join(f'{v:g}' for v in levels)}"
    if isinstance(warning, ExtrapolationWarning):
        if warning.n_outside:
            yield f"{warning.n_outside} of {warning.n_points} points outside"
        if warning.n_in_holes:
            yield f"{warning.n_in_holes} of {warning.n_points} points in holes"
        for name, distance in sorted(warning.distances.items(), key=lambda item: -item[1]):
            yield f"{name} by up to {distance:.2g} of its range"
