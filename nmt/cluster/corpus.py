"""The shards of a corpus: their files, and the files of their results, which have their names."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nmt.cluster.columns import has_columns
from nmt.counting import counted
from nmt.data import files
from nmt.errors import DataError


@dataclass(frozen=True)
class Shard:
    """The files of a shard, one for each side of its pairs, and the files of its results."""

    sources: tuple[Path, ...]
    results: tuple[Path, ...]

    def __str__(self) -> str:
        return " and ".join(map(str, self.sources))


def find(patterns: Iterable[str]) -> list[Path]:
    """Returns the files of a corpus by their names or by patterns such as `corpus/*.de.gz`.

    Raises:
        DataError: a pattern is of no file, or of a pipe or a device.
    """
    found = dict[Path, None]()
    for pattern in patterns:
        names = files.matching(pattern)
        if not (paths := [Path(name) for name in names if not os.path.isdir(name)]):
            hint = f"; name those in it, as in '{pattern}/*'" if Path(pattern).is_dir() else ""
            raise DataError(f"{pattern}: no such files{hint}")
        for path in paths:  # a broken link stays, as a shard that cannot be read
            if os.path.exists(path) and not os.path.isfile(path):
                raise DataError(
                    f"{path}: is no regular file, which can be read twice; write its lines to one"
                )
        found |= dict.fromkeys(paths)
    return list(found)


def shards(*sides: Sequence[Path], folders: Sequence[Path]) -> list[Shard]:
    """Returns the shards of a corpus, whose results lie in folders, one for each kind of result.

    A result has the name of its first source; one of a table is text and has `.txt` at its end.

    Raises:
        DataError: the sides differ in length, or a result would have the path of a source, or of
            another result.
    """
    if len(set(map(len, sides))) > 1:
        sources, targets = map(len, sides)
        raise DataError(
            f"{counted(sources, 'file')} of sources and {targets} of targets: each needs a partner"
        )
    originals = {os.path.realpath(path) for side in sides for path in side}
    taken = dict[Path, Path]()
    for source in sides[0]:
        for folder in folders:
            result = folder / f"{source.name}{'.txt' if has_columns(source) else ''}"
            if os.path.realpath(result) in originals:
                raise DataError(
                    f"{result}: is a source, which the result of {source} would replace; give "
                    "another folder for results"
                )
            if result in taken:
                raise DataError(
                    f"{result}: would be the result of {taken[result]} and of {source}; files "
                    "with the same name need folders of results of their own"
                )
            taken[result] = source
    results = [*taken]
    width = len(folders)
    return [
        Shard(sources, tuple(results[place * width : (place + 1) * width]))
        for place, sources in enumerate(zip(*sides, strict=True))
    ]
