"""The commands. Each is one call of the Python API, with files and a terminal around it."""

import gc
import io
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from nmt.allocator import keep_freed_memory
from nmt.cli.alignments import aer, align, symmetrize
from nmt.cli.config import config
from nmt.cli.models import bench, demo, evaluate, info, shortlist, train, translate
from nmt.cli.options import app
from nmt.cli.pictures import curves, plot
from nmt.cli.renames import renamed
from nmt.errors import Interrupted, UserError
from nmt.version import __version__

# In the order of `nmt --help`.
COMMANDS = (
    demo,
    train,
    translate,
    evaluate,
    align,
    symmetrize,
    aer,
    plot,
    curves,
    info,
    config,
    shortlist,
    bench,
)
for command in COMMANDS:
    app.command()(command)


def _show_version(given: bool) -> bool:
    if given:
        print(f"nmt {__version__}")
        raise typer.Exit
    return given


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Takes the options that stand before a command."""


def main() -> None:
    """Runs a command; a user's mistake becomes one clear line and exit code 2."""
    _set_up_process()
    arguments, notices = renamed(sys.argv[1:])
    for notice in notices:
        warnings.warn(notice, stacklevel=1)
    try:
        app(arguments, standalone_mode=True)
    except BrokenPipeError:  # the reader of the output has seen enough, as in `| head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Interrupted as stop:  # as a shell has it, so that what would come next does not
        print(f"nmt: {stop}", file=sys.stderr)
        sys.exit(128 + signal.Signals[stop.signal])
    except UserError as error:
        for line in str(error).splitlines():
            print(f"nmt: {line}", file=sys.stderr)
        sys.exit(2)


def _set_up_process() -> None:
    """Sets what belongs to the whole process, which calls from Python leave alone.

    Libraries that have not been imported yet read their settings from the environment.
    """
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):  # Windows would write what no other system reads
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(home / "nmt"),  # for the next start of a command
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "DATASETS_VERBOSITY": "critical",  # mistakes are one line of ours
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    keep_freed_memory()
    gc.set_threshold(100_000)  # imports and traces make much and drop little: 7 % of a start


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"nmt: warning: {message}", file=sys.stderr)
