"""Monotonic attention: a pointer that only moves forward over the source."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from nmt.attention.interface import AttentionOutput, EncodedSource, keys_at, weighted_sum
from nmt.attention.scores import ScoreFunction, build_score
from nmt.config import MonotonicConfig
from nmt.precision import wide, widened
from nmt.types import Annotations, Context, Keys, Position, Query, RowKeys, Weights

Recurrence = tuple[Float[Array, "..."], Float[Array, "..."]]
Pointer = tuple[Position, Bool[Array, " batch"]]  # and whether it still moves


@struct.dataclass
class MonotonicState:
    """The state between target positions; in search each leaf has the axis beam, too."""

    time: Int[Array, " batch *beam"]  # target positions so far, for another random key each time
    reached: Weights | Int[Array, " batch *beam"]  # training: alpha_{i-1}; else t_{i-1}


class MonotonicAttention(nnx.Module):
    """Hard monotonic attention that is trained in expectation (Raffel et al. 2017, section 2).

    Translating, position j is looked at from the last one attended to, t_{i-1}, on:

        p_ij = sigmoid(score(s, h_j) + r),  t_i = the first j >= t_{i-1} with p_ij >= 1/2

    and the context is h_{t_i}. Where there is none, the context is zero, and so are all later
    ones: the source has ended. A sentence takes no more scores than source and target have
    positions. Where the encoded source has `sample_keys`, p_ij is the probability of stopping at j.

    Training computes the expectation of that process, with alpha_0 one at the first position:

        alpha_ij = p_ij sum_{k<=j} alpha_{i-1,k} prod_{k<=l<j} (1 - p_il)       (equation 9)

    It adds Gaussian noise to the scores, which teaches them to be far from zero. Weights sum to
    one at most; the rest is the probability that nothing is attended to.

    r is learned. At first a pointer passes over about e^-r positions each time, 2.7 for -1, which
    suits sentences; the paper takes -4 for long inputs. The paper's score is `normed_additive`.
    """

    def __init__(
        self, config: MonotonicConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.score: ScoreFunction = build_score(config, query_size, annotation_size, rngs=rngs)
        self.offset = nnx.Param(jnp.array(config.offset))
        self.noise = config.noise

    def keys(self, annotations: Annotations) -> Keys:
        """Returns the keys of the score function."""
        return self.score.keys(annotations)

    def initial_state(self, encoded: EncodedSource) -> MonotonicState:
        """Returns the state at the first source position."""
        batch, src = encoded.mask.shape
        start = jnp.zeros(batch, jnp.int32)
        if not encoded.training:
            return MonotonicState(time=start, reached=start)
        dtype = wide(encoded.annotations.dtype)
        return MonotonicState(time=start, reached=jax.nn.one_hot(start, src, dtype=dtype))

    def __call__(
        self, query: Query, encoded: EncodedSource, state: MonotonicState
    ) -> tuple[Context, AttentionOutput, MonotonicState]:
        """Returns the context, the weights (zero or one when translating), and the next state."""
        keys = keys_at(encoded.sample_keys, state.time)
        if encoded.training:
            reached = self._expected(query, encoded, state.reached, keys)
            context, weights = weighted_sum(reached, encoded.annotations), reached
        else:
            reached = self._first(query, encoded, state.reached, keys)
            context, weights = _taken(encoded, reached)
        state = MonotonicState(time=state.time + 1, reached=reached)
        return context, AttentionOutput(weights), state

    def _energies(
        self, query: Query, keys: Float[Array, "batch some key"]
    ) -> Float[Array, "batch some"]:
        """Returns score + r, in float32 or wider."""
        return widened(self.score(query, keys)) + self.offset[...]

    def _expected(
        self, query: Query, encoded: EncodedSource, before: Weights, sample_keys: RowKeys
    ) -> Weights:
        """Returns alpha_i, from alpha_{i-1}, by equations 11 to 14."""
        energies = self._energies(query, encoded.keys)
        shape, dtype = energies.shape[1:], energies.dtype
        noise = jax.vmap(lambda key: jax.random.normal(key, shape, dtype))(sample_keys)
        energies = energies + self.noise * noise
        chosen = jnp.where(encoded.mask, jax.nn.sigmoid(energies), 0.0)
        passed = jnp.where(encoded.mask, jax.nn.sigmoid(-energies), 1.0)  # 1 - p, but precise
        return chosen * _arrivals(passed, before.astype(dtype))

    def _first(
        self, query: Query, encoded: EncodedSource, pointer: Position, sample_keys: RowKeys
    ) -> Position:
        """Returns t_i, from t_{i-1}; the length of the source if nothing is attended to."""
        length = encoded.mask.sum(axis=-1)

        def look(carry: Pointer) -> Pointer:
            pointer, searching = carry
            energies = self._energies(query, _at(encoded.keys, pointer))[:, 0]
            stops = energies >= 0
            if sample_keys is not None:
                coins: Any = keys_at(sample_keys, pointer)
                stops = jax.vmap(jax.random.bernoulli)(coins, jax.nn.sigmoid(energies))
            goes_on = searching & ~stops
            pointer = pointer + goes_on
            return pointer, goes_on & (pointer < length)

        searching = pointer < length
        return lax.while_loop(lambda carry: carry[1].any(), look, (pointer, searching))[0]


def _arrivals(passed: Weights, before: Weights) -> Weights:
    """Returns q_j = passed_{j-1} q_{j-1} + before_j, the probability to look at position j.

    A first-order linear recurrence is associative, so that it takes log(src) steps; unlike the
    closed form of the paper's appendix it divides by nothing.
    """

    def joined(left: Recurrence, right: Recurrence) -> Recurrence:
        return left[0] * right[0], left[1] * right[0] + right[1]

    factors = jnp.pad(passed[:, :-1], ((0, 0), (1, 0)))
    return lax.associative_scan(joined, (factors, before), axis=1)[1]


def _taken(encoded: EncodedSource, pointer: Position) -> tuple[Context, Weights]:
    """Returns the annotation at the pointer and its weights; zeros beyond the source."""
    inside = pointer < encoded.mask.sum(axis=-1)
    context = jnp.where(inside[:, None], _at(encoded.annotations, pointer)[:, 0], 0.0)
    return context, encoded.mask * jax.nn.one_hot(pointer, encoded.mask.shape[1], dtype=jnp.float32)


def _at(rows: Float[Array, "batch src width"], pointer: Position) -> Float[Array, "batch 1 width"]:
    """Returns one position of each row; the last one for a pointer beyond them."""
    return jnp.take_along_axis(rows, pointer[:, None, None], axis=1, mode="clip")
