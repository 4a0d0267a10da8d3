"""The estimator."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import _fit_context
from sklearn.utils import check_random_state

from skmsnn._arguments import PARAMETER_CONSTRAINTS, source_of, stage_options_of
from skmsnn._arrays import as_numpy
from skmsnn._base import BaseMultistageRegressor
from skmsnn._callbacks import CallbackSupportMixin, StageCallbacks, with_callbacks
from skmsnn._cascade import add_stages
from skmsnn._progress import Progress
from skmsnn._report import report_what_fits_cannot_see
from skmsnn._restoring import restoring
from skmsnn._state import begin, estimate_limits, keep
from skmsnn._time_limit import is_interrupted, limit, limits
from skmsnn._warning import warn_of_fit
from skmsnn.linalg.threads import one_blas_thread
from skmsnn.modules.autograd import with_autograd
from skmsnn.selection.trace import Trace
from skmsnn.training.solvers import threads_of_torch


class SpectrumInformedMSNNRegressor(CallbackSupportMixin, BaseMultistageRegressor):
    """Spectrum-informed multistage neural network regressor.

    Fits smooth, noise-free functions down to round-off, at points it was not trained on. Each
    stage fits the normalised residual of the stages before it and starts from the
    residual's own Fourier spectrum [1]_, [2]_. The prediction is the sum of the stages.

    By default a stage is the best spectral fit of its residual by least squares (a network of one
    layer, section 3.4 of [1]_); where the error stays above ``max(tol, 3e-6)``, in two and more
    dimensions, a network with hidden layers is trained by Gauss-Newton, and kept if its validation
    error is lower. The recipe of the paper is ``solver="adam", p=10, linear_readout=False,
    early_stopping=False`` with a number for ``n_modes``.

    Parameters
    ----------
    n_stages : int, default=4
        Most stages. Fewer are kept where a further one does not help.
    n_modes : "auto", int or sequence of int, default="auto"
        Fourier modes of a stage's first layer; a sequence gives one number a stage. Under "auto"
        validation decides what a stage is. With a number K a stage is the sum of up to K dominant
        modes of its residual, their wave vectors fitted by variable projection, fewer if the
        validation error is lower; hidden layers need ``solver`` or another ``init``.
    p : float, default=2.0
        Order of the loss ``(mean |u - t|^p)^(1/p)``, at least 2. The paper uses 10, against spikes
        in the residual. Models are always selected with p=2; the coefficients of the selected
        model are then refitted to minimise the p-norm. Smoothing splines support p=2 only.
    hidden_layer_sizes : sequence of int, default=(30, 30, 30)
        Widths of the hidden layers of a network. Under ``solver="auto"`` they are reduced so that
        there are no more weights than values, and halved when the network is added automatically.
    activation : {"tanh", "sin", "gelu"}, default="tanh"
        Activation of the hidden layers.
    init : {"spectrum", "scale-factor", "random-fourier", "xavier"}, default="spectrum"
        Start of the first layer: the dominant modes of the residual (algorithm 1 of [1]_); cosines
        and sines of a Xavier layer times the dominant wave number [2]_; random Fourier
        features [3]_; or none, a plain multilayer perceptron.
    linear_readout : bool, default=True
        Whether cosines and sines of the first layer are also added to the output linearly, for
        the inits "spectrum" and "random-fourier".
    families : "auto" or sequence of str, default="auto"
        Families that compete for a stage: "polynomial", "spline", "fourier", "rational",
        "separable" (sums of products), "kernel" (Gaussian processes), "sinusoids" (a few waves of
        fitted wave vectors), "network" and "interpolant". The validation error decides. "auto" is
        all of them, for as many operations as the missing digits of so many rows are worth; one
        that is named has some 16 seconds. A ValueError says why if none of those named can be
        fitted.
    period : "auto", None, float or sequence, default="auto"
        Period of the function in units of X: a scalar for all features, or one value per feature
        (None: not periodic). "auto" finds periods of points on a uniform grid, with or without
        holes, if y has little noise, and takes other points as not periodic.
    feature_transforms : {"auto", "linear", "log"} or sequence of str, default="auto"
        Whether a stage is a function of a feature or of its logarithm: one for all, or "linear" or
        "log" for each. "auto" decides it for positive features that span a decade, by fits to some
        points. Below the smallest training value the logarithm is continued linearly.
    extrapolation : {"auto", "continue", "linear", "constant", "nan", "error"}, default="auto"
        What predictions, derivatives and integrals are outside the box of the training points:
        the fit itself ("continue"), its tangent or its value at the nearest point of the box
        ("linear", "constant"), nan, or a ValueError. Under "auto" the fit continues as far as its
        validation error and the degrees that it resolves show that this is much better than a
        constant, and is constant from there. Another value takes effect at the next ``fit``.
    solver : {"auto", "gauss-newton", "lbfgs", "adam"}, default="auto"
        How a stage is trained. "auto" is as described above; with another ``init`` it is
        Gauss-Newton.
    learning_rate_init : float, default=1e-3
        Initial rate of "adam", annealed to zero. An error under other solvers.
    max_iter : int, default=None
        Most iterations a stage; None is 150 for "auto", 200 for "gauss-newton", 2000 for "lbfgs"
        and 5000 for "adam".
    max_time : float, default=None
        Seconds after which, as after Ctrl-C, nothing more is begun: the fit ends with the best
        candidate so far. What is under way is finished, which may take some seconds.
    tol : float, default=1e-8
        Residual on unseen points, over the spread of y, that is good enough: below it no hidden
        layers are trained, above it the fit ends with a ``ConvergenceWarning``. Spectral stages go
        on to round-off all the same, as they cost little.
    early_stopping : bool, default=True
        Whether a share of the points is held out to decide how many modes a stage has and whether
        it is kept. These points join the last linear solve of their stage, where it has one: not
        under "lbfgs", "adam" or ``p`` above 2. With fewer than 20 distinct points none is held out.
    validation_fraction : float, default=0.1
        The share that is held out, and the size of a fold of cross-validation.
    warm_start : bool, default=False
        Whether ``fit`` keeps the stages there are and adds those that ``n_stages`` has grown by.
    device : str, default="cpu"
        Torch device of networks, as "cpu" or "cuda"; "auto" is CUDA where there is one. If it is
        unavailable at prediction time, the CPU is used and a warning issued.
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
        Loss of each stage's residual by iteration.
    train_errors_ : list of float
        RMS of the residual on the training points after each stage, relative to the spread of y,
        its root mean square deviation from its mean.
    validation_errors_ : list of float
        The same on points that a fit has not seen: on complete grids whole lines left out in turn,
        of fewer than 3000 scattered points single ones, and otherwise held-out points; with
        conditions the largest residual of one, over the size of its terms.
    stage_summaries_ : list of str
        How each stage ended.
    stop_reason_ : str
        Why there are no more stages. If the error is above ``tol``, the most likely limitation of
        the data: "precision" (y is rounded, to single precision or few decimals), "noise",
        "uncorrelated" (neighbouring values are), "few points", "few levels",
        "aliased" (on a grid y varies as fast as it can from node to node; also below ``tol``),
        "boundary singularity", "discontinuous" (y is rough in a few places), "inconsistent
        conditions" (not met together), "newton not converged", "underdetermined", or else
        "undersampled". Otherwise "round-off", "converged", "n_stages", "time", "interrupted",
        "callback" or "memory".
    condition_residuals_ : dict from str to float
        What is left in the end of the values and of each condition, as in ``validation_errors_``.
    contradictions_ : str
        Which conditions contradict the others and how, where the fit has found that out.
    search_results_ : dict of ndarrays
        Every candidate that was scored, in the style of ``cv_results_``: ``stage``, ``family``,
        ``label``, ``n_terms``, ``operations``, ``seconds``, ``validation_error``,
        ``standard_error``, ``train_error``, ``status`` and ``reason``; see docs/selection.rst.
    domain_ : Domain
        Scaling of the points and which axes are periodic.
    feature_importances_ : ndarray of shape (n_features,)
        Total Sobol' indices of the features, uniform in the box of the training points.
    n_outputs_, n_features_in_ : int
        Numbers of outputs and of features.
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

    _shown_names: list[str]  # of features, where the command line has read them
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = PARAMETER_CONSTRAINTS

    def __init__(
        self,
        *,
        n_stages: int = 4,
        n_modes: Literal["auto"] | int | Sequence[int] = "auto",
        p: float = 2.0,
        hidden_layer_sizes: int | Sequence[int] = (30, 30, 30),
        activation: str = "tanh",
        init: str = "spectrum",
        linear_readout: bool = True,
        families: Literal["auto"] | Sequence[str] = "auto",
        period: Literal["auto"] | float | Sequence[float | None] | None = "auto",
        feature_transforms: str | Sequence[str] = "auto",
        extrapolation: str = "auto",
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
        self.linear_readout = linear_readout
        self.families = families
        self.period = period
        self.feature_transforms = feature_transforms
        self.extrapolation = extrapolation
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
        conditions: Sequence[Any] | None = None,
    ) -> SpectrumInformedMSNNRegressor:
        """Fit the stages.

        Rows are put in canonical form first: those of weight zero, or below 5e-32 of the largest,
        are dropped, the rest sorted, and those at the same point merged. Integer weights are
        therefore equivalent to repeated rows, and row order does not matter. Beyond some tens of
        thousands of scattered points, stages of many modes are fitted to a part of them.

        Dask arrays are not loaded: one pass over their chunks finds the scaling, and each stage
        is one more. Stages are then spectral only, ``period="auto"`` takes the points as not
        periodic, up to 5000 points are held out, which do not join the fit, and the order of
        rows and the chunks decide which these are.

        Parameters
        ----------
        X : array-like, sparse matrix or dask array of shape (n_samples, n_features)
            Points. Sparse ones are made dense, up to scikit-learn's ``working_memory``.
        y : array-like or dask array of shape (n_samples,) or (n_samples, n_outputs)
            Values. Complex ones are fitted as two outputs, real and imaginary part.
        sample_weight : array-like or dask array of shape (n_samples,), default=None
            Weights in the mean of the loss.
        X_val, y_val, sample_weight_val : array-like, default=None
            Points to hold out, in place of a share of X. They do not join the last solve.
        conditions : sequence of Condition and Equation of ``skmsnn.conditions``, default=None
            Differential equations and derivatives that hold besides.

        Returns
        -------
        SpectrumInformedMSNNRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If the data or a parameter can't be used; the message says what to change.

        Warns
        -----
        FewLevelsWarning, FewPointsWarning, WideGapsWarning
            If a feature has two to seven levels, there are fewer than eight points, or scattered
            points leave wide gaps.
        AccuracyWarning
            If the residual on unseen points ends above ``tol``, or may be deceptive, as of waves
            beyond the Nyquist limit of a grid; or if memory runs out in a later stage, in which
            case the stages before it are the model. A ``ConvergenceWarning`` of scikit-learn.
        """
        given = *map(as_numpy, (X, y, sample_weight)), (X_val, y_val, sample_weight_val), conditions
        fit = restoring(threads_of_torch, one_blas_thread.now, limits)(with_autograd(self._fit))
        before = dict(self.__dict__)
        try:
            fit(*given)
        except BaseException:
            # whatever went wrong, a fitted model stays as it was
            self.__dict__ = before
            raise
        warn_of_fit(self)
        return self

    @with_callbacks
    @one_blas_thread
    def _fit(self, X: Any, y: Any, weight: Any, validation: Any, conditions: Any) -> None:
        limit(self.max_time)
        recipes = stage_options_of(self)
        rng = check_random_state(self.random_state)
        callbacks = StageCallbacks(self, X, y)
        source = source_of(self, X, y, weight, validation, recipes, rng, conditions)
        n_stages = begin(self, source)
        trace = Trace.of(self.__dict__.get("search_results_") if self._continues else None)
        with Progress(self.verbose, self.n_stages, trace.to_dict) as progress:
            try:
                # normalise, choose, subtract: section 3 of the paper
                listeners = (partial(keep, self), progress, callbacks)
                tol = float(self.tol)
                reason = add_stages(source, recipes, n_stages, tol, trace, *listeners)
                self.stop_reason_ = "interrupted" if is_interrupted() else reason.value
            except (KeyboardInterrupt, MemoryError) as error:
                is_second = isinstance(error, KeyboardInterrupt) and is_interrupted()
                if is_second or not self.stages_:
                    raise
                self.stop_reason_ = "memory" if isinstance(error, MemoryError) else "interrupted"
        self.search_results_ = trace.to_dict()
        callbacks.end_fit()
        report_what_fits_cannot_see(self, source)
        estimate_limits(self, source)
