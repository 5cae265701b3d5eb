"""The translation of a line from those of its parts: text, pieces, attention and places."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import islice, pairwise

import numpy as np
import numpy.typing as npt
import regex

from nmt.data.phrases import UNSPACED
from nmt.data.sentences import SIGNS
from nmt.data.tokenizer import Spans
from nmt.data.tokenizers import Tokenizers
from nmt.evaluation.words import END
from nmt.inference.splitting import DividedLine, Part
from nmt.inference.translation import Translation, distinct, empty_translation
from nmt.inference.unseen import kind, remainders

LARGEST = 2**28  # weights of a line, a gigabyte: some 16,000 pieces on each side

Combination = tuple[Translation, ...]  # a translation of each part

_IDEOGRAPHIC = regex.compile(  # of scripts without spaces between sentences
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Block=CJK_Symbols_And_Punctuation}"
    r"\p{Block=Halfwidth_And_Fullwidth_Forms}]"
)


@dataclass(frozen=True)
class Joiner:
    """Joins the translations of the parts of a line."""

    tokenizers: Tokenizers
    copy_unseen: bool = True  # as it was when they were translated
    attention: bool = True  # without, that of a joined line is NaN, and takes no memory

    def joined(
        self, line: DividedLine, found: Sequence[Sequence[Translation]], n_best: int
    ) -> list[Translation]:
        """Returns the `n_best` translations of a line, given those of each part, best first.

        The best one has the best translation of each part. The score is the mean of the scores of
        the parts, and so is the utility; the log-probability is the sum. A combination with more
        parts that are cut comes later. If the matrix `is_too_large`, the parts alone have pieces
        and attention.
        """
        if len(line.parts) == 1:
            return list(found[0])
        ranked = (self._joined(line, each) for each in _combinations(found, n_best))
        return list(distinct(ranked))

    def _joined(self, line: DividedLine, found: Combination) -> Translation:
        text, places = _text(line.text, line.parts, found)
        read = [each for each in found if each.attention.size]
        whole = replace(
            empty_translation(line.text, text, found[0].word_boundaries),
            score=sum(each.score for each in read) / max(1, len(read)),
            log_prob=sum(each.log_prob for each in read),
            utility=_utility(read),
            method=_method(read),
            parts=found,
        )
        attention = _blocks(read) if self.attention else _unknown(read)
        if not attention.size:
            return whole
        targets = map(self._target_spans, found)
        return replace(
            whole,
            source_pieces=_pieces([each.source_pieces for each in read]),
            target_pieces=_pieces([each.target_pieces for each in read]),
            piece_log_probs=_log_probs(read),
            attention=attention,
            source_offsets=[
                span
                for part, each in zip(line.parts, found, strict=True)
                for span in part.spans(self._source_spans(each))
            ],
            target_offsets=[
                (place + begin, place + end)
                for place, spans in zip(places, targets, strict=True)
                for begin, end in spans
            ],
        )

    def _source_spans(self, found: Translation) -> Spans:
        """Returns the places of the pieces of a part, without its end, in its source."""
        if found.source_offsets is not None:
            return list(found.source_offsets)
        tokenizer = self.tokenizers.source
        ((remainder,), _) = remainders(tokenizer, [found.source], copy=self.copy_unseen)
        return remainder.spans(tokenizer.offsets(remainder.text)[: len(found.source_pieces) - 1])

    def _target_spans(self, found: Translation) -> Spans:
        """Returns the places of the pieces of a part, without its end, in its text."""
        if found.target_offsets is not None:
            return list(found.target_offsets)
        tokenizer, pieces = self.tokenizers.target, found.target_pieces
        return tokenizer.decoded_offsets(tokenizer.ids(pieces[: _written(pieces)]))


def is_too_large(found: Iterable[Translation]) -> bool:
    """Whether one matrix of all pieces of the parts would be larger than `LARGEST`."""
    shapes = [each.attention.shape for each in found]
    return sum(rows for rows, _ in shapes) * sum(columns for _, columns in shapes) > LARGEST


def parts_of(translations: Iterable[Translation]) -> list[Translation]:
    """Returns translations, and the parts of those that are joined in their place."""
    return [part for each in translations for part in each.parts or (each,)]


def with_parts(
    translations: Iterable[Translation], parts: Iterable[Translation]
) -> list[Translation]:
    """Returns translations with other explanations of what `parts_of` returns of them."""
    done = iter(parts)
    return [
        _with_parts(each, tuple(islice(done, len(each.parts)))) if each.parts else next(done)
        for each in translations
    ]


def _with_parts(joined: Translation, parts: tuple[Translation, ...]) -> Translation:
    """Returns a joined translation with the matrices of other explanations of its parts."""
    read = [each for each in parts if each.attention.size]
    return replace(joined, parts=parts, attention=_blocks(read), method=_method(read))


def _method(read: Sequence[Translation]) -> str:
    """Returns the method of explanation of the parts, which all have the same."""
    return read[0].method if read else "attention"


def _combinations(found: Sequence[Sequence[Translation]], number: int) -> list[Combination]:
    """Returns the combinations with the fewest parts that are cut, and then the best scores."""
    best: list[Combination] = [()]
    for ranked in found:
        longer = ((*combination, each) for combination in best for each in ranked)
        best = nlargest(number, longer, key=_rank)
    return best


def _rank(combination: Combination) -> tuple[int, float]:
    values = (each.score if each.utility is None else each.utility for each in combination)
    return -sum(each.is_cut for each in combination), sum(values)


def _text(line: str, parts: Sequence[Part], found: Combination) -> tuple[str, list[int]]:
    """Returns the joined text of a line, and the places of its parts in it."""
    text, places = found[0].text, [0]
    for (left, right), each in zip(pairwise(parts), found[1:], strict=True):
        text += _space(line, left.end, right.begin, text, each.text)
        places.append(len(text))
        text += each.text
    return text, places


def _space(line: str, end: int, begin: int, before: str, after: str) -> str:
    """Returns what is between two texts: a space, or nothing in a script that has none there.

    In the line there are spaces between `end` and `begin`, or nothing, where a script needs none
    or a word is divided, or behind a sign of a document such as <br>.
    """
    if ord(line[end - 1]) in SIGNS and begin == end:
        return ""
    if not (before and after) or _IDEOGRAPHIC.match(before[-1]) or _IDEOGRAPHIC.match(after):
        return ""
    sign = not line[end - 1].isascii() and kind(line[end - 1]) == "."
    apart = begin > end or (
        (sign or UNSPACED.match(line[end - 1])) and not UNSPACED.match(before[-1])
    )
    return " " if apart else ""


def _pieces(parts: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Returns the pieces of a line: of ends of sentences the last, if no part lacks its own."""
    written = (piece for pieces in parts for piece in pieces[: _written(pieces)])
    return (*written, END) if _ended(parts) else tuple(written)


def _log_probs(read: Sequence[Translation]) -> npt.NDArray[np.float32]:
    """Returns the log-probability of each piece of a line; the last one has those of all ends."""
    written = [each.piece_log_probs[: _written(each.target_pieces)] for each in read]
    ends = [each.piece_log_probs[_written(each.target_pieces) :] for each in read]
    has_end = _ended([each.target_pieces for each in read])
    joined = np.concatenate([*written, np.zeros(int(has_end), np.float32)])
    joined[-1:] += np.concatenate([*ends, np.zeros(1, np.float32)]).sum()
    return joined


def _utility(read: Sequence[Translation]) -> float | None:
    """Returns the mean expected utility of parts, if minimum Bayes risk has chosen them."""
    known = [each.utility for each in read if each.utility is not None]
    return sum(known) / len(known) if known else None


def _blocks(read: Sequence[Translation]) -> npt.NDArray[np.float32]:
    """Returns the attention of a line: the matrices of its parts as blocks along the diagonal.

    The weights of the ends of all parts are in the last column. Of the rows of the ends there is
    the last, if no translation lacks its own. A matrix that `is_too_large` is empty.
    """
    joined = np.zeros(_shape(read), np.float32)
    if not joined.size:
        return joined
    ended = _ended([each.target_pieces for each in read])
    row = column = 0
    for each in read:
        height, width = _written(each.target_pieces), each.attention.shape[1] - 1
        weights = each.attention[: height + (ended and each is read[-1])]
        joined[row : row + len(weights), column : column + width] = weights[:, :-1]
        joined[row : row + len(weights), -1] = weights[:, -1]
        row, column = row + height, column + width
    return joined


def _unknown(read: Sequence[Translation]) -> npt.NDArray[np.float32]:
    """Returns NaN for each weight of the attention of a line."""
    return np.broadcast_to(np.float32(np.nan), _shape(read))


def _shape(read: Sequence[Translation]) -> tuple[int, int]:
    """Returns the pieces of the two sides of a line, or zeros for a matrix that `is_too_large`."""
    if not read or is_too_large(read):
        return 0, 0
    rows = sum(_written(each.target_pieces) for each in read)
    columns = sum(each.attention.shape[1] - 1 for each in read)
    return rows + _ended([each.target_pieces for each in read]), columns + 1


def _written(pieces: Sequence[str]) -> int:
    """Returns the number of pieces before the end of sentence."""
    return len(pieces) - _ended([pieces])


def _ended(parts: Sequence[Sequence[str]]) -> bool:
    return bool(parts) and all(tuple(pieces[-1:]) == (END,) for pieces in parts)
