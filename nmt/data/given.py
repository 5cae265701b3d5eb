"""Sources that are not text: vectors or pictures, which become an array (positions, size) each."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
from datasets import Dataset

from nmt.config import CorpusConfig
from nmt.counting import counted
from nmt.data import files, tables, texts
from nmt.errors import DataError

Array = npt.NDArray[np.uint8] | npt.NDArray[np.float32]  # (positions, size)


@runtime_checkable
class Given(Protocol):
    """A kind of sources, built as `Class(config)` from its section of `data.input`."""

    feature: Any  # of the arrays, in a data set

    def from_files(self, corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
        """Returns the pairs of a corpus in files, as `load` does."""

    def from_table(self, pairs: Dataset, *, where: str) -> Dataset:
        """Returns the pairs of a table with the sources as `load` gives them."""

    def arrays(self, sources: Sequence[Any], *, before: int) -> list[Array]:
        """Returns the array of each source of a corpus; `before` rows came earlier."""

    def read(self, source: Any, *, where: str) -> Array:
        """Returns the array of one source, which `where` names in messages.

        Raises:
            DataError: it cannot be read, or has another shape than the model.
        """

    def sources(self, path: Any, *, column: str) -> list[Any]:
        """Returns the sources in a file, such as a table with this column.

        Raises:
            DataError: it cannot be read.
        """

    def state(self, pairs: Dataset) -> str:
        """Returns a fingerprint of the files beside a corpus that its rows name, on this host."""

    def content(self, pairs: Dataset) -> str:
        """Returns a fingerprint of the pairs and of the files that they name, the same anywhere."""


def load(corpus: CorpusConfig, kind: Given, *, languages: tuple[str, str]) -> Dataset:
    """Returns the pairs of a corpus: the columns `source`, of this kind, and `target`, of text.

    Raises:
        DataError: the corpus is missing, damaged or empty.
    """
    if not tables.is_stored(corpus):
        return kind.from_files(corpus, languages=languages)
    pairs, where = tables.read(corpus, languages=languages, text=("target",))
    return kind.from_table(pairs, where=where)


def listed(corpus: CorpusConfig, *, languages: tuple[str, str]) -> dict[str, Any]:
    """Returns where a corpus in files is, and a digest of what is there, for its generator."""
    paths = texts.find(corpus, languages)
    return {
        "paths": tuple(map(str, paths)),
        "languages": languages,
        "columns": corpus.columns,
        "digest": " ".join(map(files.digest, paths)),
    }


def same_number(sources: int, targets: int, *, names: Sequence[str]) -> None:
    """Checks that there are as many sources as targets, in two files.

    Raises:
        DataError: there are not.
    """
    if sources != targets:
        raise DataError(
            f"{names[0]} has {counted(sources, 'source')} and {names[1]} has "
            f"{counted(targets, 'line')}; they must correspond one to one"
        )
