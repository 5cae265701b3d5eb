"""What elements mean for a translation, by their names in HTML."""

from typing import Literal

# Blocks are sentences of their own; `copied` ones are not translated. Inline elements are in the
# sentence around them. The others are copied into it: as a word, as a sign between words, or as
# something that no reader sees.
Role = Literal["block", "copied", "inline", "word", "sign", "nothing"]

INLINE = frozenset(
    "a abbr acronym b bdi bdo big button cite data del dfn em font i ins label mark nobr output q "
    "rb ruby s small span strike strong sub sup time tt u".split()
)
COPIED = frozenset("iframe pre textarea".split())
WORDS = frozenset("code kbd math samp svg var".split())
SIGNS = frozenset("audio br canvas embed img input meter object picture progress video".split())
NOTHING = frozenset("rp rt rtc script style template wbr".split())
VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())


def role(name: str, *, translate: str | None = None) -> Role:
    """Returns the role of an element of HTML, given its attribute `translate`."""
    if name in INLINE:
        return "word" if translate == "no" else "inline"
    if name in WORDS:
        return "word"
    if name in SIGNS:
        return "sign"
    if name in NOTHING:
        return "nothing"
    return "copied" if translate == "no" or name in COPIED else "block"
