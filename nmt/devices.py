"""The local devices: how many there are, and how arrays lie on them."""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

AXIS = "device"


def count() -> int:
    """Returns the number of local devices; the rows of a batch must be a multiple of it."""
    return jax.local_device_count()


def mesh() -> Mesh:
    """Returns the devices as the one axis over which rows are divided."""
    return Mesh(np.array(jax.local_devices()), (AXIS,))


def placement(*axes: str) -> NamedSharding:
    """Returns the sharding of leading axes over the local devices; without axes, full copies."""
    return NamedSharding(mesh(), PartitionSpec(*axes))


def replicate(tree: Any) -> Any:
    """Returns a tree with a copy of its arrays on each local device."""
    return jax.device_put(tree, placement())
