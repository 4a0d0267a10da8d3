"""The estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, _fit_context
from sklearn.utils import Tags, check_random_state, estimator_html_repr
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from skmsnn._arrays import as_numpy, like
from skmsnn._callbacks import CallbackSupportMixin, StageCallbacks, with_callbacks
from skmsnn._cascade import Recipe, Residuals, Shares, StageFit, fit_stage
from skmsnn._chunks import ChunkedData, is_dask, map_rows
from skmsnn._diagnosis import FEW_POINTS, is_aliased, reason_of_limit
from skmsnn._domain import (
    Domain,
    Grid,
    check_periods,
    detect_periods,
    find_grid,
    fold_end_points,
)
from skmsnn._function import ModelFunction
from skmsnn._holdout import held_out_rows, points_beside, points_in_gaps
from skmsnn._html import stages_table
from skmsnn._levels import features_of_few_levels, left_between_levels
from skmsnn._network import ACTIVATIONS
from skmsnn._outofcore import ChunkedCascade, Summary
from skmsnn._progress import Progress
from skmsnn._reasons import StopReason
from skmsnn._restoring import restoring
from skmsnn._rounding import OF_ROUNDING, relative_rounding
from skmsnn._rows import Rows, canonical_rows
from skmsnn._solvers import SOLVERS, SolverOptions, threads_of_torch
from skmsnn._spectrum.axis_selection import confirmed_periods
from skmsnn._spectrum.candidates import is_one_long_axis
from skmsnn._spectrum.leave_out import NOTHING_BESIDE, weighted_rms
from skmsnn._spectrum.nufft import MOST_DIMENSIONS
from skmsnn._spectrum.selection import HeldOut
from skmsnn._spectrum.threads import one_blas_thread
from skmsnn._stage import (
    CascadeModule,
    Points,
    Stage,
    prediction_device,
    training_device,
    with_autograd,
)
from skmsnn._time_limit import time_is_up, time_limit
from skmsnn._warning import Outcome, warn_of

# relative residual at which the digits of y are used up
_ROUND_OFF = 1e-15
# below this a stage that does not help has met round-off, not the end of what the data say
_NEAR_ROUND_OFF = 1e-12
# share of the held-out error that a stage of the cascade's own choice may leave to be kept
_LEAST_GAIN = 0.8
# next to round-off held-out points show little: there a stage is also kept that leaves less than
# this share on all points, and no more on held-out ones
_REFINED = 0.7
_LEAST_POINTS_TO_HOLD_OUT = 20
# Of so many scattered points a share held out at random meets corners and edges, too. Fits that
# leave points out one by one reach less there: they need more damping to be judged.
_MANY_POINTS = 3000
# Points in one dimension of unequal weights, as of repeated values, through which a function is
# sought.
_MOST_ON_LINE = 1000
# Reasons that data have no say in.
_ENDED_FROM_OUTSIDE = (
    StopReason.INTERRUPTED,
    StopReason.CALLBACK,
    StopReason.MEMORY,
    StopReason.TIME,
)
_MAX_ITER = {"auto": 150, "gauss-newton": 200, "lbfgs": 2000, "adam": 5000}


class SpectrumInformedMSNNRegressor(
    CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator
):
    """Spectrum-informed multistage neural network regressor.

    Fits smooth, noise-free functions down to round-off, at points it was not trained on. Each
    stage fits the normalised residual of the stages before it and starts from the
    residual's own Fourier spectrum [1]_, [2]_. The prediction is the sum of the stages.

    By default a stage is the best spectral fit of its residual by least squares (a network of one
    layer, section 3.4 of [1]_); where that does not reach ``tol``, a network with hidden
    layers is trained by Gauss-Newton, and kept if it serves held-out points better. The recipe of
    the paper is ``solver="adam", p=10, spectral_readout=False, early_stopping=False`` with a
    number for ``n_modes``.

    Parameters
    ----------
    n_stages : int, default=4
        Most stages. Fewer are kept where a further one does not help.
    n_modes : "auto", int or sequence of int, default="auto"
        Fourier modes of a stage's first layer; a sequence gives one number a stage. Under "auto"
        unseen points decide what a stage is. With a number K a stage is the sum of up to K dominant
        modes of its residual, their wave vectors fitted by variable projection, fewer where these
        serve held-out points better; hidden layers are then added only where ``solver`` or
        another ``init`` is set.
    p : float, default=2.0
        Order of the loss ``(mean |u - t|^p)^(1/p)``, at least 2. The paper uses 10, against spikes
        in the residual. What a stage is made of is chosen under 2, which least squares solves
        exactly; its coefficients, or the weights of a network, are then those of least p-norm.
    hidden_layer_sizes : sequence of int, default=(30, 30, 30)
        Widths of the hidden layers of a network. Under ``solver="auto"`` they are at most as wide
        as leaves a value for each weight, and half as wide where hidden layers are the cascade's
        own choice, as in equal time the narrower network leaves less.
    activation : {"tanh", "sin", "gelu"}, default="tanh"
        Activation of the hidden layers.
    init : {"spectrum", "scale-factor", "random-fourier", "xavier"}, default="spectrum"
        Start of the first layer: the dominant modes of the residual (algorithm 1 of [1]_); cosines
        and sines of a Xavier layer times the dominant wave number [2]_; random Fourier
        features [3]_; or none, a plain multilayer perceptron.
    spectral_readout : bool, default=True
        Whether cosines and sines of the first layer are also added to the output linearly, for
        the inits "spectrum" and "random-fourier".
    period : "auto", None, float or sequence, default="auto"
        Period of the function in units of X: one for all features, or one a feature with None
        where it is not periodic. "auto" finds periods of points on a uniform grid, with or
        without holes, and takes other points as not periodic.
    solver : {"auto", "gauss-newton", "lbfgs", "adam"}, default="auto"
        How a stage is trained. "auto" is as described above; with another ``init`` it is
        Gauss-Newton.
    learning_rate_init : float, default=1e-3
        Initial rate of "adam", annealed to zero.
    max_iter : int, default=None
        Most iterations a stage; None is 150 for "auto", 200 for "gauss-newton", 2000 for "lbfgs"
        and 5000 for "adam".
    max_time : float, default=None
        Seconds after which nothing more is begun: the fit ends with the stages that it has, the
        first of which is then the best of what was tried until then. None sets no limit. What is
        under way is finished, which may take some seconds with tens of thousands of points.
    tol : float, default=1e-8
        Residual on unseen points, over the spread of y, that is good enough: below it no hidden
        layers are trained, above it the fit ends with a ``ConvergenceWarning``. Spectral stages go
        on to round-off all the same, as they cost little. The default is about the square root of
        round-off: half the digits.
    early_stopping : bool, default=True
        Whether a share of the points is held out to decide how many modes a stage has and whether
        it is kept. The points of that share join the last linear solve of their stage, where it
        has one: not under "lbfgs", "adam" or ``p`` above 2. Of fewer than 20 distinct points none
        is held out.
    validation_fraction : float, default=0.1
        The share that is held out.
    warm_start : bool, default=False
        Whether ``fit`` keeps the stages there are and adds those that ``n_stages`` has grown by.
    device : str, default="cpu"
        Torch device on which networks are trained and evaluated, as "cpu" or "cuda"; "auto" is
        CUDA where there is one. Spectral stages are solved on the CPU. A fitted model holds
        no tensors: where its device is missing, it predicts on the CPU, with a warning.
    verbose : int, default=0
        Whether progress is shown.
    random_state : int, RandomState instance or None, default=None
        Determines the held-out points and all random weights.

    Attributes
    ----------
    stages_ : list of Stage
        The fitted stages.
    n_stages_ : int
        Their number.
    n_iter_ : list of int
        Iterations of each stage; a linear solve counts as one.
    loss_curves_ : list of list of float
        Loss of each stage's normalised residual against iterations.
    residual_norms_ : list of float
        RMS of the residual on the training points after each stage, relative to the spread of y,
        its root mean square deviation from its mean.
    validation_norms_ : list of float
        The same on points that a fit has not seen; empty without any. Of spectral stages on a
        complete grid these are whole lines, left out in turn, of those on fewer than 3000
        scattered points single ones (leave-one-out residuals), and otherwise held-out points.
    stop_reasons_ : list of str
        How each stage ended.
    stop_reason_ : str
        Why there are no more stages. Above ``tol`` what the data lack, as far as that can be told
        from them: "precision" (y is rounded, to single precision or few decimals), "noise",
        "no pattern" (neighbouring points know nothing of each other), "few points", "few levels",
        "aliased" (on a grid y varies as fast as it can from node to node; also below ``tol``),
        "singular end", "discontinuous" (y is rough in a few places), or else "undersampled".
        Otherwise "round-off", "no gain", "n_stages", "time", "interrupted", "callback" or "memory".
    domain_ : Domain
        Scaling of the points and which axes are periodic.
    n_outputs_ : int
        Number of outputs.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, where X has them.

    References
    ----------
    .. [1] Ng, J., Wang, Y. and Lai, C.-Y. (2024). Spectrum-Informed Multistage Neural Networks:
       Multiscale Function Approximators of Machine Precision. ICML AI4Science workshop.
    .. [2] Wang, Y. and Lai, C.-Y. (2024). Multi-stage neural networks: function approximator of
       machine precision. Journal of Computational Physics 504, 112865.
    .. [3] Rahimi, A. and Recht, B. (2007). Random features for large-scale kernel machines.
       NeurIPS.

    Examples
    --------
    >>> import numpy as np
    >>> from skmsnn import SpectrumInformedMSNNRegressor
    >>> X = np.linspace(-1, 1, 200)[:, None]
    >>> model = SpectrumInformedMSNNRegressor(random_state=0).fit(X, np.exp(np.sin(5 * X[:, 0])))
    >>> bool(abs(model.predict([[0.1234]])[0] - np.exp(np.sin(5 * 0.1234))) < 1e-12)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
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
        "spectral_readout": ["boolean"],
        "period": [
            StrOptions({"auto"}),
            None,
            Interval(Real, 0, None, closed="neither"),
            "array-like",
        ],
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

    def __init__(
        self,
        *,
        n_stages: int = 4,
        n_modes: Literal["auto"] | int | Sequence[int] = "auto",
        p: float = 2.0,
        hidden_layer_sizes: int | Sequence[int] = (30, 30, 30),
        activation: str = "tanh",
        init: str = "spectrum",
        spectral_readout: bool = True,
        period: Literal["auto"] | float | Sequence[float | None] | None = "auto",
        solver: str = "auto",
        learning_rate_init: float = 1e-3,
        max_iter: int | None = None,
        max_time: float | None = None,
        tol: float = 1e-8,
        early_stopping: bool = True,
        validation_fraction: float = 0.1,
        warm_start: bool = False,
        device: str = "cpu",
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_stages = n_stages
        self.n_modes = n_modes
        self.p = p
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.init = init
        self.spectral_readout = spectral_readout
        self.period = period
        self.solver = solver
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.max_time = max_time
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.warm_start = warm_start
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> SpectrumInformedMSNNRegressor:
        """Fit the stages.

        Rows are put in canonical form first: those of weight zero, or below 5e-32 of the largest,
        are dropped, the rest sorted, and those at the same point merged. Weights so equal
        repetition, and the order of rows does not matter. Beyond some tens of thousands of
        scattered points, stages of many modes are fitted to a part of them, spread over all;
        residuals are those of all points.

        Dask arrays are not loaded: one pass over their chunks finds the scaling, and each stage
        is one more. Stages are then spectral only, ``period="auto"`` takes the points as not
        periodic, up to 5000 points are held out, which do not join the fit, and the order of
        rows and the chunks decide which these are.

        Parameters
        ----------
        X : array-like or dask array of shape (n_samples, n_features)
            Points.
        y : array-like or dask array of shape (n_samples,) or (n_samples, n_outputs)
            Values.
        sample_weight : array-like or dask array of shape (n_samples,), default=None
            Weights in the mean of the loss.
        X_val, y_val, sample_weight_val : array-like, default=None
            Points to hold out, in place of a share of X. They do not join the last solve.

        Returns
        -------
        SpectrumInformedMSNNRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter can't be used; the message says what to change.
        MemoryError
            If memory runs out before the first stage is fitted.

        Warns
        -----
        FewLevelsWarning, FewPointsWarning, WideGapsWarning
            If a feature has two to six levels, there are fewer than eight points, or scattered
            points leave wide gaps: nothing, or little, tells what y does there.
        AccuracyWarning
            If the residual on unseen points ends above ``tol``, or may be deceptive, as of waves
            beyond the Nyquist limit of a grid; or if memory runs out in a later stage, in which
            case the stages before it are the model. A ``ConvergenceWarning`` of scikit-learn;
            in a search each kind is told once.
        """
        X, y, sample_weight = as_numpy(X), as_numpy(y), as_numpy(sample_weight)
        X_val, y_val = as_numpy(X_val), as_numpy(y_val)
        sample_weight_val = as_numpy(sample_weight_val)
        before = dict(self.__dict__)
        fit = with_autograd(self._fit_chunks if is_dask(X) else self._fit)
        fit = restoring(threads_of_torch, one_blas_thread.now)(fit)
        try:
            with time_limit(self.max_time):
                fit(X, y, sample_weight, X_val, y_val, sample_weight_val)
        except BaseException:
            # whatever went wrong, a fitted model stays as it was
            self.__dict__ = before
            raise
        self._prepare()
        warn_of(self._outcome())
        return self

    @with_callbacks
    def _fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        X_val: ArrayLike | None,
        y_val: ArrayLike | None,
        sample_weight_val: ArrayLike | None,
    ) -> None:
        continues = self.warm_start and hasattr(self, "stages_")
        given = X, y
        X, y, sample_weight = self._validate(X, y, sample_weight, reset=not continues)
        validation = self._validate_validation(X_val, y_val, sample_weight_val, y)
        recipes = list(self._recipes())
        callbacks = StageCallbacks(self, *given)
        rng = check_random_state(self.random_state)

        rows, grid = self._set_domain(X, y, sample_weight, continues)
        _check_modes(recipes, len(rows.X))
        shares, residuals = self._share_out(rows, grid, validation, rng)
        if not continues:
            self._forget_stages()
        elif self.n_stages < self.n_stages_:
            raise ValueError(
                f"n_stages={self.n_stages} is less than the {self.n_stages_} stages there are, and "
                "warm_start=True only adds to them; raise n_stages, or set warm_start=False."
            )
        add_stages = partial(self._add_stages, recipes, shares, residuals, rng)
        self._fit_stages(add_stages, callbacks)
        judges_itself = self.early_stopping and validation is None
        # along axes of whole grids functions are chosen by what they do between the levels
        is_chosen_so = grid is not None and _is_whole(grid, rows.weight)
        is_chosen_so &= all(r.is_all_adaptive for r in recipes)
        asks_levels = judges_itself and not is_chosen_so
        self._report_what_fits_cannot_see(shares.x if asks_levels else None, rows.scatter)

    @with_callbacks
    def _fit_chunks(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: ArrayLike | None,
        y_val: ArrayLike | None,
        weight_val: ArrayLike | None,
    ) -> None:
        """Fit dask arrays: one pass over the chunks for the scaling, and one a stage."""
        recipes = list(self._recipes())
        is_plain = all(r.is_all_adaptive for r in recipes)
        if self.warm_start or self.p != 2 or not is_plain:
            raise ValueError(
                "Dask arrays are fitted by spectral stages of least squares alone, from the "
                "beginning; leave init, solver, n_modes, p, spectral_readout and warm_start at "
                "their defaults."
            )
        callbacks = StageCallbacks(self, X, y)
        rng = check_random_state(self.random_state)
        data = ChunkedData(X, y, sample_weight, seed=int(rng.randint(2**31 - 1)))
        summary = data.gather(Summary.of)
        if summary.n_points < _LEAST_POINTS_TO_HOLD_OUT:
            raise ValueError(
                f"Found {summary.n_points} samples of positive weight in dask arrays; at least "
                f"{_LEAST_POINTS_TO_HOLD_OUT} are needed. Fit so few as NumPy arrays."
            )
        self.n_features_in_, self.n_outputs_ = data.n_features, data.n_outputs
        self.__dict__.pop("feature_names_in_", None)
        self._flat_y = data.y_ndim == 1
        self._y_offset, self._y_scale = summary.y_offset, summary.y_scale
        box = np.stack([summary.low, summary.high])
        period = None if isinstance(self.period, str) else self.period
        periods = check_periods(period, box)
        self.domain_ = Domain.of(box, periods)
        self._n_points = summary.n_points
        self._levels = features_of_few_levels(summary.sample.X, self.domain_.periodic)
        no_targets = np.empty((0, data.n_outputs))
        validation = self._validate_validation(X_val, y_val, weight_val, no_targets)
        held = None
        if validation is not None:
            target = (validation.y - self._y_offset) / self._y_scale
            held = HeldOut(self.domain_.scale(validation.X), target, validation.weight)
        fraction = self.validation_fraction if self.early_stopping else 0.0
        cascade = ChunkedCascade(data, summary, self.domain_, fraction, held, rng)
        self._forget_stages()
        self._fit_stages(partial(self._add_chunked_stages, cascade), callbacks)
        asked = self.domain_.scale(summary.sample.X) if self.early_stopping and not held else None
        self._report_what_fits_cannot_see(asked, np.zeros(self.n_outputs_))

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points. Outside the box of the training points the model extrapolates, and is not to
            be trusted, except along periodic axes.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Values, in the shape of the y that was fitted. Of a dask array, a dask array of the
            same chunks of rows, which is not computed yet.
        """
        if is_dask(X):
            return self._map_chunks(type(self).predict, X)
        x = self._scaled(as_numpy(X))
        return like(self._values(x, self._function, self.stages_), X)

    def staged_predict(self, X: ArrayLike) -> Iterator[NDArray[np.float64]]:
        """Predict values by the first stage, the first two, and so on.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.

        Yields
        ------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Values after each stage.
        """
        x = self._scaled(as_numpy(X))
        for k in range(1, self.n_stages_ + 1):
            stages = self.stages_[:k]
            yield like(self._values(x, self._function_of(stages), stages), X)

    def _values(
        self, x: NDArray[np.float64], function: ModelFunction, stages: list[Stage]
    ) -> NDArray[np.float64]:
        """Of some stages at scaled points, in the shape and units of y."""
        device = "cpu" if self.device == "cpu" else prediction_device(self.device)
        if device == "cpu":
            return function.at_scaled(x)
        total = np.sum([stage.predict(x, device) for stage in stages], axis=0)
        values = self._y_offset + total * self._y_scale
        return values[:, 0] if self._flat_y else values

    def derivative(self, X: ArrayLike, nu: int | Sequence[int]) -> NDArray[np.float64]:
        """Differentiate the prediction.

        Spectral stages are differentiated mode by mode, trained networks by automatic
        differentiation. Each order costs digits: an error at wave number w, in radians per unit of
        X, grows by a factor w.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.
        nu : int or sequence of int
            Order of the derivative along each feature; 0 for the value itself. One number serves
            for one feature.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Derivatives with respect to X in its own units, in the shape of the y that was fitted.

        Raises
        ------
        ValueError
            If ``nu`` does not name one order, a non-negative integer, for each feature.
        """
        if is_dask(X):
            return self._map_chunks(type(self).derivative, X, nu)
        x = self._scaled(as_numpy(X))
        orders = self._orders(nu)
        return like(self._function.at_scaled(x, orders), X)

    def gradient(self, X: ArrayLike) -> NDArray[np.float64]:
        """First derivatives of the prediction along each feature.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points.

        Returns
        -------
        ndarray of shape (n_samples, n_features) or (n_samples, n_features, n_outputs)
            ``gradient[i, j]`` is the derivative at point i along feature j, in the units of y over
            those of X; with a last axis if the y that was fitted has two.
        """
        if is_dask(X):
            return self._map_chunks(type(self).gradient, X)
        x = self._scaled(as_numpy(X))
        return like(self._function.gradient_at_scaled(x), X)

    def laplacian(self, X: ArrayLike) -> NDArray[np.float64]:
        """Sum of the second derivatives of the prediction along all features.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Points, in units that all features share.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the shape of the y that was fitted.
        """
        if is_dask(X):
            return self._map_chunks(type(self).laplacian, X)
        check_is_fitted(self)
        second = (2 * np.eye(self.n_features_in_, dtype=int)).tolist()
        points = as_numpy(X)
        return like(np.sum([self.derivative(points, nu) for nu in second], axis=0), X)

    def to_module(self) -> CascadeModule:
        """Make one torch module of the fitted model, for use in other torch code.

        Returns
        -------
        torch.nn.Module
            In double precision, from raw X (n_samples, n_features) to raw y, in the shape of the y
            that was fitted. It agrees with ``predict`` to round-off and can be
            differentiated. Its weights are copies.
        """
        check_is_fitted(self)
        stages = [
            Stage(stage.scale * self._y_scale, stage.modes, stage.network) for stage in self.stages_
        ]
        domain = self.domain_
        return CascadeModule(
            domain.centre,
            domain.half_width,
            domain.periodic,
            stages,
            self._y_offset,
            self._flat_y,
        )

    def to_function(self) -> ModelFunction:
        """Make a plain function of the fitted model, for use in solvers and optimisers.

        Returns
        -------
        ModelFunction
            A callable without any checks, some microseconds a point: of points of shape
            (n_features,) or (n, n_features) as arrays of float, in the units of X. For one point it
            returns a float, or an array of shape (n_outputs,); ``gradient`` are its first
            derivatives. Networks are evaluated on the CPU.
        """
        check_is_fitted(self)
        return self._function

    @property
    def _function(self) -> ModelFunction:
        """The model, prepared once for the stages that there are."""
        prepared: ModelFunction | None = self.__dict__.get("_prepared")
        if prepared is None or not prepared.is_of(self.stages_, self.domain_):
            prepared = self._prepare()
        return prepared

    def _prepare(self) -> ModelFunction:
        self._prepared = self._function_of(self.stages_)
        return self._prepared

    def _function_of(self, stages: list[Stage]) -> ModelFunction:
        scaling = (self._y_offset, self._y_scale, self._flat_y)
        return ModelFunction(self.domain_, stages, *scaling)

    def _map_chunks(self, method: Callable[..., NDArray], X: Any, *arguments: Any) -> Any:
        """A dask array of what the method gives for each chunk of rows."""
        check_is_fitted(self)
        return map_rows(partial(_call, method, arguments), self, X)

    @property
    def n_stages_(self) -> int:
        """Number of fitted stages."""
        return len(self.stages_)

    def _scaled(self, X: ArrayLike) -> NDArray[np.float64]:
        check_is_fitted(self)
        points = validate_data(self, X, dtype=np.float64, reset=False)
        return self.domain_.scale(cast(NDArray, points))

    def _orders(self, nu: int | Sequence[int]) -> list[int]:
        orders = np.atleast_1d(np.asarray(nu))
        is_whole = np.issubdtype(orders.dtype, np.integer)
        if orders.shape != (self.n_features_in_,) or not is_whole or orders.min() < 0:
            raise ValueError(
                f"nu={nu!r} must give the order of the derivative, an integer of at least 0, for "
                f"each of the {self.n_features_in_} features."
            )
        return [int(n) for n in orders]

    def _html_repr(self) -> str:
        """Show the parameters, as scikit-learn does, and once fitted the stages."""
        parameters = estimator_html_repr(self)
        return parameters + stages_table(self) if self.__sklearn_is_fitted__() else parameters

    def __sklearn_is_fitted__(self) -> bool:
        return bool(getattr(self, "stages_", []))

    def _validate(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, reset: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        points, values = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, reset=reset
        )
        X, y = cast(NDArray, points), np.asarray(values, dtype=np.float64)
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if reset:
            self._flat_y, self.n_outputs_ = y.ndim == 1, n_outputs
        elif n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} outputs, but warm_start=True keeps stages that were fitted to "
                f"{self.n_outputs_}; set warm_start=False to begin anew."
            )
        return X, y.reshape(len(y), n_outputs), weight

    def _validate_validation(
        self,
        X_val: ArrayLike | None,
        y_val: ArrayLike | None,
        weight_val: ArrayLike | None,
        y: NDArray[np.float64],
    ) -> Rows | None:
        if (X_val is None) != (y_val is None):
            raise ValueError("X_val and y_val go together: give both or neither.")
        if X_val is None:
            if weight_val is not None:
                raise ValueError("sample_weight_val needs X_val and y_val.")
            return None
        points, values = validate_data(
            self, X_val, y_val, dtype=np.float64, multi_output=True, y_numeric=True, reset=False
        )
        X_val, y_val = cast(NDArray, points), np.asarray(values, dtype=np.float64)
        if y_val.size != len(X_val) * y.shape[1]:
            raise ValueError(f"y_val has shape {y_val.shape}, but y has {y.shape[1]} outputs.")
        weight = _check_sample_weight(weight_val, X_val, dtype=np.float64, ensure_non_negative=True)
        y_val = y_val.reshape(len(y_val), y.shape[1])
        return canonical_rows(X_val, y_val, weight, "sample_weight_val")

    def _recipes(self) -> Iterator[Recipe]:
        """What each stage is to be, one after the other."""
        n_modes: Any = self.n_modes
        if isinstance(n_modes, (str, Integral)):
            per_stage = [n_modes] * self.n_stages
        else:
            per_stage = list(n_modes)
            if len(per_stage) < self.n_stages:
                raise ValueError(
                    f"n_modes gives {len(per_stage)} numbers for n_stages={self.n_stages}; give "
                    "one for each stage, or one for all."
                )
            if any(not isinstance(n, Integral) or n < 1 for n in per_stage):
                raise ValueError(f"n_modes must be positive integers, got {n_modes!r}.")
        sizes: Any = self.hidden_layer_sizes
        hidden = (sizes,) if isinstance(sizes, Integral) else tuple(sizes)
        if any(not isinstance(n, Integral) or n < 1 for n in hidden):
            raise ValueError(f"hidden_layer_sizes must be positive integers, got {sizes!r}.")
        readout = self.spectral_readout and self.init in ("spectrum", "random-fourier")
        if not hidden and not readout:
            raise ValueError(
                "hidden_layer_sizes is empty, so that nothing leads from the first layer to the "
                "output; give hidden layers, or spectral_readout=True with init='spectrum' or "
                "'random-fourier'."
            )
        device = training_device(self.device)
        options = SolverOptions(
            p=float(self.p),
            max_iter=self.max_iter or _MAX_ITER[self.solver],
            learning_rate=self.learning_rate_init,
        )
        for n in per_stage[: self.n_stages]:
            yield Recipe(
                init=self.init,
                solver=self.solver,
                n_modes=n if isinstance(n, str) else int(n),
                readout=self.spectral_readout,
                hidden_layer_sizes=tuple(int(n) for n in hidden),
                activation=self.activation,
                options=options,
                device=device,
                tol=float(self.tol),
            )

    def _set_domain(
        self,
        X: NDArray[np.float64],
        y: NDArray[np.float64],
        weight: NDArray[np.float64],
        continues: bool,
    ) -> tuple[Rows, Grid | None]:
        """Canonical rows and the grid they lie on; sets the scaling of X and y."""
        periods: Sequence[float | None]
        if continues:
            periods = self.domain_.periods
        elif self.period == "auto":
            rows = canonical_rows(X, y, weight)
            grid = find_grid(rows.X)
            periods = [None] * X.shape[1]
            if grid is not None:
                periods = detect_periods(grid, rows.y)
                if _is_whole(grid, rows.weight):
                    periods = confirmed_periods(grid, rows.y, periods, check_random_state(0))
        else:
            periods = check_periods(self.period, X)
        rows = canonical_rows(fold_end_points(X, periods), y, weight)
        if not continues:
            self.domain_ = Domain.of(rows.X, periods)
            self._y_offset, self._y_scale = _mean_and_spread(rows)
        self._n_points = len(rows.X)
        self._levels = features_of_few_levels(rows.X, self.domain_.periodic)
        grid = find_grid(rows.X)
        if grid is not None and len(rows.X) < _LEAST_POINTS_TO_HOLD_OUT:
            # too few to hold some out: unless all lines are whole, they are as good as scattered
            grid = grid if _is_whole(grid, rows.weight) else None
        return rows, grid

    def _share_out(
        self,
        rows: Rows,
        grid: Grid | None,
        validation: Rows | None,
        rng: np.random.RandomState,
    ) -> tuple[Shares, Residuals]:
        """Hold out a share of the points; what the present stages leave is the first residual."""
        x, full = self.domain_.scale(rows.X), rows.weight
        target = (rows.y - self._y_offset) / self._y_scale
        train, held, judged = full, None, target
        if validation is not None:
            held = Points(self.domain_.scale(validation.X), validation.weight)
            judged = (validation.y - self._y_offset) / self._y_scale
        elif self.early_stopping and len(x) >= _LEAST_POINTS_TO_HOLD_OUT:
            chosen = held_out_rows(x, self.domain_.periodic, grid, self.validation_fraction, rng)
            train = full.copy()
            train[chosen] = 0
            held, judged = Points(x[chosen], full[chosen]), target[chosen]
        levels = {j: len(values) for j, values in self._levels.items()}
        levels |= dict.fromkeys(np.flatnonzero(np.ptp(x, axis=0) == 0), 1)
        leaves_out = self.early_stopping and validation is None
        if grid is not None:
            leaves_out &= _is_whole(grid, full) and not is_one_long_axis(self.domain_, grid)
        elif self.domain_.periodic.all() and x.shape[1] <= MOST_DIMENSIONS:
            leaves_out &= held is None
        else:
            leaves_out &= len(x) < _MANY_POINTS
        rounding = relative_rounding(rows.y, self._y_scale)
        beside, gaps = NOTHING_BESIDE, None
        if grid is None and leaves_out and len(x) >= FEW_POINTS:
            beside = points_beside(x, self.domain_.periodic, rng)
            gaps = points_in_gaps(x)
        line = None
        is_line = x.shape[1] == 1 and FEW_POINTS <= len(x) <= _MOST_ON_LINE
        if is_line and self.early_stopping and validation is None and not rows.scatter.any():
            line = find_grid(rows.X) if np.any(full != full[0]) else None
        points = (self.domain_, grid, x, train, full, held)
        shares = Shares(
            *points, levels, leaves_out, rounding=rounding, beside=beside, gaps=gaps, line=line
        )
        return shares, Residuals(target, target, judged)

    def _forget_stages(self) -> None:
        self.stages_: list[Stage] = []
        self.n_iter_: list[int] = []
        self.loss_curves_: list[list[float]] = []
        self.residual_norms_: list[float] = []
        self.validation_norms_: list[float] = []
        self.stop_reasons_: list[str] = []
        self._in_gaps = self._seen_error = 0.0

    def _fit_stages(
        self,
        add_stages: Callable[[Progress, StageCallbacks], StopReason],
        callbacks: StageCallbacks,
    ) -> None:
        """Fit each stage to what those before it leave, until one does not help."""
        with Progress(self.verbose, self.n_stages) as progress:
            try:
                self.stop_reason_ = add_stages(progress, callbacks).value
            except (KeyboardInterrupt, MemoryError) as error:
                if not self.stages_:
                    raise
                self.stop_reason_ = "memory" if isinstance(error, MemoryError) else "interrupted"
        callbacks.end_fit()

    def _add_stages(
        self,
        recipes: list[Recipe],
        shares: Shares,
        residuals: Residuals,
        rng: np.random.RandomState,
        progress: Progress,
        callbacks: StageCallbacks,
    ) -> StopReason:
        """Add stages one by one; returns why there are no more."""
        size = weighted_rms(residuals.full, shares.full) or 1.0
        values, (round_off, near_round_off) = residuals.full, self._round_off()

        def unless_deceptive(reason: StopReason, fit: StageFit) -> StopReason:
            """Where nothing is wanting, unless the points deceive."""
            is_deceptive = not fit.is_noise and is_aliased(shares.grid, values)
            return StopReason.ALIASED if is_deceptive else reason

        for stage in self.stages_:
            residuals = residuals.after(stage, stage, shares)
        error = weighted_rms(residuals.judged, shares.judges.weight)
        fit = self._resumed(shares)
        if self.stages_ and self.validation_norms_:
            error = max(error, self._seen_error)
        for recipe in recipes[self.n_stages_ :]:
            progress.begin(self.n_stages_ + 1)
            callbacks.begin_stage()
            fit = fit_stage(recipe, shares, residuals, fit, rng, progress.iterate)
            if fit.shares is not None:
                shares, residuals = fit.shares, residuals.asked_at(fit.shares)
            remaining = residuals.after(fit.train_stage, fit.stage, shares)
            norm = weighted_rms(remaining.full, shares.full)
            last_norm = weighted_rms(residuals.full, shares.full)
            share = _LEAST_GAIN if recipe.is_adaptive else 1.0
            if error <= near_round_off * size and norm < _REFINED * last_norm:
                share = 1.0
            helps = fit.error < share * error and norm < last_norm
            if self.stages_ and not helps:
                callbacks.end_stage()
                if error <= near_round_off * size:
                    return unless_deceptive(StopReason.ROUND_OFF, fit)
                if not recipe.is_adaptive:
                    return StopReason.NO_GAIN
                if error > self.tol * size:
                    return self._reason_of_limit(shares, values, error / size, fit.is_noise)
                return unless_deceptive(StopReason.NO_GAIN, fit)
            residuals, error = remaining, fit.error
            self._seen_error, self._in_gaps = error, fit.in_gaps / size
            has_held_out = shares.held_out is not None or fit.unseen is not None
            self._keep(fit, norm / size, error / size, has_held_out)
            if self.warm_start:
                self._resume = (shares, fit)
            progress.end(norm / size, error / size, fit.message)
            if callbacks.end_stage():
                return StopReason.CALLBACK
            if error <= round_off * size:
                return unless_deceptive(StopReason.ROUND_OFF, fit)
            if time_is_up():
                return StopReason.TIME
            if fit.is_noise and error > near_round_off * size:
                return self._reason_of_limit(shares, values, error / size, True)
        return StopReason.N_STAGES

    def _reason_of_limit(
        self, shares: Shares, values: NDArray[np.float64], error: float, is_noise: bool
    ) -> StopReason:
        problem = (shares.domain, shares.grid, shares.x, values)
        return reason_of_limit(*problem, error, is_noise, shares.levels, shares.rounding)

    def _report_what_fits_cannot_see(
        self, x: NDArray[np.float64] | None, scatter: NDArray[np.float64]
    ) -> None:
        """Report no less than what is open between levels, and than the scatter of repeated points.

        ``x`` are points at which to ask what is between the levels; None asks nothing.
        """
        noise = float(np.sqrt(np.mean((scatter / self._y_scale) ** 2)))
        open_between = [0.0] * self.n_stages_
        if x is not None and self.validation_norms_:
            open_between = [self._left_between_levels(x, k + 1) for k in range(self.n_stages_)]
        pairs = zip(self.validation_norms_, open_between, strict=False)
        self.validation_norms_ = [float(np.hypot(max(pair), noise)) for pair in pairs]
        self.residual_norms_ = [float(np.hypot(norm, noise)) for norm in self.residual_norms_]
        error = (self.validation_norms_ or self.residual_norms_)[-1]
        if self.stop_reason_ in _ENDED_FROM_OUTSIDE or error <= self.tol:
            return
        if noise > 0.5 * error:
            self.stop_reason_ = StopReason.NOISE.value
        elif open_between[-1] > 0.5 * error:
            self.stop_reason_ = StopReason.FEW_LEVELS.value

    def _left_between_levels(self, x: NDArray[np.float64], n_stages: int) -> float:
        """What is open between levels of the sum of some stages, relative to the spread of y."""
        levels = {
            j: (values - self.domain_.centre[j]) / self.domain_.half_width[j]
            for j, values in self._levels.items()
        }

        def model(x: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.sum([stage.predict(x) for stage in self.stages_[:n_stages]], axis=0)

        return left_between_levels(model, x, levels)

    def _round_off(self) -> tuple[float, float]:
        """Relative residuals at which the digits of y are used up, and next to which they are.

        Size of y over its spread: as many times its rounding is that of the deviations.
        """
        size = np.hypot(self._y_offset, self._y_scale) / self._y_scale
        round_off = _ROUND_OFF * float(size.max())
        return round_off, max(_NEAR_ROUND_OFF, OF_ROUNDING * round_off)

    def _resumed(self, shares: Shares) -> StageFit | None:
        """The fit of the last stage, which the next one refines, if it was of the same points."""
        before = self.__dict__.pop("_resume", None)
        if before is None or not self.stages_:
            return None
        before_shares, fit = before
        pairs = ((getattr(before_shares, a), getattr(shares, a)) for a in ("x", "full", "train"))
        return fit if all(np.array_equal(old, new) for old, new in pairs) else None

    def __getstate__(self) -> dict[str, Any]:
        state = dict(super().__getstate__())
        state.pop("_resume", None)  # factorisations, which take up to gigabytes
        state.pop("_prepared", None)
        return state

    def _add_chunked_stages(
        self, cascade: ChunkedCascade, progress: Progress, callbacks: StageCallbacks
    ) -> StopReason:
        """Add stages one by one, each with a pass over the data; returns why there are no more."""
        size, error = cascade.norm or 1.0, cascade.error
        round_off, near_round_off = self._round_off()
        for number in range(1, self.n_stages + 1):
            progress.begin(number)
            callbacks.begin_stage()
            fit = cascade.fit_stage()
            if self.stages_ and not fit.error < _LEAST_GAIN * error:
                callbacks.end_stage()
                if error <= near_round_off * size:
                    return StopReason.ROUND_OFF
                if error <= self.tol * size:
                    return StopReason.NO_GAIN
                return cascade.reason_of_limit(error / size, fit.is_noise)
            cascade.keep(fit)
            error = fit.error
            self._keep(fit, cascade.norm / size, error / size, cascade.has_held_out)
            progress.end(cascade.norm / size, error / size, fit.message)
            if callbacks.end_stage():
                return StopReason.CALLBACK
            if error <= round_off * size:
                return StopReason.ROUND_OFF
            if time_is_up():
                return StopReason.TIME
            if fit.is_noise and error > near_round_off * size:
                return cascade.reason_of_limit(error / size, is_noise=True)
        return StopReason.N_STAGES

    def _keep(self, fit: StageFit, norm: float, error: float, has_held_out: bool) -> None:
        # new lists, all at once: the model is whole whenever it is interrupted
        held_out = [error] if has_held_out else []
        self.__dict__.update(
            stages_=[*self.stages_, fit.stage],
            n_iter_=[*self.n_iter_, fit.n_iter],
            loss_curves_=[*self.loss_curves_, fit.loss_curve],
            residual_norms_=[*self.residual_norms_, norm],
            validation_norms_=[*self.validation_norms_, *held_out],
            stop_reasons_=[*self.stop_reasons_, fit.message],
        )

    def _outcome(self) -> Outcome:
        """What there is to be told of the fit."""
        names = getattr(self, "feature_names_in_", range(self.n_features_in_))
        return Outcome(
            self.stop_reason_,
            (self.validation_norms_ or self.residual_norms_)[-1],
            bool(self.validation_norms_),
            float(self.tol),
            self.n_stages_,
            self._n_points,
            self._is_constant,
            {str(names[j]): levels for j, levels in self._levels.items()},
            self._in_gaps,
        )

    @property
    def _is_constant(self) -> bool:
        """Whether the model has the same value everywhere, although y has not."""
        functions = [stage.modes for stage in self.stages_]
        return all(modes is not None and modes.n_terms == 1 for modes in functions)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = False
        return tags


def _check_modes(recipes: list[Recipe], n_points: int) -> None:
    """Raise where a network is to have more modes than there are points."""
    trained = [r for r in recipes if not r.is_adaptive]
    most = max((r.n_modes for r in trained if isinstance(r.n_modes, int)), default=0)
    if most > n_points:
        raise ValueError(
            f"n_modes={most} is more than the {n_points} distinct points; give at most as many, "
            "or 'auto'."
        )


def _call(
    method: Callable[..., NDArray],
    arguments: tuple[Any, ...],
    model: SpectrumInformedMSNNRegressor,
    X: NDArray[np.float64],
) -> NDArray[np.float64]:
    return method(model, X, *arguments)


def _is_whole(grid: Grid, weight: NDArray[np.float64]) -> bool:
    """Whether all cells of a grid have a point, and all points the same weight."""
    return grid.is_complete and bool(np.all(weight == weight[0]))


def _mean_and_spread(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean of each output, and root mean square of all deviations from it.

    Of an output that is constant but for rounding, its size; 1 where that is zero.
    """
    weight = rows.weight
    largest = np.abs(rows.y).max(axis=0)
    largest[largest == 0] = 1.0
    relative = rows.y / largest
    # from the first value on, so that the mean of a constant is that constant
    offset = relative[0] + np.average(relative - relative[0], axis=0, weights=weight)
    spread = np.sqrt(np.average((relative - offset) ** 2, axis=0, weights=weight))
    spread = np.hypot(spread, rows.scatter / largest)
    return largest * offset, largest * np.where(spread > 4 * np.finfo(float).eps, spread, 1.0)
