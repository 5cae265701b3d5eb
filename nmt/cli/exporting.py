"""The command that makes a bundle of a run, and pushes it to the hub."""

import warnings
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
    license, trained_on, sentence = (
        text and options.sentence(text) for text in (license, trained_on, sentence)
    )
    given = Given(options.sentence(name), license, trained_on, sentence, test)
    write(found, folder, given, checkpoint=which, dtype=dtype, force=force)
    print(folder)
    if license is None:
        warnings.warn("no --license: without one, others may not use the model", stacklevel=2)
    if push is not None:
        print(hub.push(folder, push, private=private, revision=revision))
