"""Functions of rows, compiled and run on all local devices.

A program is compiled for each model, each shape of its rows and its static arguments; everything
else, such as parameters and numeric settings of a search, is an array argument. Each program takes
memory maps, whose number is limited. So only the programs used last are kept in a cache.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any

import jax
from jax.sharding import PartitionSpec

from nmt import devices, memory_maps

MAPS = 500  # memory maps of the program of a search
MOST = 512  # programs, which take some 10 MB each

Function = Callable[..., Any]

# So many leave a quarter of the memory maps to others.
MAX_PROGRAMS = min(max(1, memory_maps.limit() * 3 // 4 // MAPS), MOST)


def run(function: Function, shared: Any, rows: Any, **static: Hashable) -> Any:
    """Returns `function(shared, rows, **static)`, compiled, on all local devices.

    Args:
        function: no row of its results depends on other rows.
        shared: a tree of arrays that all devices read, best where `devices.replicate` has put them.
        rows: a tree of arrays whose leading axis is divided among the devices.
        static: arguments that are known when the program is compiled.
    """
    shapes = tuple(leaf.shape for leaf in jax.tree.leaves(rows))
    structure = jax.tree.structure((shared, rows))  # with their static fields
    return _program(function, structure, shapes, tuple(static.items()))(shared, rows)


def is_full() -> bool:
    """Whether as many programs are kept as can be, so that each new one takes another's place."""
    return _program.cache_info().currsize == MAX_PROGRAMS


@lru_cache(maxsize=MAX_PROGRAMS)
def _program(
    function: Function,
    structure: Any,
    shapes: tuple[tuple[int, ...], ...],
    static: tuple[tuple[str, Any], ...],
) -> Function:
    """Returns the function jitted; the cache holds its only reference.

    When the cache drops it, the compiled program is freed.
    """
    program = partial(function, **dict(static))
    if devices.count() == 1:
        return jax.jit(program)
    # Each device loops until its own sentences are done, and does not wait for the others.
    specs = PartitionSpec(), PartitionSpec(devices.AXIS)
    return jax.jit(
        jax.shard_map(
            program,
            mesh=devices.mesh(),
            in_specs=specs,
            out_specs=PartitionSpec(devices.AXIS),
            check_vma=False,
        )
    )
