"""Which hypotheses the model reads in which row, and how often it reads at most."""

import jax.numpy as jnp
from flax import struct
from jaxtyping import Array, Bool, Int


@struct.dataclass
class Plan:
    """Which hypotheses the model reads next: all live ones of as many sentences as there is room.

    The first sentences come first. An idle row has some sentence and place too.
    """

    sentence: Int[Array, " row"]
    place: Int[Array, " row"]  # in the beam
    idle: Bool[Array, " row"]
    rows: Int[Array, "batch beam"]  # where a place of the beam is read
    read: Bool[Array, "batch beam"]  # whether it is

    @classmethod
    def of(cls, counts: Int[Array, " batch"], *, beam: int, rows: int) -> "Plan":
        """Plans for sentences with so many live hypotheses each."""
        ends = jnp.cumsum(counts)
        going, firsts = ends <= rows, ends - counts
        row, places = jnp.arange(rows), jnp.arange(beam)[None, :]
        sentence = (ends[None, :] <= row[:, None]).sum(axis=1)
        sentence = jnp.minimum(sentence, counts.shape[0] - 1)
        return cls(
            sentence=sentence,
            place=jnp.clip(row - firsts[sentence], 0, beam - 1),
            idle=row >= jnp.where(going, ends, 0).max(),
            rows=jnp.clip(firsts[:, None] + places, 0, rows - 1),
            read=going[:, None] & (places < counts[:, None]),
        )


def most_readings(batch: int, beam: int, limit: int, rows: int) -> int:
    """Returns how many times the model reads at most.

    A sentence waits only when fewer rows are idle than a beam has; and when none waits, all of
    them get longer. With a quarter of the rows, none waits.
    """
    if batch * beam <= rows:
        return limit
    return -(-batch * beam * limit // (rows - beam + 1)) + limit
