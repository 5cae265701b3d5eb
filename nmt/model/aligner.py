"""A network that aligns: each word of a pair is explained by the words of the other language.

The words are the pieces of a tokenizer.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nmt.config import AlignerConfig, BidirectionalConfig
from nmt.model.encoder import BidirectionalLayer
from nmt.model.hidden_markov import Emissions, Posteriors, posteriors
from nmt.model.vocabulary import embedding_table, logits, real_tokens
from nmt.precision import wide_sum, widened
from nmt.recurrent import dropout
from nmt.types import (
    Annotations,
    Lengths,
    RowKeys,
    SourceMask,
    SourceTokens,
    SourceVectors,
    TargetTokens,
)

Tokens = Int[Array, " _some"]  # any number of them on each side
Sides = tuple[Tokens, Tokens]  # of the source, and of the target

CHUNK = 256  # tokens whose distributions are computed together


class Totals(NamedTuple):
    """Logarithms of the sums over all words that may be explained: of exp(logit)."""

    words: Float[Array, " vocab"]  # for each token of the source that explains
    empty: Float[Array, ""]  # for the empty word


class Reading(NamedTuple):
    """One language of a batch, read from both sides."""

    tokens: SourceTokens
    embedded: SourceVectors
    annotations: Annotations  # the states of both directions that have read a word
    around: Annotations  # those that have read all but this word: the ones before and behind it
    mask: SourceMask


class Reader(nnx.Module):
    """The embeddings of a language, and one recurrent layer in both directions over them."""

    def __init__(self, config: AlignerConfig, vocabulary_size: int, *, rngs: nnx.Rngs) -> None:
        self.dropout = config.dropout
        self.embedding = embedding_table(vocabulary_size, config.embedding_size, rngs=rngs)
        sizes = BidirectionalConfig(hidden_size=config.hidden_size)
        self.layer = BidirectionalLayer(sizes, config.cell, config.embedding_size, rngs=rngs)

    def __call__(self, tokens: SourceTokens, lengths: Lengths, *, keys: RowKeys = None) -> Reading:
        """Reads sentences, without any end of sentence; what is behind a length is padding."""
        mask = real_tokens(lengths, tokens.shape[1])
        embedded = self.embedding(tokens)
        read = dropout.over_time(keys, self.dropout, embedded)
        states = self.layer(read, mask, 0.0, (None, None))
        forward, backward = jnp.split(states, 2, axis=-1)
        before = jnp.pad(forward[:, :-1], ((0, 0), (1, 0), (0, 0)))
        behind = jnp.pad(backward[:, 1:], ((0, 0), (0, 1), (0, 0)))
        around = jnp.concatenate([before, behind], axis=-1)
        return Reading(tokens, embedded, states * mask[..., None], around, mask)


class Direction(nnx.Module):
    """Explains the words of one language, the target, by those of the other one, the source.

        scores_tj = (Q [f_{t-1}; b_{t+1}]) . (K [h_j; x_j]) / sqrt(d)
        p(y | x_j) = softmax over y of (o_y . tanh(L x_j) + c_y)       p(y | empty) = softmax c'_y

    x_j is the embedding of source word j, and h_j its annotation. f_{t-1} is the state of the
    target's forward layer before word t, and b_{t+1} that of its backward layer behind it: the
    scores foresee the whole target but the word itself (target foresight, Peter et al. 2017), which
    they could otherwise encode. Word t enters where its probability is asked for, and nowhere else.
    The states of both are joined in a hidden Markov model (`nmt.model.hidden_markov`), after the
    neural one of Wang et al. (2018).
    """

    def __init__(self, config: AlignerConfig, vocabulary_size: int, *, rngs: nnx.Rngs) -> None:
        size, states = config.embedding_size, 2 * config.hidden_size
        self.empty = config.empty
        self.query = nnx.Linear(states, size, use_bias=False, rngs=rngs)
        self.key = nnx.Linear(states + size, size, use_bias=False, rngs=rngs)
        self.jumps = nnx.Param(jnp.zeros(2 * config.longest_jump + 1))
        self.lexical = nnx.Linear(size, size, use_bias=False, rngs=rngs)
        self.output = embedding_table(vocabulary_size, size, rngs=rngs)
        self.output_bias = nnx.Param(jnp.zeros(vocabulary_size))
        self.empty_bias = nnx.Param(jnp.zeros(vocabulary_size))

    @property
    def size(self) -> int:
        """The number of tokens that may be explained."""
        return len(self.output_bias)

    def __call__(self, source: Reading, target: Reading, totals: Totals) -> Posteriors:
        """Returns the probability of the targets, and of each link."""
        return posteriors(
            self.emissions(source, target, totals),
            self.scores(source, target),
            widened(self.jumps[...]),
            empty=self.empty,
            source_mask=source.mask,
            target_mask=target.mask,
        )

    def scores(self, source: Reading, target: Reading) -> Float[Array, "batch tgt src"]:
        """Returns how well each source word fits what is around each target word."""
        keys = self.key(jnp.concatenate([source.annotations, source.embedded], axis=-1))
        return wide_sum("btk,bsk->bts", self.query(target.around), keys) / keys.shape[-1] ** 0.5

    def emissions(self, source: Reading, target: Reading, totals: Totals) -> Emissions:
        """Returns log p(y_t | x_j), and log p(y_t | empty)."""
        words = wide_sum("bte,bse->bts", self.output(target.tokens), self._hidden(source.embedded))
        words = words + self.output_bias[target.tokens][:, :, None]
        empty = widened(self.empty_bias[target.tokens])
        return Emissions(words - totals.words[source.tokens][:, None, :], empty - totals.empty)

    def totals(
        self,
        embedding: nnx.Embed,
        tokens: Tokens,
        candidates: Int[Array, " entry"],
    ) -> Totals:
        """Returns the sums of source `tokens`, over distinct target `candidates`; -1 is none.

        Tokens may be given more than once; those that are not given have the sum zero.
        """
        real = candidates >= 0
        matrix = self.output.embedding[candidates]
        bias, empty = (
            jnp.where(real, widened(each[candidates]), -jnp.inf)
            for each in (self.output_bias, self.empty_bias)
        )

        def of_chunk(chunk: Tokens) -> Float[Array, " some"]:
            def computed() -> Float[Array, " some"]:
                hidden = self._hidden(embedding(chunk))
                return jax.nn.logsumexp(logits(hidden, matrix, bias), axis=-1)

            # The last chunks are those of a batch with fewer distinct tokens than it might have.
            return jax.lax.cond(chunk[0] >= 0, computed, lambda: jnp.zeros(CHUNK, empty.dtype))

        size = len(embedding.embedding)
        distinct = jnp.unique(
            tokens, size=-(-min(size, tokens.size) // CHUNK) * CHUNK, fill_value=-1
        )
        found = jax.lax.map(of_chunk, distinct.reshape(-1, CHUNK)).reshape(-1)
        places = jnp.where(distinct < 0, size, distinct)  # -1 would be the last token of all
        words = jnp.zeros(size, found.dtype).at[places].set(found, mode="drop")
        return Totals(words, jax.nn.logsumexp(empty))

    def _hidden(self, embedded: Float[Array, "*places embed"]) -> Float[Array, "*places embed"]:
        return jnp.tanh(self.lexical(embedded))


class Aligned(NamedTuple):
    """Both directions of a batch."""

    forward: Posteriors  # targets, explained by sources: links are (batch, tgt, src)
    backward: Posteriors  # sources, explained by targets: links are (batch, src, tgt)


class AlignerNetwork(nnx.Module):
    """Two directions over shared readers, which explain a pair from both sides.

    Each language is read once. The annotations of one reader are the keys of one direction, and its
    states around a word the queries of the other.
    """

    def __init__(
        self, config: AlignerConfig, source_size: int, target_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.source = Reader(config, source_size, rngs=rngs)
        self.target = Reader(config, target_size, rngs=rngs)
        self.forward = Direction(config, target_size, rngs=rngs)
        self.backward = Direction(config, source_size, rngs=rngs)

    def __call__(
        self,
        source: tuple[SourceTokens, Lengths],
        target: tuple[TargetTokens, Lengths],
        totals: tuple[Totals, Totals],
        *,
        dropout_keys: RowKeys = None,
    ) -> Aligned:
        """Aligns tokens of these lengths, without ends of sentences; `totals` are as returned."""
        source_keys, target_keys = dropout.split(dropout_keys, 2)
        sources = self.source(*source, keys=source_keys)
        targets = self.target(*target, keys=target_keys)
        forward, backward = totals
        return Aligned(
            self.forward(sources, targets, forward), self.backward(targets, sources, backward)
        )

    def totals(
        self, tokens: Sides | None = None, *, among: Sides | None = None
    ) -> tuple[Totals, Totals]:
        """Returns the sums of each direction, for words that explain, over words to be explained.

        Both are tokens of the source and of the target, each any number of times; if they are not
        given, they are those of whole vocabularies. Words to be explained may be -1, for none.
        """
        every = tuple(map(jnp.arange, (self.backward.size, self.forward.size)))
        source, target = tokens or every
        sources, targets = among or every
        return (
            self.forward.totals(self.source.embedding, source, _distinct(targets, self.forward)),
            self.backward.totals(self.target.embedding, target, _distinct(sources, self.backward)),
        )


def _distinct(tokens: Tokens, direction: Direction) -> Tokens:
    """Returns each token once, padded with -1."""
    most = min(tokens.size, direction.size)
    return jnp.unique(tokens, size=most, fill_value=-1)
