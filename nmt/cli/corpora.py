"""Corpora that options of the command line name, without a configuration."""

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nmt.errors import ConfigError, DataError

if TYPE_CHECKING:
    from nmt.config import CorpusConfig


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


def read(
    name: str, paths: list[str], languages: tuple[str, str]
) -> Callable[[], Iterable[tuple[str, str]]]:
    """Returns what reads the pairs of a corpus, any number of times.

    Args:
        name: of the option, in messages.
        paths: a prefix or a table, or two texts.
        languages: the endings of files with this prefix.

    Raises:
        DataError: a file does not exist, or there are more than two.
    """
    return partial(_pairs, _corpus(name, paths, languages), languages)


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
            f"{path}: has vectors, and a corpus of text is needed; to train on vectors, begin with "
            "configs/scenes.yaml, and set data.input=vectors"
        )
    if len(paths) == 1 and os.path.isfile(path) and not is_table(str(path)):
        raise DataError(
            f"{path}: one file of two; give --{name} their prefix, without .{languages[0]} and "
            f".{languages[1]}, or --{name} twice, with the source first"
        )
    corpus = CorpusConfig.model_validate(paths[0] if len(paths) == 1 else paths)
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
    return texts.pairs(*texts.find(corpus, languages), languages=languages)
