"""The search for the translations of many sentences, in batches."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from nmt import devices
from nmt.config import DecodingConfig, InputShape
from nmt.data.batching import pad_side
from nmt.data.tokenizers import Tokenizers
from nmt.inference import programs
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


class Specials(NamedTuple):
    """The numbers of the special tokens."""

    bos: int
    eos: int
    pad: int
    unk: int


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

    def longest(self, length: int) -> int:
        """Returns how long a translation may be, given the length of its source; with the end."""
        config = self.config
        return max(1, int(config.max_output_ratio * length) + config.max_extra)

    def _search(
        self,
        sentences: Sequence[Any],
        plans: Sequence[Plan],
        batch: SentenceBatch,
        strategy: Strategy,
        n_best: int,
    ) -> Hypotheses:
        """Returns NumPy hypotheses of the sentences of a batch."""
        config = self.config
        specials, common, own = self._shortlist(sentences, plans, batch)
        rules = Search(
            n_best=1 if n_best == 1 else strategy.width,
            bos=specials.bos,
            eos=specials.eos,
            pad=specials.pad,
            covers=config.coverage_penalty > 0,
            fewest=self.fewest,
        )
        source, lengths = pad_side(sentences, batch.size, batch.width, self.shape)
        each = [self.longest(length) if length else 0 for length in lengths.tolist()]
        longest = np.array(each, np.int32)
        listed = None if own is None else np.hstack([np.tile(common, (batch.size, 1)), own])
        constraints = Rules.of(plans, batch.size, listed)
        rows = Sentences(
            Source(source, lengths, own),
            longest,
            (*self._processors(lengths, longest, specials), *constraints.processors),
            constraints.required,
            constraints.prefix,
        )
        hypotheses = programs.run(
            search,
            SearchInputs(
                self.loaded, Settings(strategy, Ranking.of(config)), config.attention_seed, common
            ),
            rows,
            rules=rules,
            limit=width_of(self.longest(batch.width)),
        )
        fetched: Hypotheses = jax.tree.map(np.asarray, hypotheses)
        return fetched

    def _shortlist(
        self, sentences: Sequence[Any], plans: Sequence[Plan], batch: SentenceBatch
    ) -> tuple[Specials, Any, Any]:
        """Returns the special tokens, or their entries in the shortlists, which follow if used.

        These are the entries that are common to the sentences of the batch, and those of each.
        """
        target = self.tokenizers.target
        specials = Specials(target.bos, target.eos, target.pad, target.unk)
        if self.lexicon is None or not self.config.shortlist:
            return specials, None, None
        common, own = self.lexicon.choose(
            sentences,
            batch,
            likeliest=self.config.shortlist,
            first=specials,
            joint=self.tokenizers.joint,
            needed=[plan.needed for plan in plans],
        )
        return Specials(*range(len(specials))), common, own

    def _processors(
        self,
        lengths: npt.NDArray[np.int32],
        longest: npt.NDArray[np.int32],
        specials: Specials,
    ) -> Iterator[Processor]:
        """Yields the processors of the configuration, given the lengths of sources and the most."""
        config = self.config
        # A model that has bytes for unknown characters has never learned to write `<unk>`.
        writes_unknown = config.unknown != "forbid" and len(self.tokenizers.target.unspelled) == 1
        never = specials.bos, specials.pad, specials.unk
        yield Forbid(never[:2] if writes_unknown else never)
        if config.min_output_ratio:
            least = (config.min_output_ratio * lengths).astype(np.int32)
            yield MinimumLength(np.minimum(least, longest), specials.eos)
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
