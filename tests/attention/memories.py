"""Random annotations and queries for the tests of mechanisms."""

import jax.numpy as jnp
import numpy as np
from flax import nnx
from pydantic import TypeAdapter

from nmt.attention.interface import EncodedSource
from nmt.config import AttentionConfig

BATCH, SRC, SIZE = 3, 4, 6


def configured(**options):
    """The configuration of a mechanism."""
    return TypeAdapter(AttentionConfig).validate_python(options)


def built(*, query_size=SIZE, **options):
    return configured(**options).build(query_size, SIZE, rngs=nnx.Rngs(params=0))


def memory_of(attention, lengths, *, src=SRC):
    """Random annotations, on padding too."""
    rng = np.random.default_rng(5)
    annotations = jnp.array(rng.normal(size=(len(lengths), src, SIZE)), jnp.float32)
    return EncodedSource(
        annotations=annotations,
        keys=attention.keys(annotations),
        mask=jnp.array(np.arange(src) < np.array(lengths)[:, None]),
        summary=jnp.array(rng.normal(size=(len(lengths), SIZE)), jnp.float32),
    )


def attend(attention, query, encoded, *, steps=1):
    """Returns the context and the weights of the last of some steps with the same query."""
    state = attention.initial_state(encoded)
    for _ in range(steps):
        context, attended, state = attention(query, encoded, state)
    return context, attended.weights


def query_of(batch=BATCH):
    return jnp.array(np.random.default_rng(6).normal(size=(batch, SIZE)), jnp.float32)
