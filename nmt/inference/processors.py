"""Processors: they change the log-probabilities of the next token of a hypothesis."""

from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
from flax import struct
from jax import lax

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
