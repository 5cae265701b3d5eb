"""Files of alignments: matrices with their pieces (`.npz`), or word links as Pharaoh text."""

import contextlib
import zipfile
from collections.abc import Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import Any, Protocol, TextIO, runtime_checkable

import numpy as np
import numpy.typing as npt

from nmt.decoding.translation import Translation
from nmt.decoding.translator import Translator
from nmt.errors import DataError
from nmt.evaluation.alignment import Link, argmax_links, threshold_links
from nmt.evaluation.pharaoh import format_links
from nmt.evaluation.symmetrise import METHODS, SOFT, check_method, soft_links, symmetrise, turned


@runtime_checkable
class AlignmentWriter(Protocol):
    """What receives the translations of a file, one line after the other."""

    def write(self, translation: Translation) -> None:
        """Writes the alignment of the next line."""
        ...


@contextlib.contextmanager
def open_alignments(path: str | Path) -> Iterator[AlignmentWriter]:
    """Opens a file for alignments: matrices if it ends in `.npz`, else Pharaoh links.

    An `.npz` has three arrays for each line n, counted from 0: `attention_n`, float32 of (target
    pieces, source pieces), and the pieces as strings, `source_n` and `target_n`.

    Raises:
        DataError: the file cannot be written.
    """
    path = Path(path)
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                yield _Matrices(archive)
        else:
            with path.open("w", encoding="utf-8") as file:
                yield _Links(file)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None


def word_links(translation: Translation, *, threshold: float | None = None) -> frozenset[Link]:
    """Returns the link of each target word to its most attended source word.

    With a `threshold`, its links to all source words that get so much of its attention or more.
    """
    if not translation.attention.size:
        return frozenset()
    weights = translation.words.weights
    return argmax_links(weights) if threshold is None else threshold_links(weights, threshold)


def links(translation: Translation) -> str:
    """Returns `word_links` as a line of Pharaoh text."""
    return format_links(word_links(translation))


def stream_links(
    translator: Translator,
    pairs: Iterable[tuple[str, str]],
    *,
    threshold: float | None = None,
    method: str = "attention",
) -> Iterator[frozenset[Link]]:
    """Returns `word_links` of each (source, target) pair; a window of them is in encoded at once.

    Raises:
        DataError: there is no such method of explanation.
    """
    aligned = translator.align_stream(pairs, method=method)
    return (word_links(each, threshold=threshold) for each in aligned)


def symmetrised_links(
    forward: Translation,
    backward: Translation,
    *,
    symmetrisation: str = "soft-intersection",
    threshold: float | None = None,
) -> frozenset[Link]:
    """Returns the links of a pair as two models find them; `backward` translates the target.

    They are the `soft_links` of the weights of both, none where one has found nothing to align, or
    their `word_links`, joined by a method of `symmetrise`; `threshold` is an argument of these.

    Raises:
        ConfigError: there is no such symmetrisation.
    """
    if symmetrisation not in SOFT:
        there, back = (word_links(each, threshold=threshold) for each in (forward, backward))
        return symmetrise(there, turned(back), method=symmetrisation)
    if not (forward.attention.size and backward.attention.size):
        return frozenset()
    weights = forward.words.weights, backward.words.weights
    return soft_links(*weights, method=symmetrisation, threshold=threshold)


def stream_symmetrised(
    forward: Translator,
    backward: Translator,
    pairs: Iterable[tuple[str, str]],
    *,
    symmetrisation: str = "soft-intersection",
    threshold: float | None = None,
    method: str = "attention",
) -> Iterator[frozenset[Link]]:
    """Returns `symmetrised_links` of each (source, target) pair, as `stream_links` does.

    Raises:
        DataError: there is no such method of explanation.
        ConfigError: there is no such symmetrisation.
    """
    check_method(symmetrisation, methods=(*SOFT, *METHODS))
    pairs, again = tee(pairs)
    both = zip(
        forward.align_stream(pairs, method=method),
        backward.align_stream(((target, source) for source, target in again), method=method),
        strict=True,
    )
    return (
        symmetrised_links(*aligned, symmetrisation=symmetrisation, threshold=threshold)
        for aligned in both
    )


class _Matrices:
    """An `.npz` written array by array, so that no more than one line is in encoded."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._line = 0

    def write(self, translation: Translation) -> None:
        self._add("attention", translation.attention)
        self._add("source", np.array(translation.source_pieces, dtype=np.str_))
        self._add("target", np.array(translation.target_pieces, dtype=np.str_))
        self._line += 1

    def _add(self, name: str, array: npt.NDArray[Any]) -> None:
        with self._archive.open(f"{name}_{self._line}.npy", "w") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)


class _Links:
    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, translation: Translation) -> None:
        self._file.write(links(translation) + "\n")
