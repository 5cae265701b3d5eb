"""Hypotheses under way, the log of what the model has read, and the way back through it."""

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int, PyTree


@struct.dataclass
class Paths:
    """Hypotheses of each sentence, known by their last token and what they extend.

    An absent one has log-probability and score -inf.
    """

    tokens: Int[Array, "batch path"]
    parents: Int[Array, "batch path"]  # the place in the beam that the last token was added to
    origins: Int[Array, "batch path"]  # the same, as an entry of the log
    lengths: Int[Array, "batch path"]
    log_probs: Float[Array, "batch path"]
    scores: Float[Array, "batch path"]
    coverage: Float[Array, "batch path covered"]  # attention so far; empty where it does not count

    @classmethod
    def absent(cls, shape: tuple[int, int], *, token: int, covered: int) -> "Paths":
        """Returns absent hypotheses of length 0."""
        return cls(
            tokens=jnp.full(shape, token, jnp.int32),
            parents=jnp.zeros(shape, jnp.int32),
            origins=jnp.zeros(shape, jnp.int32),
            lengths=jnp.zeros(shape, jnp.int32),
            log_probs=jnp.full(shape, -jnp.inf),
            scores=jnp.full(shape, -jnp.inf),
            coverage=jnp.zeros((*shape, covered)),
        )

    @property
    def present(self) -> Bool[Array, "batch path"]:
        """Which of them there are."""
        return self.log_probs > -jnp.inf

    def only(self, wanted: Bool[Array, "batch path"]) -> "Paths":
        """Returns them with those that are not wanted absent."""
        return dataclasses.replace(
            self,
            log_probs=jnp.where(wanted, self.log_probs, -jnp.inf),
            scores=jnp.where(wanted, self.scores, -jnp.inf),
        )

    def best(self, number: int, by: Float[Array, "batch path"]) -> "Paths":
        """Returns those with the highest values, best first; of equal ones the first."""
        return take(self, lax.top_k(by, number)[1])

    def join(self, others: "Paths") -> "Paths":
        """Returns these, then the others."""
        return jax.tree.map(lambda *leaves: jnp.concatenate(leaves, axis=1), self, others)


@struct.dataclass
class Log:
    """What the model has read, row by row; entry `time * rows + row`, in the order of time."""

    tokens: Int[Array, "time row"]  # the token read
    origins: Int[Array, "time row"]  # the entry of the token before
    attention: Float[Array, "time row src"]  # for the token that came next

    @classmethod
    def blank(cls, times: int, rows: int, source_length: int) -> "Log":
        """Returns a log with room for so many readings of so many rows."""
        return cls(
            tokens=jnp.zeros((times, rows), jnp.int32),
            origins=jnp.zeros((times, rows), jnp.int32),
            attention=jnp.zeros((times, rows, source_length)),
        )

    def write(self, time: Int[Array, ""], **read: Array) -> "Log":
        """Returns the log with what the first rows read at a time."""
        return Log(
            **{
                name: lax.dynamic_update_slice(
                    getattr(self, name), rows[None], (time, *[0] * rows.ndim)
                )
                for name, rows in read.items()
            }
        )

    def trace(
        self, paths: Paths, limit: int
    ) -> tuple[Int[Array, "batch path {limit}"], Float[Array, "batch path {limit} src"]]:
        """Follows each path back to its first token; what lies beyond its length is arbitrary."""
        read, origins = self.tokens.ravel(), self.origins.ravel()

        def back(
            cursor: tuple[Array, Array], time: Int[Array, ""]
        ) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
            tokens, entries = cursor
            inside = time < paths.lengths
            earlier = (
                jnp.where(inside, read[entries], tokens),
                jnp.where(inside, origins[entries], entries),
            )
            return earlier, cursor

        last = (paths.tokens, paths.origins)
        _, found = lax.scan(back, last, jnp.arange(limit), reverse=True)
        tokens, entries = jax.tree.map(lambda times: jnp.moveaxis(times, 0, 2), found)
        return tokens, self.attention.reshape(-1, self.attention.shape[-1])[entries]


def take(tree: PyTree, places: Int[Array, "batch path"]) -> PyTree:
    """Returns the hypotheses at the places, for every leaf of axes (batch, beam, ...)."""
    rows = jnp.arange(places.shape[0])[:, None]
    return jax.tree.map(lambda leaf: leaf[rows, places], tree)


def choose(wanted: Bool[Array, " batch"], chosen: PyTree, otherwise: PyTree) -> PyTree:
    """Returns the sentences that are wanted from one tree, the others from the other one."""

    def pick(one: Array, other: Array) -> Array:
        return jnp.where(wanted.reshape(-1, *[1] * (one.ndim - 1)), one, other)

    return jax.tree.map(pick, chosen, otherwise)
