"""Functions to fit, of points of shape (n, d), each with its source."""

import numpy as np
from scipy.special import ndtr


def log_cosine(X):
    """Wang & Lai (2024), section 3.1; on [-1, 1]."""
    x = X[:, 0]
    return np.log(x + 2) * np.cos(2 * x + x**3)


def three_scales(X):
    """Three scales of length in one curve; on [-1, 1]."""
    x = X[:, 0]
    return np.sin(3 * x) + 0.1 * np.sin(40 * x + 0.3) * np.exp(x) + 0.01 * np.cos(170 * x**2)


def runge(X):
    """Runge (1901); on [-1, 1]."""
    return 1 / (1 + 25 * X[:, 0] ** 2)


def exponential_sine(X):
    """Entire, of period 2 pi / 8, seen over a window that is not a period."""
    return np.exp(np.sin(8 * X[:, 0]))


def reciprocal(X):
    """A pole beside the least of points over six decades."""
    return 1 / (1 + X[:, 0])


def fast_decay(X):
    """A reaction that is over in a millisecond."""
    return np.exp(-1e4 * X[:, 0])


def fermi(X):
    """Occupation of states about the Fermi level, of slope 50; on [-1, 1]."""
    return 1 / (1 + np.exp(50 * (X[:, 0] - 0.03)))


def thin_front(X):
    """A front of width 1e-3 at 0.3 and a decay; on [0, 1]."""
    t = X[:, 0]
    return np.tanh((t - 0.3) / 1e-3) + np.exp(-t)


def resonances(X):
    """Three Lorentzian peaks, of two to ten steps of a thousand points; on [-1, 1]."""
    peaks = ((-0.5, 2), (0.1, 5), (0.6, 10))
    return sum(1 / (1 + ((X[:, 0] - c) / (w * 2 / 999)) ** 2) for c, w in peaks)


def peak_and_line(X):
    """A Gaussian of three steps of a thousand points on a straight line; on [-1, 1]."""
    x = X[:, 0]
    return np.exp(-((x - 0.1234) ** 2) / (2 * (3 * 2 / 999) ** 2)) + 0.5 * x + 1


def fast_wave(X):
    """Some 0.7 of the Nyquist wave number of 600 points; on [-1, 1]."""
    return np.cos(424 * X[:, 0])


def front_and_wave(amplitude, X):
    """A gentle front and a wave at 0.45 of the Nyquist wave number of 1500 points; on [-1, 1]."""
    return np.tanh(X[:, 0]) + amplitude * np.cos(1060 * X[:, 0] + 1)


def sine(X):
    """Two waves on [0, 1], which the noise is added to."""
    return np.sin(12 * X[:, 0])


def waves(X):
    """Two products and one oblique wave, none periodic on [-1, 1]^2."""
    x, y = X.T
    return np.sin(2 * np.pi * x) * np.cos(3 * np.pi * y) + 0.3 * np.sin(5 * x + 2 * y)


def bump_and_ridge(X):
    """A Gaussian and a ridge with poles near the real plane; on [-1, 1]^2."""
    x, y = X.T
    return np.exp(-8 * ((x - 0.3) ** 2 + (y + 0.2) ** 2)) + 1 / (1 + 10 * (x + y) ** 2)


def curved_waves(X):
    """Waves whose length varies; on [-1, 1]^2."""
    x, y = X.T
    return np.sin(8 * x**2 * y) + np.exp(x * y) * np.cos(12 * y + 3 * x)


def franke(X):
    """Franke (1979), the first test function for scattered data; on [0, 1]^2."""
    x, y = 9 * X.T
    return (
        0.75 * np.exp(-((x - 2) ** 2 + (y - 2) ** 2) / 4)
        + 0.75 * np.exp(-((x + 1) ** 2) / 49 - (y + 1) / 10)
        + 0.5 * np.exp(-((x - 7) ** 2 + (y - 3) ** 2) / 4)
        - 0.2 * np.exp(-((x - 4) ** 2) - (y - 7) ** 2)
    )


def bump_and_ripple(X):
    """Smooth, and a short wave a thousandth as high; on [-1, 1]^2."""
    x, y = X.T
    return np.exp(np.sin(3 * x) * y) + 1e-3 * np.cos(25 * x - 13 * y)


def sine_over_runge(X):
    """Each axis wants another number of points; on [-1, 1]^2."""
    x, y = X.T
    return np.sin(4 * x) / (1 + 25 * y**2)


def growth_and_switch(X):
    """An exponential in time and a logistic curve in a parameter; on [-1, 1]^2."""
    t, p = X.T
    return np.exp(t) / (1 + np.exp(-12 * p))


def pump_head(X):
    """Head in metres of a pump of some speed in rpm and flow in m^3/h, by the affinity laws."""
    speed, flow = X.T
    ratio = speed / 1450
    return 32 * ratio**2 - 0.02 * ratio * flow - 4e-4 * flow**2


def rate(X):
    """A rate of temperatures over three decades, and of a parameter on [0, 1]."""
    temperature, p = X.T
    return np.exp(-50 / temperature) * np.cos(3 * p)


def call_price(X):
    """Black & Scholes (1973): a call at 100, of the spot price and the years that are left."""
    spot, years = X.T
    spread = 0.2 * np.sqrt(years)
    d_1 = (np.log(spot / 100) + (0.03 + 0.02) * years) / spread
    return spot * ndtr(d_1) - 100 * np.exp(-0.03 * years) * ndtr(d_1 - spread)


def two_modes_in_time(X):
    """Outputs ``a sin t + b sin 30 t`` at 200 times, whose factors the inputs set; on [-1, 1]^2."""
    t = 2 * np.pi * np.linspace(0, 1, 200)
    factors = np.stack([np.exp(X[:, 0]), np.cos(2 * X[:, 1])], axis=1)
    return factors @ np.stack([np.sin(t), np.sin(30 * t)])


def curved_front(X):
    """A front of width 1/20 along a curve; on [-1, 1]^2."""
    x, y = X.T
    return np.tanh(20 * (x + 0.3 * np.sin(3 * y)))


def circular_front(X):
    """A front of width 1/15 along a circle; on [-1, 1]^2."""
    return np.arctan(15 * (np.hypot(*X.T) - 0.6))


def cubed_kink(X):
    """The third derivative in x jumps at 0.2; on [-1, 1]^2."""
    x, y = X.T
    return np.abs(x - 0.2) ** 3 + y


def half_power(X):
    """|x|^(5/2): a singular point where the third derivative is infinite; on [-1, 1]."""
    return np.abs(X[:, 0] - 0.1) ** 2.5


def three_waves(X):
    """Periodic in three dimensions, on [0, 2 pi)^3."""
    x, y, z = X.T
    return np.cos(x) * np.cos(y) * np.sin(z) + 0.1 * np.cos(5 * x + 3 * y - 2 * z)


def swirl(X):
    """Smooth and not periodic in three dimensions; on [-1, 1]^3."""
    x, y, z = X.T
    return np.exp(-(x**2) - 0.5 * y**2) * np.sin(2 * x + 3 * y * z) + 0.2 * z**2


def genz_oscillatory(X):
    """Genz (1984), the oscillatory family, c = 3.5 / j; on [0, 1]^d."""
    return np.cos(2 * np.pi * 0.3 + X @ (3.5 / np.arange(1, X.shape[1] + 1)))


def genz_gaussian(X):
    """Genz (1984), the Gaussian family, c = 2 / sqrt(j), centred off the middle; on [0, 1]^d."""
    c = 2 / np.sqrt(np.arange(1, X.shape[1] + 1))
    return np.exp(-np.sum((c * (X - 0.4)) ** 2, axis=1))


def genz_continuous(X):
    """Genz (1984), the continuous family, c = 2 / sqrt(j), with kinks at 0.4; on [0, 1]^d."""
    c = 2 / np.sqrt(np.arange(1, X.shape[1] + 1))
    return np.exp(-np.abs(X - 0.4) @ c)


def genz_corner_peak(X):
    """Genz (1984), the corner peak, c = 1 / j; on [0, 1]^d."""
    d = X.shape[1]
    return (1 + X @ (1 / np.arange(1, d + 1))) ** -(d + 1.0)


def genz_product_peak(X):
    """Genz (1984), the product peak, c = 2 / sqrt(j), centred off the middle; on [0, 1]^d."""
    c = 2 / np.sqrt(np.arange(1, X.shape[1] + 1))
    return np.prod(1 / (1 + (c * (X - 0.4)) ** 2), axis=1)


def quadratic(X):
    """All of a, b, c alone, a product and a square, for each three inputs; on [-1, 1]^d."""
    a, b, c = X.reshape(len(X), -1, 3).transpose(2, 0, 1)
    return np.sum(1 + a + 2 * b + 3 * c + a * b + c**2, axis=1)


def oblique_wave(X):
    """One wave across five dimensions; on [-1, 1]^5."""
    return np.cos(1 + X @ np.array([1.5, 1.1, 0.9, 0.7, 0.5]))


def friedman(X):
    """Friedman (1991), number 1 without noise; on [0, 1]^d, of which five count."""
    return (
        10 * np.sin(np.pi * X[:, 0] * X[:, 1])
        + 20 * (X[:, 2] - 0.5) ** 2
        + 10 * X[:, 3]
        + 5 * X[:, 4]
    )


def _from_unit(X, low, high):
    return (np.asarray(low) + X * (np.asarray(high) - np.asarray(low))).T


def borehole(X):
    """Flow through a borehole, Harper & Gupta (1983); inputs scaled to [0, 1]^8."""
    low = [0.05, 100, 63070, 990, 63.1, 700, 1120, 9855]
    high = [0.15, 50000, 115600, 1110, 116, 820, 1680, 12045]
    r_w, r, t_u, h_u, t_l, h_l, length, k_w = _from_unit(X, low, high)
    log_ratio = np.log(r / r_w)
    resistance = 1 + 2 * length * t_u / (log_ratio * r_w**2 * k_w) + t_u / t_l
    return 2 * np.pi * t_u * (h_u - h_l) / (log_ratio * resistance)


def otl_circuit(X):
    """Voltage of a push-pull circuit, Ben-Ari & Steinberg (2007); the first six of [0, 1]^d."""
    low, high = [50, 25, 0.5, 1.2, 0.25, 50], [150, 70, 3, 2.5, 1.2, 300]
    r_b1, r_b2, r_f, r_c1, r_c2, beta = _from_unit(X[:, :6], low, high)
    gain = beta * (r_c2 + 9)
    return ((12 * r_b2 / (r_b1 + r_b2) + 0.74) * gain + 11.35 * r_f + 0.74 * r_f * gain / r_c1) / (
        gain + r_f
    )


def piston(X):
    """Cycle time of a piston, Kenett & Zacks (1998); the first seven inputs of [0, 1]^d."""
    low = [30, 0.005, 0.002, 1000, 90000, 290, 340]
    high = [60, 0.020, 0.010, 5000, 110000, 296, 360]
    mass, area, volume, spring, pressure, ambient, filling = _from_unit(X[:, :7], low, high)
    force = pressure * area + 19.62 * mass - spring * volume / area
    gas = pressure * volume * ambient / filling
    equilibrium = area / (2 * spring) * (np.sqrt(force**2 + 4 * spring * gas) - force)
    return 2 * np.pi * np.sqrt(mass / (spring + area**2 * gas / equilibrium**2))


def wing_weight(X):
    """Weight of a light aircraft's wing, Forrester et al. (2008); inputs scaled to [0, 1]^10."""
    low = [150, 220, 6, -10, 16, 0.5, 0.08, 2.5, 1700, 0.025]
    high = [200, 300, 10, 10, 45, 1, 0.18, 6, 2500, 0.08]
    area, fuel, aspect, sweep, q, taper, thickness, load, gross, paint = _from_unit(X, low, high)
    cosine = np.cos(np.deg2rad(sweep))
    return (
        0.036
        * area**0.758
        * fuel**0.0035
        * (aspect / cosine**2) ** 0.6
        * q**0.006
        * taper**0.04
        * (100 * thickness / cosine) ** -0.3
        * (load * gross) ** 0.49
        + area * paint
    )
