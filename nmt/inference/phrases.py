"""Phrases in what hypotheses write, found whatever pieces spell them: an automaton of tokens.

Its places are how far a phrase of m characters has been written: place j when its first j are, and
one more place when it is there as whole words. Three places come before those of all phrases. An
edge leads from one place to another by a token whose text is what lies between them. Many places
are active at a time, since a text may be the beginning of several phrases.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import struct
from jaxtyping import Array, Bool, Int

from nmt.data.phrases import capitalized, folded, joins
from nmt.inference.hypotheses import AnyArray
from nmt.inference.spelling import Part, Spelling
from nmt.types import LastTokens, LogProbs

ALWAYS, BEGIN, BOUNDARY, FIRST = range(4)  # active always, before the text, where a word may begin

Ints = npt.NDArray[np.int32]


class Phrase(NamedTuple):
    """A phrase, as the model writes it."""

    text: str
    any_case: bool = False
    capital: bool = False  # at the beginning of the text, its first letter may be a capital

    @property
    def places(self) -> int:
        """The number of its places in an automaton."""
        return len(self.text) + 1


@lru_cache(maxsize=4096)
def edges(spelling: Spelling, phrase: Phrase) -> Ints:
    """Returns the edges (token, place before, place after) of an automaton for one phrase."""
    text, whole = phrase.text, FIRST + len(phrase.text)
    free = not joins(text[-1])  # its end is one of whole words, whatever follows
    found = []
    for begin in range(len(text)):
        for end in range(begin + 1, len(text) + 1):
            for part in spelling.parts.get(folded(text[begin:end]), ()):
                if (part.begins and begin > 0) or (part.ends and end < len(text)):
                    continue
                after = whole if end == len(text) and (part.ends or free) else FIRST + end - 1
                for before in _before(spelling, phrase, part, begin, end):
                    found.append((part.token, before, after))
    return np.array(found, np.int32).reshape(-1, 3)


def _before(spelling: Spelling, phrase: Phrase, part: Part, begin: int, end: int) -> Iterator[int]:
    """Yields the place from which a part of a token leads on, if it is text of the phrase."""
    if phrase.any_case or part.text == phrase.text[begin:end]:
        inside = part.begins or not joins(phrase.text[0])
        yield FIRST + begin - 1 if begin else ALWAYS if inside else BOUNDARY
    elif phrase.capital and not begin and part.text == capitalized(phrase.text)[:end]:
        yield from [BEGIN] if spelling.texts[part.token].lstrip().startswith(part.text) else []


@struct.dataclass
class Automaton:
    """An automaton for the phrases of each sentence; its state is which places are active."""

    tokens: Int[AnyArray, "row edge"]  # -1: no edge
    before: Int[AnyArray, "row edge"]
    after: Int[AnyArray, "row edge"]
    whole: Bool[AnyArray, "row place"]  # the last place of each phrase
    opens: Bool[AnyArray, "row vocab"]  # whether a word may begin after the token
    joins: Bool[AnyArray, "row vocab"]  # whether the token goes on with a word before it

    @property
    def written(self) -> Bool[Array, "row place"]:
        """The place of each phrase at which it is there as whole words if the next token agrees."""
        return jnp.roll(self.whole, -1, axis=1)

    def start(self) -> Bool[Array, "row place"]:
        """Returns the state before the first token is read, `bos`."""
        return jnp.zeros(self.whole.shape, bool).at[:, ALWAYS].set(True)

    def read(self, state: Bool[Array, "row place"], tokens: LastTokens) -> Bool[Array, "row place"]:
        """Returns the state after one more token of each hypothesis."""
        rows = jnp.arange(len(tokens))
        used = self.leading(state) & (self.tokens == tokens[:, None])
        after = jnp.zeros(state.shape, bool).at[rows[:, None], self.after].max(used)
        divided = ~self.joins[rows, tokens][:, None]
        after |= (state & self.whole) | jnp.roll(state & self.written & divided, 1, axis=1)
        return after.at[:, ALWAYS].set(True).at[:, BOUNDARY].set(self.opens[rows, tokens])

    def leading(self, state: Bool[Array, "row place"]) -> Bool[Array, "row edge"]:
        """Returns which edges lead on from an active place."""
        return jnp.take_along_axis(state, self.before, axis=1)


@struct.dataclass
class ForbiddenPhrases:
    """A processor that forbids what would complete a phrase as whole words."""

    phrases: Automaton

    def start(self, rows: int, length: int) -> Bool[Array, "row place"]:
        """Returns the automaton's state."""
        return self.phrases.start()

    def __call__(
        self, state: Bool[Array, "row place"], tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[Bool[Array, "row place"], LogProbs]:
        """Forbids the last token of a phrase, or what would end the word when it is written."""
        phrases = self.phrases
        state = phrases.read(state, tokens)
        completes = jnp.take_along_axis(phrases.whole, phrases.after, axis=1)
        last = jnp.where(phrases.leading(state) & completes, phrases.tokens, log_probs.shape[1])
        rows = jnp.arange(len(tokens))[:, None]
        log_probs = log_probs.at[rows, last].set(-jnp.inf, mode="drop")
        written = jnp.any(state & phrases.written, axis=1, keepdims=True)
        return state, jnp.where(written & ~phrases.joins, -jnp.inf, log_probs)
