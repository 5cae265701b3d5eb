"""From runs and bundles to what a translator consists of: one model, or an ensemble."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nmt import configfile
from nmt.checkpoints import Which
from nmt.config import DecodingConfig, TextInputConfig
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError
from nmt.inference.ensemble import LoadedEnsemble
from nmt.inference.predictor import LoadedModel
from nmt.inference.shortlist import Lexicon
from nmt.inference.splitting import TrainedOn
from nmt.model.build import outline
from nmt.run import Run
from nmt.trained import Trained, check_translates, opened
from nmt.trust import check_imports

Runs = str | Path | Run | Sequence[str | Path | Run]  # one, or those of an ensemble


def load(
    runs: Runs, *, checkpoint: Which | int, trust: bool, decoding: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the arguments of a `Translator`; see `Translator.load`.

    Settings, shortlist and the boundaries of words are those of the first run.
    """
    first, parts = _loaded(runs, checkpoint=checkpoint, trust=trust, decoding=decoding)
    if not isinstance(first.config.data.input, TextInputConfig):
        raise DataError(
            f"{first.path}: its sources are {first.config.data.input.kind} and not text, which "
            "`nmt translate`, `nmt evaluate` and `nmt plot` read, and nmt.Captioner in Python"
        )
    lexicon = Lexicon.of(first) if parts["config"].shortlist else None
    return {**parts, "lexicon": lexicon, "trained_on": TrainedOn.of(first.config)}


def aligner(
    runs: Runs, *, checkpoint: Which | int, trust: bool, decoding: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the arguments of an `Aligner`; see `Aligner.load`."""
    models = _opened(runs)
    if len(models) != 1:
        raise DataError("an aligner is one network, and no ensemble: give one run")
    if models[0].config.aligner is None:
        raise DataError(f"{models[0].path} is a network that translates; use nmt.Translator")
    return _parts(models, checkpoint=checkpoint, trust=trust, decoding=decoding)


def captioner(
    runs: Runs, *, checkpoint: Which | int, trust: bool, decoding: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns the arguments of a `Captioner`; see `Captioner.load`."""
    first, parts = _loaded(runs, checkpoint=checkpoint, trust=trust, decoding=decoding)
    if isinstance(first.config.data.input, TextInputConfig):
        raise DataError(f"{first.path}: its sources are text; use nmt.Translator")
    return {**parts, "input": first.config.data.input}


def _loaded(
    runs: Runs, *, checkpoint: Which | int, trust: bool, decoding: Mapping[str, Any]
) -> tuple[Trained, dict[str, Any]]:
    """Returns the first run, and the arguments that every kind of sources has."""
    models = _opened(runs)
    if not models:
        raise DataError("no run to load; give the path of a run folder, or of several")
    for each in models:
        check_translates(each)
    return models[0], _parts(models, checkpoint=checkpoint, trust=trust, decoding=decoding)


def _opened(runs: Runs) -> list[Trained]:
    several = [runs] if isinstance(runs, str | Path | Run) else runs
    return [opened(each.path if isinstance(each, Run) else each) for each in several]


def _parts(
    models: Sequence[Trained], *, checkpoint: Which | int, trust: bool, decoding: Mapping[str, Any]
) -> dict[str, Any]:
    """Returns what every kind of model consists of; settings are those of the first one."""
    for each in models:
        check_imports(each.path, each.config, trust=trust)
    first = models[0]
    tokenizers = first.tokenizers()
    for each in models[1:]:
        _check_fit(first, tokenizers, each)
    settings = _settings(models, decoding)
    loaded = tuple(_model(each, tokenizers, checkpoint) for each in models)
    return {
        "loaded": loaded[0] if len(loaded) == 1 else LoadedEnsemble(loaded),
        "tokenizers": tokenizers,
        "config": settings,
        "word_boundaries": first.config.data.word_boundaries,
    }


def _settings(models: Sequence[Trained], changes: Mapping[str, Any]) -> DecodingConfig:
    """Returns the settings of the first model, with changes.

    They are checked with the member whose attention can do most: a setting that does nothing with
    it would do nothing with any.
    """

    def abilities(each: Trained) -> tuple[bool, bool]:
        attention = each.config.model.attention
        return attention.samples, attention.has_weights

    able = max(models, key=abilities)
    config = able.config.model_copy(update={"decoding": models[0].config.decoding})
    return configfile.decoding(config, changes, where=str(able.path))


def _model(trained: Trained, tokenizers: Tokenizers, checkpoint: Which | int) -> LoadedModel:
    """Returns the model of a checkpoint."""
    graph, template = outline(trained.config, tokenizers)
    return LoadedModel(trained.params(checkpoint, template), graph)


def _check_fit(first: Trained, tokenizers: Tokenizers, other: Trained) -> None:
    """Checks that two runs read and write the same pieces in the same order."""
    if other.config.data.input.reading != first.config.data.input.reading:
        raise DataError(
            f"{other.path} reads other sources than {first.path} (data.input), so they cannot be "
            "an ensemble"
        )
    others = other.tokenizers()
    if others.reverse_target != tokenizers.reverse_target:
        names = {run.config.data.reverse_target: run.path for run in (first, other)}
        raise DataError(
            f"{names[True]} writes from right to left, and {names[False]} from left to right, so "
            "they cannot be an ensemble: translate with --n-best by one of them, and rescore its "
            "translations by both with `nmt rescore`"
        )
    differ = [
        side
        for side in ("source", "target")
        if getattr(others, side).fingerprint != getattr(tokenizers, side).fingerprint
    ]
    if differ:
        raise DataError(
            f"{other.path} has another {' and another '.join(differ)} vocabulary than "
            f"{first.path}, and the members of an ensemble share their pieces: train one with the "
            f"models in {first.path / 'tokenizer'}, or combine both with `nmt rescore`"
        )
