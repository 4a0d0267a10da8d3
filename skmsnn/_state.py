"""What an estimator takes over from the data, from each stage as it is fitted, and in the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from skmsnn._base import BaseMultistageRegressor
from skmsnn._outside import Outside
from skmsnn.model_function import FittedFunction

if TYPE_CHECKING:
    from skmsnn._cascade import Source
    from skmsnn.selection.stages import StageFit


def begin(model: BaseMultistageRegressor, source: Source) -> int:
    """Take over what the source found of the data; number of stages that are continued."""
    model.domain_ = source.domain
    model._n_points, model._levels = source.n_points, source.levels
    before = model.__dict__.pop("_resume", None)
    if model._continues:
        source.resume(before)
        return model.n_stages_
    outside = Outside.of_box(model.extrapolation, source.domain, source.x)
    kind = (model._flat_y, model._complex_y)
    model._fitted = FittedFunction(source.domain, (), *source.scaling, *kind, outside)
    model.stages_ = []
    model.n_iter_ = []
    model.loss_curves_ = []
    model.train_errors_ = []
    model.validation_errors_ = []
    model.stage_summaries_ = []
    model._in_gaps, model._seen_error, model._n_reported = 0.0, 0.0, 0
    return 0


def keep(model: BaseMultistageRegressor, fit: StageFit, source: Source) -> None:
    """Make a stage part of the model, in new lists: it is whole whenever it is interrupted."""
    unseen = [source.error] if source.asks_unseen else []
    model.__dict__.update(  # at once
        stages_=[*model.stages_, fit.stage],
        n_iter_=[*model.n_iter_, fit.n_iter],
        loss_curves_=[*model.loss_curves_, fit.loss_curve],
        train_errors_=[*model.train_errors_, source.norm],
        validation_errors_=[*model.validation_errors_, *unseen],
        stage_summaries_=[*model.stage_summaries_, f"{fit.stage.family}: {fit.message}"],
        _in_gaps=fit.in_gaps,
        _seen_error=source.error,
        _unseen=source.unseen(fit),
    )
    if model.warm_start:
        model._resume = source


def estimate_limits(model: BaseMultistageRegressor, source: Source) -> None:
    """Estimate local errors, limits of extrapolation and holes, after the last stage."""
    function, unseen = model._function, model.__dict__.pop("_unseen", None)
    if unseen is None and function.outside.local_error is not None:
        return  # a warm start that has added nothing
    reported = model.validation_errors_[-1] if model.validation_errors_ else None
    outside = Outside.of(model.extrapolation, function, source.x, reported, unseen)
    model._fitted = replace(function, outside=outside)
