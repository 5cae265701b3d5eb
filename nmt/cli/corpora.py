"""Corpora that options of the command line name, without a configuration."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nmt.cli import options
from nmt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nmt.config import CorpusConfig


Columns = Annotated[
    str | None,
    typer.Option(
        metavar="SOURCE,TARGET",
        help="Names of the columns of a table; if not given, the codes, or in a TSV its two "
        "columns without a header.",
    ),
]

_CODE = re.compile(r"[^\W\d]\w*(-\w+)*")


def languages(text: str) -> tuple[str, str]:
    """Returns the codes of both languages, between which is a hyphen, or a colon.

    Raises:
        ConfigError: they are no two codes.
    """
    codes = text.split(":" if ":" in text else "-")
    if len(codes) != 2 or not all(map(_CODE.fullmatch, codes)):
        raise ConfigError(
            f"{text}: not SOURCE-TARGET, the endings of both files, as in es-en; codes with "
            "hyphens have a colon between them, as in zh-TW:en"
        )
    return codes[0], codes[1]


def columns(text: str | None) -> tuple[str, str] | None:
    """Returns the names of the columns of source and target, if they are given.

    Raises:
        ConfigError: they are no two names.
    """
    if text is None:
        return None
    text = options.sentence(text)
    names = text.split(",")
    if len(names) != 2 or not all(names) or names[0] == names[1]:
        raise ConfigError(
            f"--columns {text}: not SOURCE,TARGET, the names of two columns, as in es,en"
        )
    return names[0], names[1]


def find(
    given: Mapping[str, list[str]],
    languages: tuple[str, str],
    *,
    columns: tuple[str, str] | None = None,
) -> dict[str, "CorpusConfig"]:
    """Returns the sections of corpora, whose files exist.

    Args:
        given: for the name of each option a prefix or a table, or two texts.
        languages: the endings of files with this prefix.
        columns: those of source and target in tables.

    Raises:
        DataError: a file does not exist, or there are more than two; or columns have no table.
    """
    found = {name: _corpus(name, paths, languages, columns) for name, paths in given.items()}
    if columns and not any(each.columns for each in found.values()):
        raise DataError(
            "--columns are those of a TSV, JSON lines or Parquet, and plain text has none: leave "
            "it out"
        )
    return found


def read(
    corpus: "CorpusConfig", languages: tuple[str, str]
) -> Callable[[], Iterable[tuple[str, str]]]:
    """Returns what reads the pairs of a corpus that `find` has found, any number of times."""
    return partial(_pairs, corpus, languages)


def _corpus(
    name: str, paths: list[str], languages: tuple[str, str], columns: tuple[str, str] | None
) -> "CorpusConfig":
    """Returns the section of a corpus, whose files exist.

    Raises:
        DataError: one does not exist, or there are more than two, or two are in the other order.
    """
    from nmt.config import CorpusConfig
    from nmt.config.corpora import EMBEDDED
    from nmt.config.endings import is_table, language
    from nmt.data import texts

    if len(paths) > 2:
        raise DataError(f"--{name} is given once, or twice for a pair of text files")
    if len(paths) == 1 and paths[0] in EMBEDDED:  # in a configuration, they are no prefixes
        paths = [f".{os.sep}{paths[0]}"]
    path = Path(paths[0])
    if path.suffix == ".npz":
        raise DataError(
            f"{path}: has vectors, and a corpus of text is needed; to train on vectors, begin with "
            "configs/scenes.yaml, and set data.input=vectors"
        )
    table = len(paths) == 1 and is_table(str(path))
    if len(paths) == 1 and os.path.isfile(path) and not table:
        raise DataError(
            f"{path}: one file of two; give --{name} their prefix, without .{languages[0]} and "
            f".{languages[1]}, or --{name} twice, with the source first"
        )
    endings = tuple(map(language, paths))
    if endings != languages and endings[::-1] == languages:
        raise DataError(f"{' and '.join(paths)}: give --{name} the source first, {paths[1]}")
    corpus = CorpusConfig.model_validate(paths[0] if len(paths) == 1 else paths)
    if table:
        corpus = corpus.model_copy(update={"columns": columns})
    texts.find(corpus, languages)
    return corpus


def _pairs(corpus: "CorpusConfig", languages: tuple[str, str]) -> Iterable[tuple[str, str]]:
    """Returns the pairs of a corpus."""
    from nmt.config.endings import suffix
    from nmt.data import texts

    if suffix(corpus.path or "") == ".parquet":
        from nmt.data.corpus import load  # it imports datasets, which takes a second

        table = load(corpus, source=languages[0], target=languages[1])
        return zip(table["source"], table["target"], strict=True)
    paths = texts.find(corpus, languages)
    return texts.pairs(*paths, languages=languages, columns=corpus.columns)
