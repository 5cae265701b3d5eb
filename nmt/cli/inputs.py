"""What `nmt translate` reads and writes: checks, and hints for what was meant otherwise."""

import os
import re
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path

from nmt.cli import options
from nmt.cli.resumption import check_resumable, is_resumable, record_of
from nmt.config import endings
from nmt.data import files, writing
from nmt.errors import DataError

# Endings of documents, and the kind of markup that each has.
DOCUMENTS = {
    ".html": "html",
    ".htm": "html",
    ".xhtml": "xml",
    ".xml": "xml",
    ".md": "markdown",
    ".markdown": "markdown",
}

# Of a sentence, and hardly of the name of a file: a space, or a sign at the end.
TEXT = re.compile(r"\s|[^\w)]$")


def found(run: Path, given: Path, *others: Path | None) -> list[Path]:
    """Returns the paths of existing inputs, of which `given` is the text; see `find_together`.

    Raises:
        DataError: one does not exist, or two are the same pipe.
    """
    sentence = options.sentence(str(given))
    if given != files.STDIN and TEXT.search(sentence) and not os.path.lexists(given):
        command = f"echo {shlex.quote(sentence)} | nmt translate {shlex.quote(str(run))}"
        raise DataError(f"{sentence}: no such file; a sentence is given by {command}")
    return files.find_together(given, *filter(None, others))


def warn_of_document(path: Path) -> None:
    """Warns of a file that is translated line by line and has the ending of a document."""
    if kind := DOCUMENTS.get(endings.suffix(path)):
        warnings.warn(
            f"{path}: looks like a document; --markup {kind} keeps its markup", stacklevel=2
        )


def check_outputs(
    read: Sequence[Path], output: Path | None, alignments: Path | None, *, resume: bool
) -> None:
    """Checks that the outputs are files of their own, and can be resumed if this is asked for.

    Raises:
        DataError: they are not, or cannot; the first file of `read` is the text.
    """
    if resume:
        check_resumable(read[0], output, alignments)
    if output is not None and output == alignments and writing.is_replaced(output):
        raise DataError(f"{output}: --output and --alignments need a file each")
    for each in (output, alignments):
        writing.check_apart(each, *read)
    if output is not None and is_resumable(read[0], output):
        writing.check_apart(record_of(output), *read)
