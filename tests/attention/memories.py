"""Random annotations and queries for the tests of mechanisms."""

from functools import partial

import jax
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


def attend(attention, query, encoded):
    """Returns the context and the weights of the first step."""
    contexts, weights = attend_again(attention, query, encoded, steps=1)
    return contexts[0], weights[0]


def attend_again(attention, query, encoded, *, steps):
    """Returns contexts (step, batch, size) and weights of some steps with the same query."""
    return _attended(*nnx.split(attention), query, encoded, steps)


@partial(jax.jit, static_argnums=(0, 4))
def _attended(graph, parameters, query, encoded, steps):
    attention = nnx.merge(graph, parameters)

    def step(state, _):
        context, attended, state = attention(query, encoded, state)
        return state, (context, attended.weights)

    return jax.lax.scan(step, attention.initial_state(encoded), length=steps)[1]


def query_of(batch=BATCH):
    return jnp.array(np.random.default_rng(6).normal(size=(batch, SIZE)), jnp.float32)
