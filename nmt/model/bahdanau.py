"""The decoder of Bahdanau et al. (2015): it attends, then moves."""

from dataclasses import replace
from typing import Any

import jax.numpy as jnp
from flax import nnx
from jaxtyping import Array, Float

from nmt.attention.interface import Attention, AttentionOutput, EncodedSource
from nmt.config import BahdanauDecoderConfig, ModelConfig
from nmt.model import decoder
from nmt.model.decoder import DecoderState, DropoutMasks
from nmt.types import Readouts, StepGates, TargetEmbeddings


class BahdanauDecoder(nnx.Module):
    """The decoder of Bahdanau et al. (2015), appendix A.1.2 and A.2.2.

        c_t = attention(s_{t-1})                        the query is the state before this step
        s_t = cell([E y_{t-1}; c_t], s_{t-1})
        readout_t = maxout(U_o s_t + V_o E y_{t-1} + C_o c_t)

    The readout takes s_t as their equation 4 does; appendix A.2.2 prints s_{t-1}. With several
    layers the top one asks, and the context enters the bottom one.
    """

    def __init__(
        self, config: BahdanauDecoderConfig, model: ModelConfig, *, rngs: nnx.Rngs
    ) -> None:
        hidden, annotation = config.hidden_size, model.annotation_size
        self.stack = decoder.build_stack(model, rngs=rngs)
        self.attention: Attention = model.attention.build(hidden, annotation, rngs=rngs)
        self.context = nnx.Linear(annotation, self.stack.gates, use_bias=False, rngs=rngs)
        self.readout_size = model.readout_size
        features = hidden + annotation + model.embedding_size
        self.maxout = nnx.Linear(features, 2 * model.readout_size, rngs=rngs)

    def initial_state(self, encoded: EncodedSource) -> DecoderState:
        """Returns the state that the summary of the source gives."""
        return DecoderState(
            stack=self.stack.start(encoded.summary),
            input_feed=encoded.summary[:, :0],
            attention=self.attention.initial_state(encoded),
        )

    def project(self, embedded: TargetEmbeddings) -> Float[Array, "batch tgt gates"]:
        """Returns W E y_{t-1} of all gates."""
        return self.stack.project(embedded)

    def step(
        self, state: DecoderState, projected: StepGates, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[DecoderState, Any, AttentionOutput]:
        """Attends with the state as it is, then moves it."""
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

    def teacher_forced(
        self, embedded: TargetEmbeddings, encoded: EncodedSource, masks: DropoutMasks
    ) -> tuple[Readouts, AttentionOutput]:
        """Returns readouts and weights at all positions, given the true previous tokens."""
        return decoder.scan(self, embedded, encoded, masks)
