"""What a translator computes: it searches for translations, and forces given ones.

`search` and `force` are functions for `devices.run`: of what all rows share, and of rows.
"""

import dataclasses
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float, Int

from nmt.attention.interface import Memory
from nmt.data.batching import Batch
from nmt.decoding.beam import BeamSearch, Settings
from nmt.decoding.hypotheses import Hypotheses
from nmt.decoding.ranking import Ranking, coverage_penalty
from nmt.model.decoder import DecoderState
from nmt.model.seq2seq import Seq2Seq
from nmt.model.vocabulary import OwnTokens, Shortlist, previous_tokens, token_log_probs
from nmt.types import Graph, Params


class Sentences(NamedTuple):
    """Rows to search for the translations of: int32, NumPy's on the way in."""

    source: Any  # (batch, src)
    lengths: Any  # (batch,)
    max_length: Any  # (batch,), of the translation
    own: Any = None  # (batch, own), of a `Shortlist`


class Searcher(NamedTuple):
    """What all rows of a search share; with common tokens, it uses a `Shortlist`."""

    params: Params
    settings: Settings
    seed: int | Int[Array, ""] | None = None  # see `remember`
    common: Any = None  # (common,)


class Scorer(NamedTuple):
    """What all rows of forced decoding share."""

    params: Params
    ranking: Ranking
    seed: int | Int[Array, ""] | None = None  # see `remember`


def search(
    shared: Searcher, rows: Sentences, *, graph: Graph, rules: BeamSearch, limit: int
) -> Hypotheses:
    """Returns the translations of sentences, in arrays of length `limit`.

    The tokens that the rules know are entries of the shortlist, if there is one.
    """
    model: Seq2Seq = nnx.merge(graph, shared.params)
    memory = remember(model, rows.source, rows.lengths, seed=shared.seed)
    vocabulary, own = model.vocabulary, None
    if shared.common is not None:
        own = OwnTokens.of(vocabulary, shared.common, rows.own)
        vocabulary = vocabulary.only(shared.common)

    def step(
        state: DecoderState, tokens: Int[Array, " batch"], memory: tuple[Memory, OwnTokens | None]
    ) -> tuple[DecoderState, Float[Array, "batch entry"], Float[Array, "batch src"]]:
        attended, own = memory
        known = vocabulary if own is None else Shortlist(vocabulary, own)
        return model.decode_step(state, tokens, attended, known)

    found = rules(
        step,
        model.initial_state(memory),
        (memory, own),
        shared.settings,
        max_length=rows.max_length,
        limit=limit,
        source_mask=memory.mask,
    )
    if own is None:
        return found
    return dataclasses.replace(found, tokens=own.tokens(jnp.asarray(found.tokens)))


def force(
    shared: Scorer, rows: Batch, *, graph: Graph, bos: int
) -> tuple[Float[Array, " batch"], Float[Array, " batch"], Float[Array, "batch tgt src"]]:
    """Returns log-probability and score of each target, and the weights at each of its pieces."""
    model: Seq2Seq = nnx.merge(graph, shared.params)
    source, lengths, target, target_lengths = map(jnp.asarray, rows[:4])
    memory = remember(model, source, lengths, seed=shared.seed)
    readouts, attended = model.teacher_forced(previous_tokens(target, bos), memory)
    real = jnp.arange(target.shape[1])[None, :] < target_lengths[:, None]
    log_probs = jnp.sum(token_log_probs(model.logits(readouts), target) * real, axis=-1)
    attention = jnp.sum(attended.weights * real[..., None], axis=1)
    covered = coverage_penalty(attention, memory.mask)
    scores = shared.ranking.score(log_probs, target_lengths, covered)
    return log_probs, scores, attended.weights


def remember(
    model: Seq2Seq,
    source: Int[Array, "batch src"],
    lengths: Int[Array, " batch"],
    *,
    seed: Int[Array, ""] | int | None,
) -> Memory:
    """Returns what the decoder attends to; with a `seed`, attention draws positions by it.

    Draws depend on the seed and the pieces of a sentence, not on where it stands in a file.
    """
    if seed is None:
        return model.encode(source, lengths)
    places = jnp.arange(source.shape[1])
    factors = jnp.uint32(2654435761) ** places.astype(jnp.uint32)  # odd, as Knuth's for hashing
    real = places[None, :] < lengths[:, None]
    hashes = jnp.sum(real * source.astype(jnp.uint32) * factors[None, :], axis=1, dtype=jnp.uint32)
    noise = jax.vmap(jax.random.fold_in, in_axes=(None, 0))(jax.random.key(seed), hashes)
    return model.encode(source, lengths, noise=noise)
