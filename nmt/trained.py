"""A trained model by its name: a run folder, a bundle, or a bundle on the hub."""

from pathlib import Path

from nmt import hub
from nmt.bundle import Bundle, is_bundle
from nmt.errors import DataError
from nmt.run import Run

Trained = Run | Bundle


def check_translates(trained: Trained) -> None:
    """Checks that a trained model is no aligner.

    Raises:
        DataError: it is.
    """
    if trained.config.aligner is not None:
        raise DataError(
            f"{trained.path} is a network that aligns, which `nmt align` and `nmt plot --target` "
            "use, and nmt.Aligner in Python, and nothing else does"
        )


def opened(name: str | Path) -> Trained:
    """Returns the run or the bundle in a folder, or the bundle `hf:USER/NAME[@REVISION]`.

    Raises:
        RunError: there is none, or it cannot be read.
    """
    if hub.is_name(name):
        snapshot = hub.downloaded(name)
        return Bundle.open(snapshot, within=snapshot.parents[1])  # files are links to their content
    path = Path(name)
    return Bundle.open(path) if is_bundle(path) else Run.open(path)
