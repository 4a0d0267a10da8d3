"""Fields of xarray in and out."""

import pickle

import numpy as np
import pandas as pd
import pytest

from skmsnn import SpectrumInformedMSNNRegressor
from skmsnn.exceptions import ExtrapolationWarning

xr = pytest.importorskip("xarray")
XarrayRegressor = pytest.importorskip("skmsnn.xarray").XarrayRegressor


def grid(**axes):
    return xr.Dataset(coords=axes)


@pytest.fixture
def field():
    at = grid(x=np.linspace(-1, 1, 30), y=np.linspace(0, 3, 35))
    values = np.exp(at.x) * np.sin(at.y)
    return values.rename("u").assign_attrs(units="K")


def test_a_field_in_and_out(field):
    finer = grid(y=np.linspace(0.1, 2.9, 7), x=[-0.5, 0.25])
    found = XarrayRegressor().fit(field).predict(finer)
    assert isinstance(found, xr.DataArray)
    assert found.name == "u"
    assert found.attrs == {"units": "K"}
    xr.testing.assert_allclose(found, np.exp(finer.x) * np.sin(finer.y), rtol=0, atol=1e-12)


def test_several_variables_and_derivatives(field):
    data = xr.Dataset({"u": field, "v": field.y**2 + 0 * field.x}).transpose("y", "x")
    model = XarrayRegressor().fit(data)
    at = {"x": [0.3, 0.7], "y": [1.0, 2.0]}
    found = model.predict(at)
    assert set(found.data_vars) == {"u", "v"}
    xr.testing.assert_allclose(found.v, found.y**2 + 0 * found.x, rtol=0, atol=1e-11)
    slope = model.derivative(at, {"y": 1})
    expected = (np.exp(slope.x) * np.cos(slope.y)).transpose(*slope.u.dims)
    xr.testing.assert_allclose(slope.u, expected, rtol=0, atol=1e-9)
    assert slope.v.dims == ("y", "x")
    xr.testing.assert_allclose(slope.v, 2 * slope.y + 0 * slope.x, rtol=0, atol=1e-9)
    with pytest.raises(ValueError, match="'z' is not a feature"):
        model.derivative(at, {"z": 1})


def test_times_are_counted_in_a_unit(field):
    time = pd.date_range("2024-01-01", periods=97, freq="h")
    hours = np.arange(97.0)
    data = xr.DataArray(np.cos(hours / 10), coords={"time": time}, dims="time")
    model = XarrayRegressor(time_unit="h").fit(data)
    assert model.time_origins_ == {"time": np.datetime64("2024-01-01")}
    at = {"time": pd.to_datetime(["2024-01-02T03:30", "2024-01-04T00:00"])}
    found = model.predict(at)
    np.testing.assert_allclose(found, np.cos([2.75, 7.2]), rtol=0, atol=1e-11)
    np.testing.assert_array_equal(found.time, at["time"])
    slope = model.derivative(at, {"time": 1})
    np.testing.assert_allclose(slope, -np.sin([2.75, 7.2]) / 10, rtol=0, atol=1e-9)
    days = XarrayRegressor(time_unit="D").fit(data).derivative(at, {"time": 1})
    np.testing.assert_allclose(days, 24 * slope, rtol=1e-9)
    with pytest.raises(ValueError, match="times were fitted"):
        model.predict({"time": [1.0, 2.0]})


def test_durations_too():
    lead = pd.to_timedelta(np.arange(60), unit="min")
    data = xr.DataArray(np.arange(60.0) ** 2, coords={"lead": lead}, dims="lead")
    found = XarrayRegressor(time_unit="m").fit(data).predict({"lead": [pd.Timedelta("90s")]})
    assert found.item() == pytest.approx(2.25, abs=1e-9)


def test_missing_values_are_holes(field):
    masked = field.where((field.x - 0.1) ** 2 + (field.y - 1.5) ** 2 > 0.05)
    assert masked.isnull().any()
    found = XarrayRegressor().fit(masked).predict({"x": [-0.5], "y": [2.0]})
    assert found.item() == pytest.approx(np.exp(-0.5) * np.sin(2.0), abs=1e-9)
    with pytest.raises(ValueError, match="All values are missing"):
        XarrayRegressor().fit(field * np.nan)


def test_coordinates_that_share_dimensions(rng):
    lon, lat = rng.uniform(-1, 1, (2, 800))
    data = xr.DataArray(lon * lat, coords={"lon": ("s", lon), "lat": ("s", lat)}, dims="s")
    model = XarrayRegressor(features=["lon", "lat"]).fit(data)
    on_grid = model.predict({"lon": [0.5, -0.5], "lat": [0.1, 0.2, 0.3]})
    assert on_grid.dims == ("lon", "lat")
    xr.testing.assert_allclose(on_grid, on_grid.lon * on_grid.lat, rtol=0, atol=1e-12)
    listed = model.predict(data[:5])
    assert listed.dims == ("s",)
    np.testing.assert_allclose(listed, data[:5], rtol=0, atol=1e-12)


def test_periods_by_name(rng):
    lon, lat = np.arange(0, 360, 10.0), np.linspace(-60, 60, 20)
    at = grid(lon=lon, lat=lat)
    field = np.cos(np.deg2rad(3 * at.lon)) * at.lat
    model = XarrayRegressor(SpectrumInformedMSNNRegressor(random_state=1), period={"lon": 360})
    model.fit(field)
    assert model.regressor_.domain_.periods == [360, None]
    assert model.regressor_.random_state == 1
    found = model.predict({"lon": [365.0], "lat": [30.0]})
    assert found.item() == pytest.approx(30 * np.cos(np.deg2rad(15)), abs=1e-10)
    with pytest.raises(ValueError, match="period names"):
        XarrayRegressor(period={"longitude": 360}).fit(field)


def test_standard_deviations_and_pickles(field, rng):
    noisy = field + 0.01 * rng.standard_normal(field.shape)
    model = pickle.loads(pickle.dumps(XarrayRegressor().fit(noisy)))
    values, std = model.predict(field, return_std=True)
    assert values.dims == std.dims == field.dims
    assert 0.008 < float(std.median()) < 0.03  # lines left out make it too large


def test_what_cannot_be_fitted_is_told(field):
    with pytest.raises(ValueError, match=r"no coordinates \['y'\]"):
        XarrayRegressor().fit(field.drop_vars("y"))
    with pytest.raises(ValueError, match="time_unit"):
        XarrayRegressor(time_unit="year").fit(field)
    with pytest.raises(ValueError, match="type"):
        XarrayRegressor().fit(field.assign_coords(y=[f"{i}" for i in range(35)]))
    with pytest.raises(ValueError, match="no coordinates"):
        XarrayRegressor().fit(field).predict({"x": [0.0]})
    with pytest.raises(ValueError, match="'z' is not a feature"):
        XarrayRegressor().fit(field).predict({"x": [0.0], "y": [0.0], "z": [0.0]})


def test_outside_the_field_its_nearest_values(field):
    regressor = SpectrumInformedMSNNRegressor(random_state=0, extrapolation="constant")
    model = XarrayRegressor(regressor).fit(field)
    with pytest.warns(ExtrapolationWarning) as caught:
        found = model.predict({"x": [0.5, 2.0], "y": [1.0, 2.0]})
    assert (caught[0].message.n_outside, caught[0].message.n_points) == (2, 4)
    expected = np.exp([[0.5], [1.0]]) * np.sin([1.0, 2.0])
    np.testing.assert_allclose(found, expected, atol=1e-11)
