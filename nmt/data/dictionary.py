"""Dictionaries: translations of words that the vocabulary lacks."""

from pathlib import Path

from nmt.data.glossary import entries
from nmt.errors import DataError


def read_dictionary(path: Path) -> dict[str, str]:
    """Reads a file: in each line a word, a tab and its translation.

    Raises:
        DataError: there is no such file, a line is no entry, or two are of the same word.
    """
    found = dict[str, str]()
    for number, word, translation in entries(path, names=("WORD", "its translation")):
        if not translation.strip():
            raise DataError(
                f"{path}, line {number}: {word!r} has an empty translation; leave it out"
            )
        if word in found:
            raise DataError(
                f"{path}, line {number}: {word!r} is in the dictionary already, as "
                f"{found[word]!r}; keep one of them"
            )
        found[word] = translation
    return found
