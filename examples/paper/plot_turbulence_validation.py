"""
The turbulence behind the figures
=================================

What is known of two-dimensional flow, asked of the solver in ``skmsnn.datasets``: without viscosity
it keeps energy and enstrophy to the order of its time step, a Taylor-Green vortex decays at the
analytic rate, and the spectrum's tail tells how well a run is resolved.

    python -m examples.paper.plot_turbulence_validation --output pictures
"""

import matplotlib.pyplot as plt
import numpy as np

from examples.paper.common import options, save
from skmsnn.datasets import simulate_decaying_turbulence
from skmsnn.metrics import angle_averaged_power_spectrum, relative_l2_error

settings = options(__doc__)
sizes, steps = {
    "tiny": ((16, 32), (0.04, 0.02)),
    "quick": ((64, 128, 256), (0.02, 0.01, 0.005, 0.0025)),
    "full": ((128, 256, 512, 1024), (0.02, 0.01, 0.005, 0.0025)),
}[settings.size]

# %%
# Invariants of the inviscid flow. The scheme is of third order; the drift falls at least as fast.
print("| time step | drift of energy | order | drift of enstrophy | order |")
print("| --- | --- | --- | --- | --- |")
start = simulate_decaying_turbulence(sizes[0], viscosity=0.0, duration=0)
previous = None
for step in steps:
    end = simulate_decaying_turbulence(sizes[0], viscosity=0.0, duration=0.4, time_step=step)
    drift = np.array([abs(end.energy / start.energy - 1), abs(end.enstrophy / start.enstrophy - 1)])
    order = np.log2(previous / drift) if previous is not None else [np.nan, np.nan]
    print(f"| {step:g} | {drift[0]:.1e} | {order[0]:.1f} | {drift[1]:.1e} | {order[1]:.1f} |")
    previous = drift

# %%
# A Taylor-Green vortex has no net advection: its vorticity decays as exp(-2 viscosity time).
axis = 2 * np.pi * np.arange(sizes[0]) / sizes[0]
vortex = 2 * np.cos(axis)[:, None] * np.cos(axis)
decayed = simulate_decaying_turbulence(sizes[0], viscosity=0.05, duration=3.0, vorticity=vortex)
error = relative_l2_error(np.exp(-0.3) * vortex, decayed.on_grid("vorticity"))
print(f"\nTaylor-Green vortex after time 3, against the analytic solution: {error:.1e}")

# %%
# Resolution: power of the highest wave numbers over the strongest, and the same run on twice as
# many points a side. A fit to a snapshot is a fit to a trigonometric polynomial, resolved or not;
# what the tail tells is how far the polynomial is from the flow.
figure, ax = plt.subplots(figsize=(6.5, 4.8), layout="constrained")
print("\n| points a side | tail over peak, amplitude | change when doubled | energy | enstrophy |")
print("| --- | --- | --- | --- | --- |")
fresh = np.random.default_rng(0).uniform(0, 2 * np.pi, (2000, 2))
snapshots = {n: simulate_decaying_turbulence(n, random_state=settings.seed) for n in sizes}
for n, snapshot in snapshots.items():
    numbers, power = angle_averaged_power_spectrum(snapshot.on_grid(), n_bins=200)
    ax.loglog(numbers, np.maximum(power, 1e-34), label=f"{n} x {n}")
    cutoff = (n - 1) // 3
    tail = np.sqrt(power[numbers <= cutoff][-1] / power.max())
    change = "-"
    if 2 * n in snapshots:
        change = f"{relative_l2_error(snapshots[2 * n].at(fresh), snapshot.at(fresh)):.1e}"
    print(f"| {n} | {tail:.1e} | {change} | {snapshot.energy:.4f} | {snapshot.enstrophy:.3f} |")
ax.set_xlabel("wave number, cycles per domain")
ax.set_ylabel("mean power of a mode of the stream function")
ax.legend()
save(figure, settings.output, "turbulence_validation")
