"""Dropout with one mask a sentence, the same at every time step (Gal and Ghahramani 2016).

Every row of a batch has a key of its own, so that a sentence loses the same components on one
device or many. Masks are sampled before a scan and given to it as arrays: the scanned step has no
randomness of its own. Without keys nothing is dropped; that is how validation and search run.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from nmt.types import RowKeys


def split(keys: RowKeys, number: int) -> list[RowKeys]:
    """Returns `number` independent keys for each row; without keys, `number` times None."""
    if keys is None:
        return [None] * number
    parts = jax.vmap(lambda key: jax.random.split(key, number))(keys)
    return [parts[:, index] for index in range(number)]


def mask(keys: RowKeys, rate: float, size: int, dtype: jnp.dtype) -> Float[Array, "#batch #size"]:
    """Returns a dropout mask: 0 with probability `rate`, else 1 / (1 - rate); ones without keys."""
    if keys is None or rate == 0.0:
        return jnp.ones((1, 1), dtype)
    kept = jax.vmap(lambda key: jax.random.bernoulli(key, 1 - rate, (size,)))(keys)
    return jnp.where(kept, 1 / (1 - rate), 0.0).astype(dtype)


def recurrent_mask(
    keys: RowKeys, rate: float, size: int, dtype: jnp.dtype
) -> Float[Array, "batch size"] | None:
    """Returns a dropout mask for the state of a cell; None where nothing is dropped."""
    return None if keys is None or rate == 0.0 else mask(keys, rate, size, dtype)


def dropped(
    state: Float[Array, "*rows hidden"], mask: Float[Array, "*rows hidden"] | None
) -> Float[Array, "*rows hidden"]:
    """Returns what the recurrent matrices of a cell read of its state."""
    return state if mask is None else state * mask


def of_words(
    keys: RowKeys, rate: float, embedded: Float[Array, "batch length size"]
) -> Float[Array, "batch length size"]:
    """Drops the whole embeddings of some positions (Sennrich and Zhang 2019).

    Those that stay are scaled by 1 / (1 - rate), as Nematus and Marian do.
    """
    return embedded * mask(keys, rate, embedded.shape[1], embedded.dtype)[..., None]


def over_time(
    keys: RowKeys, rate: float, values: Float[Array, "batch length size"]
) -> Float[Array, "batch length size"]:
    """Applies dropout to the same components of a sentence at every position."""
    return values * mask(keys, rate, values.shape[-1], values.dtype)[:, None, :]
