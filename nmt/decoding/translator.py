"""From strings to translations: tokenise, sort into batches, search, detokenise, restore order."""

import dataclasses
import hashlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from flax import nnx

from nmt.config import Config, DecodingConfig
from nmt.data.batching import pad_side
from nmt.data.tokenizer import Tokenizers
from nmt.decoding.explanations import check_method, explain
from nmt.decoding.hypotheses import Hypotheses
from nmt.decoding.lots import Lot, lots, width_of
from nmt.decoding.programs import search
from nmt.decoding.shortlist import Lexicon
from nmt.decoding.translation import Translation, nothing
from nmt.errors import DataError
from nmt.model.seq2seq import Seq2Seq, build
from nmt.run import Run, Which
from nmt.types import Graph, Params

COLUMNS = 2048  # target pieces of a shortlist
WINDOW = 64  # batches that are read ahead and sorted by length

_Item = TypeVar("_Item")


class Translator:
    """A trained model that translates strings; `Translator.load("runs/x")` makes one."""

    def __init__(
        self,
        graph: Graph,
        params: Params,
        *,
        tokenizers: Tokenizers,
        config: DecodingConfig,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.graph = graph
        self.params = params
        self.tokenizers = tokenizers
        self.config = config
        self.lexicon = lexicon

    @classmethod
    def load(
        cls,
        run: str | Path,
        *,
        checkpoint: Which = "best",
        trust: bool = False,
        **decoding: Any,
    ) -> "Translator":
        """Reads a run folder; keyword arguments such as `beam=1` replace its decoding settings.

        A class of the user's own that its configuration names is imported with `trust` only.

        Raises:
            RunError: there is no such run, or it has no checkpoint, or no table for a shortlist,
                or it asks for trust.
        """
        opened = Run.open(run)
        opened.check_imports(trust=trust)
        tokenizers = opened.tokenizers()
        # Of its shapes only: drawing parameters that are not used would take seconds.
        graph, template = nnx.split(nnx.eval_shape(lambda: build_model(opened.config, tokenizers)))
        params = opened.restore(checkpoint, {"params": template})["params"]
        settings = opened.config.decoding.model_copy(update=decoding)
        lexicon = Lexicon.of(opened) if settings.shortlist else None
        return cls(graph, params, tokenizers=tokenizers, config=settings, lexicon=lexicon)

    def translate(self, lines: Iterable[str]) -> list[Translation]:
        """Returns the best translation of each line, in order; an empty line stays empty."""
        return [best for best, *_ in self.stream(lines)]

    @property
    def fingerprint(self) -> str:
        """A SHA-256 of parameters and tokenizers: of the model, whatever the settings."""
        digest = hashlib.sha256(self.tokenizers.fingerprint.encode())
        for array in jax.tree.leaves(self.params):
            digest.update(np.asarray(array).tobytes())
        return digest.hexdigest()

    @property
    def window(self) -> int:
        """How many lines are read ahead, sorted and decoded together."""
        return WINDOW * self.config.batch

    def stream(
        self, lines: Iterable[str], *, n_best: int = 1, skip: int = 0
    ) -> Iterator[list[Translation]]:
        """Returns the `n_best` translations of each line, best first, reading ahead a window.

        Of the lines, the first `skip` are left out.

        Raises:
            DataError: more translations are asked for than the beam holds.
        """
        if n_best > self.config.beam:
            raise DataError(
                f"{n_best} translations need a beam of at least {n_best}; --beam sets it"
            )
        return chain.from_iterable(
            self._translate_window(window, n_best, before=before)
            for before, window in self._windows(lines, skip=skip)
        )

    def align(
        self, sources: Sequence[str], targets: Sequence[str], *, method: str = "attention"
    ) -> list[Translation]:
        """Force-decodes given pairs: scores and attention of each target under the model.

        `method` is one of `explanations.METHODS`, whose matrix stands in the place of attention.

        Raises:
            DataError: the two sides differ in length, or there is no such method.
        """
        if len(sources) != len(targets):
            raise DataError(f"{len(sources)} source lines but {len(targets)} target lines")
        return list(self.align_stream(zip(sources, targets, strict=True), method=method))

    def align_stream(
        self, pairs: Iterable[tuple[str, str]], *, method: str = "attention"
    ) -> Iterator[Translation]:
        """Does what `align` does to (source, target) pairs, in order, reading ahead a window."""
        check_method(method)
        return chain.from_iterable(
            self._align_window(window, before=before, method=method)
            for before, window in self._windows(pairs)
        )

    def explain(self, translations: Sequence[Translation], *, method: str) -> list[Translation]:
        """Returns the same translations, piece for piece, with the matrix of another method.

        Raises:
            DataError: there is no such method.
        """
        check_method(method)
        explained = list(translations)
        real = [
            i for i, each in enumerate(explained) if each.attention.size and each.method != method
        ]
        pairs = [
            (
                self.tokenizers.source.ids(each.source_pieces),
                self.tokenizers.target.ids(each.target_pieces),
            )
            for each in explained
        ]
        for i, _, matrix in self._force_all(pairs, real, method=method):
            explained[i] = dataclasses.replace(explained[i], attention=matrix, method=method)
        return explained

    def _windows(
        self, items: Iterable[_Item], *, skip: int = 0
    ) -> Iterator[tuple[int, list[_Item]]]:
        """Yields what is sorted and decoded together, with the number of items before it."""
        waiting, before = islice(items, skip, None), skip
        while window := list(islice(waiting, self.window)):
            yield before, window
            before += len(window)

    def _align_window(
        self, window: Sequence[tuple[str, str]], *, before: int, method: str
    ) -> list[Translation]:
        source_ids = self._source_ids([source for source, _ in window], before=before)
        target_ids = self._target_ids([target for _, target in window])
        real = [i for i in range(len(window)) if len(source_ids[i]) > 1 < len(target_ids[i])]
        aligned = [nothing(source, target) for source, target in window]
        pairs = list(zip(source_ids, target_ids, strict=True))
        for i, log_prob, matrix in self._force_all(pairs, real, method=method):
            aligned[i] = Translation.of(
                self.tokenizers,
                source=(window[i][0], source_ids[i]),
                target=(window[i][1], target_ids[i]),
                score=log_prob / len(target_ids[i]),
                log_prob=log_prob,
                attention=matrix,
                method=method,
            )
        return aligned

    def _translate_window(
        self, lines: Sequence[str], n_best: int, *, before: int
    ) -> list[list[Translation]]:
        ids = self._source_ids(lines, before=before)
        found = [[nothing(line, "")] for line in lines]
        real = [i for i in range(len(lines)) if len(ids[i]) > 1]
        for lot in lots(real, [len(line) for line in ids], batch=self.config.batch):
            hypotheses = self._search([ids[i] for i in lot.numbers], lot, n_best)
            for row, i in enumerate(lot.numbers):
                found[i] = [
                    self._translation(lines[i], ids[i], hypotheses, row, rank)
                    for rank in range(n_best)
                    if hypotheses.lengths[row, rank] > 0
                ] or found[i]
        return found

    def _translation(
        self, line: str, ids: Sequence[int], hypotheses: Hypotheses, row: int, rank: int
    ) -> Translation:
        length = int(hypotheses.lengths[row, rank])
        tokens = hypotheses.tokens[row, rank, :length].tolist()
        return Translation.of(
            self.tokenizers,
            source=(line, ids),
            target=(None, tokens),
            score=float(hypotheses.scores[row, rank]),
            log_prob=float(hypotheses.log_probs[row, rank]),
            attention=np.array(hypotheses.attention[row, rank, :length, : len(ids)]),
        )

    def _source_ids(self, lines: Sequence[str], *, before: int = 0) -> list[list[int]]:
        """Returns ids that end with the end of sentence, cut to what the configuration allows."""
        tokenizer, longest = self.tokenizers.source, self.config.max_source
        encoded = []
        for number, ids in enumerate(tokenizer.encode_batch(lines), start=before + 1):
            if len(ids) >= longest:
                warnings.warn(
                    f"line {number}: {len(ids)} pieces, cut to {longest - 1}; "
                    "decoding.max_source sets the limit",
                    stacklevel=2,
                )
            encoded.append([*ids[: longest - 1], tokenizer.eos])
        return encoded

    def _target_ids(self, lines: Sequence[str]) -> list[list[int]]:
        tokenizer = self.tokenizers.target
        return [[*ids, tokenizer.eos] for ids in tokenizer.encode_batch(lines)]

    def _batches(self, numbers: list[int], *, key: Callable[[int], Any]) -> Iterator[list[int]]:
        """Yields line numbers, the longest lines first, in lots of the configured size."""
        ordered = sorted(numbers, key=key, reverse=True)
        for start in range(0, len(ordered), self.config.batch):
            yield ordered[start : start + self.config.batch]

    def _search(self, sentences: Sequence[Sequence[int]], lot: Lot, n_best: int) -> Hypotheses:
        """Returns NumPy hypotheses of the sentences of a lot."""
        config, tokenizer = self.config, self.tokenizers.target
        specials = (tokenizer.bos, tokenizer.eos, tokenizer.pad)
        shortlist = None
        if self.lexicon is not None and config.shortlist:
            shortlist = self.lexicon.choose(
                sentences, likeliest=config.shortlist, size=COLUMNS, first=specials
            )
        source, lengths = pad_side(sentences, lot.size, lot.width)
        longest = (config.max_ratio * lengths).astype(np.int32) + config.max_extra
        hypotheses = search(
            self.graph,
            self.params,
            source,
            lengths,
            np.where(lengths > 0, longest, 0),
            shortlist,
            config=config,
            limit=int(config.max_ratio * lot.width) + config.max_extra,
            specials=specials,
            n_best=n_best,
        )
        return jax.tree.map(np.asarray, hypotheses)

    def _force_all(
        self,
        pairs: Sequence[tuple[Sequence[int], Sequence[int]]],
        real: list[int],
        *,
        method: str,
    ) -> Iterator[tuple[int, float, npt.NDArray[np.float32]]]:
        """Yields number, log-probability and matrix of those of the pairs that are `real`."""
        for rows in self._batches(real, key=lambda i: tuple(map(len, pairs[i]))):
            batch = [pairs[i] for i in rows]
            log_probs, matrices = self._force(batch, method=method)
            for i, (source, target), log_prob, matrix in zip(
                rows, batch, log_probs.tolist(), matrices, strict=False
            ):
                yield i, log_prob, np.array(matrix[: len(target), : len(source)])

    def _force(
        self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], *, method: str
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Returns the (batch,) log-probabilities and the (batch, tgt, src) matrices of pairs."""
        rows = self._rows(len(pairs))
        sources, targets = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        source = pad_side(sources, rows, width_of(max(map(len, sources))))
        target = pad_side(targets, rows, width_of(max(map(len, targets))))
        arrays, bos = map(jnp.asarray, (*source, *target)), self.tokenizers.target.bos
        forced = explain(
            self.graph, self.params, *arrays, bos=bos, method=method, draw=self.config.draw
        )
        return np.asarray(forced[0]), np.asarray(forced[1])

    def _rows(self, sentences: int) -> int:
        """Returns one of three batch sizes, so that few programs are compiled."""
        sizes = (1, min(8, self.config.batch), self.config.batch)
        return next(size for size in sizes if size >= sentences)


def build_model(config: Config, tokenizers: Tokenizers) -> Seq2Seq:
    """Returns the model of a configuration with fresh parameters, as wide as the vocabularies."""
    return build(
        config.model,
        source_size=tokenizers.source.size,
        target_size=tokenizers.target.size,
        seed=config.seed,
    )
