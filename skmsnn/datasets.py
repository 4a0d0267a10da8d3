"""Test fields: a snapshot of decaying two-dimensional turbulence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.fft as sfft
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from skmsnn.functions.lattice import TensorFourierSeries

__all__ = ["TurbulenceSnapshot", "make_decaying_turbulence", "simulate_decaying_turbulence"]

_FIELDS = ("stream_function", "vorticity", "velocity_x", "velocity_y")


@dataclass(frozen=True)
class TurbulenceSnapshot:
    """A velocity field of two-dimensional turbulence at one instant.

    The field is a trigonometric polynomial on the square [0, 2 pi)^2, so its value at any
    point is known to round-off, on the solver's grid and off it.

    Parameters
    ----------
    vorticity_hat : ndarray of shape (n_points, n_points // 2 + 1), complex
        Fourier coefficients of the vorticity, normalised so that the field is
        ``sum_k vorticity_hat[k] exp(i k . x)``; wave numbers are integers, in radians per unit.
    time : float
        Time of the snapshot.
    viscosity : float
        Kinematic viscosity of the run.
    """

    vorticity_hat: NDArray[np.complex128]
    time: float
    viscosity: float

    @property
    def n_points(self) -> int:
        """Grid points a side."""
        return self.vorticity_hat.shape[0]

    @property
    def stream_function_hat(self) -> NDArray[np.complex128]:
        """Fourier coefficients of the stream function, from laplacian(psi) = -vorticity."""
        k_squared = _wave_numbers(self.n_points)[2]
        return _divide_where_nonzero(self.vorticity_hat, k_squared)

    @property
    def energy(self) -> float:
        """Mean kinetic energy, half the mean squared speed."""
        return 0.5 * _mean_product(self.stream_function_hat, self.vorticity_hat, self.n_points)

    @property
    def enstrophy(self) -> float:
        """Half the mean squared vorticity."""
        return 0.5 * _mean_product(self.vorticity_hat, self.vorticity_hat, self.n_points)

    def on_grid(self, field: str = "stream_function") -> NDArray[np.float64]:
        """Evaluate a field on the solver's own grid.

        Parameters
        ----------
        field : str, default="stream_function"
            As for ``at``.

        Returns
        -------
        ndarray of shape (n_points, n_points)
            Values, indexed [i, j] for the point (x_i, y_j).
        """
        return _to_grid(self._coefficients(field), self.n_points)

    def at(self, X: ArrayLike, field: str = "stream_function") -> NDArray[np.float64]:
        """Evaluate a field at any points, by the trigonometric polynomial itself.

        Parameters
        ----------
        X : array-like of shape (n_samples, 2)
            Points, in radians.
        field : str, default="stream_function"
            "stream_function", "vorticity", or a component of the velocity, "velocity_x" or
            "velocity_y".

        Returns
        -------
        ndarray of shape (n_samples,)
            Values of the field.
        """
        half = self._coefficients(field)
        n = self.n_points
        order = (n - 1) // 2
        full = np.fft.fftshift(np.fft.fft2(_to_grid(half, n)) / n**2)
        centre = n // 2
        kept = full[centre - order : centre + order + 1, centre - order : centre + order + 1]
        period = np.full(2, 2 * np.pi)
        return TensorFourierSeries(kept[..., None], period).evaluate(np.asarray(X, dtype=float))[
            :, 0
        ]

    def _coefficients(self, field: str) -> NDArray[np.complex128]:
        if field not in _FIELDS:
            raise ValueError(f"field must be one of {_FIELDS}, got {field!r}.")
        if field == "vorticity":
            return self.vorticity_hat
        psi = self.stream_function_hat
        if field == "stream_function":
            return psi
        # u = d psi / dy, v = -d psi / dx
        kx, ky, _ = _wave_numbers(self.n_points)
        return 1j * ky * psi if field == "velocity_x" else -1j * kx * psi


def make_decaying_turbulence(
    n_points: int = 256,
    *,
    X: ArrayLike | None = None,
    field: str = "stream_function",
    viscosity: float = 1e-3,
    duration: float = 2.0,
    random_state: int | np.random.RandomState | None = 0,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make a snapshot of decaying two-dimensional turbulence, ready for ``fit(X, y)``.

    Parameters
    ----------
    n_points : int, default=256
        Grid points a side of the solver.
    X : array-like of shape (n_samples, 2), default=None
        Points at which the snapshot is wanted, in radians; the field has period 2 pi along
        both axes. None gives the solver's own grid, end point excluded.
    field : str, default="stream_function"
        The field to return: "stream_function", "vorticity", "velocity_x" or "velocity_y".
    viscosity : float, default=1e-3
        Kinematic viscosity.
    duration : float, default=2.0
        Time from the random initial field to the snapshot; an eddy turns over in about 1.
    random_state : int, RandomState instance or None, default=0
        Determines the initial field.

    Returns
    -------
    X : ndarray of shape (n_samples, 2)
        Points, in radians.
    y : ndarray of shape (n_samples,)
        Field values.

    See Also
    --------
    simulate_decaying_turbulence : The same run, with all its fields.

    Examples
    --------
    >>> from skmsnn.datasets import make_decaying_turbulence
    >>> X, y = make_decaying_turbulence(32, duration=0.1)
    >>> X.shape, y.shape
    ((1024, 2), (1024,))
    """
    snapshot = simulate_decaying_turbulence(
        n_points, viscosity=viscosity, duration=duration, random_state=random_state
    )
    if X is None:
        axis = 2 * np.pi * np.arange(n_points) / n_points
        grid = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
        return grid, snapshot.on_grid(field).ravel()
    points = np.asarray(X, dtype=float)
    return points, snapshot.at(points, field)


def simulate_decaying_turbulence(
    n_points: int = 256,
    *,
    viscosity: float = 1e-3,
    duration: float = 2.0,
    time_step: float | None = None,
    vorticity: ArrayLike | None = None,
    random_state: int | np.random.RandomState | None = 0,
) -> TurbulenceSnapshot:
    """Solve the two-dimensional Navier-Stokes equations from a random broad-band field.

    Vorticity form on the periodic square [0, 2 pi)^2, pseudo-spectral, dealiased by the 2/3
    rule; viscosity is integrated exactly, advection by the third-order Runge-Kutta method of
    Shu & Osher (1988, equation 2.18).

    Parameters
    ----------
    n_points : int, default=256
        Grid points a side.
    viscosity : float, default=1e-3
        Kinematic viscosity.
    duration : float, default=2.0
        Time to integrate.
    time_step : float, default=None
        Time step; None takes half of the largest stable step of the initial field.
    vorticity : array-like of shape (n_points, n_points), default=None
        Initial vorticity on the grid, indexed [i, j] for (x_i, y_j). None draws the random
        field of McWilliams (1984): stream function with Gaussian coefficients of variance
        proportional to 1 / (k (1 + (k / 6)^4)), scaled to kinetic energy 1/2.
    random_state : int, RandomState instance or None, default=0
        Determines the initial field when ``vorticity`` is None.

    Returns
    -------
    TurbulenceSnapshot
        The field at the end of the run.

    Raises
    ------
    ValueError
        If a number is out of its range or ``vorticity`` has another shape.

    References
    ----------
    McWilliams, J. C. (1984). The emergence of isolated coherent vortices in turbulent flow.
    Journal of Fluid Mechanics 146, 21-43.

    Shu, C.-W. and Osher, S. (1988). Efficient implementation of essentially non-oscillatory
    shock-capturing schemes. Journal of Computational Physics 77, 439-471.
    """
    if n_points < 8:
        raise ValueError(f"n_points must be at least 8, got {n_points}.")
    if viscosity < 0 or duration < 0:
        raise ValueError(
            f"viscosity and duration must not be negative, got {viscosity} and {duration}."
        )
    if time_step is not None and not time_step > 0:
        raise ValueError(f"time_step must be positive, got {time_step}.")
    kx, ky, k_squared = _wave_numbers(n_points)
    order = (n_points - 1) // 3
    resolved = (np.abs(kx) <= order) & (np.abs(ky) <= order)

    omega: NDArray
    if vorticity is None:
        omega = _random_vorticity(n_points, check_random_state(random_state))
    else:
        initial = np.asarray(vorticity, dtype=float)
        if initial.shape != (n_points, n_points):
            raise ValueError(
                f"vorticity has shape {initial.shape}, expected {(n_points, n_points)}."
            )
        omega = np.asarray(sfft.rfft2(initial)) / n_points**2
    omega = np.where(resolved, omega, 0)

    def velocity(w: NDArray) -> tuple[NDArray, NDArray]:
        psi = _divide_where_nonzero(w, k_squared)
        return _to_grid(1j * ky * psi, n_points), _to_grid(-1j * kx * psi, n_points)

    def advection(w: NDArray) -> NDArray:
        u, v = velocity(w)
        flux = u * _to_grid(1j * kx * w, n_points) + v * _to_grid(1j * ky * w, n_points)
        return np.where(resolved, -sfft.rfft2(flux) / n_points**2, 0)

    if duration == 0:
        return TurbulenceSnapshot(omega, 0.0, viscosity)
    if time_step is None:
        u, v = velocity(omega)
        fastest = float(np.max(np.abs(u) + np.abs(v)))
        # RK3 is stable on the imaginary axis up to sqrt(3)
        time_step = 0.5 * np.sqrt(3) / (order * fastest) if fastest > 0 else duration
    n_steps = max(1, int(np.ceil(duration / time_step)))
    dt = duration / n_steps
    # dissipation over a whole step, a half step, and back from the whole to the half
    full = np.exp(-viscosity * k_squared * dt)
    half = np.exp(-viscosity * k_squared * dt / 2)
    for _ in range(n_steps):
        first = full * (omega + dt * advection(omega))
        second = 0.75 * half * omega + 0.25 * (first + dt * advection(first)) / half
        omega = (full * omega + 2 * half * (second + dt * advection(second))) / 3
    return TurbulenceSnapshot(omega, float(duration), float(viscosity))


def _wave_numbers(n: int) -> tuple[NDArray, NDArray, NDArray]:
    kx = sfft.fftfreq(n, 1 / n)[:, None]
    ky = sfft.rfftfreq(n, 1 / n)[None, :]
    return kx, ky, kx**2 + ky**2


def _random_vorticity(n: int, rng: np.random.RandomState) -> NDArray[np.complex128]:
    """Draw the initial field mode by mode, so that it is the same field at every resolution."""
    k_squared = _wave_numbers(n)[2]
    order = (n - 1) // 3
    psi = np.zeros((n, n // 2 + 1), dtype=complex)
    for shell in range(1, order + 1):
        # one of each pair +-k on the square shell max(|kx|, |ky|) = shell
        top = [(kx, shell) for kx in range(-shell + 1, shell + 1)]
        side = [(shell, ky) for ky in range(0, shell)] + [
            (-shell, ky) for ky in range(1, shell + 1)
        ]
        for kx, ky in top + side:
            re, im = rng.standard_normal(2)
            k = np.hypot(kx, ky)
            psi[kx, ky] = (re + 1j * im) / np.sqrt(k * (1 + (k / 6) ** 4))
            if ky == 0:
                psi[-kx, 0] = np.conj(psi[kx, 0])
    omega = k_squared * psi
    energy = 0.5 * _mean_product(psi, omega, n)
    return omega * np.sqrt(0.5 / energy)


def _to_grid(coefficients: NDArray, n: int) -> NDArray[np.float64]:
    return sfft.irfft2(coefficients, s=(n, n)) * n**2


def _divide_where_nonzero(a: NDArray, b: NDArray) -> NDArray:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _mean_product(a: NDArray, b: NDArray, n: int) -> float:
    """Mean of the product of two real fields, from their half spectra (Parseval)."""
    pairs = np.full(a.shape[1], 2.0)
    pairs[0] = 1.0
    if n % 2 == 0:
        pairs[-1] = 1.0
    return float(np.sum(pairs * (a * np.conj(b)).real))
