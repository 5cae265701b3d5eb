"""Cleaning of training corpora: which pairs are no translations that a model should learn.

All rules look at characters, not at words, so that they are the same for languages without spaces.
"""

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from datasets import Dataset, Features, Value
from fontTools import unicodedata as scripts

from nmt.config import CleaningConfig
from nmt.data import fingerprints
from nmt.data.texts import Pair
from nmt.evaluation.scripts import EAST_ASIAN

# In this order; a pair is left out by the first that is true of it.
REASONS = (
    "empty",
    "too long",
    "of too uneven length",
    "with few letters",
    "in another script",
    "not translated",
    "in validation or test",
    "repeated",
)
REPEATED = len(REASONS)
SAMPLE = 1000  # pairs that tell what is usual in a corpus

INVISIBLE, NUMBER, SYMBOL, SHARED = "invisible", "number", "symbol", "shared"
NO_SCRIPT = (INVISIBLE, NUMBER, SYMBOL, SHARED)

_NUMBER = re.compile(r"\d+([.,:]\d+)*")

Codes = npt.NDArray[np.int8]
JUDGED = Features({"reason": Value("int8"), "digest": Value("int64")})


@cache
def kind(character: str) -> str:
    """Returns the script of a letter or mark, as in Unicode's `Latn`, or what else it is.

    Letters of all scripts, such as the Japanese sign of a long vowel, are SHARED.
    """
    category = unicodedata.category(character)
    if category[0] == "Z" or category in ("Cc", "Cf", "Cs"):
        return INVISIBLE
    if category[0] not in "LM" and category not in ("Co", "Cn"):  # letters that Unicode lacks
        return NUMBER if category[0] == "N" else SYMBOL
    script = scripts.script(character)
    if script in ("Zyyy", "Zinh"):
        return SHARED
    # Japanese and Korean mix these, and a sentence may be in any of them.
    return "East Asian" if script in EAST_ASIAN else script


@cache
def is_bare(character: str) -> bool:
    """Returns whether a character is a letter, a mark or a number."""
    return kind(character) not in (INVISIBLE, SYMBOL)


def kinds(text: str) -> Counter[str]:
    """Returns how many characters of each kind a text has; a whole number counts as one.

    So a year is as long beside Chinese characters, each a word or nearly so, as in other scripts.
    """
    return Counter(map(kind, _NUMBER.sub("0", text)))


def visible(counts: Counter[str]) -> int:
    """Returns the number of characters that are seen."""
    return counts.total() - counts[INVISIBLE]


@dataclass(frozen=True)
class Usual:
    """What is usual in a corpus: the script of each side, and how long a target is.

    A sentence counts once for the script of most of its letters, so that long ones decide nothing.
    """

    scripts: tuple[str, str]  # "" where there are no letters
    ratio: float  # characters of targets for each character of sources

    @classmethod
    def of(cls, pairs: Sequence[Pair]) -> "Usual":
        """Returns what is usual among given pairs."""
        sides = [[kinds(text) for text in side] for side in zip(*pairs, strict=True)]
        source, target = (sum(map(visible, side)) for side in sides)
        first, second = (_usual_script(side) for side in sides)
        return cls((first, second), max(target, 1) / max(source, 1))


def _usual_script(side: Sequence[Counter[str]]) -> str:
    votes: Counter[str] = Counter()
    for counts in side:
        letters = {name: count for name, count in counts.items() if name not in NO_SCRIPT}
        votes.update([max(letters, key=letters.__getitem__)] if letters else [])
    return votes.most_common(1)[0][0] if votes else ""


@dataclass(frozen=True)
class Judge:
    """The rules for one pair of a corpus."""

    config: CleaningConfig
    usual: Usual
    held_out: frozenset[int]  # keys of validation and test

    def reason(self, pair: Pair) -> int:
        """Returns the number of the first reason to leave a pair out, from 1, or 0 for none."""
        config, sides = self.config, [kinds(text) for text in pair]
        seen = [visible(counts) for counts in sides]
        if min(seen) == 0:
            return 1
        expected, found = seen[0] * self.usual.ratio, seen[1]
        letters = [count - s[NUMBER] - s[SYMBOL] for count, s in zip(seen, sides, strict=True)]
        told = [count - s[SHARED] for count, s in zip(letters, sides, strict=True)]
        own = [s[script] for s, script in zip(sides, self.usual.scripts, strict=True)]
        broken = (
            config.max_characters is not None and max(seen) > config.max_characters,
            config.max_ratio is not None
            and max(expected, found) > config.max_ratio * min(expected, found),
            any(n < config.min_letters * of for n, of in zip(letters, seen, strict=True)),
            any(n < config.min_script * of for n, of in zip(own, told, strict=True)),
            config.identical and pair[0].split() == pair[1].split(),
            not self.held_out.isdisjoint(keys(pair, config.held_out)),
        )
        return broken.index(True) + 2 if True in broken else 0


def keys(pair: Pair, rule: str | None) -> list[int]:
    """Returns what a pair must not share with a pair of validation or test.

    Sentences count as equal if they have the same letters and digits, whatever their case, spaces
    and punctuation. One without letters and digits has no key.
    """
    if rule is None:
        return []
    bare = [_bare(text) for text in (pair[:1] if rule == "source" else pair)]
    compared = ["\n".join(bare)] if rule == "pair" else bare
    return [digest(text) for text in compared if text.strip()]


def _bare(text: str) -> str:
    return "".join(filter(is_bare, unicodedata.normalize("NFKC", text).casefold()))


def digest(text: str) -> int:
    """Returns 64 bits that tell texts apart: among 10 million, two are alike by chance 1e-6."""
    found = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(found, "big", signed=True)


def judge(
    texts: Sequence[Dataset], config: CleaningConfig, *, held_out: Sequence[Dataset]
) -> list[Codes]:
    """Returns why each pair of each corpus is left out: its number in REASONS from 1, or 0.

    The results of the rules for one pair are on disk, in the cache of Hugging Face datasets. Nine
    bytes for each pair are in memory.

    Args:
        texts: The corpora. A pair is repeated if it stands before in the same or an earlier one.
        config: The rules.
        held_out: The pairs of validation and test.
    """
    known = known_keys(held_out, config)
    judged = [_judged(text, config, known).with_format("arrow")[:] for text in texts]
    reasons = np.concatenate([table["reason"].to_numpy() for table in judged])
    if config.duplicates:
        left = np.flatnonzero(reasons == 0)
        digests = np.concatenate([table["digest"].to_numpy() for table in judged])[left]
        _, first = np.unique(digests, return_index=True)
        reasons[np.delete(left, first)] = REPEATED
    return np.split(reasons, np.cumsum([len(text) for text in texts])[:-1])


def known_keys(held_out: Sequence[Dataset], config: CleaningConfig) -> frozenset[int]:
    """Returns the keys of the pairs of validation and test."""
    return frozenset(
        key for text in held_out for pair in _pairs(text[:]) for key in keys(pair, config.held_out)
    )


def spread(number: int) -> npt.NDArray[np.int64]:
    """Returns the indices of at most SAMPLE of `number` pairs, at equal distances."""
    return np.linspace(0, number - 1, min(SAMPLE, number), dtype=int)


def _judged(text: Dataset, config: CleaningConfig, held_out: frozenset[int]) -> Dataset:
    sample = text[spread(len(text))]
    rules = Judge(config, Usual.of(_pairs(sample)), held_out)

    def judge_rows(rows: Mapping[str, list[str]]) -> dict[str, Any]:
        pairs = _pairs(rows)
        return {
            "reason": [rules.reason(pair) for pair in pairs],
            "digest": [digest("\n".join(pair)) for pair in pairs],
        }

    return text.map(
        judge_rows,
        batched=True,
        features=JUDGED,
        remove_columns=text.column_names,
        new_fingerprint=fingerprints.of_result(text, REASONS, config, sorted(held_out)),
    )


def _pairs(rows: Mapping[str, Sequence[str]]) -> list[Pair]:
    return list(zip(rows["source"], rows["target"], strict=True))
