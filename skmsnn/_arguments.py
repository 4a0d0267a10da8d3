"""Arguments of ``fit`` as data, and parameters as what each stage may be."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, validate_data

from skmsnn._arrays import as_numpy, as_real, is_complex
from skmsnn._base import BaseMultistageRegressor as Regressor
from skmsnn._cascade import Source
from skmsnn.equations.rows import listed
from skmsnn.equations.source import FAMILIES_OF_CONDITIONS, ConditionedSource
from skmsnn.extrapolation import EXTRAPOLATIONS
from skmsnn.families import FAMILIES
from skmsnn.modules.trained import ACTIVATIONS
from skmsnn.selection.options import StageOptions
from skmsnn.sources.arrays import ArraySource, Choices, Fitted
from skmsnn.sources.chunked import ChunkSource
from skmsnn.sources.chunks import ChunkedData, is_dask
from skmsnn.sources.rows import Rows, merge_duplicates
from skmsnn.sources.scales import chosen_scales, given_scales
from skmsnn.training.devices import training_device
from skmsnn.training.solvers import SERVED_BY, SOLVERS, SolverOptions
from skmsnn.validation.scaling import Scaling

_MAX_ITER = {"auto": 150, "gauss-newton": 200, "lbfgs": 2000, "adam": 5000}

#: What scikit-learn checks of each parameter.
PARAMETER_CONSTRAINTS: dict[str, list[Any]] = {
    "n_stages": [Interval(Integral, 1, None, closed="left")],
    "n_modes": [
        StrOptions({"auto"}),
        Interval(Integral, 1, None, closed="left"),
        "array-like",
    ],
    "p": [Interval(Real, 2, None, closed="left")],
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "init": [StrOptions({"spectrum", "scale-factor", "random-fourier", "xavier"})],
    "linear_readout": ["boolean"],
    "families": [StrOptions({"auto"}), "array-like"],
    "period": [
        StrOptions({"auto"}),
        None,
        Interval(Real, 0, None, closed="neither"),
        "array-like",
    ],
    "feature_transforms": [StrOptions({"auto", "linear", "log"}), "array-like"],
    "extrapolation": [StrOptions(set(EXTRAPOLATIONS))],
    "solver": [StrOptions({"auto", *SOLVERS})],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [None, Interval(Integral, 1, None, closed="left")],
    "max_time": [None, Interval(Real, 0, None, closed="neither")],
    "tol": [Interval(Real, 0, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "warm_start": ["boolean"],
    "device": [str],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}


def stage_options_of(model: Regressor) -> list[StageOptions]:
    """What each stage may be, from the parameters.

    Raises
    ------
    ValueError
        If parameters contradict each other; the message says which.
    """
    _check_options(model)
    hidden = _hidden_layer_sizes(model)
    families = _families(model)
    options = SolverOptions(
        p=float(model.p),
        max_iter=model.max_iter or _MAX_ITER[model.solver],
        learning_rate=model.learning_rate_init,
    )
    device = training_device(model.device)
    return [
        StageOptions(
            init=model.init,
            solver=model.solver,
            n_modes=n_modes,
            readout=model.linear_readout,
            hidden_layer_sizes=hidden,
            activation=model.activation,
            options=options,
            device=device,
            tol=float(model.tol),
            families=families,
            is_auto=isinstance(model.families, str),
        )
        for n_modes in _modes_of_stages(model)
    ]


def _check_options(model: Regressor) -> None:
    """Raise where a parameter was set that the solver has no use for."""
    defaults = type(model)().get_params()
    for name, solvers in SERVED_BY.items():
        value = getattr(model, name)
        if value != defaults[name] and model.solver not in solvers:
            raise ValueError(
                f"{name}={value!r} does nothing under solver={model.solver!r}; set solver to "
                f"{' or '.join(map(repr, solvers))}, or leave {name} at {defaults[name]!r}."
            )


def _modes_of_stages(model: Regressor) -> list[int | str]:
    n_modes: Any = model.n_modes
    if isinstance(n_modes, str):
        return [n_modes] * model.n_stages
    if isinstance(n_modes, Integral):
        return [int(n_modes)] * model.n_stages
    per_stage = list(n_modes)
    if len(per_stage) < model.n_stages:
        raise ValueError(
            f"n_modes gives {len(per_stage)} numbers for n_stages={model.n_stages}; give one for "
            "each stage, or one for all."
        )
    if any(not isinstance(n, Integral) or n < 1 for n in per_stage):
        raise ValueError(f"n_modes must be positive integers, got {n_modes!r}.")
    return [int(n) for n in per_stage[: model.n_stages]]


def _hidden_layer_sizes(model: Regressor) -> tuple[int, ...]:
    sizes: Any = model.hidden_layer_sizes
    hidden = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
    if any(not isinstance(n, Integral) or n < 1 for n in hidden):
        raise ValueError(f"hidden_layer_sizes must be positive integers, got {sizes!r}.")
    readout = model.linear_readout and model.init in ("spectrum", "random-fourier")
    if not hidden and not readout:
        raise ValueError(
            "hidden_layer_sizes is empty, so that nothing leads from the first layer to the "
            "output; give hidden layers, or linear_readout=True with init='spectrum' or "
            "'random-fourier'."
        )
    return tuple(int(n) for n in hidden)


def _families(model: Regressor) -> tuple[str, ...]:
    families: Any = model.families
    if isinstance(families, str):
        return tuple(FAMILIES)
    names = tuple(families)
    if not names or any(name not in FAMILIES for name in names):
        raise ValueError(
            f"families={families!r} must be 'auto' or name some of {', '.join(FAMILIES)}."
        )
    if not _are_chosen(model):
        raise ValueError(
            f"families={families!r}, but n_modes, init, solver or linear_readout say already "
            "what a stage is; leave them at their defaults, or families at 'auto'."
        )
    return names


def _are_chosen(model: Regressor) -> bool:
    """Whether unseen points decide what stages are."""
    is_default = isinstance(model.n_modes, str) and model.init == "spectrum"
    return is_default and model.solver == "auto" and bool(model.linear_readout)


def source_of(
    model: Regressor,
    X: Any,
    y: Any,
    weight: Any,
    validation: tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None],
    recipes: Sequence[StageOptions],
    rng: np.random.RandomState,
    conditions: Any = None,
) -> Source:
    """The data of a fit; sets what scikit-learn wants known of X and y.

    Parameters
    ----------
    model : SpectrumInformedMSNNRegressor
        Whose parameters hold.
    X, y, weight : array-like or dask array
        As ``fit`` has them.
    validation : tuple of array-like or None
        ``X_val, y_val, sample_weight_val``.
    recipes : sequence of StageOptions
        What each stage may be.
    rng : RandomState
        Source of all random numbers.
    conditions : sequence of Condition and Equation, default=None
        What holds besides.
    """
    is_adaptive = all(recipe.is_all_adaptive for recipe in recipes)
    choices = Choices(model.period, model.early_stopping, model.validation_fraction, is_adaptive)
    if conditions is not None:
        return _conditioned_source(model, X, y, weight, validation, choices, conditions, rng)
    if is_dask(X):
        return _chunk_source(model, X, y, weight, validation, choices, recipes, rng)
    continues = model._continues
    X, y, weight = _arrays(model, X, y, weight, reset=not continues)
    held_out = _validation_rows(model, validation, y.shape[1])
    if continues and model.n_stages < model.n_stages_:
        raise ValueError(
            f"n_stages={model.n_stages} is less than the {model.n_stages_} stages there are, and "
            "warm_start=True only adds to them; raise n_stages, or set warm_start=False."
        )
    fitted = None
    if continues:
        error = model._seen_error if model.validation_errors_ else 0.0
        scaling = Scaling(model._function.offset, model._function.scale)
        fitted = Fitted(model.domain_, scaling, model.stages_, error)
    logarithmic = _logarithmic(model, X, y, weight, choices, recipes[0])
    families = recipes[0].families
    source = ArraySource(X, y, weight, held_out, choices, fitted, families, rng, logarithmic)
    _check_modes(recipes, source.n_points)
    return source


def _conditioned_source(
    model: Regressor,
    X: Any,
    y: Any,
    weight: Any,
    validation: tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None],
    choices: Choices,
    conditions: Any,
    rng: np.random.RandomState,
) -> ConditionedSource:
    if is_dask(X):
        raise ValueError("Conditions go with arrays in memory, not with dask arrays; load them.")
    families = model.families
    names = FAMILIES_OF_CONDITIONS if isinstance(families, str) else tuple(families)
    if not set(names) & set(FAMILIES_OF_CONDITIONS):
        raise ValueError(
            f"families={families!r}: conditions are met by {' and '.join(FAMILIES_OF_CONDITIONS)} "
            "functions; name one of these, or leave families at 'auto'."
        )
    period: Any = None if isinstance(model.period, str) else model.period
    periods = period if isinstance(period, Sequence) else np.atleast_1d(period)
    if any(period is not None for period in periods) and "fourier" not in names:
        raise ValueError(
            f"families={families!r} have no period; name 'fourier', too, or leave period out."
        )
    if model.warm_start or model.p != 2 or not choices.is_adaptive or not model.early_stopping:
        raise ValueError(
            "Conditions are met by spectral stages of least squares, from the beginning, of a size "
            "that held-out rows decide; leave init, solver, n_modes, p, linear_readout, "
            "early_stopping and warm_start at their defaults."
        )
    if "log" in np.atleast_1d(model.feature_transforms).tolist():
        raise ValueError(
            "Conditions take derivatives along the features as they are; leave "
            "feature_transforms at its default."
        )
    if any(a is not None for a in validation):
        raise ValueError(
            "X_val and y_val have no conditions; leave them out: a share of X and of the points of "
            "conditions is held out."
        )
    X, y, weight = _arrays(model, X, y, weight, reset=True)
    kind = (model._flat_y, model._complex_y)
    return ConditionedSource(X, y, weight, listed(conditions), choices, *kind, rng)


def _logarithmic(
    model: Regressor,
    X: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64],
    choices: Choices,
    recipe: StageOptions,
) -> NDArray[np.bool_]:
    """Of which features the logarithm is taken."""
    none = np.zeros(X.shape[1], dtype=bool)
    if model._continues:
        kept = model.domain_.logarithmic
        return none if kept is None else kept
    given = given_scales(model.feature_transforms, X.shape[1])
    if given is not None:
        return given
    return chosen_scales(X, y, weight, choices, recipe) if choices.is_adaptive else none


def _chunk_source(
    model: Regressor,
    X: Any,
    y: Any,
    weight: Any,
    validation: tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None],
    choices: Choices,
    recipes: Sequence[StageOptions],
    rng: np.random.RandomState,
) -> ChunkSource:
    if model.warm_start or model.p != 2 or not choices.is_adaptive:
        raise ValueError(
            "Dask arrays are fitted by spectral stages of least squares alone, from the "
            "beginning; leave init, solver, n_modes, p, linear_readout and warm_start at "
            "their defaults."
        )
    if any(scale not in ("auto", "linear") for scale in np.ravel(model.feature_transforms)):
        raise ValueError(
            "Dask arrays are fitted on linear scales; leave feature_transforms at 'auto'."
        )
    if not {"fourier", "polynomial"} & set(recipes[0].families):
        raise ValueError(
            f"families={model.families!r} need arrays in memory; name 'fourier' or 'polynomial', "
            "or leave families at 'auto'."
        )
    data = ChunkedData(X, y, weight, seed=int(rng.randint(2**31 - 1)))
    model.n_features_in_, model.n_outputs_ = data.n_features, data.n_outputs
    model.__dict__.pop("feature_names_in_", None)
    model._flat_y, model._complex_y = data.y_ndim == 1, False
    held_out = _validation_rows(model, validation, data.n_outputs)
    return ChunkSource(data, held_out, choices, recipes[0], rng)


def _arrays(
    model: Regressor, X: Any, y: Any, weight: Any, reset: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    has_parts = is_complex(y)
    has_one = np.asarray(y).ndim == 1
    points, values = validate_data(
        model, X, as_real(y), dtype=np.float64, multi_output=True, y_numeric=True, reset=reset
    )
    X, y = cast(NDArray, points), np.asarray(values, dtype=np.float64)
    weight = _check_sample_weight(weight, X, dtype=np.float64, ensure_non_negative=True)
    n_outputs = 1 if y.ndim == 1 else y.shape[1]
    if has_parts:
        n_outputs //= 2
    if reset:
        model._flat_y, model.n_outputs_ = has_one, n_outputs
        model._complex_y = has_parts
    elif has_parts != model._complex_y:
        raise ValueError("warm_start=True goes on with y as it was, real or complex.")
    elif n_outputs != model.n_outputs_:
        raise ValueError(
            f"y has {n_outputs} outputs, but warm_start=True keeps stages that were fitted to "
            f"{model.n_outputs_}; set warm_start=False to begin anew."
        )
    return X, y.reshape(len(y), -1), weight


def _validation_rows(
    model: Regressor,
    validation: tuple[ArrayLike | None, ArrayLike | None, ArrayLike | None],
    n_outputs: int,
) -> Rows | None:
    X_val, y_val, weight_val = (as_numpy(a) for a in validation)
    if (X_val is None) != (y_val is None):
        raise ValueError("X_val and y_val go together: give both or neither.")
    if X_val is None:
        if weight_val is not None:
            raise ValueError("sample_weight_val needs X_val and y_val.")
        return None
    y_val = as_real(np.asarray(y_val, dtype=np.complex128)) if model._complex_y else y_val
    points, values = validate_data(
        model,
        X_val,
        y_val,
        dtype=np.float64,
        multi_output=True,
        y_numeric=True,
        reset=False,
    )
    X, y = cast(NDArray, points), np.asarray(values, dtype=np.float64)
    if y.size != len(X) * n_outputs:
        raise ValueError(f"y_val has shape {y.shape}, but y has {n_outputs} outputs.")
    weight = _check_sample_weight(weight_val, X, dtype=np.float64, ensure_non_negative=True)
    return merge_duplicates(X, y.reshape(len(y), n_outputs), weight, "sample_weight_val")


def _check_modes(recipes: Sequence[StageOptions], n_points: int) -> None:
    """Raise where a network is to have more modes than there are points."""
    trained = [r for r in recipes if not r.is_adaptive]
    most = max((r.n_modes for r in trained if isinstance(r.n_modes, int)), default=0)
    if most > n_points:
        raise ValueError(
            f"n_modes={most} is more than the {n_points} distinct points; give at most as many, "
            "or 'auto'."
        )
