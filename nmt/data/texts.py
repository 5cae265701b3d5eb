"""Parallel corpora in files of text, TSV and JSON: where their files are, and the pairs in them."""

from collections.abc import Iterator
from os.path import isfile
from pathlib import Path

from nmt.config import CorpusConfig
from nmt.config.endings import is_table, suffix
from nmt.data import files, tabular
from nmt.errors import DataError

Pair = tuple[str, str]  # source and target


def find(corpus: CorpusConfig, languages: tuple[str, str]) -> list[Path]:
    """Returns the paths of a corpus in files: of both texts, or of one table.

    Raises:
        DataError: a file is missing, or is no regular file, or both texts are one file.
    """
    if corpus.source is not None and corpus.target is not None:
        _check_no_prefixes(corpus.source, corpus.target, languages)
        return _two(corpus.source, corpus.target)
    assert corpus.path is not None  # CorpusConfig makes sure of it
    if is_table(corpus.path):
        return [files.find_stored(corpus.path)]
    return _two(*(f"{corpus.path}.{language}" for language in languages))


def _check_no_prefixes(first: str, second: str, languages: tuple[str, str]) -> None:
    """Checks that a pair of files is not one of corpora, each of which a prefix names."""
    if all(
        not isfile(name) and all(isfile(f"{name}.{code}") for code in languages)
        for name in (first, second)
    ):
        raise DataError(
            f"{first} and {second}: no such files; for two corpora write "
            f"'[{{path: {first}}}, {{path: {second}}}]'"
        )


def _two(source: str, target: str) -> list[Path]:
    """Returns the paths of a text and of its translation, which is another file."""
    found = [files.find_stored(source), files.find_stored(target)]
    if found[0].samefile(found[1]):
        raise DataError(
            f"{target}: is the source itself; give its translation as the target, which is another "
            "file"
        )
    return found


def pairs(
    *paths: Path,
    languages: tuple[str, str],
    columns: tuple[str, str] | None = None,
    may_be_empty: bool = False,
    remedy: str = tabular.CHOOSE,
) -> Iterator[tuple[str, str]]:
    """Yields the pairs of source and target in the files that `find` has found.

    `remedy` is that of a column which is not there.

    Raises:
        DataError: a file cannot be read, or both have not as many lines, or there is no pair,
            unless they `may_be_empty`.
    """
    first = paths[0]
    if len(paths) == 2:
        found = files.parallel(first, paths[1])
    elif suffix(first) == ".tsv":
        found = tabular.tab_separated(first, columns=columns, languages=languages, remedy=remedy)
    else:
        fields = tabular.json_objects(first, columns=columns or languages, remedy=remedy)
        found = ((files.one_line(source), files.one_line(target)) for source, target in fields)
    empty = True
    for pair in found:
        empty = False
        yield pair
    if empty and not may_be_empty:
        raise DataError(f"{' and '.join(map(str, paths))}: the corpus is empty")
