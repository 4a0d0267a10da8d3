"""
A pipeline over decades, cross-validated
========================================

Planck's law spans fourteen decades between one micrometre and a millimetre, from three hundred
kelvin to six thousand. A fit to it as it is would be right to 1e-13 of the largest value, and say
nothing of all others. In logarithms of wavelength, temperature and radiance the function is
gentle: scikit-learn's ``FunctionTransformer`` and ``TransformedTargetRegressor`` take them, and
cross-validation judges.

The usual tools are a Gaussian process and a forest, in the same pipeline.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.constants import c, h, k
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skmsnn import SpectrumInformedMSNNRegressor


def log_radiance(wavelength, temperature):
    """Logarithm of Planck's law, in W / (m^2 sr m)."""
    x = h * c / (wavelength * k * temperature)
    return np.log(2 * h * c**2) - 5 * np.log(wavelength) - x - np.log(-np.expm1(-x))


# %%
# 500 random wavelengths and temperatures, even in their logarithms.

rng = np.random.default_rng(0)
X = np.exp(rng.uniform(np.log([1e-6, 300]), np.log([1e-3, 6000]), (500, 2)))
y = np.exp(log_radiance(*X.T))
print(f"values from {y.min():.0e} to {y.max():.0e}")


def over_decades(regressor):
    """Of logarithms, on both sides."""
    logs = make_pipeline(FunctionTransformer(np.log), StandardScaler(), regressor)
    return TransformedTargetRegressor(logs, func=np.log, inverse_func=np.exp)


# %%
# Relative errors of values that were left out. What is missing of all tools is at the edges, where
# a fold extrapolates.

regressors = {
    # without hidden layers, which would take half a minute a fold
    "skmsnn": SpectrumInformedMSNNRegressor(hidden_layer_sizes=(), random_state=0),
    "Gaussian process": GaussianProcessRegressor(RBF([1.0, 1.0]), normalize_y=True, alpha=1e-9),
    "extra trees": ExtraTreesRegressor(random_state=0),
}
folds = KFold(5, shuffle=True, random_state=0)
errors = {}
for name, regressor in regressors.items():
    left_out = cross_val_predict(over_decades(regressor), X, y, cv=folds)
    errors[name] = np.abs(left_out / y - 1)
    typical, worst = np.quantile(errors[name], [0.5, 0.99])
    print(f"{name:17s} median error {typical:.0e}, 99 % of them below {worst:.0e}")

# %%

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
drawn = left.scatter(*X.T, c=np.log10(y), s=6)
figure.colorbar(drawn, ax=left, label="decades of radiance")
left.set(xscale="log", yscale="log", xlabel="wavelength, m", ylabel="temperature, K")
for name, error in errors.items():
    share = np.arange(1, len(error) + 1) / len(error)
    right.plot(np.sort(np.maximum(error, 1e-16)), share, label=name)
right.set(xscale="log", xlabel="relative error, left out", ylabel="share below")
right.legend()
plt.show()
