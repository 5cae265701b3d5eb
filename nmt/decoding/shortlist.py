"""A vocabulary shortlist: the target pieces that the sentences of a batch may need.

Which pieces translate which is learnt from the training pairs with IBM model 1 (Brown et al. 1993).
Its table stands in the run folder beside the model.
"""

import dataclasses
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmt.errors import RunError
from nmt.run import Run

FILE = "shortlist.npz"
RANKS = 100  # translations of a piece that are kept
ROUNDS = 5  # of expectation maximisation; later ones change few ranks
LINKS = 10_000_000  # what a table is learnt from at most; a million take 100 MB

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
        """Returns the likeliest translations by `model_1` after so many rounds."""
        links = _links(pairs, target_size)
        sources, targets, chances = _expectation_maximisation(links, target_size, rounds)
        order = np.lexsort((-chances, sources))
        counts = np.bincount(sources, minlength=source_size)
        ranks = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        kept = ranks < RANKS
        translations = np.full((source_size, RANKS), -1, np.int32)
        translations[sources[order][kept], ranks[kept]] = targets[order][kept]
        frequencies = np.bincount(links.kinds[links.firsts] % target_size, minlength=target_size)
        return cls(translations, np.argsort(-frequencies, kind="stable").astype(np.int32))

    @classmethod
    def of(cls, run: Run) -> "Lexicon":
        """Reads the table of a run.

        Raises:
            RunError: the run has none, or the file is damaged.
        """
        path = run.path / FILE
        if not path.exists():
            raise RunError(
                f"{run.path}: decoding.shortlist needs the table {FILE}; "
                f"`nmt shortlist {run.path}` makes it"
            )
        try:
            with path.open("rb") as file:
                arrays = np.load(file, allow_pickle=False)
                return cls(arrays["translations"], arrays["common"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            raise RunError(
                f"{path}: not a table of translations; `nmt shortlist {run.path}` makes it anew"
            ) from None

    def save(self, run: Run) -> Path:
        """Writes the table into the run folder, whole or not at all; returns where."""
        part = run.path / f"part-{FILE}"
        np.savez_compressed(part, translations=self.translations, common=self.common)
        return part.replace(run.path / FILE)

    def choose(
        self, sources: Iterable[Sequence[int]], *, likeliest: int, size: int, first: Sequence[int]
    ) -> Ids:
        """Returns `size` different target pieces: `first`, then those that the sources may need.

        The `likeliest` translations of each source piece come rank by rank, so that the least
        likely are left out where there are too many. The most common pieces fill what is left.
        """
        pieces = np.unique(np.concatenate([np.asarray(ids, np.int32) for ids in sources]))
        ranks = self.translations[pieces, :likeliest].T.ravel()
        ordered = np.concatenate([np.asarray(first, np.int32), ranks[ranks >= 0], self.common])
        _, places = np.unique(ordered, return_index=True)
        return ordered[np.sort(places)[:size]]


def make(run: Run) -> Path:
    """Learns the table of a run from its training pairs and saves it; returns where.

    Raises:
        DataError: the training corpus cannot be read.
    """
    from nmt.data import corpus  # imports `datasets`, which searching does not need

    data, tokenizers = run.config.data, run.tokenizers()
    text = corpus.load(data.train, source=data.source, target=data.target)
    encoded, _ = corpus.filter_pairs(
        corpus.encode(text, tokenizers), max_length=data.max_length, max_ratio=data.max_ratio
    )
    pairs = ((pair["source"], pair["target"]) for pair in encoded.shuffle(seed=run.config.seed))
    sizes = {"source_size": tokenizers.source.size, "target_size": tokenizers.target.size}
    return Lexicon.learn(pairs, **sizes).save(run)


def model_1(pairs: Iterable[Pair], *, target_size: int, rounds: int) -> Table:
    """Returns p(target piece | source piece) of IBM model 1 for all that stand in one sentence.

    Each round shares a target position among the source positions of its sentence in proportion
    to p, and makes the sums the new p (Brown et al. 1993, section 4.1); it starts with equal ones.
    There is no empty word: where both sides end with the end of sentence, that takes its place.
    """
    return _expectation_maximisation(_links(pairs, target_size), target_size, rounds)


@dataclasses.dataclass(frozen=True)
class _Links:
    """Every pairing of a target position with a source position of the same sentence."""

    kinds: npt.NDArray[np.int64]  # source piece * target vocabulary + target piece
    words: npt.NDArray[np.int64]  # which target position of all it is
    firsts: npt.NDArray[np.int64]  # of each target position, its first link


def _links(pairs: Iterable[Pair], target_size: int) -> _Links:
    """Returns the links of the first pairs, about LINKS at most."""
    kinds: list[npt.NDArray[np.int64]] = []
    choices: list[npt.NDArray[np.int64]] = []
    room = LINKS
    for source, target in pairs:
        kind = np.asarray(source, np.int64)[None, :] * target_size
        kinds.append((kind + np.asarray(target, np.int64)[:, None]).ravel())
        choices.append(np.full(len(target), len(source)))
        room -= len(source) * len(target)
        if room <= 0:
            break
    of_words = np.concatenate(choices)
    words = np.repeat(np.arange(len(of_words)), of_words)
    return _Links(np.concatenate(kinds), words, np.cumsum(of_words) - of_words)


def _expectation_maximisation(links: _Links, target_size: int, rounds: int) -> Table:
    kinds, kind = np.unique(links.kinds, return_inverse=True)
    sources, targets = np.divmod(kinds, target_size)
    chances = np.ones(len(kinds))
    for _ in range(rounds):
        weights = chances[kind]
        totals = np.bincount(links.words, weights)
        expected = np.bincount(kind, weights / totals[links.words])
        chances = expected / np.bincount(sources, expected)[sources]
    return sources, targets, chances
