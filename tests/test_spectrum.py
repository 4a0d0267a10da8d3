"""Every spectrum method against the direct sum, against known spectra, and against each other."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from conftest import relative, tensor_grid
from problems import stage_problem

from skmsnn.domain import Domain, find_grid
from skmsnn.families.dominant import direct_sum, dominant_modes, uniform_grid_modes
from skmsnn.families.ladders import (
    BANDLIMITS,
    OTHER_WIDTHS,
    RATIO,
    axis_order,
    in_ball,
    periodic_orders,
)
from skmsnn.families.lattices import _most_rows, _most_terms, lattice_ladders
from skmsnn.functions.lattice import (
    FourierSum,
    TensorFourierSeries,
    half_lattice,
    total_degree_lattice,
)
from skmsnn.linalg.conjugate_gradients import least_squares_conjugate_gradients
from skmsnn.spaces.axes import ExtensionAxis, PeriodicAxis
from skmsnn.spaces.dense import DenseFit
from skmsnn.spaces.frames import Frame, LatticeFrame
from skmsnn.spaces.periodic import ToeplitzFit
from skmsnn.spaces.sampling import sampling_order
from skmsnn.spaces.tensor import TensorFit


def random_lattice(rng, orders, lengths, n_outputs=1):
    """Hermitian coefficients, so that the modes are a real function."""
    shape = (*[2 * m + 1 for m in orders], n_outputs)
    c = rng.standard_normal(shape) + 1j * rng.standard_normal(shape)
    mirrored = np.conj(np.flip(c, axis=tuple(range(len(orders)))))
    return TensorFourierSeries((c + mirrored) / 2, np.asarray(lengths, dtype=float))


def complex_sum(modes, x):
    """The definition, term by term."""
    total = np.zeros((len(x), modes.coefficients.shape[-1]), dtype=complex)
    for index in np.ndindex(*modes.coefficients.shape[:-1]):
        k = np.array(index) - np.array(modes.orders)
        phase = x @ (2 * np.pi * k / modes.lengths)
        total += np.exp(1j * phase)[:, None] * modes.coefficients[index]
    return total


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_lattice_evaluation_is_the_direct_sum(rng, d):
    modes = random_lattice(rng, (2, 3, 1, 2)[:d], (2.0, 3.0, 2.5, 4.0)[:d], n_outputs=2)
    x = rng.uniform(-1.5, 1.5, (50, d))
    oracle = complex_sum(modes, x)
    np.testing.assert_allclose(oracle.imag, 0, atol=1e-12)
    np.testing.assert_allclose(modes.evaluate(x), oracle.real, rtol=0, atol=1e-12)
    np.testing.assert_allclose(modes.to_modes().evaluate(x), oracle.real, rtol=0, atol=1e-12)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_half_lattice_holds_one_of_each_pair(d):
    numbers = half_lattice((2, 1, 3)[:d])
    both = np.concatenate([numbers, -numbers[1:]])
    assert len(np.unique(both, axis=0)) == len(both) == np.prod([5, 3, 7][:d])
    assert not numbers[0].any()


def test_total_degree_lattice_is_the_half_lattice_within_the_degree():
    numbers = total_degree_lattice(3, 3, 10_000)
    box = half_lattice((3, 3, 3))
    expected = box[np.abs(box).sum(axis=1) <= 3]
    np.testing.assert_array_equal(numbers, expected)
    assert total_degree_lattice(3, 3, 5) is None


def fits(rng, kind, modes, n_outputs=1):
    """Points that carry the modes, and the method of that kind on them."""
    lengths, orders = modes.lengths, modes.orders
    if kind == "fft" or kind == "holes":
        x = tensor_grid(*[-1 + 2 * np.arange(16) / 16] * 2)
        index = np.arange(256) if kind == "fft" else np.sort(rng.permutation(256)[:200])
        axes = [PeriodicAxis(16, m, 2.0, -1.0) for m in orders]
        return x[index], TensorFit(axes, (16, 16), index, np.ones(len(index)))
    if kind == "nodes":
        nodes = [np.sort(rng.uniform(-1, 1, 24)) for _ in orders]
        axes = [ExtensionAxis(a, m, 2.0) for a, m in zip(nodes, orders, strict=True)]
        return tensor_grid(*nodes), TensorFit(axes, (24, 24), np.arange(576), np.ones(576))
    x, weight = rng.uniform(-1, 1, (400, 2)), rng.uniform(0.5, 1, 400)
    if kind == "toeplitz":
        return x, ToeplitzFit(x, weight, orders, lengths)
    return x, DenseFit(x, weight, LatticeFrame(half_lattice(orders), lengths))


@pytest.mark.parametrize("kind", ["fft", "holes", "nodes", "toeplitz", "dense"])
def test_every_method_finds_a_known_spectrum(rng, kind):
    modes = random_lattice(rng, (4, 3), (2.0, 2.0), n_outputs=2)
    x, fit = fits(rng, kind, modes)
    found = fit.solve(modes.evaluate(x))
    assert relative(found.coefficients - modes.coefficients, modes.coefficients) < 1e-12


@pytest.mark.parametrize("kind", ["holes", "toeplitz", "dense"])
def test_every_method_solves_the_same_weighted_least_squares(rng, kind):
    """On values that no modes reproduce, against NumPy's own solver."""
    modes = random_lattice(rng, (3, 2), (2.0, 2.0))
    if kind == "holes":
        index = np.sort(rng.permutation(256)[:220])
        x, weight = tensor_grid(*[-1 + 2 * np.arange(16) / 16] * 2)[index], rng.uniform(0.3, 1, 220)
        axes = [PeriodicAxis(16, m, 2.0, -1.0) for m in modes.orders]
        fit = TensorFit(axes, (16, 16), index, weight)
    else:
        x, weight = rng.uniform(-1, 1, (300, 2)), rng.uniform(0.3, 1, 300)
        if kind == "toeplitz":
            fit = ToeplitzFit(x, weight, modes.orders, modes.lengths)
        else:
            fit = DenseFit(x, weight, LatticeFrame(half_lattice(modes.orders), modes.lengths))
    y = rng.standard_normal((len(x), 1))
    numbers = half_lattice(modes.orders)
    phase = np.pi * x @ numbers.T
    design = np.concatenate([np.cos(phase), np.sin(phase[:, 1:])], axis=1)
    root = np.sqrt(weight)[:, None]
    expected = design @ np.linalg.lstsq(design * root, y * root)[0]
    np.testing.assert_allclose(fit.solve(y).evaluate(x), expected, atol=1e-11)


def test_held_out_points_join_the_dense_factorisation(rng):
    x, y = rng.uniform(-1, 1, (200, 2)), rng.standard_normal((200, 1))
    wave_vectors = np.pi * half_lattice((2, 2))
    part = np.ones(200)
    part[150:] = 0
    grown = DenseFit(x, part, Frame(wave_vectors)).extended(np.ones(200)).solve(y)
    whole = DenseFit(x, np.ones(200), Frame(wave_vectors)).solve(y)
    np.testing.assert_allclose(grown.coefficients, whole.coefficients, atol=1e-11)


@pytest.mark.parametrize("damping", [1e-14, 0.1])
def test_damping_is_that_of_the_mean_square_of_a_column(rng, damping):
    x, y, weight = rng.uniform(-1, 1, (60, 2)), rng.standard_normal((60, 2)), np.ones(60)
    wave_vectors = np.pi * half_lattice((2, 1)) / 2
    found = DenseFit(x, weight, Frame(wave_vectors), damping).solve(y)
    waves = x @ wave_vectors.T
    design = np.concatenate([np.cos(waves), np.sin(waves[:, 1:])], axis=1)
    stacked = np.concatenate([design, damping * np.sqrt(60) * np.eye(design.shape[1])])

    def damped(target):
        return np.linalg.lstsq(stacked, np.pad(target, ((0, design.shape[1]), (0, 0))))[0]

    # what damping left is fitted once more
    c = damped(y)
    c = c + damped(y - design @ c)
    np.testing.assert_allclose(found.evaluate(x), design @ c, atol=1e-10)


@pytest.mark.parametrize("n", [1000, 30_000, 10**6])
def test_dense_systems_stay_within_operations_and_memory(n):
    most = _most_terms(n)
    for k in {10, most // 2, most}:
        for has_fast_sums in (False, True):
            rows = min(n, _most_rows(k, has_fast_sums))
            assert 2 * rows * k**2 <= 1e12
            assert 8 * rows * k <= 2**31
            assert rows == n or rows >= 6 * k
        assert rows == n or rows == 6 * k or 2 * (rows + 1) * k**2 > 1e11


def ladders(x, periodic=None, grid=None):
    """Ladders of lattices at points that are validated by others."""
    problem = stage_problem(
        x, np.ones((len(x), 1)), validation=(x, np.ones((len(x), 1))), periodic=periodic, grid=grid
    )
    return [list(ladder) for ladder in lattice_ladders(problem)]


def solved(candidate, y):
    """The function of a candidate that is closest to values at all points."""
    return candidate.fit(y, np.ones(len(y))).function


def width_of(candidate):
    """The width of its box, as it says."""
    return float(candidate.label.split("box ")[1].split(" ")[0])


def others_by_cutoff(candidate):
    """Neighbours of as many terms."""
    return [c for c in candidate.neighbours() if c.n_terms == candidate.n_terms]


class TestCandidates:
    @pytest.mark.parametrize("d", [2, 4])
    def test_of_scattered_points_count_their_columns(self, rng, d):
        x, y = rng.uniform(-1, 1, (400, d)), np.ones((400, 1))
        found = ladders(x)
        assert {width_of(ladder[0]) for ladder in found} == ({1.4, 2, 3, 4} if d == 2 else {2, 4})
        for ladder in found:
            sizes = [c.n_terms for c in ladder]
            assert 400 / 4 < sizes[-1] < 400
            assert all(b > a for a, b in pairwise(sizes))
            assert width_of(ladder[0]) != 2 or all(b >= RATIO * a for a, b in pairwise(sizes))
            assert len({width_of(candidate) for candidate in ladder}) == 1
            for candidate in ladder:
                linear = candidate.fit(y, np.ones(400)).linear
                assert candidate.n_terms == linear.frame.n_columns

    def test_of_a_ball_are_as_many_in_a_box_of_any_width(self):
        for width in OTHER_WIDTHS:
            expected = in_ball(3.0, np.full(2, 4.0))
            np.testing.assert_array_equal(in_ball(3.0, np.full(2, 2 * width)), expected)

    def test_of_scattered_points_have_others_by_cutoff(self, rng):
        x = rng.uniform(-1, 1, (400, 2))
        candidate = ladders(x)[0][4]
        (other,) = others_by_cutoff(candidate)
        assert other.label == f"{candidate.label}, cut off at 1e-12"
        smaller, larger = others_by_cutoff(other)
        assert smaller.label == candidate.label
        assert larger.label == f"{candidate.label}, cut off at 1e-10"
        dampings = [c.fit(x[:, :1], np.ones(400)).linear.damping for c in (candidate, other)]
        assert dampings == [1e-14, 1e-12]

    def test_of_scattered_points_have_one_name(self, rng):
        """Or else the same set is fitted twice."""
        candidate = ladders(rng.uniform(-1, 1, (400, 2)))[0][4]
        (other,) = others_by_cutoff(candidate)
        assert candidate.label in {c.label for c in other.neighbours()}

    @pytest.mark.parametrize("d", [1, 2, 3])
    def test_of_periodic_points_count_their_modes(self, rng, d):
        x, y = rng.uniform(-1, 1, (600, d)), np.ones((600, 1))
        (ladder,) = ladders(x, [True] * d)
        assert 600 / 4 < ladder[-1].n_terms < 600
        for candidate in ladder:
            modes = solved(candidate, y)
            assert modes.coefficients[..., 0].size == candidate.n_terms
            assert not list(candidate.neighbours())
            np.testing.assert_array_equal(modes.lengths, 2)

    @pytest.mark.parametrize(("m", "d"), [(40, 1), (40, 2), (10, 3), (20, 3)])
    def test_of_periodic_points_reach_shares_of_what_a_grid_of_as_many_shows(self, m, d):
        """Rounded down exactly, though roots of m**d in floating point may fall short of m."""
        bands = [Fraction(2, 3) * Fraction(6, 5) ** k for k in range(-15, 3)]
        shares = [Fraction(0), *(min(share, Fraction(9, 10)) for share in bands)]
        np.testing.assert_allclose(BANDLIMITS, [float(share) for share in shares], rtol=1e-15)
        assert periodic_orders(m**d, d) == [int(s * m / 2) for s in shares[:-1]]

    @pytest.mark.parametrize("n", [2, 3, 10, 11, 40, 41])
    def test_of_a_periodic_axis_are_at_most_as_many_as_nodes(self, n):
        nodes = -1 + 2 * np.arange(n) / n
        assert all(2 * axis_order(nodes, share, 1.0, True) + 1 <= n for share in BANDLIMITS)

    def test_of_a_grid_are_in_the_box_that_they_name(self):
        x = tensor_grid(np.linspace(-1, 1, 30), -1 + 2 * np.arange(40) / 40)
        grid, y = find_grid(x), np.ones((1200, 1))
        ladder, *others = ladders(x, [False, True], grid)
        assert ladder[0].n_terms == 1
        best = ladder[4]
        for candidate in (best, *best.neighbours(), *(other[4] for other in others)):
            modes = solved(candidate, y)
            assert modes.lengths[0] == 2 * width_of(candidate)
            assert modes.lengths[1] == 2
            assert str(modes.orders) in candidate.label
        assert [width_of(other[4]) for other in others] == list(OTHER_WIDTHS)
        for other in others:
            assert {width_of(c) for c in other} == {width_of(other[4])}
            assert len(other) == len(ladder)
        (periodic,) = ladders(x, [True, True], grid)
        assert all("box 2 times" in c.label for c in periodic[4].neighbours())
        assert not any("cut off" in c.label for c in periodic[4].neighbours())

    @pytest.mark.parametrize("n_missing", [0, 100])
    def test_of_a_grid_have_neighbours_along_each_axis(self, n_missing):
        """More or fewer waves along an axis or all, or more along one and fewer along the other."""
        x = tensor_grid(np.linspace(-1, 1, 30), -1 + 2 * np.arange(40) / 40)
        x = np.delete(x, 12 * np.arange(n_missing), axis=0)
        y = np.ones((len(x), 1))
        ladder, *_ = ladders(x, [False, True], find_grid(x))
        best = ladder[-4]
        orders = solved(best, y).orders
        found = [c for c in best.neighbours() if width_of(c) == 2 and "cut off" not in c.label]
        changes = {tuple(np.sign(np.subtract(solved(c, y).orders, orders))) for c in found}
        moves = {(1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1), (1, 1), (-1, -1)}
        assert changes - {(0, 0)} == moves
        assert all(c.n_terms < len(x) for c in found)

    @pytest.mark.parametrize(
        "periodic", [[False, False, False], [False, True, False, False], [True, False]]
    )
    def test_of_scattered_points_are_harmonics_of_the_box_that_they_name(self, rng, periodic):
        """Up to the same wave length along every axis, of a ball or of a total degree."""
        d = len(periodic)
        x, y = rng.uniform(-1, 1, (300, d)), rng.standard_normal((300, 1))
        sets = [ladder[-1] for ladder in ladders(x, periodic)]
        assert len(sets) > 1
        for candidate in sets:
            fundamental = 2 * np.pi / np.where(periodic, 2.0, 2 * width_of(candidate))
            modes = solved(candidate, y)
            waves = modes.to_modes() if isinstance(modes, TensorFourierSeries) else modes
            numbers = waves.wave_vectors / fundamental
            np.testing.assert_allclose(numbers, np.rint(numbers), atol=1e-12)
            if d <= 3:
                highest = np.linalg.norm(waves.wave_vectors, axis=1).max()
                along = np.abs(waves.wave_vectors).max(axis=0)
                np.testing.assert_array_less(highest - fundamental - 1e-9, along)
            else:
                assert np.abs(numbers).sum(axis=1).max() == pytest.approx(np.abs(numbers).max())

    def test_of_periodic_features_have_no_other_box(self, rng):
        (ladder,) = ladders(rng.uniform(-1, 1, (300, 4)), [True] * 4)
        assert not list(ladder[-1].neighbours())

    def test_of_a_periodic_axis_with_uneven_nodes_have_its_period(self, rng):
        """Uniform nodes that fill the period are for the FFT, and others for least squares."""
        n = 24
        for nodes in (-1 + 2 * np.arange(n) / n, np.sort(rng.uniform(-1, 1, n))):
            for kept in (nodes, nodes[: n - 4]):
                x = kept[:, None]
                wave = np.cos(np.pi * 3 * x + 0.4)
                (ladder,) = ladders(x, [True], find_grid(x))
                modes = solved(ladder[-1], wave)
                np.testing.assert_array_equal(modes.lengths, 2)
                np.testing.assert_allclose(modes.evaluate(x), wave, atol=1e-9)


def test_unit_amplitudes_keep_phases(rng):
    modes = FourierSum(rng.standard_normal((5, 2)), np.exp(1j * np.arange(5))[:, None] * 3)
    unit = modes.with_unit_amplitudes()
    np.testing.assert_allclose(unit.amplitudes, 1)
    np.testing.assert_allclose(np.exp(1j * unit.phases), np.exp(1j * np.arange(5)))


class TestPartOfThePoints:
    """Fits of many points that take in a part of them."""

    def test_exact_modes_come_out_the_same(self, rng):
        modes = random_lattice(rng, (3, 3), (2.0, 2.0))
        x, frame = rng.uniform(-1, 1, (2000, 2)), LatticeFrame(half_lattice((3, 3)), modes.lengths)
        part = np.ones(2000)
        part[1500:] = 0
        few = DenseFit(x, part, frame, most_rows=300)
        for fit in (few, few.extended(np.ones(2000))):
            found = fit.solve(modes.evaluate(x))
            assert relative(found.coefficients - modes.coefficients, modes.coefficients) < 1e-12

    def test_a_list_of_modes_is_fitted_to_the_part(self, rng):
        x, noise = rng.uniform(-1, 1, (2000, 2)), rng.standard_normal((2000, 1))
        frame = Frame(np.pi * half_lattice((3, 3)))
        used = np.zeros(2000)
        used[sampling_order(x, np.arange(len(x)), np.random.default_rng(0))[:300]] = 1
        expected = DenseFit(x, used, frame).solve(noise).coefficients
        found = DenseFit(x, np.ones(2000), frame, most_rows=300).solve(noise).coefficients
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_a_lattice_is_fitted_to_all_with_the_part_as_preconditioner(self, rng):
        """What it leaves is close to the least that there is."""
        x, weight = rng.uniform(-1, 1, (3000, 2)), rng.uniform(0.5, 1, 3000)
        frame = LatticeFrame(half_lattice((4, 4)), np.array([3.0, 3.0]))
        noise = rng.standard_normal((3000, 2))
        least = DenseFit(x, weight, frame, 1e-6).solve(noise)
        found = DenseFit(x, weight, frame, 1e-6, most_rows=500).solve(noise)
        alone = Frame(2 * np.pi / 3 * half_lattice((4, 4)))
        of_part = DenseFit(x, weight, alone, 1e-6, most_rows=500).solve(noise)
        left, least_left, left_by_part = (
            float(np.sum(weight[:, None] * (noise - fit.evaluate(x)) ** 2))
            for fit in (found, least, of_part)
        )
        assert left - least_left < 0.05 * (left_by_part - least_left)

    def test_sums_are_products_with_the_columns(self, rng):
        x, values = rng.uniform(-1, 1, (50, 2)), rng.standard_normal((50, 3))
        frame = LatticeFrame(half_lattice((3, 2)), np.array([3.0, 2.5]))
        expected = frame.system(x, np.ones(50)).T @ values
        np.testing.assert_allclose(frame.sums(x, values), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(16, 12), (9, 7), (8,), (15,)])
@pytest.mark.parametrize("ends", [True, False])
def test_all_modes_of_a_uniform_grid_are_its_dft_interpolant(rng, shape, ends):
    """Section 3.4 of the paper, for grids with both end points and for periodic ones."""
    axes = [np.linspace(2, 5, n, endpoint=ends) for n in shape]
    X = tensor_grid(*axes)
    y = rng.standard_normal((len(X), 2))
    periods = [None if ends else 3.0] * len(shape)
    domain = Domain.of(X, periods)
    modes = uniform_grid_modes(domain, find_grid(X), y)
    np.testing.assert_allclose(modes.evaluate(domain.scale(X)), y, atol=1e-12)
    # as many real unknowns as values
    assert 2 * len(modes.wave_vectors) - np.prod([2 - n % 2 for n in shape]) == len(X)


def test_frequencies_of_a_grid_with_end_points_are_those_of_its_spacing():
    """cos(2 pi k x / (N h)) is one mode of the grid, and no other multiple of x is."""
    n, k = 20, 3
    x = np.linspace(-1, 1, n)[:, None]
    h = 2 / (n - 1)
    y = 0.7 * np.cos(2 * np.pi * k / (n * h) * x + 0.4)
    modes = uniform_grid_modes(Domain.of(x, [None]), find_grid(x), y)
    strongest = modes.dominant(2)
    np.testing.assert_allclose(strongest.wave_vectors[0], 2 * np.pi * k / (n * h))
    np.testing.assert_allclose(strongest.amplitudes, [0.7, 0], atol=1e-14)
    np.testing.assert_allclose(strongest.phases[0], 0.4)


def test_direct_sum_of_a_uniform_grid_is_its_dft(rng):
    X = tensor_grid(np.arange(9.0), np.arange(7.0))
    y = rng.standard_normal((63, 1))
    domain = Domain.of(X, [9.0, 7.0])
    exact = uniform_grid_modes(domain, find_grid(X), y)
    summed = direct_sum(domain.scale(X), y, np.ones(63), exact.wave_vectors)
    np.testing.assert_allclose(summed.coefficients, exact.coefficients, atol=1e-13)


@pytest.mark.parametrize("sampling", ["grid", "holes", "scattered"])
def test_dominant_modes_are_those_of_largest_amplitude(rng, sampling):
    numbers = np.array([[3, 0], [1, -2], [0, 1]])
    known = FourierSum(np.pi * numbers, np.array([[3.0], [2.0j], [-1.0]]))
    X = tensor_grid(*[np.arange(24) / 12] * 2)
    if sampling == "holes":
        X = X[np.sort(rng.permutation(576)[:400])]
    if sampling == "scattered":
        X = rng.uniform(0, 2, (500, 2))
    domain = Domain(np.ones(2), np.ones(2), np.array([True, True]))
    x = domain.scale(X)
    y = known.evaluate(x)
    found = dominant_modes(3, domain, find_grid(X), x, y, np.ones(len(x)))
    np.testing.assert_allclose(np.abs(found.wave_vectors), np.pi * np.abs(numbers), atol=1e-12)
    np.testing.assert_allclose(found.amplitudes, [3, 2, 1], atol=1e-10)
    np.testing.assert_allclose(found.evaluate(x), y, atol=1e-10)


def test_fourier_extension_of_a_smooth_function_is_exact_off_its_nodes(rng):
    nodes = np.linspace(-1, 1, 100)
    fit = TensorFit([ExtensionAxis(nodes, 25, 4.0)], (100,), np.arange(100), np.ones(100))
    x = rng.uniform(-1, 1, (500, 1))
    error = fit.solve(np.exp(nodes)[:, None]).evaluate(x) - np.exp(x)
    assert np.abs(error).max() < 1e-12


@pytest.mark.parametrize("n_nodes", [30, 31])
def test_an_extension_spans_the_same_space_on_symmetric_nodes(n_nodes):
    """There it is built by parity; nodes moved by little span nearly the same space."""
    nodes = np.linspace(-1, 1, n_nodes)
    moved = nodes.copy()
    moved[0] -= 1e-12
    one, other = (ExtensionAxis(a, 6, 4.0) for a in (nodes, moved))
    np.testing.assert_allclose(one.singular_values, other.singular_values, atol=1e-10)
    identity = one.analyse(one.synthesise(np.eye(len(one.singular_values)), 0), 0)
    np.testing.assert_allclose(identity, np.eye(len(identity)), atol=1e-14)
    projections = [a.synthesise(a.analyse(np.eye(n_nodes), 0), 0) for a in (one, other)]
    np.testing.assert_allclose(*projections, atol=1e-7)


def test_least_squares_with_hardly_more_points_than_modes_converges(rng):
    """289 unknowns on 320 of 484 cells: the condition number is large, the solution exact."""
    modes = random_lattice(rng, (8, 8), (2.0, 2.0))
    index = np.sort(rng.permutation(484)[:320])
    x = tensor_grid(*[-1 + 2 * np.arange(22) / 22] * 2)[index]
    fit = TensorFit([PeriodicAxis(22, 8, 2.0, -1.0)] * 2, (22, 22), index, np.ones(320))
    y = modes.evaluate(x)
    first = fit.solve(y)
    second = fit.solve(y - first.evaluate(x))
    found = first.coefficients + second.coefficients
    assert relative(found - modes.coefficients, modes.coefficients) < 1e-10


class TestConjugateGradients:
    """Of least squares with singular values 1, 1/2, ... and a part that no unknown reaches."""

    values = 0.5 ** np.arange(12)

    def solved(self, **stops):
        calls = []

        def operator(c):
            calls.append(1)
            return np.append(self.values * c, 0.0)

        c = least_squares_conjugate_gradients(
            operator, lambda r: self.values * r[:-1], np.append(np.ones(12), 3.0), **stops
        )
        return c, len(calls)

    def test_the_solution_is_that_of_the_normal_equations(self):
        c, _ = self.solved(tolerance=0, max_iter=500, angle=1e-14)
        np.testing.assert_allclose(c, 1 / self.values, rtol=1e-6)

    def test_a_residual_that_has_stopped_falling_ends_it(self):
        _, n_calls = self.solved(tolerance=0, max_iter=10_000, angle=0, patience=50)
        assert 12 <= n_calls < 150

    def test_one_that_still_falls_does_not(self):
        """Each iteration takes a little of it, and a quarter in fewer than ``patience``."""
        n = 100
        second = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
        y = second @ np.sin(np.arange(n) / 7)
        c = least_squares_conjugate_gradients(
            lambda c: second @ c,
            lambda r: second @ r,
            y,
            tolerance=0,
            max_iter=20_000,
            angle=1e-12,
            patience=400,
        )
        assert relative(second @ c - y, y) < 1e-6


@pytest.mark.parametrize("cutoff", [1e-2, 1e-6])
def test_an_extension_keeps_what_is_above_its_cutoff(cutoff, rng):
    nodes = np.sort(rng.uniform(-1, 1, 40))
    waves = np.pi / 2 * nodes[:, None] * np.arange(1, 13)
    frame = np.concatenate([np.ones((40, 1)), np.cos(waves), np.sin(waves)], axis=1)
    s = np.linalg.svd(frame, compute_uv=False)
    singular_values = ExtensionAxis(nodes, 12, 4.0, cutoff).singular_values
    assert 1 < len(singular_values) < 25
    np.testing.assert_allclose(singular_values, s[s > cutoff * s[0]] / s[0], rtol=1e-8)


@pytest.mark.parametrize("cutoff", [0.3, 1e-2])
def test_a_grid_with_holes_is_damped_as_a_dense_solve(cutoff, rng):
    """Each product of basis functions by the cut-off over its strength, those below it left out."""
    nodes = [np.sort(rng.uniform(-1, 1, n)) for n in (9, 11)]
    axes = [ExtensionAxis(one, 3, 4.0, cutoff / 10) for one in nodes]
    index = np.sort(rng.permutation(99)[:70])
    weight, target = rng.uniform(0.2, 1, 70), rng.standard_normal((70, 1))
    bases = [axis.synthesise(np.eye(len(axis.singular_values)), 0) for axis in axes]
    design = np.kron(*bases)[index]
    strength = np.kron(*[axis.singular_values for axis in axes])
    design, strength = design[:, strength > cutoff], strength[strength > cutoff]
    root = np.sqrt(weight)[:, None]
    stacked = np.concatenate([root * design, np.diag(cutoff / strength)])
    c = np.linalg.lstsq(stacked, np.pad(root * target, ((0, len(strength)), (0, 0))), rcond=None)[0]
    fit = TensorFit(axes, (9, 11), index, weight, cutoff)
    found = fit.solve(target).evaluate(tensor_grid(*nodes)[index])
    np.testing.assert_allclose(found, design @ c, atol=1e-8)


def test_modes_of_a_grid_without_some_lines_are_no_aliases():
    """Waves beyond Nyquist's of an axis equal slower ones at all nodes, and not between them."""
    x = tensor_grid(np.linspace(-1, 1, 30), np.linspace(-1, 1, 16, endpoint=False))
    domain = Domain(np.zeros(2), np.ones(2), np.array([False, True]))
    target = np.sin(4 * x[:, :1] + np.pi * x[:, 1:])
    weight = np.where(np.isin(x[:, 1], np.unique(x[:, 1])[[4, 12]]), 0.0, 1.0)
    modes = dominant_modes(12, domain, find_grid(x), x, target, weight)
    assert np.abs(modes.wave_vectors[:, 1]).max() <= 8 * np.pi + 1e-9
    assert np.abs(modes.wave_vectors[:, 0]).max() <= 15 * np.pi
