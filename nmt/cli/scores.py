"""The command that scores translations."""

from pathlib import Path
from typing import Annotated

import typer

from nmt.cli import options
from nmt.cli.options import AsJson, Beam, Checkpoint, RunPath, Settings, Trust
from nmt.errors import DataError


def evaluate(
    run: RunPath,
    settings: Settings = None,
    source: Annotated[
        Path | None, typer.Option(help="Text to translate, one sentence per line.")
    ] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="Reference translation; repeat it for several references."),
    ] = None,
    beam: Beam = None,
    as_json: AsJson = False,
    checkpoint: Checkpoint = "best",
    trust: Trust = False,
) -> None:
    """Translate a test set and score it: BLEU and chrF with their sacreBLEU signatures.

    The test set is the run's own, data.test, unless --source and --reference are given.

    Example: nmt evaluate runs/demo decoding.beam=8 --json
    """
    from nmt.data import files
    from nmt.evaluation import metrics

    decoding = options.only_settings(settings, beam=beam)
    if (source is None) != (not reference):
        raise DataError("give both --source and --reference, or neither to score data.test")
    if source is None:
        lines, *references = _test_set(run)
    else:
        given = reference or []
        lines, *references = map(list, map(files.lines, files.find_together(source, *given)))
        for path, sentences in zip(given, references, strict=True):
            if len(sentences) != len(lines):
                raise DataError(f"{source} has {len(lines)} lines and {path} has {len(sentences)}")
    translator = options.translator(run, decoding, checkpoint=checkpoint, trust=trust)
    texts = [each.text for each in translator.translate(lines)]
    scores = metrics.evaluate(texts, *references)
    print(metrics.as_json(scores) if as_json else "\n".join(map(str, scores)))


def _test_set(path: Path) -> tuple[list[str], list[str]]:
    """Returns source and reference of a run's own test set."""
    from nmt.data import corpus
    from nmt.run import Run

    data = Run.open(path).config.data
    if data.test is None:
        raise DataError(
            f"{path}: its configuration has no data.test; give --source FILE --reference FILE"
        )
    try:
        test = corpus.load(data.test, source=data.source, target=data.target)
    except DataError as error:
        raise DataError(f"data.test of {path}: {error}; or give --source and --reference") from None
    return list(test["source"]), list(test["target"])
