"""The search for the translations of many sentences, in batches."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jax
import numpy as np
import numpy.typing as npt

from nmt.config import DecodingConfig, InputShape
from nmt.data.batching import pad_side
from nmt.data.tokenizer import Tokenizers
from nmt.inference import devices
from nmt.inference.batches import Capacity, SentenceBatch, sentence_batches, width_of
from nmt.inference.compiled import SearchInputs, Sentences, search
from nmt.inference.hypotheses import Hypotheses
from nmt.inference.plans import Plan
from nmt.inference.predictor import Loaded, Source
from nmt.inference.processors import Forbid, MinimumLength, NoRepeatedNgrams, Processor
from nmt.inference.ranking import Ranking
from nmt.inference.rules import Rules
from nmt.inference.search import FEWEST, Search, Settings
from nmt.inference.shortlist import Lexicon
from nmt.inference.strategy import Strategy


@dataclasses.dataclass(frozen=True)
class Found:
    """A translation in tokens."""

    tokens: list[int]
    log_prob: float
    score: float
    token_log_probs: npt.NDArray[np.float32]
    attention: npt.NDArray[np.float32]  # (tokens, source pieces)


@dataclasses.dataclass(frozen=True)
class Searcher:
    """A model with its tokenizers and the settings of the search; `fewest` is that of `Search`."""

    loaded: Loaded
    tokenizers: Tokenizers
    config: DecodingConfig
    lexicon: Lexicon | None
    fewest: int = FEWEST
    shape: InputShape | None = None  # of sources that are not text

    def all(
        self,
        sentences: Sequence[Any],
        real: Sequence[int],
        *,
        n_best: int,
        plans: Mapping[int, Plan] | None = None,
    ) -> Iterator[tuple[int, list[Found]]]:
        """Yields the number and the translations, best first, of the sentences that `real` numbers.

        A sentence is a list of ids, or an array (positions, size) of a source that is not text.

        The sentences come in any order. If `n_best` is not 1, there are as many translations as
        the strategy has hypotheses, since some may have the same words. `plans` are the constraints
        of all these sentences, if they have any.
        """
        strategy = self.config.strategy.build(self.config, n_best=n_best)
        capacity = Capacity(self.config.batch, beam=strategy.width, devices=devices.count())
        for batch in sentence_batches(real, list(map(len, sentences)), capacity=capacity):
            planned = [plans[i] for i in batch.numbers] if plans else []
            hypotheses = self._search(
                [sentences[i] for i in batch.numbers], planned, batch, strategy, n_best
            )
            for row, number in enumerate(batch.numbers):
                yield number, list(self._found(hypotheses, row, len(sentences[number])))

    def longest(self, lengths: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """Returns how long translations may be, given the lengths of the sources; with the end."""
        config = self.config
        most = (config.max_output_ratio * lengths).astype(np.int32) + config.max_extra
        return np.maximum(most, 1)

    def _search(
        self,
        sentences: Sequence[Any],
        plans: Sequence[Plan],
        batch: SentenceBatch,
        strategy: Strategy,
        n_best: int,
    ) -> Hypotheses:
        """Returns NumPy hypotheses of the sentences of a batch."""
        config, tokenizer = self.config, self.tokenizers.target
        common, own = None, None
        specials = tokenizer.bos, tokenizer.eos, tokenizer.pad, tokenizer.unk
        if self.lexicon is not None and config.shortlist:
            common, own = self.lexicon.choose(
                sentences,
                batch,
                likeliest=config.shortlist,
                first=specials,
                joint=self.tokenizers.joint,
                needed=[plan.needed for plan in plans],
            )
            specials = 0, 1, 2, 3  # entries of the shortlist
        bos, eos, pad, unk = specials
        # A model that has bytes for unknown characters has never learnt to write `<unk>`.
        writes_unknown = config.unknown != "forbid" and len(tokenizer.unspelled) == 1
        forbidden = (bos, pad) if writes_unknown else (bos, pad, unk)
        rules = Search(
            n_best=1 if n_best == 1 else strategy.width,
            bos=bos,
            eos=eos,
            pad=pad,
            covers=config.coverage_penalty > 0,
            fewest=self.fewest,
        )
        settings = Settings(strategy, Ranking.of(config))
        source, lengths = pad_side(sentences, batch.size, batch.width, self.shape)
        longest = np.where(lengths > 0, self.longest(lengths), 0)
        listed = None
        if common is not None and own is not None:
            listed = np.hstack([np.tile(common, (batch.size, 1)), own])
        constraints = Rules.of(plans, batch.size, listed)
        processors = (
            Forbid(forbidden),
            *self._processors(lengths, longest, eos=eos),
            *constraints.processors,
        )
        hypotheses = devices.run(
            search,
            SearchInputs(self.loaded, settings, config.attention_seed, common),
            Sentences(
                Source(source, lengths, own),
                longest,
                processors,
                constraints.required,
                constraints.prefix,
            ),
            rules=rules,
            limit=width_of(max(1, int(config.max_output_ratio * batch.width) + config.max_extra)),
        )
        fetched: Hypotheses = jax.tree.map(np.asarray, hypotheses)
        return fetched

    def _processors(
        self, lengths: npt.NDArray[np.int32], longest: npt.NDArray[np.int32], *, eos: int
    ) -> Iterator[Processor]:
        """Yields the processors of the configuration, given the lengths of sources and the most."""
        config = self.config
        if config.min_output_ratio:
            least = (config.min_output_ratio * lengths).astype(np.int32)
            yield MinimumLength(np.minimum(least, longest), eos)
        if config.no_repeat_ngram:
            yield NoRepeatedNgrams(config.no_repeat_ngram)
        yield from (each.build() for each in config.processors)

    def _found(self, hypotheses: Hypotheses, row: int, width: int) -> Iterator[Found]:
        """Yields the translations of the sentence in a row, which has `width` source pieces."""
        for rank, length in enumerate(hypotheses.lengths[row].tolist()):
            if length:
                tokens = hypotheses.tokens[row, rank, :length].tolist()
                log_probs = hypotheses.token_log_probs[row, rank, :length]
                attention = hypotheses.attention[row, rank, :length, :width]
                order = self.tokenizers.order(tokens)
                yield Found(
                    tokens=self.tokenizers.turned(tokens),
                    log_prob=float(hypotheses.log_probs[row, rank]),
                    score=float(hypotheses.scores[row, rank]),
                    token_log_probs=np.asarray(log_probs)[order],
                    attention=np.asarray(attention)[order],
                )
