"""Slots: a search computes some sentences of its arrays at a time, while the others wait.

A step takes as long for sentences that are done as for those that are not. So whenever an eighth of
the slots hold sentences that are done, the next ones take their places, until none waits.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, runtime_checkable

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Int

from nmt.types import Integer


@runtime_checkable
class Sentences(Protocol):
    """A state of sentences, a pytree; every leaf leads with the axis row."""

    done: Bool[Array, " row"]


_Tree = TypeVar("_Tree")
_Sentences = TypeVar("_Sentences", bound=Sentences)


@dataclasses.dataclass(frozen=True)
class Chunks:
    """Rows, `size` at a time; behind the first `number` chunks there is nothing but padding."""

    size: int
    number: Integer

    @classmethod
    def of(cls, lengths: Int[Array, " row"], size: int) -> "Chunks":
        """Returns the chunks of rows of which those of length 0 are padding."""
        ends = jnp.where(lengths > 0, jnp.arange(len(lengths)) + 1, 0)
        return cls(size, -(-jnp.max(ends) // size))

    def map(self, function: Callable[[Any], _Tree], rows: Any, blank: _Tree | None = None) -> _Tree:
        """Returns the function of the rows, and behind them the rows of `blank`, or zeros."""

        def some(number: Integer) -> Any:
            return jax.tree.map(
                lambda leaf: lax.dynamic_slice_in_dim(leaf, number * self.size, self.size), rows
            )

        def one(number: Integer, found: _Tree) -> _Tree:
            return jax.tree.map(
                lambda leaf, new: lax.dynamic_update_slice_in_dim(leaf, new, number * self.size, 0),
                found,
                function(some(number)),
            )

        if blank is None:
            length = len(jax.tree.leaves(rows)[0])
            blank = jax.tree.map(
                lambda leaf: jnp.zeros((length, *leaf.shape[1:]), leaf.dtype),
                function(some(jnp.int32(0))),  # for its shapes alone: the compiler drops the rest
            )
        return lax.fori_loop(0, self.number, one, blank)


def in_slots(
    step: Callable[[_Sentences, Any], _Sentences],
    sentences: _Sentences,
    rows: Any,
    *,
    slots: int,
    until: int = 0,
) -> _Sentences:
    """Runs steps until at most so many sentences are not done.

    Args:
        step: returns the sentences in the slots after a step; it leaves those that are done.
        sentences: at least as many as slots.
        rows: what each step reads of them, a tree whose leaves lead with the axis row.
        slots: how many sentences are computed together.
        until: less than seven eighths of the slots.
    """

    def left(sentences: _Sentences) -> Integer:
        return jnp.sum(~sentences.done)

    def turn(sentences: _Sentences) -> _Sentences:
        taken = jnp.argsort(sentences.done, stable=True)[:slots]
        some, own = jax.tree.map(lambda leaf: leaf[taken], (sentences, rows))
        least = jnp.where(left(sentences) > slots, slots - -(-slots // 8), until)
        some = lax.while_loop(lambda some: left(some) > least, lambda some: step(some, own), some)
        return jax.tree.map(lambda leaf, new: leaf.at[taken].set(new), sentences, some)

    return lax.while_loop(lambda sentences: left(sentences) > until, turn, sentences)
