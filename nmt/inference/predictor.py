"""The predictor: the interface of search and forced decoding to a model, or to several."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float, Int, UInt32

from nmt.attention.interface import EncodedSource, StepAttention
from nmt.model.decoder import DecoderState
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import (
    OwnTokens,
    Shortlist,
    Vocabulary,
    previous_tokens,
    real_tokens,
    token_log_probs,
)
from nmt.types import GivenSource, Graph, LastTokens, LogProbs, Params, RowKeys

TOGETHER = 64  # tokens of prefixes whose log-probabilities are computed at a time

Encoded = Any  # a pytree, the same at all steps; every leaf leads with the axis row
State = Any  # a pytree that changes from step to step; every leaf leads with the axis row
Step = Callable[[State, Array, Encoded], tuple[State, Array, StepAttention]]


class Source(NamedTuple):
    """Sources to translate, one in each row: arrays of NumPy or JAX, of int32 but for `tokens`."""

    tokens: Any  # (row, src), int32; vectors (row, src, input), float32; cells, as uint8
    lengths: Any  # (row,), end of sentence included; 0 for rows of padding
    own: Any = None  # (row, own), the sentence's own tokens of a shortlist; -1 for none

    def keys(self, seed: Any) -> RowKeys:
        """Returns random keys that depend on the seed and the content of a source alone.

        So samples for a sentence do not depend on its place in a file. No seed gives no keys.
        """
        if seed is None:
            return None
        numbers = _numbers(jnp.asarray(self.tokens))
        real = real_tokens(jnp.asarray(self.lengths), numbers.shape[1])
        hashes = _hash(real * numbers)
        fold_in: Any = jax.vmap(jax.random.fold_in, in_axes=(None, 0))
        return fold_in(jax.random.key(seed), hashes)


def _numbers(source: GivenSource) -> UInt32[Array, "batch src"]:
    """Returns a number for each position: a token, or a hash of the bits of a vector."""
    if source.ndim == 2:
        return source.astype(jnp.uint32)
    if jnp.issubdtype(source.dtype, jnp.floating):
        source = jax.lax.bitcast_convert_type(source.astype(jnp.float32), jnp.uint32)
    bits = source.astype(jnp.uint32)
    hashes = _hash(bits ^ (bits >> 16))  # the low bits of round numbers are zeros
    return hashes ^ (hashes >> 16)


def _hash(numbers: UInt32[Array, "*rows number"]) -> UInt32[Array, "*rows"]:
    """Returns a hash of the numbers of each row; zeros behind them do not change it."""
    places = jnp.arange(numbers.shape[-1], dtype=jnp.uint32)
    factors = jnp.uint32(2654435761) ** places  # odd, as Knuth's for hashing
    return jnp.sum(numbers * jnp.broadcast_to(factors, numbers.shape), axis=-1, dtype=jnp.uint32)


@runtime_checkable
class Predictor(Protocol):
    """Predicts the next token of a translation, with normalized log-probabilities.

    Tokens may be entries of a shortlist instead. Attention is an array of weights (..., src), or
    an `AttentionOutput` with those of a guided head beside them.
    """

    def start(self, source: Source) -> tuple[Encoded, State]:
        """Returns the encoded source, which every step reads, and the state before the first."""

    def step(
        self, state: State, tokens: LastTokens, encoded: Encoded
    ) -> tuple[State, LogProbs, StepAttention]:
        """Reads the previous token of each row.

        Returns the new state, the log-probabilities of the next token, and the attention.
        """

    def read(
        self,
        state: State,
        tokens: Int[Array, "row begun"],
        lengths: Int[Array, " row"],
        encoded: Encoded,
        *,
        bos: int,
    ) -> tuple[State, Float[Array, "row begun"], StepAttention]:
        """Reads `bos` and given first tokens, but for the last one of each row.

        Returns the new state, and the log-probability and the attention of each token.
        """

    def force(
        self, source: Source, target: Int[Array, "row tgt"], *, bos: int
    ) -> tuple[Float[Array, "row tgt"], StepAttention]:
        """Returns the log-probability and the attention of each token of given targets."""


@runtime_checkable
class Loaded(Protocol):
    """What a translator translates with: a pytree, which is an argument of compiled functions."""

    def predictor(self, *, seed: Any = None, common: Any = None) -> Predictor:
        """Returns the predictor inside a compiled function.

        Args:
            seed: for attention that samples positions; without, it takes the best ones.
            common: (entry,), the first tokens of every sentence's shortlist, if there is one.
        """


@struct.dataclass
class LoadedModel:
    """A trained model, a pytree: the network itself exists inside compiled functions alone."""

    params: Params
    graph: Graph = struct.field(pytree_node=False)

    @property
    def network(self) -> Any:
        """The `Network` of `nmt.model.build` that graph and parameters are of."""
        return nnx.merge(self.graph, self.params)

    @property
    def has_guided_head(self) -> bool:
        """Whether the attention that it tells has the weights of a guided head."""
        return "guided_head" in self.params

    def predictor(self, *, seed: Any = None, common: Any = None) -> "ModelPredictor":
        """Returns the predictor of the model."""
        return ModelPredictor(self.network, seed=seed, common=common)


class ModelPredictor:
    """The predictor of one model."""

    def __init__(self, model: Seq2Seq, *, seed: Any, common: Any) -> None:
        self.model = model
        self._seed = seed
        self._common = common
        whole = model.vocabulary
        self._vocabulary: Vocabulary = whole if common is None else whole.only(common)

    @property
    def has_weights(self) -> bool:
        """Whether its attention has a weight for each source position."""
        return self.model.has_weights

    def start(self, source: Source) -> tuple[tuple[EncodedSource, OwnTokens | None], DecoderState]:
        """Returns the encoded source with the sentences' shortlists, and the first state."""
        encoded, own = self.encode(source), None
        if self._common is not None:
            own = OwnTokens.of(self.model.vocabulary, self._common, source.own)
        return (encoded, own), self.model.initial_state(encoded)

    def step(
        self,
        state: DecoderState,
        tokens: LastTokens,
        encoded: tuple[EncodedSource, OwnTokens | None],
    ) -> tuple[DecoderState, LogProbs, StepAttention]:
        """Runs one step of the decoder."""
        source, own = encoded
        return self.model.decode_step(state, tokens, source, self._known(own))

    def read(
        self,
        state: DecoderState,
        tokens: Int[Array, "row begun"],
        lengths: Int[Array, " row"],
        encoded: tuple[EncodedSource, OwnTokens | None],
        *,
        bos: int,
    ) -> tuple[DecoderState, Float[Array, "row begun"], StepAttention]:
        """Runs the decoder step by step, and behind it the output layer for the real tokens."""
        source, own = encoded
        rows, width = tokens.shape
        embedded = self._known(own).embed(previous_tokens(tokens, bos))
        state, readouts, attention = self.model.read(state, embedded, lengths, source)
        real = real_tokens(lengths, width).reshape(-1)
        order, size = jnp.argsort(~real, stable=True), min(TOGETHER, rows * width)

        def some(block: Array, log_probs: Float[Array, " place"]) -> Float[Array, " place"]:
            places = jax.lax.dynamic_slice(order, (block * size,), (size,))
            known = self._known(jax.tree.map(lambda leaf: leaf[places // width], own))
            logits = known.logits(readouts.reshape(rows * width, -1)[places])
            return log_probs.at[places].set(token_log_probs(logits, tokens.reshape(-1)[places]))

        blocks = -(-jnp.sum(real) // size)
        log_probs = jax.lax.fori_loop(0, blocks, some, jnp.zeros(rows * width))
        return state, log_probs.reshape(rows, width), attention

    def _known(self, own: OwnTokens | None) -> Vocabulary | Shortlist:
        return self._vocabulary if own is None else Shortlist(self._vocabulary, own)

    def force(
        self, source: Source, target: Int[Array, "row tgt"], *, bos: int
    ) -> tuple[Float[Array, "row tgt"], StepAttention]:
        """Runs all steps at once, as training does, over the whole vocabulary."""
        before = previous_tokens(target, bos)
        readouts, attended = self.model.teacher_forced(before, self.encode(source))
        return token_log_probs(self.model.logits(readouts), target), attended.for_search

    def encode(self, source: Source) -> EncodedSource:
        """Returns the encoded source."""
        tokens, lengths = jnp.asarray(source.tokens), jnp.asarray(source.lengths)
        return self.model.encode(tokens, lengths, sample_keys=source.keys(self._seed))
