"""A vocabulary shortlist: the target pieces that a sentence may need, independent of its batch.

The translations of each piece are learned from the training pairs with IBM model 1 (Brown et al.
1993). The table is a file of the run folder.
"""

import contextlib
import dataclasses
import zipfile
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from nmt.errors import DataError, RunError
from nmt.inference.batches import SentenceBatch, width_of
from nmt.inference.ibm_model_1 import ROUNDS, TokenPair, model_1, pairings
from nmt.run import Run
from nmt.trained import Trained, check_translates

FILE = "shortlist.npz"
COMMON = 1024  # pieces that every sentence may use
RANKS = 100  # translations of a piece in the table

Ids = npt.NDArray[np.int32]


@dataclasses.dataclass(frozen=True)
class Lexicon:
    """Likely translations of each source piece, and all target pieces by how common they are."""

    translations: Ids  # (source piece, rank), the likeliest first; -1 where there are fewer
    common: Ids  # (target piece,), the most frequent first

    @classmethod
    def learn(
        cls, pairs: Iterable[TokenPair], *, source_size: int, target_size: int, rounds: int = ROUNDS
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
        """Writes the table into the folder of a run or a bundle, atomically; returns its path.

        Raises:
            RunError: it cannot be written.
        """
        part, path = folder / f"part-{FILE}", folder / FILE
        try:
            np.savez_compressed(part, translations=self.translations, common=self.common)
            return part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink()
            reason = error.strerror or error
            raise RunError(f"{path}: the table cannot be written ({reason})") from None

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
        DataError: the training corpus cannot be read whole, or its sources are not text, or the
            run does not translate.
        RunError: the table cannot be written.
    """
    from nmt.data import corpora, corpus  # imports `datasets`, which a search does not need

    check_translates(run)
    data, tokenizers = run.config.data, run.tokenizers()
    if data.input.kind != "text":
        raise DataError(
            f"{run.path}: a shortlist is for sources of text, and this run reads {data.input.kind}"
        )
    if data.stream is not None:
        raise DataError(
            f"{run.path}: a shortlist is made of the whole training corpus, and data.stream keeps "
            "none; if it fits on the disk, make it in a copy of the run with `stream: null` in "
            "config.yaml"
        )
    text = corpora.training(data).text
    encoded, _ = corpus.filter_pairs(corpus.encode(text, tokenizers), data)
    pairs = ((pair["source"], pair["target"]) for pair in encoded.shuffle(seed=run.config.seed))
    sizes = {"source_size": tokenizers.source.size, "target_size": tokenizers.target.size}
    return Lexicon.learn(pairs, **sizes).save(run.path)
