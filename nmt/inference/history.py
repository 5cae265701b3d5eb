"""The hypotheses of a beam, and the history of a search, which holds their earlier tokens."""

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree

from nmt.types import Integer


@struct.dataclass
class Beam:
    """Hypotheses of each sentence: their last tokens, and pointers to the hypotheses before.

    An absent hypothesis has log-probability, value and score -inf.
    """

    tokens: Int[Array, "batch path"]
    back_pointers: Int[Array, "batch path"]  # the place in the beam one step before
    lengths: Int[Array, "batch path"]
    log_probs: Float[Array, "batch path"]
    values: Float[Array, "batch path"]  # log_probs, but the last token's as processors changed it
    scores: Float[Array, "batch path"]  # of finished hypotheses
    attention: Float[Array, "batch path covered"]  # summed so far; empty where it does not count

    @classmethod
    def absent(cls, shape: tuple[int, int], *, token: int, covered: int) -> "Beam":
        """Returns absent hypotheses of length 0."""
        return cls(
            tokens=jnp.full(shape, token, jnp.int32),
            back_pointers=jnp.zeros(shape, jnp.int32),
            lengths=jnp.zeros(shape, jnp.int32),
            log_probs=jnp.full(shape, -jnp.inf),
            values=jnp.full(shape, -jnp.inf),
            scores=jnp.full(shape, -jnp.inf),
            attention=jnp.zeros((*shape, covered)),
        )

    @property
    def present(self) -> Bool[Array, "batch path"]:
        """Which hypotheses are not absent."""
        return self.log_probs > -jnp.inf

    def only(self, wanted: Bool[Array, "batch path"]) -> "Beam":
        """Returns the beam in which all hypotheses but the wanted ones are absent."""
        return dataclasses.replace(
            self,
            log_probs=jnp.where(wanted, self.log_probs, -jnp.inf),
            values=jnp.where(wanted, self.values, -jnp.inf),
            scores=jnp.where(wanted, self.scores, -jnp.inf),
        )

    def best(self, number: int, *, by: Literal["values", "scores"]) -> "Beam":
        """Returns the hypotheses with the highest values, best first; of equal ones the first."""
        return take(self, lax.top_k(getattr(self, by), number)[1])

    def join(self, others: "Beam") -> "Beam":
        """Returns the hypotheses of both beams, these first."""
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), self, others)


@struct.dataclass
class History:
    """What a search knows of the beam after each step."""

    tokens: Int[Array, "batch time beam"]  # the last token of each hypothesis after the step
    back_pointers: Int[Array, "batch time beam"]  # its place before the step
    log_probs: Float[Array, "batch time beam"]  # of each hypothesis after the step
    attention: Float[Array, "batch time beam src"]  # by the place before the step

    @classmethod
    def blank(cls, batch: int, times: int, beam: int, source_length: int) -> "History":
        """Returns a history with room for so many steps."""
        return cls(
            tokens=jnp.zeros((batch, times, beam), jnp.int32),
            back_pointers=jnp.zeros((batch, times, beam), jnp.int32),
            log_probs=jnp.zeros((batch, times, beam)),
            attention=jnp.zeros((batch, times, beam, source_length)),
        )

    def write(
        self, time: Integer, live: Beam, attention: Float[Array, "batch beam src"]
    ) -> "History":
        """Returns the history with one more step."""
        return History(
            tokens=self.tokens.at[:, time].set(live.tokens),
            back_pointers=self.back_pointers.at[:, time].set(live.back_pointers),
            log_probs=self.log_probs.at[:, time].set(live.log_probs),
            attention=self.attention.at[:, time].set(attention),
        )

    def backtrace(
        self, hypotheses: Beam
    ) -> tuple[
        Int[Array, "batch path time"],
        Float[Array, "batch path time"],
        Float[Array, "batch path time src"],
    ]:
        """Returns tokens, their log-probabilities, and their attention, of each hypothesis.

        They are arbitrary beyond its length.
        """

        def back(later: Any, step: Any) -> tuple[Any, Any]:
            time, *earlier = step
            inside = time < hypotheses.lengths - 1
            before = (jnp.take_along_axis(each, later[1], axis=1) for each in earlier)
            cursor = tuple(jnp.where(inside, *pair) for pair in zip(before, later, strict=True))
            return cursor, cursor

        times = jnp.arange(self.tokens.shape[1])
        kept = (self.tokens, self.back_pointers, self.log_probs)
        steps = (times, *(each.swapaxes(0, 1) for each in kept))
        last = (hypotheses.tokens, hypotheses.back_pointers, hypotheses.log_probs)
        _, cursors = lax.scan(back, last, steps, reverse=True)
        tokens, places, totals = (jnp.moveaxis(each, 0, 2) for each in cursors)
        attention = jnp.take_along_axis(self.attention, places.swapaxes(1, 2)[..., None], axis=2)
        return tokens, jnp.diff(totals, prepend=0.0), attention.swapaxes(1, 2)


def take(tree: PyTree, places: Int[Array, "batch path"]) -> PyTree:
    """Returns the hypotheses at given places, for every leaf with axes (batch, beam, ...)."""
    rows = jnp.arange(places.shape[0])[:, None]
    return jax.tree.map(lambda leaf: leaf[rows, places], tree)
