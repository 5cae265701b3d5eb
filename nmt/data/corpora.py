"""The corpora of a configuration: training corpora cleaned and joined, validation, test."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset, concatenate_datasets

from nmt.config import CorpusConfig, DataConfig
from nmt.data import cleaning, corpus, fingerprints, links
from nmt.data.report import FilterReport
from nmt.data.tokenizer import Tokenizer
from nmt.errors import DataError


@dataclass(frozen=True)
class TrainingText:
    """The pairs to train on, and those that cleaning has left out."""

    text: Dataset
    report: FilterReport | None  # of cleaning; None: there was none
    left_out: Sequence[tuple[Dataset, cleaning.Codes]]  # each corpus, and the reasons for its pairs

    def removed(self) -> Iterator[tuple[str, str, str]]:
        """Yields the reason, the source and the target of each pair that is left out."""
        for text, reasons in self.left_out:
            pairs = text.select(np.flatnonzero(reasons))
            for reason, pair in zip(reasons[reasons > 0].tolist(), pairs, strict=True):
                yield cleaning.REASONS[reason - 1], pair["source"], pair["target"]


def training(data: DataConfig) -> TrainingText:
    """Returns the pairs of all training corpora, one corpus after the other.

    The columns are those of `corpus.load`, and `corpus`, the number of the corpus, if there are
    several. If one has links, pairs of the others have the empty list.

    Raises:
        DataError: a corpus is missing, damaged or empty, or a stream, or no pair is left.
    """
    if data.stream is not None:
        raise DataError(
            "data.stream: this needs the whole training corpus, and a stream is never kept; give "
            "data.stream=null if the corpus fits on the disk"
        )
    texts = [_load(each, data) for each in data.corpora]
    report, left_out = None, list[tuple[Dataset, cleaning.Codes]]()
    if data.clean is not None:
        reasons = cleaning.judge(texts, data.clean, held_out=compared(data))
        report = FilterReport.of(cleaning.REASONS, np.concatenate(reasons))
        left_out = list(zip(texts, reasons, strict=True))
        texts = [text.select(np.flatnonzero(codes == 0)) for text, codes in left_out]
        if report.kept == 0:
            raise DataError(f"data.clean: no pair is left to train on: {report}")
    tagged = [_tagged(text, each) for text, each in zip(texts, data.corpora, strict=True)]
    return TrainingText(_joined(tagged), report, left_out)


def held_out(data: DataConfig, name: str) -> Dataset:
    """Returns the pairs of the corpus of that name: validation or test.

    Raises:
        DataError: the corpus is missing, damaged or empty.
    """
    chosen = data.held_out[name]
    return _tagged(_load(chosen, data), chosen)


def compared(data: DataConfig) -> list[Dataset]:
    """Returns the corpora whose pairs cleaning leaves out of training."""
    if data.clean is None or data.clean.held_out is None:
        return []
    return [_load(each, data) for each in data.held_out.values()]


def check_tags(data: DataConfig, tokenizer: Tokenizer) -> None:
    """Warns of tags that are no pieces of the tokenizer, as one that is given may have none."""
    for tag in data.tags:
        pieces = tokenizer.pieces(tokenizer.encode(tag))
        if tag not in (piece.removeprefix("▁") for piece in pieces):
            warnings.warn(
                f"the tokenizer has no piece {tag}, and reads this tag as {len(pieces)} pieces; "
                "train a tokenizer, which learns tags, or choose as `source_tag` a piece it has",
                stacklevel=2,
            )


def _load(each: CorpusConfig, data: DataConfig) -> Dataset:
    source, target = each.languages or data.languages
    how: dict[str, Any] = {"word_boundaries": data.word_boundaries, "input": data.input}
    return corpus.load(each, source=source, target=target, **how)


def _tagged(text: Dataset, each: CorpusConfig) -> Dataset:
    """Puts the tag of a corpus in front of its sources."""
    tag = each.source_tag
    if tag is None:
        return text

    def tag_rows(rows: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
        tagged: dict[str, list[Any]] = {"source": [with_tag(line, tag) for line in rows["source"]]}
        if "links" in rows:
            tagged["links"] = [
                [place + (index % 2 == 0) for index, place in enumerate(row)]
                for row in rows["links"]
            ]
        return tagged

    return text.map(
        tag_rows,
        batched=True,
        features=text.features,
        new_fingerprint=fingerprints.of_result(text, tag),
    )


def with_tag(line: str, tag: str | None) -> str:
    """Returns a source with a tag as its first word; an empty one stays so."""
    return line if tag is None or not line.strip() else f"{tag} {line}"


def _joined(texts: Sequence[Dataset]) -> Dataset:
    if len(texts) == 1:
        return texts[0]
    columns = {name for text in texts for name in text.column_names}
    numbered = []
    for number, text in enumerate(texts):
        if "links" in columns - {*text.column_names}:
            none: list[list[int]] = [[]] * len(text)
            text = text.add_column("links", none, feature=links.LINKS["links"])
        numbered.append(text.add_column("corpus", np.full(len(text), number, np.int32)))
    return concatenate_datasets(numbered)
