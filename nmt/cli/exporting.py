"""The command that makes a bundle of a run, and pushes it to the hub."""

import contextlib
import signal
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from nmt import hub
from nmt.cli import captions, ensembles, options
from nmt.cli.options import Checkpoint, RunPath, Trust
from nmt.config.storage import DType
from nmt.errors import DataError

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the bundle, a new one.")]
StoredAs = Annotated[DType, typer.Option(help="Type of the stored parameters.")]
License = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="License of the model, such as cc-by-4.0, for its card."),
]
TrainedOn = Annotated[
    str | None, typer.Option(metavar="TEXT", help="What the training data is, for the card.")
]
Sentence = Annotated[
    str | None,
    typer.Option(help="Sentence of the attention picture; else one of the validation set."),
]
Test = Annotated[bool, typer.Option("--test", help="Score data.test, for the card.")]
Force = Annotated[bool, typer.Option("--force", help="Replace the bundle that is in DIR.")]
Push = Annotated[
    str | None, typer.Option(metavar="USER/NAME", help="Upload it to this repository of the hub.")
]
Private = Annotated[bool, typer.Option("--private", help="Make a new repository private.")]
Revision = Annotated[
    str | None, typer.Option(metavar="BRANCH", help="Branch of the repository; else main.")
]


def export(
    run: RunPath,
    folder: Folder,
    checkpoint: Checkpoint = "best",
    dtype: StoredAs = "float32",
    license: License = None,
    trained_on: TrainedOn = None,
    sentence: Sentence = None,
    test: Test = False,
    force: Force = False,
    push: Push = None,
    private: Private = False,
    revision: Revision = None,
    trust: Trust = False,
) -> None:
    """Write a bundle, to share a model.

    It has what others need to translate with the model, and its model card.

    Example: nmt export runs/demo de-en --license cc0-1.0, then nmt translate de-en in.txt
    """
    which = ensembles.checkpoint_of(checkpoint)
    if len(ensembles.members(run)) > 1:
        raise DataError(
            f"{run}: an ensemble is not one bundle; export each run, and join the bundles, A+B"
        )
    if push is not None:
        hub.check(push, revision)
    elif private or revision is not None:
        raise DataError("--private and --revision are for --push USER/NAME; give it too")
    from nmt.run import Run
    from nmt.sharing.card import Given
    from nmt.sharing.export import export as write

    found = Run.open(run)
    if captions.are_written_by(run):
        captions.check(run, {"--sentence": sentence})
    options.check_imports(found, trust=trust)
    name = f"{hub.PREFIX}{push}" if push else folder.resolve().name
    given = Given(
        options.sentence(name),
        _text("--license", license),
        _text("--trained-on", trained_on),
        _text("--sentence", sentence),
        test,
    )
    with _unwinding():
        write(found, folder, given, checkpoint=which, dtype=dtype, force=force)
    print(folder)
    if license is None:
        warnings.warn("no --license: without one, others may not use the model", stacklevel=2)
    if push is not None:
        print(hub.push(folder, push, private=private, revision=revision))


def _text(option: str, given: str | None) -> str | None:
    """Returns the text that an option has, if it is given.

    Raises:
        DataError: the text is empty.
    """
    if given is None:
        return None
    if not given.strip():
        raise DataError(f"{option} is empty; give it a text, or leave it out")
    return options.sentence(given)


@contextlib.contextmanager
def _unwinding() -> Iterator[None]:
    """Has SIGTERM end the command by an exception, which removes what is written in part."""
    before = signal.getsignal(signal.SIGTERM)
    if before == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
