"""The command that writes a first configuration for a corpus."""

import re
import shlex
import sys
import warnings
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import options
from nmt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nmt.config import CorpusConfig
    from nmt.data.survey import Survey

LOOKED_AT = 10  # pairs
LANGUAGES = re.compile(r"([^\W\d]\w*)-([^\W\d]\w*)")


def init(
    languages: Annotated[
        str,
        typer.Argument(metavar="SOURCE-TARGET", help="Endings of both files, such as es-en."),
    ],
    *,
    train: Annotated[
        list[str],
        typer.Option(
            help="Training corpus: prefix x of x.es and x.en, or a TSV, JSON lines or Parquet; "
            "given twice: a pair of text files."
        ),
    ],
    validation: Annotated[list[str], typer.Option(help="Validation corpus, in the same way.")],
    test: Annotated[
        list[str] | None, typer.Option(help="Test corpus, which `nmt evaluate` translates.")
    ] = None,
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

    if (named := LANGUAGES.fullmatch(languages)) is None:
        raise ConfigError(f"{languages}: not SOURCE-TARGET, the endings of both files, as in es-en")
    codes = named[1], named[2]
    path = output or Path(f"{languages}.yaml")
    if path.exists():
        raise ConfigError(f"{path}: exists, and is not overwritten; choose another with --output")
    given = {"train": train, "validation": validation, **({"test": test} if test else {})}
    read = {
        name: partial(_pairs, _corpus(name, each, codes), codes) for name, each in given.items()
    }
    _check_text(train[0], read["train"]())
    found = survey(read["train"](), read["validation"]())
    pieces = recipes.tokenizer(found, read["train"])
    text = beginning.configuration(found, pieces, languages=codes, corpora=given, name=str(path))
    with options.writer(path) as out:
        out.write(text)
    print(_table(found, codes))
    if warning := beginning.warning(found):
        warnings.warn(warning, stacklevel=2)
    print(f"next: nmt train {shlex.quote(str(path))}", file=sys.stderr)


def _corpus(name: str, paths: list[str], languages: tuple[str, str]) -> "CorpusConfig":
    """Returns the section of a corpus, whose files exist.

    Raises:
        DataError: one does not exist, or there are more than two.
    """
    from nmt.config import CorpusConfig
    from nmt.config.endings import is_table
    from nmt.data import texts

    if len(paths) > 2:
        raise DataError(f"--{name} is given once, or twice for a pair of text files")
    path = Path(paths[0])
    if path.suffix == ".npz":
        raise DataError(
            f"{path}: has vectors, and nmt init writes configurations for text; begin with "
            "configs/scenes.yaml, and set data.input=vectors"
        )
    if len(paths) == 1 and path.is_file() and not is_table(str(path)):
        raise DataError(
            f"{path}: one file of two; give --{name} their prefix, without .{languages[0]} and "
            f".{languages[1]}, or --{name} twice, with the source first"
        )
    corpus = CorpusConfig.model_validate(paths[0] if len(paths) == 1 else paths)
    texts.find(corpus, languages)
    return corpus


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


def _pairs(corpus: "CorpusConfig", languages: tuple[str, str]) -> Iterable[tuple[str, str]]:
    """Returns the pairs of a corpus."""
    from nmt.config.endings import suffix
    from nmt.data import texts

    if suffix(corpus.path or "") == ".parquet":
        from nmt.data.corpus import load  # it imports datasets, which takes a second

        table = load(corpus, source=languages[0], target=languages[1])
        return zip(table["source"], table["target"], strict=True)
    return texts.pairs(*texts.find(corpus, languages), languages=languages)


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
