"""The predictor: all that search and forced decoding know of a model, or of several."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Float, Int

from nmt.attention.interface import EncodedSource
from nmt.model.decoder import DecoderState
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import OwnTokens, Shortlist, Vocabulary, previous_tokens, token_log_probs
from nmt.types import Graph, LastTokens, LogProbs, Params, RowKeys

Encoded = Any  # a pytree that stays as it is; every leaf leads with the axis row
State = Any  # a pytree that changes from step to step; every leaf leads with the axis row
Step = Callable[[State, Array, Encoded], tuple[State, Array, Array]]


class Source(NamedTuple):
    """Sentences to translate, one a row, int32; NumPy's on the way in."""

    tokens: Any  # (row, src)
    lengths: Any  # (row,), end of sentence included; 0 for rows of padding
    own: Any = None  # (row, own), tokens of a shortlist that are of the sentence alone; -1 for none


@runtime_checkable
class Predictor(Protocol):
    """Predicts the next token of a translation. Log-probabilities are normalised, always.

    Tokens may be entries of a shortlist instead; their numbers are the predictor's own.
    """

    def start(self, source: Source) -> tuple[Encoded, State]:
        """Returns what every step reads of the source, and the state before the first token."""

    def step(
        self, state: State, tokens: LastTokens, encoded: Encoded
    ) -> tuple[State, LogProbs, Float[Array, "row src"]]:
        """Reads the previous token of each row.

        Returns the new state, the log-probability of each token to be next, and what was attended
        to in order to predict it.
        """

    def force(
        self, source: Source, target: Int[Array, "row tgt"], *, bos: int
    ) -> tuple[Float[Array, "row tgt"], Float[Array, "row tgt src"]]:
        """Returns the log-probability of each token of given targets, and the attention of each."""


@struct.dataclass
class LoadedModel:
    """A trained model as compiled functions are given it; `predictor` opens it inside them.

    Nothing else puts a graph and parameters together in decoding.
    """

    params: Params
    graph: Graph = struct.field(pytree_node=False)

    def predictor(self, *, seed: Any = None, common: Any = None) -> "ModelPredictor":
        """Returns the predictor that the model is.

        Args:
            seed: what attention samples positions by, where it does; without, it takes the best.
            common: (entry,), the tokens that every sentence's shortlist begins with, if in use.
        """
        return ModelPredictor(nnx.merge(self.graph, self.params), seed=seed, common=common)


class ModelPredictor:
    """The predictor that one model is."""

    def __init__(self, model: Seq2Seq, *, seed: Any, common: Any) -> None:
        self.model = model
        self._seed = seed
        self._common = common
        whole = model.vocabulary
        self._vocabulary: Vocabulary = whole if common is None else whole.only(common)

    def start(self, source: Source) -> tuple[tuple[EncodedSource, OwnTokens | None], DecoderState]:
        """Encodes the source once for all steps."""
        encoded, own = self.encode(source), None
        if self._common is not None:
            own = OwnTokens.of(self.model.vocabulary, self._common, source.own)
        return (encoded, own), self.model.initial_state(encoded)

    def step(
        self,
        state: DecoderState,
        tokens: LastTokens,
        encoded: tuple[EncodedSource, OwnTokens | None],
    ) -> tuple[DecoderState, LogProbs, Float[Array, "row src"]]:
        """Runs one step of the decoder."""
        source, own = encoded
        known = self._vocabulary if own is None else Shortlist(self._vocabulary, own)
        return self.model.decode_step(state, tokens, source, known)

    def force(
        self, source: Source, target: Int[Array, "row tgt"], *, bos: int
    ) -> tuple[Float[Array, "row tgt"], Float[Array, "row tgt src"]]:
        """Runs all steps at once, as training does; all tokens are known to it."""
        before = previous_tokens(target, bos)
        readouts, attended = self.model.teacher_forced(before, self.encode(source))
        return token_log_probs(self.model.logits(readouts), target), attended.weights

    def encode(self, source: Source) -> EncodedSource:
        """Returns what the decoder attends to."""
        tokens, lengths = jnp.asarray(source.tokens), jnp.asarray(source.lengths)
        return self.model.encode(tokens, lengths, sample_keys=self._sample_keys(tokens, lengths))

    def _sample_keys(self, tokens: Int[Array, "row src"], lengths: LastTokens) -> RowKeys:
        """Returns keys that depend on the seed and the pieces of a sentence.

        So what is sampled for a sentence does not depend on where it stands in a file.
        """
        if self._seed is None:
            return None
        places = jnp.arange(tokens.shape[1])
        factors = jnp.uint32(2654435761) ** places.astype(jnp.uint32)  # odd, as Knuth's for hashing
        real = places[None, :] < lengths[:, None]
        terms = real * tokens.astype(jnp.uint32) * factors[None, :]
        hashes = jnp.sum(terms, axis=1, dtype=jnp.uint32)
        fold_in: Any = jax.vmap(jax.random.fold_in, in_axes=(None, 0))
        return fold_in(jax.random.key(self._seed), hashes)
