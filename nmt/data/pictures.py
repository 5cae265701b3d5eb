"""Sources that are pictures: read, resized, and cut into square cells."""

import hashlib
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset, Features, Image, List, Value

from nmt.config import CorpusConfig, PictureInputConfig
from nmt.config.endings import PICTURES, is_table, suffix
from nmt.data import cells, files, fingerprints, given, images, scenes, tables, tabular, texts
from nmt.errors import DataError

# One of both is null; where there is no picture, both are, or the whole row is.
PICTURE = {"bytes": Value("binary"), "path": Value("string")}
PAIRS = Features({"source": PICTURE, "target": Value("string")})


class Pictures:
    """Pictures as their cells, in reading order: a vector has the RGB bytes of a cell's pixels."""

    def __init__(self, config: PictureInputConfig) -> None:
        self.config = config
        self.feature = List(List(Value("uint8"), length=config.shape.size))

    def from_files(self, corpus: CorpusConfig, *, languages: tuple[str, str]) -> Dataset:
        """Returns pairs of `PICTURE` and text.

        The source in a file of text, TSV or JSON lines is the path of a picture, relative to the
        folder of this file.
        """
        if corpus.path == "scenes":
            where: dict[str, Any] = {"split": corpus.split, "language": languages[1]}
            return tables.generated(_scenes, PAIRS, where | {"digest": files.digest(scenes.PATH)})
        return tables.generated(_listed, PAIRS, given.listed(corpus, languages=languages))

    def from_table(self, pairs: Dataset, *, where: str) -> Dataset:
        """Returns pairs of `PICTURE` and text, given an image column, or one of paths or bytes."""
        if isinstance(pairs.features["source"], Image):
            return pairs.cast_column("source", Image(decode=False))
        kind = pairs.data.column("source").type
        is_row = pa.types.is_struct(kind) and {field.name for field in kind} == PICTURE.keys()
        plain = str(kind).removeprefix("large_").removesuffix("_view")
        if not is_row and plain not in ("string", "binary"):
            raise DataError(f"{where}: the source column holds {kind}, and no pictures")
        folder = Path(where).absolute().parent  # of paths in a file
        return pairs.map(
            lambda row: {"source": _picture(row["source"], folder)},
            features=Features({**pairs.features, "source": PICTURE}),
        )

    def arrays(self, sources: Sequence[Any], *, before: int) -> list[given.Array]:
        """Returns the cells of each picture; none of one that is invalid, if it may be skipped."""
        found, invalid = [], list[str]()
        for number, source in enumerate(sources, start=before + 1):
            try:
                found.append(self.read(source, where=f"row {number}"))
            except DataError as error:
                if self.config.invalid == "refuse":
                    raise DataError(
                        f"{error}; data.input.invalid=skip leaves such rows out of a training, "
                        "and in the config.yaml of a run their captions empty"
                    ) from None
                invalid.append(str(error))
                found.append(np.zeros((0, self.config.shape.size), np.uint8))
        if invalid:
            more = f", and {len(invalid) - 1} more" if invalid[1:] else ""
            warnings.warn(f"left out: {invalid[0]}{more}", stacklevel=2)
        return found

    def read(self, source: Any, *, where: str) -> given.Array:
        """Returns the cells of a picture: uint8, (cells, 3 * cell ** 2).

        The picture is a path, the bytes of a file, a row of a data set, an image of Pillow, or an
        array of RGB pixels (height, width, 3). Cells are accepted as they are.
        """
        cut = self.config.max_length, self.config.shape.size
        if isinstance(source, np.ndarray) and source.dtype == np.uint8 and source.shape == cut:
            return source
        size = self.config.width, self.config.height
        picture = images.opened(source, where=where).resize(size, images.SMOOTH)
        return cells.cut(np.asarray(picture)[None], self.config.cell)[0]

    def sources(self, path: Any, *, column: str) -> list[Any]:
        """Returns the pictures of a file: itself, or those that a table or a list of paths names.

        The list has a path in each line. Paths are relative to the folder of the file, and to the
        working directory if it is a pipe.
        """
        found = files.find(path)
        if suffix(found) == ".parquet":
            table = self.from_table(tables.column(found, column), where=str(found))
            return [
                row["path"] if row["bytes"] is None else row["bytes"] for row in table["source"]
            ]
        if is_table(str(found)):
            how: dict[str, Any] = dict.fromkeys(("languages", "columns"), (column, column))
            named = [name for name, _ in texts.pairs(found, **how, remedy=tabular.RENAME)]
        elif found.suffix.lower() in PICTURES or (found.is_file() and images.is_picture(found)):
            return [str(found)]
        else:
            named = list(_paths(found))
        folder = found.parent if found.is_file() else Path()
        return [str(folder / name) for name in named]

    def state(self, pairs: Dataset) -> str:
        """Returns a fingerprint of the sizes and times of the files that the rows name."""
        digest = hashlib.sha256()
        for chunk in pairs.data.column("source").chunks:
            for path in chunk.field("path").to_pylist():
                if path is not None and os.path.exists(path):
                    found = os.stat(path)
                    digest.update(f"{path} {found.st_size} {found.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def content(self, pairs: Dataset) -> str:
        """Returns a fingerprint of the texts, and of the bytes of pictures or sizes of their files.

        Files are known by their names relative to the folder that all of them are in, which may be
        another on each host. Of two files of one name and size, the pixels are not compared.
        """
        digest = hashlib.sha256(fingerprints.of_content(pairs.remove_columns("source")).encode())
        paths = list[str]()
        for row in pairs.select_columns("source").with_format(None):
            picture = row["source"] or dict.fromkeys(PICTURE)
            if picture["bytes"] is not None:
                digest.update(hashlib.sha256(picture["bytes"]).digest())
            elif picture["path"] is not None:
                paths.append(os.path.abspath(picture["path"]))
                digest.update(b"path")
            else:
                digest.update(b"none")
        root = os.path.commonpath([os.path.dirname(path) for path in paths] or ["/"])
        for path in paths:
            size = os.path.getsize(path) if os.path.exists(path) else None
            digest.update(f"{os.path.relpath(path, root)} {size}\n".encode())
        return digest.hexdigest()


def _paths(path: Path) -> Iterator[str]:
    """Yields the lines of a list of paths."""
    for number, line in enumerate(files.lines(path), start=1):
        if not line.strip():
            raise DataError(f"{files.named(path)}, line {number}: blank; remove the line")
        yield line


def _picture(value: Any, folder: Path = Path()) -> dict[str, Any]:
    """Returns a row of `PICTURE`, of the bytes of a file, or of a path from a folder on."""
    if isinstance(value, Mapping):
        value = value["path"] if value["bytes"] is None else value["bytes"]
    if isinstance(value, str):
        return {"bytes": None, "path": str(folder / value)}
    return {"bytes": value, "path": None}


def _listed(
    paths: tuple[str, ...],
    languages: tuple[str, str],
    columns: tuple[str, str] | None,
    digest: str,  # not used here: it is part of the key of the pairs in the cache
) -> Iterator[dict[str, Any]]:
    folder = Path(paths[0]).absolute().parent
    for source, target in texts.pairs(*map(Path, paths), languages=languages, columns=columns):
        yield {"source": _picture(source, folder), "target": target}


def _scenes(split: str, language: str, digest: str) -> Iterator[dict[str, Any]]:
    for scene in scenes.scenes(split):
        file = images.png(np.asarray(scenes.draw(scene)))
        yield {"source": _picture(file), "target": scene.sentence(language).text}
