"""Coverage: soft attention that knows how much of each position has been translated."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import Attended, Memory, weighted_sum
from nmt.attention.scores import Score
from nmt.attention.soft import ScoredAttention
from nmt.config import GlobalConfig, LinguisticCoverageConfig, NeuralCoverageConfig
from nmt.errors import ConfigError


class LinguisticCoverage(nnx.Module):
    """The linguistic coverage of Tu et al. (2016), section 3: a position's translated share.

    C_ij = C_{i-1,j} + alpha_ij / Phi_j,  Phi_j = N sigmoid(U_f . h_j)

    Phi_j, the fertility, is how many target tokens position j is expected to become, at most N.
    """

    def __init__(
        self, config: LinguisticCoverageConfig, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.size = 1
        self.max_fertility = config.max_fertility
        self.fertility = nnx.Linear(annotation_size, 1, use_bias=False, rngs=rngs)

    def __call__(
        self,
        coverage: Float[Array, "batch src 1"],
        weights: Float[Array, "batch src"],
        query: Float[Array, "batch query"],
        annotations: Float[Array, "batch src annotation"],
    ) -> Float[Array, "batch src 1"]:
        """Returns the coverage after one more target token."""
        logits = self.fertility(annotations).astype(coverage.dtype)
        return coverage + weights[:, :, None] / (self.max_fertility * jax.nn.sigmoid(logits))


class NeuralCoverage(nnx.Module):
    """The neural coverage of Tu et al. (2016), section 3: a recurrent state a position.

    C_ij = GRU([alpha_ij; h_j; s_{i-1}], C_{i-1,j})

    Its gates are those of the decoder's GRU, which resets after the matrix product; W x is one
    term for each part of the input, as that of h_j is the same at every target position.
    """

    def __init__(
        self, config: NeuralCoverageConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.size = config.size
        gates = 3 * self.size
        self.weight = nnx.Linear(1, gates, use_bias=False, rngs=rngs)
        self.annotation = nnx.Linear(annotation_size, gates, rngs=rngs)
        self.query = nnx.Linear(query_size, gates, use_bias=False, rngs=rngs)
        self.recurrent = nnx.Linear(self.size, gates, use_bias=False, rngs=rngs)

    def __call__(
        self,
        coverage: Float[Array, "batch src coverage"],
        weights: Float[Array, "batch src"],
        query: Float[Array, "batch query"],
        annotations: Float[Array, "batch src annotation"],
    ) -> Float[Array, "batch src coverage"]:
        """Returns the coverage after one more target token."""
        dtype = annotations.dtype
        inputs = self.annotation(annotations) + self.query(query)[:, None, :]
        inputs = inputs + self.weight(weights[:, :, None].astype(dtype))
        x_reset, x_update, x_proposal = jnp.split(inputs, 3, axis=-1)
        states = self.recurrent(coverage.astype(dtype))
        s_reset, s_update, s_proposal = jnp.split(states, 3, axis=-1)
        reset = jax.nn.sigmoid(x_reset + s_reset)
        update = jax.nn.sigmoid(x_update + s_update)
        return (1 - update) * coverage + update * jnp.tanh(x_proposal + reset * s_proposal)


class CoverageAttention(ScoredAttention):
    """Global attention that reads a coverage of each position (Tu et al. 2016, section 3).

    weights_ij = softmax of score(s_{i-1}, keys_j + V C_{i-1,j}),  C_0 = 0

    With the additive score this is their equation: v . tanh(W s + U h_j + V C_{i-1,j}). V starts
    at zero, so that attention starts as it would be without coverage.
    """

    def __init__(
        self, config: GlobalConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        super().__init__(config, query_size, annotation_size, rngs=rngs)
        match config.coverage:
            case LinguisticCoverageConfig():
                coverage: Any = LinguisticCoverage(config.coverage, annotation_size, rngs=rngs)
            case NeuralCoverageConfig():
                coverage = NeuralCoverage(config.coverage, query_size, annotation_size, rngs=rngs)
        self.coverage = coverage
        key_size = _key_size(self.score, annotation_size)
        if key_size == 0:
            raise ConfigError(
                "model.attention.coverage is added to the keys of a score, and "
                f"{config.score} has none; choose another score, or `coverage: none`"
            )
        zeros = nnx.initializers.zeros
        self.added = nnx.Linear(
            self.coverage.size, key_size, use_bias=False, kernel_init=zeros, rngs=rngs
        )

    def initial_state(self, memory: Memory) -> Float[Array, "batch src coverage"]:
        """Returns C_0, in float32 or wider: shares of many target tokens add up."""
        dtype = jnp.promote_types(memory.annotations.dtype, jnp.float32)
        return jnp.zeros((*memory.mask.shape, self.coverage.size), dtype)

    def __call__(
        self,
        query: Float[Array, "batch query"],
        memory: Memory,
        state: Float[Array, "batch src coverage"],
    ) -> tuple[Float[Array, "batch annotation"], Attended, Float[Array, "batch src coverage"]]:
        """Returns the context, the weights, and the coverage with this target token in it."""
        weights = self.normalise(self._scores(query, memory.keys, state), memory.mask)
        context = weighted_sum(weights, memory.annotations)
        state = self.coverage(state, weights, query, memory.annotations)
        return context, Attended(weights), state

    def _scores(
        self,
        query: Float[Array, "batch query"],
        keys: Float[Array, "batch src key"],
        coverage: Float[Array, "batch src coverage"],
    ) -> Float[Array, "batch src"]:
        """Returns the scores, of which nothing is kept for the gradient.

        The (batch, src, key) sums of every target position would fill the memory.
        """

        @jax.checkpoint
        def scores(
            query: Float[Array, "batch query"],
            keys: Float[Array, "batch src key"],
            coverage: Float[Array, "batch src coverage"],
        ) -> Float[Array, "batch src"]:
            return self.score(query, keys + self.added(coverage))

        return scores(query, keys, coverage.astype(keys.dtype))


def _key_size(score: Score, annotation_size: int) -> int:
    """Returns the components of a key, which a score does not tell but by its keys."""
    annotations = jax.ShapeDtypeStruct((1, 1, annotation_size), jnp.float32)
    return int(jax.eval_shape(score.keys, annotations).shape[-1])
