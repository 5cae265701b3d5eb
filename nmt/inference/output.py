"""Files of alignments: matrices with their pieces (`.npz`), or word links as Pharaoh text."""

import contextlib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import count, tee
from pathlib import Path

import numpy as np

from nmt.errors import DataError
from nmt.evaluation.alignment import Link, argmax_links, threshold_links
from nmt.evaluation.pharaoh import format_links
from nmt.evaluation.symmetrization import (
    METHODS,
    SOFT,
    check_method,
    soft_links,
    symmetrize,
    turned,
)
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator


@contextlib.contextmanager
def open_alignments(path: str | Path) -> Iterator[Callable[[Translation], object]]:
    """Opens a file for alignments: matrices if it ends in `.npz`, else Pharaoh links.

    It yields a function that writes the alignment of the next line. An `.npz` has three arrays for
    each line n, counted from 0: `attention_n`, float32 of (target pieces, source pieces), and the
    pieces as strings, `source_n` and `target_n`.

    Raises:
        DataError: the file cannot be written.
    """
    path = Path(path)
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                yield partial(_add_matrices, archive, count())
        else:
            with path.open("w", encoding="utf-8") as file:
                yield lambda translation: file.write(format_links(word_links(translation)) + "\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None


def word_links(translation: Translation, *, threshold: float | None = None) -> frozenset[Link]:
    """Returns the link of each target word to its most attended source word.

    With a `threshold`, its links to all source words with at least so much of its attention.
    """
    if not translation.attention.size:
        return frozenset()
    weights = translation.words.weights
    return argmax_links(weights) if threshold is None else threshold_links(weights, threshold)


def stream_links(
    translator: Translator,
    pairs: Iterable[tuple[str, str]],
    *,
    threshold: float | None = None,
    method: str = "attention",
) -> Iterator[frozenset[Link]]:
    """Returns `word_links` of each (source, target) pair, with a window of them in memory.

    Raises:
        DataError: there is no such method of explanation.
    """
    aligned = translator.align_stream(pairs, method=method)
    return (word_links(each, threshold=threshold) for each in aligned)


def symmetrized_links(
    forward: Translation,
    backward: Translation,
    *,
    symmetrization: str = "soft-intersection",
    threshold: float | None = None,
) -> frozenset[Link]:
    """Returns the links of a pair from two models; `backward` translates the target.

    They are the `soft_links` of both matrices, none where one is empty, or the `word_links` of
    both, combined by a method of `symmetrize`. `threshold` is passed to these functions.

    Raises:
        ConfigError: there is no such symmetrization.
    """
    if symmetrization not in SOFT:
        there, back = (word_links(each, threshold=threshold) for each in (forward, backward))
        return symmetrize(there, turned(back), method=symmetrization)
    if not (forward.attention.size and backward.attention.size):
        return frozenset()
    weights = forward.words.weights, backward.words.weights
    return soft_links(*weights, method=symmetrization, threshold=threshold)


def stream_symmetrized(
    forward: Translator,
    backward: Translator,
    pairs: Iterable[tuple[str, str]],
    *,
    symmetrization: str = "soft-intersection",
    threshold: float | None = None,
    method: str = "attention",
) -> Iterator[frozenset[Link]]:
    """Returns `symmetrized_links` of each (source, target) pair, as `stream_links` does.

    Raises:
        DataError: there is no such method of explanation.
        ConfigError: there is no such symmetrization.
    """
    check_method(symmetrization, methods=(*SOFT, *METHODS))
    pairs, again = tee(pairs)
    both = zip(
        forward.align_stream(pairs, method=method),
        backward.align_stream(((target, source) for source, target in again), method=method),
        strict=True,
    )
    return (
        symmetrized_links(*aligned, symmetrization=symmetrization, threshold=threshold)
        for aligned in both
    )


def _add_matrices(archive: zipfile.ZipFile, lines: Iterator[int], translation: Translation) -> None:
    """Adds the arrays of the next line, so that no more than one line is in memory."""
    line = next(lines)
    arrays = {
        "attention": translation.attention,
        "source": np.array(translation.source_pieces, np.str_),
        "target": np.array(translation.target_pieces, np.str_),
    }
    for name, array in arrays.items():
        with archive.open(f"{name}_{line}.npy", "w") as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
