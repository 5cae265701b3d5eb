"""Tokens of a source text and of its translation, and the weights between them."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import regex

from nmt.evaluation.words import END, Offsets, Words, fold, spelled_offsets
from nmt.inference.copying import BOUNDARY
from nmt.inference.translation import Translation
from nmt.inference.unseen import PLAIN

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")
ORDER = 3.0  # what links in the same order beside a link add to it; chosen on the embedded corpus
TokenWeights = npt.NDArray[np.float64]  # (target tokens, source tokens)


class Token(NamedTuple):
    """A word, a part of one, or a sign.

    `copy` names what may have its like on the other side, "" if nothing: signs, stand-ins, and the
    parts of a word that both sides have.
    """

    begin: int
    end: int
    copy: str = ""


def tokens(
    source: str, target: str, *, edges: Collection[int] = ()
) -> tuple[list[Token], list[Token]]:
    """Returns the tokens of both sides; no source token goes across an edge of an element."""
    here, there = _words(source), _words(target)
    cuts, ordered = dict[str, set[int]](), sorted(edges)
    for begin, end in here:
        within = ordered[bisect_right(ordered, begin) : bisect_left(ordered, end)]
        if inside := {edge - begin for edge in within}:
            cuts.setdefault(source[begin:end], set()).update(inside)
    shared = cuts.keys() & {target[begin:end] for begin, end in there}
    return (
        list(_divided(source, here, cuts, shared)),
        list(_divided(target, there, {word: cuts[word] for word in shared}, shared)),
    )


def weights(
    translation: Translation, source: Sequence[Token], target: Sequence[Token]
) -> TokenWeights:
    """Returns how strongly tokens are linked; the weights on a source token sum to one or zero.

    Target tokens compete for a source token. A link counts more if the tokens before or behind are
    linked in the same order. A sign is linked to the same sign alone.
    """
    there = _offsets(translation.source, translation.source_pieces, translation.source_offsets)
    here = _offsets(translation.text, translation.target_pieces, translation.target_offsets)
    attention = fold(
        translation.attention,
        Words.within(translation.source, [token[:2] for token in source], there),
        Words.within(translation.text, [token[:2] for token in target], here),
    ).weights.astype(np.float64)
    beside = np.zeros_like(attention)
    beside[1:, 1:] += attention[:-1, :-1]
    beside[:-1, :-1] += attention[1:, 1:]
    linked = attention * (1 + ORDER * beside)
    _link_copies(linked, [token.copy for token in source], [token.copy for token in target])
    return linked / np.maximum(linked.sum(axis=0), 1e-12)


def _words(text: str) -> list[tuple[int, int]]:
    """Returns the places of the words and signs of a text, as Unicode divides them."""
    places = [0, *(match.start() for match in BOUNDARY.finditer(text)), len(text)]
    return [span for span in pairwise(places) if text[slice(*span)].strip()]


def _divided(
    text: str,
    words: Sequence[tuple[int, int]],
    cuts: Mapping[str, Collection[int]],
    shared: Collection[str],
) -> Iterator[Token]:
    for begin, end in words:
        word = text[begin:end]
        sign = "" if _WORD.search(word) else word.translate(PLAIN)
        places = [0, *sorted(cuts.get(word, ())), len(word)]
        for number, (first, last) in enumerate(pairwise(places)):
            part = f"{word} {number}" if word in shared else sign
            yield Token(begin + first, begin + last, part)


def _link_copies(linked: TokenWeights, source: Sequence[str], target: Sequence[str]) -> None:
    """Links a copy to its like, in their order, or if there are more on one side, as before."""
    for copy in {*source, *target} - {""}:
        there = np.array([token == copy for token in source], bool)
        here = np.array([token == copy for token in target], bool)
        own = linked[np.ix_(here, there)]
        linked[here] = 0
        linked[:, there] = 0
        linked[np.ix_(here, there)] = np.eye(len(own)) if len(own) == own.shape[1] else own


def _offsets(text: str, pieces: Sequence[str], offsets: Offsets | None) -> Offsets:
    if offsets is not None:
        return offsets
    return spelled_offsets(text, [piece for piece in pieces if piece != END])
