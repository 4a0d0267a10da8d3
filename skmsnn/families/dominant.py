"""The dominant modes of a target: what a stage's first layer starts from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skmsnn._comparison import ENOUGH
from skmsnn._memory import blocks_of
from skmsnn.domain import Domain, Grid, uniform_spacing
from skmsnn.families.ladders import OTHER_WIDTHS
from skmsnn.functions.lattice import FourierSum, half_lattice, total_degree_lattice
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import Frame


def dominant_modes(
    n_modes: int,
    domain: Domain,
    grid: Grid | None,
    x: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> FourierSum:
    """Find the modes of largest amplitude, the constant left out.

    On a complete uniform grid these are the modes of its discrete Fourier transform. On other
    points, wave vectors are ranked by the direct sum over a lattice of at most 3000 candidates
    (periodic axes: the harmonics; others: those of a box 1.4 times as wide as the data), the
    lowest in total degree, and on grids up to the Nyquist wave number of each axis; amplitudes and
    phases then come from least squares.

    Parameters
    ----------
    n_modes : int
        How many; fewer come back where there are fewer.
    domain, grid : Domain, Grid or None
        What the points are.
    x, target, weight : ndarray of shape (n, d), (n, n_outputs), (n,)
        Points in scaled coordinates, what to find the modes of, and weights; points of weight 0
        are left out.
    """
    if grid is not None and grid.is_complete and np.all(weight > 0):
        modes = uniform_grid_modes(domain, grid, target)
        if modes is not None:
            return _waving(modes).dominant(n_modes)
    used = weight > 0
    x, target, weight = x[used], target[used], weight[used]
    lengths = np.where(domain.periodic, 2.0, 2 * min(OTHER_WIDTHS))
    waves = 2 * np.pi * lowest_wave_numbers(domain.centre.size, min(ENOUGH, len(x))) / lengths
    if grid is not None:  # faster ones are aliases of these at all nodes
        waves = waves[np.all(np.abs(waves) <= np.pi * np.array(grid.shape) / 2, axis=1)]
    amplitudes = direct_sum(x, target, weight, waves)
    found = _waving(amplitudes).dominant(n_modes)
    least_squares = DenseFit(x, weight, Frame(found.wave_vectors)).solve(target)
    assert isinstance(least_squares, FourierSum)
    return least_squares.dominant(n_modes)


def _waving(modes: FourierSum) -> FourierSum:
    """All but the constant, which a network's biases hold; the constant alone if that is all."""
    kept = modes.wave_vectors.any(axis=1)
    if not kept.any():
        return modes
    return FourierSum(modes.wave_vectors[kept], modes.coefficients[kept])


def uniform_grid_modes(
    domain: Domain, grid: Grid, target: NDArray[np.float64]
) -> FourierSum | None:
    """All modes of the discrete Fourier transform, or None where an axis is not uniform.

    With N nodes a distance h apart the frequencies are k / (N h), whether or not the axis
    is periodic; N h is not the range, where both ends are nodes.
    """
    lengths = []
    for nodes, half_width in zip(grid.nodes, domain.half_width, strict=True):
        spacing = uniform_spacing(nodes) if len(nodes) > 1 else 2 * half_width
        if spacing is None:
            return None
        lengths.append(spacing / half_width * len(nodes))
    shape = grid.shape
    values = np.empty((len(grid.index), target.shape[1]))
    values[grid.index] = target
    axes = tuple(range(len(shape)))
    spectrum = np.fft.fftn(values.reshape(*shape, -1), axes=axes) / len(values)
    numbers = half_lattice([n // 2 for n in shape])
    alias = numbers % np.array(shape)
    # of the aliases of one mode, such as +-Nyquist along an axis, keep one
    cell, mirrored = _flat(alias, shape), _flat(-numbers % np.array(shape), shape)
    _, first = np.unique(np.minimum(cell, mirrored), return_index=True)
    numbers, alias = numbers[first], alias[first]
    own_conjugate = (cell == mirrored)[first]
    wave_vectors = 2 * np.pi * numbers / np.array(lengths)
    origin = np.array([nodes[0] for nodes in grid.nodes])
    start = (origin - domain.centre) / domain.half_width
    factor = np.where(own_conjugate, 1.0, 2.0) * np.exp(-1j * (wave_vectors @ start))
    return FourierSum(wave_vectors, spectrum[tuple(alias.T)] * factor[:, None])


def _flat(numbers: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.intp]:
    return np.ravel_multi_index(tuple(numbers.T), shape)


def direct_sum(
    x: NDArray[np.float64],
    target: NDArray[np.float64],
    weight: NDArray[np.float64],
    wave_vectors: NDArray[np.float64],
) -> FourierSum:
    """Weighted mean over the points of ``2 target exp(-i w . x)`` for each wave vector."""
    share = (weight / weight.sum())[:, None] * target
    coefficients = np.empty((len(wave_vectors), target.shape[1]), dtype=complex)
    for block in blocks_of(len(wave_vectors), 16 * len(x)):
        phase = wave_vectors[block] @ x.T
        coefficients[block] = 2 * (np.cos(phase) @ share - 1j * (np.sin(phase) @ share))
    coefficients[~wave_vectors.any(axis=1)] /= 2
    return FourierSum(wave_vectors, coefficients)


def lowest_wave_numbers(d: int, most: int) -> NDArray[np.int64]:
    """Half lattice of the largest total degree that has at most ``most`` vectors."""
    numbers = np.zeros((1, d), dtype=np.int64)
    degree = 1
    while True:
        grown = total_degree_lattice(d, degree, most)
        if grown is None:
            return numbers
        numbers, degree = grown, degree + 1
