"""The sequence model: a source in, log-probabilities of the next target token and attention out."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nmt.attention.interface import AttentionOutput, EncodedSource, StepAttention
from nmt.config import InputShape, ModelConfig
from nmt.errors import ConfigError
from nmt.model.decoder import Decoder, DecoderState, DropoutMasks, dropout_masks, followed
from nmt.model.encoder import Encoder
from nmt.model.guided_head import GuidedHead
from nmt.model.lexical_model import LexicalModel
from nmt.model.vocabulary import Shortlist, Vocabulary, embedding_table, logits, real_tokens
from nmt.recurrent import dropout
from nmt.recurrent.cell import choose
from nmt.types import (
    AttentionMatrix,
    GivenSource,
    Integer,
    Lengths,
    OutputBias,
    OutputMatrix,
    Readouts,
    RowKeys,
    SourceVectors,
    TargetEmbeddings,
    TargetTokens,
)


class Seq2Seq(nnx.Module):
    """An encoder of a source, and an attentional decoder over subword tokens.

    The module holds parameters only: random keys are arguments, and everything that is computed
    once for a sentence is passed on as `EncodedSource`.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        source: int | InputShape,
        target_size: int,
        rngs: nnx.Rngs,
    ) -> None:
        self.dropout = config.dropout
        embed = config.embedding_size
        self.reads_tokens = isinstance(source, int)
        self.has_weights = config.attention.has_weights
        self.target_embedding = embedding_table(target_size, embed, rngs=rngs)
        shared = config.tied_embeddings == "all"
        if shared and source != target_size:
            raise ConfigError(
                "model.tied_embeddings: 'all' is one table for both languages, whose vocabularies "
                f"have {source} and {target_size} pieces; use a joint tokenizer, or 'target'"
            )
        self.source_embedding = (
            embedding_table(source, embed, rngs=rngs)
            if isinstance(source, int) and not shared
            else None
        )
        shape = InputShape(embed) if isinstance(source, int) else source
        self.encoder: Encoder = config.encoder.build(
            config.cell, shape, rates=config.dropout, rngs=rngs
        )
        self.decoder: Decoder = config.decoder.build(config, rngs=rngs)
        self.output_bias = nnx.Param(jnp.zeros(target_size))
        self.output = (
            embedding_table(target_size, config.readout_size, rngs=rngs)
            if config.tied_embeddings == "none"
            else None
        )
        self.lexical_model = (
            LexicalModel(embed, target_size, rngs=rngs) if config.lexical_model else None
        )
        # The last one, so that all other parameters start as they do without it.
        sizes = embed, config.decoder.hidden_size, config.annotation_size
        self.guided_head: GuidedHead | None = (
            config.guided_head.build(*sizes, rngs=rngs) if config.guided_head else None
        )

    def encode(
        self,
        source: GivenSource,
        source_lengths: Lengths,
        *,
        dropout_keys: RowKeys = None,
        sample_keys: RowKeys = None,
    ) -> EncodedSource:
        """Returns the encoded source; positions from a row's length on are padding.

        `dropout_keys` are given in training alone; `sample_keys` are for attention that samples.
        """
        return self.encode_embedded(
            self.embed(source), source_lengths, dropout_keys=dropout_keys, sample_keys=sample_keys
        )

    def embed(self, source: GivenSource) -> SourceVectors:
        """Returns what the encoder reads: embeddings of tokens, or vectors as they are given.

        Pixels become numbers from -1 to 1. All are of the dtype of the parameters.
        """
        if not self.reads_tokens:
            vectors = source.astype(self.output_bias[...].dtype)
            return vectors / 127.5 - 1 if source.dtype == jnp.uint8 else vectors
        embedding = self.source_embedding
        return (self.target_embedding if embedding is None else embedding)(source)

    def encode_embedded(
        self,
        embedded: SourceVectors,
        source_lengths: Lengths,
        *,
        dropout_keys: RowKeys = None,
        sample_keys: RowKeys = None,
    ) -> EncodedSource:
        """Does the same as `encode` from what `embed` returns, to take gradients in it.

        Dropout of embeddings and of words is for text alone.
        """
        embed_keys, layer_keys, word_keys = dropout.split(dropout_keys, 3)
        mask = real_tokens(source_lengths, embedded.shape[1])
        if self.reads_tokens:
            embedded = dropout.over_time(embed_keys, self.dropout.at("embeddings"), embedded)
            embedded = dropout.of_words(word_keys, self.dropout.source_words, embedded)
        encoding = self.encoder(embedded, mask, dropout_keys=layer_keys)
        head, annotations = self.guided_head, encoding.annotations
        return EncodedSource(
            annotations=annotations,
            keys=self.decoder.attention.keys(annotations),
            mask=encoding.mask,
            summary=encoding.summary,
            embedded=None if self.lexical_model is None else embedded,
            guided_keys=None if head is None else head.keys(annotations, embedded),
            sample_keys=sample_keys,
            training=dropout_keys is not None,
        )

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns the decoder's state before the first target token."""
        return self.decoder.initial_state(encoded)

    def decode_step(
        self,
        state: DecoderState,
        tokens: Int[Array, " batch"],
        encoded: EncodedSource,
        vocabulary: Vocabulary | Shortlist | None = None,
    ) -> tuple[DecoderState, Float[Array, "batch vocab"], StepAttention]:
        """Reads the previous token of each row; returns state, log-probabilities and attention.

        With a shortlist, tokens are entries of it, and so are the predictions.
        """
        vocabulary = vocabulary or self.vocabulary
        masks = dropout_masks(self.decoder, self.dropout, encoded.summary.dtype)
        embedded = vocabulary.embed(tokens)[:, None]
        state, *found = self._step(state, embedded, encoded, masks)
        features, attended = jax.tree.map(lambda leaf: leaf[:, None], found)
        readouts = self.decoder.readout(features, embedded, masks)
        readouts = self._with_lexical(readouts, attended.weights, encoded)[:, 0]
        attention = self._guided(attended, embedded, encoded).for_search
        log_probs = jax.nn.log_softmax(vocabulary.logits(readouts))
        return state, log_probs, jax.tree.map(lambda leaf: leaf[:, 0], attention)

    def read(
        self,
        state: DecoderState,
        embedded: TargetEmbeddings,
        lengths: Lengths,
        encoded: EncodedSource,
    ) -> tuple[DecoderState, Readouts, StepAttention]:
        """Reads as many previous tokens of each row as its length; returns state and all readouts.

        There are as many steps as the longest row needs. What is behind a row is arbitrary.
        """
        masks = dropout_masks(self.decoder, self.dropout, embedded.dtype)

        def step(time: Integer, state: DecoderState) -> tuple[DecoderState, Any]:
            here = jax.lax.dynamic_slice_in_dim(embedded, time, 1, axis=1)
            after, features, attended = self._step(state, here, encoded, masks)
            found = features, attended.weights, attended.hidden
            return choose(time < lengths, after, state), found

        def collect(time: Integer, before: tuple[DecoderState, Any]) -> tuple[DecoderState, Any]:
            state, found = step(time, before[0])
            return state, jax.tree.map(lambda all, new: all.at[time].set(new), before[1], found)

        blank = jax.tree.map(  # the axis time leads, so that a step writes what lies together
            lambda one: jnp.zeros((embedded.shape[1], *one.shape), one.dtype),
            jax.eval_shape(lambda: step(jnp.int32(0), state)[1]),
        )
        state, found = jax.lax.fori_loop(0, lengths.max(), collect, (state, blank))
        features, weights, hidden = jax.tree.map(lambda leaf: leaf.swapaxes(0, 1), found)
        attended = AttentionOutput(weights, hidden=hidden)
        readouts = self.decoder.readout(features, embedded, masks)
        readouts = self._with_lexical(readouts, attended.weights, encoded)
        return state, readouts, self._guided(attended, embedded, encoded).for_search

    def _step(
        self,
        state: DecoderState,
        embedded: TargetEmbeddings,
        encoded: EncodedSource,
        masks: DropoutMasks,
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Reads one token of each row; returns the new state, the features and the attention."""
        projected = self.decoder.project(embedded)[:, 0]
        state, features, attended = self.decoder.step(state, projected, encoded, masks)
        return state, features, followed(attended, self.decoder.stack.output(state.stack), encoded)

    @property
    def vocabulary(self) -> Vocabulary:
        """The arrays with a row for each target token."""
        return Vocabulary(self.target_embedding.embedding[...], *self.output_layer)

    def teacher_forced(
        self, previous: TargetTokens, encoded: EncodedSource, *, dropout_keys: RowKeys = None
    ) -> tuple[Readouts, AttentionOutput]:
        """Returns readouts and attention at every position, given the true previous tokens."""
        embed_keys, mask_keys, word_keys = dropout.split(dropout_keys, 3)
        embedded = self.target_embedding(previous)
        embedded = dropout.over_time(embed_keys, self.dropout.at("embeddings"), embedded)
        embedded = dropout.of_words(word_keys, self.dropout.target_words, embedded)
        masks = dropout_masks(self.decoder, self.dropout, embedded.dtype, keys=mask_keys)
        readouts, attended = self.decoder.teacher_forced(embedded, encoded, masks)
        attended = self._guided(attended, embedded, encoded)
        return self._with_lexical(readouts, attended.weights, encoded), attended

    def logits(self, readouts: Readouts) -> Float[Array, "batch tgt vocab"]:
        """Returns logits in float32 or wider."""
        return logits(readouts, *self.output_layer)

    @property
    def output_layer(self) -> tuple[OutputMatrix, OutputBias]:
        """The matrix of the logits (the target embedding where they are tied), and the bias."""
        tables = [self.target_embedding if self.output is None else self.output]
        if self.lexical_model is not None:
            tables.append(self.lexical_model.output)
        matrix = jnp.concatenate([table.embedding[...] for table in tables], axis=-1)
        return matrix, self.output_bias[...]

    def _guided(
        self, attended: AttentionOutput, embedded: TargetEmbeddings, encoded: EncodedSource
    ) -> AttentionOutput:
        """Returns the attention of steps, with that of the guided head, if there is one.

        `embedded` are the tokens that the steps have read.
        """
        if self.guided_head is None:
            return attended
        assert encoded.guided_keys is not None  # set by `encode_embedded`
        assert attended.hidden is not None  # set by `followed`
        guided = self.guided_head(attended.hidden, embedded, encoded.guided_keys, encoded.mask)
        return replace(attended, hidden=None, guided=guided)

    def _with_lexical(
        self, readouts: Readouts, weights: AttentionMatrix, encoded: EncodedSource
    ) -> Float[Array, "batch tgt wide"]:
        """Returns the readouts, side by side with those of the lexical model, if there is one."""
        if self.lexical_model is None:
            return readouts
        assert encoded.embedded is not None  # set by `encode_embedded`
        return self.lexical_model(readouts, weights, encoded.embedded)


def build(config: ModelConfig, *, source: int | InputShape, target_size: int, seed: int) -> Seq2Seq:
    """Returns a model with fresh parameters, which depend on the arguments alone.

    `source` is the size of the vocabulary of a text, or the shape of another source.

    Raises:
        ConfigError: a score that cannot be built, or one embedding for two vocabulary sizes.
    """
    return Seq2Seq(config, source=source, target_size=target_size, rngs=nnx.Rngs(params=seed))
