"""Which model a text is for: by name, by languages, and by what its vocabulary spells best."""

import math
from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException

from nmt.data.tokenizer import Tokenizer
from nmt.serving.answers import Answer
from nmt.serving.model import Served

READ = 1_000  # characters of a text that tell its language


class Guess(Answer):
    """A language that a text may be in."""

    language: str
    confidence: float
    """From 0 to 100; all guesses sum to 100."""


def guesses(text: str, vocabularies: Mapping[str, Tokenizer]) -> list[Guess]:
    """Returns how well the vocabularies of languages fit a text, best first.

    A language is as likely as its vocabulary is thrifty: each piece more that it needs for the text
    makes it e times less likely, and so does each character that no piece spells. Languages that
    share a vocabulary are equally likely.
    """
    pieces = {name: _pieces(text[:READ], each) for name, each in vocabularies.items()}
    least = min(pieces.values())
    weights = {name: math.exp(least - number) for name, number in pieces.items()}
    total = sum(weights.values())
    ranked = sorted(weights, key=weights.__getitem__, reverse=True)
    return [
        Guess(language=name, confidence=round(100 * weights[name] / total, 1)) for name in ranked
    ]


def _pieces(text: str, tokenizer: Tokenizer) -> int:
    unspelled = tokenizer.unspelled
    return sum(
        max(1, end - begin) if piece in unspelled else 1
        for piece, (begin, end) in zip(tokenizer.encode(text), tokenizer.offsets(text), strict=True)
    )


def vocabularies(models: Sequence[Served], *, targets: bool = False) -> dict[str, Tokenizer]:
    """Returns the vocabulary of each language that models read, or of those they write too."""
    found = dict[str, Tokenizer]()
    for each in models:
        found.setdefault(each.source, each.translator.tokenizers.source)
    for each in models if targets else ():
        found.setdefault(each.target, each.translator.tokenizers.target)
    return found


def chosen(
    models: Sequence[Served],
    text: str,
    *,
    source: str | None,
    target: str | None,
    name: str | None = None,
    guessed: Sequence[Guess] = (),
) -> Served:
    """Returns the model for a text: of this name, or the first one for these languages.

    If they leave several source languages, it is the best of `guessed`, or else of new guesses.

    Raises:
        HTTPException: there is none (400; 404 for an unknown name).
    """
    named = [each for each in models if name in (None, each.name)]
    if not named:
        known = ", ".join(each.name for each in models)
        raise HTTPException(404, f"model: no model {name!r} here; there are: {known}")
    found = [
        each
        for each in named
        if source in (None, "auto", each.source) and target in (None, each.target)
    ]
    if not found:
        pairs = ", ".join(dict.fromkeys(f"{each.source} to {each.target}" for each in named))
        asked = " to ".join("any language" if e is None else e or "''" for e in (source, target))
        raise HTTPException(400, f"no model translates from {asked}; there are: {pairs}")
    readable = vocabularies(found)
    if len(readable) == 1:
        return found[0]
    ranked = [each.language for each in guessed or guesses(text, readable)]
    best = next(language for language in ranked if language in readable)
    return next(each for each in found if each.source == best)
