"""The command that writes a first configuration for a corpus."""

import os
import shlex
import sys
import warnings
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import corpora, options
from nmt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nmt.data.survey import Survey

LOOKED_AT = 10  # pairs


def init(
    languages: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE-TARGET", help="Endings of both files, such as es-en, or zh-TW:en."
        ),
    ],
    *,
    train: Annotated[
        list[str],
        typer.Option(
            help="Training corpus: prefix x of x.es and x.en, or a TSV, JSON lines or Parquet; "
            "given twice: a pair of text files."
        ),
    ],
    validation: Annotated[
        list[str], typer.Option(help="Validation corpus, in the same way; `nmt split` makes one.")
    ],
    test: Annotated[
        list[str] | None, typer.Option(help="Test corpus, which `nmt evaluate` translates.")
    ] = None,
    columns: corpora.Columns = None,
    small: Annotated[
        bool,
        typer.Option(
            "--small", help="A network that a computer without a GPU trains in hours, not days."
        ),
    ] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Default: SOURCE-TARGET.yaml.")
    ] = None,
) -> None:
    """Look at a corpus, and write a configuration that fits it.

    Comments in it say why.

    Example: nmt init es-en --train DIR/train --validation DIR/val
    """
    from nmt import beginning, recipes
    from nmt.data.survey import survey

    codes = corpora.languages(languages)
    path = output or Path(f"{'-'.join(codes)}.yaml")
    if os.path.exists(path):
        raise ConfigError(f"{path}: exists, and is not overwritten; choose another with --output")
    given = {"train": train, "validation": validation, **({"test": test} if test else {})}
    found = corpora.find(given, codes, columns=corpora.columns(columns))
    read = {name: corpora.read(each, codes) for name, each in found.items()}
    _check_text(train[0], read["train"]())
    seen = survey(read["train"](), read["validation"]())
    pieces = recipes.tokenizer(seen, read["train"])
    name = options.sentence(shlex.quote(str(path)))
    text = beginning.configuration(
        seen, pieces, languages=codes, corpora=found, name=name, small=small
    )
    with options.writer(path) as out:
        out.write(text)
    print(_table(seen, codes))
    for warning in beginning.warnings(seen, pieces):
        warnings.warn(warning, stacklevel=2)
    print(f"next: nmt train {shlex.quote(str(path))}", file=sys.stderr)


def _check_text(name: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Checks that the sources of a corpus do not look like the names of pictures.

    Raises:
        DataError: they do.
    """
    from nmt.config.endings import PICTURES

    sources = [source for source, _ in islice(pairs, LOOKED_AT)]
    if sources and all(source.lower().endswith(PICTURES) for source in sources):
        raise DataError(
            f"{name}: its sources are names of pictures, and nmt init writes configurations for "
            "text; begin with configs/scenes.yaml"
        )


def _table(found: "Survey", languages: tuple[str, str]) -> str:
    """Returns what the corpora are like, for a terminal."""
    rows = [
        f"{found.pairs:,} pairs to train on, {found.validation:,} to validate with",
        f"{'':8}{'words':>8}  99 % have up to  characters  99 % have up to  distinct  script",
    ]
    rows += [
        f"{code:8}{side.words:8.1f}  {side.long_words:15,}  {side.characters:10.1f}  "
        f"{side.long_characters:15,}  {side.distinct:8,}  {side.script_name}"
        for code, side in zip(languages, (found.source, found.target), strict=True)
    ]
    rows.append(
        f"{found.empty:,} more with an empty side; {found.identical:,} whose target is the source; "
        f"{found.known:,} of validation have a side that training has"
    )
    return "\n".join(rows)
