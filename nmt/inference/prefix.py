"""Forced prefixes: tokens that the translations of a sentence begin with, read before the search.

They are read with one row for each sentence, and not one for each hypothesis. The last word of a
prefix may be completed: of it, the search chooses the pieces, and a processor what they spell.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Float, Int, PyTree

from nmt.attention.interface import shown, weights_of
from nmt.inference.history import Beam, History
from nmt.inference.hypotheses import AnyArray
from nmt.inference.predictor import Encoded, Predictor, State
from nmt.inference.processors import Processor, process
from nmt.model.vocabulary import previous_tokens, real_tokens
from nmt.recurrent.cell import choose
from nmt.types import LastTokens, LogProbs

BITS = 31  # of an integer, without its sign: the most characters of a rest


class Prefix(NamedTuple):
    """Forced tokens of sentences."""

    tokens: Any  # (row, time), int32
    lengths: Any  # (row,)


@struct.dataclass
class Begun:
    """What all hypotheses of a sentence begin with: a prefix that has been read, or nothing."""

    tokens: Int[Array, "batch begun"]
    lengths: Int[Array, " batch"]
    log_probs: Float[Array, "batch begun"]  # zero on padding, as the attention
    attention: Float[Array, "batch begun src"]  # to show
    covered: Float[Array, "batch src"]  # the sum of the weights that the contexts were made of
    processors: tuple[State, ...]  # before they read the last token

    @classmethod
    def nothing(cls, batch: int, src: int, *, processors: tuple[State, ...]) -> "Begun":
        """Returns empty prefixes."""
        return cls(
            tokens=jnp.zeros((batch, 0), jnp.int32),
            lengths=jnp.zeros(batch, jnp.int32),
            log_probs=jnp.zeros((batch, 0)),
            attention=jnp.zeros((batch, 0, src)),
            covered=jnp.zeros((batch, src)),
            processors=processors,
        )

    def hypotheses(self, absent: Beam, *, bos: int) -> Beam:
        """Returns the beam in which every hypothesis is the prefix."""
        tokens = jnp.pad(self.tokens, ((0, 0), (1, 0)), constant_values=bos)
        last = jnp.take_along_axis(tokens, self.lengths[:, None], axis=1)
        places, covered = absent.tokens.shape, absent.attention.shape
        summed = self.covered[:, None, : covered[2]]
        return dataclasses.replace(
            absent,
            tokens=jnp.broadcast_to(last, places),
            lengths=jnp.broadcast_to(self.lengths[:, None], places),
            log_probs=jnp.broadcast_to(self.log_probs.sum(axis=1, keepdims=True), places),
            attention=jnp.broadcast_to(summed, covered),
        )

    def joined(
        self, history: History, hypotheses: Beam
    ) -> tuple[
        Int[Array, "batch path time"],
        Float[Array, "batch path time"],
        Float[Array, "batch path time src"],
    ]:
        """Returns what `History.backtrace` does, for hypotheses with their prefix."""
        lengths, width = self.lengths[:, None], self.tokens.shape[1]
        own = dataclasses.replace(hypotheses, lengths=hypotheses.lengths - lengths)
        times = jnp.arange(history.tokens.shape[1])[None, :]
        places = jnp.where(times < lengths, times, width + times - lengths)

        def join(begun: Array, later: Array) -> Array:
            repeated = jnp.broadcast_to(begun[:, None], (*later.shape[:2], *begun.shape[1:]))
            both = jnp.concatenate([repeated, later], axis=2)
            return jax.vmap(lambda row, at: row[:, at])(both, places)

        tokens, log_probs, attention = history.backtrace(own)
        total = self.log_probs.sum(axis=1, keepdims=True)
        log_probs = log_probs.at[:, :, 0].add(-total)  # the first difference is to nothing
        return (
            join(self.tokens, tokens),
            join(self.log_probs, log_probs),
            join(self.attention, attention),
        )


def begin(
    predictor: Predictor,
    encoded: Encoded,
    state: State,
    processors: tuple[Processor, ...],
    prefix: Prefix,
    *,
    bos: int,
    limit: int,
) -> tuple[State, Begun]:
    """Reads prefixes; returns the predictor's state before their last token, and what is begun."""
    tokens, lengths = jnp.asarray(prefix.tokens), jnp.asarray(prefix.lengths)
    predicted = jax.eval_shape(lambda: predictor.step(state, lengths, encoded)[1])
    blank = jnp.zeros(predicted.shape, predicted.dtype)
    states = replayed(
        lambda states, tokens: process(processors, states, tokens, blank)[0],
        tuple(each.start(len(lengths), limit) for each in processors),
        prefix,
        bos=bos,
    )
    state, log_probs, attended = predictor.read(state, tokens, lengths, encoded, bos=bos)
    real = real_tokens(lengths, tokens.shape[1])
    log_probs = jnp.where(real, log_probs, 0.0)
    attention, weights = (
        jnp.where(real[:, :, None], of(attended), 0.0) for of in (shown, weights_of)
    )
    return state, Begun(tokens, lengths, log_probs, attention, weights.sum(axis=1), states)


def replayed(
    read: Callable[[PyTree, LastTokens], PyTree], state: PyTree, prefix: Prefix, *, bos: int
) -> PyTree:
    """Returns a state that has read `bos` and each prefix but for its last token."""

    def step(state: PyTree, inputs: tuple[Any, Any]) -> tuple[PyTree, None]:
        time, tokens = inputs
        return choose(time < jnp.asarray(prefix.lengths), read(state, tokens), state), None

    previous = previous_tokens(jnp.asarray(prefix.tokens), bos).swapaxes(0, 1)
    return jax.lax.scan(step, state, (jnp.arange(len(previous)), previous))[0]


@struct.dataclass
class Completion:
    """A processor that has hypotheses spell the rest of a prefix, and then anything.

    Its state is the number of characters that have been read.
    """

    begins: Int[AnyArray, " row"]  # the number of characters before the rest
    ends: Int[AnyArray, " row"]  # and with it
    allowed: Int[AnyArray, "row vocab"]  # bit i: after i characters of the rest; bit 31: after all
    lengths: Int[AnyArray, "row vocab"]  # the characters of each token

    def start(self, rows: int, length: int) -> Int[Array, " row"]:
        """Returns that nothing has been read."""
        return jnp.zeros(rows, jnp.int32)

    def __call__(
        self, state: Int[Array, " row"], tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[Int[Array, " row"], LogProbs]:
        """Forbids what does not agree with the rest."""
        rows = jnp.arange(len(tokens))
        state = state + self.lengths[rows, tokens]
        place = jnp.where(state < self.ends, jnp.maximum(state - self.begins, 0), BITS)
        allowed = self.allowed & jnp.left_shift(1, place)[:, None] != 0
        return state, jnp.where(allowed, log_probs, -jnp.inf)
