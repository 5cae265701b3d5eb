"""Shared by the commands: the app, options, input and output."""

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from io import TextIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nmt.errors import ConfigError, DataError
from nmt.inference import methods

if TYPE_CHECKING:
    from nmt.bundle import Bundle
    from nmt.run import Run

# Of explanation; the last one is the default of a run that has it.
METHODS = f"{', '.join(methods.METHODS)} or {methods.GUIDED}"

# The beginning of an override; a file name or a sentence hardly begins like this.
OVERRIDE = re.compile(r"(?:data|tokenizer|model|aligner|training|decoding)\.[\w.]+=")

app = typer.Typer(
    name="nmt",
    help="Attention-based recurrent neural machine translation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

RunPath = Annotated[Path, typer.Argument(help="A run folder, made by `nmt train`.")]
RunOrBundle = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder, a bundle of `nmt export`, or its name.")
]
Beam = Annotated[int | None, typer.Option(min=1, help="Beam size; 1 is greedy search.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Checkpoint = Annotated[str, typer.Option(help="Checkpoint: best, last, averaged or a step.")]
Settings = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[decoding.KEY=VALUE]...", help="Decoding settings, instead of the run's own."
    ),
]
Trust = Annotated[
    bool,
    typer.Option("--trust", help="Allow importing the class that the run's configuration names."),
]
OneBased = Annotated[
    bool, typer.Option("--one-based", help="Gold links in Pharaoh format count words from 1.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="Output file; standard output if not given.")
]


def overrides_apart(arguments: list[str] | None) -> tuple[list[str], list[str]]:
    """Returns the arguments that are no overrides of a configuration, and those that are."""
    given = arguments or []
    overrides = [each for each in given if OVERRIDE.match(each)]
    return [each for each in given if not OVERRIDE.match(each)], overrides


def settings_apart(
    arguments: list[str] | None, *, beam: int | None
) -> tuple[list[str], dict[str, Any]]:
    """Returns the arguments that are no settings, and the decoding settings of the others.

    Raises:
        ConfigError: a setting is not of `decoding`, or is not valid YAML, or lacks `decoding.`.
        DataError: the beam is given twice.
    """
    from nmt import configfile

    rest, given = overrides_apart(arguments)
    overrides = configfile.parse_overrides(given)
    for key in overrides:
        if not key.startswith("decoding."):
            raise ConfigError(f"{key}: only settings of decoding can be given to a trained run")
    for each in rest:
        _check_no_setting(each)
    settings = {key.removeprefix("decoding."): value for key, value in overrides.items()}
    if beam is not None:
        if "beam" in settings:
            raise DataError("--beam and decoding.beam say the same thing; give one of them")
        settings["beam"] = beam
    return rest, settings


def _check_no_setting(argument: str) -> None:
    """Checks that an argument is no setting of decoding without its section."""
    from nmt.config import DecodingConfig

    key, sign, _ = argument.partition("=")
    if (
        sign
        and key.partition(".")[0] in DecodingConfig.model_fields
        and not os.path.exists(argument)
    ):
        raise ConfigError(f"{argument}: did you mean decoding.{argument}?")


def only_settings(arguments: list[str] | None, *, beam: int | None = None) -> dict[str, Any]:
    """Returns the decoding settings of arguments that must all be settings.

    Raises:
        UserError: an argument is no setting; see also `settings_apart`.
    """
    others, settings = settings_apart(arguments, beam=beam)
    if others:
        raise DataError(
            f"{others[0]}: not a setting decoding.KEY=VALUE; files are --source FILE, and several "
            "runs are one argument, RUN+RUN"
        )
    return settings


def check_imports(found: "Run | Bundle", *, trust: bool) -> None:
    """Checks that a run or a bundle names no class to import, unless it is trusted.

    Raises:
        RunError: it asks for trust.
    """
    from nmt import trust as trusted

    if trust:
        look_for_classes_here()
    trusted.check_imports(found.path, found.config, trust=trust)


def look_for_classes_here() -> None:
    """Adds the working folder to the end of Python's path, for classes of the user.

    A command calls this after its imports, so that they cannot load files of that folder.
    """
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))


def sentence(argument: str) -> str:
    """Returns an argument as text; one that the locale cannot decode is taken for UTF-8."""
    try:
        argument.encode("utf-8")
    except UnicodeEncodeError:
        return os.fsencode(argument).decode("utf-8", errors="replace")
    return argument


def lines(path: Path, *, replace: bool = False) -> Iterator[str]:
    """Returns the lines of a text file, a pipe or standard input; see `files.lines`."""
    from nmt.data import files

    return files.lines(files.find(path), replace=replace)


@contextlib.contextmanager
def writer(path: Path | None, *, append: bool = False) -> Iterator[TextIOBase]:
    """Opens an output file, or standard output; see `writing.text`.

    When the reader of a pipe has ended, as in `| head -1`, the command ends too, and without error.
    """
    from nmt.data import writing

    try:
        with writing.text(path, append=append) as out:
            yield out
            out.flush()
    except OSError as error:  # of a pipe, or of standard output
        if out is sys.stdout:  # what it still holds is not written when Python ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if isinstance(error, BrokenPipeError):
            raise typer.Exit from None
        raise DataError(f"standard output: cannot be written ({error.strerror})") from None
