"""Sampling, as a strategy: every hypothesis goes on by a piece that is drawn by its probability."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct
from jax import lax
from jaxtyping import Array, Bool, Float, Int, Key

from nmt.config import DecodingConfig, SampleConfig
from nmt.inference.history import Beam
from nmt.inference.hypotheses import BLOCK
from nmt.inference.strategy import Continuations
from nmt.types import Integer, RowKeys, Scalar

Draws = Key[Array, "batch beam"]  # a random key for each hypothesis


@struct.dataclass
class Sampling:
    """Independent draws of whole translations, `width` of them; the state is their random keys.

    The distribution of a piece is p ** (1 / temperature), normalized, and zero for pieces outside
    the limits: the `top_k` likeliest, the fewest whose sum is at least `top_p` (the nucleus of
    Holtzman et al. 2020), those above `epsilon` (Hewitt et al. 2022, which always keeps the
    likeliest piece). Pieces as likely as the last one inside are inside too. Limits that are none
    cost nothing.
    """

    width: int = struct.field(pytree_node=False)
    seed: int | Array
    temperature: float | Scalar = 1.0
    top_k: int | Array | None = None
    top_p: float | Scalar | None = None
    epsilon: float | Scalar | None = None

    @classmethod
    def of(cls, strategy: SampleConfig, config: DecodingConfig, *, n_best: int) -> "Sampling":
        """Returns the sampling of so many translations."""
        return cls(width=n_best, **strategy.model_dump(exclude={"kind"}))

    def first(self) -> Bool[Array, " beam"]:
        """Returns that all hypotheses are live."""
        return jnp.ones(self.width, bool)

    def start(self, batch: int, keys: RowKeys) -> Draws:
        """Returns a random key for each hypothesis: the first ones do not depend on the width."""
        fold_in: Any = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)), (0, None))
        return fold_in(keys, jnp.arange(self.width))

    def __call__(self, keys: Draws, continuations: Continuations) -> tuple[Draws, Beam, Beam]:
        """Draws a token for each hypothesis."""
        batch, beam, vocab = continuations.values.shape
        values = continuations.values.reshape(batch * beam, vocab)
        split: Any = jax.vmap(jax.vmap(jax.random.split))
        keys, now = jnp.moveaxis(split(keys), 2, 0)
        points = jax.vmap(jax.random.uniform)(now.reshape(-1))
        tokens = drawn(self.probabilities(values), points).reshape(batch, beam)
        places = jnp.broadcast_to(jnp.arange(beam)[None, :], tokens.shape)
        chosen = continuations.chosen(places, tokens)
        ends = tokens == continuations.eos
        return keys, chosen.only(~ends), chosen.only(ends)

    def probabilities(self, log_probs: Float[Array, "row vocab"]) -> Float[Array, "row vocab"]:
        """Returns the probabilities that are drawn from, not normalized after limits."""
        weights = jax.nn.softmax(log_probs / self.temperature, axis=-1)
        inside = weights > 0
        if self.top_k is not None:
            inside &= weights >= floor(weights, jnp.ones_like(weights), self.top_k)
        if self.top_p is not None:
            inside &= weights >= floor(weights, weights, self.top_p)
        if self.epsilon is not None:
            inside &= weights > self.epsilon
        likeliest = weights == weights.max(axis=-1, keepdims=True)
        return jnp.where(inside | likeliest, weights, 0.0)


def floor(
    probabilities: Float[Array, "row vocab"],
    sizes: Float[Array, "row vocab"],
    wanted: float | Array,
) -> Float[Array, "row 1"]:
    """Returns the highest probability such that those from it on have the wanted sum of sizes.

    It is 0 if all together have less. The search bisects the bits of a float32, which are ordered
    as the numbers are: 31 sums take a tenth of the time of a sort.
    """

    def halve(_: Integer, bits: tuple[Array, Array]) -> tuple[Array, Array]:
        low, high = bits
        middle = (low + high) // 2
        inside = probabilities >= lax.bitcast_convert_type(middle, jnp.float32)[:, None]
        enough = jnp.sum(jnp.where(inside, sizes, 0.0), axis=-1) >= wanted
        return jnp.where(enough, middle, low), jnp.where(enough, high, middle)

    rows = len(probabilities)
    above_one = lax.bitcast_convert_type(jnp.float32(1.0), jnp.int32) + 1
    low, high = jnp.zeros(rows, jnp.int32), jnp.full(rows, above_one)
    low, _ = lax.fori_loop(0, 31, halve, (low, high))
    return lax.bitcast_convert_type(low, jnp.float32)[:, None]


def drawn(weights: Float[Array, "row size"], points: Float[Array, " row"]) -> Int[Array, " row"]:
    """Returns the place of each row at which its weights reach a share of their sum.

    A row takes one random number, and no noise for each of its entries. The sums are taken in two
    stages, over blocks and within one, which is faster.
    """
    rows, size = weights.shape
    padded = jnp.pad(weights, ((0, 0), (0, -size % BLOCK)))
    blocks = padded.reshape(rows, -1, BLOCK)
    totals = blocks.sum(axis=-1)
    block, rest = _reached(totals, points * totals.sum(axis=-1))
    place, _ = _reached(blocks[jnp.arange(rows), block], rest)
    return block * BLOCK + place


def _reached(
    weights: Float[Array, "row size"], points: Float[Array, " row"]
) -> tuple[Int[Array, " row"], Float[Array, " row"]]:
    """Returns the last place of each row with a sum before it up to a point, and what remains.

    A place of weight zero is never returned, whatever the rounding of sums, if there is another.
    """
    before = jnp.cumsum(weights, axis=-1) - weights
    reached = (weights > 0) & (before <= points[:, None])
    places = jnp.max(jnp.where(reached, jnp.arange(weights.shape[1])[None, :], 0), axis=-1)
    return places, points - before[jnp.arange(len(weights)), places]
