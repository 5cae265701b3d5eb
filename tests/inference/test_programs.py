"""Functions of rows on the two virtual devices that every test has."""

import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from nmt import devices
from nmt.inference import programs


def squares(shared, rows, *, power):
    """Loops as long as the longest row wants: devices need not loop alike."""
    numbers, times = rows

    def multiply(state):
        done, product = state
        return done + 1, jnp.where(done < times, product * numbers, product)

    start = jnp.zeros((), jnp.int32), jnp.ones_like(numbers)
    _, product = jax.lax.while_loop(lambda state: state[0] < times.max(), multiply, start)
    return shared * product**power


def test_rows_are_computed_in_their_places_whatever_device_has_them():
    assert devices.count() == 2
    numbers = np.array([2.0, 3.0, 5.0, 7.0], np.float32)
    times = np.array([1, 0, 3, 2], np.int32)

    found = programs.run(squares, jnp.float32(10), (numbers, times), power=1)

    np.testing.assert_allclose(found, 10 * numbers**times)


def test_a_program_is_made_once_for_each_shape_and_static_argument():
    before = programs._program.cache_info().misses
    for length, power in [(2, 1), (4, 1), (4, 2), (2, 1), (4, 2)]:
        rows = np.ones(length, np.float32), np.ones(length, np.int32)
        programs.run(squares, jnp.float32(length), rows, power=power)

    assert programs._program.cache_info().misses - before <= 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory maps as Linux shows them")
def test_programs_that_are_no_longer_used_are_let_go(monkeypatch):
    def maps():
        return len(Path("/proc/self/maps").read_text().splitlines())

    rows = np.ones(2, np.float32), np.ones(2, np.int32)
    counts = []
    for power in range(3 * programs.MAX_PROGRAMS):
        programs.run(squares, jnp.float32(1), rows, power=power).block_until_ready()
        if power % programs.MAX_PROGRAMS == programs.MAX_PROGRAMS - 1:
            counts.append(maps())

    assert programs.is_full()
    programs._program.cache_clear()
    assert not programs.is_full()
    first, *_, last = counts
    assert last < first + 50  # each program has several
