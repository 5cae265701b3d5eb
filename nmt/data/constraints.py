"""Constraints: what the translation of a line has to be like, and files that give them by line."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from nmt.arguments import check_whole, checked
from nmt.config.endings import suffix
from nmt.data import files, tabular
from nmt.errors import DataError

InputFormat = Literal["text", "tsv", "jsonl"]
KEYS = ("source", "prefix", "require", "forbid")  # of an object in a file of JSON lines


@dataclass(frozen=True)
class Constraints:
    """What the translation of a line has to be like: see docs/constraints.md.

    Raises:
        DataError: a phrase has no character, or one has half of a surrogate pair.
        TypeError: phrases are one string, or no strings; or the prefix is no string.
    """

    prefix: str = ""
    """The translation begins with it; its last word may be completed, unless a space follows."""
    require: Iterable[str] = ()
    """Phrases that the translation has, as whole words."""
    forbid: Iterable[str] = ()
    """Phrases that it does not have, as whole words; without capitals: in any casing."""

    def __post_init__(self) -> None:
        for name in ("require", "forbid"):
            given = getattr(self, name)
            several = isinstance(given, Iterable) and not isinstance(given, str | Mapping)
            phrases = tuple(given) if several else ()
            if not several or not all(isinstance(each, str) for each in phrases):
                raise TypeError(f"{name} takes several strings, such as a list, not {given!r}")
            spaced = tuple(dict.fromkeys(" ".join(each.split()) for each in phrases))
            if "" in spaced:
                raise DataError(f"{name}: a phrase is empty")
            for each in spaced:
                check_whole(each, name=f"{name}, {each!r}")
            object.__setattr__(self, name, spaced)
        if not isinstance(self.prefix, str):
            raise TypeError(f"prefix takes a string, not {self.prefix!r}")
        check_whole(self.prefix, name="prefix")
        object.__setattr__(self, "prefix", files.one_line(self.prefix).lstrip())

    def __bool__(self) -> bool:
        return bool(self.prefix or self.require or self.forbid)

    def with_more(self, others: "Constraints") -> "Constraints":
        """Returns the constraints of both; the prefix is that of the others, if they have one."""
        return Constraints(
            others.prefix or self.prefix,
            (*self.require, *others.require),
            (*self.forbid, *others.forbid),
        )

    def behind_prefix(self) -> "Constraints":
        """Returns the constraints of what comes after the prefix."""
        return replace(self, prefix="")


NONE = Constraints()
OfLines = Constraints | Iterable[Constraints]  # of all lines, or one for each
Line = str | tuple[str, Constraints]  # a line to translate, alone or with its own constraints


def with_constraints(lines: Iterable[Any], constraints: OfLines) -> Iterator[Any]:
    """Returns the lines, each with its constraints.

    Raises:
        DataError: there are fewer constraints than lines, or more.
        TypeError: some are no constraints.
    """
    if isinstance(constraints, Constraints):
        return ((line, constraints) for line in lines)
    rule = "constraints are nmt.Constraints, for all lines or one for each"
    each = checked(constraints, Constraints, rule)
    return files.side_by_side(lines, each, names=("the text", "the list of constraints"))


def apart(lines: Iterable[Line]) -> tuple[list[str], list[Constraints]]:
    """Returns the texts of lines, and their constraints."""
    pairs = [(line, NONE) if isinstance(line, str) else line for line in lines]
    return [text for text, _ in pairs], [constraints for _, constraints in pairs]


def format_of(path: Path) -> InputFormat:
    """Returns the format that the ending of a file tells, compressed or not; without: text."""
    ending: Any = suffix(path).removeprefix(".")
    return ending if ending in get_args(InputFormat) else "text"


def parse_lines(
    lines: Iterable[str], kind: InputFormat, *, name: object, before: int = 0
) -> Iterator[tuple[str, Constraints]]:
    """Yields the source and the constraints of each line; `name` is that of the file.

    `before` lines came earlier.
    A line of TSV is SOURCE, or SOURCE, a tab and PREFIX. A line of JSON is an object with KEYS, of
    which `source`, one line of text, alone must be there, or blank.

    Raises:
        DataError: a line is neither.
    """
    for number, line in enumerate(lines, start=before + 1):
        where = f"{name}, line {number}"
        yield _of_columns(line, where) if kind == "tsv" else _of_object(line, where)


def _of_columns(line: str, where: str) -> tuple[str, Constraints]:
    source, *others = line.split("\t")
    if len(others) > 1:
        raise DataError(
            f"{where}: {1 + len(others)} tab-separated columns, not SOURCE and PREFIX; JSON lines "
            "have room for other constraints, and --input-format text is for text with tabs"
        )
    return source, Constraints("".join(others))


def _of_object(line: str, where: str) -> tuple[str, Constraints]:
    if not line.strip():
        return "", NONE
    fields = tabular.json_object(line, where=where)
    for key, value in fields.items():
        if key not in KEYS:
            raise DataError(f"{where}: unknown key {key!r}; known: {', '.join(KEYS)}")
        texts = value if key in ("require", "forbid") and isinstance(value, list) else [value]
        for text in texts:
            tabular.check_text(text, where=f"{where}, {key!r}")
        if key == "source" and "\n" in value.strip():  # within a text, whose end would be lost
            raise DataError(f"{where}, {key!r}: a line break; give each line an object of its own")
        if key in ("require", "forbid"):
            fields[key] = texts
    if "source" not in fields:
        raise DataError(f'{where}: no "source"; an object is {{"source": "...", "prefix": "..."}}')
    try:
        return fields.pop("source"), Constraints(**fields)
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
