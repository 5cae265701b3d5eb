"""Word links of a corpus by eflomal (Östling and Tiedemann 2016), made once and then kept.

eflomal is a statistical aligner: it samples links of the whole text, in both directions. It draws
its seed from the system, so that another run finds a few other links. Those of the first run stay
in `caches.alignments`, and each training on the same text is guided by them.
"""

import hashlib
import subprocess
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from datasets import Dataset
from filelock import FileLock

from nmt import caches
from nmt.config.corpora import EFLOMAL
from nmt.data import files, fingerprints
from nmt.data.tables import SIDES
from nmt.errors import DataError
from nmt.evaluation.pharaoh import format_links, parse_links
from nmt.evaluation.symmetrization import symmetrize

SYMMETRIZATION = "grow-diag-final-and"  # the usual one for the links of a statistical aligner


def links_file(text: Dataset) -> Path:
    """Returns a file with the word links of each pair, in Pharaoh format.

    Words are divided at all Unicode white space, and compared in lower case. The links of both
    directions are joined by `grow-diag-final-and`. The name of the file has a digest of the text,
    of the version of eflomal and of the symmetrization; if there is such a file, eflomal is not
    run. A pair has no links if a side is empty, or longer than eflomal's limit of 1,024 words.

    Raises:
        DataError: eflomal is not installed, or has failed.
    """
    made_of = (
        fingerprints.of_content(text.select_columns(list(SIDES))),
        _version(),
        SYMMETRIZATION,
    )
    name = hashlib.sha256(" ".join(made_of).encode()).hexdigest()
    path = caches.alignments() / f"{name}.align"
    with FileLock(f"{path}.lock"):  # of two trainings at once, one waits for the links of the other
        if not path.exists():
            files.write_whole(path, "".join(f"{line}\n" for line in _lines(text)))
    return path


def _version() -> str:
    try:
        return metadata.version(EFLOMAL)
    except metadata.PackageNotFoundError:
        raise DataError(
            "data.train.alignments: eflomal is not installed; install nmt[eflomal], or give a file "
            "of links (./eflomal, if it has this name)"
        ) from None


def _lines(text: Dataset) -> Iterator[str]:
    """Yields the joined links of each pair as a line."""
    from eflomal import Aligner

    with tempfile.TemporaryDirectory(prefix="nmt-") as folder:
        forward, backward = Path(folder, "forward"), Path(folder, "backward")
        try:
            Aligner().align(
                *(_column(text, side) for side in SIDES),
                links_filename_fwd=str(forward),
                links_filename_rev=str(backward),
            )
        except (OSError, subprocess.CalledProcessError) as error:
            raise DataError(f"data.train.alignments: eflomal has failed ({error})") from None
        for pair in zip(files.lines(forward), files.lines(backward), strict=True):
            there, back = (parse_links(line).sure for line in pair)
            yield format_links(symmetrize(there, back, method=SYMMETRIZATION))


def _column(text: Dataset, side: str) -> Iterator[str]:
    for rows in text.select_columns([side]).iter(batch_size=1_000):
        yield from rows[side]
