"""The decoder of Bahdanau et al. (2015): it attends, then updates its state."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from flax import nnx

from nmt.attention.interface import AttentionOutput, EncodedSource
from nmt.config import BahdanauDecoderConfig, ModelConfig
from nmt.model.decoder import Decoder, DecoderState, DropoutMasks
from nmt.types import Readouts, StepGates, TargetEmbeddings


class BahdanauDecoder(Decoder):
    """The decoder of Bahdanau et al. (2015), appendix A.1.2 and A.2.2.

        c_t = attention(s_{t-1})                        the query is the state before this step
        s_t = cell([E y_{t-1}; c_t], s_{t-1})
        readout_t = maxout(U_o s_t + V_o E y_{t-1} + C_o c_t)

    The readout takes s_t as their equation 4 does; appendix A.2.2 prints s_{t-1}. With several
    layers the query is the state of the top one, and the context is an input of the bottom one.
    """

    def __init__(
        self, config: BahdanauDecoderConfig, model: ModelConfig, *, rngs: nnx.Rngs
    ) -> None:
        super().__init__(model, rngs=rngs)
        annotation = model.annotation_size
        self.context = nnx.Linear(annotation, self.stack.gates, use_bias=False, rngs=rngs)
        features = config.hidden_size + annotation + model.embedding_size
        self.maxout = nnx.Linear(features, 2 * model.readout_size, rngs=rngs)

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Attends with the given state, then updates it."""
        query = self.stack.output(state.stack)
        context, attended, attention = self.attention(query, encoded, state.attention)
        moved = self.stack.step(state.stack, projected + self.context(context), masks.stack)
        state = replace(state, stack=moved, attention=attention)
        return state, (self.stack.output(moved), context), attended

    def readout(self, features: Any, embedded: TargetEmbeddings, masks: DropoutMasks) -> Readouts:
        """Returns the maxout layer (Goodfellow et al. 2013): the larger one of each pair."""
        hidden, context = features
        pairs = self.maxout(jnp.concatenate([hidden, context, embedded], axis=-1))
        largest = jnp.maximum(*jnp.split(pairs, 2, axis=-1))
        return largest * masks.readout[:, None, :]
