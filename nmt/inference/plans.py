"""Plans: the constraints of a sentence, as pieces spell them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nmt.data.constraints import Constraints
from nmt.data.phrases import contains_forbidden, contains_required, divided, folded, forms
from nmt.inference.phrases import Phrase
from nmt.inference.prefix import BITS
from nmt.inference.spelling import Spelling


@dataclass(frozen=True)
class Plan:
    """The constraints of a sentence: texts are normalized, and spelled as the model does."""

    spelling: Spelling
    prefix: str
    require: tuple[str, ...]
    forbid: tuple[str, ...]
    completes: bool  # the last word of the prefix may be completed

    @classmethod
    def of(cls, constraints: Constraints, spelling: Spelling) -> "Plan":
        """Returns the plan for constraints."""
        normalized = spelling.normalized
        # In all forms, since the model may have read several; what is invisible is "".
        spellings = (form for phrase in constraints.forbid for form in forms(phrase))
        forbidden = filter(None, map(spelling.written, spellings))
        return cls(
            spelling,
            prefix=normalized(constraints.prefix.rstrip()),
            require=tuple(normalized(each) or each for each in constraints.require),
            forbid=tuple(dict.fromkeys(forbidden)),
            completes=not constraints.prefix[-1:].isspace(),
        )

    @cached_property
    def forced(self) -> list[int]:
        """The tokens of the prefix, without those of a word that may be completed."""
        return self._divided[0]

    @cached_property
    def rest(self) -> str:
        """The text of the prefix that the search spells as it likes; "" for none."""
        return self._divided[1]

    @cached_property
    def _divided(self) -> tuple[list[int], str]:
        """Divides the prefix before the piece in which its last word begins.

        A last word of too many characters for `Completion` is forced as it is.
        """
        tokens = self.spelling.pieces(self.prefix)
        texts = [self.spelling.texts[token] for token in tokens]
        if not self.completes or not all(texts):
            return tokens, ""
        text = "".join(texts).rstrip(" ")
        place = next((i for i in range(len(text) - 1, 0, -1) if divided(text, i)), 0)
        place -= text[place - 1 : place] == " "
        ends = np.cumsum([len(each) for each in texts])
        first = int(np.searchsorted(ends, place, side="right"))
        rest = text[int(ends[first - 1]) if first else 0 :]
        return (tokens[:first], rest) if len(rest) <= BITS else (tokens, "")

    @property
    def ends_without_space(self) -> bool:
        """Whether what follows has to divide itself from the prefix, whose last word is complete.

        Some models write spaces behind words, and then the prefix ends with one.
        """
        complete = bool(self.forced) and not self.completes
        return complete and not self.spelling.texts[self.forced[-1]].endswith(" ")

    @property
    def required(self) -> list[Phrase]:
        """The required phrases, as the model writes them."""
        turned, mirrored = self.spelling.turned, self.spelling.mirrored
        return [Phrase(turned(each), capital=not mirrored) for each in self.require]

    @property
    def forbidden(self) -> list[Phrase]:
        """The forbidden phrases, as the model writes them."""
        return [Phrase(self.spelling.turned(e), any_case=folded(e) == e) for e in self.forbid]

    @property
    def needed(self) -> set[int]:
        """The tokens that spell what has to be there."""
        texts = (self.prefix, *self.require)
        return {token for text in texts for token in self.spelling.pieces(text)}

    def impossible(self, longest: int) -> str | None:
        """Returns why no translation of at most `longest` pieces can satisfy it, if none can."""
        complete = self.prefix.removesuffix(self.rest.lstrip(" "))
        for text in (self.prefix, *self.require):
            visible = not text or self.spelling.normalized(text)
            # A prefix is forced token by token; phrases are found by what the pieces spell.
            if not (visible and self.spelling.can_spell(text, in_bytes=text == self.prefix)):
                return f"no pieces of the model spell {text!r}"
            if len(self.spelling.pieces(text)) >= longest:
                return f"{text!r} has too many pieces for a translation of {longest - 1} at most"
        for text in (complete, *self.require):
            for phrase in self.forbid:
                if contains_forbidden(text, phrase):
                    return f"{phrase!r} is forbidden, and {text!r} has it"
        return None

    def missed(self, text: str) -> str | None:
        """Returns which constraint a translation does not satisfy, if there is one."""
        if not text.startswith(self.prefix):
            return f"no translation was found that begins with {self.prefix!r}"
        for phrase in self.require:
            if not contains_required(text, phrase):
                return f"no translation was found that has {phrase!r}"
        for phrase in self.forbid:
            if contains_forbidden(text, phrase):
                return f"no translation was found without {phrase!r}"
        return None
