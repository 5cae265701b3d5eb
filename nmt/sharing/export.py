"""From a run to a bundle: a new folder, which is there when it is whole, and not before."""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import jax

from nmt import plotting
from nmt.bundle import Bundle, is_bundle
from nmt.checkpoints import Saved, Which
from nmt.config import CorpusConfig, TextInputConfig
from nmt.config.storage import DType
from nmt.data import corpora
from nmt.errors import DataError, RunError
from nmt.evaluation import bleu_tokenizers, metrics
from nmt.evaluation.metrics import MetricScore
from nmt.hub import PICTURE
from nmt.inference.captioner import Captioner
from nmt.inference.shortlist import FILE as SHORTLIST
from nmt.inference.shortlist import Lexicon
from nmt.inference.translator import Translator
from nmt.model.build import outline
from nmt.run import Run
from nmt.sharing import card, cleaned
from nmt.sharing.card import Facts, Given, Scored
from nmt.sharing.history import training_time
from nmt.trained import check_translates

PIECES = 12  # about as many has the sentence of the picture, which is chosen among
SENTENCES = 100  # of the validation set

Model = Translator | Captioner


def export(
    run: Run,
    folder: Path,
    given: Given,
    *,
    checkpoint: Which | int = "best",
    dtype: DType = "float32",
    force: bool = False,
) -> None:
    """Writes the bundle of a checkpoint with its model card: `folder` is new, or replaced.

    Raises:
        DataError: there is something of that name, which is no bundle to replace by `force`; or
            the test set cannot be read, or the run does not translate.
        RunError: there is no such checkpoint, the type cannot hold its parameters, or the folder
            cannot be written.
    """
    check_translates(run)
    saved = run.checkpoints.find(checkpoint)
    with _replaced(folder, force=force) as new:
        bundle = write(run, new, saved, dtype)
        is_text = isinstance(run.config.data.input, TextInputConfig)
        translator: Model = (Translator if is_text else Captioner).load(new, trust=True)
        example = _draw(run, translator, given, new / PICTURE)
        scores = [*_logged(run, saved)]
        if given.test:
            scores += _tested(run, translator)
        _, template = outline(run.config, translator.tokenizers)
        facts = Facts(
            run.config,
            bundle,
            parameters=sum(leaf.size for leaf in jax.tree.leaves(template)),
            updates=saved.progress.step,
            time=training_time(run),
            scores=scores,
            example=example,
        )
        (new / card.NAME).write_text(card.text(given, facts), encoding="utf-8")


@contextlib.contextmanager
def _replaced(folder: Path, *, force: bool) -> Iterator[Path]:
    """Yields the path of a new folder, which gets the name of `folder` when it is complete."""
    if os.path.exists(folder) and not (force and is_bundle(folder)):
        raise DataError(
            f"{folder}: exists, and is no bundle; name another folder"
            if force
            else f"{folder}: exists; name another folder, or replace the bundle in it with --force"
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
            new, old = Path(scratch, "new"), Path(scratch, "old")
            yield new
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
    except OSError as error:
        raise RunError(
            f"{folder}: the bundle cannot be written ({error.strerror or error})"
        ) from None


def write(run: Run, folder: Path, saved: Saved, dtype: DType) -> Bundle:
    """Writes the bundle of a checkpoint, without its card."""
    tokenizers = run.tokenizers()
    _, template = outline(run.config, tokenizers)
    params = run.restore(saved, {"params": template})["params"]
    shared = cleaned.without_paths(tokenizers)
    bundle = Bundle.write(folder, run.config, shared, params, dtype=dtype)
    if run.config.decoding.shortlist or (run.path / SHORTLIST).exists():
        Lexicon.of(run).save(folder)
    return bundle


def _draw(run: Run, translator: Model, given: Given, path: Path) -> str | None:
    """Draws the attention of an example; returns its sentence, or None if nothing can be drawn.

    The sentence is the source, or the caption of a source that is not text.
    """
    if not run.config.model.attention.has_weights:
        return None
    is_text = isinstance(translator, Translator)
    try:
        source = given.sentence or _example(run, translator)
        translation = translator.translate([source])[0]
    except DataError as error:
        remedy = "give a sentence" if is_text else "it needs the validation set"
        warnings.warn(f"no picture of attention: {remedy} ({error})", stacklevel=2)
        return None
    if not translation.text.strip():
        name = repr(source) if is_text else "the example of the validation set"
        warnings.warn(f"no picture of attention: {name} has no translation", stacklevel=2)
        return None
    plotting.save(plotting.plot_alignment(translation), path)
    return source if is_text else translation.text


def _example(run: Run, translator: Model) -> Any:
    """Returns a source of the validation set whose text is neither short nor long."""
    side = "source" if isinstance(translator, Translator) else "target"
    pairs = corpora.held_out(run.config.data, "validation")
    lines = list(islice(pairs[side], SENTENCES))
    tokenizer = getattr(translator.tokenizers, side)
    lengths = [abs(len(tokenizer.encode(line)) - PIECES) for line in lines]
    return pairs[lengths.index(min(lengths))]["source"]


def _logged(run: Run, saved: Saved) -> Iterator[Scored]:
    """Yields BLEU on the validation set, if the parameters are those of one step in the log."""
    if saved.progress.averaged:
        return
    found = run.validations().get(saved.progress.step, {})
    if "bleu" in found:
        signature = str(found.get("bleu_signature", "unknown"))
        score = MetricScore("BLEU", float(found["bleu"]), signature)
        how = f"in training, beam {run.config.training.validation_beam}"
        yield Scored("validation", run.config.data.validation, how, score)


def _tested(run: Run, translator: Model) -> Iterator[Scored]:
    """Yields the scores of the bundle on data.test."""
    data = run.config.data
    corpus: CorpusConfig | None = data.test
    if corpus is None:
        raise DataError(
            f"{run.path}: its configuration has no data.test to score; add it to its config.yaml, "
            "or leave out --test"
        )
    pairs = corpora.held_out(data, "test")
    texts = [each.text for each in translator.translate(pairs["source"])]
    tokenize = bleu_tokenizers.for_target(data)
    wanted = [metrics.metric("bleu", tokenize=tokenize), metrics.metric("chrf")]
    how = f"{translator.config.strategy.kind} search, beam {translator.config.beam}"
    for score in metrics.evaluate(texts, list(pairs["target"]), metrics=wanted):
        yield Scored("test", corpus, how, score)
