"""Word links that come with a corpus, and the links between pieces that they imply.

The column `links` has a list for each pair: the source and target position of the first link, of
the second link, and so on. In the column, words are divided at all Unicode white space, whatever
the file counts: a word that is then several words is linked by all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, chain, pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from datasets import Dataset, Features, List, Value

from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.data import files, fingerprints
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation import pharaoh
from nmt.evaluation.alignment import Link
from nmt.evaluation.words import OTHER_SPACE, Ambiguity, Words, split, unfold

flattened = chain.from_iterable

LINKS = Features({"links": List(Value("int32"))})


def attach(
    text: Dataset,
    path: Path,
    *,
    word_boundaries: WordBoundaries = WORD_BOUNDARIES,
    certain: bool = False,
) -> Dataset:
    """Adds the column `links` to pairs, from a file of links between words.

    Unless it is `certain` that the file counts words from 0 and by these `word_boundaries`,
    warnings say if it seems to count from 1, and if the word boundaries matter.

    Raises:
        DataError: a token is no link, a link lies outside its sentence, or the number of sentences
            is not the number of pairs.
    """
    first, lines = pharaoh.begun(files.lines(path))
    counted_from = pharaoh.counts_from(first)
    links = pharaoh.read_links(lines, name=path, sentences=len(text), warn=False)
    unread = files.side_by_side(
        links,
        range(len(text)),
        names=(path, "the corpus"),
        unit="sentence",  # some formats have several lines for one, or a line for each link
    )

    def read_rows(rows: Mapping[str, list[str]]) -> dict[str, Any]:
        found = []
        for *pair, (links, number) in zip(rows["source"], rows["target"], unread, strict=False):
            source, target = (_parts(line, word_boundaries) for line in pair)
            for side, words in enumerate((source, target)):
                where = f"{path}, sentence {number + 1}"
                pharaoh.check_inside(
                    links, len(words), side=side, where=where, counted_from=counted_from
                )
            parts = (product(source[i], target[j]) for i, j in sorted(links))
            found.append(list(flattened(flattened(parts))))
        if number + 1 == len(text):
            next(unread, None)  # raises an error if there is more
        return {"links": found}

    attached = text.map(
        read_rows,
        batched=True,
        features=Features({**text.features, **LINKS}),
        new_fingerprint=fingerprints.of_result(text, files.digest(path), word_boundaries),
    )
    if not certain:
        _warn(attached, path, word_boundaries)
    return attached


def counted(
    links: Sequence[int], pair: Sequence[str], word_boundaries: WordBoundaries
) -> set[Link]:
    """Returns the links between words as a file counts them, from a list of the column."""
    source, target = (
        [number for number, parts in enumerate(_parts(line, word_boundaries)) for _ in parts]
        for line in pair
    )
    return {(source[i], target[j]) for i, j in zip(links[::2], links[1::2], strict=True)}


def of_pieces(
    text: Mapping[str, Any], ids: Mapping[str, list[list[int]]], tokenizers: Tokenizers
) -> list[list[int]]:
    """Returns the links between pieces that follow from the links between words.

    `ids` are the pieces of the pairs, with `eos`, in reading order; links have their places in the
    order of the model. A pair gets no links if it is unknown which words
    its pieces belong to; see `_words`.
    """
    found: list[list[int]] = []
    for row, links in enumerate(text["links"]):
        source, target = (
            _words(text[side][row], ids[side][row][:-1], getattr(tokenizers, side))
            for side in ("source", "target")
        )
        if source is None or target is None:
            found.append([])
        else:
            *places, _ = tokenizers.order(ids["target"][row])
            target = replace(target, of_piece=tuple(target.of_piece[i] for i in places))
            words = np.reshape(links, (-1, 2)).astype(int)
            found.append(unfold(words, source, target).ravel().tolist())
    return found


def _warn(attached: Dataset, path: Path, boundaries: WordBoundaries) -> None:
    """Warns of links that may count other words, also where the rows come from the cache."""
    if pharaoh.is_pharaoh(next(files.lines(path), "")):
        lowest = pc.min(pc.list_flatten(attached.data.column("links"))).as_py()
        if lowest:  # not None, without a link
            pharaoh.warn_without_zero(path, pharaoh.SUBTRACT)
    odd = [
        pc.match_substring_regex(attached.data.column(side), OTHER_SPACE)
        for side in ("source", "target")
    ]
    numbers = np.flatnonzero(pc.or_(*odd).to_numpy())
    pairs = attached.select_columns(["source", "target"]).select(numbers)
    ambiguity = Ambiguity(path, boundaries)
    for number, pair in zip(numbers.tolist(), pairs, strict=True):
        ambiguity.add(number + 1, pair["source"], pair["target"])
    ambiguity.warn()


def _words(line: str, ids: list[int], tokenizer: Tokenizer) -> Words | None:
    """Returns the words of pieces, divided at all Unicode white space.

    SentencePiece may remove a space of a line or add one, and pieces of bytes hide one. If the
    pieces spell another number of words than the line has, their positions in the line tell; of a
    sampled segmentation these are unknown.
    """
    words = Words.spelled(tokenizer.pieces(ids), "unicode")
    if len(words.labels) == len(split(line, "unicode")):
        return words
    if tokenizer.encode(line) == ids:
        return Words.at(line, tokenizer.offsets(line), "unicode")
    return None


def _parts(line: str, boundaries: WordBoundaries) -> list[range]:
    """Returns, for each word of a line, the numbers of its parts between Unicode white space."""
    ends = accumulate(len(split(word, "unicode")) for word in split(line, boundaries))
    return [range(*each) for each in pairwise([0, *ends])]
