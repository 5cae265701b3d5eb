"""Forced prefixes: tokens that the translations of a sentence begin with, read before the search.

They are read with one row for each sentence, and not one for each hypothesis. The last word of a
prefix may be completed: of it, the search chooses the pieces, and a processor what they spell.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Float, Int, PyTree

from nmt.inference.history import choose
from nmt.inference.predictor import Encoded, Predictor, State
from nmt.model.vocabulary import previous_tokens, real_tokens
from nmt.types import LastTokens, LogProbs


class Prefix(NamedTuple):
    """Forced tokens of sentences."""

    tokens: Any  # (row, time), int32
    lengths: Any  # (row,)


@struct.dataclass
class Begun:
    """What all hypotheses of a sentence begin with: a prefix that has been read, or nothing."""

    tokens: Int[Array, "batch begun"]
    lengths: Int[Array, " batch"]
    log_probs: Float[Array, " batch"]  # sums over the tokens
    attention: Float[Array, "batch begun src"]  # zero on padding

    @classmethod
    def nothing(cls, batch: int, src: int) -> "Begun":
        """Returns empty prefixes."""
        return cls(
            tokens=jnp.zeros((batch, 0), jnp.int32),
            lengths=jnp.zeros(batch, jnp.int32),
            log_probs=jnp.zeros(batch),
            attention=jnp.zeros((batch, 0, src)),
        )

    def last(self, bos: int) -> Int[Array, " batch"]:
        """Returns the last token of each prefix, `bos` where it is empty."""
        tokens = jnp.pad(self.tokens, ((0, 0), (1, 0)), constant_values=bos)
        return jnp.take_along_axis(tokens, self.lengths[:, None], axis=1)[:, 0]

    def replay(
        self, read: Callable[[PyTree, LastTokens], PyTree], state: PyTree, *, bos: int
    ) -> PyTree:
        """Returns a state that has read `bos` and each prefix but for its last token."""

        def step(state: PyTree, inputs: tuple[Any, Any]) -> tuple[PyTree, None]:
            time, tokens = inputs
            return choose(time < self.lengths, read(state, tokens), state), None

        previous = previous_tokens(self.tokens, bos).swapaxes(0, 1)
        return jax.lax.scan(step, state, (jnp.arange(len(previous)), previous))[0]

    def before(
        self, later: Float[Array, "batch path time *axes"], begun: Float[Array, "batch begun *axes"]
    ) -> Float[Array, "batch path time *axes"]:
        """Returns what is known at each time, `begun` before what hypotheses have later on."""
        times, width = jnp.arange(later.shape[2])[None, :], begun.shape[1]
        lengths = self.lengths[:, None]
        places = jnp.where(times < lengths, times, width + times - lengths)
        repeated = jnp.broadcast_to(begun[:, None], (*later.shape[:2], *begun.shape[1:]))
        joined = jnp.concatenate([repeated, later], axis=2)
        return jax.vmap(lambda row, at: row[:, at])(joined, places)


def begin(
    predictor: Predictor, encoded: Encoded, state: State, prefix: Prefix, *, bos: int
) -> tuple[State, Begun]:
    """Reads the prefixes; returns the predictor's state before their last token, and the rest."""
    tokens, lengths = jnp.asarray(prefix.tokens), jnp.asarray(prefix.lengths)
    state, log_probs, attention = predictor.read(state, tokens, lengths, encoded, bos=bos)
    real = real_tokens(lengths, tokens.shape[1])
    log_probs = jnp.where(real, log_probs, 0.0).sum(axis=1)
    return state, Begun(tokens, lengths, log_probs, attention * real[:, :, None])


@struct.dataclass
class Completion:
    """A processor that has hypotheses spell the rest of a prefix, and then anything.

    Its state is the number of characters that have been read.
    """

    begins: Int[Array, " row"]  # the number of characters before the rest
    ends: Int[Array, " row"]  # and with it
    allowed: Bool[Array, "row place vocab"]  # after so many characters of the rest
    lengths: Int[Array, "row vocab"]  # the characters of each token

    def start(self, rows: int, length: int) -> Int[Array, " row"]:
        """Returns that nothing has been read."""
        return jnp.zeros(rows, jnp.int32)

    def __call__(
        self, state: Int[Array, " row"], tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[Int[Array, " row"], LogProbs]:
        """Forbids what does not agree with the rest."""
        rows = jnp.arange(len(tokens))
        state = state + self.lengths[rows, tokens]
        place = jnp.clip(state - self.begins, 0, self.allowed.shape[1] - 1)
        allowed = self.allowed[rows, place] | (state >= self.ends)[:, None]
        return state, jnp.where(allowed, log_probs, -jnp.inf)
