"""The command that translates text."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.cli import (
    captions,
    cluster,
    constraints,
    ensembles,
    inputs,
    markup,
    options,
    progress,
    streaming,
)
from nmt.cli.constraints import Reader
from nmt.cli.corpus import translate as translate_corpus
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.options import Beam, Checkpoint, Output, Trust
from nmt.cli.outputs import Outputs
from nmt.cli.resumption import Resumption, check_record, is_resumable
from nmt.data import files

if TYPE_CHECKING:
    from nmt.inference.translation import Translation
    from nmt.inference.translator import Translator

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]... [INPUT] [decoding.KEY=VALUE]...",
        help="More run folders, for an ensemble. Text file, one sentence per line; standard input "
        "if - or not given. Decoding settings replace the run's own.",
    ),
]
NBest = Annotated[
    int | None, typer.Option(min=1, help="Print this many translations per line, with scores.")
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print a JSON object per line: text, scores, pieces, words and alignment."
    ),
]
Alignments = Annotated[
    Path | None, typer.Option(help="Also write attention (.npz) or Pharaoh links (other endings).")
]
Dictionary = Annotated[
    Path | None,
    typer.Option(help="Translations of words the vocabulary lacks: lines of WORD, a tab, WORD."),
]
Resume = Annotated[
    bool, typer.Option("--resume", help="Resume an interrupted translation to a file.")
]


def translate(
    run: RunOrEnsemble,
    arguments: Arguments = None,
    output: Output = None,
    beam: Beam = None,
    n_best: NBest = None,
    as_json: AsJson = False,
    alignments: Alignments = None,
    dictionary: Dictionary = None,
    prefix: constraints.Prefix = None,
    require: constraints.Require = None,
    forbid: constraints.Forbid = None,
    glossary: constraints.GlossaryFile = None,
    input_format: constraints.Format = None,
    resume: Resume = False,
    ray: cluster.Ray = None,
    shards: cluster.Input = None,
    column: cluster.Column = None,
    actors: cluster.Actors = None,
    cores_per_actor: cluster.Cores = None,
    kind: markup.Markup = None,
    placeholders: markup.Placeholders = False,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Translate text line by line.

    Several runs translate as an ensemble.

    Example: echo "Ein Hund schläft." | nmt translate runs/demo decoding.beam=8
    """
    others, settings = options.settings_apart(arguments, beam=beam)
    if placeholders:
        markup.keep_all(settings)
    more, given = ensembles.inputs_apart(run, others)
    read = inputs.found(run, given, dictionary, glossary)
    runs, outputs = [run, *more], Outputs(output, alignments, n_best, as_json)
    of_lines: dict[str, Any] = {"--prefix": prefix, "--require": require, "--forbid": forbid}
    of_lines["--input-format"] = input_format
    model: dict[str, Any] = {"settings": settings, "checkpoint": checkpoint, "trust": trust}
    load = partial(_loaded, runs, dictionary=dictionary, glossary=glossary, **model)
    alone = {"INPUT": given != files.STDIN, "--resume": resume, "--markup": kind}
    corpus = cluster.asked(ray, column, actors, cores_per_actor, inputs=shards, never=alone)
    if corpus is not None:
        translate_corpus(corpus, shards, outputs, load=load, of_lines=of_lines)
    elif captions.are_written_by(run):
        text_only: dict[str, Any] = {"--dictionary": dictionary, "--glossary": glossary}
        text_only |= {"--markup": kind, "--placeholders": placeholders, "--resume": resume}
        captions.check(run, {**text_only, "--input-format": input_format})
        captions.translate(runs, Reader.of(read[0], of_lines), outputs, **model)
    elif kind is not None:
        lines_only = {"--n-best": n_best, "--json": as_json, "--alignments": alignments}
        markup.check(kind, lines_only={**lines_only, "--resume": resume, **of_lines})
        outputs.check(read)
        markup.translate(load(), read[0], output, kind=kind)
    else:
        _translate_lines(load, read, outputs, of_lines, resume=resume)


def _loaded(
    runs: Sequence[Path], *, dictionary: Path | None, glossary: Path | None, **model: Any
) -> "Translator":
    """Returns a translator with what it reads from files; `model` is that of `ensembles`."""
    from nmt.data.dictionary import read_dictionary
    from nmt.data.glossary import Glossary

    translator = ensembles.translator(*runs, **model)
    if dictionary is not None:
        translator.dictionary = read_dictionary(dictionary)
    if glossary is not None:
        translator.glossary = Glossary.read(glossary)
    return translator


def _translate_lines(
    load: "Callable[[], Translator]",
    read: Sequence[Path],
    outputs: Outputs,
    of_lines: Mapping[str, Any],
    *,
    resume: bool,
) -> None:
    """Translates the lines of the first file of `read`, from where a record says that it ended."""
    source, written = read[0], outputs.translations
    recorded = written if written is not None and is_resumable(source, written) else None
    if of_lines["--input-format"] is None:
        inputs.warn_of_document(source)
    reader = Reader.of(source, of_lines)
    outputs.check(read, resume=resume)
    if recorded is not None:
        check_record(recorded, *read, outputs.alignments)
    translator, record = load(), None
    if recorded is not None:
        how = {**outputs.made_of, **reader.made_of}
        record = Resumption(translator, source, recorded, how=how, resume=resume)
    done = record.lines if record is not None else 0
    with _told_of_a_stop(record), outputs.opened(append=done > 0) as writer:
        found = _translations(translator, reader, writer.out, n_best=outputs.ranks, done=done)
        for number, ranked in enumerate(found, start=done):
            writer.write(number, ranked)
            if record is not None and (number + 1) % translator.window == 0:
                record.save(writer.out, number + 1)
    if record is not None:
        record.remove()


@contextlib.contextmanager
def _told_of_a_stop(record: Resumption | None) -> Iterator[None]:
    """Says what Ctrl-C leaves of a translation to a file, if there is a record of it."""
    try:
        yield
    except KeyboardInterrupt:
        if record is not None:
            print(f"nmt: SIGINT: {record.left()}", file=sys.stderr)
        raise


def _translations(
    translator: "Translator", reader: Reader, out: TextIOBase, *, n_best: int, done: int
) -> "Iterator[list[Translation]]":
    """Returns the translations of a file, or of lines that come through a pipe, as they come."""
    source, size = reader.source, translator.window
    lines = files.lines(source, replace=True)
    if not files.is_stored(source):
        typed = source == files.STDIN
        windows = streaming.answered(lines, out, size=size, typed=typed)
        return translator.stream_windows(map(reader.window, windows), n_best=n_best)
    texts, constrained = reader.apart(lines)
    found = translator.stream(texts, constraints=constrained, n_best=n_best, skip=done)
    if not sys.stderr.isatty() or (out is sys.stdout and out.isatty()):
        return found
    return progress.shown(found, source, done=done, window=size)
