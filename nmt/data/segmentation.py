"""Sampling of segmentations into pieces; a seed gives the same ones in every process.

Pieces and scores come from a SentencePiece model, which has also normalized the texts.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Edges = tuple[Ints, Ints, Floats]  # of a lattice: first character, length, score

CHARACTER = 21  # bits of a code point


class Unigram:
    """Subword regularization (Kudo 2018, section 3.2) over all segmentations x of a text.

    P(x) is proportional to exp(alpha * sum of the scores of its pieces). One lattice has all texts
    side by side. Forward filtering goes from depth to depth; backward sampling takes the edge into
    each node that is largest after adding Gumbel noise (Maddison et al. 2014).
    """

    def __init__(
        self, scores: Mapping[str, float], *, unknown: float, whole: Sequence[str] = ()
    ) -> None:
        """Takes the score of each piece, and of a character that is none; `whole` are not split."""
        below: dict[int, int] = {}
        ending = [np.nan]  # for each node of the trie: the score of its piece, or NaN
        for piece, score in scores.items():
            node = 0
            for character in piece:
                node = below.setdefault(node << CHARACTER | ord(character), len(ending))
                if node == len(ending):
                    ending.append(np.nan)
            ending[node] = score
        self._keys, self._below = (
            np.array(column) for column in zip(*sorted(below.items()), strict=True)
        )
        self._ending = np.array(ending)
        self._unknown = unknown
        self._whole = re.compile("|".join(_patterns(whole))) if whole else None

    def sample(
        self, texts: Sequence[str], *, alpha: float, rng: np.random.Generator
    ) -> list[list[str]]:
        """Returns sampled pieces of each text; an unknown character is a piece by itself."""
        sizes = np.array([len(text) for text in texts], np.int64)
        text = np.repeat(np.arange(len(texts)), sizes)
        depth = np.arange(len(text)) - (np.cumsum(sizes) - sizes)[text]
        firsts, lengths, scores = self._edges("".join(texts), sizes[text] - depth)
        if self._whole is not None:
            kept = ~_splits(texts, self._whole, firsts, lengths)
            firsts, lengths, scores = firsts[kept], lengths[kept], scores[kept]
        # A text has one node more than characters.
        sources = firsts + text[firsts]
        ends, depths = sources + lengths, depth[firsts] + lengths
        order = np.lexsort((ends, depths))
        sources, lengths, ends = sources[order], lengths[order], ends[order]
        layers = np.searchsorted(depths[order], np.arange(1, sizes.max(initial=0) + 2))
        values = _forward(sources, ends, alpha * scores[order], layers)
        chosen = _largest(values + rng.gumbel(size=len(values)), ends)
        steps = np.zeros(len(text) + len(texts), np.int64)
        steps[ends[chosen]] = lengths[chosen]
        back, node, sampled = steps.tolist(), 0, []
        for line in texts:
            sampled.append(_walk_back(line, back[node : node + len(line) + 1]))
            node += len(line) + 1
        return sampled

    def _edges(self, joined: str, room: Ints) -> Edges:
        """Returns the edges of the lattice: all pieces that begin at some character.

        `room` is the number of characters from each character to the end of its text.
        """
        characters = np.frombuffer(joined.encode("utf-32-le"), np.uint32).astype(np.int64)
        found: list[Edges] = []
        firsts, nodes = np.arange(len(room)), np.zeros(len(room), np.int64)
        single = np.zeros(len(room), bool)
        while len(firsts):
            length = len(found) + 1
            keys = nodes << CHARACTER | characters[firsts + length - 1]
            places = np.searchsorted(self._keys, keys) % len(self._keys)
            there = self._keys[places] == keys
            firsts, nodes = firsts[there], self._below[places[there]]
            piece = ~np.isnan(self._ending[nodes])
            if length == 1:
                single[firsts[piece]] = True
            found.append(_of_length(length, firsts[piece], self._ending[nodes[piece]]))
            longer = room[firsts] > length
            firsts, nodes = firsts[longer], nodes[longer]
        found.append(_of_length(1, np.flatnonzero(~single), self._unknown))
        firsts, lengths, scores = (np.concatenate(column) for column in zip(*found, strict=True))
        return firsts, lengths, scores


def _of_length(length: int, firsts: Ints, scores: Floats | float) -> Edges:
    """Returns edges of one length."""
    return firsts, np.full(len(firsts), length), np.broadcast_to(scores, len(firsts))


def _splits(
    texts: Sequence[str], whole: re.Pattern[str], firsts: Ints, lengths: Ints
) -> npt.NDArray[np.bool_]:
    """Returns for each edge whether it has a part of what is whole, and is not just that."""
    sizes, inside = np.zeros((2, sum(map(len, texts)) + 1), np.int64)
    start = 0
    for text in texts:
        for match in whole.finditer(text):
            first, end = start + match.start(), start + match.end()
            sizes[first], inside[first + 1 : end + 1] = end - first, 1
        start += len(text)
    before = np.cumsum(inside)  # characters that belong to something whole, before each place
    return (before[firsts] != before[firsts + lengths]) & (sizes[firsts] != lengths)


def _patterns(whole: Sequence[str]) -> list[str]:
    """Returns patterns that find each piece; of two that begin alike, the longer one is first."""
    return [re.escape(piece) for piece in sorted(whole, key=len, reverse=True)]


def _forward(sources: Ints, ends: Ints, scores: Floats, layers: Ints) -> Floats:
    """Returns, for each edge, the log of the summed scores of all paths that end with it."""
    sums = np.zeros(ends.max(initial=0) + 1)
    values = np.empty(len(ends))
    for first, last in pairwise(layers):
        values[first:last] = sums[sources[first:last]] + scores[first:last]
        runs = _runs(ends[first:last])
        sums[ends[first:last][runs]] = np.logaddexp.reduceat(values[first:last], runs)
    return values


def _largest(values: Floats, ends: Ints) -> npt.NDArray[np.bool_]:
    """Returns for each edge whether it has the largest value of all edges into its node."""
    runs = _runs(ends)
    if not len(runs):
        return np.zeros(0, bool)
    most = np.maximum.reduceat(values, runs)
    return values == np.repeat(most, np.diff(runs, append=len(ends)))


def _runs(ends: Ints) -> Ints:
    """Returns the index at which each run of equal numbers begins."""
    return np.flatnonzero(np.diff(ends, prepend=-1))


def _walk_back(text: str, steps: Sequence[int]) -> list[str]:
    """Returns the pieces of a text; `steps` has the length of the piece that ends at a position."""
    pieces, end = [], len(text)
    while end:
        pieces.append(text[end - steps[end] : end])
        end -= steps[end]
    return pieces[::-1]


class Bpe:
    """BPE-dropout (Provilkov et al. 2020): each merge is dropped with probability alpha.

    As in SentencePiece, a dropped merge is not tried again; in the paper it is, at each step.
    """

    def __init__(self, scores: Mapping[str, float], *, whole: Sequence[str]) -> None:
        """Takes the scores of pieces, which order merges, and the pieces that are never split."""
        self._scores = scores
        self._start = re.compile("|".join([*_patterns(whole), "."]), re.DOTALL)

    def sample(
        self, texts: Sequence[str], *, alpha: float, rng: np.random.Generator
    ) -> list[list[str]]:
        """Returns sampled pieces of each text."""
        return [
            self._merge(text, iter((rng.random(3 * len(text)) < alpha).tolist())) for text in texts
        ]

    def _merge(self, text: str, dropped: Iterator[bool]) -> list[str]:
        symbols = self._start.findall(text)
        after, before = list(range(1, len(symbols) + 1)), list(range(-1, len(symbols)))
        waiting = [pair for i in range(len(symbols) - 1) if (pair := self._pair(symbols, i, i + 1))]
        heapify(waiting)
        while waiting:
            _, left, right, piece = heappop(waiting)
            # Either symbol may have been merged with another one in the meantime.
            if symbols[left] + symbols[right] != piece or after[left] != right or next(dropped):
                continue
            symbols[left], symbols[right] = piece, ""
            after[left] = after[right]
            before[after[right]] = left
            for i, j in ((before[left], left), (left, after[left])):
                if i >= 0 and j < len(symbols) and (pair := self._pair(symbols, i, j)):
                    heappush(waiting, pair)
        return [symbol for symbol in symbols if symbol]

    def _pair(self, symbols: list[str], i: int, j: int) -> tuple[float, int, int, str] | None:
        piece = symbols[i] + symbols[j]
        score = self._scores.get(piece)
        return None if score is None else (-score, i, j, piece)
