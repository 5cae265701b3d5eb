"""A training session: from a configuration, or an earlier run folder, to a trained run."""

import contextlib
from dataclasses import replace

from datasets import Dataset

from nmt.config import Config
from nmt.data import characters, corpora, corpus, tokenizer_training
from nmt.data.streams import Stream
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation import bleu_tokenizers
from nmt.evaluation.metrics import metric
from nmt.model.build import build_model
from nmt.processes import ALONE, ProcessGroup
from nmt.run import Run
from nmt.training import agreement, freezing, memory, resumption, warm_start
from nmt.training.contents import Contents
from nmt.training.ending import check_moved
from nmt.training.loader import DataLoader
from nmt.training.stream_loader import StreamLoader
from nmt.training.trainer import Trainer


def train(config: Config, processes: ProcessGroup = ALONE) -> Run:
    """Trains the model that the configuration describes, or resumes the training of its run folder.

    If several processes train together, each calls it; the main one writes and prints.
    Returns the run folder, ready for `Translator.load`. On a CPU it is faster with
    `nmt.allocator.keep_freed_memory()` called before, as the command line does.

    Raises:
        Interrupted: it was stopped by SIGTERM or SIGINT, and has saved; the same call resumes it.
        UserError: the corpora, the tokenizer or the run folder cannot be used, another training
            uses the folder, memory or disk do not suffice, training diverges, or processes cannot
            train together; earlier checkpoints stay as they are.
    """
    memory.drop_programs()
    run = Run.start(config, processes)
    config = run.config
    if config.aligner is None:
        metric("bleu", tokenize=bleu_tokenizers.for_target(config.data))  # is its package there?
    with contextlib.ExitStack() as locked:
        started = run.started
        if started:
            locked.enter_context(run.lock())
            saved = resumption.last(run)
            tokenizers = run.tokenizers()
        run.check_place()
        parent = warm_start.parent_of(run)  # before the work on the corpora
        stream = None if config.data.stream is None else Stream.of(config.data)
        training = corpora.training(config.data) if stream is None else stream.training
        text, validation = training.text, corpora.held_out(config.data, "validation")
        if not started:
            tokenizers = _trained_tokenizers(config, text)
        corpora.check_tags(config.data, tokenizers.source)
        encoded = corpus.encode(text, tokenizers, input=config.data.input)
        pairs, report = corpus.filter_pairs(encoded, config.data)
        if not started:
            locked.enter_context(run.lock())
            Run.start(config, processes)  # another training may have created it in the meantime
            saved = resumption.last(run)
            resumption.check_tokenizer(run, saved, tokenizers)
        contents = Contents.of(config.data, text, validation)
        agreement.check(run, contents, tokenizers)
        shared = (pairs, tokenizers, config, processes)
        loader = DataLoader(text, *shared) if stream is None else StreamLoader(stream, *shared)
        check_moved(run, saved, batches_per_epoch=loader.batches_per_epoch)
        model = build_model(config, tokenizers)  # one that cannot be built leaves no run behind
        begun = [*warm_start.start(model, parent, run, tokenizers), *freezing.check(model, run)]
        run.create(tokenizers)
        agreement.check_folder(run)
        trainer = Trainer(run, loader, validation, model, contents=contents, saved=saved)
        cleaned = [] if training.report is None else [f"data.clean:\n{training.report.table()}"]
        about = [str(report) if stream is None else f"data.stream.sample: {report}"]
        if not started:
            sides = config.data.text_sides
            about += characters.report([text, validation], tokenizers, sides=sides)
        found = [f"{run.path}: {each}" for each in about]
        for line in (*run.notes, *cleaned, *found, *begun):
            trainer.display.say(line)
        trainer.run_to_end()
    return run


def _trained_tokenizers(config: Config, text: Dataset) -> Tokenizers:
    """Returns tokenizers of the training text, or those that the configuration names."""
    source = text["source"] if "source" in config.data.text_sides else ()
    models = tokenizer_training.train(
        source, text["target"], config.tokenizer, symbols=config.data.tags
    )
    return replace(models, reverse_target=config.data.reverse_target)
