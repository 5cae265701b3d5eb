"""The command line: each command calls the Python API with files and a terminal."""

import gc
import io
import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import typer

from nmt.allocator import keep_freed_memory
from nmt.cli.alignments import align
from nmt.cli.averaging import average
from nmt.cli.beginning import init
from nmt.cli.cache import cache, set_up
from nmt.cli.cleaning import clean
from nmt.cli.config import config
from nmt.cli.exporting import export
from nmt.cli.links import aer, symmetrize
from nmt.cli.models import bench, demo, info, shortlist, train
from nmt.cli.options import app
from nmt.cli.pictures import curves, plot
from nmt.cli.renames import renamed
from nmt.cli.rescoring import rescore
from nmt.cli.scores import evaluate
from nmt.cli.scoring import score
from nmt.cli.serving import serve
from nmt.cli.splitting import split
from nmt.cli.translation import translate
from nmt.errors import Interrupted, UserError
from nmt.version import __version__

# In the order of `nmt --help`.
COMMANDS: list[Callable[..., None]] = [demo, split, init, train, average, translate, score]
COMMANDS += [rescore, evaluate, align, symmetrize, aer, plot, curves, serve]
COMMANDS += [info, export, config, clean, shortlist, bench, cache]
for command in COMMANDS:
    app.command()(command)


def _show_version(given: bool) -> bool:
    if given:
        print(f"nmt {__version__}")
        raise typer.Exit
    return given


VERSION = typer.Option(
    "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
)


@app.callback()
def before_commands(version: Annotated[bool, VERSION] = False) -> None:
    """Accepts the options before a command, and prepares what each command may use."""
    set_up()


def main() -> None:
    """Runs a command; an error of the user is printed in one line, with exit code 2."""
    _set_up_process()
    arguments, notices = renamed(sys.argv[1:])
    for notice in notices:
        warnings.warn(notice, stacklevel=1)
    try:
        app(arguments, standalone_mode=True)
    except Interrupted as stop:  # the exit code of a shell, which also stops a script
        print(f"nmt: {stop}", file=sys.stderr)
        sys.exit(128 + signal.Signals[stop.signal])
    except UserError as error:
        for line in str(error).splitlines():
            print(f"nmt: {line}", file=sys.stderr)
        sys.exit(2)


def _set_up_process() -> None:
    """Changes settings of the whole process, which calls from Python do not change.

    Libraries that are imported later read their settings from the environment.
    """
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # whatever the locale; file names can be any bytes
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    settings = {
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0.2",
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
        "DATASETS_VERBOSITY": "critical",  # we report errors ourselves
    }
    for name, value in settings.items():
        os.environ.setdefault(name, value)
    keep_freed_memory()
    gc.set_threshold(100_000)  # saves 7 % of the start, which frees little


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"nmt: warning: {message}", file=sys.stderr)
