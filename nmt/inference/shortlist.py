"""A vocabulary shortlist: the target pieces that a sentence may need, independent of its batch.

The translations of each piece are learned from the training pairs with IBM model 1 (Brown et al.
1993). The table is a file of the run folder.
"""

import dataclasses
import zipfile
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmt.errors import DataError, RunError
from nmt.inference.batches import SentenceBatch, width_of
from nmt.run import Run
from nmt.trained import Trained, check_translates

FILE = "shortlist.npz"
COMMON = 1024  # pieces that every sentence may use
RANKS = 100  # translations of a piece in the table
ROUNDS = 5  # of expectation maximization; later ones change few ranks
LINKS = 10_000_000  # that a table is learned from at most; a million take 100 MB

Ids = npt.NDArray[np.int32]
Pair = tuple[Sequence[int], Sequence[int]]
Table = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]


@dataclasses.dataclass(frozen=True)
class Lexicon:
    """Likely translations of each source piece, and all target pieces by how common they are."""

    translations: Ids  # (source piece, rank), the likeliest first; -1 where there are fewer
    common: Ids  # (target piece,), the most frequent first

    @classmethod
    def learn(
        cls, pairs: Iterable[Pair], *, source_size: int, target_size: int, rounds: int = ROUNDS
    ) -> "Lexicon":
        """Learns the likeliest translations with `model_1`, in so many rounds."""
        links = pairings(pairs, target_size)
        sources, targets, chances = model_1(links, target_size, rounds)
        order = np.lexsort((-chances, sources))
        counts = np.bincount(sources, minlength=source_size)
        ranks = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = ranks < RANKS
        translations = np.full((source_size, RANKS), -1, np.int32)
        translations[sources[order][kept], ranks[kept]] = targets[order][kept]
        frequencies = np.bincount(links.kinds[links.firsts] % target_size, minlength=target_size)
        return cls(translations, np.argsort(-frequencies, kind="stable").astype(np.int32))

    @classmethod
    def of(cls, run: Trained) -> "Lexicon":
        """Reads the table of a run.

        Raises:
            RunError: the run has none, or the file is damaged.
        """
        path = run.path / FILE
        made = f"`nmt shortlist {run.path}` makes it"
        if not isinstance(run, Run):
            made = "have the bundle exported anew from a run that has it"
        if not path.exists():
            raise RunError(f"{run.path}: decoding.shortlist needs the table {FILE}; {made}")
        try:
            with path.open("rb") as file:
                arrays = np.load(file, allow_pickle=False)
                lexicon = cls(arrays["translations"], arrays["common"])
            tokenizers = run.tokenizers()
            sizes = tokenizers.source.size, tokenizers.target.size
            if (len(lexicon.translations), len(lexicon.common)) != sizes:
                raise ValueError("a table of other vocabularies")
            return lexicon
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            raise RunError(f"{path}: not a table of translations; {made}") from None

    def save(self, folder: Path) -> Path:
        """Writes the table into the folder of a run or a bundle, atomically; returns its path."""
        part = folder / f"part-{FILE}"
        np.savez_compressed(part, translations=self.translations, common=self.common)
        return part.replace(folder / FILE)

    def choose(
        self,
        sentences: Sequence[Sequence[int]],
        batch: SentenceBatch,
        *,
        likeliest: int,
        first: Sequence[int],
        joint: bool,
        needed: Sequence[Collection[int]] = (),
    ) -> tuple[Ids, Ids]:
        """Returns the common target pieces, and each sentence's own ones, (row, own), -1 for none.

        Args:
            sentences: as source pieces.
            batch: the shape of their arrays.
            likeliest: how many translations of each source piece are a sentence's own.
            first: the first ones of the common pieces.
            joint: both languages have one vocabulary, so that a sentence may copy its own pieces.
            needed: pieces that each sentence must have, if it needs any.
        """
        ordered = np.concatenate([np.asarray(first, np.int32), self.common])
        _, places = np.unique(ordered, return_index=True)
        common = ordered[np.sort(places)[:COMMON]]
        room = width_of(max(map(len, needed))) if any(needed) else 0
        own = np.full((batch.size, (likeliest + joint) * batch.width + room), -1, np.int32)
        for row, sentence in enumerate(sentences):
            pieces = np.unique(np.asarray(sentence, np.int32))
            translations = self.translations[pieces, :likeliest].ravel()
            added = np.array(list(needed[row]) if needed else [], np.int32)
            wanted = np.concatenate([translations, pieces[: joint * len(pieces)], added])
            only = np.setdiff1d(wanted[wanted >= 0], common)
            own[row, : len(only)] = only
        return common, own


def make(run: Run) -> Path:
    """Learns the table of a run from its training pairs and saves it; returns its path.

    Raises:
        DataError: the training corpus cannot be read, or its sources are not text, or the run
            does not translate.
    """
    from nmt.data import corpora, corpus  # imports `datasets`, which a search does not need

    check_translates(run)
    data, tokenizers = run.config.data, run.tokenizers()
    if data.input.kind != "text":
        raise DataError(
            f"{run.path}: a shortlist is for sources of text, and this run reads {data.input.kind}"
        )
    text = corpora.training(data).text
    encoded, _ = corpus.filter_pairs(corpus.encode(text, tokenizers), data)
    pairs = ((pair["source"], pair["target"]) for pair in encoded.shuffle(seed=run.config.seed))
    sizes = {"source_size": tokenizers.source.size, "target_size": tokenizers.target.size}
    return Lexicon.learn(pairs, **sizes).save(run.path)


@dataclasses.dataclass(frozen=True)
class Links:
    """All pairs of a target position and a source position of the same sentence."""

    kinds: npt.NDArray[np.int64]  # source piece * target vocabulary + target piece
    words: npt.NDArray[np.int64]  # target position, counted over all sentences
    firsts: npt.NDArray[np.int64]  # the first link of each target position


def pairings(pairs: Iterable[Pair], target_size: int) -> Links:
    """Returns the links of the first pairs, about LINKS at most."""
    kinds: list[npt.NDArray[np.int64]] = []
    choices: list[npt.NDArray[np.int64]] = []
    capacity = LINKS
    for source, target in pairs:
        kind = np.asarray(source, np.int64)[None, :] * target_size
        kinds.append((kind + np.asarray(target, np.int64)[:, None]).ravel())
        choices.append(np.full(len(target), len(source)))
        capacity -= len(source) * len(target)
        if capacity <= 0:
            break
    of_words = np.concatenate(choices)
    words = np.repeat(np.arange(len(of_words)), of_words)
    return Links(np.concatenate(kinds), words, np.cumsum(of_words) - of_words)


def model_1(links: Links, target_size: int, rounds: int) -> Table:
    """Returns p(target piece | source piece) of IBM model 1 for all pairs of pieces in the links.

    Each round of expectation maximization divides a target position among the source positions of
    its sentence in proportion to p, and normalizes the sums to the new p (Brown et al. 1993,
    section 4.1). It starts with equal ones. The end of sentence, on both sides, serves as the
    empty word.
    """
    kinds, kind = np.unique(links.kinds, return_inverse=True)
    sources, targets = np.divmod(kinds, target_size)
    chances = np.ones(len(kinds))
    for _ in range(rounds):
        weights = chances[kind]
        totals = np.bincount(links.words, weights)
        expected = np.bincount(kind, weights / totals[links.words])
        chances = expected / np.bincount(sources, expected)[sources]
    return sources, targets, chances
