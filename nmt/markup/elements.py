"""What elements mean for a translation, by their names in HTML."""

from typing import Literal

# Blocks are sentences of their own; `copied` ones are not translated. Inline elements are in the
# sentence around them. The others are copied into it: as a word, as a sign between words, or as
# something that no reader sees.
Role = Literal["block", "copied", "inline", "word", "sign", "nothing"]

_NAMES: dict[Role, str] = {  # all others are blocks
    "copied": "iframe pre textarea",
    "inline": "a abbr acronym b bdi bdo big button cite data del dfn em font i ins label mark nobr "
    "output q rb ruby s small span strike strong sub sup time tt u",
    "word": "code kbd math samp svg var",
    "sign": "audio br canvas embed img input meter object picture progress video",
    "nothing": "rp rt rtc script style template wbr",
}
_ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}
_VOID = "area base br col embed hr img input link meta param source track wbr"
VOID = frozenset(_VOID.split())


def role(name: str, *, translate: str | None = None) -> Role:
    """Returns the role of an element of HTML, given its attribute `translate`."""
    found = _ROLES.get(name, "block")
    if translate != "no" or found not in ("inline", "block"):
        return found
    return "word" if found == "inline" else "copied"
