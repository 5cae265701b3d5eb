"""The options --markup, by which a whole document is translated, and --placeholders."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from nmt.cli import options
from nmt.data import compression, files
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.inference.translator import Translator

Markup = Annotated[
    str | None,
    typer.Option(
        "--markup",
        metavar="html|xml|markdown",
        help="Translate the input as one document: its text, with all tags put back.",
    ),
]
Placeholders = Annotated[
    bool,
    typer.Option(
        "--placeholders",
        help="Keep {name}, %1$s, addresses and numbers as they are; decoding.placeholders has the "
        "names of these kinds.",
    ),
]


def keep_all(settings: dict[str, Any]) -> None:
    """Adds the setting for which --placeholders stands.

    Raises:
        DataError: it has been given already.
    """
    from nmt.config.decoding import PlaceholderKind

    if "placeholders" in settings:
        raise DataError(
            "--placeholders and decoding.placeholders say the same thing; give one of them"
        )
    settings["placeholders"] = list(get_args(PlaceholderKind))


def check(kind: str, *, lines_only: Mapping[str, object]) -> None:
    """Checks that there is such a kind of markup, and no option that is about lines.

    Raises:
        DataError: there is not, or an option has a value.
    """
    from nmt.markup import KINDS

    if kind not in KINDS:
        raise DataError(f"--markup {kind}: choose from {', '.join(KINDS)}")
    for option, value in lines_only.items():
        if value:
            raise DataError(
                f"--markup and {option}: a document is translated as a whole, and has no lines; "
                "leave one of them out"
            )


def translate(translator: "Translator", source: Path, output: Path | None, *, kind: str) -> None:
    """Translates a document.

    Raises:
        DataError: it cannot be read, is not UTF-8, or is not well-formed XML.
    """
    from nmt.markup import stream

    name = files.named(source)
    try:
        with files.opened(source) as file:
            document = file.read().decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name}, line {line}: not UTF-8 ({error.reason}); convert the document with iconv"
        ) from None
    except compression.ERRORS as error:
        raise DataError(f"{name}: cannot be read ({error})") from None
    found = stream(translator, document, kind=kind, name=name)
    with options.writer(output) as out:
        out.writelines(found)
