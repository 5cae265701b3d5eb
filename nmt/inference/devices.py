"""Functions of rows, compiled and run on all local devices.

A program is compiled for each model, each shape of its rows and its static arguments; all else, as
parameters and the numbers of a search, are arrays that it is given. A process cannot hold
thousands of them: each takes encoded maps of the system, whose number is limited. So the last ones
used are kept, and the others let go.
"""

from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

MAX_PROGRAMS = 64  # programs, each some ten memory maps of the 65,530 that Linux allows a process
AXIS = "device"

Function = Callable[..., Any]


def run(function: Function, shared: Any, rows: Any, **static: Hashable) -> Any:
    """Returns `function(shared, rows, **static)`, compiled, on all local devices.

    Args:
        function: what is computed; no row of its results depends on other rows.
        shared: a tree of arrays that all devices read, best where `replicate` has put them.
        rows: a tree of arrays whose leading axis is shared out among the devices.
        static: arguments that are known when the program is compiled.
    """
    shapes = tuple(leaf.shape for leaf in jax.tree.leaves(rows))
    structure = jax.tree.structure(shared)  # what is static in it, too
    return _program(function, structure, shapes, tuple(static.items()))(shared, rows)


def replicate(tree: Any) -> Any:
    """Returns a tree with a copy of its arrays on each local device."""
    return jax.device_put(tree, NamedSharding(_mesh(), PartitionSpec()))


def count() -> int:
    """Returns the number of local devices; the rows given to `run` must be a multiple of it."""
    return jax.local_device_count()


@lru_cache(maxsize=MAX_PROGRAMS)
def _program(
    function: Function,
    structure: Any,
    shapes: tuple[tuple[int, ...], ...],
    static: tuple[tuple[str, Any], ...],
) -> Function:
    """Returns the function, ready to be compiled for these shapes, its one reference.

    When it is dropped here, so is what has been compiled.
    """
    program = partial(function, **dict(static))
    if count() == 1:
        return jax.jit(program)
    # Each device loops until its own sentences are done, and waits for no other.
    specs = PartitionSpec(), PartitionSpec(AXIS)
    return jax.jit(
        jax.shard_map(
            program, mesh=_mesh(), in_specs=specs, out_specs=PartitionSpec(AXIS), check_vma=False
        )
    )


def _mesh() -> Mesh:
    return Mesh(np.array(jax.local_devices()), (AXIS,))
