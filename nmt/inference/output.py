"""Files of alignments: matrices with their pieces (`.npz`), or word links as Pharaoh text."""

import contextlib
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import count, tee
from pathlib import Path

import numpy as np

from nmt.data import writing
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
from nmt.inference.aligner import Aligner
from nmt.inference.translation import Translation
from nmt.inference.translator import Translator


@contextlib.contextmanager
def open_alignments(
    path: str | Path, *, ranked: bool = False
) -> Iterator[Callable[[Sequence[Translation]], object]]:
    """Opens a file for alignments: matrices if it ends in `.npz`, else Pharaoh links.

    It yields a function that writes the alignment of the next line, given its translations: of the
    best one, or if they are `ranked`, of each. Pharaoh links have a line for each that is written.
    An `.npz` has three arrays for each line n, counted from 0: `attention_n`, float32 of (target
    pieces, source pieces), and the pieces as strings, `source_n` and `target_n`. If they are
    ranked, the names end in `n_k`, for rank k counted from 0.

    Raises:
        DataError: the file cannot be written.
    """
    path = Path(path)
    if path.suffix == ".npz":
        with writing.opened(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
            yield partial(_add_matrices, new, count(), ranked)
        return
    with writing.text(path) as out:
        yield lambda found: out.write(as_links(found if ranked else found[:1]))


def as_links(found: Iterable[Translation], *, threshold: float | None = None) -> str:
    """Returns the `word_links` of translations in Pharaoh format, a line for each."""
    links = (word_links(each, threshold=threshold) for each in found)
    return "".join(f"{format_links(each)}\n" for each in links)


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
    method: str | None = None,
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
    method: str | None = None,
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


def stream_both(
    aligner: Aligner,
    pairs: Iterable[tuple[str, str]],
    *,
    symmetrization: str = "soft-union",
    threshold: float | None = None,
) -> Iterator[frozenset[Link]]:
    """Returns `symmetrized_links` of both directions of an aligner, as `stream_links` does.

    Raises:
        ConfigError: there is no such symmetrization.
    """
    check_method(symmetrization, methods=(*SOFT, *METHODS))
    return (
        symmetrized_links(*both, symmetrization=symmetrization, threshold=threshold)
        for both in aligner.align_stream(pairs)
    )


def _add_matrices(
    archive: zipfile.ZipFile, lines: Iterator[int], ranked: bool, found: Sequence[Translation]
) -> None:
    """Adds the arrays of the next line, so that no more than one line is in memory."""
    line = next(lines)
    for rank, translation in enumerate(found if ranked else found[:1]):
        arrays = {
            "attention": translation.attention,
            "source": np.array(translation.source_pieces, np.str_),
            "target": np.array(translation.target_pieces, np.str_),
        }
        place = f"{line}_{rank}" if ranked else str(line)
        for name, array in arrays.items():
            with archive.open(f"{name}_{place}.npy", "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)
