"""XML as the parts of a document.

Expat tells where each tag begins, so that all but the text stays byte for byte. An element is
inline if there is text beside it, and if it has not only elements in it. Elements of XHTML are what
they are in HTML.
"""

from dataclasses import dataclass, field, replace
from xml.parsers import expat

from nmt.errors import DataError
from nmt.markup import elements
from nmt.markup.elements import Role
from nmt.markup.html import restored as restored
from nmt.markup.parts import SPACE, Part
from nmt.markup.reading import Kind, Token, cut, parts

_XHTML = "http://www.w3.org/1999/xhtml"
_ITS = "http://www.w3.org/2005/11/its"  # Internationalization Tag Set
_COPIED = ("code", "math", "pre", "script", "style", "svg")  # in any vocabulary


def parse(document: str) -> list[Part]:
    """Returns the parts of an XML document.

    Raises:
        DataError: it is not well-formed, or it declares another encoding than UTF-8.
    """
    reader, encoded = _Reader(), document.encode()
    try:
        reader.parser.Parse(encoded, True)
    except expat.ExpatError as error:
        raise DataError(
            f"line {error.lineno}, column {error.offset + 1}: not well-formed XML "
            f"({expat.ErrorString(error.code)})"
        ) from None
    reader.finish()
    raws = [each.decode() for each in cut(encoded, reader.tokens)]
    return list(parts(reader.tokens, raws, reader.ends))


@dataclass
class _Element:
    """What is known of an element, its first and last token included."""

    namespace: str = ""
    name: str = ""
    translate: str | None = None
    tokens: tuple[int, ...] = ()
    has_text: bool = False
    children: list["_Element"] = field(default_factory=list)

    def role(self, parent: "_Element") -> Role:
        if self.namespace == _XHTML:
            return elements.role(self.name, translate=self.translate)
        inline = parent.has_text and (self.has_text or not self.children)
        if self.translate == "no" or self.name in _COPIED:
            return "word" if inline else "copied"
        return "inline" if inline else "block"


class _Reader:
    """Lists tokens, and the number of the token behind each element."""

    def __init__(self) -> None:
        self.tokens = [Token("other", 0)]
        self.ends: dict[int, int] = {}
        self._open = [_Element()]  # the document, and what is open in it
        self._section: list[str] | None = None  # the text of an open section, CDATA
        self.parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        self.parser.XmlDeclHandler = self._declare
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartCdataSectionHandler = self._start_section
        self.parser.EndCdataSectionHandler = self._end_section
        self.parser.CommentHandler = lambda _: self._add("comment")
        self.parser.ProcessingInstructionHandler = lambda *_: self._add("comment")
        self.parser.SkippedEntityHandler = self._skip
        self.parser.DefaultHandler = lambda _: None  # without it, entities would be replaced

    def _add(self, kind: Kind, text: str = "") -> None:
        self.tokens.append(Token(kind, self.parser.CurrentByteIndex, text))

    def _declare(self, version: str, encoding: str | None, standalone: int) -> None:
        if encoding and encoding.lower() != "utf-8":
            raise DataError(
                f"declares the encoding {encoding}, and a translation is UTF-8; convert the "
                "document with iconv, and change its declaration"
            )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(" ")
        translate = attributes.get("translate", attributes.get(f"{_ITS} translate"))
        element = _Element(namespace, local, translate, (len(self.tokens),))
        self._open[-1].children.append(element)
        self._open.append(element)
        self._add("start", local)

    def _end(self, name: str) -> None:
        element = self._open.pop()
        element.tokens += (len(self.tokens),)
        self._add("end", element.name)
        self.ends[element.tokens[0]] = len(self.tokens)
        self._note_roles(element)

    def finish(self) -> None:
        """Notes the role of the outermost element, which ends in none."""
        self._note_roles(self._open[0])

    def _note_roles(self, element: _Element) -> None:
        """Notes the roles of the elements in one that has been read."""
        for child in element.children:
            for number in child.tokens:
                self.tokens[number] = replace(self.tokens[number], role=child.role(element))
            child.children = child.children[:1]

    def _text(self, text: str) -> None:
        self._open[-1].has_text |= not SPACE.fullmatch(text)
        if self._section is None:
            self._add("text", text)
        else:
            self._section.append(text)

    def _start_section(self) -> None:
        self._section = []
        self._add("text")

    def _end_section(self) -> None:
        self.tokens[-1] = replace(self.tokens[-1], text="".join(self._section or ()))
        self._section = None

    def _skip(self, name: str, is_parameter: int) -> None:
        """Has a reference to an entity that is not built in copied."""
        self.ends[len(self.tokens)] = len(self.tokens) + 1
        self.tokens.append(Token("start", self.parser.CurrentByteIndex, name, "word"))
