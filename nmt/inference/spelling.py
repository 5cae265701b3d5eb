"""What target pieces spell: by which of them, in any segmentation, a text can be written."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from nmt.data.phrases import divided, folded, forms, joins
from nmt.data.tokenizers import Tokenizers

Flags = npt.NDArray[np.bool_]  # of each token
LAST = "\U0010ffff"  # it comes after every text in the order of strings


class Part(NamedTuple):
    """A part of the text of a token, between places at which words may be divided."""

    token: int
    text: str
    begins: bool  # inside the token, not with it
    ends: bool


class Spelling:
    """The texts of target tokens, in the order in which the model writes.

    If it writes from right to left, all texts are mirrored, so that those of its tokens, side by
    side, are the mirrored translation.
    """

    def __init__(self, tokenizers: Tokenizers) -> None:
        self.tokenizer = tokenizers.target
        self.mirrored = tokenizers.reverse_target
        self._turned = slice(None, None, -1 if self.mirrored else 1)
        specials = [self.tokenizer.bos, self.tokenizer.eos, self.tokenizer.pad]
        silent = {*self.tokenizer.unspelled, *specials}
        pieces = self.tokenizer.pieces(range(self.tokenizer.size))
        self.texts = [
            "" if token in silent else self.turned(piece.replace("▁", " "))
            for token, piece in enumerate(pieces)
        ]
        # A byte is a part of some letter; `<unk>` stands for a word of its own.
        self.sizes = np.array([max(len(text), 1) for text in self.texts], np.int32)
        self.sizes[specials] = 0
        of_bytes = self.tokenizer.unspelled - {self.tokenizer.unk}
        self.joins: Flags = self._flags(text[:1] for text in self.texts)
        self.opens: Flags = ~self._flags(text[-1:] for text in self.texts)
        self.joins[list(of_bytes)], self.opens[list(of_bytes)] = True, False

    @staticmethod
    @lru_cache(maxsize=8)  # models of a server, which are asked in turn
    def of(tokenizers: Tokenizers) -> "Spelling":
        """Returns the spelling of tokenizers, the same one again for the same ones."""
        return Spelling(tokenizers)

    @staticmethod
    def _flags(characters: Iterator[str]) -> Flags:
        return np.array([joins(each) for each in characters], bool)

    def turned(self, text: str) -> str:
        """Returns a text as the model writes it, or from there as it is read."""
        return text[self._turned]

    def normalized(self, text: str) -> str:
        """Returns a text as the model can write it, with the spaces at its end left out.

        Of the Unicode forms of a text it is the one with the fewest bytes, then the fewest pieces:
        a model that has read `ọ́` as NFC writes a text in NFD byte by byte, if at all.
        """
        return self.written(min(forms(text), key=self._cost))

    def written(self, text: str) -> str:
        """Returns a text as the model writes this form of it, without spaces at its end."""
        tokens = self.tokenizer.encode(text)
        return text if self.tokenizer.unk in tokens else self.tokenizer.decode(tokens)

    def _cost(self, text: str) -> tuple[int, int]:
        """Returns how many bytes, and how many tokens, spell a text."""
        tokens = self.tokenizer.encode(text)
        return sum(token in self.tokenizer.unspelled for token in tokens), len(tokens)

    def can_spell(self, text: str, *, in_bytes: bool) -> bool:
        """Returns whether pieces spell all of a text, bytes among them or not."""
        lacking = {self.tokenizer.unk} if in_bytes else self.tokenizer.unspelled
        return lacking.isdisjoint(self.tokenizer.encode(text))

    def pieces(self, text: str) -> list[int]:
        """Returns the tokens that write a text, in the order of the model."""
        return self.tokenizer.encode(text)[self._turned]

    def ends(self, tokens: Sequence[int], phrase: str) -> npt.NDArray[np.int64]:
        """Returns at how many characters of a phrase each of the tokens that spell it ends."""
        texts = [self.texts[token] for token in tokens]
        joined = "".join(texts)
        before = len(joined) - len(joined.lstrip())
        return np.clip(np.cumsum([len(each) for each in texts]) - before, 0, len(phrase))

    @cached_property
    def parts(self) -> dict[str, list[Part]]:
        """The parts of all tokens by their folded text."""
        found = defaultdict(list)
        for token, text in enumerate(self.texts):
            cuts = [place for place in range(1, len(text)) if divided(text, place)]
            for begin in (0, *cuts):
                for end in (*cuts, len(text)):
                    if begin < end:
                        part = Part(token, text[begin:end], begin > 0, end < len(text))
                        found[folded(part.text)].append(part)
        return dict(found)

    @cached_property
    def _sorted(self) -> tuple[list[str], npt.NDArray[np.int64]]:
        order = sorted(range(len(self.texts)), key=self.texts.__getitem__)
        return [self.texts[token] for token in order], np.array(order)

    def compatible(self, text: str) -> npt.NDArray[np.int64]:
        """Returns the tokens that begin a text, or begin with it."""
        texts, tokens = self._sorted
        longer = tokens[bisect_left(texts, text) : bisect_left(texts, text + LAST)]
        begun = [
            tokens[bisect_left(texts, part) : bisect_left(texts, part + "\0")]
            for part in (text[:end] for end in range(1, len(text)))
        ]
        return np.concatenate([longer, *begun])
