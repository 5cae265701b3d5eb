"""N-best lists as Moses writes them: NUMBER ||| TEXT ||| FEATURES ||| SCORE, best first."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nmt.counting import counted
from nmt.errors import DataError

BAR = "|||"
DIGITS = 18  # of the number of a sentence at most
ESCAPED = "&#124;" * 3  # as Moses' tools escape the bars of a text, which they would split at


@dataclass(frozen=True)
class Entry:
    """A hypothesis for a sentence; sentences are numbered from 0."""

    number: int
    text: str
    features: str = ""  # such as `logprob= -1.25`
    score: str = ""
    others: tuple[str, ...] = ()  # the fields behind the score, such as Moses' alignments

    def rescored(self, score: float, features: Mapping[str, float]) -> "Entry":
        """Returns the entry with another score, and with further features."""
        added = (f"{name}= {value:.4f}" for name, value in features.items())
        return replace(
            self, features=" ".join([self.features, *added]).lstrip(), score=f"{score:.4f}"
        )

    def line(self) -> str:
        """Returns the line of the list, with its line break."""
        text = self.text.replace(BAR, ESCAPED)
        fields = [str(self.number), text, self.features, self.score, *self.others]
        return f" {BAR} ".join(fields) + "\n"


def feature_names(names: Sequence[str], first: Entry) -> list[str]:
    """Returns names of features for a list with this first entry, each of which is there once.

    Spaces, bars and equals signs, which have a meaning in a list, become underscores.
    """
    taken, found = re.findall(r"(\S+)=(?= |$)", first.features), list[str]()
    for name in names:
        plain = unique = re.sub(r"[\s|=]+", "_", name)
        number = 1
        while unique in taken + found:
            number += 1
            unique = f"{plain}_{number}"
        found.append(unique)
    return found


def read(lines: Iterable[str], *, name: object) -> Iterator[Entry]:
    """Yields the entries of a list; `name` is its name in messages.

    Raises:
        DataError: a line has no number or no text.
    """
    for place, line in enumerate(lines, start=1):
        number, *fields = (field.strip(" ") for field in line.split(BAR))
        if not number.isdecimal() or len(number) > DIGITS or not fields:
            raise DataError(
                f"{name}, line {place}: not NUMBER ||| TEXT ||| FEATURES ||| SCORE, as "
                "`nmt translate --n-best` and Moses write n-best lists"
            )
        text, features, score, *others = (*fields, *[""] * (3 - len(fields)))
        yield Entry(int(number), text.replace(ESCAPED, BAR), features, score, tuple(others))


def with_sources(
    entries: Iterable[Entry], sources: Iterable[str], *, names: tuple[object, object]
) -> Iterator[tuple[Entry, str]]:
    """Yields each entry with the sentence that it translates; `names` are of list and text.

    Raises:
        DataError: the numbers do not go up one by one, or end before or behind the sentences.
    """
    sentences, number, source = iter(sources), -1, ""
    for place, entry in enumerate(entries, start=1):
        if entry.number == number + 1:
            number += 1
            if (found := next(sentences, None)) is None:
                many = counted(number, "line")
                raise DataError(f"{names[1]} has {many}, and {names[0]} more sentences")
            source = found
        elif entry.number != number:
            raise DataError(
                f"{names[0]}, line {place}: sentence {entry.number}, where {number + 1} is next; "
                "they are numbered from 0, and each has an entry: "
                "`sort --stable --numeric-sort` puts them in order"
            )
        yield entry, source
    if missing := sum(1 for _ in sentences):
        lines = counted(number + 1 + missing, "line")
        raise DataError(f"{names[1]} has {lines}, and {names[0]} {counted(number + 1, 'sentence')}")
