"""Processors: what changes the next log-probabilities, by what a hypothesis has written."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import jax.numpy as jnp
from jax import lax

from nmt.types import LastTokens, LogProbs

State = Any  # a pytree; every leaf leads with the axis row


@runtime_checkable
class Processor(Protocol):
    """Decides on what may be written next, or is to be preferred.

    It is hashable and holds no arrays, for it is known when the search is compiled. What it must
    remember is a state, which travels with its hypothesis. The score of a hypothesis stays the
    model's own: a processor has a say in which hypotheses there are, not in what they are worth.
    """

    def start(self, rows: int) -> State:
        """Returns the state of so many hypotheses that are empty."""

    def __call__(
        self, state: State, tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[State, LogProbs]:
        """Reads the last token of each hypothesis, `bos` at first.

        Returns the new state, and the log-probabilities as changed, -inf for what is forbidden.
        """


@dataclass(frozen=True)
class Forbid:
    """Forbids tokens that no translation has, such as `<unk>`, the beginning and padding."""

    tokens: tuple[int, ...]

    def start(self, rows: int) -> tuple[()]:
        """Returns nothing: what is forbidden is always the same."""
        return ()

    def __call__(
        self, state: tuple[()], tokens: LastTokens, log_probs: LogProbs
    ) -> tuple[tuple[()], LogProbs]:
        """Returns -inf for the tokens, and all else as it is."""
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
    """Returns what one processor after the other makes of the states and the log-probabilities."""
    after = []
    for processor, state in zip(processors, states, strict=True):
        state, log_probs = processor(state, tokens, log_probs)
        after.append(state)
    return tuple(after), log_probs
