"""What the commands do by a run whose sources are pictures or vectors: it writes captions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nmt.cli import ensembles
from nmt.cli.constraints import Reader
from nmt.cli.outputs import Outputs
from nmt.errors import DataError

if TYPE_CHECKING:
    from nmt.config import DataConfig


def are_written_by(run: Path) -> bool:
    """Returns whether a run, or an ensemble, reads something else than text."""
    return ensembles.data(run).input.kind != "text"


def check(run: Path, text_only: Mapping[str, object]) -> None:
    """Checks that no option is given that is for sources of text.

    Raises:
        DataError: one is.
    """
    for name in (name for name, value in text_only.items() if value):
        kind = ensembles.data(run).input.kind
        raise DataError(f"{name} is for sources of text, and {run} reads {kind}: leave it out")


def sources(data: "DataConfig", path: Path) -> list[Any]:
    """Returns the sources in a file, as a captioner takes them.

    Raises:
        DataError: it cannot be read.
    """
    assert data.input.kind != "text"  # the caller makes sure of it
    return data.input.build().sources(path, column=data.source)


def given(run: Path, arguments: Sequence[str], file: Path | None) -> list[Any]:
    """Returns the sources in the files that a command is given as arguments, or by --file.

    Raises:
        DataError: it is given both, or a file cannot be read.
    """
    if file is not None and arguments:
        raise DataError("--file has the sources; leave out either it or the arguments")
    paths = [file] if file is not None else map(Path, arguments)
    data = ensembles.data(run)
    return [source for path in paths for source in sources(data, path)]


def files_of(sources: Sequence[Any]) -> list[Path]:
    """Returns the files that sources are in: none of those that have come in a table."""
    return [Path(each) for each in sources if isinstance(each, str)]


def translate(
    runs: Sequence[Path],
    reader: Reader,
    outputs: Outputs,
    **model: Any,
) -> None:
    """Writes the captions of sources, and their attention; `model` is that of `ensembles`."""
    given = sources(ensembles.data(runs[0]), reader.source)
    outputs.check([reader.source, *files_of(given)])
    captioner = ensembles.captioner(*runs, **model)
    with outputs.opened() as writer:
        found = captioner.stream(given, constraints=reader.all, n_best=outputs.ranks)
        for number, ranked in enumerate(found):
            writer.write(number, ranked)
