"""Sources that are vectors, given by other programs: features of speech, grids of pictures."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, List, Value

from nmt.config import CorpusConfig, VectorInputConfig
from nmt.config.endings import suffix
from nmt.data import files, fingerprints, given, tables
from nmt.errors import DataError


class Vectors:
    """Arrays float32 of (positions, size); a source has at least one position."""

    def __init__(self, config: VectorInputConfig) -> None:
        self.config = config
        self.feature = List(List(Value("float32"), length=config.size))

    def from_files(self, corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
        """Returns pairs of vectors, in an .npz, and text, line by line.

        The .npz has an array (positions, size) for each line, in order, or one array
        (lines, positions, size).
        """
        where = given.listed(corpus, languages=languages)
        if len(where["paths"]) != 2 or suffix(where["paths"][0]) != ".npz":
            raise DataError(
                f"{where['paths'][0]}: vectors are in an .npz, as in `{{source: features.npz, "
                "target: captions.txt}`, or in Parquet"
            )
        del where["languages"], where["columns"]
        features = Features({"source": self.feature, "target": Value("string")})
        return tables.generated(_pairs, features, {**where, "size": self.config.size})

    def from_table(self, pairs: Dataset, *, where: str) -> Dataset:
        """Returns pairs of vectors and text, given a column of lists of lists of numbers."""
        kind = pairs.features["source"]
        if getattr(getattr(kind, "feature", None), "feature", None) is None and not hasattr(
            kind, "shape"
        ):
            raise DataError(
                f"{where}: the source column holds {kind}, and not a list of vectors in each row"
            )
        return pairs

    def arrays(self, sources: Sequence[Any], *, before: int) -> list[given.Array]:
        """Returns the vectors of each source."""
        return [
            self.read(source, where=f"row {number}")
            for number, source in enumerate(sources, start=before + 1)
        ]

    def read(self, source: Any, *, where: str) -> given.Array:
        """Returns vectors as float32, (positions, size)."""
        return checked(source, self.config.size, where=where)

    def sources(self, path: Any, *, column: str) -> list[Any]:
        """Returns the arrays of an .npz, or of a column of Parquet."""
        found = files.find_stored(str(path))
        if suffix(found) == ".npz":
            return list(arrays(found))
        if suffix(found) == ".parquet":
            return list(tables.column(found, column)["source"])
        raise DataError(f"{found}: vectors are read from .npz or .parquet")

    def state(self, pairs: Dataset) -> str:
        """Returns nothing: the rows have the vectors themselves."""
        return ""

    def content(self, pairs: Dataset) -> str:
        """Returns the fingerprint of the rows, which have the vectors themselves."""
        return fingerprints.of_content(pairs)


def checked(source: Any, size: int, *, where: str) -> given.Array:
    """Returns vectors as float32, after checking their size and that they are finite.

    Raises:
        DataError: they have another size, or are no real numbers.
    """
    try:
        array = np.asarray(source)
    except (TypeError, ValueError):
        array = np.asarray(None)
    if array.size and not (np.issubdtype(array.dtype, np.number) or array.dtype == bool):
        raise DataError(f"{where}: vectors of several sizes, or no numbers")
    if np.issubdtype(array.dtype, np.complexfloating):
        raise DataError(
            f"{where}: complex numbers, and a component is one real number; give the magnitudes, "
            "or the real and imaginary parts as two components"
        )
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused below
        array = array.astype(np.float32, copy=False)
    if array.shape == (0,):  # a list without vectors does not say of what size they are
        return array.reshape(0, size)
    if array.ndim != 2 or array.shape[1] != size:
        shape = " x ".join(map(str, array.shape))
        found = f"an array of {shape}" if shape else "one number"
        raise DataError(f"{where}: {found}, and data.input.size asks for positions x {size}")
    if not np.isfinite(array).all():
        raise DataError(f"{where}: a component is infinite or not a number")
    return array


def arrays(path: Path) -> Iterator[Any]:
    """Yields the arrays of an .npz in order, or the rows of its only array, if it has three axes.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if not archive.files:
                raise DataError(f"{path}: the corpus is empty")
            first = archive[archive.files[0]]
            if len(archive.files) == 1 and first.ndim == 3:
                yield from first
                return
            yield from (archive[name] for name in archive.files)
    except DataError:
        raise
    except Exception as error:  # what readers of damaged archives raise is of many types
        raise DataError(f"{path}: cannot be read as .npz ({tables.reason(error)})") from None


def _pairs(paths: tuple[str, str], digest: str, size: int) -> Iterator[dict[str, Any]]:
    features, texts = map(Path, paths)
    lines = list(files.lines(texts))
    number = 0
    for number, source in enumerate(arrays(features), start=1):
        if number <= len(lines):
            where = f"{features}, array {number}"
            yield {"source": checked(source, size, where=where), "target": lines[number - 1]}
    given.same_number(number, len(lines), names=paths)
