"""The command that makes a bundle of a run, and pushes it to the hub."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nmt.cli import ensembles, options
from nmt.cli.options import Checkpoint, RunPath, Trust

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the bundle, a new one.")]
DType = Annotated[
    Literal["float32", "float16", "int8"], typer.Option(help="Type of the stored parameters.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace a bundle that is in DIR.")]


def export(
    run: RunPath,
    folder: Folder,
    checkpoint: Checkpoint = "best",
    dtype: DType = "float32",
    force: Force = False,
    trust: Trust = False,
) -> None:
    """Write what others need to translate with a model, and a model card: a bundle.

    Example: nmt export runs/demo de-en --license cc0-1.0, then nmt translate de-en in.txt
    """
    from nmt.sharing import export as exporting

    found = options.opened(run, trust=trust)
    which = ensembles.checkpoint_of(checkpoint)
    with exporting.replaced(folder, force=force) as new:
        exporting.write(found, new, checkpoint=which, dtype=dtype)
    print(folder)
