"""What the commands share: the app, options, and files and streams in and out."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from nmt.errors import DataError

METHODS = "attention, shifted, saliency, saliency_input, smoothed or jacobian"  # of explanation

app = typer.Typer(
    name="nmt",
    help="Attention-based recurrent neural machine translation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RunPath = Annotated[Path, typer.Argument(help="A run folder, as `nmt train` leaves it.")]
Beam = Annotated[int | None, typer.Option(min=1, help="Hypotheses kept; 1 is greedy search.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Trust = Annotated[
    bool, typer.Option("--trust", help="Import the class that a run's configuration names.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Standard output if not given.")
]


def translator(run: Path, beam: int | None, *, trust: bool) -> Any:
    """Returns the translator of a run, with a beam of its own if `beam` is given."""
    from nmt.decoding.translator import Translator

    if trust:
        look_for_classes_here()
    overrides: dict[str, Any] = {} if beam is None else {"beam": beam}
    return Translator.load(run, trust=trust, **overrides)


def look_for_classes_here() -> None:
    """Has Python look for a class of the user's own in the working folder too, after all others.

    It is called after the imports of a command, so that no file in that folder can take part in
    those.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))


def lines(path: Path | None, *, replace: bool = False) -> Iterator[str]:
    """Returns the lines of a text file, gzipped or not, or of standard input; see `files.lines`."""
    from nmt.data import files

    return files.lines(None if path is None else files.find(path), replace=replace)


@contextlib.contextmanager
def writer(path: Path | None, *, append: bool = False) -> Iterator[TextIO]:
    """Yields where output goes; a file appears under its name only when it is complete.

    Until then it is NAME.part; with `append`, what is in that already is the beginning.
    """
    if path is None:
        yield sys.stdout
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("a" if append else "w", encoding="utf-8") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror})") from None
