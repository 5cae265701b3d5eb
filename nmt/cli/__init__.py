"""The commands. Each is one call of the Python API, with files and a terminal around it."""

import gc
import os
import sys
import warnings
from pathlib import Path
from typing import Any

from nmt.cli.alignments import aer, align, symmetrise
from nmt.cli.models import bench, demo, evaluate, info, shortlist, train, translate
from nmt.cli.pictures import curves, plot
from nmt.cli.terminal import app
from nmt.errors import UserError

# In the order of `nmt --help`.
COMMANDS = (
    demo,
    train,
    translate,
    evaluate,
    align,
    symmetrise,
    aer,
    plot,
    curves,
    info,
    shortlist,
    bench,
)
for command in COMMANDS:
    app.command()(command)


def main() -> None:
    """Runs a command; a user's mistake becomes one clear line and exit code 2."""
    warnings.showwarning = _show_warning
    _keep_compiled_programs()
    gc.set_threshold(100_000)  # imports and traces make much and drop little: 7 % of a start
    try:
        app(standalone_mode=True)
    except BrokenPipeError:  # the reader of the output has seen enough, as in `| head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except UserError as error:
        for line in str(error).splitlines():
            print(f"nmt: {line}", file=sys.stderr)
        sys.exit(2)


def _keep_compiled_programs() -> None:
    """Has jax, when it is imported, keep what it compiles for the next start of a command."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(home / "nmt"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2")


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"nmt: warning: {message}", file=sys.stderr)
