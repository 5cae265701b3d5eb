"""The arrays that a search needs for the constraints of the sentences of a batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from nmt.inference.allocation import RequiredPhrases
from nmt.inference.batches import width_of
from nmt.inference.phrases import ALWAYS, BEGIN, FIRST, Automaton, ForbiddenPhrases, Phrase, edges
from nmt.inference.plans import Plan
from nmt.inference.prefix import BITS, Completion, Prefix
from nmt.inference.processors import Processor
from nmt.inference.spelling import Spelling

Ids = npt.NDArray[np.int32]
FEWEST = 32  # the smallest size of an axis; beyond it sizes are powers of four times it


class Rules(NamedTuple):
    """What a search needs for the constraints of the sentences of a batch."""

    processors: tuple[Processor, ...] = ()
    required: RequiredPhrases | None = None
    prefix: Prefix | None = None

    @classmethod
    def of(cls, plans: Sequence[Plan], size: int, listed: Ids | None = None) -> "Rules":
        """Returns the rules for a batch of so many rows; the first ones have these plans."""
        return Arrays(plans[0].spelling, size, listed).rules(plans) if plans else cls()


@dataclass(frozen=True)
class Arrays:
    """Makes the arrays for a batch of so many rows.

    Tokens are entries of lists, if there are any: `listed`, (row, entry), with -1 for no token.
    """

    spelling: Spelling
    size: int
    listed: Ids | None = None

    def rules(self, plans: Sequence[Plan]) -> Rules:
        """Returns the rules for sentences with these plans, one in each of the first rows."""
        processors: list[Processor] = []
        if any(plan.prefix for plan in plans):
            processors.append(self.completion(plans))
        if any(plan.forbid for plan in plans):
            processors.append(ForbiddenPhrases(self.automaton([e.forbidden for e in plans])))
        return Rules(
            tuple(processors),
            self.required(plans) if any(plan.require for plan in plans) else None,
            self.prefix(plans) if any(plan.forced for plan in plans) else None,
        )

    def prefix(self, plans: Sequence[Plan]) -> Prefix:
        """Returns the forced tokens."""
        lengths = self._rows([len(plan.forced) for plan in plans])
        tokens = np.zeros((self.size, width_of(int(lengths.max()))), np.int32)
        for row, plan in enumerate(plans):
            tokens[row, : len(plan.forced)] = self._entries(row, plan.forced)
        return Prefix(tokens, lengths)

    def completion(self, plans: Sequence[Plan]) -> Completion:
        """Returns the processor for the last words of prefixes."""
        spelling = self.spelling
        begins = [int(spelling.sizes[plan.forced].sum()) for plan in plans]
        next_word = [plan.ends_without_space for plan in plans]
        ends = [
            begin + max(len(plan.rest), after)
            for begin, plan, after in zip(begins, plans, next_word, strict=True)
        ]
        allowed = np.full((self.size, len(spelling.texts)), np.int32(-1 << BITS))
        for row, (plan, after) in enumerate(zip(plans, next_word, strict=True)):
            if after:
                allowed[row] |= ~spelling.joins
            for place in range(len(plan.rest)):
                allowed[row, spelling.compatible(plan.rest[place:])] |= 1 << place
        if self.listed is not None:
            allowed = np.take_along_axis(allowed, self.listed, axis=1)
        sizes = self._columns(spelling.sizes)
        return Completion(self._rows(begins), self._rows(ends), allowed, sizes)

    def required(self, plans: Sequence[Plan]) -> RequiredPhrases:
        """Returns the required phrases."""
        phrases = [plan.required for plan in plans]
        automaton = self.automaton(phrases)
        places = automaton.whole.shape[1]
        most = max(4, 1 << (max(map(len, phrases)) - 1).bit_length())
        owned = np.zeros((self.size, most, places), bool)
        pieces = np.zeros((self.size, places), np.int32)
        for row, plan in enumerate(plans):
            place = FIRST
            for number, phrase in enumerate(plan.required):
                owned[row, number, place : place + phrase.places] = True
                tokens = self.spelling.pieces(plan.require[number])
                ends = self.spelling.ends(tokens, phrase.text)
                pieces[row, place : place + phrase.places] = np.searchsorted(
                    ends, np.arange(1, phrase.places + 1), side="right"
                )
                place += phrase.places
        return RequiredPhrases(automaton, owned, pieces)

    def automaton(self, phrases: Sequence[Sequence[Phrase]]) -> Automaton:
        """Returns the automaton for the phrases of each sentence."""
        spelling = self.spelling
        blank = [token for token, text in enumerate(spelling.texts) if text.isspace()]
        common = [
            (spelling.tokenizer.bos, ALWAYS, BEGIN),
            *((each, BEGIN, BEGIN) for each in blank),
        ]
        found = []
        whole = np.zeros((self.size, _size(FIRST + max(map(_places, phrases)))), bool)
        for row, each in enumerate(phrases):
            parts, place = [np.array(common, np.int32)], FIRST
            for phrase in each:
                part = edges(spelling, phrase)
                shifts = np.where(part[:, 1:] >= FIRST, place - FIRST, 0)
                parts.append(np.hstack([part[:, :1], part[:, 1:] + shifts]))
                place += phrase.places
                whole[row, place - 1] = True
            joined = np.concatenate(parts).astype(np.int32)
            joined[:, 0] = self._entries(row, joined[:, 0])
            found.append(joined[joined[:, 0] >= 0])
        every = np.full((self.size, _size(max(map(len, found))), 3), (-1, 0, 0), np.int32)
        for row, joined in enumerate(found):
            every[row, : len(joined)] = joined
        tokens, before, after = np.moveaxis(every, 2, 0)
        return Automaton(
            tokens,
            before,
            after,
            whole,
            self._columns(spelling.opens),
            self._columns(spelling.joins),
        )

    def _entries(self, row: int, tokens: Sequence[int] | Ids) -> Ids:
        """Returns the entries of tokens in the list of a row, -1 where it has none."""
        wanted = np.asarray(tokens, np.int32)
        if self.listed is None:
            return wanted
        order = np.argsort(self.listed[row], kind="stable")
        places = np.searchsorted(self.listed[row], wanted, sorter=order)
        entries = order[np.minimum(places, len(order) - 1)]
        return np.where(self.listed[row][entries] == wanted, entries, -1).astype(np.int32)

    def _columns(self, of_tokens: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns what each row has for its entries."""
        if self.listed is not None:
            return of_tokens[self.listed]
        return np.broadcast_to(of_tokens, (self.size, len(of_tokens)))

    def _rows(self, values: Sequence[int]) -> Ids:
        """Returns a value for each row, 0 for those of padding."""
        return np.array([*values, *[0] * (self.size - len(values))], np.int32)


def _places(phrases: Sequence[Phrase]) -> int:
    return sum(phrase.places for phrase in phrases)


def _size(least: int) -> int:
    """Returns the size of an axis: one of few, so that few programs are compiled."""
    size = FEWEST
    while size < least:
        size *= 4
    return size
