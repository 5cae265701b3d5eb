"""Hard attention: the context is one annotation, sampled by the weights or the best one."""

from dataclasses import replace

import jax
import jax.numpy as jnp
from flax import nnx, struct
from jaxtyping import Array, Bool, Int

from nmt.attention.interface import AttentionOutput, EncodedSource, keys_at, weighted_sum
from nmt.attention.normalizers import masked_softmax
from nmt.attention.soft import ScoredAttention
from nmt.config import GumbelConfig, HardConfig, ReinforceConfig
from nmt.types import Context, Query, Weights


@struct.dataclass
class HardState:
    """The state between target positions; in search each leaf has the axis beam, too."""

    time: Int[Array, " batch *beam"]  # samples so far, for another random key each time
    soft: Bool[Array, " batch *beam"]  # sentences whose context is the mean in this update


class HardAttention(ScoredAttention):
    """Stochastic hard attention, after Xu et al. (2015), section 4.1.

    s_t ~ Multinoulli(weights_t),  c_t = h_{s_t}

    The weights are the probabilities of the positions. Translating takes the most probable one,
    or samples where the encoded source has `sample_keys`. A sample has no gradient, so that there
    are two estimators to train with:

    reinforce: the log-probability of the sampled position is passed to the loss (see
    `nmt.training.reinforce`). A fraction `soft_fraction` of the sentences, half of them in the
    paper, has the mean of the annotations as its context, as soft attention does.

    gumbel: straight-through Gumbel-softmax (Jang et al. 2017). In the forward pass the context is
    the sampled annotation; the gradient is that of softmax((log weights + Gumbel noise) /
    temperature).
    """

    def __init__(
        self, config: HardConfig, query_size: int, annotation_size: int, *, rngs: nnx.Rngs
    ) -> None:
        super().__init__(config, query_size, annotation_size, rngs=rngs)
        self.estimator = config.estimator

    def initial_state(self, encoded: EncodedSource) -> HardState:
        """Returns the state before the first sample."""
        batch = encoded.mask.shape[0]
        soft = jnp.zeros(batch, bool)
        if encoded.training and isinstance(self.estimator, ReinforceConfig):
            coins = keys_at(encoded.sample_keys, jnp.zeros(batch, jnp.int32))
            fraction = self.estimator.soft_fraction
            soft = jax.vmap(lambda key: jax.random.bernoulli(key, fraction))(coins)
        return HardState(time=jnp.ones(batch, jnp.int32), soft=soft)

    def __call__(
        self, query: Query, encoded: EncodedSource, state: HardState
    ) -> tuple[Context, AttentionOutput, HardState]:
        """Returns one annotation, the probabilities of all, and the next state."""
        weights = self.normalize(self.score(query, encoded.keys), encoded.mask)
        logits = jnp.log(jnp.maximum(weights, jnp.finfo(weights.dtype).tiny))
        keys = keys_at(encoded.sample_keys, state.time)
        if keys is not None:
            logits = logits + jax.vmap(
                lambda key: jax.random.gumbel(key, weights.shape[1:], weights.dtype)
            )(keys)
        logits = jnp.where(encoded.mask, logits, -jnp.inf)
        chosen = encoded.mask * jax.nn.one_hot(logits.argmax(axis=-1), weights.shape[1])
        attended = AttentionOutput(weights)
        if encoded.training:
            chosen, attended = self._estimated(chosen, logits, attended, encoded, state)
        context = weighted_sum(chosen, encoded.annotations)
        return context, attended, replace(state, time=state.time + 1)

    def _estimated(
        self,
        chosen: Weights,
        logits: Weights,
        attended: AttentionOutput,
        encoded: EncodedSource,
        state: HardState,
    ) -> tuple[Weights, AttentionOutput]:
        """Returns the weights of the context in training, and what the loss needs.

        `chosen` is one at the sampled position.
        """
        if isinstance(self.estimator, GumbelConfig):
            soft = masked_softmax(logits / self.estimator.temperature, encoded.mask)
            return chosen + soft - jax.lax.stop_gradient(soft), attended
        probability = (chosen * attended.weights).sum(axis=-1)
        log_choice = jnp.log(jnp.where(probability > 0, probability, 1.0))
        chosen = jnp.where(state.soft[:, None], attended.weights, chosen)
        log_choice = jnp.where(state.soft, 0.0, log_choice)
        return chosen, replace(attended, log_choice=log_choice)
