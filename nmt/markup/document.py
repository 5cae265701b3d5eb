"""The translation of a document: some of it is copied, and its segments are translated together."""

import copy
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from nmt.errors import DataError
from nmt.markup import html, markdown, xml
from nmt.markup.parts import segments
from nmt.markup.segment import Segment

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

KINDS = {"html": html, "xml": xml, "markdown": markdown}
_PRIVATE = [*range(0xF0000, 0xFFFFE), *range(0x100000, 0x10FFFE)]  # characters for private use


def translate(translator: "Translator", document: str, *, kind: str = "html") -> str:
    """Returns a translated document: with other text, but all of its markup.

    Args:
        translator: translates each segment by itself; the attention says where tags belong.
        document: the whole text.
        kind: `html`, `xml` or `markdown`.

    Raises:
        DataError: there is no such kind, or the document is not well-formed XML.
    """
    return "".join(stream(translator, document, kind=kind))


def stream(translator: "Translator", document: str, *, kind: str = "html") -> Iterator[str]:
    """Does what `translate` does, and yields the document as it is translated."""
    if kind not in KINDS:
        raise DataError(f"markup {kind!r}: choose from {', '.join(KINDS)}")
    language = KINDS[kind]
    parts = language.parse(document)
    taken = {*document, *translator.tokenizers.source.alphabet}
    free = (chr(code) for code in _PRIVATE if chr(code) not in taken)
    stand_ins = list(islice(free, len(parts)))
    content = [
        each if isinstance(each, str) else Segment(each, stand_ins) for each in segments(parts)
    ]
    copying = copy.copy(translator)
    copying.config = translator.config.model_copy(update={"copy_unseen": True})
    lines = (each.line for each in content if isinstance(each, Segment))
    found = copying.stream(lines)
    for each in content:
        if isinstance(each, str):
            yield each
        else:
            yield each.restored(next(found)[0], language.escape)
