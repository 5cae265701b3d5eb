"""Sentences in turns: each gets its own steps, with its own rows, whatever others need."""

import heapq

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct
from hypothesis import given
from hypothesis import strategies as st

from nmt.inference.slots import Chunks, in_slots


@struct.dataclass
class Walk:
    """A state that is done after so many steps, and adds up what it reads at each."""

    steps: jax.Array
    wanted: jax.Array
    total: jax.Array

    @property
    def done(self):
        return self.steps >= self.wanted


def walk(state, rows):
    steps = jnp.where(state.done, state.steps, state.steps + 1)
    return state.replace(steps=steps, total=jnp.where(state.done, state.total, state.total + rows))


def started(wanted):
    nothing = jnp.zeros(len(wanted), jnp.int32)
    return Walk(nothing, jnp.array(wanted, jnp.int32), nothing)


@given(
    wanted=st.lists(st.integers(0, 12), min_size=1, max_size=30),
    slots=st.integers(1, 30),
    until=st.integers(0, 30),
)
def test_every_sentence_gets_its_own_steps_and_reads_its_own_rows(wanted, slots, until):
    slots = min(slots, len(wanted))
    until = min(until, slots // 2)
    rows = jnp.arange(len(wanted)) + 100

    found = in_slots(walk, started(wanted), rows, slots=slots, until=until)

    steps = np.asarray(found.steps)
    assert np.sum(~np.asarray(found.done)) <= until
    assert np.all(steps <= wanted)
    np.testing.assert_array_equal(found.total, steps * np.asarray(rows))
    if until == 0:
        np.testing.assert_array_equal(steps, wanted)


@pytest.mark.parametrize("slots", [1, 4, 8])
def test_a_slot_that_is_free_is_taken_by_the_next_sentence(slots):
    wanted, taken = [20, 3, 9, 4, 4, 1, 7, 2, 6, 5, 3, 8, 2, 2, 10, 1], []

    def counted(state, rows):
        jax.debug.callback(lambda: taken.append(1))
        return walk(state, rows)

    in_slots(counted, started(wanted), jnp.zeros(len(wanted), jnp.int32), slots=slots)
    jax.effects_barrier()

    # As at a counter with so many clerks, each of whom takes the next in the queue.
    free = [0] * slots
    for each in wanted:
        heapq.heappush(free, heapq.heappop(free) + each)
    assert len(taken) == max(free)


@given(
    lengths=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    padding=st.integers(0, 6),
    size=st.integers(1, 4),
)
def test_chunks_with_sentences_are_computed_and_the_rest_is_blank(lengths, padding, size):
    lengths = [*lengths, *[0] * padding]
    lengths += [0] * (-len(lengths) % size)

    def function(rows):
        return {"ten": 10 * rows, "negative": -rows[:, None]}

    rows = jnp.arange(len(lengths)) + 1
    found = Chunks.of(jnp.array(lengths), size).map(function, rows)
    kept = Chunks.of(jnp.array(lengths), size).map(lambda rows: 10 * rows, rows, blank=rows)

    last = max((place + 1 for place, length in enumerate(lengths) if length), default=0)
    reached = sum(1 for first in range(0, len(lengths), size) if first < last) * size
    numbers = np.arange(len(lengths)) + 1
    expected = np.where(numbers <= reached, numbers, 0)
    np.testing.assert_array_equal(found["ten"], 10 * expected)
    np.testing.assert_array_equal(found["negative"], -expected[:, None])
    np.testing.assert_array_equal(kept, np.where(numbers <= reached, 10 * numbers, numbers))
