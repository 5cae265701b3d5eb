"""Random projections: the Frobenius norm of a large matrix from a few products with it."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

PROJECTIONS = 32


def projections(size: int) -> Float[Array, "projections size"]:
    """Returns vectors v_k whose products with a matrix A of `size` rows estimate its norm.

    sum_k |v_k^T A|^2 has the mean |A|_F^2, for v_k of random signs divided by sqrt(m), with m =
    PROJECTIONS (Hutchinson 1990; of A A^T this is the trace). Its variance is 2 / m times the sum
    of the squared elements of A A^T outside the diagonal, so at most 2 |A|_F^4 / m. The standard
    error of the norm, the root, is therefore at most about 1 / sqrt(2 m) = 12.5 % of it; a matrix
    of r equal singular values has 1 / sqrt(2 m r).

    The signs are the same in each call. With at most m rows, the v_k are the unit vectors, with
    which the sum is |A|_F^2 itself.
    """
    if size <= PROJECTIONS:
        return jnp.eye(size)
    signs = jax.random.rademacher(jax.random.key(0), (PROJECTIONS, size), float)
    return signs / jnp.sqrt(PROJECTIONS)
