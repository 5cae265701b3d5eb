"""Word links that come with a corpus, and the links between pieces that they imply.

The column `links` has a list for each pair: the source and target position of the first link, of
the second link, and so on.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset, Features, List, Value

from nmt import caches
from nmt.data import files
from nmt.data.tokenizer import Tokenizers
from nmt.errors import DataError
from nmt.evaluation import pharaoh
from nmt.evaluation.words import Words, unfold

LINKS = Features({"links": List(Value("int32"))})


def attach(text: Dataset, path: Path) -> Dataset:
    """Adds the column `links` to pairs, from a file of word links in Pharaoh format.

    Raises:
        DataError: a token is no link, a link lies outside its sentence, or the number of lines is
            not the number of pairs.
    """
    lines = sum(1 for _ in files.lines(path))
    if lines != len(text):
        raise DataError(
            f"{path} has {lines} lines of links and the corpus {len(text)} pairs; "
            "they must correspond line for line"
        )
    unread = pharaoh.read_links(files.lines(path), name=path)

    def read_rows(rows: Mapping[str, list[str]], numbers: list[int]) -> dict[str, Any]:
        found = []
        pairs = zip(rows["source"], rows["target"], strict=True)
        for number, pair, links in zip(numbers, pairs, unread, strict=False):  # `unread` is longer
            for side, line in enumerate(pair):
                where = f"{path}, line {number + 1}"
                pharaoh.check_inside(links, len(line.split()), side=side, where=where)
            found.append([place for link in sorted(links) for place in link])
        return {"links": found}

    key = f"{text._fingerprint} {files.digest(path)}"
    fingerprint = hashlib.sha256(key.encode()).hexdigest()
    return text.map(
        read_rows,
        batched=True,
        with_indices=True,
        features=Features({**text.features, **LINKS}),
        cache_file_name=str(caches.corpora() / f"{fingerprint}.arrow"),
        new_fingerprint=fingerprint,
    )


def of_pieces(
    text: Mapping[str, Any], ids: Mapping[str, list[list[int]]], tokenizers: Tokenizers
) -> list[list[int]]:
    """Returns the links between pieces that follow from the links between words.

    `ids` are the pieces of the pairs, with `eos`. SentencePiece may remove a space of a line or
    add one. If the pieces spell another number of words than the line has, it is unknown which
    words the links mean, and the pair gets no links.
    """
    found = []
    for row, links in enumerate(text["links"]):
        source, target = (
            Words.spelled(getattr(tokenizers, side).pieces(ids[side][row][:-1]))
            for side in ("source", "target")
        )
        known = len(source.labels) == len(text["source"][row].split())
        known = known and len(target.labels) == len(text["target"][row].split())
        words = np.reshape(links if known else [], (-1, 2)).astype(int)
        found.append(unfold(words, source, target).ravel().tolist())
    return found
