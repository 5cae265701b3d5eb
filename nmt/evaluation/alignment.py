"""Word alignment: attention folded from pieces to words, links taken from it, and their error.

Weights are (target, source) matrices; a link is a pair (source word, target word), counted from 0.
The end of sentence is never linked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from nmt.errors import DataError

Link = tuple[int, int]

_SPACE = "▁"  # SentencePiece's: it opens a piece that opens a word
_END = "</s>"
_BYTE = re.compile("<0x([0-9A-F]{2})>")


@dataclass(frozen=True, eq=False)
class WordMatrix:
    """Attention between words: `weights` is (target words, source words), the words its labels."""

    weights: npt.NDArray[np.float32]
    source: tuple[str, ...]
    target: tuple[str, ...]


@dataclass(frozen=True)
class GoldLinks:
    """The links annotators are `sure` of, and all they find `possible`, the sure ones included."""

    sure: frozenset[Link]
    possible: frozenset[Link]

    def __post_init__(self) -> None:
        object.__setattr__(self, "possible", self.possible | self.sure)


@dataclass(frozen=True)
class AlignmentScore:
    """Shares between 0 and 1 over a corpus; of `aer`, the alignment error rate, less is better."""

    aer: float
    precision: float
    recall: float
    f1: float

    def __str__(self) -> str:
        return (
            f"AER {self.aer:.3f} precision {self.precision:.3f} recall {self.recall:.3f} "
            f"F1 {self.f1:.3f}"
        )


def word_spans(pieces: Sequence[str]) -> list[range]:
    """The pieces of each word: `▁Ka tze ▁ € </s>` has the words `range(0, 2)` and `range(2, 4)`.

    Words are those of the decoded text between spaces. A space alone belongs to the word after
    it, at the end of the sentence to the word before it.
    """
    length = len(pieces) - 1 if pieces and pieces[-1] == _END else len(pieces)
    starts: list[int] = []
    blank = False  # the last word is nothing but spaces so far
    for position, piece in enumerate(pieces[:length]):
        if not starts or (piece.startswith(_SPACE) and not blank):
            starts.append(position)
            blank = True
        blank = blank and not piece.strip(_SPACE)
    if blank:
        starts.pop()
    return [range(start, stop) for start, stop in pairwise([*starts, length])]


def fold(
    weights: npt.NDArray[np.float32], source_pieces: Sequence[str], target_pieces: Sequence[str]
) -> WordMatrix:
    """Folds the attention (target, source) between pieces into attention between words.

    A target word attends as its pieces do on average, to a source word as much as to all of its
    pieces. What goes to the end of sentence is left out: rows sum to at most 1.
    """
    if weights.shape != (len(target_pieces), len(source_pieces)):
        raise ValueError(
            f"weights of shape {weights.shape} for {len(target_pieces)} target and "
            f"{len(source_pieces)} source pieces"
        )
    source, target = word_spans(source_pieces), word_spans(target_pieces)
    summed = _sum_spans(weights, source, axis=1)
    lengths = np.array([len(span) for span in target], dtype=np.float32)
    return WordMatrix(
        _sum_spans(summed, target, axis=0) / lengths[:, None],
        tuple(_label(source_pieces[span.start : span.stop]) for span in source),
        tuple(_label(target_pieces[span.start : span.stop]) for span in target),
    )


def _sum_spans(
    weights: npt.NDArray[np.float32], spans: Sequence[range], *, axis: int
) -> npt.NDArray[np.float32]:
    inside = np.arange(spans[-1].stop if spans else 0)
    starts = np.array([span.start for span in spans], dtype=np.intp)
    return np.add.reduceat(weights.take(inside, axis), starts, axis)


def _label(pieces: Sequence[str]) -> str:
    """The text of a word; a character outside the vocabulary is spelled in bytes, `<0xE2>`."""
    matches = [(piece, _BYTE.fullmatch(piece)) for piece in pieces]
    text = b"".join(
        bytes.fromhex(byte[1]) if byte else piece.encode() for piece, byte in matches
    ).decode(errors="replace")
    return text.strip(_SPACE)


def argmax_links(word_weights: npt.NDArray[np.float32]) -> frozenset[Link]:
    """Links each target word to the source word it attends to most, if it attends to any."""
    if not word_weights.size:
        return frozenset()
    best = word_weights.argmax(axis=1).tolist()
    return frozenset(
        (source, target) for target, source in enumerate(best) if word_weights[target, source] > 0
    )


def threshold_links(word_weights: npt.NDArray[np.float32], threshold: float) -> frozenset[Link]:
    """Links each target word to all source words whose weight is the threshold or more.

    A word may have several links or none. Rows sum to at most 1: from a threshold above 0.5 on, a
    target word has one link at most.
    """
    targets, sources = np.nonzero(word_weights >= threshold)
    return frozenset(zip(sources.tolist(), targets.tolist(), strict=True))


def score_links(predicted: Sequence[frozenset[Link]], gold: Sequence[GoldLinks]) -> AlignmentScore:
    """Scores predicted links A against sure S and possible P (Och & Ney 2003, section 6).

    recall = |A ∩ S| / |S|,  precision = |A ∩ P| / |A|,
    AER = 1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|),  F1 = 2 precision recall / (precision + recall)

    Counts are summed over the corpus before they are divided; a share of nothing is 1.

    Raises:
        DataError: there is nothing to score, or the counts of sentences differ.
    """
    if len(predicted) != len(gold):
        raise DataError(
            f"{len(predicted)} sentences of links but {len(gold)} of gold links; "
            "they must correspond line for line"
        )
    if not gold:
        raise DataError("no alignments to score; give at least one sentence")
    pairs = list(zip(predicted, gold, strict=True))
    in_sure = sum(len(links & truth.sure) for links, truth in pairs)
    in_possible = sum(len(links & truth.possible) for links, truth in pairs)
    links_total = sum(len(links) for links in predicted)
    sure_total = sum(len(truth.sure) for truth in gold)
    precision, recall = _share(in_possible, links_total), _share(in_sure, sure_total)
    return AlignmentScore(
        aer=1 - _share(in_sure + in_possible, links_total + sure_total),
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / (precision + recall) if precision + recall else 0.0,
    )


def aer(predicted: Sequence[frozenset[Link]], gold: Sequence[GoldLinks]) -> float:
    """The alignment error rate alone, as `score_links`."""
    return score_links(predicted, gold).aer


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0
