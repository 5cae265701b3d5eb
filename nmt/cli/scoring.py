"""The command that gives the log-probabilities of given translations."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from nmt.cli import cluster, ensembles, options
from nmt.cli.ensembles import RunOrEnsemble
from nmt.cli.options import Checkpoint, Output, Trust
from nmt.data import files, writing
from nmt.data.n_best import BAR
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translation import Translation
    from nmt.inference.translator import Translator

Unit = Literal["sentence", "word", "piece"]

Arguments = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[RUN]... [INPUT] [decoding.KEY=VALUE]...",
        help="More run folders, for an ensemble. Lines of a source, a tab and its translation; "
        "standard input if - or not given. Decoding settings replace the run's own.",
    ),
]
Source = Annotated[Path | None, typer.Option(help="Source text, instead of INPUT.")]
Target = Annotated[Path | None, typer.Option(help="Its translation, line by line.")]
By = Annotated[
    Unit, typer.Option(help="Also print each word or piece with its own log-probability.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print a JSON object per line, with pieces and words.")
]


def score(
    run: RunOrEnsemble,
    arguments: Arguments = None,
    source: Source = None,
    target: Target = None,
    output: Output = None,
    by: By = "sentence",
    as_json: AsJson = False,
    ray: cluster.Ray = None,
    column: cluster.Column = None,
    actors: cluster.Actors = None,
    cores_per_actor: cluster.Cores = None,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Print log-probabilities of given translations.

    Also their scores, and the perplexity of the text.

    Example: nmt score runs/demo --source test.de --target test.en --by word
    """
    from nmt.evaluation.perplexity import Perplexity

    others, settings = options.settings_apart(arguments, beam=None)
    more, given = ensembles.inputs_apart(run, others)
    if as_json and by != "sentence":
        raise DataError(f"--json has words and pieces already; leave out --by {by}")
    load = partial(
        ensembles.translator, run, *more, settings=settings, checkpoint=checkpoint, trust=trust
    )
    alone = {"INPUT": given != files.STDIN}
    corpus = cluster.asked(ray, column, actors, cores_per_actor, never=alone)
    if corpus is not None:
        corpus.process(
            *([each] if each else [] for each in (source, target)),
            folders=[output],
            read=corpus.pairs(),
            load=load,
            write=partial(_window, by=by, as_json=as_json),
            how={"--by": by, "--json": as_json},
        )
        return
    texts = _texts(given, source, target)
    writing.check_apart(output, *texts)
    pairs = files.parallel(*texts) if source else _rows(*texts)
    translator = load()
    total = Perplexity()
    with options.writer(output) as out:
        for number, scored in enumerate(translator.align_stream(pairs)):
            out.write(_entry(number, scored, by=by, as_json=as_json))
            pieces, ends = len(scored.target_pieces), bool(scored.target_pieces)
            total.add(scored.log_prob, pieces=pieces, words=scored.target_words.read + ends)
    print(total, file=sys.stderr)


def _window(
    translator: "Translator",
    pairs: Sequence[tuple[str, str]],
    before: int,
    *,
    by: Unit,
    as_json: bool,
) -> list[str]:
    """Returns what is written of a window of pairs, behind `before` pairs."""
    scored = translator.align_window(pairs, before=before, method="attention")
    entries = (
        _entry(number, each, by=by, as_json=as_json) for number, each in enumerate(scored, before)
    )
    return ["".join(entries)]


def _entry(number: int, scored: "Translation", *, by: Unit, as_json: bool) -> str:
    return _as_json(number, scored) if as_json else _as_text(scored, by)


def _texts(given: Path, source: Path | None, target: Path | None) -> list[Path]:
    """Returns the paths of two texts, or of one file, or of a pipe, with pairs.

    Raises:
        DataError: both are given, or one text only, or a file is missing.
    """
    if source is None and target is None:
        return [files.find(given)]
    if source is None or target is None or given != files.STDIN:
        raise DataError("give --source FILE and --target FILE, or one INPUT with both in columns")
    return files.find_together(source, target)


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yields the two columns of each line.

    Raises:
        DataError: a line has not two of them.
    """
    for number, line in enumerate(files.lines(path), start=1):
        columns = line.split("\t")
        if len(columns) != 2:
            hint = "; n-best lists are for `nmt rescore`" if BAR in line else ""
            raise DataError(
                f"{files.named(path)}, line {number}: not a source, one tab and its "
                f"translation{hint}"
            )
        yield columns[0], columns[1]


def _as_text(scored: "Translation", by: Unit) -> str:
    """Returns tab-separated columns: log-probability, score, and what `by` asks for."""
    units: Iterable[tuple[str, float]] = ()
    if by == "word":
        units = scored.word_log_probs
    elif by == "piece":
        units = zip(scored.target_pieces, scored.piece_log_probs.tolist(), strict=True)
    columns = [f"{scored.log_prob:.4f}", f"{scored.score:.4f}"]
    return "\t".join([*columns, *(f"{unit} {log_prob:.4f}" for unit, log_prob in units)]) + "\n"


def _as_json(number: int, scored: "Translation") -> str:
    words = scored.word_log_probs
    line = {
        "id": number,
        "source": scored.source,
        "target": scored.text,
        "score": scored.score,
        "log_prob": scored.log_prob,
        "pieces": scored.target_pieces,
        "piece_log_probs": scored.piece_log_probs.tolist(),
        "words": [word for word, _ in words],
        "word_log_probs": [log_prob for _, log_prob in words],
    }
    return json.dumps(line, ensure_ascii=False) + "\n"
