"""Sentences of a line, by rules for any script or by sentencex, and parts of a long sentence.

Nothing is lost: the parts that a function returns, joined, are the text.
"""

from bisect import bisect, bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, pairwise

import regex

from nmt.config.splitting import SentenceRules
from nmt.data.phrases import CHARACTER
from nmt.errors import DataError

# Words before a name, a number or an explanation: their period ends no sentence.
ABBREVIATIONS = (
    "Abb Abs Apr Art Aug Bd Capt Col Dec Dez Dr Feb Fig Fr Gen Hr Hrn Jan Jr Lt Mag Mlle Mme Mr "
    "Mrs Ms Nov Nr Núm Oct Okt Op Prof Rev Sen Sept Sgt Sr Sra St Ste Str Tab Tel Vol "
    "approx bzw ca cf evtl ggf inkl pp sog vgl vs"
)
_ABBREVIATED = rf"(?<=(?<![\p{{L}}\p{{M}}])(?:\p{{L}}\p{{M}}*+|{'|'.join(ABBREVIATIONS.split())}))"
# Characters for private use: what is copied into a sentence of a document, such as <br>.
SIGNS = range(0xF0000, 0xFFFFE)
_ORDINAL = r"(?<=(?<!\d)\d{1,2})"  # 3. Mai
_SIGN = "[.!?…‼⁇⁈⁉‽]"
_GREEK_QUESTION = r"(?<=\p{Greek}\p{M}*)[;\u037e]"
# A run of signs is tried once, from its first one: from each of them, it would take quadratic time.
_SENTENCE = regex.compile(
    rf"""
    (?: (?<=\s)[.!?](?:\s[.!?\p{{Pe}}\p{{Pf}}])*+(?=\s)  # a word by itself, in tokenized text
      | (?<!{_SIGN})(?:(?:{_ABBREVIATED}|{_ORDINAL})\.)?+(?:{_SIGN}|{_GREEK_QUESTION})++
        (?:\s?[\p{{Pe}}\p{{Pf}}]|[\p{{Pi}}"'])*+(?:(?=\s)|[{chr(SIGNS[0])}-{chr(SIGNS[-1])}]++)
        (?=[\s\p{{P}}\p{{S}}]{{0,99}}+\P{{Ll}})
      | (?!．\p{{Nd}})[\p{{Sentence_Terminal}}--[.!?]]++  # of scripts without a space behind it
        [\p{{Pe}}\p{{Pf}}"']*+
    )\s*+""",
    regex.VERBOSE | regex.V1,
)
_CLAUSE = regex.compile(
    r"""
    (?<!\p{P})(?=[\p{P}--[\p{Terminal_Punctuation}…–—]]*+[\p{Terminal_Punctuation}…–—])\p{P}++\s++
      | [\p{Terminal_Punctuation}--[\x00-\x7f]]++\s*+""",
    regex.VERBOSE | regex.V1,
)
_SPACE = regex.compile(r"\s++")


def sentences(text: str, *, rules: SentenceRules = "own", language: str = "") -> list[str]:
    """Returns the sentences of a text, each with the spaces behind it.

    The own rules need no language: a sentence ends at a terminal sign of its script. After `.`,
    `!`, `?` and the `;` of Greek there must be a space or one of `SIGNS`, and no lower-case letter;
    the period of a number of one or two digits, of a single letter and of some abbreviations ends
    none.

    Raises:
        DataError: sentencex is asked for, and not installed.
    """
    if rules == "sentencex":
        return _by_sentencex(text, language)
    ends = [0, *(match.end() for match in _SENTENCE.finditer(text)), len(text)]
    return [text[begin:end] for begin, end in pairwise(ends) if begin < end]


def divided(text: str, fits: Callable[[str], bool]) -> Iterator[str]:
    """Yields parts of a text that fit, the longest that end at a good place.

    The place is behind the last sign that ends a clause, if at least half of the characters that
    would fit are before it, else behind such a space, else behind any character. Only a single
    character may not fit.
    """
    signs, spaces, characters = (
        [match.end() for match in pattern.finditer(text)]
        for pattern in (_CLAUSE, _SPACE, CHARACTER)
    )
    begin = 0
    while begin < len(text):
        end = _longest(text, begin, characters, fits)
        if end < len(text):
            half = begin + (end - begin) / 2
            good = (ends[bisect(ends, half) : bisect(ends, end)][::-1] for ends in (signs, spaces))
            end = next((each for each in chain(*good) if fits(text[begin:each])), end)
        yield text[begin:end]
        begin = end


def _longest(text: str, begin: int, ends: Sequence[int], fits: Callable[[str], bool]) -> int:
    """Returns the last of the ends up to which the text fits, or the first behind `begin`."""
    first = bisect(ends, begin)
    stop = first + 64
    while stop < len(ends) and fits(text[begin : ends[stop]]):
        stop += stop - first
    stop = min(stop, len(ends))
    found = bisect_left(ends, True, first, stop, key=lambda end: not fits(text[begin:end]))
    return ends[max(found - 1, first)]


def _by_sentencex(text: str, language: str) -> list[str]:
    """Returns the sentences that sentencex finds, by the rules of a language if it knows it."""
    try:
        import sentencex
    except ImportError:
        raise DataError(
            "sentencex is not installed, and decoding.split.sentences asks for it: pip install "
            "sentencex"
        ) from None
    code = regex.split("[-_]", language.lower())[0]
    # Its version 1.0.32 fails where some spaces of several bytes are beside a period.
    found = sentencex.segment(code, regex.sub(r"\s", " ", text))
    ends = accumulate(map(len, found))
    return [text[end - len(part) : end] for part, end in zip(found, ends, strict=True)]
