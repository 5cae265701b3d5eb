"""The two compiled programs of a translator: search for translations, and force given ones."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nmt.attention.interface import Memory
from nmt.config import DecodingConfig
from nmt.decoding import beam
from nmt.decoding.hypotheses import Hypotheses
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import previous_tokens, token_log_probs
from nmt.types import Graph, Params


@partial(jax.jit, static_argnames=("graph", "config", "limit", "specials", "n_best"))
def search(
    graph: Graph,
    params: Params,
    source: Int[Array, "batch src"],
    lengths: Int[Array, " batch"],
    max_length: Int[Array, " batch"],
    shortlist: Int[Array, " vocab"] | None = None,
    *,
    config: DecodingConfig,
    limit: int,
    specials: tuple[int, int, int],
    n_best: int,
) -> Hypotheses:
    """Encodes the sentences and searches for their translations, in one compiled program.

    A `shortlist` has the only target pieces that are predicted; it starts with the `specials`,
    bos, eos and pad.
    """
    model = nnx.merge(graph, params)
    memory = remember(model, source, lengths, draw=config.draw)
    bos, eos, pad = specials if shortlist is None else (0, 1, 2)  # places in the shortlist
    batch, src = source.shape
    vocabulary = model.vocabulary(shortlist, reads=batch * config.beam * src)
    found = beam.search(
        partial(model.predict, vocabulary=vocabulary),
        model.initial_state(memory),
        memory,
        beam=config.beam,
        max_length=max_length,
        limit=limit,
        source_mask=memory.mask,
        bos=bos,
        eos=eos,
        pad=pad,
        normalisation=config.normalisation,
        alpha=config.alpha,
        coverage=config.coverage_penalty,
        prune=config.prune,
        # Half of the places, for few beams are full; of more rows products are hardly faster.
        rows=max(config.beam, min(4 * config.batch, batch * config.beam // 2)),
        n_best=n_best,
    )
    if shortlist is None:
        return found
    return dataclasses.replace(found, tokens=shortlist[found.tokens])


def remember(
    model: Seq2Seq,
    source: Int[Array, "batch src"],
    lengths: Int[Array, " batch"],
    *,
    draw: int | None,
) -> Memory:
    """Returns what the decoder attends to; with `draw`, positions are drawn by that seed.

    Draws depend on the seed and the pieces of a sentence, not on where it stands in a file.
    """
    if draw is None:
        return model.encode(source, lengths)
    places = jnp.arange(source.shape[1])
    factors = jnp.uint32(2654435761) ** places.astype(jnp.uint32)  # odd, as Knuth's for hashing
    real = places[None, :] < lengths[:, None]
    hashes = jnp.sum(real * source.astype(jnp.uint32) * factors[None, :], axis=1, dtype=jnp.uint32)
    noise = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(jax.random.key(draw), hashes)
    return model.encode(source, lengths, noise=noise)


@partial(jax.jit, static_argnames=("graph", "bos", "draw"))
def force(
    graph: Graph,
    params: Params,
    source: Int[Array, "batch src"],
    source_lengths: Int[Array, " batch"],
    target: Int[Array, "batch tgt"],
    target_lengths: Int[Array, " batch"],
    *,
    bos: int,
    draw: int | None = None,
) -> tuple[Float[Array, " batch"], Float[Array, "batch tgt src"]]:
    """Returns the log-probability of each given target and the weights at each of its pieces."""
    model = nnx.merge(graph, params)
    memory = remember(model, source, source_lengths, draw=draw)
    readouts, attended = model.teacher_forced(previous_tokens(target, bos), memory)
    chosen = token_log_probs(model.logits(readouts), target)
    real = jnp.arange(target.shape[1])[None, :] < target_lengths[:, None]
    return jnp.sum(chosen * real, axis=-1), attended.weights
