"""The two compiled programs of a translator: search for translations, and force given ones."""

import dataclasses
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nmt.attention.interface import Memory
from nmt.config import DecodingConfig
from nmt.decoding import beam
from nmt.decoding.hypotheses import Hypotheses, Step
from nmt.model.decoder import draw_masks
from nmt.model.seq2seq import Seq2Seq
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
    found = beam.search(
        _predictor(model, shortlist, reads=batch * config.beam * src),
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


def _predictor(model: Seq2Seq, shortlist: Int[Array, " vocab"] | None, *, reads: int) -> Step:
    """Returns `model.decode_step` for search, which needs logits alone, of a shortlist if given.

    What a token adds to the gates is computed beforehand for all tokens, where more than these
    are going to be read.
    """
    embedding, matrix = model.target_embedding.embedding[...], model.output_matrix
    bias = model.output_bias[...]
    if shortlist is not None:
        embedding, matrix, bias = embedding[shortlist], matrix[shortlist], bias[shortlist]
    gates = model.decoder.project(embedding[None])[0] if reads > len(embedding) else None
    masks = draw_masks(model.decoder, model.dropout, embedding.dtype)

    def step(
        state: Any, tokens: Int[Array, " row"], memory: Memory
    ) -> tuple[Any, Float[Array, "row vocab"], Float[Array, "row src"]]:
        embedded = embedding[tokens][:, None]
        projected = model.decoder.project(embedded)[:, 0] if gates is None else gates[tokens]
        state, features, attended = model.decoder.step(state, projected, memory, masks)
        features = jax.tree.map(lambda feature: feature[:, None], features)
        readouts = model.decoder.readout(features, embedded, masks)[:, 0]
        dtype = jnp.promote_types(readouts.dtype, jnp.float32)
        logits = jnp.einsum("tr,vr->tv", readouts, matrix, preferred_element_type=dtype)
        return state, logits + bias[None].astype(dtype), attended.weights

    return step


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
    previous = jnp.pad(target[:, :-1], ((0, 0), (1, 0)), constant_values=bos)
    readouts, attended = model.teacher_forced(previous, memory)
    log_probs = jax.nn.log_softmax(model.logits(readouts))
    chosen = jnp.take_along_axis(log_probs, target[..., None], axis=-1)[..., 0]
    real = jnp.arange(target.shape[1])[None, :] < target_lengths[:, None]
    return jnp.sum(chosen * real, axis=-1), attended.weights
