"""Alignment as a hidden Markov model, summed over all alignments exactly (Vogel et al. 1996).

The source position a_t, from which word t of the target comes, is hidden. It depends on the one
before it, and the word on the source word there, or on the empty word alone:

    p(y, a) = prod_t p(a_t | a_{t-1}) ((1 - e) p(y_t | x_{a_t}) + e p(y_t | empty))
    p(a_t = j | a_{t-1} = i) = exp(scores_tj + jumps_{j-i}) / sum_k exp(scores_tk + jumps_{k-i})
    p(a_1 = j) = exp(scores_1j) / sum_k exp(scores_1k)

Forward and backward variables are those of Rabiner (1989), section III, scaled at each step. As the
two exponents add up, a step is a product with one matrix of jumps, which all steps share.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from nmt.types import AttentionMatrix, SourceMask

LEAST = -30.0  # of a score, or a jump, below the highest: what is less likely would underflow


class Emissions(NamedTuple):
    """Log-probabilities of each target word: from each source word, and from the empty word."""

    words: AttentionMatrix
    empty: Float[Array, "batch tgt"]


class Posteriors(NamedTuple):
    """What is known of an alignment after both sides have been read."""

    log_likelihood: Float[Array, " batch"]  # of the target, summed over all alignments
    links: AttentionMatrix  # that target word t comes from source word s; the rest: from none


def posteriors(
    emissions: Emissions,
    scores: AttentionMatrix,
    jumps: Float[Array, " jump"],
    *,
    empty: float,
    source_mask: SourceMask,
    target_mask: Bool[Array, "batch tgt"],
) -> Posteriors:
    """Returns the likelihood of targets and the probability of each link.

    `jumps` are those from -n to n source positions, where the last ones stand for longer jumps
    too; `empty` is e, the probability that a word comes from the empty word. Padding has no links
    and changes nothing.
    """
    real = source_mask[:, None, :]
    from_words = jnp.where(real, emissions.words + jnp.log1p(-empty), -jnp.inf)
    from_empty = emissions.empty[..., None] + jnp.log(empty)
    log_emitted = jnp.logaddexp(from_words, from_empty)
    highest = jnp.max(log_emitted, axis=-1, keepdims=True)
    emitted = jnp.exp(log_emitted - highest) * real

    best = jnp.max(scores, axis=-1, keepdims=True, where=real, initial=-jnp.inf)
    # Padding is replaced before exp, too: infinite there, it would make its gradient NaN.
    centered = jnp.where(real, jnp.maximum(scores - best, LEAST), LEAST)
    attraction = jnp.where(real, jnp.exp(centered), 0.0)
    moves = _moves(jumps, scores.shape[-1])
    totals = jnp.einsum("bts,fs->btf", attraction, moves)  # of the moves from each position

    forward, scales = _forward(attraction, emitted, totals, moves, target_mask)
    backward = _backward(attraction * emitted, totals, moves, scales, target_mask)
    states = forward * backward
    states = _divided(states, jnp.sum(states, axis=-1, keepdims=True))
    links = states * jnp.exp(from_words - log_emitted) * target_mask[..., None]
    each = jnp.where(target_mask, jnp.log(scales) + highest[..., 0], 0.0)
    ended = jnp.sum(forward[:, -1], axis=-1)  # one, whose gradient is that of the likelihood
    ended = jnp.log(jnp.where((ended > 0) & target_mask[:, 0], ended, 1.0))
    return Posteriors(jnp.sum(each, axis=-1) + ended, links)


def _moves(jumps: Float[Array, " jump"], positions: int) -> Float[Array, "src src"]:
    """Returns exp(jump) from each source position (rows) to each other one (columns)."""
    longest = len(jumps) // 2
    places = jnp.arange(positions)
    distances = jnp.clip(places[None, :] - places[:, None], -longest, longest)
    return jnp.exp(jnp.maximum(jumps - jnp.max(jumps), LEAST))[distances + longest]


def _forward(
    attraction: AttentionMatrix,
    emitted: AttentionMatrix,
    totals: AttentionMatrix,
    moves: Float[Array, "src src"],
    target_mask: Bool[Array, "batch tgt"],
) -> tuple[AttentionMatrix, Float[Array, "batch tgt"]]:
    """Returns the forward variables, which sum to one, and by what they had to be divided.

    The divisors count as constants, as nothing depends on them: the gradient of a quotient has
    their square, which can be too small for float32.
    """
    first = _divided(attraction[:, 0], jnp.sum(attraction[:, 0], axis=-1, keepdims=True))

    def step(before: Array, inputs: tuple[Array, ...]) -> tuple[Array, tuple[Array, Array]]:
        attracted, emitted, totals, real = inputs
        reached = (_divided(before, totals) @ moves) * attracted * emitted
        scale = jax.lax.stop_gradient(jnp.sum(reached, axis=-1, keepdims=True))
        after = jnp.where(real, _divided(reached, scale), before)
        return after, (after, jnp.where(real, scale, 1.0)[:, 0])

    scale = jax.lax.stop_gradient(jnp.sum(first * emitted[:, 0], axis=-1, keepdims=True))
    start = _divided(first * emitted[:, 0], scale)
    later = [each[:, 1:] for each in (attraction, emitted, totals, target_mask[..., None])]
    _, (variables, scales) = jax.lax.scan(step, start, tuple(x.swapaxes(0, 1) for x in later))
    variables = jnp.concatenate([start[None], variables]).swapaxes(0, 1)
    scales = jnp.concatenate([scale[None, :, 0], scales]).swapaxes(0, 1)
    return variables, jnp.where(scales > 0, scales, 1.0)


def _backward(
    reached: AttentionMatrix,
    totals: AttentionMatrix,
    moves: Float[Array, "src src"],
    scales: Float[Array, "batch tgt"],
    target_mask: Bool[Array, "batch tgt"],
) -> AttentionMatrix:
    """Returns the backward variables, scaled as the forward ones are."""

    def step(after: Array, inputs: tuple[Array, ...]) -> tuple[Array, Array]:
        reached, totals, scale, real = inputs
        before = _divided((after * reached) @ moves.T, totals) / scale
        return jnp.where(real, before, after), after

    inputs = reached, totals, scales[..., None], target_mask[..., None]
    last = jnp.ones_like(reached[:, 0])
    by_time = tuple(each.swapaxes(0, 1) for each in inputs)
    return jax.lax.scan(step, last, by_time, reverse=True)[1].swapaxes(0, 1)


def _divided(values: Array, by: Array) -> Array:
    """Returns the quotients, zero where the divisor is zero, which padding alone has."""
    return jnp.where(by > 0, values / jnp.where(by > 0, by, 1.0), 0.0)
