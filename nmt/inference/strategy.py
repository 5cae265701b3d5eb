"""The strategy of a search: it decides which continuations of the live hypotheses are kept."""

import dataclasses
from typing import Any, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nmt.inference.history import Beam, take
from nmt.inference.hypotheses import largest
from nmt.types import RowKeys

State = Any  # a pytree; every leaf leads with the axis batch


@struct.dataclass
class Continuations:
    """All continuations of the live hypotheses by one token."""

    live: Beam
    log_probs: Float[Array, "batch beam vocab"]  # of the next token, by the model
    values: Float[Array, "batch beam vocab"]  # the same as processors changed it; -inf: forbidden
    attention: Float[Array, "batch beam covered"]  # summed, with the weights for the next token
    eos: int = struct.field(pytree_node=False)

    def of(self, hypotheses: slice) -> "Continuations":
        """Returns the continuations of some of the hypotheses alone."""
        return jax.tree.map(lambda leaf: leaf[:, hypotheses], self)

    def best(self, number: int) -> Beam:
        """Returns the continuations with the highest values, best first, twice `number`.

        number + 1 continuations of one hypothesis are enough: at most one of them ends.
        """
        batch, beam, vocab = self.values.shape
        each = min(number + 1, vocab)
        gained, tokens = (
            leaf.reshape(batch, -1)
            for leaf in largest(self.values.reshape(batch * beam, vocab), each)
        )
        values = jnp.repeat(self.live.log_probs, each, axis=1) + gained
        _, places = lax.top_k(values, min(2 * number, beam * each))
        return self.chosen(places // each, jnp.take_along_axis(tokens, places, axis=1))

    def chosen(
        self, back_pointers: Int[Array, "batch path"], tokens: Int[Array, "batch path"]
    ) -> Beam:
        """Returns the continuations of given hypotheses by given tokens, not yet scored."""
        before = take(dataclasses.replace(self.live, attention=self.attention), back_pointers)
        rows = jnp.arange(len(tokens))[:, None]
        gained, changed = (
            leaf[rows, back_pointers, tokens] for leaf in (self.log_probs, self.values)
        )
        return dataclasses.replace(
            before,
            tokens=tokens,
            back_pointers=back_pointers,
            lengths=before.lengths + 1,
            log_probs=before.log_probs + jnp.where(changed > -jnp.inf, gained, -jnp.inf),
            values=before.log_probs + changed,
        )


@runtime_checkable
class Strategy(Protocol):
    """Selects hypotheses: a pytree, whose numbers need no other program when they change.

    It is an argument of the compiled search; what decides about shapes is a static field.
    """

    seed: Any  # of random keys for the sentences; None: it draws nothing

    @property
    def width(self) -> int:
        """The most live hypotheses of a sentence."""

    def first(self) -> Bool[Array, " beam"]:
        """Returns which hypotheses of a sentence are live, and empty, before the first token."""

    def start(self, batch: int, keys: RowKeys) -> State:
        """Returns the state before the first token of so many sentences, with a key for each."""

    def __call__(self, state: State, continuations: Continuations, /) -> tuple[State, Beam, Beam]:
        """Returns the new state, the `width` hypotheses that live on, and those that have ended.

        A sentence of which no hypothesis lives on is done.
        """
