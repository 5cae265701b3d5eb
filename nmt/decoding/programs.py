"""The two compiled programs of a translator: search for translations, and force given ones."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nmt.attention.mechanisms import Memory
from nmt.config import DecodingConfig
from nmt.decoding import beam
from nmt.decoding.hypotheses import Hypotheses
from nmt.types import Graph, Params


@partial(jax.jit, static_argnames=("graph", "config", "limit", "specials", "n_best"))
def search(
    graph: Graph,
    params: Params,
    source: Int[Array, "batch src"],
    lengths: Int[Array, " batch"],
    max_length: Int[Array, " batch"],
    *,
    config: DecodingConfig,
    limit: int,
    specials: tuple[int, int, int],
    n_best: int,
) -> Hypotheses:
    """Encodes the sentences and searches for their translations, in one compiled program."""
    model = nnx.merge(graph, params)
    memory = model.encode(source, lengths)

    def step(
        state: Any, tokens: Int[Array, "batch beam"], memory: Memory
    ) -> tuple[Any, Float[Array, "batch beam vocab"], Float[Array, "batch beam src"]]:
        # The hypotheses of a sentence share its memory: vmap adds their axis to all the rest.
        each = jax.vmap(model.decode_step, in_axes=(1, 1, None), out_axes=1)
        return each(state, tokens, memory)

    bos, eos, pad = specials
    return beam.search(
        step,
        model.initial_state(memory),
        memory,
        beam=config.beam,
        max_length=max_length,
        limit=limit,
        source_length=source.shape[1],
        bos=bos,
        eos=eos,
        pad=pad,
        normalisation=config.normalisation,
        alpha=config.alpha,
        n_best=n_best,
    )


@partial(jax.jit, static_argnames=("graph", "bos"))
def force(
    graph: Graph,
    params: Params,
    source: Int[Array, "batch src"],
    source_lengths: Int[Array, " batch"],
    target: Int[Array, "batch tgt"],
    target_lengths: Int[Array, " batch"],
    *,
    bos: int,
) -> tuple[Float[Array, " batch"], Float[Array, "batch tgt src"]]:
    """Returns the log-probability of each given target and the weights at each of its pieces."""
    model = nnx.merge(graph, params)
    memory = model.encode(source, source_lengths)
    previous = jnp.pad(target[:, :-1], ((0, 0), (1, 0)), constant_values=bos)
    readouts, weights = model.teacher_forced(previous, memory)
    log_probs = jax.nn.log_softmax(model.logits(readouts))
    chosen = jnp.take_along_axis(log_probs, target[..., None], axis=-1)[..., 0]
    real = jnp.arange(target.shape[1])[None, :] < target_lengths[:, None]
    return jnp.sum(chosen * real, axis=-1), weights
