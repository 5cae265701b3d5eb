"""From pairs of strings to links: what `Translator.align` does, by a network that only aligns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple, overload

import jax
import jax.numpy as jnp
import numpy as np

from nmt import devices
from nmt.arguments import checked_pair, checked_sides
from nmt.checkpoints import Which
from nmt.config import DecodingConfig
from nmt.config.data import WORD_BOUNDARIES, WordBoundaries
from nmt.data.batching import Batch, Bucket, pad
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.inference import limits, loading, programs
from nmt.inference.batches import BATCHES_AHEAD, Capacity, sentence_batches, windows
from nmt.inference.loading import Runs
from nmt.inference.predictor import LoadedModel
from nmt.inference.translation import Translation, empty_translation
from nmt.inference.unseen import Remainder
from nmt.model.aligner import AlignerNetwork, Totals

METHOD = "posterior"  # of the matrices, as translations name it

Ids = tuple[list[int], list[int]]  # of the pieces of a source and a target


class Both(NamedTuple):
    """The alignment of a pair from both sides; each matrix is (target pieces, source pieces)."""

    forward: Translation  # targets, explained by sources
    backward: Translation  # sources, explained by targets: its target is the source of the pair


class _Shared(NamedTuple):
    """What all rows share."""

    loaded: LoadedModel
    totals: tuple[Totals, Totals]


class Aligner:
    """A trained network that aligns: `Aligner.load("runs/align")`.

    It has the probability of each link in both directions. A word whose probabilities sum to less
    than one comes, with the rest, from no word.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        tokenizers: Tokenizers,
        config: DecodingConfig,
        word_boundaries: WordBoundaries = WORD_BOUNDARIES,
    ) -> None:
        loaded = devices.replicate(loaded)
        totals = jax.jit(_totals)(loaded)
        self.shared = devices.replicate(_Shared(loaded, totals))
        self.tokenizers, self.config = tokenizers, config
        self.word_boundaries = word_boundaries
        self.warn: limits.Warn = limits.warn_of

    @classmethod
    def load(
        cls, run: Runs, *, checkpoint: Which | int = "best", trust: bool = False, **decoding: Any
    ) -> "Aligner":
        """Reads a run folder; keyword arguments such as `batch=16` replace its decoding settings.

        Raises:
            RunError: there is no such run or checkpoint.
            ConfigError: there is no such decoding setting, or it cannot have that value.
            DataError: it is a network that translates, or there are several.
        """
        return cls(**loading.aligner(run, checkpoint=checkpoint, trust=trust, decoding=decoding))

    @overload
    def align(self, sources: str, targets: str) -> Both: ...
    @overload
    def align(self, sources: Iterable[str], targets: Iterable[str]) -> list[Both]: ...
    def align(self, sources: Any, targets: Any) -> Any:
        """Returns the alignment of a pair, or of pairs, in order.

        Raises:
            DataError: the two sides differ in length.
            TypeError: the arguments are neither two strings nor strings on both sides.
        """
        if isinstance(sources, str) and isinstance(targets, str):
            return self.align([sources], [targets])[0]
        return list(self.align_stream(checked_sides(sources, targets)))

    @property
    def method(self) -> str:
        """The method whose matrices the alignments have."""
        return METHOD

    @property
    def window(self) -> int:
        """The number of pairs that are read ahead, sorted and aligned together."""
        return BATCHES_AHEAD * self.config.batch

    def align_stream(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Both]:
        """Aligns (source, target) pairs as `align` does, in order, reading ahead a window."""
        return chain.from_iterable(
            self.align_window(window, before=before)
            for before, window in windows(map(checked_pair, pairs), self.window)
        )

    def align_window(self, window: Sequence[tuple[str, str]], *, before: int) -> list[Both]:
        """Returns the alignment of each pair; `before` pairs came earlier."""
        numbers = range(before + 1, before + 1 + len(window))
        ids = [(source[:-1], target[:-1]) for source, target in self.ids(window, numbers)]
        aligned = [Both(*(self._empty(*each) for each in (pair, pair[::-1]))) for pair in window]
        real = [number for number, pair in enumerate(ids) if all(pair)]
        for number, matrices in self._aligned(ids, real):
            aligned[number] = self._both(window[number], ids[number], matrices)
        return aligned

    def ids(self, pairs: Sequence[tuple[str, str]], numbers: Sequence[int]) -> list[Ids]:
        """Returns the pieces of both sides, with their ends; lines have these numbers."""
        if not pairs:
            return []
        sides = []
        for side, lines in zip(("source", "target"), zip(*pairs, strict=True), strict=True):
            tokenizer: Tokenizer = getattr(self.tokenizers, side)
            sides.append(
                limits.cut(
                    tokenizer.encode_batch(lines),
                    eos=tokenizer.eos,
                    longest=self.config.max_pieces,
                    numbers=numbers,
                    side=side,
                    warn=self.warn,
                )
            )
        return list(zip(*sides, strict=True))

    def with_model(self, loaded: LoadedModel) -> "Aligner":
        """Returns an aligner with other parameters."""
        new = Aligner(
            loaded,
            tokenizers=self.tokenizers,
            config=self.config,
            word_boundaries=self.word_boundaries,
        )
        new.warn = self.warn
        return new

    def _aligned(self, ids: Sequence[Ids], real: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Yields the number of a pair and its two matrices, in any order."""
        capacity = Capacity(self.config.batch, devices=devices.count())
        widest = [max(map(len, pair)) for pair in ids]
        for batch in sentence_batches(real, widest, capacity=capacity):
            rows = pad(
                [ids[i] for i in batch.numbers], Bucket(batch.size, batch.width, batch.width)
            )
            forward, backward = map(np.asarray, programs.run(_links, self.shared, rows))
            for row, number in enumerate(batch.numbers):
                source, target = map(len, ids[number])
                yield number, (forward[row, :target, :source], backward[row, :source, :target])

    def _empty(self, source: str, target: str) -> Translation:
        return replace(empty_translation(source, target, self.word_boundaries), method=METHOD)

    def _both(self, pair: tuple[str, str], ids: Ids, matrices: Any) -> Both:
        """Returns the alignment of a pair of strings, whose ends of sentences have no links."""
        (source, target), (given, tokens) = map(Remainder, pair, pair), ids
        forward, backward = (np.pad(links, ((0, 1), (0, 1))) for links in matrices)
        explained = Translation.of(
            self.tokenizers,
            source=(source, [*given, self.tokenizers.source.eos]),
            target=(target, [*tokens, self.tokenizers.target.eos]),
            score=0.0,
            log_prob=0.0,
            attention=forward,
            method=METHOD,
            word_boundaries=self.word_boundaries,
        )
        return Both(explained, _turned(explained, backward))


def _turned(found: Translation, links: Any) -> Translation:
    """Returns an alignment with source and target exchanged, and with another matrix."""
    return replace(
        found,
        source=found.text,
        text=found.source,
        source_pieces=found.target_pieces,
        target_pieces=found.source_pieces,
        source_offsets=found.target_offsets,
        target_offsets=found.source_offsets,
        attention=links,
    )


def _totals(loaded: LoadedModel) -> tuple[Totals, Totals]:
    network: AlignerNetwork = loaded.network
    return network.totals()


def _links(shared: _Shared, rows: Batch) -> tuple[Any, Any]:
    """Returns the links of both directions."""
    network: AlignerNetwork = shared.loaded.network
    source, source_lengths, target, target_lengths = map(jnp.asarray, rows[:4])
    aligned = network((source, source_lengths), (target, target_lengths), shared.totals)
    return aligned.forward.links, aligned.backward.links
