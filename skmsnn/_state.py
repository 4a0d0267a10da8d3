"""What an estimator takes over from the data, and from each stage as it is fitted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skmsnn._outside import faces_of
from skmsnn.extrapolation import Extrapolation

if TYPE_CHECKING:
    from skmsnn._cascade import Source
    from skmsnn._regressor import SpectrumInformedMSNNRegressor as Regressor
    from skmsnn.selection.stages import StageFit


def begin(model: Regressor, source: Source) -> int:
    """Take over what the source found of the data; number of stages that are continued."""
    model.domain_ = source.domain
    model._y_offset, model._y_scale = source.scaling
    model._n_points, model._levels = source.n_points, source.levels
    before = model.__dict__.pop("_resume", None)
    if model._continues:
        source.resume(before)
        return model.n_stages_
    model._faces = faces_of(source.domain, source.x)
    model._extrapolation = Extrapolation.of(model.extrapolation, model._faces)
    model._support, model._local_error = None, None
    model.stages_ = []
    model.n_iter_ = []
    model.loss_curves_ = []
    model.train_errors_ = []
    model.validation_errors_ = []
    model.stage_summaries_ = []
    model._in_gaps, model._seen_error, model._n_reported = 0.0, 0.0, 0
    return 0


def keep(model: Regressor, fit: StageFit, source: Source) -> None:
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
