"""Coverage: soft attention that keeps track of how much of each position has been translated."""

import jax
import jax.numpy as jnp
from flax import nnx

from nmt.attention.interface import AttentionOutput, EncodedSource, weighted_sum
from nmt.attention.soft import ScoredAttention
from nmt.config import GlobalConfig, GRUConfig, LinguisticCoverageConfig, NeuralCoverageConfig
from nmt.errors import ConfigError
from nmt.precision import wide
from nmt.recurrent.gru import GRU
from nmt.types import Annotations, Context, Coverage, Keys, Query, Scores, Weights


class LinguisticCoverage(nnx.Module):
    """The linguistic coverage of Tu et al. (2016), section 3: a position's translated fraction.

    C_ij = C_{i-1,j} + alpha_ij / Phi_j,  Phi_j = N sigmoid(U_f . h_j)

    Phi_j, the fertility, is the expected number of target tokens for position j, at most N.
    """

    def __init__(
        self,
        config: LinguisticCoverageConfig,
        query_size: int,
        annotation_size: int,
        *,
        rngs: nnx.Rngs,
    ) -> None:
        self.size = 1
        self.max_fertility = config.max_fertility
        self.fertility = nnx.Linear(annotation_size, 1, use_bias=False, rngs=rngs)

    def __call__(
        self, coverage: Coverage, weights: Weights, query: Query, annotations: Annotations
    ) -> Coverage:
        """Returns the coverage after one more target token."""
        logits = self.fertility(annotations).astype(coverage.dtype)
        return coverage + weights[:, :, None] / (self.max_fertility * jax.nn.sigmoid(logits))


class NeuralCoverage(nnx.Module):
    """The neural coverage of Tu et al. (2016), section 3: a recurrent state for each position.

    C_ij = GRU([alpha_ij; h_j; s_{i-1}], C_{i-1,j})

    W x is split by the parts of the input: the term of h_j is the same at every target position.
    """

    def __init__(
        self, config: NeuralCoverageConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        self.size = config.size
        self.cell = GRU(GRUConfig(), annotation_size, self.size, rngs=rngs)
        self.weight = nnx.Linear(1, self.cell.gates, use_bias=False, rngs=rngs)
        self.query = nnx.Linear(query_size, self.cell.gates, use_bias=False, rngs=rngs)

    def __call__(
        self, coverage: Coverage, weights: Weights, query: Query, annotations: Annotations
    ) -> Coverage:
        """Returns the coverage after one more target token."""
        inputs = self.cell.project(annotations) + self.query(query)[:, None, :]
        inputs = inputs + self.weight(weights[:, :, None].astype(annotations.dtype))
        return self.cell.step(coverage, inputs)


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
        assert config.coverage is not None  # else the configuration builds GlobalAttention
        self.coverage = config.coverage.build(query_size, annotation_size, rngs=rngs)
        annotations = jax.ShapeDtypeStruct((1, 1, annotation_size), jnp.float32)
        key_size = int(jax.eval_shape(self.score.keys, annotations).shape[-1])
        if key_size == 0:
            raise ConfigError(
                "model.attention.coverage is added to the keys of a score, and "
                f"{config.score} has none; choose another score, or `coverage: none`"
            )
        zeros = nnx.initializers.zeros
        self.added = nnx.Linear(
            self.coverage.size, key_size, use_bias=False, kernel_init=zeros, rngs=rngs
        )

    def initial_state(self, encoded: EncodedSource) -> Coverage:
        """Returns C_0, in float32 or wider: many small weights are added to it."""
        dtype = wide(encoded.annotations.dtype)
        return jnp.zeros((*encoded.mask.shape, self.coverage.size), dtype)

    def __call__(
        self, query: Query, encoded: EncodedSource, state: Coverage
    ) -> tuple[Context, AttentionOutput, Coverage]:
        """Returns the context, the weights, and the coverage after this target token.

        The (batch, src, key) sums are not stored for the gradient: those of all target positions
        would fill the memory.
        """

        @jax.checkpoint
        def scores(query: Query, keys: Keys, coverage: Coverage) -> Scores:
            return self.score(query, keys + self.added(coverage))

        scored = scores(query, encoded.keys, state.astype(encoded.keys.dtype))
        weights = self.normalize(scored, encoded.mask)
        context = weighted_sum(weights, encoded.annotations)
        state = self.coverage(state, weights, query, encoded.annotations)
        return context, AttentionOutput(weights), state
