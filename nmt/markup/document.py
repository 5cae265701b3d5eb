"""The translation of a document: some of it is copied, and its segments are translated together."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from nmt.data.sentences import SIGNS
from nmt.errors import DataError
from nmt.inference import limits
from nmt.inference.placeholders import WORDS
from nmt.inference.translation import Translation
from nmt.markup import html, markdown, xml
from nmt.markup.parts import Part, Text, segments
from nmt.markup.segment import Segment

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

KINDS = {"html": html, "xml": xml, "markdown": markdown}


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


def stream(
    translator: "Translator", document: str, *, kind: str = "html", name: object = "the document"
) -> Iterator[str]:
    """Does what `translate` does, but returns the document in pieces, as it is translated.

    Raises:
        DataError: as there; the message begins with `name`.
    """
    content = Document(
        document, kind=kind, name=name, alphabet=translator.tokenizers.source.alphabet
    )
    found = prepared(translator).stream(content.lines)
    return content.restored(best for best, *_ in found)


class Document:
    """What is copied of a document, and the lines that are translated.

    The source of the model has an `alphabet`; the message of an error begins with `name`.

    Raises:
        DataError: there is no such kind, or the document is not well-formed XML.
    """

    def __init__(
        self, document: str, *, kind: str, alphabet: Iterable[str], name: object = "the document"
    ) -> None:
        if kind not in KINDS:
            raise DataError(f"{kind!r} is no kind of markup: choose from {', '.join(KINDS)}")
        self._language = KINDS[kind]
        try:
            parts = self._language.parse(document)
        except DataError as error:
            raise DataError(f"{name}: {error}") from None
        decoded = "".join(part.text for part in parts if isinstance(part, Text))
        taken = {*document, *decoded, *alphabet}
        private = enumerate(zip(WORDS, SIGNS, strict=True))
        free = (number for number, pair in private if taken.isdisjoint(map(chr, pair)))
        self._content = list(_segments(parts, list(islice(free, len(parts)))))

    @property
    def lines(self) -> list[str]:
        """What is translated, a segment in each line."""
        return [each.line for each in self._content if isinstance(each, Segment)]

    def restored(self, translations: Iterator[Translation]) -> Iterator[str]:
        """Returns the document in pieces, with these translations of its lines."""
        return (
            each if isinstance(each, str) else self._language.restored(each, next(translations))
            for each in self._content
        )


def prepared(translator: "Translator") -> "Translator":
    """Returns a translator that writes unseen characters back, as stand-ins are.

    It divides every line into sentences, unless `decoding.split` never does.
    """
    if translator.config.split.when != "never":
        translator = translator.dividing()
    return translator.changed(copy_unseen=True, warn=partial(limits.warn_of, unit="segment"))


def _segments(parts: Sequence[Part], free: Sequence[int]) -> Iterator[str | Segment]:
    for each in segments(parts):
        yield each if isinstance(each, str) else Segment(each, free)
