"""
Tides around an island, in xarray
=================================

Sea level on a grid of longitudes and latitudes, hour by hour, with an island where there is none.
:class:`skmsnn.xarray.XarrayRegressor` takes the ``DataArray`` as it is: coordinates are the
features, times are counted in hours, and missing values are holes of the grid. What it gives is a
function of any time and place, and its derivatives.

The usual tool is ``DataArray.interp``, of cubic splines along each axis, which needs a value
wherever one is missing.
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from skmsnn.xarray import XarrayRegressor

START = np.datetime64("2024-03-01T00:00")


def sea_level(hours, lon, lat):
    """Two tides, of half a day and of a day, that turn about points without a tide; in metres."""
    east, north = np.deg2rad(lon) * np.cos(np.deg2rad(54)), np.deg2rad(lat)
    half_day = np.exp(-3 * north) * np.cos(2 * np.pi * hours / 12.4206 - 40 * east + 15 * north)
    day = 0.3 * np.cos(2 * np.pi * hours / 23.9345 + 8 * east * north) * (1 + north**2)
    return 1.2 * half_day + day


# %%
# Two and a half days on 20 x 16 places, without those of the island.

times = START + np.arange(60) * np.timedelta64(1, "h")
lon, lat = np.linspace(0, 6, 20), np.linspace(52, 56, 16)
hours = xr.DataArray(np.arange(60.0), dims="time")
places = {"lon": xr.DataArray(lon, dims="lon"), "lat": xr.DataArray(lat, dims="lat")}
island = (places["lon"] - 3.4) ** 2 / 0.8 + (places["lat"] - 53.6) ** 2 / 0.3 < 1
level = sea_level(hours, **places).where(~island)
level = level.assign_coords(time=times, lon=lon, lat=lat).rename("level")
print(f"{level.sizes} of which {float(level.isnull().mean()):.0%} are missing")

model = XarrayRegressor(time_unit="h").fit(level)
print(f"left on unseen points: {model.regressor_.validation_errors_[-1]:.0e} of the spread")

# %%
# Every ten minutes, at places between those of the data. Splines need a value for the island: zero,
# which they feel beside it.

fine_hours = np.arange(0.0, 59.0, 1 / 6)
fine = {
    "time": START + (fine_hours * 3600).round().astype("timedelta64[s]"),
    "lon": [1.13, 4.9],
    "lat": [54.57],
}
found = model.predict(fine)
truth = sea_level(fine_hours[:, None, None], np.array(fine["lon"])[:, None], np.array(fine["lat"]))
truth = xr.DataArray(truth, coords=fine, dims=("time", "lon", "lat"))
by_splines = level.fillna(0).interp(**fine, method="cubic")
for name, values in {"skmsnn": found, "interp, cubic": by_splines}.items():
    error = np.abs(values.transpose(*truth.dims) - truth)
    print(f"{name:14s} largest error {float(error.max()):.0e} m")

# %%
# How fast the sea rises is a derivative, per hour.

rate = model.derivative(fine, {"time": 1})

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
at = 30
mesh = left.pcolormesh(lon, lat, level.isel(time=at).transpose("lat", "lon"), cmap="RdBu_r")
left.set(xlabel="longitude", ylabel="latitude", title=str(times[at])[:16], facecolor="0.6")
figure.colorbar(mesh, ax=left, label="sea level, m")
one = {"lon": 0, "lat": 0}
right.plot(fine["time"], found.isel(one), label="sea level, m")
right.plot(fine["time"], rate.isel(one), label="its rate, m per hour")
right.tick_params(axis="x", rotation=30)
right.legend()
plt.show()
