"""Processors: they change the log-probabilities of the next token of a hypothesis."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Int

from nmt.inference.hypotheses import AnyArray
from nmt.types import LastTokens, LogProbs

State = Any  # a pytree; every leaf leads with the axis row


@runtime_checkable
class Processor(Protocol):
    """Forbids or prefers next tokens.

    It is a pytree, made by `flax.struct.dataclass`, and an argument of the compiled search: its
    arrays lead with the axis row, so that sentences may differ, and its other fields are static.
    It may have a state for each hypothesis. The score of a hypothesis stays that of the model:
    processors decide which hypotheses there are, not how they are scored.
    """

    def start(self, rows: int, length: int) -> State:
        """Returns the state of so many empty hypotheses, which will have `length` tokens at most.

        Its leaves lead with the axis row too.
        """

    def __call__(
        self, state: State, tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[State, LogProbs]:
        """Reads the last token of each hypothesis, `bos` at first.

        Returns the new state, and the new log-probabilities, -inf for forbidden tokens.
        """


@struct.dataclass
class Forbid:
    """Forbids tokens such as `<unk>`, the beginning of sentence and padding."""

    tokens: tuple[int, ...] = struct.field(pytree_node=False)

    def start(self, rows: int, length: int) -> tuple[()]:
        """Returns the empty state."""
        return ()

    def __call__(
        self, state: tuple[()], tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[tuple[()], LogProbs]:
        """Returns the log-probabilities with -inf for the forbidden tokens."""
        ids = lax.broadcasted_iota(jnp.int32, log_probs.shape, 1)
        for token in self.tokens:
            log_probs = jnp.where(ids == token, -jnp.inf, log_probs)
        return state, log_probs


@struct.dataclass
class MinimumLength:
    """Forbids the end of sentence before a translation has so many tokens with it."""

    lengths: Int[AnyArray, " row"]
    eos: int = struct.field(pytree_node=False)

    def start(self, rows: int, length: int) -> Int[Array, " row"]:
        """Returns the number of tokens that have been read."""
        return jnp.zeros(rows, jnp.int32)

    def __call__(
        self, state: Int[Array, " row"], tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[Int[Array, " row"], LogProbs]:
        """Forbids the end while the next token is not the last one needed."""
        state = state + 1  # of which one is `bos`: so it is the length with the next token
        ids = lax.broadcasted_iota(jnp.int32, log_probs.shape, 1)
        early = (state < self.lengths)[:, None] & (ids == self.eos)
        return state, jnp.where(early, -jnp.inf, log_probs)


class Written(NamedTuple):
    """The tokens that hypotheses have read, `bos` at first, and their number."""

    tokens: Int[Array, "row time"]  # -1 behind them
    number: Int[Array, " row"]


@struct.dataclass
class NoRepeatedNgrams:
    """Forbids the token that would complete a sequence of `n` tokens for the second time."""

    n: int = struct.field(pytree_node=False)

    def start(self, rows: int, length: int) -> Written:
        """Returns that nothing has been written."""
        return Written(jnp.full((rows, length + 1), -1), jnp.zeros(rows, jnp.int32))

    def __call__(
        self, state: Written, tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[Written, LogProbs]:
        """Forbids each token that has followed the last n - 1 ones before."""
        rows = jnp.arange(len(tokens))
        written = state.tokens.at[rows, state.number].set(tokens)
        number = state.number + 1
        same = jnp.ones(written.shape, bool)  # whether what stands before a place is at the end too
        for back in range(1, self.n):
            last = jnp.take_along_axis(written, jnp.maximum(number - back, 0)[:, None], axis=1)
            same &= jnp.roll(written, back, axis=1) == last
        places = jnp.arange(written.shape[1])[None, :]
        repeated = same & (places >= self.n) & (places < number[:, None])  # place 0 is `bos`
        forbidden = jnp.where(repeated, written, log_probs.shape[1])
        log_probs = log_probs.at[rows[:, None], forbidden].set(-jnp.inf, mode="drop")
        return Written(written, number), log_probs


def process(
    processors: tuple[Processor, ...],
    states: tuple[State, ...],
    tokens: LastTokens,
    log_probs: LogProbs,
) -> tuple[tuple[State, ...], LogProbs]:
    """Applies the processors in turn; returns their new states and the log-probabilities."""
    after = []
    for processor, state in zip(processors, states, strict=True):
        state, log_probs = processor(state, tokens, log_probs)
        after.append(state)
    return tuple(after), log_probs
