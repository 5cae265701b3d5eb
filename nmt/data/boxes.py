"""Gold boxes of a test set: where in a picture the objects of each word of its caption are."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nmt.config import CorpusConfig
from nmt.config.endings import suffix
from nmt.data import files, images, scenes, tabular
from nmt.errors import DataError
from nmt.evaluation.pointing import Box

FIELD = "boxes"  # of JSON lines


class Gold(NamedTuple):
    """The boxes of each word of a caption, and the picture that they are in."""

    boxes: Sequence[Sequence[Box]]  # pixels; none for a word that names nothing
    size: tuple[int, int]  # height and width of the picture, in pixels


def gold(corpus: CorpusConfig, *, languages: tuple[str, str]) -> Iterator[Gold]:
    """Yields the boxes of each pair of a corpus: of `scenes`, or of JSON lines with `boxes`.

    Raises:
        DataError: it is another corpus, or its boxes cannot be read.
    """
    path = corpus.path or ""
    if path == "scenes":
        for scene in scenes.scenes(corpus.split):
            yield Gold(scene.sentence(languages[1]).boxes, (scenes.PIXELS, scenes.PIXELS))
    elif suffix(path) in (".json", ".jsonl"):
        yield from _listed(files.find_stored(path), corpus.columns or languages)
    else:
        raise DataError(
            f"no boxes: only `scenes`, and JSON lines with a field {FIELD!r}, say where objects are"
        )


def _listed(path: Path, columns: tuple[str, str]) -> Iterator[Gold]:
    for where, row in tabular.json_rows(path):
        if FIELD not in row:
            raise DataError(
                f"{where}: no field {FIELD!r}, a list of [left, top, right, bottom] for each word"
            )
        picture, _ = tabular.pair_in(row, columns=columns, where=where)
        yield Gold(_boxes(row[FIELD], where), images.size(str(path.parent / picture)))


def _boxes(words: Any, where: str) -> list[list[Box]]:
    if not isinstance(words, list) or not all(isinstance(word, list) for word in words):
        raise DataError(f"{where}: {FIELD!r} is no list of boxes for each word")
    return [[_box(box, where=where) for box in word] for word in words]


def _box(box: Any, *, where: str) -> Box:
    try:
        left, top, right, bottom = map(float, box)
    except (TypeError, ValueError):
        raise DataError(
            f"{where}: {box!r} is no box of a word; one is [left, top, right, bottom]"
        ) from None
    return left, top, right, bottom
